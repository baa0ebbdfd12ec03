// Bars as SVG, readable on light and dark pages.

/** One bar; `part` of it is drawn darker. */
export interface Bar {
  readonly label: string
  readonly value: number
  readonly part?: number
}

const STYLE = `text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .bar { fill: #8fb8e8 } .part { fill: #2f6fb5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .bar { fill: #39587c } .part { fill: #6cacf0 }
}`

const ROW = 28
const LEFT = 210
const WIDTH = 420

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
}

/** Horizontal bars from zero, each with its value. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const size = (value: number): string => ((value / most) * WIDTH).toFixed(1)
  const rows = bars.map(({ label, value, part }, i) => {
    const y = 34 + i * ROW
    const text = `y="${y + 15}"`
    const inner =
      part === undefined
        ? ""
        : `<rect class="part" x="${LEFT}" y="${y}" width="${size(part)}" height="20"/>`
    return `<text x="${LEFT - 8}" ${text} text-anchor="end">${escapeXml(label)}</text>
<rect class="bar" x="${LEFT}" y="${y}" width="${size(value)}" height="20"/>${inner}
<text x="${LEFT + Number(size(value)) + 6}" ${text}>${value < 100 ? value.toFixed(1) : Math.round(value)}</text>`
  })
  const height = 40 + bars.length * ROW
  const view = `viewBox="0 0 ${LEFT + WIDTH + 60} ${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${view} role="img" aria-label="${escapeXml(title)}">
<style>${STYLE}</style>
<text class="title" x="8" y="20">${escapeXml(title)}</text>
${rows.join("\n")}
</svg>
`
}
