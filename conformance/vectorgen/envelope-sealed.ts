// Vectors of SPEC §9 envelope: what a sender makes.

import { toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { padme } from "../../src/envelope.ts"
import type { Case, JsonObject, Mutation } from "../driver.ts"
import { needs, sized } from "./envelope-base.ts"
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
  const edge = book.ok(83, "padding of 256 bytes taken off", "ENVELOPE-13", "envelope.unpad", {
    padded: `${filled(0x11, 256)}80${filled(0, 15)}`,
  })
  // Lengths that padme never gives, and such as it gives to shorter plaintexts.
  for (const [i, length] of [257, 258, 264, 271].entries())
    r(84 + i, edge, splice("padded", 257, filled(0, 272 - length), ""), `${length} bytes for 272`)
  const far = book.ok(88, "padding of 1,024 bytes taken off", "ENVELOPE-13", "envelope.unpad", {
    padded: `${filled(0x11, 1024)}80${filled(0, 63)}`,
  })
  r(89, far, splice("padded", 1025, filled(0, 32), ""), "1,056 bytes for 1,088")
  r(90, far, splice("padded", 1025, filled(0, 62), ""), "1,026 bytes for 1,088")
}

/** Adds envelopes whose plaintext just fills a padded length, or is one byte too long for it. */
export function edges(book: Book): void {
  const flight = new Flight(1)
  const { session } = flight.seal([application("hello")])
  const { x, ek, kemCt } = (session.own as NonNullable<typeof session.own>).block
  const parts = flight.parts([application("hello")])
  const base = {
    ...{ suite: 1, th: toHex(parts.th), recipient: "bob" },
    ...{ mk: toHex(parts.mk), guard: toHex(parts.guard) },
    sender: { name: "alice", ikSecret: toHex(flight.alice.own.ikSecret) },
    block: { x: toHex(x), ek: ek && toHex(ek), kemCt: kemCt && toHex(kemCt) },
    ...{ pn: 0, n: 0, init: null },
  }
  /** Bytes of the inner; by the encoding itself. */
  const inner = (contents: readonly Uint8Array[]): number =>
    encode([contents, new Uint8Array(64)]).length
  const seal = (n: number, contents: readonly Uint8Array[], over: boolean, what: string): void => {
    // A last content makes the plaintext as long as a padded length, or one byte longer.
    let last = 60
    const all = () => [...contents, sized(last, 99)]
    const bare = (): number => inner(all()) + 1 - (over ? 1 : 0)
    for (let gap = -1; gap !== 0; last += gap) gap = padme(bare()) - bare()
    const title = over ? `one byte more than a bucket: ${what}` : `a full bucket: ${what}`
    const input = { ...base, contents: all().map((content) => toHex(content)) }
    book.ok(n, title, "ENVELOPE-6", "envelope.seal", input, { untraced: true })
  }
  const many = (count: number) => Array.from({ length: count }, (_, i) => sized(50, i))
  const items: readonly (readonly [readonly Uint8Array[], string])[] = [
    [many(22), "23 contents"],
    [many(23), "24 contents"],
    [[sized(255)], "a content of 255 bytes"],
    [[sized(256)], "a content of 256 bytes"],
    [[sized(65_535)], "a content of 65,535 bytes"],
    [[sized(65_536)], "a content of 65,536 bytes"],
  ]
  for (const [i, [contents, what]] of items.entries()) {
    seal(500 + 2 * i, contents, false, what)
    seal(501 + 2 * i, contents, true, what)
  }
}
