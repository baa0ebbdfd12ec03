// SPEC §4: the fast backend, on node:crypto (OpenSSL). What OpenSSL lacks or judges differently
// (point decoding, small order, ML-KEM before Node 24) comes from the portable backend.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
  scryptSync,
  sign,
  verify,
} from "node:crypto"
import type { Backend } from "./backend.ts"
import { backend as noble } from "./noble.ts"

type Curve = "Ed25519" | "X25519"

// A key object lives exactly as long as the byte string it was made from: no cache holds a secret
// longer than its owner does. Raw keys are imported as JWK, which is ten times faster than DER.
const secrets = new WeakMap<Uint8Array, KeyObject>()
const publics = new WeakMap<Uint8Array, KeyObject>()

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")
const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

function secretKey(crv: Curve, secret: Uint8Array): KeyObject {
  let key = secrets.get(secret)
  if (key === undefined) {
    // Node derives the public part from d and only asks that x be present.
    const jwk = { kty: "OKP", crv, d: base64url(secret), x: "" }
    key = createPrivateKey({ key: jwk, format: "jwk" })
    secrets.set(secret, key)
  }
  return key
}

function publicKey(crv: Curve, bytes: Uint8Array): KeyObject {
  let key = publics.get(bytes)
  if (key === undefined) {
    const jwk = { kty: "OKP", crv, x: base64url(bytes) }
    key = createPublicKey({ key: jwk, format: "jwk" })
    publics.set(bytes, key)
  }
  return key
}

function derivePublic(crv: Curve, secret: Uint8Array): Uint8Array {
  const { x } = createPublicKey(secretKey(crv, secret)).export({ format: "jwk" })
  return copy(Buffer.from(x as string, "base64url"))
}

export const backend: Backend = {
  ...noble,
  name: "node",
  random: (length) => copy(randomBytes(length)),
  sha256: (data) => copy(createHash("sha256").update(data).digest()),
  hmac: (key, data) => copy(createHmac("sha256", key).update(data).digest()),
  scrypt(password, salt, n, length) {
    return copy(scryptSync(password, salt, length, { N: n, r: 8, p: 1, maxmem: 160 * n * 8 }))
  },

  x25519Public: (secret) => derivePublic("X25519", secret),
  x25519(secret, remote) {
    try {
      const privateKey = secretKey("X25519", secret)
      return copy(diffieHellman({ privateKey, publicKey: publicKey("X25519", remote) }))
    } catch {
      return null // OpenSSL refuses an all-zero result
    }
  },

  ed25519Public: (seed) => derivePublic("Ed25519", seed),
  ed25519Sign: (seed, message) => copy(sign(null, message, secretKey("Ed25519", seed))),
  ed25519Verify(key, message, signature) {
    try {
      return verify(null, message, publicKey("Ed25519", key), signature)
    } catch {
      return false
    }
  },

  gcmSeal(key, nonce, aad, plaintext) {
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(aad)
    const out = new Uint8Array(plaintext.length + 16)
    out.set(cipher.update(plaintext))
    cipher.final()
    out.set(cipher.getAuthTag(), plaintext.length)
    return out
  },
  gcmOpen(key, nonce, aad, sealed) {
    const end = sealed.length - 16
    const options = { authTagLength: 16 }
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, options).setAAD(aad)
    decipher.setAuthTag(sealed.subarray(end))
    const out = copy(decipher.update(sealed.subarray(0, end)))
    try {
      decipher.final()
      return out
    } catch {
      return null
    }
  },
}
