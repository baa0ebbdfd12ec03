// Vectors of SPEC §4 suite: signatures, one verdict everywhere.

import { toHex } from "../../src/bytes.ts"
import { ed25519Public, sign } from "../../src/suite.ts"
import type { Case } from "../driver.ts"
import { unhex } from "../values.ts"
import { type Book, type Change, context, filled, flip, splice } from "./kit.ts"
import { SEEDS } from "./people.ts"
import {
  keyWithTorsion,
  L,
  little,
  matchingTorsion,
  NON_CANONICAL_KEYS,
  OFF_CURVE_KEYS,
  SMALL_ORDER_KEYS,
  signWithTorsion,
  withLargeS,
} from "./points.ts"
import { utf8 } from "./raw.ts"

/** Adds signatures and keys. */
export function signatures(book: Book): void {
  const seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
  const message = utf8("AgentMesh")
  const key = toHex(ed25519Public(seed))
  const signature = toHex(sign(seed, unhex(message)))
  book.ok(70, "sign a text", "SUITE-13", "suite.sign", { seed: toHex(seed), message })
  book.ok(71, "sign nothing", "SUITE-13", "suite.sign", { seed: toHex(seed), message: "" })
  book.ok(72, "sign 1,023 bytes", "SUITE-13", "suite.sign", {
    seed: toHex(SEEDS.alice),
    message: filled(0x5a, 1023),
  })
  const twin = book.ok(73, "verify a text", "SUITE-13", "suite.verify", { key, message, signature })
  book.ok(74, "verify nothing", "SUITE-13", "suite.verify", {
    key,
    message: "",
    signature: toHex(sign(seed, new Uint8Array(0))),
  })
  const r = (n: number, mutation: Change, title: string, req = "SUITE-13 SUITE-14") =>
    book.reject(n, "bundle/signature", req, twin, mutation, title, "the equation does not hold")
  r(75, flip("message", 0), "another message")
  r(76, flip("message", -1, "80"), "another last bit of the message")
  r(77, flip("signature", 0), "another R")
  r(78, flip("signature", 32), "another S")
  r(79, flip("signature", 63, "80"), "top bit of S")
  r(80, context("signature", filled(0, 64)), "signature of zeros")
  r(81, context("signature", withLargeS(signature)), "S + L in place of S")
  r(82, context("signature", signature.slice(0, 64) + little(L)), "S = L")
  r(83, context("key", toHex(ed25519Public(SEEDS.alice))), "another key")
  r(84, context("signature", signature.slice(64) + signature.slice(0, 64)), "R and S swapped")
  r(85, splice("message", -1, "68", ""), "message without its last byte")
  r(86, splice("message", 9, "", "00"), "message with one byte more")
  const bad = (n: number, put: string, title: string) =>
    book.reject(
      n,
      "suite/bad-key",
      "SUITE-9",
      twin,
      context("key", put),
      title,
      "for such a key a signature proves nothing",
    )
  for (const [i, put] of SMALL_ORDER_KEYS.entries()) bad(90 + i, put, `key of small order ${i}`)
  for (const [i, put] of NON_CANONICAL_KEYS.entries())
    bad(100 + i, put, `key with a second encoding ${i}`)
  for (const [i, put] of OFF_CURVE_KEYS.entries()) bad(110 + i, put, `key off the curve ${i}`)
  // With the identity point as key, R = [S]B satisfies the equation for every message.
  const trivial = keyWithTorsion(0n, 0)
  const forged = signWithTorsion(trivial, 5n, 0, message)
  const valid = keyWithTorsion(7n, 0)
  const own = book.ok(120, "key and signature from known scalars", "SUITE-13", "suite.verify", {
    key: valid.key,
    message,
    signature: signWithTorsion(valid, 5n, 0, message),
  })
  book.ok(123, "R is the identity point, the equation holds", "SUITE-13", "suite.verify", {
    key: valid.key,
    message,
    signature: signWithTorsion(valid, 0n, 0, message),
  })
  const mutation = { ...context("key", trivial.key), with: { signature: forged } }
  book.reject(
    121,
    "suite/bad-key",
    "SUITE-9",
    own,
    { ...mutation, input: { key: trivial.key, message, signature: forged } },
    "the identity point as key, its trivial signature",
    "it verifies for every message",
  )
  // R of y = p + 1 decodes to the identity where decoding is loose: [S]B - [k]A with S = k a.
  book.reject(
    122,
    "bundle/signature",
    "SUITE-13 SUITE-14",
    own,
    context("signature", NON_CANONICAL_KEYS[3] + filled(0, 32)),
    "R not canonical",
    "R is compared byte by byte",
  )
}

/** All 64 combinations of torsion in A and R: which R fits depends on the message. */
export function torsion(book: Book): void {
  const message = utf8("torsion")
  for (let i = 0; i < 8; i++) {
    const by = keyWithTorsion(1234567n, i)
    const fits = (nonce: bigint): readonly number[] =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((j) => matchingTorsion(by, nonce, i, j, message))
    let nonce = 98765n
    while (fits(nonce).length === 0) nonce++
    const fitting = fits(nonce)
    const make = (j: number) => signWithTorsion(by, nonce, j, message)
    const accepted = fitting.map((j) => {
      const input = { key: by.key, message, signature: make(j) }
      const title = `A + T${i}, R + T${j}: fits without cofactor`
      return book.ok(130 + 8 * i + j, title, "SUITE-13", "suite.verify", input)
    })
    for (let j = 0; j < 8; j++) {
      if (fitting.includes(j)) continue
      const [twin] = accepted as [Case]
      const why = "only the cofactored equation accepts it"
      book.reject(
        130 + 8 * i + j,
        "bundle/signature",
        "SUITE-13",
        twin,
        context("signature", make(j)),
        `A + T${i}, R + T${j}`,
        why,
      )
    }
  }
}
