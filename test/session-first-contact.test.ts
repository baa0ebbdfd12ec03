// SPEC §6: bundles, one-time keys and cards at the limits of time, size and order.

import { expect, test } from "vitest"
import {
  acceptBundle,
  acceptOneTimeKey,
  type Bundle,
  type BundleContext,
  createBundle,
  createOneTimeKey,
  decodeCard,
  encodeCard,
  ONE_TIME_REQUIRED,
  openBundle,
} from "../src/bundle.ts"
import { decode, encode, type Value } from "../src/encoding.ts"
import { fingerprint } from "../src/identity.ts"
import {
  CLOCK_SKEW,
  MAX_BUNDLE,
  MAX_BUNDLE_LIFETIME,
  MAX_ONE_TIME_LIFETIME,
  NOT_BEFORE_MARGIN,
  ONE_TIME_LIFETIME,
} from "../src/limits.ts"
import { sign } from "../src/suite.ts"
import { codeOf, NOW, Party, SUITES } from "./support-session/kit.ts"

const bob = new Party("bob")
const mallory = new Party("mallory")
const own = bob.bundle()
const bodyOf = (signed: Uint8Array) =>
  decode((decode(signed) as readonly Uint8Array[])[0] as Uint8Array) as readonly Value[]
const FIELDS = bodyOf(own.bytes)
const [NAME, DK, SEQ, FROM, UNTIL, FLAGS, PREKEYS] = [1, 3, 4, 5, 6, 7, 8]

/** A bundle of Bob with some fields changed and signed anew, by him or with `signature`. */
function remade(changes: Record<number, Value>, signature?: Uint8Array): Uint8Array {
  const body = encode(FIELDS.map((value, i) => (i in changes ? (changes[i] as Value) : value)))
  return encode([body, signature ?? sign(bob.own.ikSecret, body)])
}
const accept = (bytes: Uint8Array, context: Partial<BundleContext> = {}) =>
  codeOf(() => acceptBundle(bytes, { now: NOW, ...context }))
const one = (at: number | undefined, value: Value) => ({ [at as number]: value })

test("a bundle lives for as long as it says, give or take 300 s (BUNDLE-17, BUNDLE-18)", () => {
  const { notBefore, notAfter } = own
  expect([notBefore, notAfter]).toEqual([
    NOW - NOT_BEFORE_MARGIN,
    NOW - NOT_BEFORE_MARGIN + MAX_BUNDLE_LIFETIME,
  ])
  const at = (now: number) => accept(own.bytes, { now })
  expect(at(notBefore - CLOCK_SKEW - 1)).toBe("bundle/not-yet-valid")
  expect(at(notBefore - CLOCK_SKEW)).toBe("ok")
  expect(at(notAfter + CLOCK_SKEW)).toBe("ok")
  expect(at(notAfter + CLOCK_SKEW + 1)).toBe("bundle/expired")
})

test("lifetimes: above zero, and 30 days at most (BUNDLE-16)", () => {
  for (const [from, until, code] of [
    [NOW, NOW + MAX_BUNDLE_LIFETIME, "ok"],
    [NOW, NOW + MAX_BUNDLE_LIFETIME + 1, "bundle/lifetime"],
    [NOW, NOW + 1, "ok"],
    [NOW, NOW, "bundle/lifetime"],
    [NOW + 1, NOW, "bundle/lifetime"],
    [0, 2 ** 53 - 1, "bundle/lifetime"],
    [0, 1, "bundle/expired"],
  ] as const) {
    expect(accept(remade({ ...one(FROM, from), ...one(UNTIL, until) }))).toBe(code)
  }
})

test("a bundle made near the beginning of time, and one with a lifetime of its own", () => {
  const early = createBundle(bob.own, { seq: 1, now: 10, suites: [1] }, bob.draw)
  expect(early.notBefore).toBe(0)
  const short = { seq: 1, now: NOW, suites: [1] as const, lifetime: 60 }
  expect(createBundle(bob.own, short, bob.draw).notAfter).toBe(NOW + 60)
})

