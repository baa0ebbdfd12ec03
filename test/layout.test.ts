// The shape of the project: SPEC.md, sources, vectors and conformance agree. Each check is run on
// the tree as it is, and on altered copies that it has to notice.

import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { ENTRIES } from "./layout/entries.ts"
import { ambient, direction, entries, gates, testMode } from "./layout/source.ts"
import { codes, coverage, examples, ids, keywords, map, registries, shape } from "./layout/spec.ts"
import { altered, readTree, replaced, type Tree } from "./layout/tree.ts"
import { UNCITED, UNEXERCISED } from "./layout/uncovered.ts"

const tree = readTree(fileURLToPath(new URL("..", import.meta.url)))

const CHECKS = {
  map,
  direction,
  gates,
  ambient,
  entries: (copy: Tree) => entries(copy, ENTRIES),
  ids,
  keywords,
  codes,
  registries,
  examples,
  shape,
  testMode,
} as const

describe("the tree", () => {
  test.each(Object.entries(CHECKS))("%s", (_name, check) => {
    expect(check(tree)).toEqual([])
  })
})

const spec = (from: string | RegExp, to: string) => (): Tree => replaced(tree, "SPEC.md", from, to)
const source = (path: string, from: string | RegExp, to: string) => (): Tree =>
  replaced(tree, `src/${path}`, from, to)
const appended = (path: string, text: string) => (): Tree =>
  altered(tree, path, `${tree.get(path) ?? ""}${text}`)

const cycle = (): Tree =>
  altered(
    appended("src/errors.ts", 'import "./bytes.ts"\n')(),
    "src/bytes.ts",
    'import "./errors.ts"\n',
  )

