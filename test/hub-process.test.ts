// The command agentmesh-hub as a process of its own: start, stop, kill -9, full disk, restart.

import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decode } from "cbor2"
import { afterEach, describe, expect, test } from "vitest"
import { Agent } from "../src/node/agent.ts"
import { FileDatabase } from "../src/node/database.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { compiledSources } from "./support/compiled.ts"
import {
  asError,
  bundleOf,
  type Frame,
  oneTimeOf,
  type RawKey,
  RawLink,
  rawKey,
} from "./support/hub-link.ts"
import { Program } from "./support/process.ts"

const ALICE = rawKey("alice")
const BOB = rawKey("bob")
const now = (): number => Math.floor(Date.now() / 1000)

let programs: Program[] = []
let directories: string[] = []

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "agentmesh-hub-"))
  directories.push(path)
  return path
}

const cli = (): string => join(compiledSources(), "src", "node", "hub-cli.js")

function run(...args: readonly string[]): Program {
  const program = new Program(process.execPath, [cli(), "--port", "0", ...args])
  programs.push(program)
  return program
}

/** Starts a hub and waits until it listens. */
async function start(
  ...args: readonly string[]
): Promise<{ program: Program; hub: NetworkHub; url: string }> {
  const program = run(...args)
  const [, url] = (await program.line(/listening on (\S+)$/)) as unknown as [string, string]
  return { program, url, hub: new NetworkHub(url) }
}

async function enrol(hub: NetworkHub, key: RawKey, seq: number = 1): Promise<RawLink> {
  const link = await RawLink.login(hub, key)
  await link.ask(10, bundleOf(key, { seq, now: now() }))
  return link
}

const mid = (number: number): Uint8Array => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

afterEach(async () => {
  for (const program of programs) await program.kill()
  for (const path of directories) rmSync(path, { recursive: true, force: true })
  programs = []
  directories = []
})

describe("the command", () => {
  test("says where it listens and that memory keeps nothing; SIGTERM ends it with 0", async () => {
    const { program, url, hub } = await start()
    expect(url).toMatch(/^agentmesh:\/\/127\.0\.0\.1:\d+#([0-9a-f]{4}:){7}[0-9a-f]{4}$/)
    await program.line(/^storage in memory/)
    const link = await RawLink.login(hub, ALICE)
    expect(await program.kill("SIGTERM")).toBe(0)
    expect(await link.nextBytes()).toBeNull()
  })

  test("--json writes one object a line; no content, no keys", async () => {
    const program = run("--json")
    const [line] = await program.line(/^.*"listening".*$/)
    const { url, durable, data } = JSON.parse(line)
    expect([durable, data]).toEqual([false, "memory"])
    const alice = await enrol(new NetworkHub(url), ALICE)
    const canary = new TextEncoder().encode("canary-canary-canary")
    await alice.ask(13, "alice", mid(1), canary)
    await program.kill("SIGTERM")
    for (const text of program.lines) expect(() => JSON.parse(text)).not.toThrow()
    const output = program.lines.concat(program.errors).join("\n")
    expect(output).not.toContain("canary")
    expect(output).not.toContain(Buffer.from(canary).toString("hex"))
  })

  test("metrics on request", async () => {
    const program = run("--metrics-port", "0")
    const [, url] = (await program.line(/listening on (\S+)$/)) as unknown as [string, string]
    const [, metrics] = (await program.line(/^metrics (\S+)$/)) as unknown as [string, string]
    const alice = await enrol(new NetworkHub(url), ALICE)
    await alice.ask(13, "alice", mid(1), new Uint8Array(9))
    await alice.ask(13, "nobody", mid(1), new Uint8Array(9))
    const text = await new Promise<string>((resolve) => {
      get(metrics, (response) => {
        let body = ""
        response.setEncoding("utf8").on("data", (chunk) => {
          body += chunk
        })
        response.on("end", () => resolve(body))
      })
    })
    expect(text).toContain(
      "# TYPE agentmesh_hub_routed_total counter\nagentmesh_hub_routed_total 1\n",
    )
    expect(text).toContain("agentmesh_hub_ready 1\n")
    expect(text).toContain('agentmesh_hub_refused_total{code="hub/no-such-agent"} 1\n')
    expect(text).toContain("agentmesh_hub_links_limit 20000\n")
    expect(text).not.toContain("alice")
  })

  test("wrong options are exit 2, a port in use and a locked directory exit 1", async () => {
    const exit = (...args: string[]) =>
      spawnSync(process.execPath, [cli(), ...args], { encoding: "utf8" })
    for (const args of [
      ["--port", "65536"],
      ["--port", "x"],
      ["--ttl", "0"],
      ["--nonsense"],
      ["--tls-cert", "only.pem"],
      ["--envelope", "1114113"],
    ]) {
      expect([args, exit(...args).status]).toEqual([args, 2])
    }
    expect(exit("--help").status).toBe(0)
    const data = directory()
    const { url } = await start("--data", data)
    const taken = exit("--port", String(new URL(url).port))
    expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining("port is in use")])
    const locked = exit("--port", "0", "--data", data)
    expect([locked.status, locked.stderr]).toEqual([
      1,
      expect.stringContaining("in use by another"),
    ])
  })

  test("the data directory and its files are the owner's alone", async () => {
    const data = join(directory(), "hub")
    await start("--data", data)
    expect(statSync(data).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(data)) {
      expect([file, statSync(join(data, file)).mode & 0o077]).toEqual([file, 0])
    }
  })

  test("so are those of a library's database, whatever the umask of its process", async () => {
    const path = join(directory(), "library")
    const modes = (): readonly number[] =>
      readdirSync(path).map((file) => statSync(join(path, file)).mode & 0o777)
    const before = process.umask()
    expect(before & 0o077).not.toBe(0o077) // else this test shows nothing
    const database = new FileDatabase(path)
    await database.open()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(new Set(modes())).toEqual(new Set([0o600]))
    await database.batch([{ type: "put", key: "a", value: new Uint8Array(9) }], {
      sync: true,
    } as never)
    await database.close()
    expect(new Set(modes())).toEqual(new Set([0o600]))
    expect(process.umask()).toBe(before)
  })

  test("limits are options", async () => {
    const { hub } = await start("--unacked", "2", "--envelope", "500", "--per-sender", "3")
    const link = await RawLink.open(hub)
    const welcome = await link.greet()
    expect(welcome[5]).toEqual([1000, 67_108_864, 3, 8_388_608, 604_800, 500, 1000, 2])
  })
})

