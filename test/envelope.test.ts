// SPEC §9: padding, sizes, shapes, contents and proofs.

import fc from "fast-check"
import { expect, test } from "vitest"
import { decode, encode, type Value } from "../src/encoding.ts"
import {
  type Content,
  contentHash,
  decodeContent,
  decodeEnvelope,
  decodeReceipts,
  type EnvelopeContext,
  encodeContent,
  encodeReceipts,
  innerLength,
  openEnvelope,
  pad,
  padme,
  type Receipt,
  readRefusedId,
  sealEnvelope,
  unpad,
  verifyContentProof,
} from "../src/envelope.ts"
import {
  MAX_CONTENT,
  MAX_CONTENTS,
  MAX_CT,
  MAX_ENVELOPE,
  MAX_HEADER,
  MAX_PADDED,
  MIN_CT,
} from "../src/limits.ts"
import { open } from "../src/session.ts"
import { SMALL_ORDER } from "./support/ed25519.ts"
import { always } from "./support-session/check.ts"
import { codeOf, content, digest, pair, runs, SUITES, settled } from "./support-session/kit.ts"
import { openRaw, rawSeal } from "./support-session/raw.ts"

const zeros = (length: number) => new Uint8Array(length)

/** padme by the text of SPEC §9.3, over big integers and without any bit operation. */
function bigPadme(length: bigint): bigint {
  if (length < 2n) return length
  const log2 = (value: bigint) => BigInt(value.toString(2).length - 1)
  const e = log2(length)
  const s = log2(e) + 1n
  if (e - s <= 0n) return length
  const unit = 2n ** (e - s)
  return ((length + unit - 1n) / unit) * unit
}

test("padme has its check values and is the text's at every length (ENVELOPE-6)", () => {
  const checks = { 257: 272, 300: 304, 513: 544, 1025: 1088, 5000: 5120, 65537: 67584 }
  for (const [length, padded] of Object.entries(checks)) expect(padme(Number(length))).toBe(padded)
  for (let length = 0; length <= 3000; length++) {
    expect(padme(length)).toBe(Number(bigPadme(BigInt(length))))
  }
  always(
    fc.oneof(
      fc.nat(MAX_PADDED),
      fc.nat(19).chain((e) => fc.integer({ min: 2 ** e - 2, max: 2 ** e + 2 })),
    ),
    (length) =>
      expect(padme(Math.max(length, 0))).toBe(Number(bigPadme(BigInt(Math.max(length, 0))))),
    runs(2_000, 2_000),
  )
  expect(padme(MAX_PADDED)).toBe(MAX_PADDED) // a full batch fits exactly
})

test("padding has one form for each length, and no other is taken off (ENVELOPE-6, ENVELOPE-13)", () => {
  for (const length of [0, 1, 254, 255, 256, 257, 271, 272, 273, 1023, 1024, 3000]) {
    const inner = zeros(length).fill(7)
    const padded = pad(inner)
    expect(padded.length).toBe(Math.max(256, padme(length + 1)))
    expect(unpad(padded)).toEqual(inner)
    const faults: Uint8Array[] = [
      Uint8Array.of(...padded, 0), // a longer filler
      padded.slice(0, -1),
      zeros(padded.length), // no 0x80 at all
      padded.map((byte, i) => (i === length ? 0x81 : byte)),
      padded.map((byte, i) => (i === length ? 0x00 : byte)),
    ]
    if (length + 1 < padded.length) {
      faults.push(padded.map((byte, i) => (i === padded.length - 1 ? 1 : byte)))
      faults.push(padded.map((byte, i) => (i === length + 1 ? 0x40 : byte)))
    }
    // The next bucket: right filler, but not the shortest length.
    const bigger = zeros(Math.max(256, padme(padded.length + 1)))
    bigger.set(inner)
    bigger[length] = 0x80
    faults.push(bigger)
    for (const fault of faults) expect(unpad(fault)).toBeNull()
  }
  expect(unpad(zeros(0))).toBeNull()
  // Contents that end like padding lose nothing.
  for (const tail of [[0x80], [0x80, 0], [0, 0, 0], [0x80, 0x80]]) {
    expect(unpad(pad(Uint8Array.from(tail)))).toEqual(Uint8Array.from(tail))
  }
})

