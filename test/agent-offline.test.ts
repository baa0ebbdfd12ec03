// Agents without a hub: cards, seal and open over any pipe (SPEC §12.3, Without a hub).

import { describe, expect, it } from "vitest"
import { Agent } from "../src/agent/agent.ts"
import type { AgentOptions } from "../src/agent/options.ts"
import { createBundle } from "../src/bundle.ts"
import { decodeEnvelope } from "../src/envelope.ts"
import { createIdentity, fingerprint } from "../src/identity.ts"
import { MAX_CHAIN, MAX_SKIPPED, osDraw } from "../src/suite.ts"
import { TestClock } from "./support/clock.ts"
import { Disk, differences, Handle } from "./support-agent/disk.ts"

const code = (value: string) => expect.objectContaining({ code: value })

async function lone(name: string, clock: TestClock, options: AgentOptions = {}) {
  const disk = new Disk()
  const agent = new Agent(name, {
    ...{ store: new Handle(disk), environment: clock, suites: [1] },
    ...options,
  })
  await agent.ready
  return { agent, disk }
}

async function pair(options: AgentOptions = {}) {
  const clock = new TestClock()
  const a = await lone("a", clock, options)
  const b = await lone("b", clock, options)
  await a.agent.connectWithBundle(b.agent.card, b.agent.fingerprint)
  await b.agent.connectWithBundle(a.agent.publicBundle)
  return { clock, a, b }
}

