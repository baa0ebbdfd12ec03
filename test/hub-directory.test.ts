// SPEC §11: bundles, one-time keys, receipts, LIST, COUNTS. Every rule beside a twin that passes.

import { decode } from "cbor2"
import { afterEach, describe, expect, test } from "vitest"
import { compareReceipts } from "../src/hub/frames.ts"
import type { HubOptions } from "../src/hub/local-hub.ts"
import {
  asError,
  bundleOf,
  err,
  type Frame,
  oneTimeOf,
  type RawKey,
  RawLink,
  rawKey,
  sha256,
  signed,
} from "./support/hub-link.ts"
import { HUBS, type TestHub } from "./support/hubs.ts"
import { rawBytes } from "./support/raw-cbor.ts"

const ALICE = rawKey("alice")
const BOB = rawKey("bob")
const CAROL = rawKey("carol")
const DAY = 86_400

describe.each(HUBS)("%s", (kind, factory) => {
  let running: TestHub[] = []

  async function start(options?: HubOptions): Promise<TestHub> {
    const hub = await factory(options)
    running.push(hub)
    return hub
  }

  afterEach(async () => {
    for (const hub of running) await hub.close()
    running = []
  })

  /** Logs in and publishes a bundle of suite 1. */
  async function publish(hub: TestHub, key: RawKey, seq: number = 1): Promise<RawLink> {
    const link = await RawLink.login(hub.hub, key)
    expect(await link.ask(10, bundleOf(key, { seq, now: hub.clock.seconds }))).toEqual([null])
    return link
  }

  /** Puts one-time keys with these numbers. */
  function put(hub: TestHub, link: RawLink, numbers: readonly number[], drop: number = 0) {
    const notAfter = hub.clock.seconds + 59 * DAY
    return link.ask(
      11,
      drop,
      numbers.map((number) => oneTimeOf(BOB, number, notAfter)),
    )
  }

  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, i) => from + i)

  /** What GET_BUNDLE found: bundle, one-time key or null, receipt. */
  async function get(link: RawLink, name: string, suites: readonly number[] = [1]) {
    const [found] = (await link.ask(12, name, suites)) as [Frame]
    return { bundle: found[0], oneTime: found[1], receipt: found[2] as [Uint8Array, Uint8Array] }
  }

  describe("PUT_BUNDLE", () => {
    test("seq rises; the same again is no error; equal or lower is error 8 (HUB-37)", async () => {
      const hub = await start()
      const now = hub.clock.seconds
      const link = await publish(hub, ALICE, 5)
      expect(await link.ask(10, bundleOf(ALICE, { seq: 5, now }))).toEqual([null])
      for (const seq of [4, 5]) {
        const other = bundleOf(ALICE, { seq, now, salt: "other" })
        expect(asError(await link.ask(10, other))).toEqual(err(8))
      }
      expect(await link.ask(10, bundleOf(ALICE, { seq: 6, now }))).toEqual([null])
      expect(await link.ask(17)).toEqual([[0, [[1, 0]], 6]])
      await hub.restart()
      const again = await RawLink.login(hub.hub, ALICE)
      expect(again.counts).toEqual([0, [[1, 0]], 6])
      expect(asError(await again.ask(10, bundleOf(ALICE, { seq: 5, now })))).toEqual(err(8))
    })

    test("another name or key, a bad signature, a bad time are error 7 (HUB-36)", async () => {
      const hub = await start()
      const now = hub.clock.seconds
      const link = await RawLink.login(hub.hub, ALICE)
      const [body, sig] = bundleOf(ALICE, { seq: 1, now })
      const altered = sig.slice()
      altered[0] = (altered[0] as number) ^ 1
      const bad: [Uint8Array, Uint8Array][] = [
        bundleOf(BOB, { seq: 1, now }),
        bundleOf(ALICE, { seq: 1, now, name: "bob" }),
        bundleOf(BOB, { seq: 1, now, name: "alice" }),
        [body, altered],
        signed(ALICE, body.subarray(0, body.length - 1)),
        bundleOf(ALICE, { seq: 1, now, notAfter: now - 301 }),
        bundleOf(ALICE, { seq: 1, now: now + 3600 + 301 }),
        bundleOf(ALICE, { seq: 1, now, notAfter: now + 31 * DAY }),
        bundleOf(ALICE, { seq: 1, now, suites: [] }),
      ]
      for (const bundle of bad) expect(asError(await link.ask(10, bundle))).toEqual(err(7))
      expect(await link.ask(17)).toEqual([[0, [], null]])
      expect(await link.ask(10, [body, sig])).toEqual([null])
    })

    test("a bundle of unknown suites only is kept; counts name suites 1 and 2 alone", async () => {
      const hub = await start()
      const link = await RawLink.login(hub.hub, ALICE)
      const now = hub.clock.seconds
      expect(await link.ask(10, bundleOf(ALICE, { seq: 1, now, suites: [9] }))).toEqual([null])
      expect(await link.ask(17)).toEqual([[0, [], 1]])
    })
  })

  describe("GET_BUNDLE", () => {
    test("a name without a bundle is error 6 (HUB-41)", async () => {
      const hub = await start()
      const alice = await publish(hub, ALICE)
      const bob = await RawLink.login(hub.hub, BOB)
      for (const name of ["bob", "nobody", "", "No Name"]) {
        expect(asError(await alice.ask(12, name, [1]))).toEqual(err(6))
      }
      await bob.ask(10, bundleOf(BOB, { seq: 1, now: hub.clock.seconds }))
      expect((await get(alice, "bob")).bundle).toEqual(
        bundleOf(BOB, { seq: 1, now: hub.clock.seconds }),
      )
    })

    test("an expired bundle is served, and judged by who asked", async () => {
      const hub = await start()
      await publish(hub, BOB)
      const alice = await publish(hub, ALICE)
      const before = await get(alice, "bob")
      await hub.clock.advance(40 * DAY)
      const again = await RawLink.login(hub.hub, ALICE)
      expect((await get(again, "bob")).bundle).toEqual(before.bundle)
    })

    test("the receipt is signed for this reply (HUB-46)", async () => {
      const hub = await start()
      await publish(hub, BOB, 3)
      const alice = await publish(hub, ALICE)
      const { bundle, receipt } = await get(alice, "bob")
      const [body, sig] = receipt
      const ref = sha256((bundle as [Uint8Array])[0])
      const label = "AgentMesh/1 directory"
      expect(decode(body)).toEqual([label, alice.hubIk, "bob", BOB.ik, ref, 3, hub.clock.seconds])
      const bytes = rawBytes(receipt)
      expect(compareReceipts(bytes, bytes, alice.hubIk)).toBe("none")
      expect(sig).toHaveLength(64)
      await hub.clock.advance(7)
      const later = await get(alice, "bob")
      expect((decode(later.receipt[0]) as Frame)[6]).toBe(hub.clock.seconds)
    })

    test("keys go out in order of arrival, each once (HUB-44, HUB-45)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, [3, 1, 2])
      const served: unknown[] = []
      for (const key of [ALICE, CAROL, rawKey("dave"), rawKey("erin")]) {
        served.push((await get(await publish(hub, key), "bob")).oneTime)
      }
      const notAfter = hub.clock.seconds + 59 * DAY
      expect(served).toEqual([...[3, 1, 2].map((n) => oneTimeOf(BOB, n, notAfter)), null])
      if (kind === "cluster") return // its rows are not to be looked at
      expect((await hub.store.range("one-time/", "one-time0", 10)).rows).toEqual([])
    })

    test("no key is served twice to a crowd that asks at once (HUB-45)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, range(0, 20))
      const crowd: RawLink[] = []
      for (let i = 0; i < 30; i++) crowd.push(await RawLink.login(hub.hub, rawKey(`guest-${i}`)))
      const served = await Promise.all(crowd.map((link) => get(link, "bob")))
      const keys = served.flatMap(({ oneTime }) => (oneTime === null ? [] : [oneTime as Frame]))
      expect(keys).toHaveLength(20)
      expect(
        new Set(keys.map(([body]) => Buffer.from(body as Uint8Array).toString("hex"))).size,
      ).toBe(20)
    })

    test("the same requester gets the same key for 60 s, also after a restart (HUB-43)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, range(0, 5))
      let alice = await publish(hub, ALICE)
      const first = await get(alice, "bob")
      expect((await get(alice, "bob")).oneTime).toEqual(first.oneTime)
      await hub.restart()
      alice = await RawLink.login(hub.hub, ALICE)
      await hub.clock.advance(60)
      expect((await get(alice, "bob")).oneTime).toEqual(first.oneTime)
      await hub.clock.advance(1)
      expect((await get(alice, "bob")).oneTime).not.toEqual(first.oneTime)
      expect((await get(await publish(hub, CAROL), "bob")).oneTime).not.toEqual(first.oneTime)
    })

    test("six fresh keys for one requester, target and hour, then none (HUB-44)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, range(0, 20))
      const alice = await publish(hub, ALICE)
      for (let i = 0; i < 6; i++) {
        expect((await get(alice, "bob")).oneTime).not.toBeNull()
        await hub.clock.advance(61)
      }
      expect((await get(alice, "bob")).oneTime).toBeNull()
      expect((await get(await publish(hub, CAROL), "bob")).oneTime).not.toBeNull()
      await hub.clock.advance(3600 - 6 * 61)
      expect((await get(alice, "bob")).oneTime).toBeNull() // the first is 3,600 s old
      await hub.clock.advance(1)
      expect((await get(alice, "bob")).oneTime).not.toBeNull()
    })

    test("the first suite that the bundle offers, never another (HUB-42)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, range(0, 5))
      const alice = await publish(hub, ALICE)
      expect((await get(alice, "bob", [])).oneTime).toBeNull()
      expect((await get(alice, "bob", [2])).oneTime).toBeNull()
      expect((await get(bob, "bob", [1])).oneTime).toBeNull() // the owner itself
      expect(await bob.ask(17)).toEqual([[0, [[1, 5]], 1]])
      expect((await get(alice, "bob", [9, 2, 1])).oneTime).not.toBeNull()
      expect(await bob.ask(17)).toEqual([[0, [[1, 4]], 1]])
    })

    test("an expired key is not served and not counted", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      const now = hub.clock.seconds
      await bob.ask(11, 0, [oneTimeOf(BOB, 1, now + 10), oneTimeOf(BOB, 2, now + DAY)])
      await hub.clock.advance(10)
      expect(await bob.ask(17)).toEqual([[0, [[1, 2]], 1]])
      await hub.clock.advance(1)
      expect(await bob.ask(17)).toEqual([[0, [[1, 1]], 1]])
      const alice = await publish(hub, ALICE)
      expect((await get(alice, "bob")).oneTime).toEqual(oneTimeOf(BOB, 2, now + DAY))
    })

    test("a key is gone even if the reply was lost with the hub (HUB-44)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, [1, 2])
      const alice = await publish(hub, ALICE)
      const first = await get(alice, "bob")
      await hub.restart()
      const carol = await publish(hub, CAROL)
      expect((await get(carol, "bob")).oneTime).not.toEqual(first.oneTime)
    })

    test.skipIf(kind === "cluster")("a failed write serves no key", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, [1])
      const alice = await publish(hub, ALICE)
      hub.store.failing = true
      expect(asError(await alice.ask(12, "bob", [1]))).toEqual(err(14, 1))
      hub.store.failing = false
      expect((await get(await publish(hub, CAROL), "bob")).oneTime).not.toBeNull()
    })

    test("the owner is told when 20 or fewer are left", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, range(0, 23))
      const names = ["a", "b", "c", "d"].map((name) => rawKey(name))
      const lows: (readonly Frame[])[] = []
      for (const key of names) {
        await get(await publish(hub, key), "bob")
        lows.push(await bob.settled())
      }
      expect(lows).toEqual([[], [], [[31, 0, 1, 20]], [[31, 0, 1, 19]]])
    })
  })

  describe("PUT_ONE_TIME", () => {
    test("all keys or none, and a key ever seen is refused (HUB-38)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      const far = hub.clock.seconds + 59 * DAY
      const bad: (readonly [Uint8Array, Uint8Array])[][] = [
        [oneTimeOf(BOB, 1, far), oneTimeOf(BOB, 1, far)],
        [oneTimeOf(BOB, 1, far), oneTimeOf(ALICE, 2, far)],
        [oneTimeOf(BOB, 1, far), oneTimeOf(BOB, 2, far, { name: "alice" })],
        [oneTimeOf(BOB, 1, far), oneTimeOf(BOB, 2, far, { suite: 3 })],
        [oneTimeOf(BOB, 1, far), oneTimeOf(BOB, 2, far, { suite: 2 })],
        [oneTimeOf(BOB, 1, far), [oneTimeOf(BOB, 2, far)[0], new Uint8Array(64)]],
        [oneTimeOf(BOB, 1, far), oneTimeOf(BOB, 2, hub.clock.seconds - 301)],
        [oneTimeOf(BOB, 1, far), oneTimeOf(BOB, 2, hub.clock.seconds + 60 * DAY + 301)],
        [oneTimeOf(BOB, 1, far), signed(BOB, rawBytes(["AgentMesh/1 bundle"]))],
      ]
      for (const keys of bad) expect(asError(await bob.ask(11, 0, keys))).toEqual(err(7))
      expect(await bob.ask(17)).toEqual([[0, [[1, 0]], 1]])
      expect(await put(hub, bob, [1, 2])).toEqual([2])
      expect(asError(await put(hub, bob, [2]))).toEqual(err(7))
      expect(await put(hub, bob, [])).toEqual([0])
      // Seen is seen: after it was served, after a drop, after a restart.
      await get(await publish(hub, ALICE), "bob")
      expect(asError(await put(hub, bob, [1]))).toEqual(err(7))
      expect(await put(hub, bob, [3], 1)).toEqual([1])
      expect(asError(await put(hub, bob, [2]))).toEqual(err(7))
      await hub.restart()
      const again = await RawLink.login(hub.hub, BOB)
      expect(asError(await put(hub, again, [2]))).toEqual(err(7))
      expect(await again.ask(17)).toEqual([[0, [[1, 1]], 1]])
    })

    test("drop deletes what waits and what is reserved, first (HUB-40)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      const far = hub.clock.seconds + 59 * DAY
      await put(hub, bob, [1, 2, 3])
      const alice = await publish(hub, ALICE)
      expect((await get(alice, "bob")).oneTime).toEqual(oneTimeOf(BOB, 1, far))
      expect(await put(hub, bob, [4, 5], 1)).toEqual([2])
      expect((await get(alice, "bob")).oneTime).toEqual(oneTimeOf(BOB, 4, far))
      expect(await put(hub, bob, [], 1)).toEqual([0])
      expect((await get(alice, "bob")).oneTime).toBeNull()
      expect(await bob.ask(17)).toEqual([[0, [[1, 0]], 1]])
    })

    test("a refused request drops nothing", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      await put(hub, bob, [1, 2, 3])
      expect(asError(await put(hub, bob, [1], 1))).toEqual(err(7))
      expect(await bob.ask(17)).toEqual([[0, [[1, 3]], 1]])
    })

    test("500 in a pool, 1,000 an hour (HUB-39)", async () => {
      const hub = await start()
      const bob = await publish(hub, BOB)
      const fill = async (from: number, drop: number): Promise<void> => {
        for (let i = from; i < from + 500; i += 100) {
          expect(await put(hub, bob, range(i, i + 100), i === from ? drop : 0)).toEqual([100])
        }
      }
      await fill(0, 0)
      expect(asError(await put(hub, bob, [500]))).toEqual(err(10))
      await fill(500, 1)
      expect(asError(await put(hub, bob, [1000]))).toEqual(err(10))
      expect(asError(await put(hub, bob, [1000], 1))).toEqual(err(11, 3600))
      await hub.clock.advance(3600)
      expect(asError(await put(hub, bob, [1000], 1))).toEqual(err(11, 3600))
      await hub.clock.advance(1)
      expect(await put(hub, bob, [1000], 1)).toEqual([1])
    })
  })

  describe("LIST and COUNTS", () => {
    test("names with a bundle, bytewise, in pages of 256", async () => {
      const hub = await start()
      const names = range(0, 300).map((i) => `agent-${i}`)
      for (const name of names) {
        const link = await publish(hub, rawKey(name))
        link.close()
      }
      const link = await RawLink.login(hub.hub, rawKey("without-bundle"))
      const sorted = [...names].sort()
      expect(await link.ask(15, "")).toEqual([sorted.slice(0, 256)])
      expect(await link.ask(15, sorted[255])).toEqual([sorted.slice(256)])
      expect(await link.ask(15, "agent-10")).toEqual([
        sorted.slice(sorted.indexOf("agent-10") + 1).slice(0, 256),
      ])
      expect(await link.ask(15, "zzz")).toEqual([[]])
    })

    test("what was written in the same tick is listed", async () => {
      const hub = await start()
      const link = await RawLink.login(hub.hub, ALICE)
      link.send([10, 1, bundleOf(ALICE, { seq: 1, now: hub.clock.seconds })])
      link.send([15, 2, ""])
      expect(await link.next()).toEqual([20, 1, null])
      expect(await link.next()).toEqual([20, 2, ["alice"]])
    })
  })
})