test.each(SUITES)(
  "suite %i: 1 and 64 contents pass, 0 and 65 are envelope/open (ENVELOPE-13)",
  (suite) => {
    const { alice, bob, sid } = settled(suite)
    const before = bob.state
    for (const count of [0, MAX_CONTENTS + 1]) {
      const contents = Array.from({ length: count }, () => content("x"))
      expect(() => alice.seal(sid, contents)).toThrow(RangeError)
      const forged = rawSeal(alice.session(sid), alice.own, { contents })
      expect(codeOf(() => bob.receive(forged))).toBe("envelope/open")
      expect(bob.state).toBe(before)
    }
    for (const count of [1, MAX_CONTENTS]) {
      const contents = Array.from({ length: count }, (_, i) => content("x", i))
      expect(bob.receive(alice.seal(sid, contents))).toEqual(contents)
    }
  },
)

test("every fault inside the tag ends in envelope/open and nothing else (ENVELOPE-13)", () => {
  const { alice, bob, sid } = settled(2)
  const session = alice.session(sid)
  const contents = [content("x")]
  const sig = zeros(64)
  const inners: Record<string, Uint8Array> = {
    empty: zeros(0),
    "not CBOR": Uint8Array.of(0xff),
    "no array": encode(1),
    "one item": encode([contents]),
    "three items": encode([contents, sig, null]),
    "contents no array": encode([contents[0] as Uint8Array, sig]),
    "a content no bytes": encode([["x"], sig]),
    "signature of 63": encode([contents, sig.slice(1)]),
    "signature of 65": encode([contents, zeros(65)]),
    "no signature": encode([contents, null]),
    "a longer head": Uint8Array.of(0x98, 2, ...encode([contents, sig]).subarray(1)),
  }
  for (const [what, inner] of Object.entries(inners)) {
    const forged = rawSeal(session, alice.own, { inner })
    expect(
      codeOf(() => bob.receive(forged)),
      what,
    ).toBe("envelope/open")
  }
  const pads: Record<string, (inner: Uint8Array) => Uint8Array> = {
    unpadded: (inner) => Uint8Array.of(...inner, 0x80, ...zeros(255 - inner.length > 0 ? 256 : 17)),
    "filler 1": (inner) => pad(inner).fill(1, inner.length + 1),
    "next bucket": (inner) => Uint8Array.of(...pad(inner), ...zeros(16)),
  }
  for (const [what, padding] of Object.entries(pads)) {
    const forged = rawSeal(session, alice.own, { padding })
    expect(
      codeOf(() => bob.receive(forged)),
      what,
    ).toBe("envelope/open")
  }
  expect(codeOf(() => bob.receive(rawSeal(session, alice.own, {})))).toBe("ok")
})

