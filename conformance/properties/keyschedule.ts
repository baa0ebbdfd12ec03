// Properties of SPEC §7: what enters a derivation changes it, and both ends derive alike.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { LOW_ORDER_U, NON_CANONICAL_U } from "../vectorgen/points.ts"
import { property, type Setting } from "./define.ts"
import { bytes, flip, flipped, key32, lengths, pick, seed, uint53 } from "./gen.ts"
import { bundleOf, person } from "./people.ts"
import type { Oracle } from "./trial.ts"

const PURPOSES = ["root", "ratchet", "message-key", "chain-key", "seal", "state"]
const BASE = `09${"00".repeat(31)}`

const suiteOf = ({ suites }: Setting): fc.Arbitrary<1 | 2> => fc.constantFrom(...suites)

const context = fc.array(
  fc.oneof(
    uint53.map((n) => ["uint", String(n)]),
    bytes(lengths(64)).map((data) => ["bytes", data]),
    fc.constantFrom("", "a").map((text) => ["text", text]),
    fc.constant(["null"]),
  ),
  { maxLength: 4 },
)

/** A key pair of an exchange: the public half, and the secret as operations take it. */
async function exchange(
  oracle: Oracle,
  suite: number,
  of: string,
): Promise<{ pub: JsonObject & { x: string; ek: string | null }; own: JsonObject }> {
  const owner = await person(oracle, "a", of)
  const { bundle, prekeys } = await bundleOf(oracle, owner, [suite])
  const secret = prekeys[0] as (typeof prekeys)[number]
  const { shared } = await oracle.ok("suite.dh", { secret: secret.x, remote: BASE })
  const ek = suite === 2 ? bundle.slice(-2 * (66 + 1_184), -2 * 66) : null
  return { pub: { x: shared as string, ek }, own: { x: secret.x, kem: secret.kem } }
}

