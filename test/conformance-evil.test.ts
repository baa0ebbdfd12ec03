// The hostile hub against agents: the reference passes, an agent that does nothing passes nothing,
// and agents with one fault each fail at a case that cites the sentence they break.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { afterEach, describe, expect, test } from "vitest"
import { loadRequirements } from "../conformance/cli/context.ts"
import type { Driver, Hello } from "../conformance/driver.ts"
import { EVIL_CASES, runEvilHub } from "../conformance/live/evil.ts"
import { INTEROP_CASES, runInterop } from "../conformance/live/interop.ts"
import { createReference } from "../conformance/peers/reference.ts"
import { StdioDriver } from "../conformance/stdio.ts"
import { compiledSources } from "./support/compiled.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
let drivers: Driver[] = []
let folders: string[] = []

afterEach(async () => {
  for (const driver of drivers) await driver.close?.()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  drivers = []
  folders = []
})

function reference(): Driver {
  const driver = createReference()
  drivers.push(driver)
  return driver
}

async function greet(driver: Driver): Promise<Hello> {
  return (await driver.call("hello", { driver: 1, spec: ["AgentMesh/1"] })).ok as Hello
}

test("ids are unique and cases cite requirements that exist", () => {
  const known = loadRequirements()
  const all = [...EVIL_CASES, ...INTEROP_CASES]
  expect(EVIL_CASES.length).toBeGreaterThanOrEqual(30)
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  expect(all.flatMap(({ req }) => req).filter((id) => !known.has(id))).toEqual([])
})

test("the reference passes every case", { timeout: 600_000 }, async () => {
  const driver = reference()
  const verdicts = await runEvilHub(driver, await greet(driver), { patience: 15_000 })
  const failed = verdicts.filter(({ outcome }) => outcome !== "PASS")
  expect(failed.map(({ id, message }) => `${id} ${message}`)).toEqual([])
  expect(verdicts.length).toBe(EVIL_CASES.length)
})

test("two references talk through a hub, in every script and suite", {
  timeout: 120_000,
}, async () => {
  const verdicts = await runInterop(reference(), reference())
  const failed = verdicts.filter(({ outcome }) => outcome !== "PASS")
  expect(failed.map(({ id, message }) => `${id} ${message}`)).toEqual([])
  expect(verdicts.length).toBe(INTEROP_CASES.length)
})

describe("agents that do nothing pass nothing", () => {
  const HELLO: Hello = {
    ...{ driver: 1, spec: "AgentMesh/1", impl: { name: "null" }, roles: ["agent"], tier: 3 },
    ...{ suites: [1, 2], caps: [] },
  }
  const EMPTY = {
    ...{ messages: [], receipts: [], undelivered: [], refused: [], problems: [], changed: [] },
    ...{ lost: [], connected: true, handle: "h", fingerprint: "0000", id: "00" },
  }
  test.each([
    ["says yes to everything and does nothing", { ok: EMPTY }],
    ["has no results", { ok: {} }],
    ["refuses everything", { reject: { code: "hub/auth-failed" } }],
    ["supports nothing", { unsupported: { reason: "no" } }],
    ["is broken", { fault: { message: "broken" } }],
  ] as const)("one that %s", async (_what, reply) => {
    const driver: Driver = { call: () => reply as never }
    const verdicts = await runEvilHub(driver, HELLO, { patience: 200 })
    expect(verdicts.length).toBe(EVIL_CASES.length)
    expect(verdicts.filter(({ outcome }) => outcome === "PASS")).toEqual([])
  })

  test("a driver of a lower tier is not asked", async () => {
    const verdicts = await runEvilHub(reference(), { ...HELLO, tier: 2 })
    expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(["UNSUPPORTED"]))
  })
})

/** A fault: what it is, the file, the text there and what takes its place; who finds it. */
interface Fault {
  readonly what: string
  readonly file: string
  readonly from: string | RegExp
  readonly to: string
  readonly req: string
  readonly only: readonly string[]
}

