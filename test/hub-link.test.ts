// SPEC §11: opening a link, frames, the bucket. Every rule beside a twin that passes.

import { afterEach, describe, expect, test } from "vitest"
import type { HubOptions } from "../src/hub/local-hub.ts"
import { asError, bundleOf, err, type Frame, RawLink, rawKey, signed } from "./support/hub-link.ts"
import { HUBS, type TestHub } from "./support/hubs.ts"

const ALICE = rawKey("alice")
const BOB = rawKey("bob")
const MALLORY = rawKey("alice", "mallory")

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

  /** A hub still works: another agent logs in and gets an answer. */
  async function works(hub: TestHub): Promise<void> {
    const link = await RawLink.login(hub.hub, rawKey("witness"))
    expect(await link.ask(16)).toEqual([null])
    link.close()
  }

  describe("opening a link", () => {
    test("hello, welcome, auth, ready", async () => {
      const hub = await start()
      const link = await RawLink.open(hub.hub)
      const welcome = await link.greet()
      expect(welcome.slice(0, 3)).toEqual([2, 0, 1])
      expect(welcome[5]).toEqual([1000, 67_108_864, 200, 8_388_608, 604_800, 1_114_112, 1000, 64])
      link.auth(ALICE)
      expect(await link.next()).toEqual([4, 0, [0, [], null]])
    })

    test("a version that both know is chosen, error 2 if there is none (HUB-26)", async () => {
      const hub = await start()
      const nonce = new Uint8Array(32)
      const good = await RawLink.open(hub.hub)
      expect((await good.greet([1, 0, [7, 1, 2], nonce]))[2]).toBe(1)
      const bad = await RawLink.open(hub.hub)
      bad.send([1, 0, [2, 3], nonce])
      expect((await bad.end()).map(asError)).toEqual([err(2)])
    })

    test("every welcome has another nonce (HUB-27)", async () => {
      const hub = await start()
      const one = await (await RawLink.open(hub.hub)).greet()
      const two = await (await RawLink.open(hub.hub)).greet()
      expect(one[3]).toEqual(two[3])
      expect(one[4]).not.toEqual(two[4])
    })

    test("a request before authentication is error 3, and the link closes (HUB-21)", async () => {
      const hub = await start()
      for (const early of [
        [16, 1],
        [13, 5, "bob", new Uint8Array(16), new Uint8Array(9)],
        [99, 1],
        [3, 0, "alice", ALICE.ik, new Uint8Array(64)],
      ]) {
        const fresh = await RawLink.open(hub.hub)
        fresh.send(early)
        expect((await fresh.end()).map((frame) => [frame[1], asError(frame)])).toEqual([
          [0, err(3)],
        ])
      }
      const greeted = await RawLink.open(hub.hub)
      await greeted.greet()
      greeted.send([16, 1])
      expect((await greeted.end()).map(asError)).toEqual([err(3)])
      await works(hub)
    })

    test("hello and auth of another shape are error 1 (HUB-25)", async () => {
      const hub = await start()
      const nonce = new Uint8Array(32)
      for (const hello of [
        [1, 0, [], nonce],
        [1, 0, [1], new Uint8Array(31)],
        [1, 1, [1], nonce],
        [1, 0, [1], nonce, 0],
        [1, 0, [1, 1, 1, 1, 1, 1, 1, 1, 1], nonce],
      ]) {
        const link = await RawLink.open(hub.hub)
        link.send(hello)
        expect((await link.end()).map(asError)).toEqual([err(1)])
      }
      const link = await RawLink.open(hub.hub)
      await link.greet()
      link.send([3, 0, "alice", ALICE.ik])
      expect((await link.end()).map(asError)).toEqual([err(1)])
    })

    test("auth is bound to key, name and link (HUB-28)", async () => {
      const hub = await start()
      const recorded = await RawLink.open(hub.hub)
      await recorded.greet()
      const [, sig] = signed(ALICE, recorded.authBody(ALICE))
      recorded.auth(ALICE, sig)
      expect((await recorded.next())[0]).toBe(4)

      const forgeries: ((link: RawLink) => unknown)[] = [
        () => [3, 0, "alice", ALICE.ik, sig], // recorded on another link
        (link) => [3, 0, "alice", ALICE.ik, signed(BOB, link.authBody(ALICE))[1]],
        (link) => [3, 0, "bob", ALICE.ik, signed(ALICE, link.authBody(ALICE))[1]],
        (link) => [
          3,
          0,
          "Alice",
          ALICE.ik,
          signed(ALICE, link.authBody({ ...ALICE, name: "Alice" }))[1],
        ],
        (link) => [3, 0, "alice", ALICE.ik, signed(ALICE, link.authBody(ALICE, BOB.ik))[1]],
        () => [3, 0, "alice", new Uint8Array(32), new Uint8Array(64)],
      ]
      for (const forge of forgeries) {
        const link = await RawLink.open(hub.hub)
        await link.greet()
        link.send(forge(link))
        expect((await link.end()).map(asError)).toEqual([err(4)])
      }
      expect(await recorded.ask(16)).toEqual([null])
    })

    test("a challenge relayed from another hub does not verify", async () => {
      const honest = await start()
      const relay = await start()
      // Mallory runs `relay` and shows its agent the challenge of the honest hub.
      const victim = await RawLink.open(relay.hub)
      await victim.greet()
      const attack = await RawLink.open(honest.hub)
      await attack.greet()
      attack.auth(ALICE, signed(ALICE, victim.authBody(ALICE))[1])
      expect((await attack.end()).map(asError)).toEqual([err(4)])
    })

    test("a name is never rebound, an identity has one name (HUB-29, 30, 32)", async () => {
      const hub = await start()
      ;(await RawLink.login(hub.hub, ALICE)).close()
      const refused = async (key: typeof ALICE): Promise<unknown[]> => {
        const link = await RawLink.open(hub.hub)
        await link.greet()
        link.auth(key)
        return (await link.end()).map(asError)
      }
      expect(await refused(MALLORY)).toEqual([err(5)])
      expect(await refused({ ...ALICE, name: "alice2" })).toEqual([err(4)])
      await hub.restart()
      expect(await refused(MALLORY)).toEqual([err(5)])
      expect(await refused({ ...ALICE, name: "alice2" })).toEqual([err(4)])
      await RawLink.login(hub.hub, ALICE)
    })

    test("of two that want one name at once, one gets it", async () => {
      const hub = await start()
      const links = await Promise.all([RawLink.open(hub.hub), RawLink.open(hub.hub)])
      for (const link of links) await link.greet()
      links[0]?.auth(ALICE)
      links[1]?.auth(MALLORY)
      const answers = await Promise.all(links.map((link) => link.next()))
      expect(answers.map((frame) => frame[0]).sort()).toEqual([21, 4])
    })

    test("a hub that accepts no further names says so (HUB-31)", async () => {
      const hub = await start({ maxNames: 1 })
      ;(await RawLink.login(hub.hub, ALICE)).close()
      const link = await RawLink.open(hub.hub)
      await link.greet()
      link.auth(BOB)
      expect((await link.end()).map((frame) => frame[2])).toEqual([11])
      await RawLink.login(hub.hub, ALICE)
    })

    test.skipIf(kind === "cluster")(
      "binding is durable before READY; a failed write is error 14 (HUB-15)",
      async () => {
        const hub = await start()
        hub.store.failing = true
        const link = await RawLink.open(hub.hub)
        await link.greet()
        link.auth(ALICE)
        expect((await link.end()).map(asError)).toEqual([err(14, 1)])
        hub.store.failing = false
        await RawLink.login(hub.hub, MALLORY) // nothing had been bound
      },
    )

    test("a second link of a name replaces the first (HUB-33)", async () => {
      const hub = await start()
      const first = await RawLink.login(hub.hub, ALICE)
      const second = await RawLink.login(hub.hub, ALICE)
      expect((await first.end()).map((frame) => [frame[1], asError(frame)])).toEqual([[0, err(12)]])
      expect(await second.ask(16)).toEqual([null])
    })

    test("a failed authentication replaces nothing", async () => {
      const hub = await start()
      const first = await RawLink.login(hub.hub, ALICE)
      const link = await RawLink.open(hub.hub)
      await link.greet()
      link.auth(MALLORY)
      await link.end()
      expect(await first.ask(16)).toEqual([null])
    })
  })

  describe("frames of a ready link", () => {
    test("what is no array of §3 is error 1, and the link closes (HUB-20)", async () => {
      const hub = await start()
      for (const hex of [
        "",
        "ff",
        "00",
        "80",
        "8120",
        "8110ff",
        "811810",
        "9f10ff",
        "8161",
        "82f610",
      ]) {
        const link = await RawLink.login(hub.hub, ALICE)
        link.sendBytes(new Uint8Array(Buffer.from(hex, "hex")))
        expect((await link.end()).map((frame) => [frame[1], asError(frame)])).toEqual([[0, err(1)]])
      }
      await works(hub)
    })

    test("an unknown type is error 13, the link stays (HUB-23)", async () => {
      const hub = await start()
      const link = await RawLink.login(hub.hub, ALICE)
      for (const type of [0, 1, 3, 5, 9, 18, 20, 30, 99, 2 ** 53 - 1]) {
        expect(asError(await link.ask(type))).toEqual(err(13))
      }
      link.send([99, "what"])
      expect(await link.next()).toEqual([21, 0, 13, 0])
      expect(await link.ask(16)).toEqual([null])
    })

    test("a known request without an id is error 1, and the link closes (HUB-24)", async () => {
      const hub = await start()
      for (const rid of [0, 2 ** 32, "1", null]) {
        const link = await RawLink.login(hub.hub, ALICE)
        link.send([16, rid])
        expect(await link.end()).toEqual([[21, 0, 1, 0]])
      }
      const link = await RawLink.login(hub.hub, ALICE)
      link.send([16, 2 ** 32 - 1])
      expect(await link.next()).toEqual([20, 2 ** 32 - 1, null])
    })

    test("a known request of another shape is error 1, the link stays (HUB-25)", async () => {
      const hub = await start()
      const link = await RawLink.login(hub.hub, ALICE)
      const mid = new Uint8Array(16)
      const pair = bundleOf(ALICE, { seq: 1, now: hub.clock.seconds })
      const wrong: Frame[] = [
        [10],
        [10, [pair[0]]],
        [10, [pair[0], pair[1].subarray(1)]],
        [11, 2, []],
        [11, 0, Array(101).fill(pair)],
        [12, "bob"],
        [12, "bob", [1, 1, 1, 1, 1]],
        [13, "bob", mid.subarray(1), new Uint8Array(9)],
        [13, "bob", mid, "text"],
        [14, []],
        [14, Array(257).fill(1)],
        [14, ["1"]],
        [15],
        [16, 0],
        [17, null],
      ]
      for (const [type, ...rest] of wrong) {
        expect([type, asError(await link.ask(type as number, ...rest))]).toEqual([type, err(1)])
      }
      expect(await link.ask(16)).toEqual([null])
    })

    test("answers come in the order of the requests (HUB-13)", async () => {
      const hub = await start()
      const link = await RawLink.login(hub.hub, ALICE)
      const requests: Frame[] = [
        [16, 1],
        [15, 2, ""],
        [99, 3],
        [14, 4, [1]],
        [12, 5, "nobody", []],
        [17, 6],
        [16, 7, 7],
        [15, 8, ""],
      ]
      for (const request of requests) link.send(request)
      const rids: unknown[] = []
      for (const _ of requests) rids.push((await link.next())[1])
      expect(rids).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    })

    test("the bucket holds two seconds' worth and fills by the second (HUB-22)", async () => {
      const hub = await start({ limits: { requestsPerSecond: 5 } })
      const link = await RawLink.login(hub.hub, ALICE)
      for (let i = 0; i < 10; i++) expect(await link.ask(16)).toEqual([null])
      expect(asError(await link.ask(16))).toEqual(err(11, 1))
      expect(asError(await link.ask(99))).toEqual(err(11, 1))
      await hub.clock.advance(1)
      for (let i = 0; i < 5; i++) expect(await link.ask(16)).toEqual([null])
      expect(asError(await link.ask(16))).toEqual(err(11, 1))
      const other = await RawLink.login(hub.hub, BOB)
      expect(await other.ask(16)).toEqual([null]) // a bucket per link
      await hub.clock.advance(100)
      for (let i = 0; i < 10; i++) expect(await link.ask(16)).toEqual([null])
      expect(asError(await link.ask(16))).toEqual(err(11, 1))
    })

    test.skipIf(kind === "cluster")(
      "one write for all requests of a tick, and no answer before it (HUB-14)",
      async () => {
        const hub = await start()
        const bob = await RawLink.login(hub.hub, BOB)
        await bob.ask(10, bundleOf(BOB, { seq: 1, now: hub.clock.seconds }))
        const link = await RawLink.login(hub.hub, ALICE)
        let open = (): void => undefined
        hub.store.gate = new Promise((resolve) => {
          open = resolve
        })
        const before = hub.store.writes
        for (let i = 1; i <= 50; i++) {
          link.send([13, i, "bob", new Uint8Array(16).fill(i), new Uint8Array(300)])
        }
        let answered = false
        const first = link.next().then((frame) => {
          answered = true
          return frame
        })
        await new Promise((resolve) => setTimeout(resolve, 20))
        expect(answered).toBe(false)
        open()
        expect(await first).toEqual([20, 1, null])
        for (let i = 2; i <= 50; i++) expect((await link.next())[1]).toBe(i)
        expect(hub.store.writes - before).toBeLessThanOrEqual(3)
      },
    )
  })
})
