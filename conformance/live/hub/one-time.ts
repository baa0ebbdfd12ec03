// Black box, area 4: one-time keys, pools, reservations (SPEC §11.4 PUT_ONE_TIME, GET_BUNDLE).

import type { Value } from "../../../src/encoding.ts"
import {
  EK,
  type OneTimeParts,
  oneTimeOf,
  oneTimes,
  publicX,
  type SignedPair,
  seconds,
  type Who,
} from "./actors.ts"
import { type Link, T } from "./link.ts"
import { type Actor, area, check, type Draft, type HubCase, same } from "./trial.ts"

const put = (link: Link, keys: readonly SignedPair[], drop: number = 0): Promise<Value> =>
  link.ok(T.putOneTime, drop, keys as Value)

/** The one-time key that comes with a bundle. */
async function take(by: Link, of: Who, suites: readonly number[] = [1]): Promise<Value> {
  return ((await by.ok(T.getBundle, of.name, suites as Value)) as readonly Value[])[1] as Value
}

const left = async ({ link }: Actor): Promise<Value> =>
  ((await link.ok(T.counts)) as readonly Value[])[1] as Value

/** A list of two good keys and this one is refused as a whole. */
function bad(title: string, make: (who: Who) => SignedPair): Draft {
  return {
    title,
    req: ["HUB-38", "BUNDLE-28"],
    async run(t) {
      const a = await t.join({ suites: [1, 2], keys: 1 })
      const [first, last] = oneTimes(a.who, 2) as [SignedPair, SignedPair]
      await a.link.refused(7, 0, T.putOneTime, 0, [first, make(a.who), last] as Value)
      same(
        await left(a),
        [
          [1, 1],
          [2, 0],
        ],
        "keys left",
      )
      same(await put(a.link, [first, last]), 2, "the good ones alone")
    },
  }
}

const part = (title: string, change: (who: Who) => OneTimeParts): Draft =>
  bad(title, (who) => oneTimeOf(who, change(who)))

