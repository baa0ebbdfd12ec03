// The command agentmesh: real processes, a real hub on TCP, what a user sees and scripts rely on.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { FileDatabase } from "../src/node/database.ts"
import { Machine } from "./support/cli.ts"

const PRINT = /#([0-9a-f]{4}:){7}[0-9a-f]{4}$/
const NOBODY = `${"0000:".repeat(7)}0000`

// Dozens of real processes, on machines that share two cores with everything else in CI.
vi.setConfig({ testTimeout: 180_000 })

let machine: Machine
beforeEach(() => {
  machine = new Machine()
})
afterEach(() => machine.close())

const home = (...path: readonly string[]): string => join(machine.folder, "home", ...path)
const json = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Every file and directory below a path. */
function tree(path: string): readonly string[] {
  const below = readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const child = join(path, entry.name)
    return entry.isDirectory() ? tree(child) : [child]
  })
  return [path, ...below]
}

describe("identities", () => {
  test("init makes one, shows its address, and is the default from then on", () => {
    const made = machine.run(["init", "alice"])
    expect([made.exit, made.out.trim()]).toEqual([0, expect.stringMatching(PRINT)])
    expect(made.err).toContain("made the identity alice in")
    machine.run(["init", "bob"])
    for (const args of [["id"], ["id", "alice"], ["id", "--as", "alice"], ["init", "alice"]]) {
      expect([args, machine.run(args).out]).toEqual([args, made.out])
    }
    expect(machine.run(["id"], "", { AGENTMESH_AS: "bob" }).out).toMatch(/^bob#/)
    expect(machine.run(["id", "bob", "--default"]).exit).toBe(0)
    expect(machine.run(["id"]).out).toMatch(/^bob#/)
  })

  test("everything below the home is its owner's alone", async () => {
    await machine.startHub()
    await machine.listen("bob")
    machine.run(["send", "bob", "x", "--as", "alice"])
    const seen = tree(home())
    expect(seen.length).toBeGreaterThan(10)
    for (const path of seen) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0])
  })

  test("id shows a card that inspect finds good, and a QR code", () => {
    machine.run(["init", "alice"])
    const { out } = machine.run(["id", "--card"])
    expect(out).toMatch(/^agentmesh1:[\w-]+\n$/)
    const { exit, out: shown } = machine.run(["inspect", "-"], out)
    expect([exit, shown]).toEqual([0, expect.stringContaining("good; checked: all checks")])
    expect(machine.run(["id", "--qr"]).out).toMatch(/█▀▀▀▀▀▀▀█/)
  })

  test("the home follows XDG_DATA_HOME", () => {
    const env = { AGENTMESH_HOME: "", XDG_DATA_HOME: join(machine.folder, "xdg") }
    const { out } = machine.run(["init", "alice", "--json"], "", env)
    expect(json(out)[0]).toMatchObject({
      store: join(machine.folder, "xdg", "agentmesh", "agents", "alice", "store"),
    })
  })

  test("a wrong name is exit 2, an identity that is not there exit 1 with what to do", () => {
    expect(machine.run(["init", "Alice"]).exit).toBe(2)
    const { exit, err } = machine.run(["status", "--as", "carol"])
    expect([exit, err]).toEqual([1, expect.stringContaining("agentmesh init carol")])
  })
})