/** One fault for each check of SPEC §6.4, in its order. */
const [suite1, suite2] = FIELDS[PREKEYS as number] as readonly (readonly Value[])[]
const FAULTS: readonly {
  code: string
  fields?: Record<number, Value>
  context?: Partial<BundleContext>
  signature?: Uint8Array
}[] = [
  { code: "encoding/shape", fields: one(0, "AgentMesh/1 one-time") }, // BUNDLE-10
  { code: "identity/name", fields: one(NAME, "Bob") }, // BUNDLE-11
  { code: "suite/bad-key", fields: one(DK, new Uint8Array(32).fill(255)) }, // BUNDLE-12
  { code: "bundle/flags", fields: one(FLAGS, 2) }, // BUNDLE-13
  { code: "bundle/prekeys", fields: one(PREKEYS, []) }, // BUNDLE-14
  { code: "bundle/signature", signature: new Uint8Array(64) }, // BUNDLE-15
  { code: "bundle/lifetime", fields: { ...one(FROM, NOW + 700), ...one(UNTIL, NOW + 700) } },
  { code: "bundle/not-yet-valid", context: { now: NOW - 90_000 } },
  { code: "bundle/expired", context: { now: NOW + 40 * 86_400 } },
  { code: "bundle/name-mismatch", context: { name: "carol" } }, // BUNDLE-19
  { code: "identity/fingerprint", context: { fingerprint: fingerprint(mallory.own.ik) } },
  { code: "identity/changed", context: { pinned: mallory.own.ik } }, // BUNDLE-21
  { code: "bundle/rollback", context: { known: { seq: own.seq + 1, ref: null } } }, // BUNDLE-22
  {
    code: "bundle/equivocation", // BUNDLE-23
    context: { known: { seq: own.seq, ref: new Uint8Array(32) } },
  },
]

test("each fault alone, and of two faults the earlier check decides (BUNDLE-10 to BUNDLE-23)", () => {
  const judge = (...list: (typeof FAULTS)[number][]) => {
    const fields = Object.assign({}, ...list.map((fault) => fault.fields ?? {}))
    const signature = list.find((fault) => fault.signature)?.signature
    const context = Object.assign({}, ...list.map((fault) => fault.context ?? {}))
    return accept(remade(fields, signature), context)
  }
  expect(judge()).toBe("ok")
  for (const [i, first] of FAULTS.entries()) {
    expect(judge(first)).toBe(first.code)
    for (const second of FAULTS.slice(i + 1)) {
      const times = ["bundle/not-yet-valid", "bundle/expired"]
      const exclusive = [first, second].every(({ code }) => times.includes(code))
      const knowns = first.context?.known && second.context?.known
      if (exclusive || knowns) continue
      expect(judge(first, second), `${first.code}, ${second.code}`).toBe(first.code)
    }
  }
})

test("prekeys: one to four, ascending, no reserved suite, no key in two places (BUNDLE-14)", () => {
  const unknown = (suite: number): Value => [suite, "anything", [null]]
  const prekeys = (...list: Value[]) => accept(remade(one(PREKEYS, list)))
  if (!suite1 || !suite2) throw new Error("two prekeys")
  expect(prekeys(suite1, suite2, unknown(3), unknown(0xfeff))).toBe("ok")
  expect(prekeys(unknown(3))).toBe("ok")
  expect(prekeys([3])).toBe("ok")
  for (const list of [
    [suite1, suite2, unknown(3), unknown(4), unknown(5)],
    [suite2, suite1],
    [suite1, suite1],
    [suite1, unknown(4), unknown(3)],
    [unknown(0), suite1],
    [suite1, unknown(0xff00)],
    [suite1, [2, suite1[1] as Value, suite2[2] as Value]],
    [[1, FIELDS[DK as number] as Value, null]],
  ]) {
    expect(prekeys(...list)).toBe("bundle/prekeys")
  }
  for (const odd of [
    [],
    ["1"],
    [null],
    [1],
    [1, suite1[1]],
    [1, suite1[1], suite2[2]],
    [2, suite1[1], null],
  ]) {
    expect(prekeys(odd as Value)).toBe("encoding/shape")
  }
  expect(accept(remade(one(FLAGS, ONE_TIME_REQUIRED)))).toBe("ok")
  for (const flags of [2, 3, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]) {
    expect(accept(remade(one(FLAGS, flags))), `${flags}`).toBe("bundle/flags")
  }
})

test("a bundle of MAX_BUNDLE bytes is read, one of one byte more is not (BUNDLE-10)", () => {
  const filled = (length: number) =>
    remade(one(PREKEYS, [suite1 as Value, [3, new Uint8Array(length)]]))
  const length = 4000 + MAX_BUNDLE - filled(4000).length
  expect(filled(length).length).toBe(MAX_BUNDLE)
  expect(accept(filled(length))).toBe("ok")
  expect(accept(filled(length + 1))).toBe("encoding/limit")
})

test("seq: equal needs the same body, unless only the seq is known (BUNDLE-22, BUNDLE-23)", () => {
  const known = (seq: number, ref: Uint8Array | null) => accept(own.bytes, { known: { seq, ref } })
  expect(known(own.seq, own.ref)).toBe("ok")
  expect(known(own.seq, null)).toBe("ok")
  expect(known(own.seq - 1, new Uint8Array(32))).toBe("ok")
  expect(known(own.seq + 1, own.ref)).toBe("bundle/rollback")
  expect(accept(remade(one(SEQ, own.seq)), { known: { seq: own.seq, ref: own.ref } })).toBe("ok")
  expect(accept(own.bytes, { fingerprint: fingerprint(own.ik), pinned: own.ik, name: "bob" })).toBe(
    "ok",
  )
  // Mallory's own bundle served for Bob raises no alarm about Bob.
  const hers = mallory.bundle().bytes
  const alarm = { name: "bob", pinned: own.ik, known: { seq: 2 ** 50, ref: null } }
  expect(accept(hers, alarm)).toBe("bundle/name-mismatch")
})

