// SPEC §9, §10: a refused envelope changes nothing, whatever was wrong with it; the genuine one
// still opens. Every bit of one small object of each kind, a sample of the others.

import fc from "fast-check"
import { expect, test, vi } from "vitest"
import { acceptBundle, acceptOneTimeKey } from "../src/bundle.ts"
import { decode, encode, type Value } from "../src/encoding.ts"
import { decodeEnvelope } from "../src/envelope.ts"
import type { Init } from "../src/keyschedule.ts"
import { createResponder, seal } from "../src/session.ts"
import type { DrawName } from "../src/suite.ts"
import { always } from "./support-session/check.ts"
import {
  codeOf,
  content,
  NOW,
  type Pair,
  Party,
  pair,
  runs,
  SUITES,
  settled,
} from "./support-session/kit.ts"
import { split } from "./support-session/raw.ts"

// Nothing here waits; a loaded machine is no failure.
vi.setConfig({ testTimeout: 300_000 })

const portable = process.env["AGENTMESH_BACKEND"] === "noble"

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
  return copy
}

/** All bits on the fast backend, every `step`-th on the portable one. */
function* bits(length: number, step: number = 13): Generator<number> {
  for (let bit = 0; bit < length * 8; bit += portable ? step : 1) yield bit
}

interface Field {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** Where the byte strings of an envelope are; what is between them is heads and integers. */
function fieldsOf(envelope: Uint8Array): readonly Field[] {
  const { block, sid, guard, ct, header, init } = split(envelope)
  const at = (name: string, value: Uint8Array | null, after: number): Field | null => {
    if (value === null) return null
    const from = Buffer.from(envelope).indexOf(value, after)
    return { name, from, to: from + value.length }
  }
  const start = Buffer.from(envelope).indexOf(header)
  const found = [
    at("sid", sid, start),
    at("x", block.x, start),
    at("ek", block.ek, start),
    at("kem-ct", block.kemCt, start),
    at("guard", guard, start),
    at("ct", ct, start + header.length),
  ]
  for (const [i, name] of [
    "bundle-ref",
    "otk-ref",
    "name-a",
    "ik-a",
    "dk-a",
    "e",
    "kem-ct-a",
  ].entries()) {
    const value = init?.[i + 1]
    const bytes = typeof value === "string" ? Buffer.from(value) : value
    if (bytes instanceof Uint8Array) found.push(at(name, bytes, start + 60))
  }
  return found.filter((field) => field !== null)
}

const fieldAt = (fields: readonly Field[], bit: number) =>
  fields.find(({ from, to }) => bit >> 3 >= from && bit >> 3 < to)?.name

/** A bit that makes an X25519 key non-canonical is found before anything is computed with it. */
const topBit = (field: Field | undefined, bit: number) =>
  field !== undefined && bit === (field.to - 1) * 8 + 7

function refused({ bob }: Pair, envelope: Uint8Array, expected: RegExp, what: string): void {
  const before = bob.state
  const code = codeOf(() => bob.receive(envelope))
  if (!expected.test(code)) throw new Error(`${what}: expected ${expected}, got ${code}`)
  if (bob.state !== before) throw new Error(`${what}: ${code} changed the state`)
}

// SESSION-19, ENVELOPE-8 to ENVELOPE-13
test("every bit of an envelope of a running session", () => {
  const made = settled(1)
  const { alice, bob, sid } = made
  const envelope = alice.seal(sid)
  const fields = fieldsOf(envelope)
  for (const bit of bits(envelope.length)) {
    const field = fieldAt(fields, bit)
    const expected: Record<string, RegExp> = { sid: /^session\/unknown$/ }
    const other = field ? /^envelope\/open$/ : /^(encoding|envelope|session)\//
    refused(made, flipped(envelope, bit), (field && expected[field]) || other, `${field} ${bit}`)
  }
  for (let length = 0; length < envelope.length; length += portable ? 17 : 1) {
    refused(made, envelope.subarray(0, length), /^encoding\/malformed$/, `cut to ${length}`)
  }
  refused(made, Uint8Array.of(...envelope, 0), /^encoding\/malformed$/, "one byte more")
  expect(bob.receive(envelope)).toHaveLength(1)
  refused(made, envelope, /^session\/replay$/, "again")
})

// HANDSHAKE-12 to HANDSHAKE-32
test("every bit of the first envelope of a session", () => {
  const made = pair(1, true)
  const { alice, bob, sid } = made
  const envelope = alice.seal(sid)
  const fields = fieldsOf(envelope)
  const codes: Record<string, RegExp> = {
    // sid and everything that TH covers: the receiver computes another sid.
    "name-a": /^(envelope\/open|identity\/name|encoding\/profile)$/,
  }
  for (const bit of bits(envelope.length, 29)) {
    const name = fieldAt(fields, bit)
    const field = fields.find((one) => one.name === name)
    let expected = (name && codes[name]) || (name ? /^envelope\/open$/ : /^[a-z]+\/[a-z-]+$/)
    if (name === "x" && topBit(field, bit)) expected = /^suite\/bad-key$/
    refused(made, flipped(envelope, bit), expected, `${name} ${bit}`)
  }
  for (let length = 0; length < envelope.length; length += portable ? 17 : 1) {
    refused(made, envelope.subarray(0, length), /^encoding\/malformed$/, `cut to ${length}`)
  }
  expect(bob.oneTimes.size).toBe(1)
  expect(bob.receive(envelope)).toHaveLength(1)
  expect(bob.oneTimes.size).toBe(0)
})

test("a bit of any envelope in suite 2, before and after the first", () => {
  const cases = fc.record({ bit: fc.nat(), first: fc.boolean(), cut: fc.boolean() })
  always(
    cases,
    ({ bit, first, cut }) => {
      const made = first ? firstPair : laterPair
      const envelope = first ? firstEnvelope : laterEnvelope
      const at = bit % (envelope.length * 8)
      const bytes = cut ? envelope.subarray(0, at >> 3) : flipped(envelope, at)
      const name = fieldAt(fieldsOf(envelope), at)
      let expected = /^[a-z]+\/[a-z-]+$/
      if (cut) expected = /^encoding\/malformed$/
      else if (name === "sid") expected = first ? /^envelope\/open$/ : /^session\/unknown$/
      else if (name === "x" || name === "ek") expected = /^(envelope\/open|suite\/bad-key)$/
      else if (name === "name-a") expected = /^(envelope\/open|identity\/name|encoding\/profile)$/
      else if (name) expected = /^envelope\/open$/
      refused(made, bytes, expected, `${name} ${at}`)
    },
    runs(600, 60),
  )
  expect(firstPair.bob.receive(firstEnvelope)).toHaveLength(1)
  expect(laterPair.bob.receive(laterEnvelope)).toHaveLength(1)
})
const firstPair = pair(2, true)
const firstEnvelope = firstPair.alice.seal(firstPair.sid)
const laterPair = settled(2)
const laterEnvelope = laterPair.alice.seal(laterPair.sid)

test("a new block: what cannot be is refused before a key is used (SESSION-11, SESSION-12)", () => {
  for (const suite of SUITES) {
    const made = settled(suite)
    const { alice, bob, sid } = made
    alice.receive(bob.seal(sid))
    const envelope = alice.seal(sid)
    const fields = fieldsOf(envelope)
    const x = fields.find((field) => field.name === "x") as Field
    refused(made, flipped(envelope, x.to * 8 - 1), /^suite\/bad-key$/, "bit 255 of x")
    refused(made, flipped(envelope, x.from * 8), /^envelope\/open$/, "another x")
    const low = envelope.slice()
    low.fill(0, x.from, x.to)
    refused(made, low, /^suite\/bad-key$/, "x of low order")
    if (suite === 2) {
      const ek = fields.find((field) => field.name === "ek") as Field
      const bad = envelope.slice()
      bad.fill(0xff, ek.from, ek.from + 3)
      refused(made, bad, /^suite\/bad-key$/, "a coefficient of 4095")
      const ct = fields.find((field) => field.name === "kem-ct") as Field
      refused(made, flipped(envelope, ct.from * 8), /^envelope\/open$/, "implicit rejection")
    }
    expect(bob.receive(envelope)).toHaveLength(1)
    // Now a step is due: any other block is a lie, valid keys or not.
    refused(made, low, /^envelope\/open$/, "x of low order while no step can come")
    refused(made, flipped(low, x.to * 8 - 1), /^envelope\/open$/, "bit 255 while no step can come")
    // Nor is a key looked at where pn cannot be.
    bob.receive(alice.seal(sid))
    bob.seal(sid)
    refused(made, flipped(low, x.to * 8 - 1), /^envelope\/open$/, "bit 255 and pn below Nr")
  }
})

test("integers and nulls of the header, one at a time", () => {
  for (const suite of SUITES) {
    const made = settled(suite)
    const { alice, bob, sid } = made
    const envelope = alice.seal(sid)
    const { header, ct } = split(envelope)
    const fields = decode(header) as readonly Value[]
    const block = fields[2] as readonly Value[]
    const put = (at: number, value: Value) => encode([encode(fields.with(at, value)), ct])
    const nulls = suite === 1 ? [new Uint8Array(1184), new Uint8Array(1088)] : [null, null]
    const list: readonly (readonly [string, number, Value, RegExp])[] = [
      ["version 2", 0, 2, /^envelope\/version$/],
      ["n 1000", 4, 1000, /^session\/chain-limit$/],
      ["pn 1001", 3, 1001, /^session\/chain-limit$/],
      ["n 999", 4, 999, /^envelope\/open$/],
      ["pn 1000 on the current block", 3, 1000, /^envelope\/open$/],
      ["n of an opened one", 4, 0, /^session\/replay$/],
      ["ek of the other suite", 2, block.with(1, nulls[0] as Value), /^encoding\/shape$/],
      ["kem-ct of the other suite", 2, block.with(2, nulls[1] as Value), /^encoding\/shape$/],
    ]
    for (const [what, at, value, expected] of list) refused(made, put(at, value), expected, what)
    // Two faults: the earlier check decides.
    const both = (a: readonly [number, Value], b: readonly [number, Value]) =>
      encode([encode(fields.with(...a).with(...b)), ct])
    const odd = block.with(1, nulls[0] as Value)
    refused(made, both([2, odd], [4, 1000]), /^encoding\/shape$/, "shape and n")
    refused(made, both([1, new Uint8Array(16)], [4, 1000]), /^session\/unknown$/, "sid and n")
    refused(made, both([0, 3], [2, null]), /^envelope\/version$/, "version and shape")
    refused(made, both([4, 1000], [5, new Uint8Array(16)]), /^session\/chain-limit$/, "n and guard")
    expect(bob.receive(envelope)).toHaveLength(1)
  }
})

test("every bit of a bundle and of a one-time key: the code that its place demands", () => {
  const owner = new Party("bob")
  const own = owner.bundle([1])
  const bundle = own.bytes
  const context = { now: NOW, name: "bob" }
  expect(codeOf(() => acceptBundle(bundle, context))).toBe("ok")
  const place = (bytes: Uint8Array, value: Uint8Array) => Buffer.from(bytes).indexOf(value)
  const signature = bundle.length - 64
  const ik = place(bundle, own.ik)
  for (const bit of bits(bundle.length, 7)) {
    const code = codeOf(() => acceptBundle(flipped(bundle, bit), context))
    const at = bit >> 3
    if (at >= signature) expect(code, `sig ${bit}`).toBe("bundle/signature")
    else if (at >= ik && at < ik + 32) expect(code).toMatch(/^(suite\/bad-key|bundle\/signature)$/)
    else expect(code, `${bit}`).not.toBe("ok")
  }
  for (let length = 0; length < bundle.length; length++) {
    expect(codeOf(() => acceptBundle(bundle.subarray(0, length), context))).toBe(
      "encoding/malformed",
    )
  }
  const { bytes } = owner.oneTime(1)
  const accept = (key: Uint8Array) => codeOf(() => acceptOneTimeKey(key, own, 1, NOW))
  expect(accept(bytes)).toBe("ok")
  for (const bit of bits(bytes.length, 7)) {
    expect(accept(flipped(bytes, bit)), `${bit}`).toBe("bundle/one-time")
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(accept(bytes.subarray(0, length))).toBe("bundle/one-time")
  }
})

test("a stored key whose tag fails stays, and opens the genuine envelope (SESSION-19)", () => {
  const made = settled(1)
  const { alice, bob, sid } = made
  const [first, second] = [alice.seal(sid), alice.seal(sid)]
  bob.receive(second)
  const field = fieldsOf(first).find(({ name }) => name === "ct") as Field
  for (const bit of [field.from * 8, field.to * 8 - 1]) {
    refused(made, flipped(first, bit), /^envelope\/open$/, "stored key")
  }
  expect(bob.receive(first)).toEqual([content("hello")])
  refused(made, first, /^session\/replay$/, "used")
})

test("a seal that fails changes nothing and spends no number", () => {
  const { alice, bob, sid } = settled(2)
  alice.receive(bob.seal(sid))
  const before = alice.state
  expect(() => alice.seal(sid, [])).toThrow(RangeError)
  expect(() => alice.seal(sid, Array(65).fill(content("x")))).toThrow(RangeError)
  expect(() => alice.seal(sid, [new Uint8Array(1_100_000)])).toThrow(RangeError)
  expect(alice.state).toBe(before)
  // Nothing was drawn either: a batch that cannot be is refused first (SUITE-6).
  const drawn: string[] = []
  const draw = (name: DrawName, length: number) => {
    drawn.push(name)
    return alice.draw(name, length)
  }
  expect(() => seal(alice.session(sid), alice.own, [], draw)).toThrow(RangeError)
  const [[, bundle] = never()] = bob.bundles
  const { th, rk, peer } = alice.session(sid)
  const init = { ...peer, suite: 2 as const, th } as unknown as Init
  const unfounded = createResponder(init, th, rk, bundle)
  expect(() => seal(unfounded, bob.own, [content("x")], draw)).toThrow(TypeError)
  expect(drawn).toEqual([])
  const { n, pn } = decodeEnvelope(alice.seal(sid))
  expect([n, pn]).toEqual([0, 1])
})

function never(): never {
  throw new Error("missing")
}