test("sizes at their limits: ct, header, envelope, batch (ENVELOPE-8, ENVELOPE-9)", () => {
  const { alice, bob, sid } = settled(1)
  const header = decodeEnvelope(alice.seal(sid)).header
  const size = (head: Uint8Array, ct: number) =>
    codeOf(() => decodeEnvelope(encode([head, zeros(ct)])))
  expect(size(header, MIN_CT - 1)).toBe("encoding/limit")
  expect(size(header, MIN_CT)).toBe("ok")
  expect(size(header, MAX_CT)).toBe("ok")
  expect(size(header, MAX_CT + 1)).toBe("encoding/limit")
  // A header is judged by its size before its first byte is read.
  expect(size(zeros(MAX_HEADER + 1), MIN_CT)).toBe("encoding/limit")
  expect(size(zeros(MAX_HEADER), MIN_CT)).toBe("encoding/malformed")
  expect(size(Uint8Array.of(0xff), MIN_CT - 1)).toBe("encoding/limit")
  const padded = (bytes: number) => {
    const junk = zeros(bytes)
    junk[0] = 0xff
    return codeOf(() => decodeEnvelope(junk))
  }
  expect(padded(MAX_ENVELOPE)).toBe("encoding/malformed")
  expect(padded(MAX_ENVELOPE + 1)).toBe("encoding/limit")
  // A batch of exactly MAX_PADDED bytes, and one byte more.
  const room = MAX_PADDED - 1 - innerLength([zeros(900_000), zeros(0x1_0000)]) + 0x1_0000
  const full = [zeros(900_000), zeros(room)]
  expect(innerLength(full) + 1).toBe(MAX_PADDED)
  expect(digest(bob.receive(alice.seal(sid, full)))).toBe(digest(full))
  const over = [zeros(900_000), zeros(room + 1)]
  expect(() => alice.seal(sid, over)).toThrow(RangeError)
  for (const list of [
    [zeros(23)],
    [zeros(24)],
    [zeros(255)],
    [zeros(256)],
    Array(24).fill(zeros(1)),
  ]) {
    expect(innerLength(list)).toBe(encode([list, zeros(64)]).length)
  }
})

test("version before shape, and a later version may have any shape (ENVELOPE-10 to ENVELOPE-12)", () => {
  const { alice, sid } = pair(2)
  const { header } = decodeEnvelope(alice.seal(sid))
  const fields = decode(header) as readonly Value[]
  const given = (value: Value | Uint8Array) => {
    const bytes = value instanceof Uint8Array ? value : encode(value)
    return codeOf(() => decodeEnvelope(encode([bytes, zeros(300)])))
  }
  const changed = (at: number, value: Value) =>
    given(fields.map((old, i) => (i === at ? value : old)))
  expect(given(fields)).toBe("ok")
  for (const version of [0, 2, 2 ** 53 - 1]) {
    expect(given([version])).toBe("envelope/version")
    expect(given([version, "any", [null]])).toBe("envelope/version")
    expect(changed(0, version)).toBe("envelope/version")
  }
  for (const odd of [
    [],
    1,
    null,
    "1",
    ["1"],
    [null],
    [[1]],
    [1],
    [...fields, null],
    fields.slice(1),
  ]) {
    expect(given(odd)).toBe("encoding/shape")
  }
  expect(given(Uint8Array.of(0x81, 0x18, 1))).toBe("encoding/profile")
  expect(given(Uint8Array.of(0x82, 2))).toBe("encoding/malformed")
  expect(given(Uint8Array.of(0x81, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0))).toBe("encoding/limit")
  const block = fields[2] as readonly Value[]
  const init = fields[6] as readonly Value[]
  const shapes: readonly (readonly [number, Value])[] = [
    ...[15, 17].map((length) => [1, zeros(length)] as const),
    ...[15, 17].map((length) => [5, zeros(length)] as const),
    [1, "sid"],
    [3, null],
    [4, "0"],
    [2, null],
    [2, block.slice(1)],
    [2, [...block, null]],
    ...[31, 33].map((length) => [2, [zeros(length), ...block.slice(1)]] as const),
    ...[1183, 1185].map((length) => [2, [block[0] as Value, zeros(length), null]] as const),
    ...[1087, 1089].map((length) => [2, [block[0] as Value, null, zeros(length)]] as const),
    [6, 0],
    [6, init.slice(1)],
    [6, [...init, null]],
    ...init.flatMap((_, i) =>
      [0, 5].map((bad) => [6, init.with(i, i === 0 ? zeros(bad) : bad)] as const),
    ),
  ]
  for (const [at, value] of shapes) expect(changed(at, value), `${at}`).toBe("encoding/shape")
})

