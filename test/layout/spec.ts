// Checks 1 and 6 to 11: SPEC.md against itself, the code and the vectors.

import { blocks, code, files, section, type Tree, table, WORDS } from "./tree.ts"

const ID = /\[([A-Z]+-\d+)\]/g
const KEYWORD =
  /\b(MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|REQUIRED|MAY|OPTIONAL)\b/
const PARTS = ["What it is", "Format", "Sender", "Receiver", "Vectors"]
/** Sources that no section owns. */
const SHARED = [
  "index",
  "protocol",
  "errors",
  "bytes",
  "pack",
  "shape",
  "environment",
  "limits",
  "database",
]
/** What drives the ten groups of conformance/. */
const HARNESS = [
  ...["index", "driver", "stdio", "runner", "judge", "verdict", "baseline", "requirements"],
  ...["arbitraries", "property", "cbor", "values", "interop", "coverage", "selftest"],
]

const spec = (tree: Tree): string => tree.get("SPEC.md") ?? ""
const sectionText = (tree: Tree, word: string): string =>
  section(spec(tree), `## ${WORDS.indexOf(word as (typeof WORDS)[number]) + 3}. ${word}`)
/** Text without fenced blocks and `code`. */
const prose = (text: string): string =>
  text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "``")

/** Check 1: the map has ten rows, all it names exists, and nothing else stands beside it. */
export function map(tree: Tree): readonly string[] {
  const faults: string[] = []
  const rows = [...section(spec(tree), "## 2. Conventions").matchAll(/^\|.*\|$/gm)]
    .map(([line]) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => /^\d+$/.test(cells[1] ?? "") && cells.length === 7)
  if (rows.length !== 10) faults.push(`the map has ${rows.length} rows`)
  for (const [i, word] of WORDS.entries()) {
    const [, number, name, ...paths] = rows[i] ?? []
    if (number !== String(i + 3) || name !== word) faults.push(`row ${i + 1} is not ${word}`)
    if (sectionText(tree, word) === "") faults.push(`no heading "## ${i + 3}. ${word}"`)
    for (const path of paths.slice(0, 3)) {
      const exists = path.endsWith("/")
        ? [...tree.keys()].some((key) => key.startsWith(path))
        : tree.has(path)
      if (!exists || !path.includes(word)) faults.push(`${word}: ${path} does not exist`)
    }
  }
  const stray = (pattern: RegExp, known: readonly string[]) => {
    for (const [path] of files(tree, pattern)) {
      const name = path.replace(/^.*\/|\.\w+$/g, "")
      if (!known.includes(name)) faults.push(`${path} is in no row of the map`)
    }
  }
  stray(/^src\/[^/]+\.ts$/, [...WORDS, ...SHARED])
  stray(/^vectors\/[^/]+\.json$/, WORDS)
  stray(/^conformance\/[^/]+\.ts$/, [...WORDS, ...HARNESS])
  return faults
}

/** Every id that SPEC.md defines, with the word of the section that holds it. */
export function definedIds(tree: Tree): ReadonlyMap<string, string> {
  const ids = new Map<string, string>()
  for (const word of WORDS) {
    for (const [, id] of prose(sectionText(tree, word)).matchAll(ID)) ids.set(id as string, word)
  }
  return ids
}

const CITED = new RegExp(`\\b(${WORDS.map((word) => word.toUpperCase()).join("|")})-(\\d+)\\b`, "g")
const citedIn = (text: string): readonly string[] => [...text.matchAll(CITED)].map(([id]) => id)

