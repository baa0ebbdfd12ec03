// Checks 2 to 5: direction, gates, ambient state, entries. Each returns what is wrong.

import { code, files, importsOf, type Tree, WORDS } from "./tree.ts"

/** The files of hub/ with a store, a link or a promise; every other one is pure, a new one too. */
const HUB_RUNTIME =
  /^src\/hub\/(answers|batch|cache|client|connection|deliveries|hub|lifetimes|local-hub|lookup|memory-store|runtime|runtime-link|store)\.ts$/
/** The pure files of agent/; everything else there is the runtime. */
const AGENT_PURE = /^src\/agent\/(trust|delivery|rows|backup)\.ts$/
const SECTION_FILE = new RegExp(`^src/(${WORDS.join("|")})(\\.ts|/)`)

/** What stands on layer 0 beside errors.ts, and what belongs to a section under another name. */
const BASE = ["src/errors.ts", "src/bytes.ts", "src/limits.ts", "src/crypto/backend.ts"]
const FIRST = ["src/crypto/noble.ts", "src/crypto/node.ts", "src/suite.ts"]
const ENCODING = ["src/encoding.ts", "src/pack.ts", "src/shape.ts"]

/** Layer of a source file, as in CONTRIBUTING.md; undefined for entries and strangers. */
export function layerOf(path: string): number | undefined {
  if (BASE.includes(path)) return 0
  if (FIRST.includes(path) || ENCODING.includes(path)) return 1
  if (/^src\/(node|cli)\//.test(path)) return 4
  if (HUB_RUNTIME.test(path) || /^src\/(environment|database)\.ts$/.test(path)) return 3
  if (path.startsWith("src/agent/") && !AGENT_PURE.test(path)) return 3
  return SECTION_FILE.test(path) ? 2 : undefined
}

/** SPEC section of a source file; 0 for what no section owns. */
function sectionOf(path: string): number {
  if (ENCODING.includes(path)) return 3
  if (path.startsWith("src/crypto/")) return 4
  const word = path.match(SECTION_FILE)?.[1]
  return word === undefined ? 0 : WORDS.indexOf(word as (typeof WORDS)[number]) + 3
}

/** Check 2: no import goes up a layer, to a later section or round a cycle. */
export function direction(tree: Tree): readonly string[] {
  const faults: string[] = []
  const edges = new Map<string, readonly string[]>()
  for (const [path, text] of files(tree, /^src\/.*\.ts$/)) {
    const targets = importsOf(path, text).filter((item) => item.path?.startsWith("src/"))
    edges.set(
      path,
      targets.filter((item) => !item.typeOnly).map((item) => item.path as string),
    )
    const layer = layerOf(path)
    if (layer === undefined) {
      if (!/^src\/(index|protocol)\.ts$/.test(path)) faults.push(`${path} is on no layer`)
      continue
    }
    for (const { path: target, typeOnly } of targets) {
      // A type carries no behaviour: within one section it may come from the runtime.
      if (typeOnly && sectionOf(path) === sectionOf(target as string)) continue
      faults.push(...step(tree, path, target as string))
    }
  }
  return [...faults, ...cycles(edges)]
}

function step(tree: Tree, path: string, target: string): readonly string[] {
  const [from, to] = [layerOf(path), layerOf(target)]
  if (!tree.has(target)) return [`${path} imports ${target}, which does not exist`]
  if (from === 4) return []
  if (to === undefined || from === undefined) return [`${path} imports the entry ${target}`]
  if (to > from) return [`${path} (layer ${from}) imports ${target} (layer ${to})`]
  const [own, other] = [sectionOf(path), sectionOf(target)]
  const meets = own === 12 && other === 11 && (target === "src/hub/client.ts" || to === 2)
  if (other > own && own > 0) return [`${path} (§${own}) imports ${target} (§${other})`]
  if (own === 12 && other === 11 && !meets) return [`${path} reaches into the hub: ${target}`]
  return []
}

function cycles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const faults: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) faults.push(`cycle: ${[...trail.slice(at), path].join(" > ")}`)
    if (at >= 0 || done.has(path)) return
    done.add(path)
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path])
  }
  for (const path of edges.keys()) visit(path, [])
  return faults
}