// BUNDLE-28: one code for every fault of a one-time key.
test("one-time keys: times, owner, suite and keys at their limits", () => {
  for (const suite of SUITES) {
    const key = createOneTimeKey(bob.own, suite, NOW, bob.draw)
    const verdict = (bytes: Uint8Array, now: number = NOW, of: Bundle = own, as = suite) =>
      codeOf(() => acceptOneTimeKey(bytes, of, as, now))
    const refused = "bundle/one-time"
    expect(key.notAfter).toBe(NOW + ONE_TIME_LIFETIME)
    expect(verdict(key.bytes)).toBe("ok")
    expect(verdict(key.bytes, key.notAfter + CLOCK_SKEW)).toBe("ok")
    expect(verdict(key.bytes, key.notAfter + CLOCK_SKEW + 1)).toBe(refused)
    expect(verdict(key.bytes, key.notAfter - MAX_ONE_TIME_LIFETIME - CLOCK_SKEW)).toBe("ok")
    expect(verdict(key.bytes, key.notAfter - MAX_ONE_TIME_LIFETIME - CLOCK_SKEW - 1)).toBe(refused)
    expect(verdict(key.bytes, NOW, own, suite === 1 ? 2 : 1)).toBe(refused)
    expect(verdict(key.bytes, NOW, mallory.bundle())).toBe(refused)
    expect(verdict(key.bytes, NOW, { ...own, name: "carol" })).toBe(refused)
    const fields = bodyOf(key.bytes)
    const forged = (changes: Record<number, Value>, secret = bob.own.ikSecret) => {
      const body = encode(fields.map((value, i) => (i in changes ? (changes[i] as Value) : value)))
      return encode([body, sign(secret, body)])
    }
    expect(verdict(forged({}))).toBe("ok")
    expect(verdict(forged({}, mallory.own.ikSecret))).toBe(refused)
    const [, , , , x, ek] = fields as readonly Value[]
    const bad: readonly Record<number, Value>[] = [
      { 0: "AgentMesh/1 bundle" },
      { 1: "Bob" },
      { 2: mallory.own.ik },
      { 3: 0 },
      { 3: 3 },
      { 3: suite === 1 ? 2 : 1 },
      { 4: own.dk },
      ...own.prekeys.map((prekey) => ({ 4: prekey.x })),
      { 4: new Uint8Array(32).fill(255) },
      { 4: (x as Uint8Array).slice(1) },
      { 5: suite === 1 ? new Uint8Array(1184) : null },
      { 5: suite === 1 ? "" : (ek as Uint8Array).map((byte, i) => (i < 3 ? 255 : byte)) },
      { 6: null },
    ]
    for (const change of bad) expect(verdict(forged(change)), JSON.stringify(change)).toBe(refused)
    expect(verdict(new Uint8Array(MAX_BUNDLE + 1))).toBe(refused)
    expect(verdict(new Uint8Array(0))).toBe(refused)
    // A key of low order is canonical: it is found at the exchange (SUITE-12).
    expect(verdict(forged({ 4: new Uint8Array(32) }))).toBe("ok")
  }
})

test("a card has one text (BUNDLE-9, BUNDLE-30)", () => {
  const card = encodeCard(own.bytes)
  expect(decodeCard(card)).toEqual(own.bytes)
  expect(openBundle(decodeCard(card)).ref).toEqual(own.ref)
  const alternatives = [
    card.slice(1),
    card.toUpperCase(),
    `${card}=`,
    `${card} `,
    `${card}\n`,
    ` ${card}`,
    card.replace("agentmesh1:", "agentmesh2:"),
    `${card.slice(0, -1)}!`,
    "agentmesh1:A",
    "",
  ]
  for (const text of alternatives) expect(codeOf(() => decodeCard(text))).toBe("encoding/malformed")
  // Unused bits are zero: of four last letters that mean the same bytes one is right.
  for (const length of [1, 2]) {
    const text = encodeCard(new Uint8Array(length).fill(0xfb))
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    const at = alphabet.indexOf(text.at(-1) as string)
    const other = text.slice(0, -1) + alphabet[at + 1]
    expect(codeOf(() => decodeCard(text))).toBe("ok")
    expect(codeOf(() => decodeCard(other))).toBe("encoding/malformed")
  }
})
