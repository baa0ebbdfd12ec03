// Vectors of SPEC §9 envelope.

import { concat, fromHex, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { contentHash, padme } from "../../src/envelope.ts"
import { labelled, type Suite, sign } from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import type { Case, Json, JsonObject, Mutation } from "../driver.ts"
import { withAt } from "../values.ts"
import { contentCases } from "./content.ts"
import { application, Flight, type Forgery, forge, type Parts } from "./flight.ts"
import { Book, context, filled, flip, splice } from "./kit.ts"
import { SMALL_ORDER_KEYS } from "./points.ts"
import { array, bstr, head, map, NULL, nest, tstr, uint } from "./raw.ts"

/** Writes all cases of this section. */
export function createEnvelopeBook(): Book {
  const book = new Book("envelope")
  const bases = opened(book)
  sealed(book)
  padding(book)
  outer(book, bases.one)
  headers(book, bases)
  inside(book, bases.one)
  contexts(book, bases.one)
  contentCases(book)
  proofs(book)
  return book
}

interface Base {
  readonly item: Case
  readonly parts: Parts
  readonly input: JsonObject
  readonly envelope: string
}

function needs(suite: Suite): { needs?: readonly string[] } {
  return suite === 2 ? { needs: ["suite-2"] } : {}
}

function opening(parts: Parts, envelope: string): JsonObject {
  const { suite, th, mk, sender, recipient } = parts
  const { name, ik } = sender
  return {
    suite,
    th: toHex(th),
    sender: { name, ik: toHex(ik) },
    recipient,
    mk: toHex(mk),
    envelope,
  }
}

function opened(book: Book): Readonly<Record<"one" | "two", Base>> {
  const make = (
    n: number,
    title: string,
    flight: Flight,
    contents: readonly Uint8Array[],
    number = 0,
  ): Base => {
    const parts = flight.parts(contents, number)
    const envelope = forge(parts)
    const input = opening(parts, envelope)
    const item = book.ok(n, title, "ENVELOPE-13", "envelope.open", input, needs(flight.suite))
    return { item, parts, input, envelope }
  }
  const three = [application("a"), application("b", 1), application("c", 2)]
  const one = make(1, "an envelope of suite 1", new Flight(1), [application("hello")])
  const two = make(2, "an envelope of suite 2", new Flight(2), [application("hello")])
  make(3, "three contents", new Flight(1), three)
  make(4, "n = 999", new Flight(1), [application("hello")], 999)
  make(
    5,
    "64 contents",
    new Flight(1),
    Array.from({ length: 64 }, (_, i) => application("x", i)),
  )
  make(6, "content that is no CBOR: judged later", new Flight(1), [fromHex("ff")])
  make(7, "empty content: judged later", new Flight(1), [new Uint8Array(0)])
  make(8, "one-time key in the init", new Flight(1, true), [application("hello")])
  return { one, two }
}

function sealed(book: Book): void {
  for (const suite of [1, 2] as const) {
    const flight = new Flight(suite)
    const { session } = flight.seal([application("hello")])
    const { block } = session.own as NonNullable<typeof session.own>
    const parts = flight.parts([application("hello")])
    const { x, ek, kemCt } = block
    const base = {
      ...{
        suite,
        th: toHex(parts.th),
        recipient: "bob",
        mk: toHex(parts.mk),
        guard: toHex(parts.guard),
      },
      sender: { name: "alice", ikSecret: toHex(flight.alice.own.ikSecret) },
      block: { x: toHex(x), ek: ek && toHex(ek), kemCt: kemCt && toHex(kemCt) },
      ...{ pn: 0, n: 0, init: null, contents: [toHex(application("hello"))] },
    }
    const of = (n: number, title: string, extra: JsonObject = {}) =>
      book.ok(
        10 + 10 * suite + n,
        `${title}, suite ${suite}`,
        "ENVELOPE-6 ENVELOPE-7 ENVELOPE-13 KEYSCHEDULE-2",
        "envelope.seal",
        { ...base, ...extra },
        needs(suite),
      )
    of(0, "seal one content")
    of(1, "seal with an init", { init: flight.init })
    of(2, "another guard", { guard: filled(1, 16) })
    of(3, "n = 999, pn = 1,000", { n: 999, pn: 1000 })
    of(4, "two contents", { contents: [toHex(application("a")), toHex(application("b", 1))] })
    of(5, "another order of contents", {
      contents: [toHex(application("b", 1)), toHex(application("a"))],
    })
    of(6, "another recipient", { recipient: "carol" })
  }
}

const LENGTHS = [
  1, 70, 254, 255, 256, 257, 271, 272, 299, 300, 512, 513, 1024, 1025, 4999, 5000, 65_536, 65_537,
  1_000_000,
]

function padding(book: Book): void {
  for (const [i, length] of LENGTHS.entries()) {
    book.ok(40 + i, `padding of ${length} bytes`, "ENVELOPE-6", "envelope.pad", { length })
  }
  const inner = filled(0x11, 300)
  const good = book.ok(70, "padding of 300 bytes taken off", "ENVELOPE-13", "envelope.unpad", {
    padded: `${inner}80${filled(0, padme(301) - 301)}`,
  })
  const least = book.ok(71, "padding to 256 bytes taken off", "ENVELOPE-13", "envelope.unpad", {
    padded: `${filled(0x11, 70)}80${filled(0, 185)}`,
  })
  book.ok(72, "content that ends in 0x80", "ENVELOPE-13", "envelope.unpad", {
    padded: `${filled(0x80, 70)}80${filled(0, 185)}`,
  })
  const r = (n: number, twin: Case, mutation: Mutation, title: string) =>
    book.reject(
      n,
      "envelope/open",
      "ENVELOPE-13",
      twin,
      mutation,
      title,
      "one plaintext has one padded form",
    )
  r(73, good, splice("padded", -1, "00", ""), "a byte of padding less")
  r(74, good, splice("padded", -1, "00", "0000"), "a byte of padding more")
  r(75, good, splice("padded", 300, "80", "00"), "no 0x80")
  r(76, good, flip("padded", -1), "filler that is not zero")
  r(77, good, splice("padded", 300, "80", "81"), "0x81 for 0x80")
  r(78, least, splice("padded", 255, "00", ""), "255 bytes")
  r(79, least, splice("padded", 255, "00", filled(0, 17)), "padded to 272 where 256 is enough")
  r(80, least, splice("padded", 0, filled(0x11, 70), ""), "a plaintext of 186 bytes")
  r(
    81,
    least,
    splice("padded", 70, `80${filled(0, 185)}`, filled(0, 186)),
    "only zeros behind the plaintext",
  )
  r(82, good, splice("padded", 0, `${inner}80`, filled(0, 301)), "nothing but zeros")
}

/** One item of the envelope gives way, without a new seal. */
function changed(
  base: Base,
  path: readonly number[],
  put: string,
): Mutation & { input: JsonObject } {
  const envelope = replaceItem(base.envelope, path, put)
  return { level: "field", field: "envelope", path, put, input: { ...base.input, envelope } }
}

function outer(book: Book, one: Base): void {
  const r = (
    n: number,
    code: string,
    req: string,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, code, req, one.item, mutation, title, why)
  const form = "an envelope is two byte strings"
  r(100, "encoding/shape", "ENVELOPE-8", changed(one, [0], tstr("header")), "header as text", form)
  r(101, "encoding/shape", "ENVELOPE-8", changed(one, [1], NULL), "ct null", form)
  r(102, "encoding/shape", "ENVELOPE-8", splice("envelope", 0, "82", "83f6"), "three items", form)
  r(
    103,
    "encoding/shape",
    "ENVELOPE-8",
    splice("envelope", 0, one.envelope, array(bstr("00"))),
    "one item",
    form,
  )
  r(
    104,
    "encoding/shape",
    "ENVELOPE-8",
    splice("envelope", 0, one.envelope, "00"),
    "an integer",
    form,
  )
  r(
    105,
    "encoding/malformed",
    "ENVELOPE-8 ENCODING-21",
    splice("envelope", -1, one.envelope.slice(-2), `${one.envelope.slice(-2)}00`),
    "a byte behind the envelope",
    "it would be unsigned",
  )
  r(
    106,
    "encoding/malformed",
    "ENVELOPE-8 ENCODING-17",
    splice("envelope", -1, one.envelope.slice(-2), ""),
    "last byte missing",
    "a part is not the whole",
  )
  r(
    107,
    "encoding/malformed",
    "ENVELOPE-8 ENCODING-11",
    splice("envelope", 0, one.envelope, ""),
    "no bytes",
    "there is no item",
  )
  r(
    108,
    "encoding/profile",
    "ENVELOPE-8 ENCODING-13",
    splice("envelope", 0, one.envelope, `9f${one.envelope.slice(2)}ff`),
    "indefinite array",
    "one value has one form",
  )
  r(
    109,
    "encoding/profile",
    "ENVELOPE-8 ENCODING-14",
    splice("envelope", 0, "82", "9802"),
    "count in two bytes",
    "one value has one form",
  )
  const size = "no sender makes one"
  const header = itemAt(one.envelope, [0])
  r(
    110,
    "encoding/limit",
    "ENVELOPE-8 ENCODING-10",
    splice("envelope", 0, one.envelope, `82${header}${bstr(filled(0, 1_114_112))}`),
    "more than 1,114,112 bytes",
    "size is the cheapest check",
  )
  r(
    111,
    "encoding/limit",
    "ENVELOPE-9",
    changed(one, [0], bstr(filled(0, 8193))),
    "header of 8,193 bytes",
    size,
  )
  r(
    112,
    "encoding/limit",
    "ENVELOPE-9",
    changed(one, [1], bstr(filled(0, 271))),
    "ct of 271 bytes",
    size,
  )
  r(113, "encoding/limit", "ENVELOPE-9", changed(one, [1], bstr("")), "empty ct", size)
  r(
    114,
    "encoding/limit",
    "ENVELOPE-9",
    changed(one, [1], bstr(filled(0, 1_081_361))),
    "ct of 1,081,361 bytes",
    size,
  )
  r(
    115,
    "envelope/open",
    "ENVELOPE-9 ENVELOPE-13",
    changed(one, [1], bstr(filled(0, 272))),
    "ct of 272 zeros",
    "the size passes, the tag does not",
  )
  r(
    116,
    "envelope/open",
    "ENVELOPE-9 ENVELOPE-13",
    changed(one, [1], bstr(filled(0, 1_081_360))),
    "ct of 1,081,360 zeros",
    "the size passes, the tag does not",
  )
  r(
    117,
    "encoding/malformed",
    "ENVELOPE-10",
    changed(one, [0], bstr(filled(0, 8192))),
    "header of 8,192 zeros",
    "the size passes, the scan does not",
  )
}

function headers(book: Book, { one, two }: Readonly<Record<"one" | "two", Base>>): void {
  const r = (
    n: number,
    code: string,
    req: string,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
    base = one,
  ) => book.reject(n, code, req, base.item, changed(base, path, put), title, why)
  const form = "a header has one form"
  const shape = (n: number, path: readonly number[], put: string, title: string, base = one) =>
    r(n, "encoding/shape", "ENVELOPE-12", path, put, title, form, base)
  const begin = "the version says how to read the rest"
  r(120, "encoding/shape", "ENVELOPE-10", [0], bstr(uint(1)), "header is an integer", begin)
  r(121, "encoding/shape", "ENVELOPE-10", [0], bstr(array()), "header is an empty array", begin)
  r(122, "encoding/shape", "ENVELOPE-10", [0, 0], tstr("1"), "version as text", begin)
  r(123, "encoding/shape", "ENVELOPE-10", [0, 0], NULL, "version null", begin)
  r(124, "encoding/malformed", "ENVELOPE-10 ENCODING-11", [0], bstr(""), "empty header", begin)
  const later = "later versions may have any other shape"
  r(125, "envelope/version", "ENVELOPE-11", [0, 0], uint(2), "version 2", later)
  r(126, "envelope/version", "ENVELOPE-11", [0, 0], uint(0), "version 0", later)
  r(127, "envelope/version", "ENVELOPE-11", [0, 0], uint(2n ** 53n - 1n), "version 2^53-1", later)
  r(
    128,
    "envelope/version",
    "ENVELOPE-11",
    [0],
    bstr(array(uint(2))),
    "version 2 and nothing else",
    later,
  )
  r(
    129,
    "envelope/version",
    "ENVELOPE-11",
    [0],
    bstr(array(uint(2), tstr("other"), array(NULL))),
    "version 2 of another shape",
    later,
  )
  r(
    130,
    "encoding/shape",
    "ENVELOPE-12",
    [0],
    bstr(array(uint(1))),
    "version 1 and nothing else",
    form,
  )
  shape(131, [0, 1], bstr(filled(0, 15)), "sid of 15 bytes")
  shape(132, [0, 1], bstr(filled(0, 17)), "sid of 17 bytes")
  shape(133, [0, 1], NULL, "sid null")
  shape(134, [0, 2], NULL, "block null")
  shape(135, [0, 2], array(bstr(filled(9, 32))), "block of one item")
  shape(136, [0, 2, 0], bstr(filled(9, 31)), "x of 31 bytes")
  shape(137, [0, 2, 0], bstr(filled(9, 33)), "x of 33 bytes")
  shape(138, [0, 2, 1], bstr(filled(9, 1183)), "ek of 1,183 bytes", two)
  shape(139, [0, 2, 1], bstr(filled(9, 1185)), "ek of 1,185 bytes", two)
  shape(140, [0, 2, 2], bstr(filled(9, 1087)), "kem-ct of 1,087 bytes", two)
  shape(141, [0, 2, 2], bstr(filled(9, 1089)), "kem-ct of 1,089 bytes", two)
  shape(142, [0, 3], bstr("00"), "pn as byte string")
  shape(143, [0, 4], NULL, "n null")
  shape(144, [0, 5], bstr(filled(0, 15)), "guard of 15 bytes")
  shape(145, [0, 5], bstr(filled(0, 17)), "guard of 17 bytes")
  shape(146, [0, 6], array(), "init is an empty array")
  shape(147, [0, 6, 0], tstr("1"), "suite as text")
  shape(148, [0, 6, 1], bstr(filled(0, 31)), "bundle-ref of 31 bytes")
  shape(149, [0, 6, 2], bstr(""), "empty otk-ref")
  shape(150, [0, 6, 3], bstr("61"), "name-a as byte string")
  shape(151, [0, 6, 4], bstr(filled(0, 33)), "ik-a of 33 bytes")
  shape(152, [0, 6, 5], NULL, "dk-a null")
  shape(153, [0, 6, 6], bstr(""), "empty e")
  shape(154, [0, 6, 7], bstr(filled(0, 1087)), "kem-ct of the init of 1,087 bytes", two)
  const scan = "hashes need one encoding per value"
  r(155, "encoding/profile", "ENVELOPE-10 ENCODING-14", [0, 4], uint(0, 1), "n in two bytes", scan)
  r(156, "encoding/profile", "ENVELOPE-10 ENCODING-13", [0, 2], map(), "block as map", scan)
  r(157, "encoding/limit", "ENVELOPE-10 ENCODING-15", [0, 4], uint(2n ** 53n), "n = 2^53", scan)
  r(
    158,
    "encoding/limit",
    "ENVELOPE-10 ENCODING-16",
    [0, 6],
    nest(8, NULL),
    "init at depth 9",
    "recursion needs a bound",
  )
  r(
    159,
    "encoding/malformed",
    "ENVELOPE-10 ENCODING-21",
    [0],
    bstr(`${array(uint(2))}00`),
    "version 2 with a byte behind it",
    "the scan comes before the version",
  )
  r(
    160,
    "encoding/profile",
    "ENVELOPE-10 ENCODING-13",
    [0],
    bstr(array(uint(2), "a0")),
    "version 2 with a map",
    "the scan comes before the version",
  )
}

/** Zeros up to `length`. */
function fill(bytes: Uint8Array, length: number): Uint8Array {
  return concat(bytes, new Uint8Array(length - bytes.length))
}

function inside(book: Book, one: Base): void {
  const r = (
    n: number,
    forgery: Forgery,
    title: string,
    why = "only the whole of inner and signature opens",
  ) => {
    const envelope = forge(one.parts, forgery)
    const mutation: Mutation & { input: JsonObject } = {
      level: "field",
      field: "envelope",
      put: title,
      follows: [[1]],
      input: { ...one.input, envelope },
    }
    book.reject(n, "envelope/open", "ENVELOPE-13", one.item, mutation, title, why)
  }
  const list = (contents: readonly Uint8Array[]) =>
    array(...contents.map((item) => bstr(toHex(item))))
  const many = (count: number) => head(4, count) + bstr("00").repeat(count)
  const whole = (contents: string, sig: Uint8Array) => array(contents, bstr(toHex(sig)))
  r(200, { inner: (_, sig) => whole(array(), sig), signed: { contents: [] } }, "no content")
  r(
    201,
    {
      inner: (_, sig) => whole(many(65), sig),
      signed: { contents: Array.from({ length: 65 }, () => Uint8Array.of(0)) },
    },
    "65 contents",
  )
  r(202, { inner: (contents) => whole(list(contents), new Uint8Array(0)) }, "empty signature")
  r(
    203,
    { inner: (contents, sig) => whole(list(contents), sig.slice(0, 63)) },
    "signature of 63 bytes",
  )
  r(204, { inner: (contents) => array(list(contents), NULL) }, "signature null")
  r(205, { inner: (contents) => array(list(contents)) }, "signature missing")
  r(206, { inner: (contents) => whole(list(contents), new Uint8Array(64)) }, "signature of zeros")
  r(207, { inner: (contents, sig) => `${whole(list(contents), sig)}00` }, "a byte behind inner")
  r(
    208,
    { inner: (contents, sig) => `9f${list(contents)}${bstr(toHex(sig))}ff` },
    "inner as indefinite array",
  )
  r(
    209,
    { inner: (contents, sig) => array(list(contents), bstr(toHex(sig), 2)) },
    "length of the signature in three bytes",
  )
  r(210, { inner: (_, sig) => whole(array(uint(1)), sig) }, "a content that is no byte string")
  r(
    211,
    { inner: (contents, sig) => array(list(contents), bstr(toHex(sig)), NULL) },
    "inner of three items",
  )
  r(212, { inner: () => "" }, "empty inner")
  r(213, { inner: () => "80" }, "inner is an empty array")
  r(
    214,
    { pad: (inner) => fill(concat(inner, Uint8Array.of(0x80)), 257) },
    "a byte more than the bucket",
  )
  r(215, { pad: (inner) => fill(concat(inner, Uint8Array.of(0x80)), 272) }, "a larger bucket")
  r(216, { pad: (inner) => fill(inner, 256) }, "no 0x80 behind inner")
  r(
    217,
    {
      pad: (inner) =>
        concat(
          inner,
          Uint8Array.of(0x80),
          new Uint8Array(Math.max(256, padme(inner.length + 1)) - inner.length - 2),
          Uint8Array.of(1),
        ),
    },
    "filler that is not zero",
  )
  const twice = one.parts.contents.concat(application("b", 1))
  r(
    218,
    { signed: { contents: twice } },
    "a content dropped after signing",
    "the signature covers every content",
  )
  r(
    219,
    { inner: (contents, sig) => whole(list([...contents, application("b", 1)]), sig) },
    "a content added after signing",
    "the signature covers every content",
  )
  r(
    220,
    { inner: (_, sig) => whole(list([application("other")]), sig) },
    "a content swapped after signing",
    "the signature covers every content",
  )
  r(
    221,
    { ikSecret: new Uint8Array(32).fill(1) },
    "signature by another key",
    "it proves who wrote it",
  )
  r(
    222,
    { signed: { th: new Uint8Array(32) } },
    "signature for another session",
    "it is bound to the session",
  )
  r(
    223,
    { signed: { recipient: "rob" } },
    "signature for another recipient",
    "it is bound to both names",
  )
  r(
    224,
    { signed: { sender: "malice" } },
    "signature of another sender name",
    "it is bound to both names",
  )
  r(225, { signed: { suite: 2 } }, "signature for another suite", "it is bound to the suite")
  r(
    226,
    { signed: { header: new Uint8Array(0) } },
    "signature over an empty header",
    "it is bound to the position",
  )
  r(
    227,
    { aad: labelled("envelope", one.parts.th, new Uint8Array(0)) },
    "associated data without the header",
    "the tag covers the header",
  )
  r(
    228,
    { aad: labelled("envelope", new Uint8Array(32), one.parts.header) },
    "associated data of another session",
    "the tag covers TH",
  )
}

function contexts(book: Book, one: Base): void {
  const r = (n: number, field: string, put: string | number, title: string, why: string) =>
    book.reject(n, "envelope/open", "ENVELOPE-13", one.item, context(field, put), title, why)
  r(240, "th", filled(1, 32), "in another session", "TH is in key, aad and signature")
  r(241, "mk", filled(1, 32), "with another message key", "each number has its key")
  r(242, "sender.name", "malice", "as of another sender name", "the signature names the sender")
  r(
    243,
    "sender.ik",
    toHex(new Flight(1).mallory.own.ik),
    "as of another sender key",
    "the signature proves who wrote it",
  )
  r(244, "recipient", "carol", "as to another recipient", "the signature names the recipient")
  r(245, "suite", 2, "in another suite", "suites have their own keys")
  const bytes = one.envelope
  const at = (n: number, offset: number, title: string) =>
    book.reject(
      n,
      "envelope/open",
      "ENVELOPE-13",
      one.item,
      flip("envelope", offset),
      title,
      "the tag covers it",
    )
  const start = bytes.length / 2 - 272
  at(246, start, "first byte of the ciphertext")
  at(247, start + 255, "last byte of the ciphertext")
  at(248, start + 256, "first byte of the tag")
  at(249, -1, "last byte of the tag")
  book.reject(
    250,
    "envelope/open",
    "ENVELOPE-13",
    one.item,
    changed(one, [0, 5], bstr(filled(1, 16))),
    "another guard",
    "it is part of key and nonce",
  )
  book.reject(
    251,
    "envelope/open",
    "ENVELOPE-13",
    one.item,
    changed(one, [0, 3], uint(1)),
    "another pn",
    "the tag covers the header",
  )
  book.reject(
    252,
    "envelope/open",
    "ENVELOPE-13",
    one.item,
    changed(one, [0, 4], uint(1)),
    "another n",
    "the tag covers the header",
  )
  book.reject(
    253,
    "envelope/open",
    "ENVELOPE-13",
    one.item,
    changed(one, [0, 6], NULL),
    "init taken out",
    "the tag covers the header",
  )
  book.reject(
    254,
    "envelope/open",
    "ENVELOPE-13",
    one.item,
    changed(one, [0, 1], bstr(filled(1, 16))),
    "another sid",
    "the tag covers the header",
  )
  book.reject(
    255,
    "envelope/open",
    "ENVELOPE-13",
    one.item,
    changed(one, [0, 2, 0], bstr(filled(9, 32))),
    "another block",
    "the tag covers the header",
  )
}

function proofs(book: Book): void {
  const flight = new Flight(1)
  const contents = [application("a"), application("b", 1), application("c", 2)]
  const parts = flight.parts(contents)
  const hashes = contents.map(contentHash)
  const signed = labelled("message", 1, parts.th, "alice", "bob", parts.header, hashes)
  const sig = toHex(sign(flight.alice.own.ikSecret, signed))
  const input = (index: number): JsonObject => ({
    ...{
      suite: 1,
      th: toHex(parts.th),
      sender: flight.alice.peer,
      recipient: "bob",
      header: toHex(parts.header),
    },
    ...{
      hashes: hashes.map((hash) => toHex(hash)),
      index,
      content: toHex(contents[index] as Uint8Array),
      sig,
    },
  })
  const twin = book.ok(
    400,
    "one content of three is shown",
    "ENVELOPE-20",
    "envelope.proof",
    input(1),
  )
  book.ok(401, "the first of three is shown", "ENVELOPE-20", "envelope.proof", input(0))
  book.ok(402, "the hash at the index is not looked at", "ENVELOPE-20", "envelope.proof", {
    ...input(1),
    hashes: [toHex(hashes[0] as Uint8Array), filled(0, 32), toHex(hashes[2] as Uint8Array)],
  })
  const r = (n: number, mutation: Mutation, title: string) =>
    book.reject(
      n,
      "envelope/open",
      "ENVELOPE-20",
      twin,
      mutation,
      title,
      "the verifier computes the hash itself",
    )
  r(403, context("content", toHex(contents[0] as Uint8Array)), "another content")
  r(404, context("content", toHex(encode([0]))), "a content that was never sent")
  r(405, context("index", 0), "another index")
  r(406, context("recipient", "carol"), "another recipient")
  r(407, context("sender.name", "malice"), "another sender name")
  r(408, context("sender.ik", toHex(flight.mallory.own.ik)), "another sender key")
  r(409, flip("header", -1), "another header")
  r(410, flip("sig", 0), "another signature")
  r(411, context("th", filled(1, 32)), "another session")
  r(412, context("hashes.0", filled(1, 32)), "another hash beside it")
  r(413, context("suite", 2), "another suite")
  // Without the bound, a prover who leaves a hash out is given it back.
  const also = (n: number, field: string, put: Json, extra: JsonObject, title: string): void => {
    let changed = withAt(twin.input as JsonObject, field, put) as JsonObject
    changed = { ...changed, ...extra }
    const mutation = { ...context(field, put), with: extra, input: changed }
    book.reject(n, "envelope/open", "ENVELOPE-20", twin, mutation, title, "it would prove nothing")
  }
  const hexes = hashes.map((hash) => toHex(hash))
  const last = { hashes: hexes.slice(0, 2), content: toHex(contents[2] as Uint8Array) }
  also(414, "index", 2, last, "the index is behind the hashes")
  const trivial = SMALL_ORDER_KEYS[0] as string
  const forged = { sig: `${trivial}${filled(0, 32)}` }
  also(415, "sender.ik", trivial, forged, "a key of small order, its signature")
}
