// Attackers who hold keys: of a session, of a recipient, of an older self (§15.1, T2 to T6, T12).

import { describe, expect, it } from "vitest"
import type { BundleRow } from "../src/agent/rows.ts"
import { acceptBundle } from "../src/bundle.ts"
import { toHex } from "../src/bytes.ts"
import type { Value } from "../src/encoding.ts"
import { decodeEnvelope } from "../src/envelope.ts"
import { initiate, respond } from "../src/handshake.ts"
import { createIdentity, type OwnIdentity } from "../src/identity.ts"
import { blockHash } from "../src/keyschedule.ts"
import { createInitiator, type Session, seal } from "../src/session.ts"
import { osDraw, type Suite } from "../src/suite.ts"
import { reused } from "./support-agent/conversation.ts"
import { Disk, differences } from "./support-agent/disk.ts"
import {
  deliver,
  putTogether,
  stolenIdentity,
  stolenRows,
  stolenSessions,
  takeApart,
  textContent,
} from "./support-agent/insider.ts"
import { RawPeer } from "./support-agent/raw-peer.ts"
import { type Process, World } from "./support-agent/world.ts"

const forgery = (world: World) => textContent("forged", world.clock.now())

async function onlySession(disk: Disk): Promise<Session> {
  const sessions = await stolenSessions(disk)
  expect(sessions).toHaveLength(1)
  return sessions[0] as Session
}

async function refused(world: World, to: Process, from: string, envelope: Uint8Array) {
  await deliver(to, from, new Uint8Array(0), world.quiet)
  const before = await to.disk.dump()
  const code = await deliver(to, from, envelope, world.quiet)
  expect(differences(before, await to.disk.dump())).toEqual([])
  expect(to.texts).not.toContain("forged")
  return code
}

describe.each([[1], [2]] as [Suite][])("suite %i", (suite) => {
  it("who knows the session but not the identity key is refused, either way", async () => {
    const world = new World()
    const [a, b] = await world.pair([suite])
    const thief = createIdentity("a", osDraw)
    const ofA = await onlySession(a.disk)
    const forged = seal(ofA, thief, [forgery(world)], osDraw)
    expect(await refused(world, b, "a", forged.envelope)).toBe("envelope/open")
    const ofB = await onlySession(b.disk)
    const toA = seal(ofB, createIdentity("b", osDraw), [forgery(world)], osDraw)
    expect(await refused(world, a, "b", toA.envelope)).toBe("envelope/open")
    // The same envelope under the true key opens: the test can tell.
    const truly = seal(
      ofA,
      await stolenIdentity(a.disk),
      [textContent("true", world.clock.now())],
      osDraw,
    )
    expect(await deliver(b, "a", truly.envelope, world.quiet)).toBe("accepted")
    expect(b.texts).toContain("true")
  })

  it("all keys of b leaked: nobody poses as a (KCI)", async () => {
    const world = new World()
    const [a, b] = await world.pair([suite])
    const own = await stolenIdentity(b.disk)
    const bundle = acceptBundle(b.agent.publicBundle, { now: world.clock.seconds })
    const { ik, dk } = await stolenIdentity(a.disk)
    // A init that claims a's keys; the attacker lacks dkA, but holds b's halves of every DH.
    const attacker = createIdentity("a", osDraw)
    const claim: OwnIdentity = { ...attacker, ik, dk }
    const made = initiate(claim, bundle, null, suite, osDraw)
    const { ownBundle } = await secretsOf(b)
    const block0 = seal(createInitiator(made, bundle), claim, [forgery(world)], osDraw)
    const header = decodeEnvelope(block0.envelope)
    const rk = respond(made.init, made.th, header.block, own, {
      bundle: ownBundle,
      oneTime: null,
      changed: false,
    })
    const session = { ...createInitiator(made, bundle), rk }
    const forged = seal(session, claim, [forgery(world)], osDraw)
    expect(await refused(world, b, "a", forged.envelope)).toBe("envelope/open")
    // With a's identity key the very same construction opens.
    const real = await stolenIdentity(a.disk)
    const opened = seal(session, { ...real }, [textContent("with ik", world.clock.now())], osDraw)
    expect(await deliver(b, "a", opened.envelope, world.quiet)).toBe("accepted")
  })

  it("an insider passes an init that was made for it on to another", async () => {
    const world = new World()
    const a = await world.ready("a", { suites: [suite] })
    const b = await world.ready("b", { suites: [suite] })
    const m = await world.ready("m", { suites: [suite] })
    await world.until(a.agent.send("m", "for m"))
    await world.clock.advance(2)
    const init = a.tap.sent[0]?.envelope as Uint8Array
    expect(await refused(world, b, "a", init)).toBe("envelope/open")
    expect(await refused(world, b, "m", init)).toBe("envelope/open")
    expect(m.texts).toEqual(["for m"])
  })

  it("a restored snapshot seals again: other guard, no key twice, and the peers recover", async () => {
    const world = new World()
    const [a, b] = await world.pair([suite])
    const snapshot = await a.disk.dump()
    await world.until(a.agent.send("b", "before the rollback"))
    await world.clock.advance(2)
    a.kill()
    const disk = new Disk()
    await disk.restore(snapshot)
    const clone = await world.ready("a", { disk, suites: [suite] })
    const lost = await world.until(clone.agent.send("b", "after the rollback"))
    await world.clock.advance(2)
    const [slot] = reused(world.sent)
    expect(slot).toBeDefined()
    const twins = world.sent
      .map(({ envelope }) => decodeEnvelope(envelope))
      .filter((raw) => `${toHex(raw.sid)}/${toHex(blockHash(raw.block))}/${raw.n}` === slot)
    const guards = new Set(twins.map((raw) => toHex(raw.guard)))
    expect(guards.size).toBe(new Set(twins.map((raw) => toHex(raw.ct))).size)
    expect(guards.size).toBeGreaterThan(1)
    expect(b.refusals).toContain("session/replay")
    await world.clock.advance(2000)
    expect(lost.state).toBe("delivered")
    expect(b.texts.filter((one) => one === "after the rollback")).toHaveLength(1)
    const back = await world.until(b.agent.send("a", "to the clone"))
    await world.clock.advance(2000)
    expect(back.state).toBe("delivered")
    expect(clone.texts).toContain("to the clone")
  })

  it("an import brings no session back: old envelopes fail, the peers recover", async () => {
    const world = new World()
    const [a, b] = await world.pair([suite])
    const secret = new Uint8Array(32).fill(3)
    const backup = await world.until(b.agent.export(secret))
    const inits = a.tap.sent[0]?.envelope as Uint8Array
    b.tap.up = false
    b.tap.cut()
    const waiting = await world.until(a.agent.send("b", "sent to the lost state"))
    await world.clock.advance(2)
    const old = a.tap.sent.at(-1)?.envelope as Uint8Array
    b.kill()
    const reborn = await world.ready("b", { suites: [suite], restore: { backup, secret } })
    expect(reborn.agent.fingerprint).toBe(b.agent.fingerprint)
    expect(reborn.refusals).toContain("session/unknown")
    expect(await refused(world, reborn, "a", old)).toBe("session/unknown")
    expect(await refused(world, reborn, "a", inits)).toBe("handshake/unknown-prekey")
    await world.clock.advance(3000)
    expect(waiting.state).toBe("delivered")
    expect(reborn.texts).toEqual(["sent to the lost state"])
    expect(reborn.agent.status().knownPeers).toEqual(["a"])
  })
})

