// Writes vectors/: `npm run vectors`. The same sources give the same bytes.

import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { SECTIONS, type Section, type VectorFile, vectorsFolder } from "../driver.ts"
import { createAgentBook } from "./agent.ts"
import { createBundleBook } from "./bundle.ts"
import { createEncodingBook } from "./encoding.ts"
import { createEnvelopeBook } from "./envelope.ts"
import { createHandshakeBook } from "./handshake.ts"
import { createHubBook } from "./hub.ts"
import { createIdentityBook } from "./identity.ts"
import { createKeyscheduleBook } from "./keyschedule.ts"
import type { Book } from "./kit.ts"
import { createSessionBook } from "./session.ts"
import { createSuiteBook } from "./suite.ts"

const BOOKS: Partial<Record<Section, () => Book>> = {
  encoding: createEncodingBook,
  suite: createSuiteBook,
  identity: createIdentityBook,
  bundle: createBundleBook,
  keyschedule: createKeyscheduleBook,
  handshake: createHandshakeBook,
  envelope: createEnvelopeBook,
  session: createSessionBook,
  hub: createHubBook,
  agent: createAgentBook,
}

/** One case a line, one step a line. */
function format(file: VectorFile): string {
  const { cases, tombstones, ...rest } = file
  const lines = cases.map(({ steps, ...item }) => {
    if (steps === undefined) return JSON.stringify(item)
    const inner = steps.map((step) => `  ${JSON.stringify(step)}`).join(",\n")
    return `${JSON.stringify(item).slice(0, -1)},"steps":[\n${inner}]}`
  })
  const start = JSON.stringify(rest).slice(0, -1)
  return `${start},"cases":[\n${lines.join(",\n")}\n],"tombstones":${JSON.stringify(tombstones)}}\n`
}

function updateReadme(folder: string, rows: readonly string[]): void {
  const path = join(folder, "README.md")
  const [begin, end] = ["<!-- table:begin -->", "<!-- table:end -->"]
  const text = readFileSync(path, "utf8")
  const [before, after] = [text.split(begin)[0], text.split(end)[1]]
  if (before === undefined || after === undefined) throw new Error("README.md lacks the table")
  const head = "| file | ok | reject | bytes | SHA-256 |\n|---|---|---|---|---|"
  writeFileSync(path, `${before}${begin}\n${head}\n${rows.join("\n")}\n${end}${after}`)
}

const folder = vectorsFolder()
const only = process.argv.slice(2)
const rows: string[] = []
const sums = { ok: 0, reject: 0, bytes: 0 }
for (const section of SECTIONS) {
  const create = BOOKS[section]
  if (create === undefined || (only.length > 0 && !only.includes(section))) continue
  const file = await create().finish()
  const text = format(file)
  writeFileSync(join(folder, `${section}.json`), text)
  const { ok, reject } = file.counts
  const hash = createHash("sha256").update(text).digest("hex")
  rows.push(`| ${section}.json | ${ok} | ${reject} | ${Buffer.byteLength(text)} | ${hash} |`)
  sums.ok += ok
  sums.reject += reject
  sums.bytes += Buffer.byteLength(text)
  console.log(`${section}: ${ok} ok, ${reject} rejected, ${Buffer.byteLength(text)} bytes`)
}
const share = Math.round((1000 * sums.reject) / (sums.ok + sums.reject)) / 10
console.log(`all: ${sums.ok + sums.reject} cases, ${share} % rejected, ${sums.bytes} bytes`)
if (only.length === 0) {
  rows.push(
    `| all, ${sums.ok + sums.reject} cases | ${sums.ok} | ${sums.reject} | ${sums.bytes} | |`,
  )
  updateReadme(folder, rows)
}
