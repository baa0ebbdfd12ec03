// A lying hub: what it serves is refused, what it withholds or replays harms nobody (§6, §8, §11).

import { describe, expect, it } from "vitest"
import { createBundle, createOneTimeKey } from "../src/bundle.ts"
import type { Value } from "../src/encoding.ts"
import { decode, encode } from "../src/encoding.ts"
import { FRAME } from "../src/hub/wire.ts"
import { createIdentity, type OwnIdentity } from "../src/identity.ts"
import { osDraw, sign } from "../src/suite.ts"
import { deliver, stolenIdentity, stolenSessions } from "./support-agent/insider.ts"
import type { Frame } from "./support-agent/tap.ts"
import { type Process, World } from "./support-agent/world.ts"

const code = (value: string) => expect.objectContaining({ code: value })

type Signed = readonly [body: Uint8Array, sig: Uint8Array]
interface Found {
  bundle: Signed
  oneTime: Signed | null
  receipt: Signed
}

/** Lets a hub change what it serves to one agent. */
function serve(to: Process, change: (found: Found) => Partial<Found>): void {
  to.tap.attack = {
    down(frame: Frame, asked) {
      if (frame[0] !== FRAME.reply || asked?.[0] !== FRAME.getBundle) return frame
      const [bundle, oneTime, receipt] = frame[2] as unknown as [Signed, Signed | null, Signed]
      const found = { bundle, oneTime, receipt }
      const served = { ...found, ...change(found) }
      return [frame[0], frame[1] as Value, [served.bundle, served.oneTime, served.receipt]] as never
    },
  }
}

function signedOf(bytes: Uint8Array): Signed {
  return decode(bytes) as unknown as Signed
}

/** A body with one item replaced, under the old signature or a new one. */
function rewrite(signed: Signed, index: number, value: Value, by?: OwnIdentity): Signed {
  const body = encode((decode(signed[0]) as Value[]).map((item, i) => (i === index ? value : item)))
  return [body, by ? sign(by.ikSecret, body) : signed[1]]
}

async function meet(options: { requireOneTime?: boolean } = {}) {
  const world = new World()
  const a = await world.ready("a", { suites: [1] })
  const b = await world.ready("b", { suites: [1], ...options })
  const m = createIdentity("m", osDraw)
  return { world, a, b, m, impostor: createIdentity("b", osDraw) }
}

