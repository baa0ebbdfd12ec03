// Vectors of SPEC §8 handshake: what is refused before any key is looked up.

import { toHex } from "../../src/bytes.ts"
import { type Base, type Bases, inHeader } from "./handshake-base.ts"
import { type Book, context, filled } from "./kit.ts"
import { bstr, NULL, tstr, uint } from "./raw.ts"
import { refusing } from "./refusing.ts"

/** Adds what is refused for the form of the header (step 1 of §8.4). */
export function stepOne(book: Book, { one, two }: Bases): void {
  const tuple = "it names no tuple of algorithms"
  const unsupported = refusing(book, "suite/unsupported", "HANDSHAKE-12", tuple)
  for (const [i, suite] of [0, 3, 0xff00].entries())
    unsupported(120 + i, one, inHeader(one, [6, 0], uint(suite)), `init of suite ${suite}`)

  const form = "KEM fields are null exactly in suite 1"
  const [ek, ct] = [bstr(filled(1, 1184)), bstr(filled(1, 1088))]
  const kem = refusing(book, "encoding/shape", "HANDSHAKE-13", form)
  kem(123, one, inHeader(one, [2, 1], ek), "ek in a block of suite 1")
  kem(124, one, inHeader(one, [2, 2], ct), "kem-ct in a block of suite 1")
  kem(125, one, inHeader(one, [6, 7], ct), "kem-ct in an init of suite 1")
  kem(126, two, inHeader(two, [2, 1], NULL), "no ek in a block of suite 2")
  kem(127, two, inHeader(two, [2, 2], NULL), "no kem-ct in a block of suite 2")
  kem(128, two, inHeader(two, [6, 7], NULL), "no kem-ct in an init of suite 2")

  const first = "the first chain has none before it"
  const pn = refusing(book, "encoding/shape", "HANDSHAKE-13", first)
  pn(129, one, inHeader(one, [3], uint(1)), "pn 1 beside an init")

  const work = "it bounds the work on unauthenticated input"
  const far = refusing(book, "session/chain-limit", "HANDSHAKE-14", work)
  far(130, one, inHeader(one, [4], uint(1000)), "n = 1,000 beside an init")
  far(131, one, inHeader(one, [4], uint(2n ** 53n - 1n)), "largest n beside an init")

  const name = refusing(book, "identity/name", "HANDSHAKE-15", "names are compared byte by byte")
  const names = ["", "Alice", "a".repeat(65), "al|ce", "alice\u0000", "аlice"]
  for (const [i, put] of names.entries())
    name(132 + i, one, inHeader(one, [6, 3], tstr(put)), `name-a of the wrong form, ${i}`)
}

/** Adds reflected, misdirected, altered and repeated inits (steps 2 to 4 of §8.4). */
export function stepsTwoToFour(book: Book, { one, oneTime, two }: Bases): void {
  const { alice, bob, mallory } = one.flight
  const nobody = "a reflected session would authenticate nobody"
  const self = refusing(book, "handshake/self", "HANDSHAKE-16", nobody)
  self(140, one, context("identity", alice.identity), "the init reflected to its sender")
  const own = inHeader(one, [6, 4], bstr(toHex(bob.own.ik)))
  self(141, one, own, "own ik under another name")

  const elsewhere = "the init was made for somebody else"
  const misdirected = refusing(book, "envelope/open", "HANDSHAKE-17", elsewhere)
  const agent = context("identity", mallory.identity)
  misdirected(142, one, agent, "the init delivered to another agent")
  const rob = context("identity.name", "rob")
  misdirected(143, one, rob, "the init delivered under another name")

  const whole = "sid is made from the whole init"
  const altered = refusing(book, "envelope/open", "HANDSHAKE-17", whole)
  altered(144, one, inHeader(one, [1], bstr(filled(0, 16))), "another sid")
  const items: readonly (readonly [number, Base, number, string, string])[] = [
    [145, one, 1, bstr(filled(1, 32)), "another bundle-ref"],
    [146, oneTime, 2, NULL, "otk-ref nulled"],
    [147, one, 3, tstr("malice"), "another name-a"],
    [148, one, 4, bstr(toHex(mallory.own.ik)), "another ik-a"],
    [149, one, 5, bstr(filled(9, 32)), "another dk-a"],
    [150, one, 6, bstr(filled(9, 32)), "another e"],
    [151, two, 7, bstr(filled(9, 1088)), "another kem-ct"],
  ]
  for (const [n, base, item, put, title] of items)
    altered(n, base, inHeader(base, [6, item], put), `${title}, old sid`)

  const th = toHex(one.flight.handshake.th)
  const replay = refusing(book, "handshake/replay", "HANDSHAKE-19", "each init is accepted once")
  replay(152, one, context("replayed", [th]), "the init again, its session erased")
  const among = [filled(1, 32), toHex(two.flight.handshake.th)]
  replay(153, two, context("replayed", among), "the same in suite 2")
  const used = refusing(book, "envelope/open", "HANDSHAKE-20", "a sid looks up one session")
  used(154, one, context("sids", [th.slice(0, 32)]), "a sid that another session uses")
}
