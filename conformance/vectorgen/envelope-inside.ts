// Vectors of SPEC §9 envelope: what only the key shows.

import { concat, toHex } from "../../src/bytes.ts"
import { padme } from "../../src/envelope.ts"
import { labelled } from "../../src/suite.ts"
import { type Base, changed } from "./envelope-base.ts"
import { application, Flight, type Forgery, forge } from "./flight.ts"
import { type Book, type Change, context, filled, flip } from "./kit.ts"
import { array, bstr, head, NULL, uint } from "./raw.ts"

/** Adds forged plaintexts: what stands inside the seal is not what a sender puts there. */
export function inside(book: Book, one: Base): void {
  const whole = "only the whole of inner and signature opens"
  const r = (n: number, forgery: Forgery, title: string, why: string = whole) => {
    const envelope = forge(one.parts, forgery)
    const input = { ...one.input, envelope }
    const field = { level: "field", field: "envelope" } as const
    const change = { ...field, put: title, follows: [[1]], input }
    book.reject(n, "envelope/open", "ENVELOPE-13", one.item, change, title, why)
  }
  plaintexts(r)
  paddings(r)
  signatures(r, one)
}

/** Adds plaintexts with less padding than the formula gives. */
export function shortened(book: Book, long: Base): void {
  for (const [i, cut] of [1, 2, 8, 16].entries()) {
    const pad = (inner: Uint8Array): Uint8Array => {
      const whole = concat(inner, Uint8Array.of(0x80), new Uint8Array(padme(inner.length + 1)))
      return whole.slice(0, padme(inner.length + 1) - cut)
    }
    const envelope = forge(long.parts, { pad })
    const input = { ...long.input, envelope }
    const title = `${cut} bytes of padding less`
    const change = { level: "field", field: "envelope", put: title, follows: [[1]], input } as const
    const why = "one plaintext has one padded form"
    book.reject(229 + i, "envelope/open", "ENVELOPE-13", long.item, change, title, why)
  }
}

type Inside = (n: number, forgery: Forgery, title: string, why?: string) => void

function plaintexts(r: Inside): void {
  const list = (contents: readonly Uint8Array[]): string =>
    array(...contents.map((item) => bstr(toHex(item))))
  const whole = (contents: string, sig: Uint8Array): string => array(contents, bstr(toHex(sig)))
  const many = head(4, 65) + bstr("00").repeat(65)
  const zeros = Array.from({ length: 65 }, () => Uint8Array.of(0))
  const inner = (n: number, title: string, make: NonNullable<Forgery["inner"]>): void =>
    r(n, { inner: make }, title)
  r(200, { inner: (_, sig) => whole(array(), sig), signed: { contents: [] } }, "no content")
  r(201, { inner: (_, sig) => whole(many, sig), signed: { contents: zeros } }, "65 contents")
  inner(202, "empty signature", (all) => whole(list(all), new Uint8Array(0)))
  inner(203, "signature of 63 bytes", (all, sig) => whole(list(all), sig.slice(0, 63)))
  inner(204, "signature null", (all) => array(list(all), NULL))
  inner(205, "signature missing", (all) => array(list(all)))
  inner(206, "signature of zeros", (all) => whole(list(all), new Uint8Array(64)))
  inner(207, "a byte behind inner", (all, sig) => `${whole(list(all), sig)}00`)
  inner(208, "inner as indefinite array", (all, sig) => `9f${list(all)}${bstr(toHex(sig))}ff`)
  const long = "length of the signature in three bytes"
  inner(209, long, (all, sig) => array(list(all), bstr(toHex(sig), 2)))
  inner(210, "a content that is no byte string", (_, sig) => whole(array(uint(1)), sig))
  inner(211, "inner of three items", (all, sig) => array(list(all), bstr(toHex(sig)), NULL))
  inner(212, "empty inner", () => "")
  inner(213, "inner is an empty array", () => "80")
  const covers = "the signature covers every content"
  const [added, other] = [application("b", 1), application("other")]
  const more: Forgery = { inner: (all, sig) => whole(list([...all, added]), sig) }
  r(219, more, "a content added after signing", covers)
  const swapped: Forgery = { inner: (_, sig) => whole(list([other]), sig) }
  r(220, swapped, "a content swapped after signing", covers)
}