describe("bundles", () => {
  const now = (world: World) => world.clock.seconds
  const suites = [1] as const
  type Scene = Awaited<ReturnType<typeof meet>>
  const lies: [string, string, (scene: Scene, found: Found) => Partial<Found>][] = [
    [
      "another agent's bundle",
      "bundle/name-mismatch",
      ({ world, m }) => ({
        bundle: signedOf(createBundle(m, { seq: 9, now: now(world), suites }, osDraw).bytes),
        oneTime: null,
      }),
    ],
    [
      "dk swapped under the same ik",
      "bundle/signature",
      ({ m }, { bundle }) => ({
        bundle: rewrite(bundle, 3, m.dk),
      }),
    ],
    [
      "a prekey swapped under the same ik",
      "bundle/signature",
      ({ m }, { bundle }) => ({
        bundle: rewrite(bundle, 8, [[1, m.dk, null]]),
      }),
    ],
    [
      "a signature of zeros",
      "bundle/signature",
      (_, { bundle }) => ({
        bundle: [bundle[0], new Uint8Array(64)],
      }),
    ],
    ["an unknown flag", "bundle/flags", (_, { bundle }) => ({ bundle: rewrite(bundle, 7, 2) })],
    [
      "a one-time key of another ik",
      "bundle/one-time",
      ({ world, impostor }) => ({
        oneTime: signedOf(createOneTimeKey(impostor, 1, now(world), osDraw).bytes),
      }),
    ],
    [
      "a one-time key of another name",
      "bundle/one-time",
      ({ world, m }) => ({
        oneTime: signedOf(createOneTimeKey(m, 1, now(world), osDraw).bytes),
      }),
    ],
    [
      "a one-time key with x swapped",
      "bundle/one-time",
      ({ m }, { oneTime }) => ({
        oneTime: rewrite(oneTime as Signed, 4, m.dk),
      }),
    ],
    [
      "junk as a one-time key",
      "bundle/one-time",
      () => ({
        oneTime: [new Uint8Array(8), new Uint8Array(64)],
      }),
    ],
    [
      "no receipt that fits",
      "hub/malformed",
      (_, { receipt }) => ({
        receipt: [receipt[0], new Uint8Array(64)],
      }),
    ],
  ]
  it.each(lies)("%s is %s, and nothing is sent or remembered", async (_name, expected, lie) => {
    const scene = await meet()
    const { world, a, b } = scene
    serve(a, (found) => lie(scene, found))
    const sending = world.until(a.agent.send("b", "secret"))
    await expect(sending).rejects.toEqual(code(expected))
    await world.clock.advance(200)
    expect(a.tap.sent).toEqual([])
    expect(await world.until(a.agent.peer("b"))).toBeUndefined()
    expect(b.texts).toEqual([])
    a.tap.attack = {}
    await world.until(a.agent.send("b", "after"))
    await world.clock.advance(2)
    expect(b.texts).toEqual(["after"])
  })

  it("of a name that nobody has pinned yet: the address finds the swap", async () => {
    const { world, a, b, impostor } = await meet()
    const { bytes } = createBundle(impostor, { seq: 9, now: now(world), suites }, osDraw)
    serve(a, () => ({ bundle: signedOf(bytes), oneTime: null }))
    const sending = world.until(a.agent.send(b.agent.address, "secret"))
    await expect(sending).rejects.toEqual(code("identity/fingerprint"))
    expect(a.tap.sent).toEqual([])
  })

  it("of another key for a pinned name: nothing sent, event raised once", async () => {
    const { world, a, impostor } = await meet()
    await world.until(a.agent.send("b", "first"))
    await world.clock.advance(2)
    const { bytes } = createBundle(impostor, { seq: 4e9, now: now(world), suites }, osDraw)
    serve(a, () => ({ bundle: signedOf(bytes), oneTime: null }))
    await world.clock.advance(22 * 86_400) // the session is too old to send on
    const before = a.tap.sent.length
    await expect(world.until(a.agent.send("b", "x"))).rejects.toEqual(code("identity/changed"))
    await expect(world.until(a.agent.send("b", "x"))).rejects.toEqual(code("identity/changed"))
    await world.clock.advance(600)
    expect(a.tap.sent.length).toBe(before)
  })

  it("served again after a newer one: rollback, and two with one seq: equivocation", async () => {
    const { world, a, b } = await meet()
    const old = b.agent.publicBundle
    const identity = await stolenIdentity(b.disk)
    await world.clock.advance(8 * 86_400) // b rotates
    await world.until(a.agent.send("b", "x"))
    await world.clock.advance(2)
    const seq = (decode(signedOf(b.agent.publicBundle)[0]) as Value[])[4] as number
    await world.clock.advance(22 * 86_400)
    const current = (decode(signedOf(b.agent.publicBundle)[0]) as Value[])[4] as number
    expect(current).toBeGreaterThan(seq)
    await world.until(a.agent.connect("b"))
    await world.clock.advance(2)
    // Every session is forgotten: the next content needs a handshake.
    serve(a, () => ({ bundle: signedOf(old), oneTime: null }))
    await world.clock.advance(22 * 86_400)
    await expect(world.until(a.agent.send("b", "y"))).rejects.toEqual(code("bundle/expired"))
    const low = createBundle(identity, { seq: current - 1, now: now(world), suites }, osDraw)
    serve(a, () => ({ bundle: signedOf(low.bytes), oneTime: null }))
    await expect(world.until(a.agent.send("b", "y"))).rejects.toEqual(code("bundle/rollback"))
    const twin = createBundle(identity, { seq: current, now: now(world), suites }, osDraw)
    serve(a, () => ({ bundle: signedOf(twin.bytes), oneTime: null }))
    await expect(world.until(a.agent.send("b", "y"))).rejects.toEqual(code("bundle/equivocation"))
  })
})

describe("a peer whose keys are good for nothing", () => {
  it("spoils its own handshakes only (suite/bad-key)", async () => {
    const { world, a, b } = await meet() // a has not written to b yet
    const c = await world.ready("c", { suites: [1] })
    await world.until(c.agent.send("a", "c knows a"))
    await world.clock.advance(2)
    const m = await stolenIdentity(b.disk)
    const lowOrder: Value = [[1, new Uint8Array(32), null]]
    b.tap.attack = {
      up: (frame) =>
        frame[0] === FRAME.putBundle
          ? [frame[0], frame[1] as Value, rewrite(frame[2] as unknown as Signed, 8, lowOrder, m)]
          : frame,
    }
    await world.clock.advance(8 * 86_400) // b publishes a new bundle
    const waiting = await world.until(a.agent.send("b", "for b"))
    for (let i = 0; i < 30; i++) {
      c.agent.send("a", `${i}`).catch(() => {})
      a.agent.send("b", `b${i}`).catch(() => {})
      await world.clock.advance(0.5)
    }
    await world.clock.advance(70)
    expect(a.texts).toEqual(["c knows a", ...Array.from({ length: 30 }, (_, i) => `${i}`)])
    expect(c.agent.status().pending).toBe(0)
    expect(waiting.state).toBe("queued")
    expect(a.of("problem").map(({ error }) => error.code)).toContain("suite/bad-key")
    expect(a.refusals).toEqual([])
  })
})