/** Check 6: ids are defined once, in their own section, none is retired, none cited is unknown. */
export function ids(tree: Tree): readonly string[] {
  const faults: string[] = []
  const text = spec(tree)
  const defined = definedIds(tree)
  const seen = new Set<string>()
  for (const [, id] of prose(text.replaceAll(/`\[[A-Z]+-\d+\]`/g, "")).matchAll(ID)) {
    if (seen.has(id as string)) faults.push(`${id} is defined twice`)
    seen.add(id as string)
    if (!defined.has(id as string)) faults.push(`${id} is defined outside §3 to §12`)
  }
  for (const [id, word] of defined) {
    if (!id.startsWith(`${word.toUpperCase()}-`)) faults.push(`${id} is defined in ${word}`)
  }
  const retired = citedIn(section(text, "## Appendix D. Changes"))
  for (const id of retired) if (defined.has(id)) faults.push(`${id} is retired and defined`)
  for (const [path, source] of files(tree, /^(src|conformance|vectors|test)\/.*\.(ts|json)$/)) {
    if (path.startsWith("test/layout")) continue
    for (const id of new Set(citedIn(source))) {
      const madeUp = path.startsWith("test/") && Number(id.split("-")[1]) >= 9000
      if (!defined.has(id) && !madeUp) faults.push(`${path} cites the unknown ${id}`)
    }
  }
  return faults
}

/** Ids that no source file cites, and ids that no vector, property or test exercises. */
export function coverage(tree: Tree): {
  uncited: readonly string[]
  unexercised: readonly string[]
} {
  // What the command line says about requirements implements none.
  const cited = new Set(files(tree, /^src\/(?!cli\/).*\.ts$/).flatMap(([, text]) => citedIn(text)))
  const checks = [
    ...files(tree, /^(conformance|test)\/.*\.ts$/),
    ...files(tree, /^vectors\/.*\.json$/),
  ]
  const exercised = new Set(
    checks
      .filter(([path]) => !/^test\/layout(\.test|\/uncovered)\.ts$/.test(path))
      .flatMap(([, text]) => citedIn(text)),
  )
  const missing = (in_: ReadonlySet<string>) =>
    [...definedIds(tree).keys()].filter((id) => !in_.has(id))
  return { uncited: missing(cited), unexercised: missing(exercised) }
}

/** Check 7: a sentence with a keyword of BCP 14 ends in exactly one id; none outside §3 to §12. */
export function keywords(tree: Tree): readonly string[] {
  const faults: string[] = []
  let rest = prose(spec(tree))
  for (const word of WORDS) {
    const text = prose(sectionText(tree, word))
    rest = rest.replace(text, "")
    for (const paragraph of paragraphs(text)) faults.push(...sentences(paragraph))
  }
  rest = rest.replace(/^The key words "MUST"[\s\S]*?\n\n/m, "")
  for (const line of rest.split("\n")) {
    if (KEYWORD.test(line)) faults.push(`a keyword outside §3 to §12: ${line.slice(0, 80)}`)
  }
  return faults
}

function paragraphs(text: string): readonly string[] {
  return text.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.|\|) )/).map((part) => part.replace(/\s+/g, " "))
}

