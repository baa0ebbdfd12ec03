// Peers that are gone without a word: stopped processes, which neither answer nor close.

import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { type Environment, systemEnvironment } from "../src/environment.ts"
import { Agent } from "../src/node/agent.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { compiledSources } from "./support/compiled.ts"
import { bundleOf, RawLink, rawKey } from "./support/hub-link.ts"
import { Program } from "./support/process.ts"

let programs: Program[] = []

function start(script: string, ...args: readonly string[]): Program {
  const program = new Program(process.execPath, [join(compiledSources(), script), ...args])
  programs.push(program)
  return program
}

afterEach(async () => {
  for (const program of programs) await program.kill()
  programs = []
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe("half-open connections", () => {
  test("the hub frees a silent agent's; its name can return, and its mail is there (HUB-35)", async () => {
    const hub = start("src/node/hub-cli.js", "--port=0", "--metrics-port=0", "--idle-timeout=2")
    const [, url] = (await hub.line(/listening on (\S+)$/)) as unknown as [string, string]
    const [, metrics] = (await hub.line(/^metrics (\S+)$/)) as unknown as [string, string]
    const links = async (): Promise<number> => {
      const text = await (await fetch(metrics)).text()
      return Number(/^agentmesh_hub_links (\d+)$/m.exec(text)?.[1])
    }
    const remote = new NetworkHub(url)
    const key = rawKey("half-0")
    const owner = await RawLink.login(remote, key)
    await owner.ask(10, bundleOf(key, { seq: 1, now: Math.floor(Date.now() / 1000) }))
    owner.close()
    const { port } = new URL(url)
    const silent = start("test/programs/idle-clients.js", "127.0.0.1", port, "1", "half")
    await silent.line(/^open 1$/)
    silent.child.kill("SIGSTOP")

    const alice = await RawLink.login(remote, rawKey("alice"))
    expect(await links()).toBeGreaterThanOrEqual(2)
    const envelopes = [1, 2, 3].map((n) => new Uint8Array(600).fill(n))
    for (const [i, envelope] of envelopes.entries()) {
      const mid = new Uint8Array(16).fill(i)
      expect(await alice.ask(13, "half-0", mid, envelope)).toEqual([null])
    }
    // Who asks stays; who is silent goes.
    while ((await links()) > 1) {
      expect(await alice.ask(16)).toEqual([null])
      await pause(200)
    }
    const back = await RawLink.login(remote, key)
    expect(back.counts[0]).toBe(3)
    expect((await back.settled()).map((frame) => frame[4])).toEqual(envelopes)
    silent.child.kill("SIGCONT")
    await silent.line(/^ended 1 /)
  })

  test("an agent notices a hub that is gone by its own PING, and returns (HUB-9, HUB-12)", async () => {
    const hub = start("src/node/hub-cli.js", "--port=0", "--idle-timeout=0")
    const [, url] = (await hub.line(/listening on (\S+)$/)) as unknown as [string, string]
    // Real sockets in hurried time: the 60 s and 30 s of HUB-12 pass in a few seconds.
    const started = Date.now()
    const hurried: Environment = {
      ...systemEnvironment,
      now: () => started + (Date.now() - started) * 30,
      after: (ms, action, ref) => systemEnvironment.after(ms / 30, action, ref),
    }
    const alice = new Agent("alice", {
      hub: new NetworkHub(url),
      environment: hurried,
      suites: [1],
    })
    const bob = new Agent("bob", { hub: new NetworkHub(url), suites: [1] })
    const texts: unknown[] = []
    bob.onMessage((message) => void texts.push(message.text))
    await Promise.all([alice.ready, bob.ready])
    await alice.send("bob", "before")

    const lost = new Promise<string>((resolve) => {
      alice.on("disconnected", ({ error }) => resolve(error.code))
    })
    hub.child.kill("SIGSTOP")
    expect(await lost).toBe("hub/unreachable")
    const queued = await alice.send("bob", "meanwhile")
    expect(queued.state).toBe("queued")
    const returned = new Promise<void>((resolve) => alice.on("connected", () => resolve()))
    hub.child.kill("SIGCONT")
    await returned
    await queued.wait("delivered")
    expect(texts).toEqual(["before", "meanwhile"])
    await Promise.all([alice.close(), bob.close()])
  })
})
