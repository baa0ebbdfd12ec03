// The black-box suite for hubs: the hub of this package passes, hubs that do nothing pass nothing,
// and hubs with one fault each fail at a case that cites the sentence they break.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { createServer, type Server } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, test } from "vitest"
import { loadRequirements } from "../conformance/cli/context.ts"
import { Again } from "../conformance/live/again.ts"
import { HUB_CASES, runHubCases, type SpawnedHub, spawnHub } from "../conformance/live/hub.ts"
import { compiledSources } from "./support/compiled.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

let hubs: SpawnedHub[] = []
let servers: Server[] = []
let folders: string[] = []

async function spawn(sources: string): Promise<SpawnedHub> {
  const script = join(sources, "src", "node", "hub-cli.js")
  const hub = await spawnHub(`exec "${process.execPath}" "${script}" --port {port} --data {data}`)
  hubs.push(hub)
  return hub
}

afterEach(async () => {
  for (const hub of hubs) await hub.stop()
  for (const server of servers) server.close()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  hubs = []
  servers = []
  folders = []
})

test("ids are unique and cases cite requirements that exist", () => {
  const known = loadRequirements()
  expect(HUB_CASES.length).toBeGreaterThanOrEqual(150)
  expect(new Set(HUB_CASES.map(({ id }) => id)).size).toBe(HUB_CASES.length)
  const unknown = HUB_CASES.flatMap(({ req }) => req).filter((id) => !known.has(id))
  expect(unknown).toEqual([])
})

test("the hub of this package passes every case", { timeout: 600_000, retry: 0 }, async () => {
  const verdicts = await runHubCases(await spawn(compiledSources()), { strict: true })
  expect(verdicts.filter(({ outcome }) => outcome !== "PASS")).toEqual([])
  expect(verdicts.length).toBe(HUB_CASES.length)
})

describe("hubs that do nothing pass nothing", () => {
  async function passed(accept: (socket: import("node:net").Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined)
      accept(socket)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const verdicts = await runHubCases({ host: "127.0.0.1", port }, { patience: 200 })
    expect(verdicts.length).toBe(HUB_CASES.length)
    return verdicts.filter(({ outcome }) => outcome === "PASS" || outcome === "WARN").length
  }

  test("one that closes every connection", async () => {
    expect(await passed((socket) => socket.destroy())).toBe(0)
  })

  test("one that is silent", async () => {
    expect(await passed((socket) => socket.resume())).toBe(0)
  })

  test("one that answers everything with an error and closes", async () => {
    const malformed = Buffer.from("0000000584150001 00".replaceAll(" ", ""), "hex")
    expect(await passed((socket) => socket.once("data", () => socket.end(malformed)))).toBe(0)
  })
})

/** A fault: what it is, the file, the text there and what takes its place; who finds it. */
interface Fault {
  readonly what: string
  readonly file: string
  readonly changes: readonly (readonly [from: string | RegExp, to: string])[]
  readonly req: string
  readonly only: readonly string[]
}

