// Who is believed: pins, addresses, policies, changed identities (SPEC §5, §12.4 Trust).

import { describe, expect, it } from "vitest"
import type { PeerView, TrustPolicy } from "../src/agent/trust.ts"
import type { Hub } from "../src/hub/hub.ts"
import { fingerprint } from "../src/identity.ts"
import { Disk } from "./support-agent/disk.ts"
import { RawPeer } from "./support-agent/raw-peer.ts"
import { World } from "./support-agent/world.ts"

const code = (value: string) => expect.objectContaining({ code: value })
const WRONG = fingerprint(new Uint8Array(32))

async function two(trust: TrustPolicy) {
  const world = new World()
  const a = await world.ready("a", { suites: [1], trust })
  const b = await world.ready("b", { suites: [1] })
  return { world, a, b }
}

describe("whom an agent sends to", () => {
  it.each([["pinned"], ["verified"]] as const)("%s refuses an unknown name", async (send) => {
    const { world, a, b } = await two({ send })
    await expect(world.until(a.agent.send("b", "x"))).rejects.toEqual(code("identity/untrusted"))
    expect(a.tap.sent).toEqual([])
    expect(b.texts).toEqual([])
  })

  it("verified takes an address, and then the name", async () => {
    const { world, a, b } = await two({ send: "verified" })
    await world.until(a.agent.send(b.agent.address, "by address"))
    await world.until(a.agent.send("b", "by name"))
    await world.clock.advance(2)
    expect(b.texts).toEqual(["by address", "by name"])
    expect(await world.until(a.agent.peer("b"))).toMatchObject({ trust: "verified" })
  })

  it("a function sees each peer before the first content leaves, and again later", async () => {
    const seen: PeerView[] = []
    let answer = false
    const { world, a, b } = await two({
      send: (peer) => {
        seen.push(peer)
        return answer
      },
    })
    await expect(world.until(a.agent.send("b", "x"))).rejects.toEqual(code("identity/untrusted"))
    expect(seen[0]).toEqual({ name: "b", fingerprint: b.agent.fingerprint, trust: "unknown" })
    expect(a.tap.sent).toEqual([])
    answer = true
    await world.until(a.agent.send("b", "y"))
    await world.clock.advance(2)
    answer = false
    await expect(world.until(a.agent.send("b", "z"))).rejects.toEqual(code("identity/untrusted"))
    expect(b.texts).toEqual(["y"])
  })

  it("one that throws refuses", async () => {
    const { world, a } = await two({
      send: () => {
        throw new Error("undecided")
      },
    })
    await expect(world.until(a.agent.send("b", "x"))).rejects.toEqual(code("identity/untrusted"))
  })
})

describe("from whom an agent accepts", () => {
  it("first-use pins the first; a second key under the name is refused and reported once", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const m = new RawPeer(world, b, "m")
    expect(await m.found(m.text("first"))).toBe("accepted")
    const other = new RawPeer(world, b, "m")
    expect(await other.found(other.text("second"))).toBe("identity/changed")
    expect(await other.found(other.text("third"))).toBe("identity/changed")
    expect(b.of("identity-changed")).toEqual([
      {
        name: "m",
        pinned: fingerprint(m.own.ik),
        claimed: fingerprint(other.own.ik),
      },
    ])
    expect(b.texts).toEqual(["first"])
    await world.clock.advance(3601)
    expect(await other.found(other.text("fourth"))).toBe("identity/changed")
    expect(b.of("identity-changed")).toHaveLength(2)
  })

  it("a claim that nobody proved raises no event (HANDSHAKE-28)", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const m = new RawPeer(world, b, "m")
    await m.found(m.text("first"))
    const other = new RawPeer(world, b, "m")
    const envelope = other.seal(other.line(), [other.text("x")])
    envelope[envelope.length - 1] = (envelope.at(-1) as number) ^ 1
    b.tap.inject([30, 0, 77, "m", envelope])
    await world.quiet()
    expect(b.refusals).toEqual(["identity/changed"])
    expect(b.of("identity-changed")).toEqual([])
  })

  it.each([["pinned"], ["verified"]] as const)("%s refuses strangers", async (accept) => {
    const world = new World()
    const b = await world.ready("b", { suites: [1], trust: { accept } })
    const m = new RawPeer(world, b, "m")
    expect(await m.found(m.text("x"))).toBe("identity/untrusted")
    expect(b.agent.status().knownPeers).toEqual([])
  })

  it("a function is asked about proven peers only, and pins whom it accepts (AGENT-59)", async () => {
    const world = new World()
    const asked: PeerView[] = []
    const accept = (peer: PeerView) => {
      asked.push(peer)
      return peer.name === "good"
    }
    const b = await world.ready("b", { suites: [1], trust: { accept } })
    const bad = new RawPeer(world, b, "bad")
    const envelope = bad.seal(bad.line(), [bad.text("x")])
    const broken = envelope.slice()
    broken[broken.length - 1] = (broken.at(-1) as number) ^ 1
    b.tap.inject([30, 0, 78, "bad", broken])
    await world.quiet()
    expect(asked).toEqual([])
    b.tap.inject([30, 0, 79, "bad", envelope])
    await world.quiet()
    expect(asked).toEqual([{ name: "bad", fingerprint: fingerprint(bad.own.ik), trust: "unknown" }])
    expect(b.refusals).toEqual(["envelope/open", "identity/untrusted"])
    const good = new RawPeer(world, b, "good")
    expect(await good.found(good.text("hello"))).toBe("accepted")
    expect(b.agent.status().knownPeers).toEqual(["good"])
    expect(b.texts).toEqual(["hello"])
  })

  it("maxAge refuses what was signed longer ago, status 3 (AGENT-52)", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1], trust: { maxAge: 60 } })
    const m = new RawPeer(world, b, "m")
    m.listen()
    const now = world.clock.now()
    const line = m.line()
    expect(await m.send(line, m.text("at 60 s", now - 60_000))).toBe("accepted")
    expect(await m.send(line, m.text("over", now - 60_001))).toBe("identity/untrusted")
    await world.clock.advance(2)
    expect([...RawPeer.receipts(m.read()).values()].sort()).toEqual([1, 3])
    expect(b.texts).toEqual(["at 60 s"])
  })
})