// Check, what was done, the altered copy, what the check says about it.
const violations: readonly (readonly [keyof typeof CHECKS, string, () => Tree, RegExp])[] = [
  ["map", "a row less", spec(/^\| 6 \| bundle .*\n/m, ""), /9 rows/],
  ["map", "a heading renamed", spec("## 7. keyschedule", "## 7. keys"), /no heading/],
  [
    "map",
    "a source gone",
    () => altered(tree, "src/session.ts", null),
    /session\.ts does not exist/,
  ],
  ["map", "vectors gone", () => altered(tree, "vectors/suite.json", null), /suite\.json does not/],
  ["map", "a stray source", () => altered(tree, "src/util.ts", ""), /src\/util\.ts/],
  ["map", "a stray vector file", () => altered(tree, "vectors/misc.json", "{}"), /misc\.json/],
  ["map", "a stray group", () => altered(tree, "conformance/extra.ts", ""), /extra\.ts/],

  ["direction", "up a layer", appended("src/bytes.ts", 'import "./suite.ts"\n'), /layer 1/],
  ["direction", "to a later section", appended("src/bundle.ts", 'import "./session.ts"\n'), /§10/],
  [
    "direction",
    "a type of a later section",
    appended("src/identity.ts", 'import type { Bundle } from "./bundle.ts"\n'),
    /§6/,
  ],
  [
    "direction",
    "a re-export of a later section",
    appended("src/suite.ts", 'export { open } from "./session.ts"\n'),
    /session/,
  ],
  [
    "direction",
    "a dynamic import upwards",
    appended("src/envelope.ts", 'const x = import("./agent/agent.ts")\n'),
    /layer 3/,
  ],
  [
    "direction",
    "the hub to the agent",
    appended("src/hub/local-hub.ts", 'import "../agent/agent.ts"\n'),
    /§12/,
  ],
  [
    "direction",
    "the agent into the hub's runtime",
    appended("src/agent/engine.ts", 'import "../hub/runtime.ts"\n'),
    /reaches into/,
  ],
  [
    "direction",
    "pure hub to runtime",
    appended("src/hub/machine.ts", 'import "./store.ts"\n'),
    /layer 3/,
  ],
  ["direction", "a cycle", cycle, /cycle: src\/(errors|bytes)/],
  ["direction", "a new file without a layer", () => altered(tree, "src/later.ts", ""), /no layer/],

  [
    "gates",
    "a package in a section",
    appended("src/bundle.ts", 'import "cbor-x"\n'),
    /imports cbor-x/,
  ],
  [
    "gates",
    "bare cbor-x in encoding",
    source("encoding.ts", '"cbor-x/encode"', '"cbor-x"'),
    /cbor-x/,
  ],
  [
    "gates",
    "noble in a section",
    appended("src/session.ts", 'import "@noble/hashes/sha2.js"\n'),
    /@noble/,
  ],
  ["gates", "node: in the agent", appended("src/agent/store.ts", 'import "node:fs"\n'), /node:fs/],
  [
    "gates",
    "the backend from a section",
    appended("src/identity.ts", 'import "#crypto"\n'),
    /#crypto/,
  ],
  [
    "gates",
    "src in a group",
    appended("conformance/bundle.ts", 'import "../src/bundle.ts"\n'),
    /src\/bundle/,
  ],
  [
    "gates",
    "node: in the runner",
    appended("conformance/runner.ts", 'import "node:fs"\n'),
    /node:fs/,
  ],
  [
    "gates",
    "src in an example",
    () => altered(tree, "examples/x.ts", 'import "../src/index.ts"\n'),
    /src\/index/,
  ],

  ["ambient", "the clock", appended("src/bundle.ts", "const t = Date.now()\n"), /Date/],
  ["ambient", "Math.random", appended("src/session.ts", "const r = Math.random()\n"), /random/],
  ["ambient", "global crypto", appended("src/identity.ts", "const c = crypto.subtle\n"), /crypto/],
  ["ambient", "a timer", appended("src/hub/machine.ts", "setTimeout(() => 0, 1)\n"), /timer/],
  ["ambient", "process", appended("src/suite.ts", "const e = process.env\n"), /process/],
  ["ambient", "console", appended("src/handshake.ts", "console.log(1)\n"), /console/],
  ["ambient", "async", appended("src/envelope.ts", "export async function f() {}\n"), /async/],
  ["ambient", "state in a module", appended("src/keyschedule.ts", "let count = 0\n"), /state/],

  [
    "entries",
    "a name more",
    appended("src/index.ts", 'export { seal } from "./session.ts"\n'),
    /exports seal/,
  ],
  ["entries", "a name less", source("protocol.ts", /export \* as suite.*\n/, ""), /lacks suite/],
  ["entries", "code in an entry", appended("src/index.ts", "export const x = 1\n"), /does more/],

  [
    "ids",
    "an id twice",
    spec("need it. [BUNDLE-4]", "need it. [BUNDLE-3]"),
    /BUNDLE-3 is defined twice/,
  ],
  ["ids", "an id of another section", spec("[SUITE-3]", "[BUNDLE-903]"), /defined in suite/],
  ["ids", "an id outside", spec("## 13. errors\n", "## 13. errors\n\nX. [AGENT-902]\n"), /outside/],
  [
    "ids",
    "an unknown id in code",
    appended("src/bundle.ts", "// BUNDLE-999\n"),
    /unknown BUNDLE-999/,
  ],
  [
    "ids",
    "a retired id in use",
    spec("Retired requirement ids: none", "Retired: SUITE-2"),
    /retired/,
  ],

  ["keywords", "a sentence without id", spec(" [ENCODING-16]", ""), /2 sentences|no id/],
  [
    "keywords",
    "an id without keyword",
    spec("MUST NOT change text", "does not change text"),
    /no keyword/,
  ],
  [
    "keywords",
    "two sentences, one id",
    spec("[SUITE-1]", "An agent MUST sing. [SUITE-1]"),
    /2 sentences/,
  ],
  [
    "keywords",
    "a keyword outside",
    spec("## 13. errors\n", "## 13. errors\n\nYou MUST.\n"),
    /outside/,
  ],

  [
    "codes",
    "a code less in SPEC",
    spec(/^\| `bundle\/flags` .*\n/m, ""),
    /§13 lacks bundle\/flags/,
  ],
  [
    "codes",
    "a code less in code",
    source("errors.ts", '  "suite/downgrade",\n', ""),
    /lacks suite\/downgrade/,
  ],
  ["codes", "a code of no section", spec("| `agent/closed` |", "| `store/closed` |"), /no section/],
  [
    "codes",
    "an unknown code in the text",
    spec("`bundle/expired` is", "`bundle/old` is"),
    /unknown code/,
  ],
  [
    "codes",
    "an unknown code in a vector",
    () => replaced(tree, "vectors/bundle.json", /"bundle\/expired"/, '"bundle/stale"'),
    /unknown bundle\/stale/,
  ],

  [
    "registries",
    "another limit in code",
    source("limits.ts", "MAX_CHAIN = 1_000", "MAX_CHAIN = 1_024"),
    /MAX_CHAIN/,
  ],
  [
    "registries",
    "a limit only in code",
    appended("src/limits.ts", "export const MAX_NEW = 5\n"),
    /MAX_NEW/,
  ],
  [
    "registries",
    "another limit in SPEC",
    spec("| MAX_SKIPPED | 2,000 |", "| MAX_SKIPPED | 1,000 |"),
    /MAX_SKIPPED/,
  ],
  [
    "registries",
    "a purpose more",
    source("suite.ts", '  "test",\n', '  "test",\n  "group",\n'),
    /group/,
  ],
  [
    "registries",
    "hub errors in another order",
    spec("| 9 | `hub/mailbox-full` |", "| 9 | `hub/too-large` |"),
    /mailbox-full/,
  ],
  [
    "registries",
    "another algorithm",
    source("suite.ts", '"ML-KEM-768"', '"ML-KEM-1024"'),
    /suites/,
  ],
  [
    "registries",
    "a label written out",
    appended("src/session.ts", 'const l = "AgentMesh/1 message"\n'),
    /label prefix/,
  ],

  [
    "examples",
    "CDDL changed in a section",
    spec("one-time-body = [", "one-time-body = [ extra: uint,"),
    /Appendix B/,
  ],
  ["examples", "an example changed", spec(/(```hex\n)/, "```hex\n00 "), /example of encoding/],
  [
    "examples",
    "an example of another vector",
    spec("vector `bundle-0001`", "vector `bundle-0002`"),
    /example of bundle/,
  ],

  ["shape", "a part missing", spec("### 9.3 Sender", "#### Sender"), /envelope has the parts/],
  ["shape", "a source without its section", source("envelope.ts", "SPEC §9", "SPEC 9"), /§9/],
  ["shape", "a source too long", appended("src/session.ts", "\n".repeat(400)), /lines/],
  [
    "shape",
    "a generator too long",
    appended("conformance/vectorgen/bundle.ts", "\n".repeat(400)),
    /vectorgen\/bundle\.ts has/,
  ],
  [
    "testMode",
    "in production (SUITE-7)",
    appended("src/suite.ts", 'labelled("test", 1)\n'),
    /test mode/,
  ],
]

describe("violations that were put in", () => {
  test.each(violations)("%s: %s", (name, _what, alter, expected) => {
    const before = new Set(CHECKS[name](tree))
    const found = CHECKS[name](alter()).filter((fault) => !before.has(fault))
    expect(found.join("\n")).toMatch(expected)
  })
})

describe("requirements", () => {
  const { uncited, unexercised } = coverage(tree)

  test("each is named where a source file implements it", () => {
    expect(uncited.filter((id) => !UNCITED.includes(id))).toEqual([])
  })

  test("each is named by a vector, a property or a test", () => {
    expect(unexercised.filter((id) => !UNEXERCISED.includes(id))).toEqual([])
  })

  test("a new one is missed", () => {
    const copy = replaced(tree, "SPEC.md", "[SUITE-1]", "[SUITE-1] It MUST hum. [SUITE-901]")
    expect(coverage(copy).uncited).toContain("SUITE-901")
    expect(coverage(copy).unexercised).toContain("SUITE-901")
  })
})