export const KEYSCHEDULE_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{
        id: "keyschedule-p01",
        title: "a derivation depends on secret, purpose, suite, context",
      },
      ...{ req: "KEYSCHEDULE-2", tier: 0, runs: 60 },
    },
    (setting) =>
      fc.tuple(
        ...([key32, fc.nat(5), suiteOf(setting), context, lengths(255), fc.nat(2)] as const),
      ),
    async (trial, [secret, which, suite, held, more, change]) => {
      const args = {
        secret,
        purpose: pick(PURPOSES, which),
        suite,
        context: held,
        length: 32 + more,
      }
      const { ok } = await trial.same("keyschedule.expand", args)
      const other = [
        { ...args, purpose: pick(PURPOSES, which + 1) },
        { ...args, context: [...held, ["null"]] },
        { ...args, secret: flipped(trial, secret, { at: more, bit: change }) },
      ][change] as JsonObject
      const { ok: second } = await trial.same("keyschedule.expand", other)
      trial.check(ok?.["okm"] !== second?.["okm"], "two derivations give the same keys")
    },
  ),
  property(
    {
      ...{
        id: "keyschedule-p02",
        title: "a chain can be walked in any strides; guards part the keys",
      },
      ...{ req: "KEYSCHEDULE-2 KEYSCHEDULE-6", tier: 0, runs: 60 },
    },
    (setting) =>
      fc.tuple(
        ...([suiteOf(setting), key32, key32, fc.nat(60), fc.nat(60)] as const),
        ...([bytes(16), flip, fc.constantFrom("guard", "th", "ck")] as const),
      ),
    async (trial, [suite, th, ck, n, m, guard, where, field]) => {
      const args = { suite, th, ck, n: n + m + 1, guard }
      const { ok: whole } = await trial.same("keyschedule.message", args)
      const { ok: half } = await trial.same("keyschedule.message", { ...args, n })
      const rest = { ...args, ck: half?.["ck"] as string, n: m }
      await trial.ok("keyschedule.message", rest, whole && without(whole))
      const changed = { ...args, [field]: flipped(trial, args[field as "ck"], where) }
      const { ok: other } = await trial.same("keyschedule.message", changed)
      trial.check(other?.["sealKey"] !== whole?.["sealKey"], `${field} does not part the keys`)
    },
  ),
  property(
    {
      ...{
        id: "keyschedule-p03",
        title: "a step depends on all of session, block and what it answers",
      },
      ...{ req: "KEYSCHEDULE-2", tier: 0, runs: 60 },
    },
    (setting) =>
      fc.tuple(
        ...([suiteOf(setting), fc.array(key32, { minLength: 5, maxLength: 5 })] as const),
        ...([bytes(1_184), bytes(1_088), bytes(1_184), flip, fc.nat(7)] as const),
      ),
    async (trial, [suite, [th, rk, secret, x, y], ek, kemCt, ek2, where, which]) => {
      const kem = suite === 2
      const block = { x: x as string, ek: kem ? ek : null, kemCt: kem ? kemCt : null }
      const answered = { x: y as string, ek: kem ? ek2 : null }
      const base = { th: th as string, rk: rk as string, secret: secret as string }
      const { ok } = await trial.same("keyschedule.ratchet", { suite, ...base, block, answered })
      const turn = (value: string) => flipped(trial, value, where)
      const ways: readonly (() => JsonObject)[] = [
        () => ({ th: turn(base.th) }),
        () => ({ rk: turn(base.rk) }),
        () => ({ secret: turn(base.secret) }),
        () => ({ block: { ...block, x: turn(block.x) } }),
        () => ({ answered: { ...answered, x: turn(answered.x) } }),
        () => ({ block: { ...block, ek: turn(ek) } }),
        () => ({ block: { ...block, kemCt: turn(kemCt) } }),
        () => ({ answered: { ...answered, ek: turn(ek2) } }),
      ]
      const change = pick(kem ? ways : ways.slice(0, 5), which)()
      const args = { suite, ...base, block, answered, ...change }
      const { ok: other } = await trial.same("keyschedule.ratchet", args)
      const apart = other?.["rk"] !== ok?.["rk"] && other?.["ck"] !== ok?.["ck"]
      trial.check(apart, `${Object.keys(change)[0]} does not part the keys`)
    },
  ),
  property(
    {
      ...{ id: "keyschedule-p04", title: "the receiver finds the sender's secret, or a bad key" },
      ...{ req: "KEYSCHEDULE-7 KEYSCHEDULE-8 SUITE-10 SUITE-15", tier: 0, runs: 25 },
    },
    (setting) =>
      fc.tuple(
        suiteOf(setting),
        fc.uniqueArray(seed, { minLength: 2, maxLength: 2 }),
        flip,
        fc.nat(20),
      ),
    async (trial, [suite, [one, two], where, which]) => {
      const { oracle } = trial
      const sender = await exchange(oracle, suite, one as string)
      const receiver = await exchange(oracle, suite, two as string)
      const args = { secret: sender.own["x"] as string, remote: receiver.pub.x }
      const shared = (await oracle.ok("suite.dh", args))["shared"] as string
      const { ek } = receiver.pub
      const kem = ek === null ? null : await oracle.ok("suite.encaps", { ek, m: one as string })
      const block = { ...sender.pub, kemCt: (kem?.["ct"] ?? null) as string | null }
      const secret = shared + (kem ? (kem["ss"] as string) : "")
      await trial.ok("keyschedule.exchange", { own: receiver.own, block }, { secret })
      const x = pick([...NON_CANONICAL_U, ...LOW_ORDER_U], which)[1]
      const bad = { own: receiver.own, block: { ...block, x } }
      await trial.reject("keyschedule.exchange", bad, "suite/bad-key")
      if (block.kemCt === null) return
      const wide = { own: receiver.own, block: { ...block, ek: `ffff${block.ek?.slice(4)}` } }
      await trial.reject("keyschedule.exchange", wide, "suite/bad-key")
      const changed = {
        own: receiver.own,
        block: { ...block, kemCt: flipped(trial, block.kemCt, where) },
      }
      const { ok } = await trial.same("keyschedule.exchange", changed)
      trial.check(ok?.["secret"] !== secret, "another ciphertext gives the same secret")
    },
  ),
  property(
    {
      ...{ id: "keyschedule-p05", title: "no two keys of a chain are equal, in either suite" },
      ...{ req: "KEYSCHEDULE-2 SUITE-3", tier: 0, runs: 10 },
    },
    () => fc.tuple(key32, key32, bytes(16), fc.integer({ min: 1, max: 12 })),
    async (trial, [th, ck, guard, length]) => {
      const seen = new Set<string>([ck])
      let count = 1
      for (const suite of trial.hello.suites) {
        for (let n = 0; n < length; n++) {
          const { ok = {} } = await trial.same("keyschedule.message", { suite, th, ck, n, guard })
          const sealKey = ok["sealKey"] as string
          for (const key of [ok["mk"] as string, ok["ck"] as string, sealKey]) seen.add(key)
          count += 3
        }
      }
      trial.equal(seen.size, count, "different keys")
    },
  ),
]

function without({ trace: _trace, ...rest }: JsonObject): JsonObject {
  return rest
}
