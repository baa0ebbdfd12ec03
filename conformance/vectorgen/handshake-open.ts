// Vectors of SPEC §8 handshake: what only the seal of the first envelope shows.

import { toHex } from "../../src/bytes.ts"
import { encapsulate } from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import { unhex } from "../values.ts"
import { application, Flight, type Forgery, forge, initiateTo, rewriteInit } from "./flight.ts"
import { type Bases, including, inHeader, inInit, other } from "./handshake-base.ts"
import { type Book, type Change, filled, flip } from "./kit.ts"
import { bundleJson, NOW, Person } from "./people.ts"
import { bstr, NULL, tstr, uint } from "./raw.ts"
import { refusing } from "./refusing.ts"

/** Adds inits that an attacker rewrites, TH and sid made to fit (step 8 of §8.4). */
export function rewritten(book: Book, { one, oneTime, two, twoTime }: Bases): void {
  const req = "HANDSHAKE-32 ENVELOPE-13"
  const open = refusing(book, "envelope/open", req, "both sides agree on the whole init")
  const { bob, mallory } = one.flight
  // The attacker computes TH and sid itself; it cannot compute the keys.
  open(270, one, inInit(one, 3, tstr("malice")), "name-a rewritten")
  open(271, one, inInit(one, 4, bstr(toHex(mallory.own.ik))), "ik-a rewritten")
  open(272, one, inInit(one, 5, bstr(toHex(mallory.own.dk))), "dk-a rewritten")
  open(273, one, inInit(one, 6, bstr(toHex(mallory.own.dk))), "e rewritten")
  open(274, oneTime, inInit(oneTime, 2, NULL), "otk-ref nulled, sid made to fit")
  const first = new Person("bob").bundle({ seq: NOW - 9 })
  const live = { bundles: [bundleJson(first), ...(one.input["bundles"] as [])] }
  const moved = inInit(one, 1, bstr(toHex(first.ref)))
  open(275, one, including(moved, live), "bundle-ref of another live bundle")
  const ct = toHex(two.flight.handshake.init.kemCt as Uint8Array)
  const last = (Number.parseInt(ct.slice(-2), 16) ^ 1).toString(16).padStart(2, "0")
  open(276, two, inInit(two, 7, bstr(ct.slice(0, -2) + last)), "kem-ct with a bit flipped")
  const anew = (ek: Uint8Array): string => bstr(toHex(encapsulate(ek, unhex(filled(7, 32))).ct))
  const prekey = two.flight.bundle.prekeys[1]?.ek as Uint8Array
  open(277, two, inInit(two, 7, anew(prekey)), "kem-ct encapsulated anew")
  const ek = twoTime.flight.oneTime?.ek as Uint8Array
  open(278, twoTime, inInit(twoTime, 7, anew(ek)), "kem-ct to the one-time key anew")

  const bare = replaceItem(replaceItem(two.envelope, [0, 2, 1], NULL), [0, 2, 2], NULL)
  const down = rewriteInit(bare, { 0: uint(1), 7: NULL }, bob.own)
  const nulled = [
    [0, 1],
    [0, 2, 1],
    [0, 2, 2],
    [0, 6, 7],
  ]
  const single = other(two, down, uint(1), [0, 6, 0], nulled)
  open(279, two, single, "suite 2 made suite 1, KEM fields nulled")
  const names = { 3: tstr("mallory"), 4: bstr(toHex(mallory.own.ik)) }
  const asOwn = rewriteInit(one.envelope, names, bob.own)
  const own = other(
    one,
    asOwn,
    names[3],
    [0, 6, 3],
    [
      [0, 1],
      [0, 6, 4],
    ],
  )
  const named = refusing(book, "envelope/open", req, "the signature and TH name alice")
  named(280, one, own, "an init of alice sent as mallory's own")
}

/** Adds first envelopes whose seal or signature does not fit (step 8 of §8.4). */
export function forged(book: Book, { one, two }: Bases): void {
  const req = "HANDSHAKE-32 ENVELOPE-13"
  const open = refusing(book, "envelope/open", req, "the tag covers header and plaintext")
  const { bob, mallory } = one.flight
  const prekey = two.flight.bundle.prekeys[1]?.ek as Uint8Array
  open(281, one, flip("envelope", -1), "last byte of the tag")
  open(282, one, flip("envelope", -272), "first byte of the ciphertext")
  open(283, one, inHeader(one, [5], bstr(filled(0, 16))), "another guard")
  open(284, one, inHeader(one, [4], uint(1)), "another n")
  open(285, one, inHeader(one, [2, 0], bstr(toHex(mallory.own.dk))), "another block")
  open(286, two, inHeader(two, [2, 1], bstr(toHex(prekey))), "another ek in the block")
  open(287, two, inHeader(two, [2, 2], bstr(filled(1, 1088))), "another kem-ct in the block")

  const proof = "only the identity key proves who wrote it"
  const signed = refusing(book, "envelope/open", req, proof)
  const parts = one.flight.parts([application("hello")])
  const forgeries: readonly (readonly [number, Forgery, string])[] = [
    [290, { ikSecret: mallory.own.ikSecret }, "all keys of bob leaked: signature by another key"],
    [291, { ikSecret: bob.own.ikSecret }, "signature by the recipient"],
    [292, { signed: { th: unhex(filled(1, 32)) } }, "signature for another TH"],
    [293, { signed: { recipient: "carol" } }, "signature for another recipient"],
    [294, { signed: { sender: "malice" } }, "signature of another sender name"],
    [295, { signed: { suite: 2 } }, "signature for another suite"],
    [296, { signed: { contents: [application("other")] } }, "signature over another content"],
    [297, { signed: { header: parts.header.slice(1) } }, "signature over another header"],
  ]
  const put = (envelope: string, title: string): Change =>
    other(one, envelope, title, undefined, [[1]])
  for (const [n, forgery, title] of forgeries)
    signed(n, one, put(forge(parts, forgery), title), title)
  const bare = "no associated data"
  open(298, one, put(forge(parts, { aad: new Uint8Array(0) }), bare), bare)

  // Mallory's bundle copies bob's prekey; alice's init to mallory is passed on to bob.
  const copied = { ...mallory.bundle(), prekeys: one.flight.bundle.prekeys }
  const ref = bstr(toHex(one.flight.bundle.ref))
  const toBob = rewriteInit(initiateTo(copied), { 1: ref }, bob.own)
  const how = "init to mallory's bundle, which copies bob's prekey; bundle-ref rewritten"
  const meant = refusing(book, "envelope/open", req, "DH2 and TH name the intended responder")
  meant(299, one, other(one, toBob, how), "an init to a bundle that copies the prekey")
  const second = new Flight(1).seal([application("second")], 1).envelope
  const mixed = replaceItem(one.envelope, [1], itemAt(second, [1]))
  const title = "header of one envelope, ciphertext of another"
  open(300, one, put(mixed, title), title)
}
