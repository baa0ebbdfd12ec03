// Limits that an agent can reach, at the edge and beyond it (SPEC Appendix A).

import { describe, expect, it } from "vitest"
import type { BundleRow } from "../src/agent/rows.ts"
import { decodeRow, encodeRow } from "../src/agent/rows.ts"
import { acceptOneTimeKey, createBundle, createOneTimeKey, openOneTimeKey } from "../src/bundle.ts"
import type { Value } from "../src/encoding.ts"
import { decode, encode, encodePayload } from "../src/encoding.ts"
import { encodeContent } from "../src/envelope.ts"
import { FRAME } from "../src/hub/wire.ts"
import {
  CLOCK_SKEW,
  label,
  MAX_CONTENT,
  MAX_ONE_TIME_LIFETIME,
  MAX_REPLAY_CACHE,
  MAX_UNRECEIPTED,
  osDraw,
  REPLAY_ROTATION,
  sign,
} from "../src/suite.ts"
import { Disk } from "./support-agent/disk.ts"
import { stolenIdentity, stolenRows } from "./support-agent/insider.ts"
import { RawPeer } from "./support-agent/raw-peer.ts"
import type { Frame } from "./support-agent/tap.ts"
import { type Process, World } from "./support-agent/world.ts"

const code = (value: string) => expect.objectContaining({ code: value })

describe("what is sent", () => {
  /** A payload that makes a content of exactly so many bytes. */
  function sized(world: World, size: number): { fill: Uint8Array } {
    const length = (fill: number) =>
      encodeContent({
        ...{ kind: 0, id: new Uint8Array(16), sentMs: world.clock.now(), re: null, ask: 0 },
        body: encodePayload({ fill: new Uint8Array(fill) }),
      }).length
    const fill = size - (length(size - 200) - (size - 200))
    expect(length(fill)).toBe(size)
    return { fill: new Uint8Array(fill) }
  }

  it("contents of 999,999 and 1,000,000 bytes, and not of 1,000,001 (ENVELOPE-4)", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    for (const size of [MAX_CONTENT - 1, MAX_CONTENT]) {
      await world.until(a.agent.sendPayload("b", sized(world, size)))
    }
    await expect(
      world.until(a.agent.sendPayload("b", sized(world, MAX_CONTENT + 1))),
    ).rejects.toEqual(code("agent/payload"))
    await world.clock.advance(2)
    expect(b.messages.slice(1)).toHaveLength(2)
    expect(a.agent.status().pending).toBe(0)
  })

  it("64 contents in an envelope, the 65th in the next (ENVELOPE-5)", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    a.tap.up = false
    a.tap.cut()
    for (let i = 0; i < 129; i++) await world.until(a.agent.send("b", `${i}`))
    const before = a.tap.sent.length
    a.tap.up = true
    await world.clock.advance(4)
    expect(b.texts.slice(1)).toEqual(Array.from({ length: 129 }, (_, i) => `${i}`))
    const mids = new Set(
      a.tap.sent.slice(before).map(({ mid }) => Buffer.from(mid).toString("hex")),
    )
    expect(mids.size).toBe(3)
  })

  it("128 envelopes without a receipt; the 129th waits (AGENT-26), receipts do not (AGENT-27)", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    b.tap.up = false
    b.tap.cut()
    const before = a.tap.sent.length
    const states = []
    for (let i = 0; i <= MAX_UNRECEIPTED + 1; i++) {
      const delivery = a.agent.send("b", `${i}`)
      await world.quiet()
      states.push(await world.until(delivery))
    }
    expect(a.tap.sent.length - before).toBe(MAX_UNRECEIPTED)
    expect(states.filter(({ state }) => state === "stored")).toHaveLength(MAX_UNRECEIPTED)
    expect(states.slice(-2).map(({ state }) => state)).toEqual(["queued", "queued"])
    b.tap.up = true
    await world.clock.advance(100)
    expect(b.texts.slice(1)).toEqual(states.map((_, i) => `${i}`))
    expect(states.every(({ state }) => state === "delivered")).toBe(true)
  })

  it("what the hub's envelope limit allows, and no more (AGENT-9)", async () => {
    const world = new World({ limits: { envelope: 20_000 } })
    const a = await world.ready("a", { suites: [1] })
    const b = await world.ready("b", { suites: [1] })
    await world.until(a.agent.send("b", "hello"))
    await world.clock.advance(2)
    await expect(
      world.until(a.agent.sendPayload("b", { fill: new Uint8Array(20_000) })),
    ).rejects.toEqual(code("agent/payload"))
    a.tap.up = false
    a.tap.cut()
    for (let i = 0; i < 40; i++) {
      await world.until(a.agent.send("b", { text: `${i}`, fill: new Uint8Array(1000) }))
    }
    a.tap.up = true
    await world.clock.advance(4)
    expect(b.texts).toHaveLength(41)
    expect(a.of("undelivered")).toEqual([])
    expect(Math.max(...a.tap.sent.map(({ envelope }) => envelope.length))).toBeLessThanOrEqual(
      20_000,
    )
  })
})