const FAULTS: readonly Fault[] = [
  {
    what: "no dedupe",
    file: "hub/mailbox.js",
    changes: [["if (sent !== null && (sent[0] === 0 || sent[0] >= now))", "if (false)"]],
    ...{ req: "HUB-48", only: ["hub-live-060"] },
  },
  {
    what: "dedupe ends with the ACK",
    file: "hub/mailbox.js",
    changes: [["const landed = [until]", "const landed = [1]"]],
    ...{ req: "HUB-48", only: ["hub-live-060"] },
  },
  {
    what: "an ACK deletes from another mailbox",
    file: "hub/mailbox.js",
    changes: [
      [
        "export function sendNeeds(from, { to, mid }) {",
        "let last\nexport function sendNeeds(from, { to, mid }) {\nlast = to",
      ],
      ["keyOf.mail(name, mseq))]", "keyOf.mail(last ?? name, mseq))]"],
    ],
    ...{ req: "HUB-51", only: ["hub-live-060"] },
  },
  {
    what: "an ACK deletes nothing",
    file: "hub/mailbox.js",
    changes: [["if (mail !== null)\n", "if (mail === 0)\n"]],
    ...{ req: "HUB-51", only: ["hub-live-060"] },
  },
  {
    what: "no quotas",
    file: "hub/mailbox.js",
    changes: [[/if \(full\)/, "if (false)"]],
    ...{ req: "HUB-49", only: ["hub-live-0612"] },
  },
  {
    what: "envelopes in the log",
    file: "hub/mailbox.js",
    changes: [
      [
        "const size = envelope.length",
        "const size = envelope.length; console.error(Buffer.from(envelope).toString('hex'))",
      ],
    ],
    ...{ req: "HUB-17", only: ["hub-live-08"] },
  },
  {
    what: "a taken name is bound again",
    file: "hub/directory.js",
    changes: [["if (bound !== null && !equalBytes(bound[0], ik))", "if (false)"]],
    ...{ req: "HUB-29", only: ["hub-live-02"] },
  },
  {
    what: "a key may have two names",
    file: "hub/directory.js",
    changes: [["if (other !== null && other[0] !== name)", "if (false)"]],
    ...{ req: "HUB-30", only: ["hub-live-02"] },
  },
  {
    what: "an older bundle replaces a newer one",
    file: "hub/directory.js",
    changes: [["seq <= stored[2]", "false"]],
    ...{ req: "HUB-37", only: ["hub-live-030"] },
  },
  {
    what: "bundles of other names",
    file: "hub/directory.js",
    changes: [["if (!own)", "if (false)"]],
    ...{ req: "HUB-36", only: ["hub-live-030"] },
  },
  {
    what: "no proof of identity",
    file: "hub/opening.js",
    changes: [
      ["const valid = isSignedBy(ik, authBody(context, name, ik), sig)", "const valid = true"],
    ],
    ...{ req: "HUB-28", only: ["hub-live-02"] },
  },
  {
    what: "a proof for any hub",
    file: "hub/opening.js",
    changes: [
      [
        "const valid = isSignedBy(ik, authBody(context, name, ik), sig)",
        "const valid = isSignedBy(ik, authBody(context, name, ik), sig) || sig[63] < 16 && sig.some((byte) => byte > 0)",
      ],
    ],
    ...{ req: "HUB-28", only: ["hub-live-02"] },
  },
  {
    what: "the same snonce always: a proof can be replayed",
    file: "hub/link.js",
    changes: [['draw("snonce", 32)', "new Uint8Array(32)"]],
    ...{ req: "HUB-28", only: ["hub-live-02"] },
  },
  {
    what: "any version",
    file: "hub/link.js",
    changes: [["if (!versions.includes(HUB_VERSION))", "if (false)"]],
    ...{ req: "HUB-26", only: ["hub-live-09"] },
  },
  {
    what: "no rate limit",
    file: "hub/link.js",
    changes: [["if (tokens === 0)", "if (false)"]],
    ...{ req: "HUB-22", only: ["hub-live-0701", "hub-live-0702"] },
  },
  {
    what: "a one-time key is served twice",
    file: "hub/pool.js",
    changes: [
      ["const rest = pool[2].slice(1)", "const rest = pool[2]"],
      ["[keyAt, null],", ""],
    ],
    ...{ req: "HUB-45", only: ["hub-live-040"] },
  },
  {
    what: "no reservation",
    file: "hub/pool.js",
    changes: [["live.find(([of]) => of === suite)", "undefined"]],
    ...{ req: "HUB-43", only: ["hub-live-040"] },
  },
  {
    what: "a seventh key",
    file: "hub/pool.js",
    changes: [["if (fresh.length >= MAX_FRESH)", "if (false)"]],
    ...{ req: "HUB-44", only: ["hub-live-0420"] },
  },
  {
    what: "receipts of another time",
    file: "hub/pool.js",
    changes: [["seq, time: now }", "seq, time: now - 1000 }"]],
    ...{ req: "HUB-46", only: ["hub-live-030"] },
  },
  {
    what: "no word to the link that is put out",
    file: "hub/answers.js",
    changes: [['before.transport.send(encodeError(0, "hub/replaced"))', ""]],
    ...{ req: "HUB-33", only: ["hub-live-02"] },
  },
  {
    what: "nothing is durable",
    file: "node/network-hub-server.js",
    changes: [["new DatabaseStore(new FileDatabase(data, WRITE_BUFFER))", "new MemoryStore()"]],
    ...{ req: "HUB-52", only: ["hub-live-1001", "hub-live-1004"] },
  },
  {
    what: "mail is stored in the reverse order",
    file: "hub/mailbox.js",
    changes: [
      ["[keyOf.mail(to, mseq), row]", "[keyOf.mail(to, 9000 - mseq), row]"],
      ['{ type: "mail", to, mseq, from', '{ type: "mail", to, mseq: 9000 - mseq, from'],
    ],
    ...{ req: "HUB-50", only: ["hub-live-050"] },
  },
]

