// SPEC §11: SEND, DELIVER, ACK, quotas, dedupe, lifetimes. Every rule beside a twin that passes.

import { afterEach, describe, expect, test } from "vitest"
import type { HubOptions } from "../src/hub/local-hub.ts"
import {
  asError,
  bundleOf,
  err,
  type Frame,
  type RawKey,
  RawLink,
  rawKey,
} from "./support/hub-link.ts"
import { HUBS, type TestHub } from "./support/hubs.ts"

const ALICE = rawKey("alice")
const BOB = rawKey("bob")
const CAROL = rawKey("carol")

/** A message id of 16 bytes. */
const mid = (number: number): Uint8Array => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}
/** An envelope of `size` bytes that shows its number. */
const mail = (number: number, size: number = 300): Uint8Array => {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}
const numbers = (frames: readonly Frame[]): number[] =>
  frames.map((frame) => Buffer.from(frame[4] as Uint8Array).readUInt32BE())
const mseqs = (frames: readonly Frame[]): unknown[] => frames.map((frame) => frame[2])

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

  async function join(hub: TestHub, key: RawKey): Promise<RawLink> {
    const link = await RawLink.login(hub.hub, key)
    await link.ask(10, bundleOf(key, { seq: 1, now: hub.clock.seconds }))
    return link
  }

  /** Alice, and Bob who has a bundle but is not there. */
  async function offline(hub: TestHub): Promise<RawLink> {
    const bob = await join(hub, BOB)
    bob.close()
    return join(hub, ALICE)
  }

  /** Everything in Bob's mailbox; nothing is acknowledged. */
  async function readMail(hub: TestHub): Promise<readonly Frame[]> {
    const bob = await RawLink.login(hub.hub, BOB)
    const frames = await bob.settled()
    bob.close()
    return frames
  }

  test("SEND is delivered with the sender's name, in order (HUB-50)", async () => {
    const hub = await start()
    const bob = await join(hub, BOB)
    const alice = await join(hub, ALICE)
    const carol = await join(hub, CAROL)
    expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
    expect(await carol.ask(13, "bob", mid(2), mail(2))).toEqual([null])
    expect(await bob.settled()).toEqual([
      [30, 0, 1, "alice", mail(1)],
      [30, 0, 2, "carol", mail(2)],
    ])
  })

  test("envelopes of 0 bytes or above the limit are error 10, then names without bundle error 6 (HUB-47)", async () => {
    const hub = await start({ limits: { envelope: 1000 } })
    const alice = await offline(hub)
    expect(asError(await alice.ask(13, "bob", mid(1), mail(1, 1001)))).toEqual(err(10))
    expect(asError(await alice.ask(13, "nobody", mid(1), mail(1, 1001)))).toEqual(err(10))
    expect(asError(await alice.ask(13, "bob", mid(1), new Uint8Array(0)))).toEqual(err(10))
    expect(asError(await alice.ask(13, "nobody", mid(1), mail(1)))).toEqual(err(6))
    expect(asError(await alice.ask(13, "", mid(1), mail(1)))).toEqual(err(6))
    await (await RawLink.login(hub.hub, CAROL)).ask(16)
    expect(asError(await alice.ask(13, "carol", mid(1), mail(1)))).toEqual(err(6))
    expect(await alice.ask(13, "bob", mid(1), mail(1, 1000))).toEqual([null])
    expect(numbers(await readMail(hub))).toEqual([1])
  })

  test("a large envelope passes unchanged", async () => {
    const hub = await start()
    const alice = await offline(hub)
    const envelope = new Uint8Array(1_114_112).map((_, i) => i * 7)
    expect(await alice.ask(13, "bob", mid(1), envelope)).toEqual([null])
    const [delivered] = await readMail(hub)
    expect(Buffer.compare(delivered?.[4] as Uint8Array, envelope)).toBe(0)
  })

  test("OK means stored: it survives a restart, with its mseq (HUB-50, HUB-52)", async () => {
    const hub = await start()
    let alice = await offline(hub)
    for (let i = 1; i <= 3; i++) await alice.ask(13, "bob", mid(i), mail(i))
    await hub.restart()
    alice = await RawLink.login(hub.hub, ALICE)
    await alice.ask(13, "bob", mid(4), mail(4))
    const bob = await RawLink.login(hub.hub, BOB)
    expect(bob.counts[0]).toBe(4)
    const frames = await bob.settled()
    expect(mseqs(frames)).toEqual([1, 2, 3, 4])
    expect(numbers(frames)).toEqual([1, 2, 3, 4])
  })

  test("mseq rises and is never used again, also when all is acknowledged", async () => {
    const hub = await start()
    const alice = await offline(hub)
    const bob = await RawLink.login(hub.hub, BOB)
    await alice.ask(13, "bob", mid(1), mail(1))
    await alice.ask(13, "bob", mid(2), mail(2))
    expect(mseqs(await bob.settled())).toEqual([1, 2])
    await bob.ask(14, [1, 2])
    await hub.restart()
    const again = await RawLink.login(hub.hub, ALICE)
    await again.ask(13, "bob", mid(3), mail(3))
    expect(mseqs(await readMail(hub))).toEqual([3])
  })

  test("unacknowledged mail comes again on the next link (HUB-33, HUB-34)", async () => {
    const hub = await start()
    const alice = await offline(hub)
    for (let i = 1; i <= 4; i++) await alice.ask(13, "bob", mid(i), mail(i))
    const bob = await RawLink.login(hub.hub, BOB)
    expect(numbers(await bob.settled())).toEqual([1, 2, 3, 4])
    await bob.ask(14, [2])
    const second = await RawLink.login(hub.hub, BOB)
    expect(second.counts[0]).toBe(3)
    expect(numbers(await second.settled())).toEqual([1, 3, 4])
  })

  test.skipIf(kind === "cluster")(
    "a failed write is error 14, and nothing is delivered (HUB-15)",
    async () => {
      const hub = await start()
      const bob = await join(hub, BOB)
      const alice = await join(hub, ALICE)
      hub.store.failing = true
      for (let i = 1; i <= 3; i++) alice.send([13, 100 + i, "bob", mid(1), mail(1)])
      for (let i = 1; i <= 3; i++) expect(asError(await alice.next())).toEqual(err(14, 1))
      hub.store.failing = false
      expect(await bob.settled()).toEqual([])
      expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
      expect(mseqs(await bob.settled())).toEqual([1])
    },
  )

  describe("dedupe (HUB-48)", () => {
    test("by (from, to, mid) while stored and for 600 s after ACK", async () => {
      const hub = await start()
      let alice = await offline(hub)
      let bob = await RawLink.login(hub.hub, BOB)
      for (let i = 0; i < 3; i++)
        expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
      expect(numbers(await bob.settled())).toEqual([1])
      await bob.ask(14, [1])
      await hub.restart()
      alice = await RawLink.login(hub.hub, ALICE)
      bob = await RawLink.login(hub.hub, BOB)
      await hub.clock.advance(600)
      expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
      expect(await bob.settled()).toEqual([])
      await hub.clock.advance(1)
      expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
      expect(mseqs(await bob.settled())).toEqual([2])
    })

    test("another sender or recipient is another message", async () => {
      const hub = await start()
      const alice = await offline(hub)
      const carol = await join(hub, CAROL)
      await alice.ask(13, "bob", mid(1), mail(1))
      await carol.ask(13, "bob", mid(1), mail(2))
      await alice.ask(13, "carol", mid(1), mail(3))
      expect(numbers(await readMail(hub))).toEqual([1, 2])
      expect(numbers(await carol.settled())).toEqual([3])
    })

    test("twins in one tick are stored once", async () => {
      const hub = await start()
      const alice = await offline(hub)
      for (let i = 1; i <= 5; i++) alice.send([13, 50 + i, "bob", mid(9), mail(9)])
      for (let i = 1; i <= 5; i++) expect(await alice.next()).toEqual([20, 50 + i, null])
      expect(numbers(await readMail(hub))).toEqual([9])
    })

    test("comes before the quotas", async () => {
      const hub = await start({ limits: { perSender: 1 } })
      const alice = await offline(hub)
      await alice.ask(13, "bob", mid(1), mail(1))
      expect(asError(await alice.ask(13, "bob", mid(2), mail(2)))).toEqual(err(9, 60))
      expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
    })
  })

  describe("quotas (HUB-49)", () => {
    test("messages of one sender; others are not affected", async () => {
      const hub = await start()
      const alice = await offline(hub)
      for (let i = 1; i <= 200; i++)
        expect(await alice.ask(13, "bob", mid(i), mail(i))).toEqual([null])
      expect(asError(await alice.ask(13, "bob", mid(201), mail(201)))).toEqual(err(9, 60))
      const carol = await join(hub, CAROL)
      expect(await carol.ask(13, "bob", mid(1), mail(1))).toEqual([null])
      expect(await alice.ask(13, "carol", mid(1), mail(1))).toEqual([null])
      const bob = await RawLink.login(hub.hub, BOB)
      await bob.settled()
      await bob.ask(14, [7])
      expect(await alice.ask(13, "bob", mid(201), mail(201))).toEqual([null])
      expect(asError(await alice.ask(13, "bob", mid(202), mail(202)))).toEqual(err(9, 60))
    })

    test("bytes of one sender", async () => {
      const hub = await start({ limits: { perSenderBytes: 1000 } })
      const alice = await offline(hub)
      expect(await alice.ask(13, "bob", mid(1), mail(1, 600))).toEqual([null])
      expect(asError(await alice.ask(13, "bob", mid(2), mail(2, 401)))).toEqual(err(9, 60))
      expect(await alice.ask(13, "bob", mid(3), mail(3, 400))).toEqual([null])
    })

    test("messages and bytes of the mailbox", async () => {
      const hub = await start({ limits: { mailboxMessages: 3, mailboxBytes: 1000 } })
      const senders = [await offline(hub), await join(hub, CAROL)]
      const [alice, carol] = senders as [RawLink, RawLink]
      expect(await alice.ask(13, "bob", mid(1), mail(1, 500))).toEqual([null])
      expect(asError(await carol.ask(13, "bob", mid(2), mail(2, 501)))).toEqual(err(9, 60))
      expect(await carol.ask(13, "bob", mid(3), mail(3, 300))).toEqual([null])
      expect(await carol.ask(13, "bob", mid(4), mail(4, 100))).toEqual([null])
      expect(asError(await alice.ask(13, "bob", mid(5), mail(5, 10)))).toEqual(err(9, 60))
      expect(numbers(await readMail(hub))).toEqual([1, 3, 4])
      await hub.restart()
      const again = await RawLink.login(hub.hub, ALICE)
      expect(asError(await again.ask(13, "bob", mid(5), mail(5, 10)))).toEqual(err(9, 60))
    })
  })

  describe("window and ACK (HUB-34, HUB-51)", () => {
    test("at most 64 unacknowledged, the rest follows in order", async () => {
      const hub = await start()
      const bob = await join(hub, BOB)
      const alice = await join(hub, ALICE)
      for (let i = 1; i <= 150; i++) await alice.ask(13, "bob", mid(i), mail(i))
      const first = await bob.settled()
      expect(numbers(first)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
      await bob.ask(14, [64, 63])
      expect(numbers(await bob.settled())).toEqual([65, 66])
      await bob.ask(
        14,
        Array.from({ length: 66 }, (_, i) => i + 1),
      )
      expect(numbers(await bob.settled())).toEqual(Array.from({ length: 64 }, (_, i) => i + 67))
      await bob.ask(
        14,
        Array.from({ length: 130 }, (_, i) => i + 1),
      )
      expect(numbers(await bob.settled())).toEqual(Array.from({ length: 20 }, (_, i) => i + 131))
      await bob.ask(
        14,
        Array.from({ length: 20 }, (_, i) => i + 131),
      )
      await alice.ask(13, "bob", mid(151), mail(151))
      expect(numbers(await bob.settled())).toEqual([151])
      expect(await bob.ask(17)).toEqual([[1, [[1, 0]], 1]])
    })

    test("ACK of somebody else's mail, of unknown and of old mseqs changes nothing", async () => {
      const hub = await start()
      const alice = await offline(hub)
      const carol = await join(hub, CAROL)
      await alice.ask(13, "bob", mid(1), mail(1))
      expect(await carol.ask(14, [1])).toEqual([null])
      expect(await alice.ask(14, [1, 2, 0, 2 ** 53 - 1])).toEqual([null])
      const bob = await RawLink.login(hub.hub, BOB)
      expect(numbers(await bob.settled())).toEqual([1])
      expect(await bob.ask(14, [2, 1, 1])).toEqual([null])
      expect(await bob.ask(14, [1])).toEqual([null])
      expect(await bob.ask(17)).toEqual([[0, [[1, 0]], 1]])
      expect(await readMail(hub)).toEqual([])
    })

    test("a slow reader delays nobody else", async () => {
      const hub = await start()
      const bob = await join(hub, BOB) // reads nothing
      const carol = await join(hub, CAROL)
      const alice = await join(hub, ALICE)
      for (let i = 1; i <= 100; i++) {
        expect(await alice.ask(13, "bob", mid(i), mail(i))).toEqual([null])
        expect(await alice.ask(13, "carol", mid(i), mail(i))).toEqual([null])
        const delivered = await carol.settled()
        expect(numbers(delivered)).toEqual([i])
        await carol.ask(14, mseqs(delivered))
      }
      expect(numbers(await bob.settled())).toHaveLength(64)
    })
  })

  describe("lifetimes", () => {
    test("mail past its time is absent, and its place is free again", async () => {
      const hub = await start({ limits: { ttl: 100, perSender: 2 } })
      let alice = await offline(hub)
      await alice.ask(13, "bob", mid(1), mail(1))
      await hub.clock.advance(50)
      await alice.ask(13, "bob", mid(2), mail(2))
      await hub.clock.advance(50)
      expect(asError(await alice.ask(13, "bob", mid(3), mail(3)))).toEqual(err(9, 60))
      expect(numbers(await readMail(hub))).toEqual([1, 2])
      await hub.restart()
      alice = await RawLink.login(hub.hub, ALICE)
      await hub.clock.advance(1)
      expect(await alice.ask(13, "bob", mid(3), mail(3))).toEqual([null])
      const bob = await RawLink.login(hub.hub, BOB)
      expect(bob.counts[0]).toBe(2)
      expect(numbers(await bob.settled())).toEqual([2, 3])
      // Dedupe ended with the message: the same mid is a new message.
      await bob.ask(14, [2, 3])
      expect(await alice.ask(13, "bob", mid(1), mail(1))).toEqual([null])
      expect(numbers(await bob.settled())).toEqual([1])
    })

    test.skipIf(kind === "cluster")(
      "what is past its time is freed, without anybody asking",
      async () => {
        const hub = await start({ limits: { ttl: 100 } })
        const alice = await offline(hub)
        for (let i = 1; i <= 5; i++) await alice.ask(13, "bob", mid(i), mail(i))
        const rows = async (): Promise<string[]> => {
          const tables = ["mail/", "sent/", "sender/", "due/"]
          const ranges = tables.map((table) => hub.store.range(table, `${table}~`, 1000))
          return (await Promise.all(ranges)).flatMap(({ rows }) => rows.map(([key]) => key))
        }
        expect((await rows()).length).toBeGreaterThan(10)
        await hub.clock.advance(3600)
        expect(await rows()).toEqual([])
        expect(await readMail(hub)).toEqual([])
        // An idle hub sets no timer; one with sockets looks at them.
        expect(hub.clock.pending).toBeLessThanOrEqual(kind === "LocalHub" ? 0 : 1)
      },
    )

    test.skipIf(kind === "cluster")("dedupe rows are freed after ACK", async () => {
      const hub = await start()
      const alice = await offline(hub)
      await alice.ask(13, "bob", mid(1), mail(1))
      const bob = await RawLink.login(hub.hub, BOB)
      await bob.ask(14, [1])
      const sent = async (): Promise<number> =>
        (await hub.store.range("sent/", "sent0", 10)).rows.length
      expect(await sent()).toBe(1)
      await hub.clock.advance(700)
      expect(await sent()).toBe(0)
    })
  })
})
