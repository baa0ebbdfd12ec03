// Properties of SPEC §11 about single frames: shapes, both signatures of a login, receipts.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { sha256Hex } from "../values.ts"
import { array, bstr, tstr, uint } from "../vectorgen/raw.ts"
import { property } from "./define.ts"
import {
  bytes,
  cut,
  extended,
  flip,
  flipped,
  key32,
  lengths,
  NOW,
  name,
  pick,
  seed,
  seedOf,
} from "./gen.ts"
import { framing, hello, hubOf, leaving } from "./hubs.ts"
import { bundleOf, person } from "./people.ts"
import type { Oracle } from "./trial.ts"

const rid = fc.constantFrom(1, 23, 24, 255, 256, 2 ** 32 - 1)
const text = name.map((value) => tstr(value))
const small = fc.nat(70_000).map((n) => uint(n))
const mseqs = fc.array(small, { minLength: 1, maxLength: 30 }).map((list) => array(...list))
const blob = bytes(lengths(300)).map((data) => bstr(data))
const limits = fc.array(small, { minLength: 8, maxLength: 8 }).map((list) => array(...list))
const signed = fc
  .tuple(bytes(lengths(300)), bytes(64))
  .map(([body, sig]) => array(bstr(body), bstr(sig)))

const fixed = (data: fc.Arbitrary<string>): fc.Arbitrary<string> => data.map((it) => bstr(it))
const ofType = (type: number, ...items: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...items).map((parts) => array(uint(type), ...parts))

/** Well-formed frames of every type. */
function everyFrame(): fc.Arbitrary<string> {
  const zero = fc.constant("00")
  const id = rid.map((n) => uint(n))
  const versions = fc.array(small, { minLength: 1, maxLength: 8 }).map((list) => array(...list))
  const suites = fc.subarray([1, 2, 3, 9]).map((list) => array(...list.map((n) => uint(n))))
  return fc.oneof(
    ofType(1, zero, versions, fixed(key32)),
    ofType(2, zero, small, fixed(key32), fixed(key32), limits, fixed(bytes(64))),
    ofType(3, zero, text, fixed(key32), fixed(bytes(64))),
    ofType(10, id, signed),
    ofType(
      11,
      id,
      fc.constantFrom("00", "01"),
      fc.array(signed, { maxLength: 4 }).map((list) => array(...list)),
    ),
    ofType(12, id, text, suites),
    ofType(13, id, text, fixed(bytes(16)), blob),
    ofType(14, id, mseqs),
    ofType(15, id, fc.oneof(text, fc.constant("60"))),
    ofType(16, id),
    ofType(17, id),
    ofType(30, zero, small, text, blob),
    ofType(31, zero, fc.constantFrom("01", "02"), small),
  )
}

interface Told {
  readonly name: number
  readonly ik: number
  readonly seq: number
  readonly ref: number
  readonly time: number
  readonly hub: number
}

const told = fc.record({
  ...{ name: fc.nat(1), ik: fc.nat(1), seq: fc.nat(2), ref: fc.nat(1), time: fc.nat(2) },
  hub: fc.nat(5).map((n) => Number(n === 5)),
})

/** SPEC §11.4, compareReceipts. */
function compare(a: Told, b: Told): string {
  if (a.hub !== 0 || b.hub !== 0 || a.name !== b.name) return "none"
  if (a.ik !== b.ik) return "hub-fault"
  if (a.time < b.time ? a.seq > b.seq : b.time < a.time && b.seq > a.seq) return "hub-fault"
  return a.seq === b.seq && a.ref !== b.ref ? "owner-or-hub-fault" : "none"
}

async function receiptOf(oracle: Oracle, it: Told): Promise<string> {
  const owner = await person(oracle, `owner-${it.name}`, seedOf(900 + it.ik))
  const made = await oracle.ok("hub.receipt", {
    ...{ seed: seedOf(800 + it.hub), owner: owner.peer, ref: `0${it.ref}`.repeat(32) },
    ...{ seq: 10 + it.seq, time: NOW + it.time },
  })
  return made["receipt"] as string
}

async function hubKey(oracle: Oracle, n: number): Promise<string> {
  return (await hubOf(oracle, n - 0x4b00_0000)).hubIk
}

