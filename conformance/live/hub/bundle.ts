// Black box, area 3: PUT_BUNDLE, GET_BUNDLE and receipts of the directory (SPEC §6, §11.4).

import type { Value } from "../../../src/encoding.ts"
import { encode } from "../../../src/encoding.ts"
import { openReceipt } from "../../../src/hub/frames.ts"
import {
  type BundleParts,
  bundleOf,
  EK,
  publicX,
  refOf,
  type SignedPair,
  seconds,
  signedBy,
  type Who,
} from "./actors.ts"
import { type Link, sameBytes, T } from "./link.ts"
import { area, check, type Draft, type HubCase, same } from "./trial.ts"

/** Asks for a bundle; its three parts. */
async function fetch(
  link: Link,
  name: string,
  suites: readonly number[] = [],
): Promise<readonly [SignedPair, Value, SignedPair]> {
  const found = await link.ok(T.getBundle, name, suites as Value)
  check(Array.isArray(found) && found.length === 3, "found has three parts")
  return found as never
}

/** A bundle that is error 7, while the good one before it stays. */
function bad(title: string, req: string, make: (who: Who) => SignedPair): Draft {
  return {
    title,
    req: ["HUB-36", req],
    async run(t) {
      const who = t.newcomer()
      const link = await t.login(who)
      const good = bundleOf(who)
      await link.ok(T.putBundle, good as Value)
      await link.refused(7, 0, T.putBundle, make(who) as Value)
      same((await fetch(await t.login(), who.name))[0], good, "the bundle that is served")
    },
  }
}

const parts = (title: string, req: string, change: (who: Who) => BundleParts): Draft =>
  bad(title, req, (who) => bundleOf(who, { seq: 2, ...change(who) }))

const prekey = (suite: number, x: Uint8Array = publicX()): Value => [
  suite,
  x,
  suite === 2 ? EK : null,
]

