// Edge cases of Curve25519, with a small arithmetic of its own: slow, clear, for test data only.

import { createHash } from "node:crypto"
import { hex, unhex } from "../values.ts"

const P = 2n ** 255n - 19n
/** Order of the base point. */
export const L: bigint = 2n ** 252n + 27742317777372353535851937790883648493n

function mod(a: bigint, m: bigint = P): bigint {
  const r = a % m
  return r < 0n ? r + m : r
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, b, e] = [1n, mod(base), exponent]
  for (; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * b)
    b = mod(b * b)
  }
  return result
}

const invert = (a: bigint): bigint => power(a, P - 2n)
const D = mod(-121665n * invert(121666n))
const ROOT = power(2n, (P - 1n) / 4n)

/** A point in affine coordinates. */
export type Point = readonly [bigint, bigint]

const ZERO: Point = [0n, 1n]

/** Hex of a number in 32 little-endian bytes. */
export function little(value: bigint): string {
  let out = ""
  for (let i = 0, v = value; i < 32; i++, v >>= 8n) out += (v & 255n).toString(16).padStart(2, "0")
  return out
}

function fromLittle(data: string): bigint {
  return BigInt(`0x${hex(unhex(data).reverse())}`)
}

/** The sum of two points. */
export function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const t = mod(D * x1 * x2 * y1 * y2)
  return [mod((x1 * y2 + x2 * y1) * invert(1n + t)), mod((y1 * y2 + x1 * x2) * invert(1n - t))]
}

/** A point times a number. */
export function multiply(point: Point, by: bigint): Point {
  let [result, p, n] = [ZERO, point, by]
  for (; n > 0n; n >>= 1n) {
    if (n & 1n) result = add(result, p)
    p = add(p, p)
  }
  return result
}

/** Hex of a point: y, and the sign of x in the last bit. */
export function encodePoint([x, y]: Point): string {
  return little(y | ((x & 1n) << 255n))
}

function decodePoint(data: string): Point {
  const y = fromLittle(data) & (2n ** 255n - 1n)
  const square = mod((y * y - 1n) * invert(D * y * y + 1n))
  let x = power(square, (P + 3n) / 8n)
  if (mod(x * x) !== square) x = mod(x * ROOT)
  if (mod(x * x) !== square) throw new Error("not on the curve")
  const sign = fromLittle(data) >> 255n
  return [(x & 1n) === sign ? x : mod(-x), y]
}

const BASE = decodePoint(`58${"66".repeat(31)}`)
const EIGHT = decodePoint("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")

/** The eight points of small order, T_i = [i]T_1. */
export const TORSION: readonly Point[] = Array.from({ length: 8 }, (_, i) =>
  multiply(EIGHT, BigInt(i)),
)

/** Their encodings. */
export const SMALL_ORDER_KEYS: readonly string[] = TORSION.map(encodePoint)

/** y >= p, and x = 0 with the sign bit set. */
export const NON_CANONICAL_KEYS: readonly string[] = [
  little(P + 3n),
  little((P + 3n) | (1n << 255n)),
  little(P),
  little(P + 1n),
  little(P + 18n),
  little(1n | (1n << 255n)),
  little((P - 1n) | (1n << 255n)),
]

/** Encodings whose y has no x. */
export const OFF_CURVE_KEYS: readonly string[] = [2n, 7n, 8n].map(little)

/** X25519 public keys of low order, canonical: the shared secret is all zero. */
export const LOW_ORDER_U: readonly (readonly [string, string])[] = [
  ["u = 0", little(0n)],
  ["u = 1", little(1n)],
  ["order 8, first", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
  ["order 8, second", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
  ["u = p - 1", little(P - 1n)],
]

/** X25519 public keys that are not canonical. */
export const NON_CANONICAL_U: readonly (readonly [string, string])[] = [
  ["u = p", little(P)],
  ["u = p + 1", little(P + 1n)],
  ["u = p + 9", little(P + 9n)],
  ["u = p + 18", little(P + 18n)],
  ["u = 9 with bit 255", little(9n | (1n << 255n))],
  ["u = 2^256 - 1", "ff".repeat(32)],
]

function sha512(...parts: readonly string[]): bigint {
  const hash = createHash("sha512")
  for (const part of parts) hash.update(unhex(part))
  return fromLittle(hash.digest("hex"))
}

/** A key with a known scalar, shifted by a torsion point. */
export function keyWithTorsion(scalar: bigint, i: number): { scalar: bigint; key: string } {
  return { scalar, key: encodePoint(add(multiply(BASE, scalar), TORSION[i] as Point)) }
}

/** A signature whose R is shifted by [j]T_1; it satisfies the equation up to torsion. */
export function signWithTorsion(
  by: { scalar: bigint; key: string },
  nonce: bigint,
  j: number,
  message: string,
): string {
  const r = encodePoint(add(multiply(BASE, nonce), TORSION[j] as Point))
  const k = mod(sha512(r, by.key, message), L)
  return r + little(mod(nonce + k * by.scalar, L))
}

/** The j for which {@link signWithTorsion} satisfies the equation without cofactor, if any. */
export function matchingTorsion(
  by: { scalar: bigint; key: string },
  nonce: bigint,
  i: number,
  j: number,
  message: string,
): boolean {
  const r = encodePoint(add(multiply(BASE, nonce), TORSION[j] as Point))
  const k = mod(sha512(r, by.key, message), L)
  return (
    encodePoint(multiply(TORSION[i] as Point, k % 8n)) ===
    encodePoint(TORSION[(8 - j) % 8] as Point)
  )
}

/** S + L in place of S. */
export function withLargeS(signature: string): string {
  return signature.slice(0, 64) + little(fromLittle(signature.slice(64)) + L)
}
