// How many sessions, skipped keys and handshakes an agent keeps, and whose (SPEC §8, §10).

import { describe, expect, it } from "vitest"
import type { BundleRow } from "../src/agent/rows.ts"
import { toHex } from "../src/bytes.ts"
import { CONTENT_KINDS } from "../src/envelope.ts"
import { deliver, stolenIdentity, stolenRows, stolenSessions } from "./support-agent/insider.ts"
import { type Line, RawPeer } from "./support-agent/raw-peer.ts"
import { type Process, World } from "./support-agent/world.ts"

async function skippedOn(process: Process): Promise<number> {
  const sessions = await stolenSessions(process.disk)
  return sessions.reduce((sum, { skipped }) => sum + skipped.length, 0)
}

describe("sessions with one peer", () => {
  it("a fifth puts one out, never itself (HANDSHAKE-39)", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const m = new RawPeer(world, b, "m")
    for (let i = 0; i < 12; i++) {
      const line = m.line()
      expect(await m.send(line, m.text(`first ${i}`))).toBe("accepted")
      expect((await stolenSessions(b.disk)).length).toBe(Math.min(i + 1, 4))
      expect(await m.send(line, m.text(`second ${i}`))).toBe("accepted")
    }
    expect(b.texts).toHaveLength(24)
  })

  it("a probe is not put out by the four that carried contents (AGENT-22)", async () => {
    const world = new World()
    const m = await world.ready("m", { suites: [1] })
    const own = await stolenIdentity(m.disk)
    const [row] = await stolenRows<BundleRow>(m.disk, "key/bundle")
    const { bundle, secrets } = row as BundleRow
    const ownBundle = { ...bundle, secrets: new Map(secrets.map((one) => [one.suite, one.secret])) }
    m.kill()
    const b = await world.ready("b", { suites: [1] })
    const raw = new RawPeer(world, b, "m", 1, own)
    raw.listen()
    for (let i = 0; i < 4; i++) {
      expect(await raw.found(raw.text(`${i}`))).toBe("accepted")
      await world.clock.advance(70)
    }
    raw.read()
    const delivery = await world.until(b.agent.send("m", "is anybody there"))
    // The peer has lost all of that: what it sees is the probe.
    raw.lines.length = 0
    await world.clock.advance(700)
    const heals = raw.read(ownBundle).filter(({ kind }) => kind === CONTENT_KINDS.heal)
    expect(heals).toHaveLength(1)
    const [line] = raw.lines
    if (!line) throw new Error("no probe came")
    expect(await raw.send(line, raw.heal())).toBe("accepted")
    await world.clock.advance(70)
    const again = raw.read(ownBundle).filter(({ kind }) => kind === CONTENT_KINDS.application)
    expect(again.map(({ id }) => toHex(id))).toEqual([delivery.id])
  })

  it("20 inits an hour, and no 21st (HANDSHAKE-30)", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const m = new RawPeer(world, b, "m")
    for (let i = 0; i < 20; i++) expect(await m.found(m.text(`${i}`))).toBe("accepted")
    expect(await m.found(m.text("21st"))).toBe("handshake/limit")
    expect(await new RawPeer(world, b, "other").found(m.text("other"))).toBe("accepted")
    await world.clock.advance(3599)
    expect(await m.found(m.text("too early"))).toBe("handshake/limit")
    await world.clock.advance(1)
    expect(await m.found(m.text("an hour later"))).toBe("accepted")
  })
})

describe("the age of a session", () => {
  const DAY = 86_400

  /** A confirmed session, and a clock that goes so far without a verified receive. */
  async function aged(seconds: number) {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const m = new RawPeer(world, b, "m")
    m.listen()
    await m.found(m.text("hello"))
    await world.clock.advance(2)
    m.read()
    const line = m.lines[0] as Line
    await m.send(line, m.text("confirmed"))
    const start = world.clock.seconds
    for (let at = 6 * DAY; at < seconds; at += 6 * DAY) {
      world.clock.set(start + at)
      await deliver(b, "m", new Uint8Array(0), world.quiet) // the stored clock follows
    }
    world.clock.set(start + seconds)
    return { world, b, m, line }
  }

  it.each([
    [30 * DAY - 1, "accepted"],
    [30 * DAY, "session/unknown"],
    [30 * DAY + 1, "session/unknown"],
  ])("after %i seconds an envelope is %s (SESSION-22)", async (seconds, expected) => {
    const { m, line } = await aged(seconds)
    expect(await m.send(line, m.text("late"))).toBe(expected)
  })

  it("is not counted by one clock that is ten years ahead", async () => {
    const { world, b, m, line } = await aged(0)
    const now = world.clock.seconds
    world.clock.set(now + 3650 * DAY)
    await deliver(b, "m", new Uint8Array(0), world.quiet)
    world.clock.set(now + 60)
    expect(await m.send(line, m.text("as before"))).toBe("accepted")
    await world.clock.advance(3)
    expect(RawPeer.receipts(m.read()).size).toBe(2)
    expect(b.texts).toEqual(["hello", "confirmed", "as before"])
    expect(await stolenSessions(b.disk)).toHaveLength(1)
  })
})

describe("strangers", () => {
  it("share a number of sessions; peers that were written to keep theirs (HANDSHAKE-40)", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1], strangers: { sessions: 3 } })
    const friend = await world.ready("friend", { suites: [1] })
    await world.until(b.agent.send("friend", "hello"))
    await world.clock.advance(2)
    const peers = Array.from({ length: 5 }, (_, i) => new RawPeer(world, b, `s${i}`))
    for (const [i, peer] of peers.entries()) {
      expect(await peer.found(peer.text("x"))).toBe("accepted")
      await world.clock.advance(1)
      const left = (await stolenSessions(b.disk)).map(({ peer }) => peer.name)
      expect(left).toContain("friend")
      expect(left.filter((name) => name !== "friend").sort()).toEqual(
        peers.slice(Math.max(0, i - 2), i + 1).map(({ own }) => own.name),
      )
    }
    await world.until(friend.agent.send("b", "still there"))
    await world.clock.advance(2)
    expect(b.texts).toContain("still there")
  })

  it("share a number of skipped keys, with every envelope (HANDSHAKE-40)", async () => {
    const world = new World()
    const most = 20
    const b = await world.ready("b", { suites: [1], strangers: { skipped: most } })
    const peers = Array.from({ length: 3 }, (_, i) => new RawPeer(world, b, `s${i}`))
    for (const peer of peers) expect(await peer.found(peer.text("0"))).toBe("accepted")
    const skip = async (peer: RawPeer, count: number) => {
      const line = peer.lines[0]
      if (!line) throw new Error("no session")
      const held = Array.from({ length: count }, (_, i) => peer.seal(line, [peer.text(`${i}`)]))
      expect(await peer.send(line, peer.text("after a gap"))).toBe("accepted")
      return held
    }
    const [one, two, three] = peers as [RawPeer, RawPeer, RawPeer]
    await skip(one, most - 1)
    expect(await skippedOn(b)).toBe(most - 1)
    await skip(two, 1)
    expect(await skippedOn(b)).toBe(most)
    await skip(three, 1)
    expect(await skippedOn(b)).toBe(most)
    await skip(three, 900)
    expect(await skippedOn(b)).toBe(most)
  })
})
