// SPEC §4: the fast backend, on node:crypto (OpenSSL). What OpenSSL lacks or judges differently
// (point decoding, small order, ML-KEM before Node 24) comes from the portable backend.

import * as nodeCrypto from "node:crypto"
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
  randomFillSync,
  scryptSync,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto"
import type { Backend } from "./backend.ts"
import { backend as noble } from "./noble.ts"

type Curve = "Ed25519" | "X25519"

interface CachedKey {
  readonly curve: Curve
  readonly bytes: Uint8Array
  readonly key: KeyObject
}

// A key object lives as long as the byte string it was made from: no cache holds a secret longer
// than its owner does. An array that was zeroized or used for another key since is a new key.
const secrets = new WeakMap<Uint8Array, CachedKey>()
const publics = new WeakMap<Uint8Array, CachedKey>()

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")
const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** A result as a plain array: a copy only if its memory is shared with other results. */
function plain(result: Buffer): Uint8Array {
  const { buffer, byteLength } = result
  return buffer.byteLength === byteLength ? new Uint8Array(buffer) : copy(result)
}

/** SHA-256 in one call where there is one (Node): as text, because a Buffer for 32 bytes costs more
 * than they do. Nothing secret is hashed without a key. */
function sha256(data: Uint8Array): Uint8Array {
  if (nodeCrypto.hash === undefined) return plain(createHash("sha256").update(data).digest())
  const text = nodeCrypto.hash("sha256", data, "binary")
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++) out[i] = text.charCodeAt(i)
  return out
}

function cached(
  cache: WeakMap<Uint8Array, CachedKey>,
  curve: Curve,
  bytes: Uint8Array,
  create: (curve: Curve, bytes: Uint8Array) => KeyObject,
): KeyObject {
  const found = cache.get(bytes)
  if (found?.curve === curve && timingSafeEqual(found.bytes, bytes)) return found.key
  const key = create(curve, bytes)
  cache.set(bytes, { curve, bytes: copy(bytes), key })
  return key
}

// Raw keys are imported as JWK, on Node 20 and 22 ten times faster than as DER. Before Node 26 the
// public part of a private JWK only has to be present; from then on it is compared.
function fromJwk(curve: Curve, secret: Uint8Array): KeyObject {
  const jwk = { kty: "OKP", crv: curve, d: base64url(secret), x: "" }
  return createPrivateKey({ key: jwk, format: "jwk" })
}

/** PrivateKeyInfo of RFC 8410 up to the key itself. */
const PKCS8 = {
  Ed25519: Buffer.from("302e020100300506032b657004220420", "hex"),
  X25519: Buffer.from("302e020100300506032b656e04220420", "hex"),
} as const

function fromDer(curve: Curve, secret: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8[curve], secret])
  return createPrivateKey({ key, format: "der", type: "pkcs8" })
}

function derivesFromJwk(): boolean {
  try {
    return fromJwk("Ed25519", new Uint8Array(32)).type === "private"
  } catch {
    return false
  }
}

const importSecret = derivesFromJwk() ? fromJwk : fromDer

function secretKey(curve: Curve, secret: Uint8Array): KeyObject {
  return cached(secrets, curve, secret, importSecret)
}

function publicKey(curve: Curve, bytes: Uint8Array): KeyObject {
  return cached(publics, curve, bytes, () =>
    createPublicKey({ key: { kty: "OKP", crv: curve, x: base64url(bytes) }, format: "jwk" }),
  )
}

// The points of small order, sign bit cleared. As R they satisfy the equation of SPEC §4 like any
// other point, and OpenSSL agrees; Node refuses them from 24 on, whatever the equation says.
const SMALL_ORDER_R: ReadonlySet<string> = new Set([
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
])

function hasSmallOrderR(signature: Uint8Array): boolean {
  const r = Buffer.from(signature.subarray(0, 32))
  r[31] = (r[31] as number) & 0x7f
  return SMALL_ORDER_R.has(r.toString("hex"))
}

function derivePublic(crv: Curve, secret: Uint8Array): Uint8Array {
  const { x } = createPublicKey(secretKey(crv, secret)).export({ format: "jwk" })
  return copy(Buffer.from(x as string, "base64url"))
}

// Ids and guards have 16 bytes and are public: they are drawn 256 at a time, as randomUUID does.
// Longer values are secrets; each is drawn when it is needed.
const ID = 16
const pool = { bytes: new Uint8Array(256 * ID), at: 256 * ID }

function randomId(): Uint8Array {
  const { bytes, at } = pool
  if (at === bytes.length) randomFillSync(bytes)
  const start = at === bytes.length ? 0 : at
  pool.at = start + ID
  return bytes.slice(start, pool.at)
}

export const backend: Backend = {
  ...noble,
  name: "node",
  random: (length) => (length === ID ? randomId() : plain(randomBytes(length))),
  sha256,
  hmac: (key, data) => plain(createHmac("sha256", key).update(data).digest()),
  scrypt(password, salt, n, length) {
    return copy(scryptSync(password, salt, length, { N: n, r: 8, p: 1, maxmem: 160 * n * 8 }))
  },

  x25519Public: (secret) => derivePublic("X25519", secret),
  x25519(secret, remote) {
    try {
      const privateKey = secretKey("X25519", secret)
      return plain(diffieHellman({ privateKey, publicKey: publicKey("X25519", remote) }))
    } catch {
      return null // OpenSSL refuses an all-zero result
    }
  },

  ed25519Public: (seed) => derivePublic("Ed25519", seed),
  ed25519Sign: (seed, message) => plain(sign(null, message, secretKey("Ed25519", seed))),
  ed25519Verify(key, message, signature) {
    if (signature.length !== 64) return false
    if (hasSmallOrderR(signature)) return noble.ed25519Verify(key, message, signature)
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
    if (end < 0) return null
    const options = { authTagLength: 16 }
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, options).setAAD(aad)
    decipher.setAuthTag(sealed.subarray(end))
    const out = plain(decipher.update(sealed.subarray(0, end)))
    try {
      decipher.final()
      return out
    } catch {
      return null
    }
  },
}
