// The primitives themselves, through the backend of this process.

import { backend } from "#crypto"
import type { Group } from "./group.ts"
import { type Case, timeCases } from "./measure.ts"

function cases(): Case[] {
  const seed = backend.random(32)
  const key = backend.ed25519Public(seed)
  const text = backend.random(700)
  const signature = backend.ed25519Sign(seed, text)
  const secret = backend.random(32)
  const remote = backend.x25519Public(backend.random(32))
  const nonce = backend.random(12)
  const aad = backend.random(100)
  const small = backend.random(1024)
  const large = backend.random(65_536)
  const sealedSmall = backend.gcmSeal(seed, nonce, aad, small)
  const sealedLarge = backend.gcmSeal(seed, nonce, aad, large)
  const kem = backend.random(64)
  const ek = backend.kemPublic(kem)
  const { ct } = backend.kemEncaps(ek, secret)
  const one = (id: string, what: string, run: () => unknown): Case => {
    return { id: `primitives/${id}`, what, run: () => void run() }
  }
  return [
    one("random", "16 random bytes", () => backend.random(16)),
    one("sha256", "SHA-256, 600 B", () => backend.sha256(small.subarray(0, 600))),
    one("hmac", "HMAC-SHA256, 32 B", () => backend.hmac(seed, secret)),
    one("sign", "Ed25519 sign, 700 B", () => backend.ed25519Sign(seed, text)),
    one("verify", "Ed25519 verify, 700 B", () => backend.ed25519Verify(key, text, signature)),
    one("valid", "Ed25519 key check", () => backend.ed25519Valid(key)),
    one("dh", "X25519, both keys known", () => backend.x25519(secret, remote)),
    one("dh-new", "X25519, both keys new", () => backend.x25519(secret.slice(), remote.slice())),
    one("pair", "X25519 public key of a new secret", () => backend.x25519Public(secret.slice())),
    one("seal-1k", "AES-256-GCM seal, 1 KiB", () => backend.gcmSeal(seed, nonce, aad, small)),
    one("open-1k", "AES-256-GCM open, 1 KiB", () => backend.gcmOpen(seed, nonce, aad, sealedSmall)),
    one("seal-64k", "AES-256-GCM seal, 64 KiB", () => backend.gcmSeal(seed, nonce, aad, large)),
    one("open-64k", "AES-256-GCM open, 64 KiB", () =>
      backend.gcmOpen(seed, nonce, aad, sealedLarge),
    ),
    one("kem-pair", "ML-KEM-768 key pair", () => backend.kemPublic(kem)),
    one("kem-encaps", "ML-KEM-768 encapsulate", () => backend.kemEncaps(ek, secret)),
    one("kem-decaps", "ML-KEM-768 decapsulate from the seed", () => backend.kemDecaps(kem, ct)),
  ]
}

/** The group. */
export const primitives: Group = {
  name: "primitives",
  what: "the primitives of the backend",
  portable: true,
  run: (pace) => timeCases(cases(), pace),
}