/** A copy of the sources with a fault. */
function broken({ file, changes }: Fault): string {
  const cache = join(root, "node_modules", ".cache")
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, "agentmesh-fault-"))
  folders.push(folder)
  cpSync(join(compiledSources(), "src"), join(folder, "src"), { recursive: true })
  cpSync(join(compiledSources(), "package.json"), join(folder, "package.json"))
  const path = join(folder, "src", file)
  let text = readFileSync(path, "utf8")
  for (const [from, to] of changes) {
    const changed = text.replace(from, to)
    if (changed === text) throw new Error(`${file} has no ${from}`)
    text = changed
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return folder
}

// Which backend signs decides nothing here.
describe.skipIf(process.env["AGENTMESH_BACKEND"] === "noble")(
  "a hub with one fault fails where the suite cites what it breaks",
  () => {
    test.each(FAULTS)("$what ($req)", { timeout: 120_000 }, async (fault) => {
      const hub = await spawn(broken(fault))
      const verdicts = await runHubCases(hub, { only: fault.only, patience: 1_500 })
      const failed = verdicts.filter(({ outcome }) => outcome === "FAIL")
      expect(failed.flatMap(({ req }) => req)).toContain(fault.req)
      // The fault is small: the hub still works otherwise.
      expect(verdicts.filter(({ outcome }) => outcome === "BLOCKED")).toEqual([])
    })
  },
)

describe("a live case that fails", () => {
  const outcomes = (...list: readonly (string | null)[]) => {
    const asked: number[] = []
    const attempt = async (times: number) => {
      const next = list[asked.push(times) - 1]
      return typeof next === "string" ? new Error(next) : null
    }
    return { asked, attempt }
  }

  test("is wrong if it fails again, unstable if it passes twice, and right at once", async () => {
    const again = new Again()
    const right = outcomes(null)
    expect(await again.judge(right.attempt)).toEqual({ error: null })
    expect(right.asked).toEqual([1])
    const wrong = outcomes("first", null, "third")
    expect((await again.judge(wrong.attempt)).error?.message).toBe("third")
    expect(wrong.asked).toEqual([1, 3, 3])
    const unstable = outcomes("first", null, null)
    expect(await again.judge(unstable.attempt)).toEqual({ error: null, unstable: "first" })
  })

  test("is not repeated where many fail, or where nobody wants it", async () => {
    const again = new Again()
    for (let i = 0; i < 5; i++) await again.judge(outcomes("a", "b").attempt)
    const sixth = outcomes("a", null, null)
    expect((await again.judge(sixth.attempt)).error?.message).toBe("a")
    expect(sixth.asked).toEqual([1])
    const once = outcomes("a", null, null)
    expect((await new Again(false).judge(once.attempt)).error?.message).toBe("a")
  })
})
