// SPEC §4: the portable backend, on the noble libraries. It runs in every JavaScript runtime.

import { gcm } from "@noble/ciphers/aes.js"
import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import { hmac } from "@noble/hashes/hmac.js"
import { scrypt } from "@noble/hashes/scrypt.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import { concatBytes, randomBytes } from "@noble/hashes/utils.js"
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js"
import type { Backend } from "./backend.ts"

const { Point } = ed25519
const ORDER = Point.Fn.ORDER
const KEM_FIELD = 3329

function littleEndian(bytes: Uint8Array): bigint {
  let number = 0n
  for (let i = bytes.length - 1; i >= 0; i--) number = (number << 8n) | BigInt(bytes[i] as number)
  return number
}

/** Null instead of an exception: noble throws on bad points and bad tags. */
function attempt<T>(action: () => T): T | null {
  try {
    return action()
  } catch {
    return null
  }
}

export const backend: Backend = {
  name: "noble",
  random: (length) => randomBytes(length),
  sha256: (data) => sha256(data),
  hmac: (key, data) => hmac(sha256, key, data),
  scrypt: (password, salt, n, length) =>
    scrypt(password, salt, { N: n, r: 8, p: 1, dkLen: length }),

  x25519Public: (secret) => x25519.getPublicKey(secret),
  x25519: (secret, remote) => attempt(() => x25519.getSharedSecret(secret, remote)),

  ed25519Public: (seed) => ed25519.getPublicKey(seed),
  ed25519Valid(key) {
    // Strict decoding (RFC 8032, not ZIP 215): y < p and on the curve.
    const point = attempt(() => Point.fromBytes(key, false))
    return point !== null && !point.isSmallOrder()
  },
  ed25519Sign: (seed, message) => ed25519.sign(message, seed),
  ed25519Verify(key, message, signature) {
    // noble's own verification multiplies by the cofactor, OpenSSL's does not, and one verdict is
    // needed: R' = [S]B - [k]A is encoded and compared with the bytes of R (SPEC §4).
    const s = littleEndian(signature.subarray(32))
    if (signature.length !== 64 || s >= ORDER) return false
    const a = attempt(() => Point.fromBytes(key, false))
    if (a === null) return false
    const r = signature.subarray(0, 32)
    const k = littleEndian(sha512(concatBytes(r, key, message))) % ORDER
    const computed = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes()
    return computed.every((byte, i) => byte === r[i])
  },

  gcmSeal: (key, nonce, aad, plaintext) => gcm(key, nonce, aad).encrypt(plaintext),
  gcmOpen: (key, nonce, aad, sealed) => attempt(() => gcm(key, nonce, aad).decrypt(sealed)),

  kemPublic: (seed) => ml_kem768.keygen(seed).publicKey,
  kemValid(ek) {
    // FIPS 203 §7.2: every 12-bit coefficient is below 3329.
    for (let i = 0; i < 1152; i += 3) {
      const [x, y, z] = [ek[i] as number, ek[i + 1] as number, ek[i + 2] as number]
      if (((y & 15) << 8) + x >= KEM_FIELD || (z << 4) + (y >> 4) >= KEM_FIELD) return false
    }
    return true
  },
  kemEncaps(ek, m) {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(ek, m)
    return { ct: cipherText, ss: sharedSecret.slice() } // noble shares its buffer
  },
  kemDecaps: (seed, ct) => ml_kem768.decapsulate(ct, ml_kem768.keygen(seed).secretKey).slice(),
}