export const ONE_TIME_CASES: readonly HubCase[] = area(4, [
  {
    title: "served in order of arrival, each to one requester",
    req: ["HUB-44", "HUB-45"],
    async run(t) {
      const a = await t.join()
      const keys = oneTimes(a.who, 3)
      same(await put(a.link, keys), 3, "result of PUT_ONE_TIME")
      for (const key of keys) same(await take(await t.login(), a.who), key, "one-time key")
      same(await take(await t.login(), a.who), null, "key from an empty pool")
      same(await left(a), [[1, 0]], "keys left")
    },
  },
  {
    title: "the same requester gets the same key again, and no other is spent",
    req: ["HUB-43"],
    async run(t) {
      const a = await t.join({ keys: 3 })
      const who = t.newcomer()
      const key = await take(await t.login(who), a.who)
      check(key !== null, "a key is served")
      for (let i = 0; i < 3; i++) same(await take(await t.login(who), a.who), key, "key again")
      same(await left(a), [[1, 2]], "keys left")
    },
  },
  {
    title: "twenty requesters at once get twenty keys",
    req: ["HUB-44", "HUB-45"],
    async run(t) {
      const a = await t.join({ keys: 20 })
      const links = []
      for (let i = 0; i < 20; i++) links.push(await t.login())
      const keys = await Promise.all(links.map((link) => take(link, a.who)))
      check(!keys.includes(null), "everyone gets a key")
      const different = new Set(
        keys.map((key) => Buffer.from((key as SignedPair)[0]).toString("hex")),
      )
      same(different.size, 20, "different keys")
      same(await left(a), [[1, 0]], "keys left")
    },
  },
  {
    title: "the first of `suites` that is offered decides, and no other suite stands in",
    req: ["HUB-42"],
    async run(t) {
      const a = await t.join({ suites: [1, 2] })
      const [one, two] = [oneTimes(a.who, 2), oneTimes(a.who, 2, 2)]
      await put(a.link, [...one, ...two])
      same(
        await left(a),
        [
          [1, 2],
          [2, 2],
        ],
        "keys left",
      )
      same(await take(await t.login(), a.who, [2, 1]), two[0], "key for [2, 1]")
      same(await take(await t.login(), a.who, [7, 1, 2]), one[0], "key for [7, 1, 2]")
      same(await take(await t.login(), a.who, [7]), null, "key for [7]")
      same(await take(await t.login(), a.who, []), null, "key for no suite")
      same(await take(await t.login(), a.who, [2]), two[1], "key for [2]")
      same(await take(await t.login(), a.who, [2, 1]), null, "key for [2, 1], pool of 2 empty")
      same(
        await left(a),
        [
          [1, 1],
          [2, 0],
        ],
        "keys left",
      )
    },
  },
  {
    title: "nobody gets a key of its own",
    req: ["HUB-42"],
    async run(t) {
      const a = await t.join({ keys: 2 })
      same(await take(a.link, a.who), null, "own key")
      same(await left(a), [[1, 2]], "keys left")
    },
  },
  bad("a signature of zeros", (who) => [oneTimeOf(who)[0], new Uint8Array(64)]),
  bad("signed by another key", (who) => [
    oneTimeOf(who)[0],
    oneTimeOf({ ...who, ikSecret: new Uint8Array(32).fill(9) })[1],
  ]),
  part("another name", (who) => ({ name: `${who.name}-x` })),
  part("another identity key", () => ({ ik: publicX() })),
  part("the label of a bundle", () => ({ label: "AgentMesh/1 bundle" })),
  part("suite 3", () => ({ suite: 3 })),
  part("an ek in suite 1", () => ({ ek: EK })),
  part("no ek in suite 2", () => ({ suite: 2, ek: null })),
  part("an ek outside the modulus", () => ({ suite: 2, ek: new Uint8Array(1184).fill(0xff) })),
  part("expired 302 s ago", () => ({ notAfter: seconds() - 302 })),
  part("valid for longer than 60 days", () => ({ notAfter: seconds() + 5_184_000 + 600 })),
  part("an x with bit 255 set", () => ({ x: new Uint8Array(32).fill(0xff) })),
  {
    title: "a key twice in one list, and a key that was accepted before, even if it was served",
    req: ["HUB-38"],
    async run(t) {
      const a = await t.join()
      const [one, two, three] = oneTimes(a.who, 3) as [SignedPair, SignedPair, SignedPair]
      await a.link.refused(7, 0, T.putOneTime, 0, [one, two, one] as Value)
      same(await put(a.link, [one, two]), 2, "the list without the double")
      await a.link.refused(7, 0, T.putOneTime, 0, [three, one] as Value)
      same(await take(await t.login(), a.who), one, "one-time key")
      await a.link.refused(7, 0, T.putOneTime, 0, [one] as Value)
      same(await left(a), [[1, 1]], "keys left")
    },
  },
  {
    title: "drop deletes the pools and the reservations; keys of before stay refused",
    req: ["HUB-40", "HUB-38"],
    async run(t) {
      const a = await t.join({ suites: [1, 2] })
      const old = oneTimes(a.who, 3)
      await put(a.link, [...old, ...oneTimes(a.who, 2, 2)])
      const who = t.newcomer()
      same(await take(await t.login(who), a.who), old[0], "one-time key")
      const fresh = oneTimes(a.who, 2)
      same(await put(a.link, fresh, 1), 2, "result of PUT_ONE_TIME with drop")
      same(
        await left(a),
        [
          [1, 2],
          [2, 0],
        ],
        "keys left",
      )
      same(await take(await t.login(who), a.who), fresh[0], "key of the same requester")
      await a.link.refused(7, 0, T.putOneTime, 1, [old[2]] as Value)
      same(
        await left(a),
        [
          [1, 1],
          [2, 0],
        ],
        "keys left after a refused drop",
      )
      same(await put(a.link, [], 1), 0, "an empty list with drop")
      same(
        await left(a),
        [
          [1, 0],
          [2, 0],
        ],
        "keys left",
      )
    },
  },
  {
    title: "one requester gets six keys of one target an hour, then none",
    req: ["HUB-44", "HUB-40"],
    async run(t) {
      const a = await t.join()
      const link = await t.login()
      for (let i = 0; i < 6; i++) {
        const keys = oneTimes(a.who, 2)
        await put(a.link, keys, 1) // ends the reservation
        same(await take(link, a.who), keys[0], `key ${i + 1}`)
      }
      await put(a.link, oneTimes(a.who, 2), 1)
      same(await take(link, a.who), null, "the seventh key")
      check((await take(await t.login(), a.who)) !== null, "another requester gets a key")
    },
  },
  {
    title: "a pool holds 500 keys: one more is error 10, and refuses its whole list",
    req: ["HUB-39"],
    async run(t) {
      const a = await t.join({ suites: [1, 2] })
      for (let i = 0; i < 5; i++) await put(a.link, oneTimes(a.who, i < 4 ? 100 : 99))
      const last = oneTimes(a.who, 2)
      await a.link.refused(10, 0, T.putOneTime, 0, [...last, ...oneTimes(a.who, 1, 2)] as Value)
      same(await put(a.link, last.slice(1)), 1, "the five hundredth key")
      await a.link.refused(10, 0, T.putOneTime, 0, last.slice(0, 1) as Value)
      same(
        await left(a),
        [
          [1, 500],
          [2, 0],
        ],
        "keys left",
      )
    },
  },
  {
    title: "a name gets 1,000 keys accepted an hour, then error 11 and an hour",
    req: ["HUB-39"],
    async run(t) {
      const a = await t.join()
      for (let i = 0; i < 10; i++) await put(a.link, oneTimes(a.who, 100), 1)
      await a.link.refused(11, 3_600, T.putOneTime, 0, oneTimes(a.who, 1) as Value)
      await a.link.refused(11, 3_600, T.putOneTime, 1, oneTimes(a.who, 1) as Value)
      same(await left(a), [[1, 100]], "keys left")
    },
  },
  {
    title: "100 keys are a request, 101 are none",
    req: ["HUB-25"],
    async run(t) {
      const a = await t.join()
      const keys = oneTimes(a.who, 101)
      await a.link.refused(1, 0, T.putOneTime, 0, keys as Value)
      same(await put(a.link, keys.slice(1)), 100, "result for 100")
    },
  },
  {
    title: "the owner is told when 20 or fewer are left",
    req: ["HUB-44"],
    async run(t) {
      const a = await t.join({ keys: 23 })
      for (let i = 0; i < 4; i++) check((await take(await t.login(), a.who)) !== null, "a key")
      // LOW_ONE_TIME crosses links without an order: it comes, later than the reply it follows from.
      while (a.link.low.length < 2) await a.link.ok(T.ping)
      same(
        a.link.low,
        [
          [1, 20],
          [1, 19],
        ],
        "LOW_ONE_TIME",
      )
    },
  },
])