/** Lets a hub serve other bytes; the receipt stays. */
function serve(to: Process, change: (found: Value[]) => Value[]): void {
  to.tap.attack = {
    down(frame: Frame, asked) {
      if (frame[0] !== FRAME.reply || asked?.[0] !== FRAME.getBundle) return frame
      return [frame[0], frame[1] as Value, change([...(frame[2] as Value[])])]
    },
  }
}

describe("clocks", () => {
  it("a bundle 300 s early or late passes, 301 s does not (BUNDLE-17, BUNDLE-18)", async () => {
    const world = new World()
    const a = await world.ready("a", { suites: [1] })
    const b = await world.ready("b", { suites: [1] })
    const owner = await stolenIdentity(b.disk)
    const { seconds } = world.clock
    const make = (notBefore: number, notAfter: number) => {
      const made = createBundle(owner, { seq: 4e9, now: seconds, suites: [1] }, osDraw)
      const [body] = decode(made.bytes) as unknown as [Uint8Array]
      const items = [...(decode(body) as Value[])]
      items[5] = notBefore
      items[6] = notAfter
      const changed = encode(items)
      return [changed, sign(owner.ikSecret, changed)] as Value
    }
    const outcome = async (notBefore: number, notAfter: number) => {
      serve(a, ([, oneTime, receipt]) => [make(notBefore, notAfter), oneTime, receipt] as Value[])
      return world.until(
        a.agent.send("b", "x").then(
          () => "sent",
          (error) => error.code,
        ),
      )
    }
    // Accepted bundles fail at the receipt, which is for the one that the hub holds.
    const passes = "hub/malformed"
    expect(await outcome(seconds + CLOCK_SKEW - 1, seconds + 9999)).toBe(passes)
    expect(await outcome(seconds + CLOCK_SKEW, seconds + 9999)).toBe(passes)
    expect(await outcome(seconds + CLOCK_SKEW + 1, seconds + 9999)).toBe("bundle/not-yet-valid")
    expect(await outcome(seconds - 9999, seconds - CLOCK_SKEW + 1)).toBe(passes)
    expect(await outcome(seconds - 9999, seconds - CLOCK_SKEW)).toBe(passes)
    expect(await outcome(seconds - 9999, seconds - CLOCK_SKEW - 1)).toBe("bundle/expired")
    expect(await outcome(seconds, seconds + 2_592_000)).toBe(passes)
    expect(await outcome(seconds, seconds + 2_592_001)).toBe("bundle/lifetime")
    expect(await outcome(seconds, seconds)).toBe("bundle/lifetime")
  })

  it("a one-time key lives 60 days and 300 s at most (BUNDLE-28)", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const owner = await stolenIdentity(b.disk)
    const { seconds } = world.clock
    const make = (notAfter: number) => {
      const key = openOneTimeKey(createOneTimeKey(owner, 1, seconds, osDraw).bytes)
      const body = encode([label("one-time"), "b", owner.ik, 1, key.x, null, notAfter])
      return [body, sign(owner.ikSecret, body)] as Value
    }
    const outcome = async (notAfter: number) => {
      const a = await world.ready(`a${notAfter}`, { suites: [1] })
      serve(a, ([bundle, , receipt]) => [bundle, make(notAfter), receipt] as Value[])
      return world.until(
        a.agent.send("b", "x").then(
          () => "sent",
          (error) => error.code,
        ),
      )
    }
    const most = seconds + MAX_ONE_TIME_LIFETIME + CLOCK_SKEW
    expect(await outcome(most - 1)).toBe("sent")
    expect(await outcome(most)).toBe("sent")
    expect(await outcome(most + 1)).toBe("bundle/one-time")
    expect(await outcome(seconds - CLOCK_SKEW)).toBe("sent")
    expect(await outcome(seconds - CLOCK_SKEW - 1)).toBe("bundle/one-time")
  })
})

