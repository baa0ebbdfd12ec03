// Writes docs/troubleshooting.md from the closed list of errors: the table of SPEC.md §13 and the
// rules that name each code. With --check it only compares.

import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const spec = readFileSync(path("SPEC.md"), "utf8")
const declared = [
  ...readFileSync(path("src/errors.ts"), "utf8").matchAll(/^ {2}"([a-z]+\/[a-z-]+)",$/gm),
]
const codes = declared.map(([, code]) => code)

const section = spec.slice(spec.indexOf("## 13. errors"), spec.indexOf("## 14. conformance"))
const rows = new Map(
  [...section.matchAll(/^\| `([a-z]+\/[a-z-]+)` \| (.*) \|$/gm)].map(([, code, rest]) => [
    code,
    rest.split(" | "),
  ]),
)
const missing = codes.filter((code) => !rows.has(code))
const unknown = [...rows.keys()].filter((code) => !codes.includes(code))
if (codes.length === 0 || missing.length + unknown.length > 0) {
  console.error(`SPEC.md §13 and src/errors.ts differ: ${[...missing, ...unknown].join(" ")}`)
  process.exit(1)
}

/** Requirement ids of the sentences that name a code, outside §13. */
function rulesOf(code) {
  const ids = new Set()
  const body = spec.slice(0, spec.indexOf("## 13. errors"))
  for (const paragraph of body.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.|\|) )/)) {
    if (!paragraph.includes(code)) continue
    for (const [, id] of paragraph.matchAll(/\[([A-Z]+-\d+)\]/g)) ids.add(id)
  }
  return [...ids]
}

const WHERE = {
  encoding: "Bytes that are no canonical CBOR",
  suite: "Keys and suites",
  identity: "Names, fingerprints and trust",
  bundle: "Bundles and one-time keys",
  handshake: "First contact",
  envelope: "Envelopes and their contents",
  session: "Sessions",
  hub: "The hub and the way to it",
  agent: "The agent itself",
}

const lines = [
  "---",
  "title: Troubleshooting",
  "---",
  "",
  "# Troubleshooting",
  "",
  "Every failure is an `AgentMeshError` with one `code` from this closed list. The text is generated",
  "from [SPEC.md §13](../SPEC.md#13-errors) by `npm run troubleshooting`; a code without a cause and a",
  "cure fails the build.",
  "",
  "```ts",
  "try {",
  '  await alice.send("bob", "hello")',
  "} catch (error) {",
  '  if (error.code === "identity/changed") console.log("another key answers to bob")',
  "}",
  "```",
  "",
  "On the command line `agentmesh doctor` looks for the usual causes, and an exit code of 3 means that",
  "something was refused for security: do not retry it, read the entry below.",
]
let group = ""
for (const code of codes) {
  const [word] = code.split("/")
  if (word !== group) {
    group = word
    lines.push("", `## ${WHERE[word]}`)
  }
  const [by, meaning, cause, cure] = rows.get(code)
  const rules = rulesOf(code)
  lines.push(
    ...["", `### ${code}`, "", `${meaning[0].toUpperCase()}${meaning.slice(1)}.`, ""],
    ...[`- **Reported by**: ${by}`, `- **Cause**: ${cause}`, `- **Cure**: ${cure}`],
    ...(rules.length > 0 ? [`- **Rules**: ${rules.join(", ")}`] : []),
  )
}
const text = `${lines.join("\n")}\n`
const file = path("docs/troubleshooting.md")
if (!process.argv.includes("--check")) writeFileSync(file, text)
else if (readFileSync(file, "utf8") !== text) {
  console.error("docs/troubleshooting.md is out of date: npm run troubleshooting")
  process.exit(1)
}