describe("three terminals", () => {
  test("hub, listen, send: it arrives, and its sender hears of it", async () => {
    await machine.startHub()
    const bob = await machine.listen("bob")
    const sent = machine.run([
      "send",
      "bob",
      "hello\nthere",
      "--as",
      "alice",
      "--wait",
      "processed",
    ])
    expect([sent.exit, sent.out]).toEqual([
      0,
      expect.stringMatching(/^processed by bob {2}[0-9a-f]{32}\n$/),
    ])
    await bob.line(/^alice \(pinned\) {2}/)
    await bob.line(/^ {2}hello$/)
    await bob.line(/^ {2}there$/)
    expect(await bob.kill("SIGINT")).toBe(0)
  })

  test("text from standard input, fields, types; JSON for programs", async () => {
    await machine.startHub()
    const bob = await machine.listen("bob", "--json")
    machine.run(["send", "bob", "--as", "alice"], "from a pipe\n")
    const fields = ["--payload", '{"n":1,"b":{"$base64":"AQI="}}', "--type", "job"]
    const sent = machine.run(["send", "bob", "-", ...fields, "--as", "alice", "--json"], "both")
    const [first] = (await bob.line(/^.*$/)) as unknown as [string]
    const [second] = (await bob.line(/^.*$/)) as unknown as [string]
    expect(JSON.parse(first)).toMatchObject({ from: "alice", type: "message", text: "from a pipe" })
    expect(JSON.parse(second)).toMatchObject({
      ...{ id: json(sent.out)[0]?.["id"], type: "job", text: "both", trust: "pinned", re: null },
      payload: { n: 1, b: { $base64: "AQI=" }, text: "both", type: "job" },
    })
  })

  test("files go as payloads and come as files, whatever they are called", async () => {
    await machine.startHub()
    const saved = join(machine.folder, "saved")
    const bob = await machine.listen("bob", "--save", saved, "--json")
    const file = join(machine.folder, "report.bin")
    writeFileSync(file, Buffer.from([0, 1, 2, 255]))
    expect(machine.run(["send", "bob", "--file", file, "--as", "alice"]).exit).toBe(0)
    const evil = { type: "file", name: "../../../.ssh/authorized_keys", data: { $base64: "AA==" } }
    machine.run(["send", "bob", "--payload", JSON.stringify(evil), "--as", "alice"])
    const paths: string[] = []
    for (let i = 0; i < 2; i++) {
      const [line] = (await bob.line(/^.*$/)) as unknown as [string]
      paths.push((JSON.parse(line) as { saved: string }).saved)
    }
    for (const path of paths) {
      expect(path.startsWith(`${saved}/`)).toBe(true)
      expect(path.slice(saved.length + 1)).toMatch(/^[0-9a-f]{8}-[\w.-]+$/)
    }
    expect(readdirSync(saved)).toHaveLength(2)
    expect(readFileSync(paths[0] as string)).toEqual(Buffer.from([0, 1, 2, 255]))
    expect(machine.run(["send", "bob", "--file", join(machine.folder, "no")]).exit).toBe(2)
  })

  test("the same identity from another terminal, while listen runs", async () => {
    await machine.startHub()
    const bob = await machine.listen("bob")
    await machine.listen("alice")
    const { exit } = machine.run(["send", "bob", "x", "--as", "alice"])
    expect(exit).toBe(0)
    await bob.line(/^alice/)
    const status = machine.run(["status", "--as", "alice", "--json"])
    const owner = { command: "listen", hub: machine.hub }
    expect(json(status.out)[0]).toMatchObject({ connected: true, owner, knownPeers: ["bob"] })
    const other = machine.run(["send", "bob", "x", "--as", "alice", "--hub", "127.0.0.1:9"])
    expect([other.exit, other.err]).toEqual([2, expect.stringContaining("is running with the hub")])
  })

  test("many commands of one identity at the same time all get their turn", async () => {
    await machine.startHub()
    const bob = await machine.listen("bob", "--json")
    const texts = ["1", "2", "3", "4", "5", "6"]
    const sent = texts.map((text) => machine.go("send", "bob", text, "--as", "alice"))
    for (const { exit, err } of await Promise.all(sent)) expect([exit, err]).toEqual([0, err])
    const seen: unknown[] = []
    for (const _ of texts) {
      const [line] = (await bob.line(/^.*$/)) as unknown as [string]
      seen.push((JSON.parse(line) as { text: string }).text)
    }
    expect(seen.sort()).toEqual(texts)
  })

  test("a process that ends with the identity hands it over", async () => {
    await machine.startHub()
    machine.run(["init", "bob"])
    const first = await machine.listen("bob")
    const second = await machine.listen("bob")
    expect(second.errors.join("\n")).toContain("through the process that has it open")
    expect(await first.kill("SIGTERM")).toBe(0)
    machine.run(["send", "bob", "still there?", "--as", "alice"])
    await second.line(/^ {2}still there\?$/)
  })

  test("a process that was killed leaves nothing in the way", async () => {
    await machine.startHub()
    const bob = await machine.listen("bob")
    await bob.kill("SIGKILL")
    expect(readdirSync(home("agents", "bob"))).toContain("control.sock")
    expect(machine.run(["status", "--as", "bob"]).exit).toBe(0)
  })

  test("an identity that something else has open: exit 1, what and where", async () => {
    machine.run(["init", "alice"])
    const database = new FileDatabase(home("agents", "alice", "store"))
    await database.open()
    try {
      const { exit, err } = machine.run(["status", "--as", "alice"])
      expect([exit, err]).toEqual([1, expect.stringContaining("agent/store-locked")])
      expect(err).toContain(home("agents", "alice", "store"))
      expect(err).toContain("--as NAME")
    } finally {
      await database.close()
    }
  })

  test("listen takes a backlog without a listener or a timer left for each message", async () => {
    await machine.startHub()
    machine.run(["init", "bob"])
    machine.run(["status", "--as", "bob"])
    await machine.listen("alice") // sending goes through its process, so it is quick
    for (let i = 0; i < 15; i++) {
      expect(machine.run(["send", "bob", `${i}`, "--as", "alice", "--wait", "stored"]).exit).toBe(0)
    }
    const bob = await machine.listen("bob", "--exec", "true", "--count", "15")
    expect(await bob.exited).toBe(0)
    expect(bob.errors.filter((line) => line.includes("MaxListeners"))).toEqual([])
  })

  test("listen --exec answers, --count ends", async () => {
    await machine.startHub()
    const script = "node -e 'process.stdin.on(`data`,d=>console.log(JSON.parse(d).text*2))'"
    const bob = await machine.listen("bob", "--exec", script, "--count", "2")
    const answer = machine.run(["request", "bob", "21", "--as", "alice", "--json"])
    expect(json(answer.out)[0]).toMatchObject({ from: "bob", text: "42" })
    const failing = ["send", "bob", "21", "--as", "alice", "--wait", "processed"]
    expect(machine.run(failing).exit).toBe(0)
    expect(await bob.exited).toBe(0)
    const broken = await machine.listen("bob", "--exec", "exit 7", "--count", "1")
    const { exit, out } = machine.run(failing)
    expect([exit, out]).toEqual([1, expect.stringContaining("failed at it")])
    await broken.error(/ended with 7/)
  })
})