describe("restart", () => {
  test("without --data the hub is another one: refused, with what to do next (HUB-53)", async () => {
    const first = await start()
    const { port } = new URL(first.url)
    await first.program.kill("SIGTERM")
    const second = run("--port", port)
    await second.line(/listening/)
    const alice = new Agent("alice", { hub: first.hub })
    const refused = expect.objectContaining({
      code: "hub/auth-failed",
      message: expect.stringMatching(/--data.*address that it prints now.*--forget-hub/),
    })
    await expect(alice.ready).rejects.toEqual(refused)
    await alice.close()
  })

  test("names, seqs, one-time keys and mail are there again, under the same key", async () => {
    const data = directory()
    const first = await start("--data", data)
    const bob = await enrol(first.hub, BOB, 7)
    const far = now() + 1_000_000
    await bob.ask(
      11,
      0,
      [1, 2, 3].map((n) => oneTimeOf(BOB, n, far)),
    )
    const alice = await enrol(first.hub, ALICE)
    const [found] = (await alice.ask(12, "bob", [1])) as [Frame]
    bob.close()
    for (let i = 1; i <= 3; i++) await alice.ask(13, "bob", mid(i), new Uint8Array(100).fill(i))
    expect(await first.program.kill("SIGTERM")).toBe(0)

    const second = await start("--data", data)
    expect(second.hub.fingerprint).toBe(first.hub.fingerprint)
    const thief = await RawLink.open(second.hub)
    await thief.greet()
    thief.auth(rawKey("alice", "thief"))
    expect((await thief.end()).map((frame) => frame[2])).toEqual([5])
    const back = await RawLink.login(second.hub, BOB)
    expect(back.counts).toEqual([3, [[1, 2]], 7])
    const frames = await back.settled()
    expect(frames.map((frame) => frame[2])).toEqual([1, 2, 3])
    expect(asError(await back.ask(10, bundleOf(BOB, { seq: 6, now: now() })))).toMatchObject({
      code: 8,
    })
    expect(asError(await back.ask(11, 0, [oneTimeOf(BOB, 1, far)]))).toMatchObject({ code: 7 })
    const alice2 = await RawLink.login(second.hub, ALICE)
    expect(((await alice2.ask(12, "bob", [1])) as [Frame])[0][1]).toEqual(found[1]) // reserved
    expect(await alice2.ask(13, "bob", mid(3), new Uint8Array(100))).toEqual([null])
    expect(await back.settled()).toEqual([])
  })
})

