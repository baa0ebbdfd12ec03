// Vectors of SPEC §4 suite.

import { toHex } from "../../src/bytes.ts"
import { aeadSeal, createExchangeKey, encapsulate } from "../../src/suite.ts"
import { hex, unhex } from "../values.ts"
import { deterministicDraw, namedDraw } from "./draws.ts"
import { Book, context, filled, flip, splice } from "./kit.ts"
import { SEEDS } from "./people.ts"
import { LOW_ORDER_U, little, NON_CANONICAL_U } from "./points.ts"
import { utf8 } from "./raw.ts"
import { signatures, torsion } from "./suite-signatures.ts"

/** Writes all cases of this section. */
export function createSuiteBook(): Book {
  const book = new Book("suite")
  draws(book)
  exchange(book)
  derivation(book)
  signatures(book)
  torsion(book)
  aead(book)
  kem(book)
  return book
}

function draws(book: Book): void {
  const seed = toHex(SEEDS.alice)
  const items: readonly (readonly [string, number, number])[] = [
    ["identity", 0, 32],
    ["dh", 0, 32],
    ["prekey", 0, 32],
    ["prekey-kem", 0, 64],
    ["one-time", 0, 32],
    ["one-time-kem", 1, 64],
    ["ephemeral", 0, 32],
    ["encaps", 0, 32],
    ["ratchet", 0, 32],
    ["ratchet-kem", 23, 64],
    ["ratchet-encaps", 24, 32],
    ["guard", 255, 16],
    ["guard", 256, 16],
    ["content-id", 0, 16],
    ["cnonce", 0, 32],
    ["snonce", 0, 32],
    ["salt", 0, 16],
    ["export-guard", 0, 16],
  ]
  items.forEach(([name, i, length], at) => {
    book.ok(1 + at, `draw ${i} called ${name}`, "SUITE-6", "suite.draw", { seed, name, i, length })
  })
}

function exchange(book: Book): void {
  const secret = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"
  const bob = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"
  const twin = book.ok(30, "X25519 of RFC 7748", "SUITE-8", "suite.dh", { secret, remote: bob })
  book.ok(31, "secret with all bits set: clamped by X25519", "SUITE-4", "suite.dh", {
    secret: filled(255, 32),
    remote: bob,
  })
  book.ok(32, "secret of zeros: clamped by X25519", "SUITE-4", "suite.dh", {
    secret: filled(0, 32),
    remote: bob,
  })
  book.ok(33, "base point", "SUITE-8", "suite.dh", { secret, remote: little(9n) })
  book.ok(34, "u = p - 2", "SUITE-8", "suite.dh", { secret, remote: little(2n ** 255n - 21n) })
  book.ok(35, "u on the twist", "SUITE-8", "suite.dh", { secret, remote: little(2n) })
  NON_CANONICAL_U.forEach(([title, remote], i) => {
    book.reject(
      40 + i,
      "suite/bad-key",
      "SUITE-8",
      twin,
      context("remote", remote),
      `X25519 key, ${title}`,
      "each key has one encoding",
    )
  })
  // Each byte alone can keep a number below p.
  for (let at = 1; at < 32; at++) {
    const most = filled(255, 31) + (at === 31 ? "7e" : "7f")
    const remote = at === 31 ? most : `${most.slice(0, 2 * at)}fe${most.slice(2 * at + 2)}`
    book.ok(230 + at, `u below p by its byte ${at} alone`, "SUITE-8", "suite.dh", {
      secret,
      remote,
    })
  }
  LOW_ORDER_U.forEach(([title, remote], i) => {
    book.reject(
      50 + i,
      "suite/bad-key",
      "SUITE-12",
      twin,
      context("remote", remote),
      `X25519 key of low order, ${title}`,
      "it would fix the shared secret",
    )
  })
}

function derivation(book: Book): void {
  const items: readonly (readonly [number, string, string, string, string, number])[] = [
    [
      60,
      "HKDF of RFC 5869, case 1",
      "000102030405060708090a0b0c",
      filled(0x0b, 22),
      "f0f1f2f3f4f5f6f7f8f9",
      42,
    ],
    [61, "HKDF of RFC 5869, case 3", "", filled(0x0b, 22), "", 42],
    [62, "32 bytes", filled(1, 32), filled(2, 96), utf8("info"), 32],
    [63, "44 bytes", filled(1, 16), filled(2, 32), utf8("info"), 44],
    [64, "64 bytes", filled(1, 32), filled(2, 64), utf8("info"), 64],
    [65, "salt longer than a block", filled(3, 100), filled(2, 32), utf8("info"), 65],
    [66, "8,160 bytes, the most", filled(1, 32), filled(2, 32), "", 8160],
  ]
  for (const [n, title, salt, ikm, info, length] of items) {
    book.ok(n, title, "SUITE-3", "suite.hkdf", { salt, ikm, info, length })
  }
}