describe("inbox", () => {
  test("shows without taking; ack takes, by id or its beginning", async () => {
    await machine.startHub()
    machine.run(["status", "--as", "alice"])
    expect(machine.run(["inbox", "--as", "bob"]).exit).toBe(1)
    machine.run(["init", "bob"])
    machine.run(["status", "--as", "bob"])
    for (const text of ["1", "2", "3"]) machine.run(["send", "bob", text, "--as", "alice"])
    const inbox = (...args: string[]) =>
      json(machine.run(["inbox", "--as", "bob", "--json", ...args]).out)
    const [one, two, three] = inbox() as { id: string; place: string; text: string }[]
    expect([one?.text, two?.text, three?.text]).toEqual(["1", "2", "3"])
    expect(inbox("--after", one?.place ?? "", "--limit", "1")).toEqual([two])
    expect(machine.run(["ack", (one?.id ?? "").slice(0, 8), "--as", "bob"]).out).toBe(
      "1 of 1 taken\n",
    )
    expect(inbox()).toEqual([two, three])
    expect(machine.run(["ack", one?.id ?? "", "--as", "bob"]).exit).toBe(1)
    expect(machine.run(["ack", "--as", "bob"]).exit).toBe(2)
    expect(machine.run(["ack", "--all", "--as", "bob"]).exit).toBe(0)
    expect(machine.run(["inbox", "--as", "bob"]).err).toContain("no messages wait")
  })
})

describe("a large inbox", () => {
  test("is read page by page, through the process that has it open", async () => {
    await machine.startHub()
    await machine.listen("bob", "--keep", "--json")
    const file = join(machine.folder, "large.bin")
    writeFileSync(file, Buffer.alloc(990_000, 1))
    for (let i = 0; i < 4; i++) {
      expect(machine.run(["send", "bob", "--file", file, "--as", "alice"]).exit).toBe(0)
    }
    // Text that JSON writes with six characters for each, twice.
    const text = "\u0001".repeat(950_000)
    expect(
      machine.run(["send", "bob", "-", "--as", "alice", "--wait", "delivered"], text).exit,
    ).toBe(0)
    const saved = join(machine.folder, "saved")
    for (let i = 0; i < 2; i++) {
      const { exit, out } = await machine.go("inbox", "--as", "bob", "--save", saved)
      expect([exit, out.match(/^alice \(pinned\)/gm)?.length]).toEqual([0, 5])
      expect(readdirSync(saved)).toHaveLength(4)
    }
    const acked = await machine.go("ack", "--all", "--as", "bob")
    expect([acked.exit, acked.out]).toEqual([0, "5 of 5 taken"])
  })
})

