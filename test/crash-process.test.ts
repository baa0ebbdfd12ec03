// A real process with a real store, killed in the middle of a conversation, again and again (§12).

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Agent } from "../src/agent/agent.ts"
import { FRAME } from "../src/hub/wire.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { NetworkHubServer } from "../src/node/network-hub-server.ts"
import { compiledSources } from "./support/compiled.ts"
import { Program } from "./support/process.ts"
import { reused } from "./support-agent/conversation.ts"
import { Tap, type Transmission } from "./support-agent/tap.ts"

/** AGENTMESH_CRASH=all kills more often. */
const KILLS = process.env["AGENTMESH_CRASH"] === "all" ? 40 : 4

const folder = mkdtempSync(join(tmpdir(), "agentmesh-crash-"))
const programs: Program[] = []
const server = new NetworkHubServer({ port: 0 })
let url = ""

beforeAll(async () => {
  url = (await server.start()).url
})

afterAll(async () => {
  for (const program of programs) await program.kill()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function soon(what: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !what(); i++) await pause(50)
}

describe("killed under load", { timeout: 180_000 }, () => {
  it("loses nothing that was accepted, seals nothing twice, hands over nothing twice", async () => {
    const store = join(folder, "a")
    const tap = new Tap(new NetworkHub(url), "b")
    const envelopes: Transmission[] = []
    tap.attack = {
      down(frame) {
        if (frame[0] === FRAME.deliver) {
          const [, , , from, envelope] = frame as [number, number, number, string, Uint8Array]
          envelopes.push({ from, to: "b", mid: new Uint8Array(16), envelope })
        }
        return frame
      },
    }
    const b = new Agent("b", { hub: tap, suites: [1], oneTimeKeys: 10 })
    const heard: { id: string; text: string }[] = []
    b.onMessage(({ id, text }) => void heard.push({ id, text }))
    await b.ready

    const entry = join(compiledSources(), "test", "programs", "agent.js")
    const accepted = new Set<string>()
    const told: string[] = []
    let next = 0
    const start = () => {
      const program = new Program(process.execPath, [entry, "a", store, url])
      programs.push(program)
      program.child.stdin?.on("error", () => {}) // it was killed while it was told something
      return program
    }
    /** One life: until so many contents were accepted, while more are on their way. */
    const live = async (most: number): Promise<void> => {
      const program = start()
      await program.line(/^ready|^not ready/)
      let running = true
      const load = (async () => {
        while (running) {
          program.child.stdin?.write(`b text ${next++}\n`)
          const text = `back ${told.length}`
          told.push(text)
          await b.send("a", text)
          await pause(2)
        }
      })()
      for (let i = 0; i < most; i++) await program.line(/^sent /)
      await program.kill()
      running = false
      await load
      for (const line of program.lines) {
        const [, text] = /^sent \w+ (.*)$/.exec(line) ?? []
        if (text) accepted.add(text)
      }
    }
    for (let i = 0; i < KILLS; i++) await live(1 + ((i * 7) % 12))

    const last = start()
    await last.line(/^ready/)
    last.child.stdin?.write("b the last\n")
    await last.line(/^sent \w+ the last/)
    accepted.add("the last")
    const log = () =>
      readFileSync(`${store}.log`, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => /^(\w+) (\w+) (.*)$/.exec(line) as RegExpExecArray)
    const open = () => [
      ...[...accepted].filter((text) => !heard.some((one) => one.text === text)),
      ...told.filter((text) => !log().some(([, , , seen]) => seen === text)),
    ]
    await soon(() => open().length === 0)
    expect(open()).toEqual([])
    expect(accepted.size).toBeGreaterThan(KILLS)
    expect(told.length).toBeGreaterThan(KILLS)
    // b never died: it saw each id once. a died: each kill may repeat what it was just handling.
    expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length)
    const handled = log().map(([, id]) => id)
    expect(handled.length - new Set(handled).size).toBeLessThanOrEqual(KILLS)
    expect(envelopes.length).toBeGreaterThan(KILLS)
    expect(reused(envelopes)).toEqual([])
    // The library opened the directory: nobody else gets in.
    expect(statSync(store).mode & 0o777).toBe(0o700)
    await last.kill()
    await b.close()
  })
})
