// Agents and a hub as processes, killed under load: nothing that was accepted is lost, and no
// handler sees one id twice (save one that was cut off before its commit).

import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { compiledSources } from "./support/compiled.ts"
import { Program } from "./support/process.ts"

let programs: Program[] = []
let directories: string[] = []

function start(...args: readonly string[]): Program {
  const [script, ...rest] = args as [string, ...string[]]
  const program = new Program(process.execPath, [join(compiledSources(), script), ...rest])
  programs.push(program)
  return program
}

afterEach(async () => {
  for (const program of programs) await program.kill()
  for (const path of directories) rmSync(path, { recursive: true, force: true })
  programs = []
  directories = []
})

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "agentmesh-crash-"))
  directories.push(path)
  return path
}

/** A hub that can be killed and comes back on the same port. */
class KillableHub {
  readonly #data: string
  #program!: Program
  url = ""

  constructor(data: string) {
    this.#data = data
  }

  async start(): Promise<void> {
    const port = this.url === "" ? "0" : new URL(this.url).port
    for (;;) {
      this.#program = start("src/node/hub-cli.js", "--port", port, "--data", this.#data)
      try {
        const match = await this.#program.line(/listening on (\S+)$/)
        this.url = match[1] as string
        return
      } catch (error) {
        if (!String(error).includes("port is in use")) throw error
      }
    }
  }

  async kill(): Promise<void> {
    await this.#program.kill("SIGKILL")
  }
}

/** An agent that can be killed and goes on with its store. */
class KillableAgent {
  readonly name: string
  readonly #store: string
  readonly #hub: KillableHub
  program!: Program

  constructor(name: string, folder: string, hub: KillableHub) {
    this.name = name
    this.#store = join(folder, name)
    this.#hub = hub
  }

  async start(...options: readonly string[]): Promise<void> {
    const { url } = this.#hub
    this.program = start("test/programs/agent.js", this.name, this.#store, url, ...options)
    await this.program.line(/^ready$/)
  }

  send(to: string, text: string): void {
    this.program.child.stdin?.write(`${to} ${text}\n`)
  }

  /** What its handlers saw, in order, over all its lives. */
  handled(): { id: string; sender: string; text: string }[] {
    let log = ""
    try {
      log = readFileSync(`${this.#store}.log`, "utf8")
    } catch {
      // nothing yet
    }
    return log
      .split("\n")
      .slice(0, -1)
      .map((line) => {
        const [id, sender, text] = line.split(" ") as [string, string, string]
        return { id, sender, text }
      })
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited in vain for ${what}`)
}

describe("kill -9", { timeout: 180_000 }, () => {
  test("of the hub, again and again: every message is handled, once", async () => {
    const folder = directory()
    const hub = new KillableHub(join(folder, "hub"))
    await hub.start()
    const alice = new KillableAgent("alice", folder, hub)
    const bob = new KillableAgent("bob", folder, hub)
    await bob.start()
    await alice.start()
    let count = 0
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 60; i++) alice.send("bob", `m${++count}`)
      await until(() => bob.handled().length > 15 + 50 * round, "some messages")
      await hub.kill()
      for (let i = 0; i < 20; i++) alice.send("bob", `m${++count}`) // while there is no hub
      await hub.start()
    }
    await until(() => new Set(bob.handled().map(({ text }) => text)).size === count, "all messages")
    const handled = bob.handled()
    expect(handled.map(({ text }) => text).sort()).toEqual(
      Array.from({ length: count }, (_, i) => `m${i + 1}`).sort(),
    )
    expect(new Set(handled.map(({ id }) => id)).size).toBe(handled.length)
    expect(alice.program.lines.filter((line) => line.startsWith("failed"))).toEqual([])
    expect(alice.program.lines.filter((line) => line.startsWith("undelivered"))).toEqual([])
  })

  test("of the recipient: every message is handled; twice only the one that was cut off", async () => {
    const folder = directory()
    const hub = new KillableHub(join(folder, "hub"))
    await hub.start()
    const alice = new KillableAgent("alice", folder, hub)
    const bob = new KillableAgent("bob", folder, hub)
    await bob.start()
    await alice.start()
    const kills = 5
    let count = 0
    for (let round = 0; round < kills; round++) {
      const before = bob.handled().length
      for (let i = 0; i < 40; i++) alice.send("bob", `m${++count}`)
      await until(() => bob.handled().length > before + 5, "some messages")
      await bob.program.kill("SIGKILL")
      await bob.start()
    }
    await until(() => new Set(bob.handled().map(({ text }) => text)).size === count, "all messages")
    const handled = bob.handled()
    const twice = handled.length - new Set(handled.map(({ id }) => id)).size
    // A handler that was cut off before its commit sees the same ids again, no others.
    expect(twice).toBeLessThanOrEqual(kills * 64)
    const ids = new Map<string, string>()
    for (const { id, text } of handled)
      expect(ids.set(text, ids.get(text) ?? id).get(text)).toBe(id)
  })

  test("of the sender: what send had accepted arrives", async () => {
    const folder = directory()
    const hub = new KillableHub(join(folder, "hub"))
    await hub.start()
    const alice = new KillableAgent("alice", folder, hub)
    const bob = new KillableAgent("bob", folder, hub)
    await bob.start()
    await alice.start()
    const accepted = new Set<string>()
    let count = 0
    for (let round = 0; round < 4; round++) {
      const { program } = alice
      for (let i = 0; i < 40; i++) alice.send("bob", `m${++count}`)
      await until(() => program.lines.filter((line) => line.startsWith("sent")).length > 3, "sends")
      await program.kill("SIGKILL")
      for (const line of program.lines) {
        const match = /^sent \S+ (\S+)$/.exec(line)
        if (match) accepted.add(match[1] as string)
      }
      await alice.start()
    }
    const texts = (): Set<string> => new Set(bob.handled().map(({ text }) => text))
    await until(() => [...accepted].every((text) => texts().has(text)), "what was accepted")
    const handled = bob.handled()
    expect(new Set(handled.map(({ id }) => id)).size).toBe(handled.length)
    expect(accepted.size).toBeGreaterThan(12)
  })
})

test("an agent whose hub is gone waits for it, and does not end", { timeout: 60_000 }, async () => {
  const folder = directory()
  const hub = new KillableHub(join(folder, "hub"))
  await hub.start()
  const alice = new KillableAgent("alice", folder, hub)
  await alice.start("alone")
  await hub.kill()
  await alice.program.line(/^disconnected hub\/unreachable$/)
  const ended = await Promise.race([
    alice.program.exited,
    new Promise((resolve) => setTimeout(() => resolve("alive"), 2_000)),
  ])
  expect(ended).toBe("alive")
  await hub.start()
  await alice.program.line(/^connected$/)
  // And it ends when it is told to, with and without a hub.
  expect(await alice.program.kill("SIGTERM")).toBe(0)
  await alice.start("alone")
  await hub.kill()
  await alice.program.line(/^disconnected/)
  expect(await alice.program.kill("SIGTERM")).toBe(0)
})