function paddings(r: Inside): void {
  const end = Uint8Array.of(0x80)
  /** Zeros up to `length`. */
  const fill = (bytes: Uint8Array, length: number): Uint8Array =>
    concat(bytes, new Uint8Array(length - bytes.length))
  const pad = (n: number, title: string, make: (inner: Uint8Array) => Uint8Array): void =>
    r(n, { pad: make }, title)
  pad(214, "a byte more than the bucket", (inner) => fill(concat(inner, end), 257))
  pad(215, "a larger bucket", (inner) => fill(concat(inner, end), 272))
  pad(216, "no 0x80 behind inner", (inner) => fill(inner, 256))
  pad(217, "filler that is not zero", (inner) => {
    const bucket = Math.max(256, padme(inner.length + 1))
    return concat(fill(concat(inner, end), bucket - 1), Uint8Array.of(1))
  })
}

function signatures(r: Inside, { parts }: Base): void {
  const twice = parts.contents.concat(application("b", 1))
  const session = "it is bound to the session"
  const names = "it is bound to both names"
  const none = new Uint8Array(0)
  const covers = "the signature covers every content"
  r(218, { signed: { contents: twice } }, "a content dropped after signing", covers)
  const key = new Uint8Array(32).fill(1)
  r(221, { ikSecret: key }, "signature by another key", "it proves who wrote it")
  r(222, { signed: { th: new Uint8Array(32) } }, "signature for another session", session)
  r(223, { signed: { recipient: "rob" } }, "signature for another recipient", names)
  r(224, { signed: { sender: "malice" } }, "signature of another sender name", names)
  r(225, { signed: { suite: 2 } }, "signature for another suite", "it is bound to the suite")
  const position = "it is bound to the position"
  r(226, { signed: { header: none } }, "signature over an empty header", position)
  const headless = { aad: labelled("envelope", parts.th, none) }
  r(227, headless, "associated data without the header", "the tag covers the header")
  const moved = { aad: labelled("envelope", new Uint8Array(32), parts.header) }
  r(228, moved, "associated data of another session", "the tag covers TH")
}

/** Adds genuine envelopes that are opened as what they are not, or with another byte. */
export function contexts(book: Book, one: Base): void {
  const r = (n: number, change: Change, title: string, why: string) =>
    book.reject(n, "envelope/open", "ENVELOPE-13", one.item, change, title, why)
  r(240, context("th", filled(1, 32)), "in another session", "TH is in key, aad and signature")
  r(241, context("mk", filled(1, 32)), "with another message key", "each number has its key")
  const signed = "the signature names the sender"
  r(242, context("sender.name", "malice"), "as of another sender name", signed)
  const key = context("sender.ik", toHex(new Flight(1).mallory.own.ik))
  r(243, key, "as of another sender key", "the signature proves who wrote it")
  const recipient = "the signature names the recipient"
  r(244, context("recipient", "carol"), "as to another recipient", recipient)
  r(245, context("suite", 2), "in another suite", "suites have their own keys")
  const start = one.envelope.length / 2 - 272
  const bytes: readonly (readonly [number, number, string])[] = [
    [246, start, "first byte of the ciphertext"],
    [247, start + 255, "last byte of the ciphertext"],
    [248, start + 256, "first byte of the tag"],
    [249, -1, "last byte of the tag"],
  ]
  for (const [n, offset, title] of bytes) r(n, flip("envelope", offset), title, "the tag covers it")
  const guard = changed(one, [0, 5], bstr(filled(1, 16)))
  r(250, guard, "another guard", "it is part of key and nonce")
  const items: readonly (readonly [number, readonly number[], string, string])[] = [
    [251, [0, 3], uint(1), "another pn"],
    [252, [0, 4], uint(1), "another n"],
    [253, [0, 6], NULL, "init taken out"],
    [254, [0, 1], bstr(filled(1, 16)), "another sid"],
    [255, [0, 2, 0], bstr(filled(9, 32)), "another block"],
  ]
  for (const [n, path, put, title] of items)
    r(n, changed(one, path, put), title, "the tag covers the header")
}
