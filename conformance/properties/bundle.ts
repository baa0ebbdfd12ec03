// Properties of SPEC §6: bundles, one-time keys, contact cards.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { sha256Hex } from "../values.ts"
import { array, bstr, tstr } from "../vectorgen/raw.ts"
import { property } from "./define.ts"
import { flip, flipped, NOW, name, pick, seed } from "./gen.ts"
import {
  type Body,
  bundleOf,
  type Person,
  type Prekey,
  person,
  signed,
  writeBody,
} from "./people.ts"
import type { Oracle } from "./trial.ts"

const DAY = 86_400

/** X25519 keys: distinct public keys of small secrets. */
export async function publicOf(oracle: Oracle, n: number): Promise<string> {
  const secret = (n + 1).toString(16).padStart(2, "0").repeat(32)
  return (await oracle.ok("suite.dh", { secret, remote: `09${"00".repeat(31)}` }))[
    "shared"
  ] as string
}

async function plainBody(oracle: Oracle, who: Person, extra: Partial<Body> = {}): Promise<Body> {
  const prekeys = [{ suite: 1, x: await publicOf(oracle, 3), ek: null }]
  const { name, ik } = who.peer
  const times = { notBefore: NOW - 3600, notAfter: NOW + DAY }
  return { name, ik, dk: who.dk, seq: NOW, flags: 0, prekeys, ...times, ...extra }
}

/** Defects of a bundle in its context, in the order in which they are looked for (SPEC §6.4). */
const DEFECTS = [
  ["identity/name", { body: { name: "Bob" } }],
  ["suite/bad-key", { body: { dk: "ff".repeat(32) } }],
  ["bundle/flags", { body: { flags: 2 } }],
  ["bundle/prekeys", { body: { prekeys: [] } }],
  ["bundle/signature", { unsigned: true }],
  ["bundle/lifetime", { body: { notBefore: NOW - 40 * DAY } }],
  ["bundle/not-yet-valid", { now: NOW - 3600 - 301 }],
  ["bundle/expired", { now: NOW + DAY + 301 }],
  ["bundle/name-mismatch", { context: { name: "somebody-else" } }],
  ["identity/fingerprint", { context: { fingerprint: "0000:0000:0000:0000:0000:0000:0000:0000" } }],
  ["identity/changed", { context: { pinned: "00".repeat(32) } }],
  ["bundle/rollback", { context: { known: { seq: NOW + 1, ref: null } } }],
  ["bundle/equivocation", { context: { known: { seq: NOW, ref: "00".repeat(32) } } }],
] as const

type Defect = {
  body?: Partial<Body>
  unsigned?: true
  now?: number
  context?: JsonObject
}

const prekeyPlan = fc.record({
  suite: fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 0xfeff, 0xff00, 0xffff), fc.nat(5)),
  x: fc.nat(5),
  odd: fc.nat(3),
})

/** The verdict of checks 3 and 5 on a list of well-formed prekeys; `dk` is key number 0. */
function judgePrekeys(plan: readonly { readonly suite: number; readonly x: number }[]): string {
  const suites = plan.map(({ suite }) => suite)
  const known = plan.filter(({ suite }) => suite === 1 || suite === 2).map(({ x }) => x)
  const ascending = suites.every((suite, i) => i === 0 || suite > (suites[i - 1] as number))
  const reserved = suites.some((suite) => suite === 0 || suite >= 0xff00)
  const repeated = new Set([0, ...known]).size !== known.length + 1
  const count = plan.length >= 1 && plan.length <= 4
  return count && ascending && !reserved && !repeated ? "ok" : "bundle/prekeys"
}