const base: Content = { kind: 0, id: zeros(16), sentMs: 1, re: null, ask: 0, body: zeros(0) }
const receipts = (count: number): Receipt[] =>
  Array.from({ length: count }, () => ({ id: zeros(16), status: 1 }))
const judged = (change: Partial<Content>) =>
  codeOf(() => decodeContent(encodeContent({ ...base, ...change })))

test("contents by the table of kinds, each with its neighbour (ENVELOPE-3, ENVELOPE-16)", () => {
  const re = zeros(16)
  const body = zeros(1)
  expect(judged({ kind: 0, ask: 1, re, body })).toBe("ok")
  expect(judged({ kind: 0, ask: 2 })).toBe("envelope/content")
  expect(judged({ kind: 1 })).toBe("ok")
  for (const bad of [{ re }, { ask: 1 }, { body }]) {
    expect(judged({ kind: 1, ...bad })).toBe("envelope/content")
  }
  const list = (count: number) => ({ kind: 2, body: encodeReceipts(receipts(count)) })
  expect(judged(list(1))).toBe("ok")
  expect(judged(list(256))).toBe("ok")
  expect(judged(list(0))).toBe("envelope/content")
  expect(judged(list(257))).toBe("envelope/content")
  expect(judged({ ...list(1), re })).toBe("envelope/content")
  expect(judged({ ...list(1), ask: 1 })).toBe("envelope/content")
  expect(judged({ kind: 2 })).toBe("envelope/content")
  for (const status of [0, 4, 2 ** 53 - 1]) {
    const bytes = encodeReceipts([{ id: zeros(16), status }])
    expect(judged({ kind: 2, body: bytes })).toBe("envelope/content")
  }
  for (const status of [1, 2, 3]) {
    expect(decodeReceipts(encodeReceipts([{ id: zeros(16), status }]))[0]?.status).toBe(status)
  }
  for (const kind of [3, 255, 2 ** 53 - 1]) expect(judged({ kind })).toBe("envelope/content")
})

test("size and shape of a content, and whose id can be told (ENVELOPE-15, ENVELOPE-17)", () => {
  const overhead = encodeContent({ ...base, body: zeros(70_000) }).length - 70_000
  const fitting = encodeContent({ ...base, body: zeros(MAX_CONTENT - overhead) })
  expect(fitting.length).toBe(MAX_CONTENT)
  expect(codeOf(() => decodeContent(fitting))).toBe("ok")
  const over = encodeContent({ ...base, body: zeros(MAX_CONTENT - overhead + 1) })
  expect(codeOf(() => decodeContent(over))).toBe("envelope/content")
  const id = zeros(16).fill(9)
  const told = (value: Value) => {
    const bytes = encode(value)
    return [codeOf(() => decodeContent(bytes)), readRefusedId(bytes)]
  }
  const refused = "envelope/content"
  expect(told([0, id, "x", null, 0, zeros(0)])).toEqual([refused, id])
  expect(told([0, id, 1, null, 2, zeros(0)])).toEqual([refused, id])
  expect(told([0, id, null, null, null, null])).toEqual([refused, id])
  expect(told([0, zeros(15), 1, null, 0, zeros(0)])).toEqual([refused, null])
  expect(told([1, id, 1, null, 1, zeros(0)])).toEqual([refused, null])
  expect(told([3, id, 1, null, 0, zeros(0)])).toEqual([refused, null])
  expect(told([0, id, 1, null, 0])).toEqual([refused, null])
  expect(told([0, id, 1, null, 0, zeros(0), null])).toEqual([refused, null])
  expect(told("0")).toEqual([refused, null])
  expect(readRefusedId(Uint8Array.of(0x86, 0))).toBeNull()
  expect(readRefusedId(Uint8Array.of(...encode([0, id, "x", null, 0, zeros(0)]), 0))).toBeNull()
})

