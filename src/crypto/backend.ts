// SPEC §4: the primitives, as one interface that every backend implements.

/** An ML-KEM-768 encapsulation result: ciphertext of 1,088 bytes, shared secret of 32 bytes. */
export interface Encapsulation {
  readonly ct: Uint8Array
  readonly ss: Uint8Array
}

/**
 * The primitives of SPEC §4. All functions are synchronous, copy their results, never keep their
 * arguments and report failure by value. Every backend gives the same verdict on every input.
 */
export interface Backend {
  /** Name of the backend, for reports. */
  readonly name: string
  /** `length` bytes from the operating system's random source. */
  random(length: number): Uint8Array
  /** SHA-256 of `data`, 32 bytes. */
  sha256(data: Uint8Array): Uint8Array
  /** HMAC-SHA256, 32 bytes. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array
  /** scrypt with r = 8, p = 1 and a cost of `n`; `length` bytes. */
  scrypt(password: Uint8Array, salt: Uint8Array, n: number, length: number): Uint8Array
  /** X25519 public key, 32 bytes, of a private key of 32 bytes used as drawn. */
  x25519Public(secret: Uint8Array): Uint8Array
  /** X25519 shared secret, 32 bytes; null if it is all zero. `remote` has bit 255 clear, u < p. */
  x25519(secret: Uint8Array, remote: Uint8Array): Uint8Array | null
  /** Ed25519 public key, 32 bytes, of a seed of 32 bytes. */
  ed25519Public(seed: Uint8Array): Uint8Array
  /** Whether `key` has y < p, lies on the curve and is not of small order. */
  ed25519Valid(key: Uint8Array): boolean
  /** RFC 8032 signature, 64 bytes. */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** Cofactorless verification, S < L, R compared as bytes; `key` has passed `ed25519Valid`. */
  ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** AES-256-GCM: ciphertext and tag of 16 bytes. `key` 32 bytes, `nonce` 12 bytes. */
  gcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** The plaintext; null if the tag does not verify. `sealed` is at least 16 bytes long. */
  gcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | null
  /** ML-KEM-768 encapsulation key, 1,184 bytes, of a seed d‖z of 64 bytes. */
  kemPublic(seed: Uint8Array): Uint8Array
  /** Whether `ek` of 1,184 bytes passes the modulus check of FIPS 203. */
  kemValid(ek: Uint8Array): boolean
  /** Encapsulation to `ek` with the randomness `m` of 32 bytes. */
  kemEncaps(ek: Uint8Array, m: Uint8Array): Encapsulation
  /** Shared secret of 32 bytes; implicit rejection, never a failure. `ct` has 1,088 bytes. */
  kemDecaps(seed: Uint8Array, ct: Uint8Array): Uint8Array
}
