// SPEC §4 suite: primitives, sizes, every label; every limit comes along from limits.ts.

import { backend } from "#crypto"
import type { Encapsulation } from "./crypto/backend.ts"
import { AgentMeshError, require } from "./errors.ts"
import { encode, encodeView, type Value } from "./pack.ts"

export * from "./limits.ts"

// ---- registries (SPEC Appendix A) ----

/**
 * The one algorithm table: what each suite has (SUITE-1, SUITE-2). An id names its whole row, and
 * nothing chooses an algorithm by anything else (SUITE-3). 0 and the ids from 0xFF00 are reserved.
 */
export const SUITES = {
  1: { dh: "X25519", kem: null, signature: "Ed25519", kdf: "HKDF-SHA256", aead: "AES-256-GCM" },
  2: {
    dh: "X25519",
    kem: "ML-KEM-768",
    signature: "Ed25519",
    kdf: "HKDF-SHA256",
    aead: "AES-256-GCM",
  },
} as const

/** A suite that this version defines. */
export type Suite = keyof typeof SUITES

/** Whether `id` names a suite that this version defines. */
export function isSuite(id: number): id is Suite {
  return id === 1 || id === 2
}

/** Whether the suite has a KEM, and with it `ek` and `kem-ct`. */
export function hasKem(suite: Suite): boolean {
  return SUITES[suite].kem !== null
}

/** Purposes that separate every signature, hash and derived key. The list is closed. */
export const PURPOSES = [
  "bundle",
  "one-time",
  "handshake",
  "root",
  "ratchet",
  "message-key",
  "chain-key",
  "seal",
  "envelope",
  "message",
  "content",
  "block",
  "peer-key",
  "frame",
  "hub-welcome",
  "hub-auth",
  "directory",
  "state",
  "test",
] as const

/** One purpose of the closed list. */
export type Purpose = (typeof PURPOSES)[number]

// ---- random draws ----

/** Every random value of the protocol has a name, so that tests can fix it (SPEC §4, SUITE-6). */
export type DrawName =
  | "identity"
  | "dh"
  | "prekey"
  | "prekey-kem"
  | "one-time"
  | "one-time-kem"
  | "ephemeral"
  | "encaps"
  | "ratchet"
  | "ratchet-kem"
  | "ratchet-encaps"
  | "guard"
  | "content-id"
  | "cnonce"
  | "snonce"
  | "salt"
  | "export-guard"

/** Source of `length` random bytes for the value called `name`. */
export type Draw = (name: DrawName, length: number) => Uint8Array

/** The source for production: the operating system (SUITE-5). The test mode is not here (SUITE-7). */
export const osDraw: Draw = (_name, length) => backend.random(length)

// ---- labels, hash, key derivation ----

const LABELS = Object.fromEntries(
  PURPOSES.map((purpose) => [purpose, `AgentMesh/1 ${purpose}`]),
) as Readonly<Record<Purpose, string>>

/** The label of a purpose; the first item of all that is signed, hashed or used as info. */
export function label(purpose: Purpose): string {
  return LABELS[purpose]
}

/** C([label, ...context]). */
export function labelled(purpose: Purpose, ...context: readonly Value[]): Uint8Array {
  return encode([label(purpose), ...context])
}

/** The same for a use at once: the next hash or view overwrites it. */
export function labelledView(purpose: Purpose, ...context: readonly Value[]): Uint8Array {
  return encodeView([label(purpose), ...context])
}

/** SHA-256 without a label. Only the fingerprint and bodies that hold their label use it bare. */
export function sha256(data: Uint8Array): Uint8Array {
  return backend.sha256(data)
}

/** H(C([label, ...context])), 32 bytes. */
export function hash(purpose: Purpose, ...context: readonly Value[]): Uint8Array {
  return backend.sha256(labelledView(purpose, ...context))
}

/** HKDF-Extract of RFC 5869, 32 bytes. */
export function extract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return backend.hmac(salt, ikm)
}

/** HKDF-Expand of RFC 5869; `length` at most 8,160 bytes. */
export function expand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 8_160) throw new RangeError(`"length" expected at most 8160 bytes, got ${length}`)
  const out = new Uint8Array(length)
  // T(i-1) || info || i; the first block has no T before it.
  const input = new Uint8Array(32 + info.length + 1)
  input.set(info, 32)
  for (let at = 0, i = 1; at < length; at += 32, i++) {
    input[input.length - 1] = i
    const block = backend.hmac(prk, i === 1 ? input.subarray(32) : input)
    input.set(block)
    out.set(length - at < 32 ? block.subarray(0, length - at) : block, at)
    block.fill(0)
  }
  input.fill(0) // what was expanded stands in `out` alone
  return out
}

/** HKDF: extract, then expand. */
export function hkdf(
  salt: Uint8Array,
  ikm: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const prk = extract(salt, ikm)
  const okm = expand(prk, info, length)
  prk.fill(0)
  return okm
}

/** scrypt(password, salt, N = 2^17, r = 8, p = 1, 32 bytes). */
export function scrypt(password: Uint8Array, salt: Uint8Array): Uint8Array {
  return backend.scrypt(password, salt, 2 ** 17, 32)
}