test.each(SUITES)(
  "suite %i: a content has a proof, and nothing near it has (ENVELOPE-20)",
  (suite) => {
    const { alice, bob, sid } = settled(suite)
    const contents = ["one", "two", "three"].map((text) => content(text))
    const raw = decodeEnvelope(alice.seal(sid, contents))
    const { sig } = open(bob.session(sid), bob.own, raw, bob.now)
    const { th } = bob.session(sid)
    const context = { suite, th, sender: alice.own, recipient: "bob" }
    const hashes = contents.map(contentHash)
    const proof = { header: raw.header, hashes, sig, index: 1 }
    const shown = contents[1] as Uint8Array
    const valid = (
      c: Partial<EnvelopeContext> = {},
      p: Partial<typeof proof> = {},
      bytes = shown,
    ) => verifyContentProof({ ...context, ...c }, bytes, { ...proof, ...p })
    expect(valid()).toBe(true)
    for (const [i, one] of contents.entries()) expect(valid({}, { index: i }, one)).toBe(true)
    // The hash at the index comes from the content shown, whatever the prover writes there.
    expect(valid({}, { hashes: hashes.with(1, zeros(32)) })).toBe(true)
    expect(valid({}, {}, content("two, or so"))).toBe(false)
    expect(valid({}, {}, contents[0])).toBe(false)
    for (const index of [0, 2, 3, -1, 1.5, Number.NaN]) expect(valid({}, { index })).toBe(false)
    expect(valid({}, { index: 3, hashes: [...hashes, zeros(32)] })).toBe(false)
    expect(valid({}, { hashes: hashes.slice(0, 2) })).toBe(false)
    expect(valid({}, { hashes: [hashes[2], hashes[1], hashes[0]] as Uint8Array[] })).toBe(false)
    expect(valid({}, { header: raw.header.with(20, 99) as Uint8Array })).toBe(false)
    expect(valid({}, { sig: sig.with(0, (sig[0] as number) ^ 1) as Uint8Array })).toBe(false)
    expect(valid({}, { sig: zeros(64) })).toBe(false)
    expect(valid({ recipient: "carol" })).toBe(false)
    expect(valid({ sender: { ...alice.own, name: "carol" } })).toBe(false)
    expect(valid({ sender: bob.own })).toBe(false)
    expect(valid({ th: zeros(32) })).toBe(false)
    expect(valid({ suite: suite === 1 ? 2 : 1 })).toBe(false)
    // Under a key of small order anybody signs anything: R = [S]B with S = 0.
    const identity = SMALL_ORDER[0] as Uint8Array
    const forged = Uint8Array.of(...identity, ...zeros(32))
    expect(valid({ sender: { name: "alice", ik: identity } }, { sig: forged })).toBe(false)
  },
)

test("sealing writes what the text says, byte for byte (ENVELOPE-6, ENVELOPE-7)", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const session = alice.session(sid)
    const contents = [content("a"), content("bc")]
    const envelope = alice.seal(sid, contents)
    const { guard } = decodeEnvelope(envelope)
    expect(rawSeal(session, alice.own, { contents, guard })).toEqual(envelope)
    const opened = openRaw(bob.session(sid), envelope)
    expect(opened.contents).toEqual(contents)
    const text = Buffer.from(envelope).toString("latin1")
    for (const name of ["alice", "bob"]) expect(text).not.toContain(name)
  }
})

test("an envelope opens with its own key, and a ciphertext for two keys with one at most (SESSION-18)", () => {
  const { alice, bob, sid } = settled(1)
  const context = { suite: 1 as const, th: zeros(32), sender: alice.own, recipient: bob.own.name }
  const [mk, other] = [zeros(32).fill(1), zeros(32).fill(2)]
  const raw = decodeEnvelope(alice.seal(sid))
  const sealed = sealEnvelope(context, mk, alice.own.ikSecret, raw.header, raw.guard, [
    content("x"),
  ])
  const again = decodeEnvelope(sealed)
  expect(codeOf(() => openEnvelope(context, mk, again))).toBe("ok")
  expect(codeOf(() => openEnvelope(context, other, again))).toBe("envelope/open")
})