describe("one-time keys", () => {
  it("withheld where they are required: refused, tried again, other mail goes on", async () => {
    const { world, a, b } = await meet({ requireOneTime: true })
    const c = await world.ready("c", { suites: [1] })
    await world.until(c.agent.send("a", "c knows a"))
    await world.clock.advance(2)
    serve(a, () => ({ oneTime: null }))
    await expect(world.until(a.agent.send("b", "x"))).rejects.toEqual(
      code("handshake/one-time-required"),
    )
    // From the queue: the handshake fails in the background while mail comes in.
    a.tap.up = false
    a.tap.cut()
    const waiting = await world.until(a.agent.send("b", "later"))
    const sent = await world.until(c.agent.send("a", "to a meanwhile"))
    a.tap.up = true
    for (let i = 0; i < 40; i++) {
      await world.clock.advance(0.25)
      if (i % 8 === 0) c.agent.send("a", `more ${i}`).catch(() => {})
    }
    await world.clock.advance(60)
    expect(sent.state).toBe("delivered")
    expect(a.texts).toEqual([
      "c knows a",
      "to a meanwhile",
      ...[0, 8, 16, 24, 32].map((i) => `more ${i}`),
    ])
    expect(waiting.state).toBe("queued")
    a.tap.attack = {}
    await world.clock.advance(400)
    expect(waiting.state).toBe("delivered")
    expect(b.texts).toEqual(["later"])
  })

  it("served twice: the second use is without it", async () => {
    const { world, a, b } = await meet()
    let first: Signed | null = null
    serve(a, ({ oneTime }) => {
      first ??= oneTime
      return { oneTime: first }
    })
    await world.until(a.agent.send("b", "one"))
    await world.clock.advance(2)
    await world.until(a.agent.forget("b"))
    await world.until(a.agent.send("b", "two"))
    await world.clock.advance(5)
    expect(b.texts).toEqual(["one", "two"])
  })
})

describe("mail", () => {
  it("an init is refused after the session is gone: with a one-time key, and without", async () => {
    for (const bare of [false, true]) {
      const { world, a, b } = await meet()
      if (bare) serve(a, () => ({ oneTime: null }))
      await world.until(a.agent.send("b", "once"))
      await world.clock.advance(2)
      const [init] = a.tap.sent
      await world.until(b.agent.forget("a"))
      expect(await stolenSessions(b.disk)).toEqual([])
      await deliver(b, "a", new Uint8Array(0), world.quiet)
      const again = await deliver(b, "a", init?.envelope as Uint8Array, world.quiet)
      expect(again).toBe(bare ? "handshake/replay" : "handshake/unknown-prekey")
      // Also after a restart.
      await world.until(b.agent.close())
      const reborn = await world.ready("b", { disk: b.disk, suites: [1] })
      const later = await deliver(reborn, "a", init?.envelope as Uint8Array, world.quiet)
      expect(later).toBe(bare ? "handshake/replay" : "handshake/unknown-prekey")
      expect(reborn.texts).toEqual([])
      expect(b.texts).toEqual(["once"])
    }
  })

  it("under a false from-name: no pin, no event, no content", async () => {
    const { world, a, b } = await meet()
    a.tap.attack = { up: (frame) => (frame[0] === FRAME.send ? null : frame) }
    a.agent.send("b", "held").catch(() => {})
    await world.clock.advance(0.1)
    const held = a.tap.sent[0]?.envelope as Uint8Array
    expect(await deliver(b, "m", held, world.quiet)).toBe("identity/untrusted")
    expect(b.of("identity-changed")).toEqual([])
    expect(b.agent.status().knownPeers).toEqual([])
    expect(await deliver(b, "a", held, world.quiet)).toBe("accepted")
  })

  it("OK for what it discards: delivered later all the same, once", async () => {
    const { world, a, b } = await meet()
    await world.until(a.agent.send("b", "first"))
    await world.clock.advance(2)
    let discarded = 0
    b.tap.attack = {
      down: (frame) => (frame[0] === FRAME.deliver && discarded++ < 3 ? null : frame),
    }
    const lost = await world.until(a.agent.send("b", "discarded"))
    await world.clock.advance(30)
    expect(b.texts).toEqual(["first"])
    await world.clock.advance(6000)
    expect(b.texts).toEqual(["first", "discarded"])
    expect(lost.state).toBe("delivered")
  })

  it("delivered again after the ACK, reordered and doubled: each once", async () => {
    const { world, a, b } = await meet()
    await world.until(a.agent.send("b", "0"))
    await world.clock.advance(2)
    const held: Frame[] = []
    b.tap.attack = {
      down(frame) {
        if (frame[0] !== FRAME.deliver) return frame
        held.push(frame)
        return null
      },
    }
    for (let i = 1; i < 6; i++) await world.until(a.agent.send("b", `${i}`))
    b.tap.attack = {}
    for (const frame of [...held].reverse()) b.tap.inject(frame)
    for (const frame of held) b.tap.inject(frame)
    await world.clock.advance(3)
    expect([...b.texts].sort()).toEqual(["0", "1", "2", "3", "4", "5"])
  })
})
