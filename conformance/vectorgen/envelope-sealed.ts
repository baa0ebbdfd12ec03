// Vectors of SPEC §9 envelope: what a sender makes.

import { toHex } from "../../src/bytes.ts"
import { padme } from "../../src/envelope.ts"
import type { Case, JsonObject, Mutation } from "../driver.ts"
import { needs } from "./envelope-base.ts"
import { application, Flight } from "./flight.ts"
import { type Book, filled, flip, splice } from "./kit.ts"

/** Adds envelopes that are sealed. */
export function sealed(book: Book): void {
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

/** Adds padding, put on and taken off. */
export function padding(book: Book): void {
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