describe("verify, forget, safety numbers", () => {
  it("verify takes the right fingerprint only, known or not", async () => {
    const { world, a, b } = await two({})
    const { agent } = a
    await expect(world.until(agent.verify("b"))).rejects.toEqual(code("identity/fingerprint"))
    await expect(world.until(agent.verify(`b#${WRONG}`))).rejects.toEqual(
      code("identity/fingerprint"),
    )
    expect(await world.until(agent.peer("b"))).toBeUndefined()
    expect(await world.until(agent.verify(b.agent.address))).toMatchObject({ trust: "verified" })
    await expect(world.until(agent.verify(`b#${WRONG}`))).rejects.toEqual(
      code("identity/fingerprint"),
    )
    expect(await world.until(agent.peer("b"))).toMatchObject({ trust: "verified" })
  })

  it("an address of another key than the pinned one is refused", async () => {
    const { world, a } = await two({})
    await world.until(a.agent.send("b", "x"))
    await expect(world.until(a.agent.send(`b#${WRONG}`, "y"))).rejects.toEqual(
      code("identity/fingerprint"),
    )
    await expect(world.until(a.agent.connect(`b#${WRONG}`))).rejects.toEqual(
      code("identity/fingerprint"),
    )
    for (const address of ["b#", `b#${WRONG.toUpperCase()}`, `b#${WRONG} `, "b#0000"]) {
      await expect(world.until(a.agent.send(address, "y"))).rejects.toEqual(
        code("identity/fingerprint"),
      )
    }
    for (const name of ["", "B", "a b", "x".repeat(65), "-b", "b|c"]) {
      await expect(world.until(a.agent.send(name, "y"))).rejects.toEqual(code("identity/name"))
    }
  })

  it("safety numbers are equal at both ends", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const number = await world.until(a.agent.safetyNumber("b"))
    expect(number).toBe(await world.until(b.agent.safetyNumber("a")))
    expect(number).toBe(`a ${a.agent.fingerprint}\nb ${b.agent.fingerprint}`)
    await expect(world.until(a.agent.safetyNumber("nobody"))).rejects.toEqual(
      code("identity/untrusted"),
    )
  })

  it("forget erases sessions, queue and pin, reports what is lost, and takes a new key", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const old = b.agent.fingerprint
    b.kill()
    const waiting = await world.until(a.agent.send("b", "to the old b"))
    // The name is free for a new key at another hub only; here the policy of the agent is at stake.
    const rows = await a.disk.dump("key/session/")
    expect(rows.size).toBe(1)
    await world.until(a.agent.forget("b"))
    expect(waiting.state).toBe("undelivered")
    expect(a.of("undelivered")).toEqual([{ id: waiting.id, to: "b", reason: expect.any(String) }])
    expect((await a.disk.dump("key/session/")).size).toBe(0)
    expect((await a.disk.dump("content/")).size).toBe(0)
    expect((await a.disk.dump("data/")).size).toBe(0)
    expect(a.agent.status()).toMatchObject({ knownPeers: [], activeSessions: [], pending: 0 })
    const m = new RawPeer(world, a, "b")
    expect(await m.found(m.text("the new b"))).toBe("accepted")
    expect(await world.until(a.agent.peer("b"))).toMatchObject({
      fingerprint: fingerprint(m.own.ik),
      trust: "pinned",
    })
    expect(old).not.toBe(fingerprint(m.own.ik))
  })

  it("a floor does not fall when a name is forgotten (AGENT-56)", async () => {
    const { world, a, b } = await two({})
    await world.until(a.agent.send("b", "x"))
    await world.clock.advance(2)
    const [content] = a.tap.sent
    await world.until(b.agent.forget("a"))
    b.tap.inject([30, 0, 90, "a", content?.envelope as Uint8Array])
    await world.quiet()
    expect(b.texts).toEqual(["x"])
  })

  it("replying to who was re-pinned is refused", async () => {
    const world = new World()
    const [a] = await world.pair()
    const [message] = a.messages
    await world.until(a.agent.forget("b"))
    await expect(world.until(message?.reply("hello") as Promise<unknown>)).rejects.toEqual(
      code("identity/changed"),
    )
  })
})

it("a hub with another key is refused, unless its fingerprint is given (HUB-8)", async () => {
  const disk = new Disk()
  const at = (world: World, print?: string) => {
    const open: Hub["open"] = (events) => world.hub.open(events)
    const hub = { address: "here:1", inProcess: true, fingerprint: print, open }
    return world.start("a", { disk, hub }).agent
  }
  const [first, other] = [new World(), new World()]
  const a = at(first)
  await first.until(a.ready)
  await first.until(a.close())
  const refused = at(other)
  await expect(other.until(refused.ready)).rejects.toEqual(code("hub/auth-failed"))
  await other.until(refused.close())
  const print = other.hub.address.slice("local:".length)
  const named = at(other, print)
  await other.until(named.ready)
  await other.until(named.close())
  const again = at(other)
  await other.until(again.ready)
  await other.until(again.close())
})