// ---- X25519 ----

/** The public half of what ratchets and handshakes exchange; `ek` is null in suite 1. */
export interface ExchangePublic {
  readonly x: Uint8Array
  readonly ek: Uint8Array | null
}

/** The secret half: an X25519 key of 32 bytes and, in suite 2, an ML-KEM seed d‖z of 64 bytes. */
export interface ExchangeSecret {
  readonly x: Uint8Array
  readonly kem: Uint8Array | null
}

/** A fresh key pair for an exchange. */
export interface ExchangeKey {
  readonly public: ExchangePublic
  readonly secret: ExchangeSecret
}

/** Draws an exchange key; suite 1 makes no KEM draw (SPEC §4). */
export function createExchangeKey(
  suite: Suite,
  draw: Draw,
  name: "prekey" | "one-time" | "ratchet",
): ExchangeKey {
  const x = draw(name, 32) // as drawn: X25519 clamps (SUITE-4)
  const kem = hasKem(suite) ? draw(`${name}-kem`, 64) : null
  const ek = kem && backend.kemPublic(kem)
  return { public: { x: x25519Public(x), ek }, secret: { x, kem } }
}

/** The X25519 public key, 32 bytes, of a secret of 32 bytes. */
export function x25519Public(secret: Uint8Array): Uint8Array {
  return backend.x25519Public(secret)
}

/** Whether bit 255 is clear and u < 2^255-19. */
function isCanonicalU(key: Uint8Array): boolean {
  if ((key[31] as number) < 0x7f) return true
  if ((key[31] as number) > 0x7f) return false
  for (let i = 30; i > 0; i--) if (key[i] !== 0xff) return true
  return (key[0] as number) < 0xed
}

/**
 * Accepts an X25519 public key of 32 bytes.
 *
 * @throws {@link AgentMeshError} `suite/bad-key` unless bit 255 is clear and u < p.
 */
export function checkX25519(key: Uint8Array): void {
  require(isCanonicalU(key), "suite/bad-key", "X25519 key is not canonical") // SUITE-8
}

/**
 * The X25519 shared secret, 32 bytes.
 *
 * @throws {@link AgentMeshError} `suite/bad-key` if it is all zero.
 */
export function dh(secret: Uint8Array, remote: Uint8Array): Uint8Array {
  const shared = backend.x25519(secret, remote)
  // SUITE-12
  if (shared === null) throw new AgentMeshError("suite/bad-key", "X25519 result is all zero")
  return shared
}

// ---- ML-KEM-768 ----

/**
 * Accepts an ML-KEM-768 encapsulation key of 1,184 bytes.
 *
 * @throws {@link AgentMeshError} `suite/bad-key` if the modulus check of FIPS 203 fails.
 */
export function checkKem(ek: Uint8Array): void {
  require(backend.kemValid(ek), "suite/bad-key", "ML-KEM key fails the modulus check") // SUITE-10
}

/** Accepts both halves of an exchange key, before anything is computed with them (SUITE-11). */
export function checkExchange(key: ExchangePublic): void {
  checkX25519(key.x)
  if (key.ek !== null) checkKem(key.ek)
}

/** Encapsulates to a checked key with 32 random bytes. */
export function encapsulate(ek: Uint8Array, m: Uint8Array): Encapsulation {
  return backend.kemEncaps(ek, m)
}

/** Decapsulates with a seed of 64 bytes; implicit rejection, never an error (SUITE-15). */
export function decapsulate(seed: Uint8Array, ct: Uint8Array): Uint8Array {
  return backend.kemDecaps(seed, ct)
}

// ---- Ed25519 ----

/** The Ed25519 public key, 32 bytes, of a seed of 32 bytes. */
export function ed25519Public(seed: Uint8Array): Uint8Array {
  return backend.ed25519Public(seed)
}

/** Whether SPEC §4 accepts `key` (32 bytes) as an Ed25519 public key. */
export function isEd25519(key: Uint8Array): boolean {
  return backend.ed25519Valid(key)
}

/**
 * Accepts an Ed25519 public key of 32 bytes.
 *
 * @throws {@link AgentMeshError} `suite/bad-key` unless y < p, on the curve, not of small order.
 */
export function checkEd25519(key: Uint8Array): void {
  require(isEd25519(key), "suite/bad-key", "Ed25519 key is not acceptable") // SUITE-9
}

/** Signs `message`; 64 bytes. */
export function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return backend.ed25519Sign(seed, message)
}

/**
 * Verifies without cofactor (SUITE-13); `key` was accepted by {@link checkEd25519}. A yes or a no,
 * never a reason (SUITE-14).
 */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return backend.ed25519Verify(key, message, signature)
}

// ---- AES-256-GCM ----

/** Seals `plaintext`; `secret` is key (32 bytes) and nonce (12 bytes). */
export function aeadSeal(secret: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return backend.gcmSeal(secret.subarray(0, 32), secret.subarray(32, 44), aad, plaintext)
}

/** Opens `sealed`; null if the tag of 16 bytes does not verify. */
export function aeadOpen(
  secret: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  return backend.gcmOpen(secret.subarray(0, 32), secret.subarray(32, 44), aad, sealed)
}
