// Vectors of SPEC §6 bundle.

import type { OwnBundle } from "../../src/bundle.ts"
import { fromHex, toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { fingerprint } from "../../src/identity.ts"
import { label, type Purpose, sign } from "../../src/suite.ts"
import { itemAt } from "../cbor.ts"
import type { Case, JsonObject } from "../driver.ts"
import { Book, context, filled, flip, replaced, resigned, splice } from "./kit.ts"
import { oneTimeCases } from "./one-time.ts"
import { NOW, Person } from "./people.ts"
import {
  keyWithTorsion,
  LOW_ORDER_U,
  matchingTorsion,
  NON_CANONICAL_KEYS,
  NON_CANONICAL_U,
  OFF_CURVE_KEYS,
  SMALL_ORDER_KEYS,
  signWithTorsion,
  withLargeS,
} from "./points.ts"
import { array, bstr, NULL, tstr, uint, utf8 } from "./raw.ts"

const DAY = 86_400

/** The arguments of `bundle.accept`. */
export function accepting(bundle: OwnBundle, extra: JsonObject = {}): JsonObject {
  return { bytes: toHex(bundle.bytes), context: { now: NOW, ...extra } }
}

/** Writes all cases of this section. */
export function createBundleBook(): Book {
  const book = new Book("bundle")
  const bob = new Person("bob")
  const one = bob.bundle({ suites: [1] })
  const both = bob.bundle({ suites: [1, 2], seq: NOW + 1 })
  const first = book.ok(1, "a bundle of suite 1", "BUNDLE-15", "bundle.accept", accepting(one))
  const second = book.ok(
    2,
    "a bundle of suites 1 and 2",
    "BUNDLE-14",
    "bundle.accept",
    accepting(both),
  )
  accepted(book, one, both)
  created(book, bob)
  shapes(book, bob, first, second)
  keys(book, bob, first, second)
  rules(book, bob, first, second)
  signature(book, bob, first)
  torsion(book)
  contexts(book, first, one)
  cards(book, one)
  oneTimeCases(book)
  return book
}

/** A person whose draws begin again, for each `bundle.create`. */
function created(book: Book, bob: Person): void {
  const base = { identity: bob.identity, seed: toHex(bob.seed), seq: NOW, now: NOW }
  const of = (
    n: number,
    title: string,
    req: string,
    extra: JsonObject,
    needs = ["deterministic"],
  ) => book.ok(n, title, req, "bundle.create", { ...base, ...extra }, { needs })
  of(20, "create a bundle of suite 1", "BUNDLE-1 BUNDLE-15 SUITE-4 SUITE-6", { suites: [1] })
  of(
    21,
    "create a bundle of both suites",
    "BUNDLE-1 BUNDLE-15 SUITE-4 SUITE-6",
    { suites: [1, 2] },
    ["deterministic", "suite-2"],
  )
  of(22, "create one that asks for one-time keys", "BUNDLE-13", { suites: [1], flags: 1 })
  of(23, "create a bundle for a day", "BUNDLE-16", { suites: [1], lifetime: DAY })
  of(24, "create a bundle of suite 2 alone", "SUITE-6", { suites: [2] }, [
    "deterministic",
    "suite-2",
  ])
  of(25, "create a bundle near the epoch", "BUNDLE-16", { suites: [1], now: 100, seq: 1 })
  for (const suite of [1, 2]) {
    const needs = suite === 1 ? ["deterministic"] : ["deterministic", "suite-2"]
    const input = { identity: bob.identity, seed: toHex(bob.seed), suite, now: NOW }
    book.ok(
      25 + suite,
      `create a one-time key of suite ${suite}`,
      "BUNDLE-28 SUITE-4 SUITE-6",
      "bundle.createOneTime",
      input,
      { needs },
    )
  }
}

/** Signs a body that the sender of §6.3 would not make. */
function custom(
  by: Person,
  fields: { readonly [i: number]: Value } = {},
  prekeys?: readonly Value[],
): string {
  const { name, ik, dk } = by.own
  const parts: Value[] = [
    label("bundle"),
    name,
    ik,
    dk,
    NOW,
    NOW - 3600,
    NOW - 3600 + 30 * DAY,
    0,
    prekeys ?? [],
  ]
  for (const [i, value] of Object.entries(fields)) parts[Number(i)] = value
  const body = encode(parts)
  return toHex(encode([body, sign(by.own.ikSecret, body)]))
}

function accepted(book: Book, one: OwnBundle, both: OwnBundle): void {
  const bob = new Person("bob")
  const x = (i: number) => new Uint8Array(32).fill(i)
  const input = (bytes: string, extra: JsonObject = {}) => ({
    bytes,
    context: { now: NOW, ...extra },
  })
  const ok = (n: number, title: string, req: string, value: JsonObject) =>
    book.ok(n, title, req, "bundle.accept", value)
  ok(
    3,
    "prekeys of unknown suites are skipped",
    "BUNDLE-14",
    input(custom(bob, {}, [[1, x(9), null], [3, x(8)], [0xfeff]])),
  )
  ok(
    4,
    "only unknown suites",
    "BUNDLE-14 ENCODING-5",
    input(custom(bob, {}, [[7, "text", [1, 2]]])),
  )
  ok(
    5,
    "four prekeys",
    "BUNDLE-14",
    input(custom(bob, {}, [[1, x(9), null], [3], [4, null], [5, 5, 5]])),
  )
  ok(
    6,
    "an unknown suite may repeat a key",
    "BUNDLE-14",
    input(
      custom(bob, {}, [
        [1, x(9), null],
        [3, x(9)],
      ]),
    ),
  )
  ok(
    7,
    "a prekey of low order is canonical",
    "BUNDLE-12 SUITE-8",
    input(custom(bob, {}, [[1, x(0), null]])),
  )
  ok(8, "flag ONE_TIME_REQUIRED", "BUNDLE-13", accepting(bob.bundle({ suites: [1], flags: 1 })))
  ok(
    9,
    "lifetime of one second",
    "BUNDLE-16",
    input(custom(bob, { 5: NOW, 6: NOW + 1 }, [[1, x(9), null]])),
  )
  const print = fingerprint(bob.own.ik)
  const ref = toHex(one.ref)
  ok(10, "the name that was asked for", "BUNDLE-19", accepting(one, { name: "bob" }))
  ok(11, "the fingerprint of the address", "BUNDLE-20", accepting(one, { fingerprint: print }))
  ok(12, "the pinned key", "BUNDLE-21", accepting(one, { pinned: toHex(bob.own.ik) }))
  ok(13, "a higher seq than before", "BUNDLE-22", accepting(both, { known: { seq: NOW, ref } }))
  ok(14, "the same bundle again", "BUNDLE-23", accepting(one, { known: { seq: NOW, ref } }))
  ok(
    15,
    "the same seq, reference unknown",
    "BUNDLE-23",
    accepting(one, { known: { seq: NOW, ref: null } }),
  )
  ok(
    16,
    "seq 0 and 2^53-1",
    "BUNDLE-22",
    input(custom(bob, { 4: 2 ** 53 - 1 }, [[1, x(9), null]]), { known: { seq: 0, ref: null } }),
  )
  ok(
    17,
    "everything that can be held against it",
    "BUNDLE-24",
    accepting(one, {
      name: "bob",
      fingerprint: print,
      pinned: toHex(bob.own.ik),
      known: { seq: NOW - 1, ref },
    }),
  )
  ok(
    18,
    "longest name",
    "BUNDLE-11",
    accepting(new Person("bob", "b".repeat(64)).bundle({ suites: [1] })),
  )
}

function shapes(book: Book, bob: Person, one: Case, two: Case): void {
  const secret = bob.own.ikSecret
  const s = (n: number, path: readonly number[], put: string, title: string, twin: Case = one) =>
    book.reject(
      n,
      "encoding/shape",
      "BUNDLE-10 ENCODING-22",
      twin,
      resigned(twin, "bytes", path, put, secret),
      title,
      "only the whole shape has a meaning",
    )
  s(40, [0], tstr("AgentMesh/1 one-time"), "label of a one-time key")
  s(41, [0], tstr("AgentMesh/2 bundle"), "label of another version")
  s(42, [0], bstr(utf8("AgentMesh/1 bundle")), "label as byte string")
  s(43, [1], bstr(utf8("bob")), "name as byte string")
  s(44, [2], bstr(filled(1, 31)), "ik of 31 bytes")
  s(45, [2], bstr(filled(1, 33)), "ik of 33 bytes")
  s(46, [3], bstr(filled(1, 31)), "dk of 31 bytes")
  s(47, [3], NULL, "dk null")
  s(48, [4], tstr("1"), "seq as text")
  s(49, [4], NULL, "seq null")
  s(50, [5], bstr("00"), "not-before as byte string")
  s(51, [6], NULL, "not-after null")
  s(52, [7], NULL, "flags null")
  s(53, [8], NULL, "prekeys null")
  s(54, [8, 0], uint(1), "prekey is no array")
  s(55, [8, 0], array(), "prekey without a suite")
  s(56, [8, 0], array(uint(1)), "prekey of suite 1 with a suite alone")
  s(57, [8, 0, 1], bstr(filled(1, 31)), "x of 31 bytes")
  s(58, [8, 0, 1], bstr(filled(1, 33)), "x of 33 bytes")
  s(59, [8, 0, 2], bstr(filled(1, 1184)), "ek in suite 1")
  s(60, [8, 1, 2], NULL, "no ek in suite 2", two)
  s(61, [8, 1, 2], bstr(filled(1, 1183)), "ek of 1,183 bytes", two)
  s(62, [8, 1, 2], bstr(filled(1, 1185)), "ek of 1,185 bytes", two)
  s(63, [8, 0, 0], tstr("1"), "suite as text")
  s(64, [8, 0], array(uint(1), bstr(filled(9, 32)), NULL, NULL), "prekey of four items")
  const bytes = one.input?.["bytes"] as string
  const whole = (
    n: number,
    code: string,
    req: string,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
  ) => book.reject(n, code, req, one, replaced(one, "bytes", path, put), title, why)
  const form = "only the whole shape has a meaning"
  whole(
    70,
    "encoding/shape",
    "BUNDLE-10 ENCODING-22",
    [1],
    bstr(filled(1, 63)),
    "signature of 63 bytes",
    form,
  )
  whole(
    71,
    "encoding/shape",
    "BUNDLE-10 ENCODING-22",
    [1],
    bstr(filled(1, 65)),
    "signature of 65 bytes",
    form,
  )
  whole(72, "encoding/shape", "BUNDLE-10 ENCODING-22", [1], NULL, "signature null", form)
  whole(73, "encoding/shape", "BUNDLE-10 ENCODING-22", [0], tstr("body"), "body as text", form)
  whole(
    74,
    "encoding/malformed",
    "BUNDLE-10 ENCODING-11",
    [0],
    bstr(""),
    "empty body",
    "there is no item",
  )
  book.reject(
    75,
    "encoding/malformed",
    "BUNDLE-10 ENCODING-21",
    one,
    splice("bytes", -1, bytes.slice(-2), `${bytes.slice(-2)}00`),
    "one byte behind the bundle",
    "it would be unsigned",
  )
  book.reject(
    76,
    "encoding/malformed",
    "BUNDLE-10 ENCODING-17",
    one,
    splice("bytes", -1, bytes.slice(-2), ""),
    "bundle without its last byte",
    "a part is not the whole",
  )
  book.reject(
    77,
    "encoding/shape",
    "BUNDLE-10 ENCODING-22",
    one,
    splice("bytes", 0, "82", "83f6"),
    "three items in signed",
    form,
  )
  book.reject(
    78,
    "encoding/profile",
    "BUNDLE-10 ENCODING-13",
    one,
    splice("bytes", 0, bytes, `9f${bytes.slice(2)}ff`),
    "signed as indefinite array",
    "one value has one form",
  )
  book.reject(
    79,
    "encoding/limit",
    "BUNDLE-10 ENCODING-10",
    one,
    { ...splice("bytes", 0, bytes, `82${bstr(filled(0, 8123))}${bstr(filled(0, 64))}`) },
    "bundle of 8,193 bytes or more",
    "size is the cheapest check",
  )
}

function keys(book: Book, bob: Person, one: Case, two: Case): void {
  const secret = bob.own.ikSecret
  const r = (n: number, path: readonly number[], put: string, title: string, twin: Case = one) =>
    book.reject(
      n,
      "suite/bad-key",
      `BUNDLE-12 SUITE-11 ${n < 112 ? "SUITE-9" : n < 129 ? "SUITE-8" : "SUITE-10"}`,
      twin,
      resigned(twin, "bytes", path, bstr(put), secret),
      title,
      "keys are judged before they are used",
    )
  for (const [i, key] of SMALL_ORDER_KEYS.entries()) r(90 + i, [2], key, `ik of small order ${i}`)
  for (const [i, key] of NON_CANONICAL_KEYS.entries())
    r(100 + i, [2], key, `ik with a second encoding ${i}`)
  for (const [i, key] of OFF_CURVE_KEYS.entries()) r(108 + i, [2], key, `ik off the curve ${i}`)
  for (const [i, [title, key]] of NON_CANONICAL_U.entries()) r(112 + i, [3], key, `dk ${title}`)
  for (const [i, [title, key]] of NON_CANONICAL_U.entries())
    r(120 + i, [8, 0, 1], key, `prekey ${title}`)
  r(128, [8, 1, 1], NON_CANONICAL_U[2]?.[1] as string, "prekey of suite 2, u = p + 9", two)
  r(129, [8, 1, 2], `ff0f00${filled(0, 1181)}`, "ek with a coefficient of 4,095", two)
  const low = LOW_ORDER_U[3]?.[1] as string
  book.ok(
    130,
    "dk of low order: found at the exchange",
    "BUNDLE-12 SUITE-12",
    "bundle.accept",
    resigned(one, "bytes", [3], bstr(low), secret).input,
  )
}

function rules(book: Book, bob: Person, one: Case, two: Case): void {
  const secret = bob.own.ikSecret
  const r = (
    n: number,
    code: string,
    req: string,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
    twin: Case = one,
  ) => book.reject(n, code, req, twin, resigned(twin, "bytes", path, put, secret), title, why)
  const names: readonly (readonly [number, string, string])[] = [
    [140, "", "empty name"],
    [141, "b".repeat(65), "name of 65 bytes"],
    [142, "Bob", "upper case"],
    [143, "b|b", "vertical bar"],
    [144, "bob\u0000", "NUL"],
    [145, "bоb", "look-alike"],
    [146, "-bob", "hyphen first"],
  ]
  for (const [n, name, title] of names)
    r(n, "identity/name", "BUNDLE-11", [1], tstr(name), title, "names are compared byte by byte")
  const duty = "it may carry a duty that this version does not know"
  r(150, "bundle/flags", "BUNDLE-13", [7], uint(2), "flag bit 1", duty)
  r(151, "bundle/flags", "BUNDLE-13", [7], uint(4), "flag bit 2", duty)
  r(152, "bundle/flags", "BUNDLE-13", [7], uint(3), "flag bits 0 and 1", duty)
  r(153, "bundle/flags", "BUNDLE-13", [7], uint(2n ** 32n), "flag bit 32", duty)
  r(154, "bundle/flags", "BUNDLE-13", [7], uint(2n ** 32n + 1n), "flag bits 0 and 32", duty)
  const role = "each key has one role"
  const [x, y] = [bstr(filled(9, 32)), bstr(filled(8, 32))]
  const p = (n: number, path: readonly number[], put: string, title: string, twin: Case = one) =>
    r(n, "bundle/prekeys", "BUNDLE-14", path, put, title, role, twin)
  p(160, [8], array(), "no prekey")
  p(
    161,
    [8],
    array(array(uint(1), x, NULL), array(uint(3)), array(uint(4)), array(uint(5)), array(uint(6))),
    "five prekeys",
  )
  p(162, [8], array(array(uint(3)), array(uint(1), x, NULL)), "suites not sorted")
  p(163, [8], array(array(uint(1), x, NULL), array(uint(1), y, NULL)), "suite 1 twice")
  p(164, [8], array(array(uint(3)), array(uint(3))), "an unknown suite twice")
  p(165, [8], array(array(uint(0)), array(uint(1), x, NULL)), "suite 0")
  p(166, [8], array(array(uint(1), x, NULL), array(uint(0xff00))), "suite 0xFF00")
  p(167, [8], array(array(uint(1), x, NULL), array(uint(0xffff))), "suite 0xFFFF")
  p(168, [8], array(array(uint(1), x, NULL), array(uint(0x10000))), "suite 0x10000")
  p(169, [8, 0, 1], bstr(toHex(bob.own.dk)), "prekey equal to dk")
  const bytes = two.input?.["bytes"] as string
  const start = bytes.indexOf("8301") + 8
  p(170, [8, 1, 1], bstr(bytes.slice(start, start + 64)), "one x in both suites", two)
  const lived = "an old bundle must not live for ever"
  const t = (n: number, title: string, notAfter: number) =>
    r(n, "bundle/lifetime", "BUNDLE-16", [6], uint(notAfter), title, lived)
  t(180, "30 days and a second", NOW - 3600 + 30 * DAY + 1)
  t(181, "not-after equal to not-before", NOW - 3600)
  t(182, "not-after before not-before", NOW - 3601)
  t(183, "no end", 2 ** 53 - 1)
}

function signature(book: Book, bob: Person, one: Case): void {
  const bytes = one.input?.["bytes"] as string
  const sig = bytes.slice(-128)
  const r = (n: number, mutation: Parameters<Book["reject"]>[4], title: string) =>
    book.reject(
      n,
      "bundle/signature",
      "BUNDLE-15",
      one,
      mutation,
      title,
      "one signature covers the whole body",
    )
  r(190, splice("bytes", -64, sig, filled(0, 64)), "signature of zeros")
  r(191, flip("bytes", -1, "10"), "S changed")
  r(192, flip("bytes", -64), "R changed")
  r(193, splice("bytes", -64, sig, withLargeS(sig)), "S + L")
  const mallory = new Person("mallory")
  r(194, replaced(one, "bytes", [0, 3], bstr(toHex(mallory.own.dk))), "dk of another agent")
  r(195, replaced(one, "bytes", [0, 4], uint(NOW + 5)), "seq raised")
  r(196, replaced(one, "bytes", [0, 6], uint(NOW + 20 * DAY)), "not-after changed")
  r(197, replaced(one, "bytes", [0, 7], uint(1)), "flag set")
  r(198, replaced(one, "bytes", [0, 8, 0, 1], bstr(filled(9, 32))), "prekey changed")
  r(199, replaced(one, "bytes", [0, 1], tstr("rob")), "name changed")
  r(200, replaced(one, "bytes", [0, 2], bstr(toHex(mallory.own.ik))), "ik of another agent")
  r(201, replaced(one, "bytes", [0, 8], array(array(uint(3)))), "prekeys taken out")
  r(202, replaced(one, "bytes", [0, 5], uint(NOW - 7200)), "not-before changed")
  // The same fields signed under another label, with the label of a bundle put in afterwards.
  const others: readonly Purpose[] = [
    "one-time",
    "message",
    "hub-auth",
    "hub-welcome",
    "directory",
    "handshake",
  ]
  const body = new Person("bob").bundle({ suites: [1] })
  others.forEach((purpose, i) => {
    const other = encode([label(purpose), ...fieldsOf(body)])
    const wrong = toHex(sign(bob.own.ikSecret, other))
    r(203 + i, splice("bytes", -64, sig, wrong), `signature made under the label ${purpose}`)
  })
  const bare = toHex(sign(bob.own.ikSecret, new TextEncoder().encode("bundle")))
  r(210, splice("bytes", -64, sig, bare), "signature over another text")
}

/** A bundle signed by a key with a known scalar, perhaps off the prime-order subgroup. */
function signedBy(key: string, signature: (body: string) => string): string {
  const { name, dk } = new Person("bob").own
  const x = new Uint8Array(32).fill(9)
  const body = encode([
    label("bundle"),
    name,
    fromHex(key),
    dk,
    NOW,
    NOW - 3600,
    NOW + DAY,
    0,
    [[1, x, null]],
  ])
  return toHex(encode([body, fromHex(signature(toHex(body)))]))
}

/** Keys and signatures with torsion: one verdict everywhere (SUITE-9, SUITE-13). */
function torsion(book: Book): void {
  const input = (bytes: string): JsonObject => ({ bytes, context: { now: NOW } })
  const plain = keyWithTorsion(7n, 0)
  const prime = signedBy(plain.key, (body) => signWithTorsion(plain, 5n, 0, body))
  const twin = book.ok(211, "ik from a known scalar", "BUNDLE-15", "bundle.accept", input(prime))
  const zero = keyWithTorsion(0n, 0)
  const trivial = signedBy(zero.key, (body) => signWithTorsion(zero, 5n, 0, body))
  const put = bstr(zero.key)
  book.reject(
    212,
    "suite/bad-key",
    "BUNDLE-12 SUITE-9",
    twin,
    { level: "field", field: "bytes", path: [0, 2], put, follows: [[1]], input: input(trivial) },
    "ik is the identity point, its trivial signature",
    "it verifies for every body",
  )
  const mixed = keyWithTorsion(7n, 1)
  const whole = (nonce: bigint, j: number): string =>
    signedBy(mixed.key, (body) => signWithTorsion(mixed, nonce, j, body))
  const bodyHex = itemAt(whole(5n, 0), [0]).slice(4)
  let nonce = 5n
  const fitting = (): number =>
    [0, 1, 2, 3, 4, 5, 6, 7].findIndex((j) => matchingTorsion(mixed, nonce, 1, j, bodyHex))
  while (fitting() < 0) nonce++
  const j = fitting()
  const fits = book.ok(
    213,
    "ik with torsion, a signature that fits",
    "BUNDLE-15 SUITE-13",
    "bundle.accept",
    input(whole(nonce, j)),
  )
  const other = whole(nonce, (j + 1) % 8)
  book.reject(
    214,
    "bundle/signature",
    "BUNDLE-15 SUITE-13",
    fits,
    { level: "field", field: "bytes", path: [1], put: itemAt(other, [1]), input: input(other) },
    "a signature that only the cofactored equation accepts",
    "libraries would differ",
  )
}

function fieldsOf(bundle: OwnBundle): readonly Value[] {
  const { name, ik, dk, seq, notBefore, notAfter, flags, prekeys } = bundle
  return [
    name,
    ik,
    dk,
    seq,
    notBefore,
    notAfter,
    flags,
    prekeys.map(({ suite, x, ek }) => [suite, x, ek]),
  ]
}

function contexts(book: Book, one: Case, bundle: OwnBundle): void {
  const { notBefore, notAfter } = bundle
  const at = (n: number, title: string, req: string, now: number) =>
    book.ok(n, title, req, "bundle.accept", { ...one.input, context: { now } })
  const late = at(220, "300 s after the end", "BUNDLE-18", notAfter + 300)
  const early = at(221, "300 s before the begin", "BUNDLE-17", notBefore - 300)
  book.reject(
    222,
    "bundle/expired",
    "BUNDLE-18",
    late,
    context("context.now", notAfter + 301),
    "301 s after the end",
    "the skew is 300 s",
  )
  book.reject(
    223,
    "bundle/not-yet-valid",
    "BUNDLE-17",
    early,
    context("context.now", notBefore - 301),
    "301 s before the begin",
    "the skew is 300 s",
  )
  book.reject(
    224,
    "bundle/expired",
    "BUNDLE-18",
    late,
    context("context.now", 2 ** 53 - 1),
    "at the end of time",
    "the skew is 300 s",
  )
  book.reject(
    225,
    "bundle/not-yet-valid",
    "BUNDLE-17",
    early,
    context("context.now", 0),
    "at the epoch",
    "the skew is 300 s",
  )
  const mallory = new Person("mallory")
  const print = fingerprint(bundle.ik)
  const full = {
    now: NOW,
    name: "bob",
    fingerprint: print,
    pinned: toHex(bundle.ik),
    known: { seq: NOW, ref: toHex(bundle.ref) },
  }
  const twin = book.ok(230, "held against everything", "BUNDLE-24", "bundle.accept", {
    ...one.input,
    context: full,
  })
  const r = (
    n: number,
    code: string,
    req: string,
    mutation: Parameters<Book["reject"]>[4],
    title: string,
    why: string,
  ) => book.reject(n, code, req, twin, mutation, title, why)
  r(
    231,
    "bundle/name-mismatch",
    "BUNDLE-19",
    context("context.name", "mallory"),
    "served for another name",
    "a bundle served for another name proves nothing about it",
  )
  r(
    232,
    "identity/fingerprint",
    "BUNDLE-20",
    context("context.fingerprint", fingerprint(mallory.own.ik)),
    "another fingerprint in the address",
    "the address says which key is meant",
  )
  r(
    233,
    "identity/changed",
    "BUNDLE-21",
    context("context.pinned", toHex(mallory.own.ik)),
    "another key is pinned",
    "a silent change is the classic attack",
  )
  r(
    234,
    "bundle/rollback",
    "BUNDLE-22",
    context("context.known.seq", NOW + 1),
    "lower seq than before",
    "it would bring old prekeys back",
  )
  r(
    235,
    "bundle/rollback",
    "BUNDLE-22",
    context("context.known.seq", 2 ** 53 - 1),
    "far lower seq",
    "it would bring old prekeys back",
  )
  r(
    236,
    "bundle/equivocation",
    "BUNDLE-23",
    context("context.known.ref", filled(7, 32)),
    "another body with the same seq",
    "two bodies with one seq prove a fault of their signer",
  )
  // Order of the checks: the earlier one decides.
  const both = (n: number, code: string, req: string, extra: JsonObject, title: string) =>
    book.reject(
      n,
      code,
      req,
      twin,
      context("context", { ...full, ...extra }),
      title,
      "the first failure wins",
    )
  both(
    240,
    "bundle/name-mismatch",
    "BUNDLE-19",
    { name: "mallory", pinned: toHex(mallory.own.ik) },
    "name before pin",
  )
  both(
    241,
    "bundle/name-mismatch",
    "BUNDLE-19",
    { name: "mallory", known: { seq: NOW + 9, ref: null } },
    "name before seq",
  )
  both(
    242,
    "identity/fingerprint",
    "BUNDLE-20",
    { fingerprint: fingerprint(mallory.own.ik), pinned: toHex(mallory.own.ik) },
    "fingerprint before pin",
  )
  both(
    243,
    "identity/changed",
    "BUNDLE-21",
    { pinned: toHex(mallory.own.ik), known: { seq: NOW + 9, ref: null } },
    "pin before seq",
  )
  both(
    244,
    "bundle/expired",
    "BUNDLE-18",
    { now: NOW + 60 * DAY, name: "mallory" },
    "time before name",
  )
}

function cards(book: Book, bundle: OwnBundle): void {
  const bytes = toHex(bundle.bytes)
  book.ok(250, "write a card", "BUNDLE-9", "bundle.card", { bundle: bytes })
  const card = cardOf(bundle.bytes)
  const twin = book.ok(251, "read a card", "BUNDLE-30", "bundle.readCard", { card })
  const r = (n: number, text: string, title: string) =>
    book.reject(
      n,
      "encoding/malformed",
      "BUNDLE-30",
      twin,
      context("card", text),
      title,
      "a card has one text form",
    )
  r(252, card.slice(11), "no prefix")
  r(253, `AGENTMESH1:${card.slice(11)}`, "prefix in upper case")
  r(254, `agentmesh2:${card.slice(11)}`, "prefix of another version")
  r(255, `${card}=`, "padding")
  r(256, `${card}\n`, "line feed at the end")
  r(257, ` ${card}`, "space in front")
  r(258, card.slice(0, -2), "last two characters missing")
  r(259, `${card.slice(0, 40)}+${card.slice(41)}`, "plus sign")
  r(260, `${card.slice(0, 40)}/${card.slice(41)}`, "slash")
  r(261, `${card.slice(0, 40)}\n${card.slice(40)}`, "line feed inside")
  r(262, `${card}AA`, "two characters more")
  const tail = card.slice(-1)
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  r(263, card.slice(0, -1) + alphabet[(alphabet.indexOf(tail) ^ 1) % 64], "unused bits not zero")
}

/** RFC 4648 base64url without padding, written out here for the test data. */
function cardOf(bytes: Uint8Array): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  let [out, bits, count] = ["agentmesh1:", 0, 0]
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    count += 8
    for (; count >= 6; count -= 6) out += alphabet[(bits >> (count - 6)) & 63]
    bits &= (1 << count) - 1
  }
  return count > 0 ? out + alphabet[(bits << (6 - count)) & 63] : out
}