describe("trust", () => {
  test("verify marks, refuses with exit 3, and peers shows it", async () => {
    await machine.startHub()
    await machine.listen("bob")
    const address = machine.run(["id", "bob"]).out.trim()
    machine.run(["send", "bob", "x", "--as", "alice"])
    const peers = () => machine.run(["peers", "--as", "alice"]).out
    expect(peers()).toBe(`${address}  pinned\n`)
    const wrong = machine.run(["verify", `bob#${NOBODY}`, "--as", "alice"])
    expect([wrong.exit, wrong.err]).toEqual([3, expect.stringContaining("identity/fingerprint")])
    expect(machine.run(["send", `bob#${NOBODY}`, "x", "--as", "alice"]).exit).toBe(3)
    expect(peers()).toBe(`${address}  pinned\n`)
    expect(machine.run(["verify", address, "--as", "alice"]).exit).toBe(0)
    expect(peers()).toBe(`${address}  verified\n`)
    const trust = machine.run(["trust", "bob", "--as", "alice"]).out
    expect(trust).toContain(`bob ${address.slice(4)}`)
    expect(machine.run(["verify", "bob", "--as", "alice"]).exit).toBe(2)
  })

  test("another key under a name is exit 3 until it is accepted by its address", async () => {
    await machine.startHub()
    const first = await machine.listen("bob")
    machine.run(["send", "bob", "x", "--as", "alice"])
    await first.kill("SIGTERM")
    // Another hub on which another bob has the name.
    await machine.startHub("--data", join(machine.folder, "other"))
    const there = { AGENTMESH_HOME: join(machine.folder, "elsewhere") }
    const address = machine.run(["init", "bob"], "", there).out.trim()
    machine.run(["status", "--as", "bob"], "", there)
    const refused = machine.run(["verify", address, "--as", "alice"])
    expect([refused.exit, refused.err]).toEqual([3, expect.stringContaining("--replace")])
    const replaced = machine.run(["trust", address, "--replace", "--as", "alice"])
    expect([replaced.exit, replaced.out]).toEqual([0, `${address}  verified\n`])
    expect(machine.run(["send", "bob", "x", "--as", "alice"]).exit).toBe(0)
    expect(machine.run(["inbox", "--as", "bob"], "", there).out).toContain("alice (pinned)")
  })

  test("policy verified sends to nobody else", async () => {
    await machine.startHub()
    await machine.listen("bob")
    machine.run(["init", "alice"])
    expect(machine.run(["trust", "--policy", "verified", "--as", "alice"]).exit).toBe(0)
    const { exit, err } = machine.run(["send", "bob", "x", "--as", "alice"])
    expect([exit, err]).toEqual([3, expect.stringContaining("identity/untrusted")])
    const address = machine.run(["id", "bob"]).out.trim()
    expect(machine.run(["send", address, "x", "--as", "alice"]).exit).toBe(0)
  })

  test("a hub with another key is exit 3, until its key is forgotten on purpose", async () => {
    const hub = await machine.startHub("--memory")
    const port = new URL(machine.hub).port
    machine.hub = `127.0.0.1:${port}`
    expect(machine.run(["status", "--as", "alice"]).exit).toBe(1)
    machine.run(["init", "alice"])
    expect(machine.run(["status", "--as", "alice"]).exit).toBe(0)
    await hub.kill("SIGTERM")
    const again = machine.start("hub", "--memory", "--port", port)
    await again.line(/listening on/)
    const { exit, err } = machine.run(["status", "--as", "alice"])
    expect([exit, err]).toEqual([3, expect.stringContaining("trust --forget-hub")])
    expect(machine.run(["doctor", "--as", "alice"]).out).toMatch(/bad {3}login: .*hub\/auth-failed/)
    expect(machine.run(["trust", "--forget-hub", "--as", "alice"]).exit).toBe(0)
    expect(machine.run(["status", "--as", "alice"]).exit).toBe(0)
  })
})

