// Vectors of SPEC §6 bundle: keys that are refused, and signatures with torsion.

import { fromHex, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { label } from "../../src/suite.ts"
import { itemAt } from "../cbor.ts"
import type { Case } from "../driver.ts"
import { acceptingBytes, DAY } from "./bundle-made.ts"
import { type Book, filled, resigned } from "./kit.ts"
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
} from "./points.ts"
import { bstr } from "./raw.ts"

/** Adds keys that no bundle may hold. */
export function keys(book: Book, bob: Person, one: Case, two: Case): void {
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

/** Keys and signatures with torsion: one verdict everywhere (SUITE-9, SUITE-13). */
export function torsion(book: Book): void {
  const plain = keyWithTorsion(7n, 0)
  const prime = signedBy(plain.key, (body) => signWithTorsion(plain, 5n, 0, body))
  const twin = book.ok(
    211,
    "ik from a known scalar",
    "BUNDLE-15",
    "bundle.accept",
    acceptingBytes(prime),
  )
  const zero = keyWithTorsion(0n, 0)
  const trivial = signedBy(zero.key, (body) => signWithTorsion(zero, 5n, 0, body))
  const put = bstr(zero.key)
  book.reject(
    212,
    "suite/bad-key",
    "BUNDLE-12 SUITE-9",
    twin,
    {
      level: "field",
      field: "bytes",
      path: [0, 2],
      put,
      follows: [[1]],
      input: acceptingBytes(trivial),
    },
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
    acceptingBytes(whole(nonce, j)),
  )
  const other = whole(nonce, (j + 1) % 8)
  book.reject(
    214,
    "bundle/signature",
    "BUNDLE-15 SUITE-13",
    fits,
    {
      level: "field",
      field: "bytes",
      path: [1],
      put: itemAt(other, [1]),
      input: acceptingBytes(other),
    },
    "a signature that only the cofactored equation accepts",
    "libraries would differ",
  )
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