function sentences(paragraph: string): readonly string[] {
  const faults: string[] = []
  const parts = paragraph.split(/(\[[A-Z]+-\d+\])\.?/)
  for (let i = 0; i < parts.length; i += 2) {
    const text = parts[i] as string
    const id = parts[i + 1]
    const found = text.split(/(?<=[.!?:])\s+(?=["“A-Z])/).filter((part) => KEYWORD.test(part))
    const where = `${text.trim().slice(0, 90)}${id ? ` ${id}` : ""}`
    if (id === undefined && found.length > 0) faults.push(`no id: ${where}`)
    if (id !== undefined && found.length === 0) faults.push(`no keyword: ${where}`)
    if (id !== undefined && found.length > 1)
      faults.push(`${found.length} sentences, one id: ${where}`)
  }
  return faults
}

/** Check 8: the codes of §13, of errors.ts and of the vectors are one closed list. */
export function codes(tree: Tree): readonly string[] {
  const faults: string[] = []
  const text = section(spec(tree), "## 13. errors")
  const listed = table(text).map(([cell]) => (cell ?? "").replaceAll("`", ""))
  const source =
    code(tree.get("src/errors.ts") ?? "").match(/ERROR_CODES = \[([\s\S]*?)\]/)?.[1] ?? ""
  const declared = [...source.matchAll(/"([^"]+)"/g)].map((match) => match[1] as string)
  const known = new Set(listed)
  if (known.size !== listed.length) faults.push("§13 lists a code twice")
  for (const item of listed) {
    if (!declared.includes(item)) faults.push(`errors.ts lacks ${item}`)
    if (!WORDS.some((word) => item.startsWith(`${word}/`))) faults.push(`${item} has no section`)
  }
  for (const item of declared) if (!known.has(item)) faults.push(`§13 lacks ${item}`)
  for (const [path, json] of files(tree, /^vectors\/.*\.json$/)) {
    for (const expected of json.matchAll(/"(?:expect|code)":\s*"([^"]+)"/g)) {
      const item = expected[1] as string
      if (item !== "ok" && !known.has(item)) faults.push(`${path} expects the unknown ${item}`)
    }
  }
  const quoted = new RegExp(`\`((?:${WORDS.join("|")})/[a-z-]+)\``, "g")
  for (const [, item] of spec(tree).matchAll(quoted)) {
    if (!known.has(item as string)) faults.push(`SPEC.md names the unknown code ${item}`)
  }
  return faults
}

/** The items of a registry in Appendix A: the cells of some columns. */
function registry(tree: Tree, name: string, ...columns: number[]): readonly string[] {
  const rows = table(section(section(spec(tree), "## Appendix A. Registries"), `### ${name}`))
  return rows.map((row) => columns.map((i) => (row[i] ?? "").replaceAll("`", "")).join(" "))
}

function strings(text: string | undefined): readonly string[] {
  return [...(text ?? "").matchAll(/"([^"]+)"/g)].map((match) => match[1] as string)
}

/** Check 9: the registries equal the constants, and the label prefix is written once. */
export function registries(tree: Tree): readonly string[] {
  const suite = code(tree.get("src/suite.ts") ?? "")
  const limits = code(tree.get("src/limits.ts") ?? "")
  const envelope = code(tree.get("src/envelope.ts") ?? "")
  const frames = files(tree, /^src\/hub\/.*\.ts$/)
    .map(([, text]) => code(text))
    .join("\n")
  const bundle = code(tree.get("src/bundle.ts") ?? "")
  const pairs = (text: string, name: string) =>
    [
      ...(text.match(new RegExp(`${name} = \\{([^}]*)\\}`))?.[1] ?? "").matchAll(/(\w+): (\d+)/g),
    ].map(([, key, value]) => `${value} ${key}`)
  const suites = [
    ...(suite.match(/SUITES = \{([\s\S]*?)\n\} as const/)?.[1] ?? "").matchAll(
      /(\d+): \{([^}]*)\}/g,
    ),
  ].map(([, id, body]) => {
    const field = (key: string) =>
      body?.match(new RegExp(`${key}: (?:"([^"]+)"|null)`))?.[1] ?? "none"
    return [id, ...["dh", "kem", "signature", "kdf", "aead"].map(field)].join(" ")
  })
  const constants = [...limits.matchAll(/^export const ([A-Z_]+)(?:: number)? = ([\d_]+)$/gm)].map(
    ([, name, value]) => `${name} ${(value as string).replaceAll("_", "")}`,
  )
  const hubErrors = strings(frames.match(/HUB_ERRORS\b[^=]*= \[([\s\S]*?)\]/)?.[1])
  const faults = [
    ...same("suites", registry(tree, "Suites", 0, 1, 2, 3, 4, 5), suites),
    ...same(
      "purposes",
      registry(tree, "Purposes", 0),
      strings(suite.match(/PURPOSES = \[([\s\S]*?)\]/)?.[1]),
    ),
    ...same(
      "content kinds",
      registry(tree, "Content kinds", 0, 1),
      pairs(envelope, "CONTENT_KINDS"),
    ),
    ...same(
      "receipt statuses",
      registry(tree, "Receipt statuses", 0, 1),
      pairs(envelope, "RECEIPT_STATUSES"),
    ),
    ...same(
      "hub errors",
      registry(tree, "Hub errors", 0, 1),
      hubErrors.map((item, i) => `${i + 1} ${item}`),
    ),
    ...same(
      "limits",
      registry(tree, "Limits", 0, 1).map((row) => row.replaceAll(",", "")),
      constants,
    ),
    ...same(
      "flags",
      registry(tree, "Flags of a bundle", 1, 2),
      [...bundle.matchAll(/export const (ONE_TIME_REQUIRED)(?:: number)? = (\d+)/g)].map(
        ([, name, value]) => `${value} ${name}`,
      ),
    ),
  ]
  for (const [path, text] of files(tree, /^src\/.*\.ts$/)) {
    if (path !== "src/suite.ts" && code(text).includes("AgentMesh/1")) {
      faults.push(`${path} writes the label prefix`)
    }
  }
  return faults
}

function same(
  what: string,
  inSpec: readonly string[],
  inCode: readonly string[],
): readonly string[] {
  if (inSpec.length === 0) return [`no registry of ${what} in Appendix A`]
  return [
    ...inSpec
      .filter((item) => !inCode.includes(item))
      .map((item) => `${what}: no constant for ${item}`),
    ...inCode
      .filter((item) => !inSpec.includes(item))
      .map((item) => `${what}: ${item} is not in Appendix A`),
  ]
}

/** Check 10: the collected CDDL is that of the sections, each hex example that of its vector. */
export function examples(tree: Tree): readonly string[] {
  const faults: string[] = []
  const squeeze = (text: string) => text.replace(/\s+/g, " ").trim()
  const parts = WORDS.flatMap((word) => blocks(sectionText(tree, word), "cddl"))
  const collected = blocks(section(spec(tree), "## Appendix B. Collected CDDL"), "cddl").join("\n")
  const comments = /^;.*$/gm
  const [a, b] = [parts.join("\n"), collected].map((text) => squeeze(text.replace(comments, "")))
  if (a !== b) faults.push("Appendix B is not the CDDL of the sections")
  for (const word of WORDS) {
    const text = sectionText(tree, word)
    if (blocks(text, "cddl").length !== 1) faults.push(`${word} has not exactly one CDDL block`)
    const found = text.match(/^Example: vector `([a-z]+-\d+)`, field `([\w.]+)`/m)
    const shown = blocks(text, "hex")
    if (found === null || shown.length !== 1) {
      faults.push(`${word} has not exactly one example`)
      continue
    }
    const digits = (shown[0] as string).replace(/;.*$/gm, "").replace(/[^0-9a-f]/g, "")
    const value = vectorField(tree, found[1] as string, found[2] as string)
    if (value !== digits || digits === "")
      faults.push(`the example of ${word} is not in ${found[1]}`)
  }
  return faults
}

function vectorField(tree: Tree, id: string, field: string): string | undefined {
  const { cases } = JSON.parse(tree.get(`vectors/${id.split("-")[0]}.json`) ?? '{"cases":[]}')
  const found = cases.find((item: { id: string }) => item.id === id)
  const search = (value: unknown): string | undefined => {
    if (typeof value !== "object" || value === null) return undefined
    if (Array.isArray(value) && value[0] === field && typeof value[1] === "string") return value[1]
    for (const [key, item] of Object.entries(value)) {
      if (key === field && typeof item === "string") return item
      const inner = search(item)
      if (inner !== undefined) return inner
    }
    return undefined
  }
  return search(found)
}

/** Check 11: five parts in order, files that say where they belong, lengths within limits. */
export function shape(tree: Tree): readonly string[] {
  const faults: string[] = []
  for (const [i, word] of WORDS.entries()) {
    const headings = [...sectionText(tree, word).matchAll(/^### (.*)$/gm)].map((match) => match[1])
    const expected = PARTS.map((part, j) => `${i + 3}.${j + 1} ${part}`)
    if (headings.join() !== expected.join()) faults.push(`${word} has the parts ${headings.join()}`)
    for (const [path, text] of files(tree, new RegExp(`^src/${word}(\\.ts$|/)`))) {
      const head = text.split("\n").slice(0, 2).join("\n")
      if (!new RegExp(`SPEC .*§${i + 3}\\b`).test(head))
        faults.push(`${path} does not name §${i + 3} on top`)
    }
  }
  for (const [path, text] of files(tree, /^(src|conformance|examples|test)\/.*\.ts$/)) {
    const lines = text.split("\n").length - 1
    // Tests are lists of cases, as long as there are cases.
    if (lines > 400 && !path.startsWith("test/")) faults.push(`${path} has ${lines} lines`)
  }
  return faults
}