describe("kill -9 under load", () => {
  test("no accepted message is lost, none is stored twice, mseqs rise", async () => {
    const data = directory()
    let running = await start(
      "--data",
      data,
      "--per-sender",
      "100000",
      "--mailbox-messages",
      "100000",
    )
    ;(await enrol(running.hub, BOB)).close()
    const accepted = new Set<number>()
    const received = new Map<number, number>()
    let next = 1
    let lastMseq = 0
    for (let round = 0; round < 6; round++) {
      const { hub, program } = running
      const alice = round === 0 ? await enrol(hub, ALICE) : await RawLink.login(hub, ALICE)
      // What was sent without an answer is sent again, with the same mid.
      for (let i = 1; i < next; i++) {
        if (!accepted.has(i)) alice.send([13, i, "bob", mid(i), mid(i)])
      }
      const until = next + 400
      for (; next < until; next++) alice.send([13, next, "bob", mid(next), mid(next)])
      const enough = 60 + 50 * round
      let answers = 0
      const killed = (async () => {
        for (;;) {
          const bytes = await alice.nextBytes()
          if (bytes === null) return
          const frame = decode(bytes) as Frame
          if (frame[0] === 20) accepted.add(frame[1] as number)
          if (++answers === enough) program.child.kill("SIGKILL")
        }
      })()
      await killed
      expect(await program.exited).toBe("SIGKILL")
      running = await start(
        "--data",
        data,
        "--per-sender",
        "100000",
        "--mailbox-messages",
        "100000",
      )
      // Bob takes what is there and acknowledges half of it.
      const bob = await RawLink.login(running.hub, BOB)
      for (;;) {
        const frames = await bob.settled()
        if (frames.length === 0) break
        for (const frame of frames) {
          const number = Buffer.from(frame[4] as Uint8Array).readUInt32BE()
          const mseq = frame[2] as number
          expect(mseq).toBeGreaterThan(lastMseq)
          lastMseq = mseq
          received.set(number, (received.get(number) ?? 0) + 1)
        }
        await bob.ask(
          14,
          frames.map((frame) => frame[2]),
        )
      }
      bob.close()
    }
    expect(accepted.size).toBeGreaterThan(200)
    for (const number of accepted) expect([number, received.get(number)]).toEqual([number, 1])
    for (const [number, times] of received) expect([number, times]).toEqual([number, 1])
  })
})

describe("a full disk", () => {
  test("SEND is refused with an error, nothing accepted is lost, service returns", async () => {
    const data = directory()
    // No file of this process may grow beyond 500 KiB: LevelDB's log hits that like a full disk,
    // in the middle of a block, where half a record would take later ones with it.
    const script = `ulimit -S -f 500; trap '' XFSZ; exec "$0" "$@"`
    const limits = ["--per-sender", "10000", "--mailbox-messages", "10000"]
    const program = new Program("bash", [
      "-c",
      script,
      process.execPath,
      cli(),
      "--port",
      "0",
      "--data",
      data,
      ...limits,
    ])
    programs.push(program)
    const [, url] = (await program.line(/listening on (\S+)$/)) as unknown as [string, string]
    const hub = new NetworkHub(url)
    ;(await enrol(hub, BOB)).close()
    const alice = await enrol(hub, ALICE)
    const accepted: number[] = []
    const refused: unknown[] = []
    for (let i = 1; i <= 200 && refused.length < 3; i++) {
      const answer = await alice.ask(13, "bob", mid(i), new Uint8Array(20_000).fill(i))
      if (answer[0] === null) accepted.push(i)
      else refused.push(asError(answer))
    }
    expect(accepted.length).toBeGreaterThan(5)
    expect(refused.length).toBeGreaterThan(0)
    for (const error of refused) expect(error).toEqual({ code: 14, retryAfter: 1 })
    expect(await alice.ask(16)).toEqual([null]) // it lives
    // There is room again: service returns by itself, and what it accepts then is safe too.
    const pid = String(program.child.pid)
    expect(spawnSync("prlimit", ["--pid", pid, "--fsize=unlimited"]).status).toBe(0)
    for (let i = 201; i <= 220; i++) {
      expect(await alice.ask(13, "bob", mid(i), new Uint8Array(1000).fill(i))).toEqual([null])
      accepted.push(i)
    }
    await program.kill("SIGKILL")
    const again = await start("--data", data, ...limits)
    const bob = await RawLink.login(again.hub, BOB)
    const stored: number[] = []
    for (;;) {
      const frames = await bob.settled()
      if (frames.length === 0) break
      stored.push(...frames.map((frame) => Buffer.from(frame[4] as Uint8Array)[0] as number))
      await bob.ask(
        14,
        frames.map((frame) => frame[2]),
      )
    }
    for (const number of accepted) expect(stored).toContain(number)
    const after = await RawLink.login(again.hub, ALICE)
    expect(await after.ask(13, "bob", mid(900), new Uint8Array(9))).toEqual([null])
  })
})