describe("downgrades", () => {
  it("an init of suite 1 after suite 2 was used is refused (HANDSHAKE-23)", async () => {
    const world = new World()
    const b = await world.ready("b")
    const strong = new RawPeer(world, b, "m", 2)
    const weak = new RawPeer(world, b, "m", 1, strong.own)
    expect(await weak.found(weak.text("before"))).toBe("accepted")
    expect(await strong.found(strong.text("strong"))).toBe("accepted")
    expect(await weak.found(weak.text("after"))).toBe("suite/downgrade")
    const other = new RawPeer(world, b, "other", 1)
    expect(await other.found(other.text("another peer"))).toBe("accepted")
    expect(b.texts).toEqual(["before", "strong", "another peer"])
  })

  it("an init of suite 2 turned into one of suite 1 does not open", async () => {
    const world = new World()
    const b = await world.ready("b")
    const m = new RawPeer(world, b, "m", 2)
    const parts = takeApart(m.seal(m.line(), [m.text("x")]))
    const [x] = parts.header[2] as Value[]
    parts.header[2] = [x as Value, null, null]
    const init = [...(parts.header[6] as Value[])]
    init[0] = 1
    init[7] = null
    parts.header[6] = init
    expect(await refused(world, b, "m", putTogether(parts))).toBe("envelope/open")
  })

  it("a bundle without the suite that was used is refused, sessions go on (HANDSHAKE-3)", async () => {
    const world = new World()
    const a = await world.ready("a")
    const b = await world.ready("b")
    await world.until(a.agent.send("b", "suite 2"))
    await world.clock.advance(2)
    b.kill()
    const weak = await world.ready("b", { disk: b.disk, suites: [1] })
    await world.clock.advance(8 * 86_400) // it publishes a bundle of suite 1 alone
    const bundle = acceptBundle(weak.agent.publicBundle, { now: world.clock.seconds })
    expect(bundle.prekeys.map(({ suite }) => suite)).toEqual([1])
    await world.until(a.agent.send("b", "on the session"))
    await world.clock.advance(2)
    expect(weak.texts).toEqual(["on the session"])
    await world.clock.advance(22 * 86_400) // the session is too old to send on
    const before = a.tap.sent.length
    await expect(world.until(a.agent.send("b", "weaker"))).rejects.toMatchObject({
      code: "suite/downgrade",
    })
    expect(a.tap.sent.length).toBe(before)
    await world.until(a.agent.forget("b")) // an explicit re-pin clears the memory
    await world.until(a.agent.send("b", "re-pinned"))
    await world.clock.advance(2)
    expect(weak.texts).toEqual(["on the session", "re-pinned"])
  })
})

async function secretsOf(process: Process) {
  const [row] = await stolenRows<BundleRow>(process.disk, "key/bundle")
  const { bundle, secrets } = row as BundleRow
  return {
    ownBundle: { ...bundle, secrets: new Map(secrets.map((one) => [one.suite, one.secret])) },
  }
}