export const BUNDLE_CASES: readonly HubCase[] = area(3, [
  {
    title: "what was put is served, byte for byte, with a receipt for it",
    req: ["HUB-36", "HUB-46"],
    async run(t) {
      const who = t.newcomer()
      const [link, reader] = [await t.login(who), await t.login()]
      for (const seq of [1, 2, 4_000_000_000]) {
        const bundle = bundleOf(who, { seq, suites: [1, 2] })
        same(await link.ok(T.putBundle, bundle as Value), null, "result of PUT_BUNDLE")
        const [served, oneTime, signed] = await fetch(reader, who.name, [2, 1])
        same([served, oneTime], [bundle, null], "bundle and one-time key")
        const receipt = openReceipt(encode(signed as Value))
        check(sameBytes(receipt.hubIk, reader.hubIk), "the receipt is of the key of the welcome")
        same([receipt.name, receipt.ik, receipt.seq], [who.name, who.ik, seq], "receipt")
        same(receipt.bundleRef, refOf(bundle), "bundle-ref of the receipt")
        check(Math.abs(receipt.time - seconds()) <= 300, "the time of the receipt is now")
      }
    },
  },
  {
    title: "a name that nobody has, and one without a bundle",
    req: ["HUB-41"],
    async run(t) {
      const who = t.newcomer()
      const [link, reader] = [await t.login(who), await t.login()]
      await reader.refused(6, 0, T.getBundle, t.name(), [1])
      await reader.refused(6, 0, T.getBundle, who.name, [1])
      await link.ok(T.putBundle, bundleOf(who) as Value)
      await fetch(reader, who.name)
    },
  },
  {
    title: "seq: lower is stale, the same body again is OK, higher replaces",
    req: ["HUB-37"],
    async run(t) {
      const who = t.newcomer()
      const [link, reader] = [await t.login(who), await t.login()]
      const five = bundleOf(who, { seq: 5 })
      await link.ok(T.putBundle, five as Value)
      await link.refused(8, 0, T.putBundle, bundleOf(who, { seq: 4 }) as Value)
      same(await link.ok(T.putBundle, five as Value), null, "the same body again")
      same((await fetch(reader, who.name))[0], five, "the bundle that is served")
      const six = bundleOf(who, { seq: 6 })
      await link.ok(T.putBundle, six as Value)
      await link.refused(8, 0, T.putBundle, five as Value)
      same((await fetch(reader, who.name))[0], six, "the bundle that is served")
    },
  },
  {
    title: "another body with the same seq is stale",
    req: ["HUB-37"],
    async run(t) {
      const who = t.newcomer()
      const link = await t.login(who)
      const one = bundleOf(who, { seq: 5 })
      await link.ok(T.putBundle, one as Value)
      await link.refused(8, 0, T.putBundle, bundleOf(who, { seq: 5 }) as Value)
      same((await fetch(link, who.name))[0], one, "the bundle that is served")
    },
  },
  {
    title: "seq 2^53-1",
    req: ["HUB-37"],
    async run(t) {
      const who = t.newcomer()
      const link = await t.login(who)
      const last = bundleOf(who, { seq: Number.MAX_SAFE_INTEGER })
      await link.ok(T.putBundle, last as Value)
      await link.refused(8, 0, T.putBundle, bundleOf(who, { seq: seconds() }) as Value)
      same(await link.ok(T.counts), [0, [[1, 0]], Number.MAX_SAFE_INTEGER], "counts")
    },
  },
  bad("a signature of zeros", "BUNDLE-15", (who) => [
    bundleOf(who, { seq: 2 })[0],
    new Uint8Array(64),
  ]),
  bad("one byte of the body", "BUNDLE-15", (who) => {
    const [body, sig] = bundleOf(who, { seq: 2 })
    body[body.length - 3] = (body[body.length - 3] as number) ^ 1
    return [body, sig]
  }),
  bad("signed by another key", "BUNDLE-15", (who) => [
    bundleOf(who, { seq: 2 })[0],
    bundleOf({ ...who, ikSecret: new Uint8Array(32).fill(9) }, { seq: 2 })[1],
  ]),
  parts("another name", "BUNDLE-19", (who) => ({ name: `${who.name}-x` })),
  bad("a bundle of somebody else", "BUNDLE-19", (who) => {
    const other = { ...who, ikSecret: new Uint8Array(32).fill(9) }
    return bundleOf(other, { seq: 2, name: who.name })
  }),
  parts("the label of a one-time key", "BUNDLE-10", () => ({ label: "AgentMesh/1 one-time" })),
  bad("a byte after the body", "BUNDLE-10", (who) => {
    const [body] = bundleOf(who, { seq: 2 })
    return signedBy(who, new Uint8Array([...body, 0]))
  }),
  bad("larger than MAX_BUNDLE", "BUNDLE-10", (who) => {
    const filler: Value = [9, new Uint8Array(8_000)]
    return bundleOf(who, { seq: 2, prekeys: [prekey(1), filler] })
  }),
  parts("expired 302 s ago", "BUNDLE-18", () => ({ notAfter: seconds() - 302 })),
  parts("valid only in ten minutes", "BUNDLE-17", () => ({ notBefore: seconds() + 600 })),
  parts("valid for 30 days and a second", "BUNDLE-16", () => {
    const notBefore = seconds() - 60
    return { notBefore, notAfter: notBefore + 2_592_001 }
  }),
  parts("ended before it began", "BUNDLE-16", () => ({
    notBefore: seconds() + 60,
    notAfter: seconds(),
  })),
  parts("an unknown flag", "BUNDLE-13", () => ({ flags: 2 })),
  parts("no prekeys", "BUNDLE-14", () => ({ suites: [] })),
  parts("five prekeys", "BUNDLE-14", () => ({ prekeys: [prekey(1), prekey(2), [3], [4], [5]] })),
  parts("suites that do not ascend", "BUNDLE-14", () => ({ suites: [2, 1] })),
  parts("a reserved suite", "BUNDLE-14", () => ({ prekeys: [prekey(1), [0xff00, 1]] })),
  parts("a prekey that is dk", "BUNDLE-14", (who) => ({ prekeys: [prekey(1, who.dk)] })),
  parts("dk with bit 255 set", "BUNDLE-12", () => {
    const dk = publicX()
    dk[31] = (dk[31] as number) | 0x80
    return { dk }
  }),
  parts("an encapsulation key outside the modulus", "BUNDLE-12", () => ({
    prekeys: [prekey(1), [2, publicX(), new Uint8Array(1184).fill(0xff)]],
  })),
  {
    title: "prekeys of later suites are no fault, and no pool of the counts",
    req: ["HUB-36"],
    async run(t) {
      const who = t.newcomer()
      const link = await t.login(who)
      const bundle = bundleOf(who, { prekeys: [prekey(1), [3, "later"], [500]] })
      await link.ok(T.putBundle, bundle as Value)
      same(await link.ok(T.counts), [0, [[1, 0]], 1], "counts")
      same((await fetch(link, who.name))[0], bundle, "the bundle that is served")
    },
  },
  {
    title: "a bundle that has expired at the hub would be served; one at its edge is taken",
    req: ["HUB-36", "HUB-41"],
    async run(t) {
      const who = t.newcomer()
      const link = await t.login(who)
      const edge = bundleOf(who, { notAfter: seconds() - 240 })
      await link.ok(T.putBundle, edge as Value)
      same((await fetch(await t.login(), who.name))[0], edge, "the bundle that is served")
    },
  },
  {
    title: "a new bundle leaves one-time keys and mail where they are",
    req: ["HUB-37", "HUB-51"],
    async run(t) {
      const [a, b] = [await t.join({ keys: 3 }), await t.join()]
      await t.mail(b, a.who, "stays")
      await a.link.ok(T.putBundle, bundleOf(a.who, { seq: 2 }) as Value)
      same(await a.link.ok(T.counts), [1, [[1, 3]], 2], "counts")
    },
  },
  {
    title: "LIST: names with a bundle, ascending, greater than `after`",
    req: ["HUB-13"],
    async run(t) {
      const base = t.name()
      const members = ["c", "a", "b"].map((end) => t.newcomer(`${base}.${end}`))
      for (const who of members) {
        const link = await t.login(who)
        if (who !== members[0]) await link.ok(T.putBundle, bundleOf(who) as Value)
      }
      const link = await t.login()
      const list = (await link.ok(T.list, base)) as readonly string[]
      same(
        list.filter((name) => name.startsWith(`${base}.`)),
        [`${base}.a`, `${base}.b`],
        "names",
      )
      const rest = (await link.ok(T.list, `${base}.a`)) as readonly string[]
      same(rest[0], `${base}.b`, "the first name after the first")
      check([...rest].sort().join() === rest.join(), "names ascend")
      check(rest.length <= 256, "at most 256 names")
    },
  },
])