describe("one-time keys", () => {
  it("200 an hour and 500 of a suite, whatever the hub says, also over restarts (BUNDLE-6)", async () => {
    const world = new World()
    const empty = (frame: Frame, asked: Frame | undefined): Frame => {
      const counts = frame[0] === FRAME.ready || asked?.[0] === FRAME.counts
      if (!counts || frame[0] === FRAME.error) return frame
      const [mail, , seq] = frame[2] as Value[]
      return [frame[0], frame[1] as Value, [mail, [], seq] as Value]
    }
    const disk = new Disk()
    const held = async () => (await disk.dump("key/one-time/")).size
    let b: Process | null = null
    const live = async () => {
      b?.kill()
      b = world.start("b", { disk, suites: [1], oneTimeKeys: 100 })
      b.tap.attack = { down: empty }
      for (let i = 0; i < 20; i++) await world.clock.advance(1)
    }
    for (let i = 0; i < 4; i++) {
      await live()
      expect(await held()).toBeLessThanOrEqual(200)
    }
    expect(await held()).toBe(200)
    for (const most of [400, 500, 500]) {
      await world.clock.advance(3600)
      await live()
      await live()
      expect(await held()).toBe(most)
    }
  })
})

describe("the replay cache", () => {
  /** An agent whose bundle has seen so many inits without a one-time key. */
  async function worn(replays: number) {
    const world = new World()
    const first = await world.ready("b", { suites: [1] })
    await world.until(first.agent.close())
    const rows = await first.disk.dump()
    for (const [path, hex] of rows) {
      if (!path.startsWith("key/bundle/")) continue
      const row = decodeRow<BundleRow>(new Uint8Array(Buffer.from(hex, "hex")))
      rows.set(path, Buffer.from(encodeRow({ ...row, replays })).toString("hex"))
    }
    const disk = new Disk()
    await disk.restore(rows)
    const b = world.start("b", { disk, suites: [1] })
    await world.quiet()
    return { world, b, m: new RawPeer(world, b, "m") }
  }

  it("is full at 65,536: no more without a one-time key, still some with (HANDSHAKE-30)", async () => {
    const { world, b, m } = await worn(MAX_REPLAY_CACHE - 1)
    const { bundle } = m
    const rows = await stolenRows<BundleRow>(b.disk, "key/bundle")
    const old = rows.find(({ replays }) => replays > 0)
    expect(old?.replays).toBe(MAX_REPLAY_CACHE - 1)
    // The agent has made another bundle by now; inits to the old one still come.
    const stale = { ...bundle, ...(old as BundleRow).bundle }
    const founded = (oneTime: Parameters<RawPeer["line"]>[0] = null) =>
      m.send(m.line(oneTime, stale), m.text("x"))
    expect(await founded()).toBe("accepted")
    expect(await founded()).toBe("handshake/limit")
    const [key] = await stolenRows<{ bytes: Uint8Array }>(b.disk, "key/one-time")
    const bytes = key?.bytes as Uint8Array
    const oneTime = acceptOneTimeKey(bytes, stale, 1, world.clock.seconds)
    expect(await founded(oneTime)).toBe("accepted")
    expect(b.texts).toEqual(["x", "x"])
  })

  it.each([
    [REPLAY_ROTATION - 1, 1],
    [REPLAY_ROTATION, 2],
  ])("with %i entries there are %i live bundles (HANDSHAKE-36)", async (replays, bundles) => {
    const { b, world } = await worn(replays)
    await world.clock.advance(1300)
    expect(await stolenRows(b.disk, "key/bundle")).toHaveLength(bundles)
  })
})
