// Ten thousand agents that say nothing: what they cost the hub, and that it still serves.

import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { NetworkHub } from "../src/node/network-hub.ts"
import { compiledSources } from "./support/compiled.ts"
import { bundleOf, type RawKey, RawLink, rawKey } from "./support/hub-link.ts"
import { Program } from "./support/process.ts"

/** File descriptors beyond the connections: libraries, streams, a margin. */
const SPARE = 500
const PROCESSES = 2
const WARM = 500

const most = spawnSync("bash", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim()
const descriptors = most === "unlimited" ? 1_000_000 : Number(most)
// Fewer where the system allows no more; the title says how many.
const CONNECTIONS = Math.min(10_000, Math.floor((descriptors - SPARE) / 500) * 500)

let programs: Program[] = []

/** A program that may have as many files open as the system allows. */
function start(script: string, ...args: readonly string[]): Program {
  const path = join(compiledSources(), script)
  const raise = `ulimit -S -n "$(ulimit -Hn)"; exec "$0" "$@"`
  const program = new Program("bash", ["-c", raise, process.execPath, path, ...args])
  programs.push(program)
  return program
}

afterEach(async () => {
  for (const program of programs) await program.kill()
  programs = []
})

/** Resident memory of a process in bytes. */
function resident({ child }: Program): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024
}

async function enrol(hub: NetworkHub, key: RawKey): Promise<RawLink> {
  const link = await RawLink.login(hub, key)
  await link.ask(10, bundleOf(key, { seq: 1, now: Math.floor(Date.now() / 1000) }))
  return link
}

describe.runIf(process.platform === "linux")("idle connections", () => {
  test(`${CONNECTIONS} are held at no more than 20 KiB each, answered, served, and ended`, async () => {
    const hub = start("src/node/hub-cli.js", "--port", "0", "--idle-timeout", "600")
    const [, url] = (await hub.line(/listening on (\S+)$/)) as unknown as [string, string]
    const { port } = new URL(url)
    const clients = async (count: number, prefix: string): Promise<Program> => {
      const program = start("test/programs/idle-clients.js", "127.0.0.1", port, `${count}`, prefix)
      await program.line(new RegExp(`^open ${count}$`))
      return program
    }
    // What the first ones cost is the code they run for the first time.
    const crowd = [await clients(WARM, "warm")]
    const before = resident(hub)
    const each = (CONNECTIONS - WARM) / PROCESSES
    const rest = Array.from({ length: PROCESSES }, (_, i) => clients(each, `idle-${i}`))
    crowd.push(...(await Promise.all(rest)))
    const perConnection = (resident(hub) - before) / (CONNECTIONS - WARM)
    expect(perConnection).toBeLessThan(20 * 1_024)

    for (const program of crowd) program.child.stdin?.write("ping\n")
    for (const program of crowd) await program.line(/^answered /)
    const remote = new NetworkHub(url)
    const bob = await enrol(remote, rawKey("bob"))
    const alice = await enrol(remote, rawKey("alice"))
    const envelope = new Uint8Array(600).fill(1)
    expect(await alice.ask(13, "bob", new Uint8Array(16), envelope)).toEqual([null])
    const [deliver] = await bob.settled()
    expect(deliver).toEqual([30, 0, 1, "alice", envelope])

    expect(await hub.kill("SIGTERM")).toBe(0)
    const ends = await Promise.all(crowd.map((program) => program.line(/^ended (\d+) (\d+)$/)))
    expect(ends.map(([, ended, faults]) => [Number(ended), Number(faults)])).toEqual([
      [WARM, 0],
      [each, 0],
      [each, 0],
    ])
  }, 240_000)
})
