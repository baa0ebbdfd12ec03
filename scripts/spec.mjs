// Fills what SPEC.md takes from elsewhere: the example of each section from its vector, and
// Appendix B from the CDDL of the sections.
//
//   node scripts/spec.mjs [--check]      --check changes nothing, exit 1 if something would change

import { readFileSync, writeFileSync } from "node:fs"

const root = new URL("../", import.meta.url)
const read = (path) => readFileSync(new URL(path, root), "utf8")
const WIDTH = 32

/** The first value under `field` in a vector: in its input, output, trace or steps. */
function findField(value, field) {
  if (typeof value !== "object" || value === null) return undefined
  if (Array.isArray(value) && value[0] === field && typeof value[1] === "string") return value[1]
  for (const [key, item] of Object.entries(value)) {
    if (key === field && typeof item === "string") return item
    const found = findField(item, field)
    if (found !== undefined) return found
  }
  return undefined
}

/** One CBOR item as lines of hex with comments; null if the bytes are not one. */
function annotate(bytes) {
  const lines = []
  let at = 0
  const hex = (from, to) => Buffer.from(bytes.subarray(from, to)).toString("hex")
  const put = (depth, digits, comment) => {
    const left = `${"  ".repeat(depth)}${digits}`
    lines.push(comment === "" ? left : `${left.padEnd(24)} ; ${comment}`)
  }
  const string = (depth, major, length) => {
    const body = bytes.subarray(at, at + length)
    const inner = major === 2 && length > 8 ? annotate(body) : null
    if (inner) for (const line of inner) lines.push(`${"  ".repeat(depth)}${line}`)
    else
      for (let i = 0; i < length; i += WIDTH) {
        const end = Math.min(i + WIDTH, length)
        const text =
          major === 3 ? JSON.stringify(Buffer.from(body.subarray(i, end)).toString()) : ""
        put(depth, hex(at + i, at + end), text)
      }
    at += length
  }
  const item = (depth) => {
    if (at >= bytes.length) throw new RangeError("truncated")
    const start = at
    const [major, info] = [bytes[at] >> 5, bytes[at] & 31]
    at++
    if (info > 27 || major === 1 || major === 6) throw new RangeError("outside the profile")
    const size = info < 24 ? 0 : 2 ** (info - 24)
    if (at + size > bytes.length) throw new RangeError("truncated")
    const argument = size === 0 ? info : Number(BigInt(`0x${hex(at, at + size)}`))
    at += size
    const head = hex(start, at)
    const names = ["", "", "byte string", "text", "array", "map"]
    if (major === 0) put(depth, head, String(argument))
    else if (major === 7 && info === 22) put(depth, head, "null")
    else if (major === 7) throw new RangeError("outside the profile")
    else put(depth, head, `${names[major]}, ${argument}`)
    if (major === 2 || major === 3) {
      if (argument > bytes.length - at) throw new RangeError("truncated")
      string(depth + 1, major, argument)
    }
    if (major === 4) for (let i = 0; i < argument; i++) item(depth + 1)
    if (major === 5) for (let i = 0; i < argument * 2; i++) item(depth + 1)
  }
  try {
    item(0)
    return at === bytes.length ? lines : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function plain(bytes) {
  const lines = []
  for (let i = 0; i < bytes.length; i += WIDTH) {
    lines.push(Buffer.from(bytes.subarray(i, i + WIDTH)).toString("hex"))
  }
  return lines
}

function example(id, field) {
  const { cases } = JSON.parse(read(`vectors/${id.split("-")[0]}.json`))
  const digits = findField(
    cases.find((item) => item.id === id),
    field,
  )
  if (digits === undefined || !/^([0-9a-f]{2})+$/.test(digits)) {
    throw new Error(`vector ${id} has no field ${field} of bytes`)
  }
  const bytes = Buffer.from(digits, "hex")
  const isArray = bytes[0] >> 5 === 4
  return ((isArray && annotate(bytes)) || plain(bytes)).join("\n")
}

const before = read("SPEC.md")
const faults = []
let after = before.replace(
  /^(Example: vector `([a-z]+-\d+)`, field `([\w.]+)`\.[^\n]*\n\n```hex\n)[\s\S]*?(?=^```$)/gm,
  (whole, head, id, field) => {
    try {
      return `${head}${example(id, field)}\n`
    } catch (error) {
      faults.push(error.message)
      return whole
    }
  },
)

const sections = after.slice(0, after.indexOf("\n## 13. ")).split(/^(?=## \d+\. )/m)
const collected = sections.flatMap((text) => {
  const [, number, word] = text.match(/^## (\d+)\. (\w+)/) ?? []
  const blocks = [...text.matchAll(/^```cddl\n([\s\S]*?)^```$/gm)].map((match) => match[1])
  return blocks.length === 0 ? [] : [`; §${number} ${word}\n${blocks.join("\n")}`]
})
after = after.replace(
  /(<!-- cddl:begin -->\n)[\s\S]*?(<!-- cddl:end -->)/,
  (_whole, begin, end) => `${begin}\n\`\`\`cddl\n${collected.join("\n")}\`\`\`\n\n${end}`,
)

for (const fault of faults) console.error(fault)
if (process.argv.includes("--check")) {
  if (after !== before) console.error("SPEC.md is not up to date: node scripts/spec.mjs")
  process.exit(after === before && faults.length === 0 ? 0 : 1)
}
if (after !== before) writeFileSync(new URL("SPEC.md", root), after)
process.exit(faults.length === 0 ? 0 : 1)
