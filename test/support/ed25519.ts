// Points and signatures that no honest signer makes, from the curve equation upwards.

import { createHash } from "node:crypto"
import { ed25519 } from "@noble/curves/ed25519.js"
import { unhex } from "./raw-cbor.ts"

const { Point } = ed25519
/** Order of the prime subgroup. */
export const L: bigint = Point.Fn.ORDER
/** A point of order 8. */
const T = Point.fromBytes(
  unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
  true,
)

/** The 8 points of small order, and the 6 other byte strings that some decoders read as them. */
export const SMALL_ORDER: readonly Uint8Array[] = [
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  `${"00".repeat(31)}80`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  `01${"00".repeat(30)}80`,
  `${"ec"}${"ff".repeat(31)}`,
  `ee${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(31)}`,
  `ed${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(31)}`,
].map(unhex)

/** Number of 32 bytes, little endian. */
export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`)
}

/** 32 bytes of a number, little endian. */
export function toBytes(number: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(number.toString(16).padStart(64, "0"), "hex").reverse())
}

/** k = SHA-512(R, A, M) mod L. */
export function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const digest = createHash("sha512").update(r).update(key).update(message).digest()
  return BigInt(`0x${Buffer.from(digest).reverse().toString("hex")}`) % L
}

/** A signature with torsion [i]T in the key and [j]T in R. */
export interface TorsionCase {
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  /** Whether [S]B - [k]A = R, the cofactor left out. */
  readonly valid: boolean
}

/** A = [a]B + [i]T, R = [r]B + [j]T, S = r + k a. */
export function torsionCase(
  a: bigint,
  r: bigint,
  i: number,
  j: number,
  message: Uint8Array,
): TorsionCase {
  const torsion = (n: number) => T.multiplyUnsafe(BigInt(n))
  const key = Point.BASE.multiplyUnsafe(a).add(torsion(i)).toBytes()
  const commitment = Point.BASE.multiplyUnsafe(r).add(torsion(j)).toBytes()
  const k = challenge(commitment, key, message)
  const signature = new Uint8Array(Buffer.concat([commitment, toBytes((r + k * a) % L)]))
  const valid = (Number(k % 8n) * i + j) % 8 === 0
  return { key, message, signature, valid }
}