describe("without a hub", () => {
  test("what is sent waits here, exit 1, and goes as soon as there is one", async () => {
    machine.hub = "127.0.0.1:9"
    const sent = machine.run(["send", "bob", "later", "--as", "alice"])
    expect([sent.exit, sent.out]).toEqual([1, expect.stringContaining("queued here")])
    expect(sent.err).toContain("agentmesh hub")
    expect(machine.run(["send", "bob", "2", "--as", "alice", "--wait", "queued"]).exit).toBe(0)
    await machine.startHub()
    const bob = await machine.listen("bob")
    await machine.listen("alice")
    await bob.line(/^ {2}later$/)
    await bob.line(/^ {2}2$/)
  })

  test("the hub of a name is kept by init, and --hub and AGENTMESH_HUB go before it", async () => {
    await machine.startHub()
    const { hub } = machine
    machine.run(["init", "alice", "--hub", hub])
    const used = (args: string[], env: Record<string, string>) =>
      json(machine.run(["id", "alice", "--json", ...args], "", env).out)[0]?.["hub"]
    expect(used([], { AGENTMESH_HUB: "" })).toBe(hub)
    expect(used([], { AGENTMESH_HUB: "h:1" })).toBe("h:1")
    expect(used(["--hub", "o:2"], { AGENTMESH_HUB: "h:1" })).toBe("o:2")
    expect(machine.run(["status", "--as", "alice", "--hub", "a b"]).exit).toBe(2)
  })
})

describe("text of others", () => {
  const hostile = "\u001b]0;owned\u0007\u001b[2J\u202eabc\u200b"

  test("does not steer the terminal, in lines or in JSON", async () => {
    await machine.startHub()
    const lines = await machine.listen("bob")
    const objects = await machine.listen("carol", "--json")
    const payload = JSON.stringify({ text: hostile, [hostile]: hostile, type: hostile })
    for (const to of ["bob", "carol"]) {
      expect(machine.run(["send", to, "--payload", payload, "--as", "alice"]).exit).toBe(0)
    }
    await lines.line(/^ {2}\{/)
    const [object] = (await objects.line(/^\{.*$/)) as unknown as [string]
    const shown = [...lines.lines, object].join("")
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(shown).toContain("\\u{1b}]0;owned\\u{7}")
    expect((JSON.parse(object) as { text: string }).text).toBe(hostile)
  })
})

describe("usage", () => {
  test.each([
    [[], 0],
    [["--help"], 0],
    [["send", "--help"], 0],
    [["nonsense"], 2],
    [["send"], 2],
    [["send", "bob", "x", "--nonsense"], 2],
    [["send", "bob", "x", "--wait", "never"], 2],
    [["send", "bob", "x", "--timeout", "0"], 2],
    [["send", "Bob", "x"], 2],
    [["send", "bob", "--payload", "[1]"], 2],
    [["send", "bob", "--payload", "{"], 2],
    [["send", "me", "x", "--as", "me"], 2],
    [["trust", "--replace"], 2],
    [["inbox", "--limit", "0"], 2],
    [["completion", "tcsh"], 2],
    [["hub", "--port", "x"], 2],
    [["hub", "--memory", "--data", "d"], 2],
    [["hub", "--store", "nats://127.0.0.1:1", "--data", "d"], 2],
    [["hub", "--store", "nats://127.0.0.1:1"], 1], // where nothing listens
  ] as const)("%j is exit %i", (args, exit) => {
    const ended = machine.run(args)
    expect([ended.exit, ended.err]).toEqual([exit, ended.err])
    if (exit === 2) expect(ended.err).not.toBe("")
  })

  test("a failure as JSON: code, message, advice, exit", () => {
    machine.hub = "127.0.0.1:9"
    const { exit, out, err } = machine.run(["request", "bob", "x", "--as", "alice", "--json"])
    expect([exit, err]).toEqual([1, ""])
    expect(json(out)[0]).toEqual({
      error: {
        code: "hub/unreachable",
        message: expect.any(String),
        advice: expect.stringContaining("agentmesh hub"),
        exit: 1,
      },
    })
  })

  test("demo shows what is promised, doctor what is missing", async () => {
    const demo = machine.run(["demo", "--json"])
    expect(demo.exit).toBe(0)
    expect(json(demo.out).every(({ ok }) => ok === true)).toBe(true)
    machine.hub = "127.0.0.1:9"
    const ill = machine.run(["doctor", "--as", "alice"])
    expect([ill.exit, ill.out]).toEqual([1, expect.stringContaining("agentmesh hub starts one")])
    await machine.startHub()
    machine.run(["init", "alice"])
    const well = machine.run(["doctor", "--as", "alice"])
    expect([well.exit, well.out]).toEqual([0, expect.stringContaining("logged in")])
  })
})
