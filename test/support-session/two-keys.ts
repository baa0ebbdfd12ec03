// AES-GCM does not commit to its key: a ciphertext whose tag verifies under two keys.

import { createCipheriv } from "node:crypto"

const REDUCTION = 0xe1n << 120n
const ONE = 1n << 127n

/** Product in the field of GHASH (SP 800-38D), the first bit being the coefficient of 1. */
function times(a: bigint, b: bigint): bigint {
  let product = 0n
  let shifted = b
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ REDUCTION : shifted >> 1n
  }
  return product
}

function power(base: bigint, exponent: bigint): bigint {
  let result = ONE
  for (let rest = exponent, square = base; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = times(result, square)
    square = times(square, square)
  }
  return result
}

const toBig = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`)
const toBytes = (value: bigint) => Buffer.from(value.toString(16).padStart(32, "0"), "hex")

function blocks(bytes: Uint8Array): readonly bigint[] {
  const padded = Buffer.alloc(Math.ceil(bytes.length / 16) * 16)
  padded.set(bytes)
  return Array.from({ length: padded.length / 16 }, (_, i) =>
    toBig(padded.subarray(16 * i, 16 * i + 16)),
  )
}

/** Key and nonce of one reading, and its associated data. */
export interface Reading {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

/** H and E(J0) of a reading, and its GHASH of a ciphertext. */
function authenticator({ key, nonce, aad }: Reading) {
  const encrypt = (block: Uint8Array) =>
    toBig(createCipheriv("aes-256-ecb", key, null).setAutoPadding(false).update(block))
  const h = encrypt(Buffer.alloc(16))
  const mask = encrypt(Buffer.concat([nonce, Buffer.of(0, 0, 0, 1)]))
  const tag = (ct: Uint8Array): bigint => {
    const sizes = (BigInt(aad.length * 8) << 64n) | BigInt(ct.length * 8)
    const all = [...blocks(aad), ...blocks(ct), sizes]
    return mask ^ all.reduce((sum, block) => times(sum ^ block, h), 0n)
  }
  return { h, tag }
}

/** `length` bytes (a multiple of 16) and a tag that both readings accept; the first block gives. */
export function ciphertextFor(a: Reading, b: Reading, length: number): Uint8Array {
  const [first, second] = [authenticator(a), authenticator(b)]
  const ct = Buffer.alloc(length, 0x5a)
  ct.fill(0, 0, 16)
  // The first block counts with the power of H that has one factor for each block and the sizes.
  const exponent = BigInt(length / 16 + 1)
  const difference = power(first.h, exponent) ^ power(second.h, exponent)
  const inverse = power(difference, (1n << 128n) - 2n)
  ct.set(toBytes(times(first.tag(ct) ^ second.tag(ct), inverse)))
  return new Uint8Array(Buffer.concat([ct, toBytes(first.tag(ct))]))
}
