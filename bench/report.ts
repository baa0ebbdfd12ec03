// The results as a table on the console, and as bench/README.md with its plots.

import { writeFileSync } from "node:fs"
import { arch, cpus, platform, totalmem } from "node:os"
import { fileURLToPath } from "node:url"
import { GROUPS } from "./groups.ts"
import { type Figure, spread } from "./measure.ts"
import { barChart } from "./plot.ts"
import { judge, type Verdict } from "./targets.ts"

/** All that a run came to. */
export interface Result {
  readonly date: string
  readonly node: string
  readonly openssl: string
  readonly machine: string
  readonly quick: boolean
  /** Load averages over 1 minute at the begin and the end of the run, or of its parts. */
  readonly load: readonly number[]
  readonly figures: readonly Figure[]
}

/** The machine, without what names it. */
export function machine(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${first?.model.trim()}, ${memory} GiB, ${platform()} ${arch()}`
}

/** Three significant digits, and no more of the large ones. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "–"
  if (value >= 100) return Math.round(value).toLocaleString("en")
  return value.toPrecision(3)
}

function cells(figure: Figure): string[] {
  const { median, min, max } = spread(figure.values)
  const range = figure.values.length > 1 ? `${number(min)} – ${number(max)}` : ""
  const wall = figure.wall ? number(spread(figure.wall).median) : ""
  const floor = figure.floor ? number(spread(figure.floor).median) : ""
  const ratio = figure.ratio ? spread(figure.ratio).median.toFixed(2) : ""
  return [figure.what, `${number(median)} ${figure.unit}`, range, wall, floor, ratio]
}

const HEADS = ["", "median", "range", "wall", "floor", "ratio"] as const

/** The figures of one group as lines for a console. */
export function consoleTable(figures: readonly Figure[]): string {
  const rows = [[...HEADS], ...figures.map(cells)]
  const widths = HEADS.map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

/** The verdicts as lines for a console. */
export function consoleVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ what, target, value, met }) => {
      return `${met ? "met   " : "missed"}  ${what.padEnd(42)} ${number(value).padStart(8)}  ${target}`
    })
    .join("\n")
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`
  const rule = heads.map((_, i) => (i === 0 ? "---" : "---:"))
  return [line(heads), line(rule), ...rows.map(line)].join("\n")
}

function sections(figures: readonly Figure[]): string {
  const parts: string[] = []
  for (const prefix of ["", "portable/"]) {
    for (const group of GROUPS) {
      const own = figures.filter(({ id }) => id.startsWith(`${prefix}${group.name}/`))
      if (own.length === 0) continue
      const backend = prefix === "" ? "" : " (portable backend)"
      parts.push(
        `### ${group.name}${backend}: ${group.what}`,
        "",
        markdownTable(HEADS, own.map(cells)),
        "",
      )
    }
  }
  return parts.join("\n")
}

const METHOD = `\`npm run bench -- --report\` writes this file and its plots. Values are microseconds of CPU time
(user and system) of all threads of the process, per message, unless another unit stands there;
*wall* is the wall time of the same runs. Each group runs in a process of its own. The cases of a
round run one after the other, a case and its floor in turns; a first round warms up; the median,
smallest and largest of the others are shown. The *floor* is the sum of the primitives that the
operation executed, recorded at the crypto backend and executed again with the same arguments; keys
that are new to the process stay new. The *ratio* is that of a round, then the median. What was sent
is counted at the other end, once each, before a figure counts. On a machine that does other work
at the same time, ranges are wide and single values mean little; ratios mean more.`

function markdown(result: Result): string {
  const { figures, date, node, openssl, load } = result
  const missing = GROUPS.filter(({ name }) => !figures.some(({ id }) => id.startsWith(name)))
  const absent = missing.map(({ name }) => name).join(", ")
  const verdicts = judge(figures).map(({ what, target, value, met }) => {
    return [what, number(value), target, met ? "met" : "**missed**"]
  })
  return `# Measurements

${METHOD}

${date}, ${result.machine}; Node ${node}, OpenSSL ${openssl}. The load average was ${Math.min(...load).toFixed(1)} to ${Math.max(...load).toFixed(1)}
during the run, where ${cpus().length} is a machine that is busy and no more.

${absent === "" ? "" : `Not measured in this run: ${absent}.\n\n`}## Targets

${markdownTable(["", "measured", "target", ""], verdicts)}

Why some are missed: [PROFILE.md](PROFILE.md).

![CPU per message, by how many share an envelope](messages.svg)

![CPU per message beside other protocols](peers.svg)

## Figures

${sections(figures)}`
}

const BARS = ["600x1", "600x8", "600x32", "600x64", "turn"] as const

/** Writes bench/README.md and its plots. */
export function writeReport(result: Result): void {
  const at = (name: string): string =>
    fileURLToPath(new URL(`../../bench/${name}`, import.meta.url))
  const median = (id: string): number => {
    return spread(result.figures.find((one) => one.id === id)?.values ?? []).median
  }
  const messages = BARS.flatMap((name) => {
    const figure = result.figures.find(({ id }) => id === `envelope/1/${name}`)
    if (figure === undefined) return []
    const label = name === "turn" ? "ping-pong, a turn each" : `600 B, ${name.slice(4)} an envelope`
    return [{ label, value: spread(figure.values).median, part: spread(figure.floor ?? []).median }]
  })
  const others = ["agentmesh/256x32", "agentmesh/256", "libsignal/256", "olm/256"].map((id) => {
    const label = `${id.replace("/256x32", ", 32 in an envelope").replace("/256", ", one message")}`
    return { label, value: median(`peers/${id}`) }
  })
  const title = "Seal and open, CPU µs per message (dark: the primitives)"
  writeFileSync(at("messages.svg"), barChart(title, messages))
  const known = others.filter(({ value }) => Number.isFinite(value))
  writeFileSync(at("peers.svg"), barChart("256 B both ways of a wire, CPU µs per message", known))
  writeFileSync(at("README.md"), markdown(result))
}