export const BUNDLE_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{
        id: "bundle-p01",
        title: "a bundle that is made is accepted, and is the one of its draws",
      },
      ...{ req: "SUITE-6 ENCODING-1 BUNDLE-16", tier: 1, runs: 25 },
    },
    ({ suites }) =>
      fc.tuple(
        ...([name, seed, fc.subarray([...suites], { minLength: 1 }), fc.nat(1)] as const),
        ...([fc.constantFrom(1, 3600, 30 * DAY, 31 * DAY), fc.nat(2 ** 31)] as const),
      ),
    async (trial, [who, of, suites, flags, lifetime, seq]) => {
      const owner = await person(trial.oracle, who, of)
      const args = { identity: owner.identity, seed: of, seq, now: NOW, suites, flags, lifetime }
      const made = trial.deterministic
        ? (await trial.same("bundle.create", args)).ok
        : await trial.ok("bundle.create", args)
      const bytes = made?.["bundle"] as string
      const context = { now: NOW, name: who, pinned: owner.peer.ik }
      const result = await trial.oracle.ok("bundle.accept", { bytes, context })
      trial.equal([result["seq"] as number, result["suites"] as never], [seq, suites], "bundle")
      const { digest } = result
      await trial.ok("bundle.accept", { bytes, context }, { digest: digest as string, seq })
    },
  ),
  property(
    {
      ...{ id: "bundle-p02", title: "no bit of a bundle can change" },
      ...{ req: "BUNDLE-10 BUNDLE-15", tier: 0, runs: 60 },
    },
    () => fc.tuple(seed, flip, fc.constantFrom([1], [1, 2])),
    async (trial, [of, where, suites]) => {
      const owner = await person(trial.oracle, "bob", of)
      const { bundle } = await bundleOf(trial.oracle, owner, suites)
      const context = { now: NOW }
      await trial.ok("bundle.accept", { bytes: bundle, context })
      const bytes = flipped(trial, bundle, where)
      const reply = await trial.same("bundle.accept", { bytes, context })
      trial.check(reply.ok === undefined, "a changed bundle is accepted")
    },
  ),
  property(
    {
      ...{ id: "bundle-p03", title: "a bundle is valid exactly in its time, with 300 s of grace" },
      ...{ req: "BUNDLE-16 BUNDLE-17 BUNDLE-18", tier: 0, runs: 80 },
    },
    () =>
      fc.tuple(
        ...([fc.constantFrom(-1, 0, 1, 2, DAY, 30 * DAY, 30 * DAY + 1, 31 * DAY)] as const),
        ...([fc.constantFrom("before", "after"), fc.integer({ min: -2, max: 2 })] as const),
      ),
    async (trial, [lifetime, edge, off]) => {
      const owner = await person(trial.oracle, "bob", seedA)
      const notBefore = NOW
      const notAfter = NOW + lifetime
      const body = writeBody(await plainBody(trial.oracle, owner, { notBefore, notAfter }))
      const bytes = await signed(trial.oracle, body, owner.identity.ikSecret)
      const now = edge === "before" ? notBefore - 300 + off : notAfter + 300 + off
      const early = now < notBefore - 300
      const late = now > notAfter + 300
      const verdict =
        lifetime <= 0 || lifetime > 30 * DAY
          ? "bundle/lifetime"
          : early
            ? "bundle/not-yet-valid"
            : late
              ? "bundle/expired"
              : "ok"
      await trial.ends("bundle.accept", { bytes, context: { now } }, verdict)
    },
  ),
  property(
    {
      ...{ id: "bundle-p04", title: "of several defects the first in order decides" },
      ...{ req: "BUNDLE-11 BUNDLE-12 BUNDLE-13 BUNDLE-14 BUNDLE-15 BUNDLE-19 BUNDLE-20 BUNDLE-21" },
      ...{ tier: 0, runs: 100 },
    },
    () => fc.subarray([...DEFECTS.keys()], { maxLength: 4 }),
    async (trial, chosen) => {
      const owner = await person(trial.oracle, "bob", seedA)
      let body = await plainBody(trial.oracle, owner)
      let context: JsonObject = { now: NOW }
      let unsigned = false
      for (const index of chosen) {
        const [, defect] = DEFECTS[index] as readonly [string, Defect]
        body = { ...body, ...defect.body }
        context = { ...context, ...(defect.now ? { now: defect.now } : {}), ...defect.context }
        unsigned ||= defect.unsigned === true
      }
      // Two clocks at once: the later one stands; rollback and equivocation share a field, too.
      const has = (code: string) => chosen.some((index) => DEFECTS[index]?.[0] === code)
      const undone = (code: string) =>
        (code === "bundle/not-yet-valid" && has("bundle/expired")) ||
        (code === "bundle/rollback" && has("bundle/equivocation")) ||
        (code === "bundle/not-yet-valid" && has("bundle/lifetime"))
      const codes = chosen.map((index) => DEFECTS[index]?.[0] as string).filter((c) => !undone(c))
      const text = writeBody(body)
      const by = unsigned ? "99".repeat(32) : owner.identity.ikSecret
      const bytes = await signed(trial.oracle, text, by)
      await trial.ends("bundle.accept", { bytes, context }, codes[0] ?? "ok")
    },
  ),
  property(
    {
      ...{
        id: "bundle-p05",
        title: "prekeys: one to four, ascending, none reserved, each key once",
      },
      ...{ req: "BUNDLE-14", tier: 0, runs: 120 },
    },
    () =>
      fc
        .tuple(fc.array(prekeyPlan, { maxLength: 6, size: "max" }), fc.boolean())
        .map(([plan, tidy]) =>
          // Half of the lists are in order, so that the other rules decide.
          tidy ? plan.toSorted((a, b) => a.suite - b.suite) : plan,
        ),
    async (trial, plan) => {
      const { oracle } = trial
      const owner = await person(oracle, "bob", seedA)
      const ek = await kemKey(oracle, owner)
      const keys = await Promise.all(Array.from({ length: 6 }, (_, i) => publicOf(oracle, i)))
      const prekeys = plan.map(({ suite, x }): Prekey => {
        return { suite, x: keys[x] as string, ek: suite === 2 ? ek : null }
      })
      const dk = keys[0] as string
      const text = writeBody(await plainBody(oracle, owner, { dk, prekeys }))
      const bytes = await signed(oracle, text, owner.identity.ikSecret)
      await trial.ends("bundle.accept", { bytes, context: { now: NOW } }, judgePrekeys(plan))
    },
  ),
  property(
    {
      ...{ id: "bundle-p08", title: "a signature over anything else certifies no bundle" },
      ...{ req: "BUNDLE-15", tier: 0, runs: 60 },
    },
    () =>
      fc.tuple(
        seed,
        seed,
        fc.constantFrom("key", "dk", "prekey", "name", "hash", "wrapped", "label"),
      ),
    async (trial, [of, other, how]) => {
      const { oracle } = trial
      const owner = await person(oracle, "bob", of)
      const body = await plainBody(oracle, owner)
      const text = writeBody(body)
      const { ikSecret } = owner.identity
      const context = { now: NOW }
      const bytes = await signed(oracle, text, ikSecret)
      await trial.ok("bundle.accept", { bytes, context })
      const foreign = await person(oracle, "bob", other === of ? "77".repeat(32) : other)
      const x = await publicOf(oracle, 9)
      const signedText = {
        key: text,
        dk: writeBody({ ...body, dk: foreign.dk }),
        prekey: writeBody({ ...body, prekeys: [{ suite: 1, x, ek: null }] }),
        name: writeBody({ ...body, name: "bobby" }),
        hash: await sha256Hex(text),
        wrapped: array(tstr("AgentMesh/1 bundle"), bstr(text)),
        label: writeBody(body, "AgentMesh/1 one-time"),
      }[how]
      const by = how === "key" ? foreign.identity.ikSecret : ikSecret
      const { signature } = await oracle.ok("suite.sign", { seed: by, message: signedText })
      const forged = array(bstr(text), bstr(signature as string))
      await trial.reject("bundle.accept", { bytes: forged, context }, "bundle/signature")
    },
  ),
]

const seedA = pick([`a5${"00".repeat(31)}`], 0)

/** A valid encapsulation key. */
async function kemKey(oracle: Oracle, who: Person): Promise<string> {
  const { bundle } = await bundleOf(oracle, who, [2])
  return bundle.slice(-2 * (66 + 1_184), -2 * 66)
}