describe("without a hub", () => {
  it.each([[[1]], [[2]], [[1, 2]]] as const)("suites %s: both ways", async (suites) => {
    const { a, b } = await pair({ suites })
    const texts = async (agent: Agent, envelope: Uint8Array) =>
      (await agent.open(envelope)).map(({ text, sender }) => `${sender}: ${text}`)
    for (let i = 0; i < 4; i++) {
      expect(await texts(b.agent, await a.agent.seal("b", `x${i}`))).toEqual([`a: x${i}`])
      expect(await texts(a.agent, await b.agent.seal("a", `y${i}`))).toEqual([`b: y${i}`])
    }
    expect(a.agent.status()).toMatchObject({ pending: 0, inbox: 0, connected: false })
  })

  it("nothing is kept of contents, and no handler is called", async () => {
    const { a, b } = await pair()
    let calls = 0
    b.agent.onMessage(() => void calls++)
    await b.agent.open(await a.agent.seal("b", "secret"))
    expect(calls).toBe(0)
    for (const disk of [a.disk, b.disk]) {
      expect([...(await disk.dump("data/")).keys()]).toEqual([])
      expect([...(await disk.dump("content/")).keys()]).toEqual([])
      expect([...(await disk.dump("inbox/")).keys()]).toEqual([])
    }
  })

  it("each envelope opens once, in any order; junk changes nothing", async () => {
    const { a, b } = await pair()
    const envelopes: Uint8Array[] = []
    for (let i = 0; i < 5; i++) envelopes.push(await a.agent.seal("b", `${i}`))
    const texts: string[] = []
    for (const i of [3, 0, 4, 2, 1]) {
      const [message] = await b.agent.open(envelopes[i] as Uint8Array)
      texts.push(message?.text ?? "")
    }
    expect(texts).toEqual(["3", "0", "4", "2", "1"])
    const before = await b.disk.dump()
    for (const envelope of envelopes) {
      await expect(b.agent.open(envelope)).rejects.toEqual(code("session/replay"))
    }
    await expect(b.agent.open(new Uint8Array(9))).rejects.toEqual(code("encoding/malformed"))
    expect(differences(before, await b.disk.dump())).toEqual([])
  })

  it("send and request need a hub, seal needs a card", async () => {
    const clock = new TestClock()
    const { agent } = await lone("a", clock)
    const b = await lone("b", clock)
    for (const work of [
      agent.send("b", "x"),
      agent.sendMany(["b"], "x"),
      agent.request("b", "x"),
      agent.connect("b"),
      agent.listPeers(),
      agent.seal("b", "x"),
    ]) {
      await expect(work).rejects.toEqual(code("agent/no-hub"))
    }
    await expect(agent.verify(b.agent.address)).rejects.toEqual(code("agent/no-hub"))
  })

  it("an init of an unknown name is refused, unless the policy is any", async () => {
    const clock = new TestClock()
    const [a, b, c] = [
      await lone("a", clock),
      await lone("b", clock),
      await lone("c", clock, { trust: { accept: "any" } }),
    ]
    await a.agent.connectWithBundle(b.agent.card)
    await a.agent.connectWithBundle(c.agent.card)
    await expect(b.agent.open(await a.agent.seal("b", "x"))).rejects.toEqual(
      code("identity/untrusted"),
    )
    expect(await c.agent.open(await a.agent.seal("c", "x"))).toHaveLength(1)
    expect(c.agent.status().knownPeers).toEqual(["a"])
  })

  it("two bundles with one seq: the second is refused, and both are kept (BUNDLE-23)", async () => {
    const clock = new TestClock()
    const a = await lone("a", clock)
    const b = createIdentity("b", osDraw)
    const made = () =>
      createBundle(b, { seq: 7, now: Math.floor(clock.now() / 1000), suites: [1] }, osDraw).bytes
    const [first, second] = [made(), made()]
    await a.agent.connectWithBundle(first)
    await a.agent.connectWithBundle(first)
    expect((await a.agent.evidence("b")).bundles).toEqual([])
    await expect(a.agent.connectWithBundle(second)).rejects.toEqual(code("bundle/equivocation"))
    expect((await a.agent.evidence("b")).bundles).toEqual([first, second])
    expect(await a.agent.peer("b")).toMatchObject({ name: "b", trust: "pinned" })
  })

  it("cards: another key, wrong fingerprint, damage, own card, age", async () => {
    const clock = new TestClock()
    const a = await lone("a", clock)
    const b = await lone("b", clock)
    const other = await lone("b", clock)
    const wrong = fingerprint(new Uint8Array(32))
    const connect = (card: string | Uint8Array, print?: string) =>
      a.agent.connectWithBundle(card, print)
    await expect(connect(b.agent.card, wrong)).rejects.toEqual(code("identity/fingerprint"))
    expect(await a.agent.peer("b")).toBeUndefined()
    expect(await connect(b.agent.card)).toMatchObject({ name: "b", trust: "pinned" })
    await expect(connect(other.agent.card)).rejects.toEqual(code("identity/changed"))
    expect(await connect(b.agent.card, b.agent.fingerprint)).toMatchObject({ trust: "verified" })
    await expect(connect(a.agent.card)).rejects.toEqual(code("handshake/self"))
    for (const card of [
      "",
      "agentmesh1:",
      `${b.agent.card}=`,
      ` ${b.agent.card}`,
      "agentmesh2:AA",
    ]) {
      await expect(connect(card)).rejects.toThrow(/^encoding\//)
    }
    const flipped = b.agent.publicBundle
    flipped[100] = (flipped[100] as number) ^ 1
    await expect(connect(flipped)).rejects.toThrow(/^(bundle|suite|identity|encoding)\//)
    const { card } = b.agent
    const lifetime = 2_592_000 - 3600
    const made = clock.seconds
    clock.set(made + lifetime + 300)
    await connect(card)
    clock.set(made + lifetime + 301)
    await expect(connect(card)).rejects.toEqual(code("bundle/expired"))
    await expect(a.agent.seal("b", "x")).rejects.toEqual(code("bundle/expired"))
  })

  // 3,000 envelopes: the count does not depend on the backend, the time does.
  const portable = process.env["AGENTMESH_BACKEND"] === "noble"
  it.skipIf(portable)(
    "1,000 in one chain, then a new session (SESSION-2); 2,000 skipped keys (SESSION-17)",
    async () => {
      const { a, b } = await pair()
      const first: Uint8Array[] = []
      for (let i = 0; i <= MAX_CHAIN; i++) first.push(await a.agent.seal("b", `${i}`))
      const headers = first.map((envelope) => decodeEnvelope(envelope))
      const sid = (i: number) => Buffer.from(headers[i]?.sid as Uint8Array).toString("hex")
      expect(headers[MAX_CHAIN - 1]?.n).toBe(MAX_CHAIN - 1)
      expect(sid(MAX_CHAIN - 1)).toBe(sid(0))
      expect(headers[MAX_CHAIN]?.n).toBe(0)
      expect(sid(MAX_CHAIN)).not.toBe(sid(0))
      // A gap of 999, on both sides of the limit of what is kept.
      expect(await b.agent.open(first[MAX_CHAIN - 1] as Uint8Array)).toHaveLength(1)
      expect(await b.agent.open(first[0] as Uint8Array)).toHaveLength(1)
      expect(await b.agent.open(first[MAX_CHAIN - 2] as Uint8Array)).toHaveLength(1)
      const chains: Uint8Array[][] = []
      for (let chain = 0; chain < 2; chain++) {
        await a.agent.open(await b.agent.seal("a", "your turn"))
        const sealed: Uint8Array[] = []
        for (let i = 0; i < MAX_CHAIN; i++) sealed.push(await a.agent.seal("b", `${chain} ${i}`))
        expect(await b.agent.open(sealed[MAX_CHAIN - 1] as Uint8Array)).toHaveLength(1)
        chains.push(sealed)
      }
      // 997 + 999 + 999 keys were skipped; the oldest 995 are gone, and 996 is the first that is left.
      const gone = 997 + 999 + 999 - MAX_SKIPPED
      await expect(b.agent.open(first[gone] as Uint8Array)).rejects.toEqual(code("session/replay"))
      expect(await b.agent.open(first[gone + 1] as Uint8Array)).toHaveLength(1)
      expect(await b.agent.open(chains[0]?.[0] as Uint8Array)).toHaveLength(1)
    },
  )
})