export const HUB_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "hub-p01", title: "a frame has exactly one shape, and a hash over its bytes" },
      ...{ req: "HUB-1 HUB-20 HUB-25 HUB-54", tier: 0, runs: 150 },
    },
    () => fc.tuple(everyFrame(), fc.nat(0xffff), fc.constantFrom("cut", "extend", "more", "less")),
    async (trial, [frame, keep, how]) => {
      const frameHash = await sha256Hex(array(tstr("AgentMesh/1 frame"), bstr(frame)))
      await trial.ok("hub.decode", { bytes: frame }, { frameHash })
      const first = Number.parseInt(frame.slice(0, 2), 16)
      const head = (n: number) => (first + n).toString(16).padStart(2, "0")
      const bad = {
        cut: () => cut(trial, frame, keep),
        extend: () => extended(trial, frame, "00"),
        more: () => `${head(1)}${frame.slice(2)}f6`,
        less: () => `${head(-1)}${frame.slice(2)}`,
      }[how]()
      await trial.reject("hub.decode", { bytes: bad }, "hub/malformed")
    },
  ),
  property(
    {
      ...{ id: "hub-p02", title: "an agent answers only the welcome of its hub to its hello" },
      ...{ req: "HUB-53", tier: 1, needs: ["role-agent"], runs: 50 },
    },
    () => fc.tuple(seed, fc.nat(0xff), flip, fc.constantFrom("hello", "welcome", "pin", "none")),
    async (trial, [of, n, where, what]) => {
      const { oracle } = trial
      const who = await person(oracle, "alice", of)
      const hub = await hubOf(oracle, n)
      const first = hello(n)
      const answer = leaving(await oracle.ok("hub.frame", framing(hub, "l", first, NOW)))
      const welcome = answer.get("l")?.[0] as string
      const args = { identity: who.identity, hello: first, welcome, pinned: hub.hubIk }
      const { frame } = await trial.ok("hub.auth", args)
      await oracle.ok("hub.frame", framing(hub, "l", frame as string, NOW))
      const bad: JsonObject = {
        hello: () => ({ hello: hello(n + 1) }),
        welcome: () => ({ welcome: flipped(trial, welcome, where) }),
        pin: () => ({ pinned: who.peer.ik }),
        none: () => ({ welcome: flipped(trial, welcome, where), pinned: null }),
      }[what]()
      const reply = await trial.same("hub.auth", { ...args, ...bad })
      trial.check(reply.ok === undefined, `answered in spite of another ${what}`)
    },
  ),
  property(
    {
      ...{
        id: "hub-p03",
        title: "a hub believes only a signature over this link's hello and welcome",
      },
      ...{ req: "HUB-26 HUB-27 HUB-28", tier: 2, needs: ["role-hub"], runs: 30 },
    },
    () =>
      fc.tuple(seed, fc.nat(0xff), flip, fc.constantFrom("sig", "ik", "name", "replay", "relay")),
    async (trial, [of, n, where, what]) => {
      const { oracle } = trial
      const who = await person(oracle, "alice", of)
      const hub = await hubOf(trial, n)
      const open = async (link: string, first: string): Promise<string> => {
        const reply = await trial.ok("hub.frame", framing(hub, link, first, NOW))
        return leaving(reply).get(link)?.[0] as string
      }
      const auth = async (first: string, welcome: string): Promise<string> => {
        const args = { identity: who.identity, hello: first, welcome, pinned: null }
        return (await oracle.ok("hub.auth", args))["frame"] as string
      }
      const good = await auth(hello(n), await open("a", hello(n)))
      await trial.ok("hub.frame", framing(hub, "a", good, NOW))
      const second = await auth(hello(n + 1), await open("b", hello(n + 1)))
      const foreign = await hubOf(oracle, n + 1)
      const relayed = leaving(
        await oracle.ok("hub.frame", framing(foreign, "x", hello(n + 1), NOW)),
      )
      const size = second.length / 2
      const bad = {
        sig: () => flipped(trial, second, where, size - 64, size),
        ik: () => flipped(trial, second, where, size - 66 - 32, size - 66),
        name: () => second.replace("65616c696365", "65616c696366"),
        replay: () => good,
        relay: () => auth(hello(n + 1), relayed.get("x")?.[0] as string),
      }[what]()
      await trial.reject(
        "hub.frame",
        framing(hub, "b", await bad, NOW),
        "hub/auth-failed",
        "unchanged",
      )
    },
  ),
  property(
    {
      ...{
        id: "hub-p04",
        title: "receipts bind a reply to its hub, and two of them show who is at fault",
      },
      ...{ req: "HUB-59 HUB-60", tier: 0, runs: 40 },
    },
    () => fc.tuple(told, told, flip, fc.constantFrom(-301, -300, 0, 300, 301), fc.nat(5)),
    async (trial, [one, two, where, late, which]) => {
      const { oracle } = trial
      const hubIk = await hubKey(oracle, 800)
      const [a, b] = [await receiptOf(oracle, one), await receiptOf(oracle, two)]
      const verdict = compare(one, two)
      await trial.ok("hub.compareReceipts", { a, b, hubIk }, { verdict })
      await trial.ok("hub.compareReceipts", { a: b, b: a, hubIk }, { verdict })
      const forged = flipped(trial, a, where)
      await trial.ok("hub.compareReceipts", { a: forged, b, hubIk }, { verdict: "none" })
      const owner = await person(oracle, "owner-0", seedOf(900))
      const { bundle, ref } = await bundleOf(oracle, owner, [1])
      const receipt = { owner: owner.peer, ref, seq: NOW, time: NOW }
      const good = await oracle.ok("hub.receipt", { seed: seedOf(800), ...receipt })
      const args = { receipt: good["receipt"] as string, bundle, hubIk, now: NOW }
      await trial.ok("hub.checkReceipt", args)
      const clock = { ...args, now: NOW + late }
      await trial.ends("hub.checkReceipt", clock, Math.abs(late) > 300 ? "hub/malformed" : "ok")
      const other = await person(oracle, "owner-1", seedOf(901))
      const wrong = pick(
        [
          { seq: NOW + 1 },
          { ref: "00".repeat(32) },
          { owner: { ...owner.peer, name: "owner-1" } },
          { owner: { ...owner.peer, ik: other.peer.ik } },
          { seed: seedOf(801) },
        ],
        which,
      )
      const bad = await oracle.ok("hub.receipt", { seed: seedOf(800), ...receipt, ...wrong })
      const reject = { ...args, receipt: bad["receipt"] as string }
      await trial.reject("hub.checkReceipt", reject, "hub/malformed")
    },
  ),
]