const FAULTS: readonly Fault[] = [
  {
    what: "takes any hub key",
    ...{ file: "hub/opening.js", from: "pinned === null || equalBytes(pinned, hubIk)", to: "true" },
    ...{ req: "HUB-53", only: ["agent-evil-001"] },
  },
  {
    what: "does not verify a welcome",
    ...{
      file: "hub/opening.js",
      from: 'require(isSignedBy(hubIk, body, sig), "hub/auth-failed"',
      to: 'require(true, "hub/auth-failed"',
    },
    ...{ req: "HUB-53", only: ["agent-evil-003"] },
  },
  {
    what: "does not look at receipts",
    ...{ file: "hub/receipts.js", from: "require(fits,", to: "require(true," },
    ...{ req: "HUB-59", only: ["agent-evil-117"] },
  },
  {
    what: "comes back after hub/replaced",
    ...{
      file: "hub/client.js",
      from: 'const FINAL = [\n    "hub/replaced",',
      to: "const FINAL = [",
    },
    ...{ req: "HUB-10", only: ["agent-evil-025"] },
  },
  {
    what: "does not verify the signature of a bundle",
    ...{
      file: "bundle.js",
      from: 'require(verify(ik, body, sig), "bundle/signature"',
      to: 'require(true, "bundle/signature"',
    },
    ...{ req: "BUNDLE-15", only: ["agent-evil-102", "agent-evil-103"] },
  },
  {
    what: "takes older bundles",
    ...{ file: "bundle.js", from: "bundle.seq >= known.seq", to: "true" },
    ...{ req: "BUNDLE-22", only: ["agent-evil-122"] },
  },
  {
    what: "takes another identity key for a pinned name",
    ...{ file: "bundle.js", from: "equalBytes(bundle.ik, context.pinned)", to: "true" },
    ...{ req: "BUNDLE-21", only: ["agent-evil-121"] },
  },
  {
    what: "takes one-time keys of anybody",
    ...{ file: "bundle.js", from: "equalBytes(key.ik, bundle.ik)", to: "true" },
    ...{ req: "BUNDLE-28", only: ["agent-evil-110"] },
  },
  {
    what: "keeps no receipt of a refused bundle",
    ...{ file: "agent/fetcher.js", from: "if (receipt !== null)", to: "if (receipt === 0)" },
    ...{ req: "HUB-60", only: ["agent-evil-121"] },
  },
  {
    what: "gives up what the hub does not answer",
    ...{ file: "agent/network.js", from: 'if (code === "hub/too-large")', to: "if (true)" },
    ...{ req: "AGENT-16", only: ["agent-evil-303"] },
  },
]

function transpile(path: string): string {
  return ts.transpileModule(readFileSync(path, "utf8"), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText
}

/** A copy of the reference driver with a fault in its sources. */
function broken({ file, from, to }: Fault): string {
  const cache = join(root, "node_modules", ".cache")
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, "agentmesh-fault-"))
  folders.push(folder)
  for (const part of ["src", "package.json"]) {
    cpSync(join(compiledSources(), part), join(folder, part), { recursive: true })
  }
  const inFolder = (name: string): readonly string[] =>
    readdirSync(join(root, "conformance", name)).map((one) => `${name}/${one}`)
  const sources = [...inFolder("peers"), ...inFolder("peers/reference"), "driver.ts", "values.ts"]
  for (const name of [...sources, "vectorgen/draws.ts"].filter((one) => one.endsWith(".ts"))) {
    const target = join(folder, "conformance", name.replace(/ts$/, "js"))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, transpile(join(root, "conformance", name)))
  }
  const path = join(folder, "src", file)
  const text = readFileSync(path, "utf8")
  const changed = text.replace(from, to)
  if (changed === text) throw new Error(`${file} has no ${from}`)
  writeFileSync(path, changed)
  return join(folder, "conformance", "peers", "reference", "stdio.js")
}

// Which backend signs decides nothing here.
describe.skipIf(process.env["AGENTMESH_BACKEND"] === "noble")("an agent with one fault", () => {
  test.each(FAULTS)("that $what fails ($req)", { timeout: 120_000 }, async (fault) => {
    const command = `exec "${process.execPath}" "${broken(fault)}"`
    const driver = new StdioDriver({ command, timeout: 20_000 })
    drivers.push(driver)
    const verdicts = await runEvilHub(driver, await greet(driver), {
      only: fault.only,
      patience: 4_000,
    })
    const failed = verdicts.filter(({ outcome }) => outcome === "FAIL")
    expect(failed.flatMap(({ req }) => req)).toContain(fault.req)
    expect(verdicts.filter(({ outcome }) => outcome === "BLOCKED")).toEqual([])
  })
})