function aead(book: Book): void {
  const [key, nonce, aad] = [filled(0x11, 32), filled(0x22, 12), utf8("header")]
  const plaintext = utf8("sixteen bytes ok")
  book.ok(200, "seal", "SUITE-3", "suite.seal", { key, nonce, aad, plaintext })
  book.ok(201, "seal nothing", "SUITE-3", "suite.seal", { key, nonce, aad: "", plaintext: "" })
  const secret = unhex(key + nonce)
  const sealed = toHex(aeadSeal(secret, unhex(aad), unhex(plaintext)))
  const twin = book.ok(202, "open", "SUITE-3", "suite.open", { key, nonce, aad, ct: sealed })
  const r = (n: number, field: string, at: number, title: string) =>
    book.reject(n, "envelope/open", "SUITE-3", twin, flip(field, at), title, "the tag covers it")
  r(203, "key", 0, "another key")
  r(204, "nonce", 11, "another nonce")
  r(205, "aad", 0, "another associated data")
  r(206, "ct", 0, "first byte of the ciphertext")
  r(207, "ct", -1, "last byte of the tag")
  r(208, "ct", -16, "first byte of the tag")
  book.reject(
    209,
    "envelope/open",
    "SUITE-3",
    twin,
    splice("aad", 6, "", "00"),
    "associated data one byte longer",
    "the tag covers its length",
  )
  book.reject(
    210,
    "envelope/open",
    "SUITE-3",
    twin,
    splice("ct", 0, sealed.slice(0, 2), ""),
    "ciphertext without its first byte",
    "the tag covers its length",
  )
}

function kem(book: Book): void {
  const key = createExchangeKey(2, deterministicDraw(SEEDS.bob), "prekey")
  const [seed, ek] = [key.secret.kem as Uint8Array, hex(key.public.ek as Uint8Array)]
  const m = hex(namedDraw(SEEDS.alice, "encaps", 0, 32))
  const twin = book.ok(
    220,
    "encapsulate",
    "SUITE-10",
    "suite.encaps",
    { ek, m },
    { needs: ["suite-2"] },
  )
  book.ok(
    221,
    "encapsulate with zeros",
    "SUITE-10",
    "suite.encaps",
    { ek, m: filled(0, 32) },
    { needs: ["suite-2"] },
  )
  const { ct } = encapsulate(unhex(ek), unhex(m))
  const sealed = hex(ct)
  const of = (n: number, title: string, value: string) =>
    book.ok(
      n,
      title,
      "SUITE-15",
      "suite.decaps",
      { seed: hex(seed), ct: value },
      { needs: ["suite-2"] },
    )
  of(222, "decapsulate", sealed)
  of(
    223,
    "another first byte: an unrelated secret, no error",
    (Number.parseInt(sealed.slice(0, 2), 16) ^ 1).toString(16).padStart(2, "0") + sealed.slice(2),
  )
  of(224, "a ciphertext of zeros: an unrelated secret, no error", filled(0, 1088))
  of(225, "a ciphertext of ones: an unrelated secret, no error", filled(255, 1088))
  const bad = (n: number, at: number, put: string, title: string) =>
    book.reject(
      n,
      "suite/bad-key",
      "SUITE-10",
      twin,
      splice("ek", at, ek.slice(2 * at, 2 * at + put.length), put),
      title,
      "the modulus check of FIPS 203 fails",
    )
  // 3329 = 0xd01: a pair of coefficients fills three bytes, little-endian.
  bad(226, 0, "010d00", "first coefficient 3,329")
  bad(227, 0, "0010d0", "second coefficient 3,329")
  bad(228, 1149, "ffffff", "last two coefficients 4,095")
  bad(229, 600, "ff0f00", "a coefficient of 4,095 in the middle")
  const bits = Number.parseInt(ek.slice(-2), 16) ^ 1
  book.ok(
    230,
    "another rho is another key",
    "SUITE-10",
    "suite.encaps",
    { ek: ek.slice(0, -2) + bits.toString(16).padStart(2, "0"), m },
    { needs: ["suite-2"] },
  )
}