/** Which packages and built-in modules a file may import; the first rule that fits decides. */
const GATES: readonly (readonly [path: RegExp, packages: RegExp])[] = [
  [/^src\/bytes\.ts$/, /^@noble\/hashes\/utils\.js$/],
  [/^src\/encoding\.ts$/, /^cbor-x\/(encode|decode)$/],
  [/^src\/suite\.ts$/, /^#crypto$/],
  [/^src\/crypto\/noble\.ts$/, /^@noble\//],
  [/^src\/crypto\/node\.ts$/, /^node:crypto$/],
  [/^src\/node\/cluster\/nats(-connect)?\.ts$/, /^(node:|@nats-io\/)/],
  [/^src\/cli\/mcp\//, /^(node:|@modelcontextprotocol\/|zod$)/],
  [/^src\/cli\//, /^(node:|commander$|uqr$)/],
  [/^src\/node\//, /^(node:|classic-level$|abstract-level$|commander$|qr$)/],
  [/^src\//, /^$/],
  [/^conformance\/(driver|stdio|coverage|selftest)\.ts$/, /^(node:|fast-check$)/],
  [/^conformance\/cli\//, /^(node:|commander$|ajv)/],
  [/^conformance\/mutants\//, /^(node:|typescript$)/],
  [
    /^conformance\/(live|peers|vectorgen|report|schema|templates|trace)\//,
    /^(node:|fast-check$|ajv)/,
  ],
  [/^conformance\//, /^fast-check$/],
  [/^examples\//, /^(agentmesh(\/node)?$|node:)/],
]

const REACHES_SRC = /^conformance\/(peers\/reference|live\/|mutants\/|vectorgen\/)/

/** Check 3: packages, `node:` and `src/` are reached only through their gates. */
export function gates(tree: Tree): readonly string[] {
  const faults: string[] = []
  for (const [path, text] of files(tree, /^(src|conformance|examples)\/.*\.ts$/)) {
    const allowed = GATES.find(([pattern]) => pattern.test(path))?.[1] as RegExp
    for (const { from, path: target } of importsOf(path, text)) {
      if (target === undefined && !allowed.test(from)) faults.push(`${path} imports ${from}`)
      if (!target?.startsWith("src/") || path.startsWith("src/")) continue
      if (!REACHES_SRC.test(path)) faults.push(`${path} imports ${target}`)
    }
  }
  return faults
}

const AMBIENT: readonly (readonly [string, RegExp])[] = [
  ["Date", /\bDate\b/],
  ["Math.random", /\bMath\s*\.\s*random\b/],
  ["global crypto", /(?<![.#\w])crypto\b(?!\/)/],
  ["globalThis", /\bglobalThis\b/],
  ["timer", /\b(setTimeout|setInterval|setImmediate|queueMicrotask|performance)\b/],
  ["process", /(?<![.\w])process\b/],
  ["console", /(?<![.\w])console\b/],
  ["async", /\basync\b|\bawait\b|\bPromise\b/],
]

/** Check 4: no clock, randomness, timer, output, async or module state below the runtimes. */
export function ambient(tree: Tree): readonly string[] {
  const faults: string[] = []
  for (const [path, text] of files(tree, /^src\/.*\.ts$/)) {
    const layer = layerOf(path)
    if (layer === undefined || layer > 2) continue
    const bare = code(text, false)
    for (const [what, pattern] of AMBIENT) {
      if (pattern.test(bare)) faults.push(`${path} uses ${what}`)
    }
    if (/^(export )?(let|var)\b/m.test(bare)) faults.push(`${path} has state in the module`)
  }
  return faults
}

/** Check 5: the entries only re-export, and exactly the names listed. */
export function entries(
  tree: Tree,
  expected: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const faults: string[] = []
  for (const [path, names] of Object.entries(expected)) {
    const source = code(tree.get(path) ?? "")
    const clause = /export (?:type )?(?:\{([^}]*)\}|\* as (\w+)) from "[^"]+"/g
    const found = [...source.matchAll(clause)].flatMap((match) =>
      (match[2] ?? match[1] ?? "").split(",").map((name) => name.replace(/^\s*type /, "").trim()),
    )
    const exported = found.filter((name) => name !== "").sort()
    if (source.replace(clause, "").trim() !== "") faults.push(`${path} does more than re-export`)
    for (const name of exported) if (!names.includes(name)) faults.push(`${path} exports ${name}`)
    for (const name of names) if (!exported.includes(name)) faults.push(`${path} lacks ${name}`)
  }
  return faults
}

/** Check 12: the deterministic test mode of SPEC §4 is nowhere in the sources (SUITE-7). */
export function testMode(tree: Tree): readonly string[] {
  return files(tree, /^src\/.*\.ts$/)
    .filter(([, text]) => /\b(label|labelled|hash|testDraw)\(\s*"?test\b/.test(code(text)))
    .map(([path]) => `${path} has the test mode`)
}
