// The primitives again, from node:crypto and another ML-KEM library.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  sign,
  verify,
} from "node:crypto"
import { createMlKem768 } from "mlkem"
import { C } from "./cbor.ts"

const PKCS8 = { ed: "302e020100300506032b657004220420", x: "302e020100300506032b656e04220420" }
const SPKI = { ed: "302a300506032b6570032100", x: "302a300506032b656e032100" }

const secretKey = (curve: "ed" | "x", secret: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8[curve], "hex"), secret]),
    format: "der",
    type: "pkcs8",
  })
const publicKey = (curve: "ed" | "x", key: Uint8Array) =>
  createPublicKey({
    key: Buffer.concat([Buffer.from(SPKI[curve], "hex"), key]),
    format: "der",
    type: "spki",
  })

/** The public half of a raw secret. */
export function publicOf(curve: "ed" | "x", secret: Uint8Array): Buffer {
  return createPublicKey(secretKey(curve, secret))
    .export({ format: "der", type: "spki" })
    .subarray(-32)
}

export const H = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest()

export const X25519 = (secret: Uint8Array, remote: Uint8Array): Buffer =>
  diffieHellman({ privateKey: secretKey("x", secret), publicKey: publicKey("x", remote) })

export const Sign = (seed: Uint8Array, message: Uint8Array): Buffer =>
  sign(null, message, secretKey("ed", seed))

export const Verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  verify(null, message, publicKey("ed", key), signature)

export const HKDF = (salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Buffer =>
  Buffer.from(hkdfSync("sha256", ikm, salt, info, length))

export const Extract = (salt: Uint8Array, ikm: Uint8Array): Buffer =>
  createHmac("sha256", salt).update(ikm).digest()

export function Expand(prk: Uint8Array, info: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let i = 1; blocks.length * 32 < length; i++) {
    const before = blocks.at(-1) ?? Buffer.alloc(0)
    blocks.push(
      createHmac("sha256", prk).update(before).update(info).update(Uint8Array.of(i)).digest(),
    )
  }
  return Buffer.concat(blocks).subarray(0, length)
}

export const label = (purpose: string): string => `AgentMesh/1 ${purpose}`

/** Ex(secret, purpose, ctx..., L). */
export const Ex = (secret: Uint8Array, purpose: string, suite: number, length: number): Buffer =>
  Expand(secret, C([label(purpose), suite]), length)

/** The i-th draw called `name`. */
export const drawn = (seed: Uint8Array, name: string, i: number, length: number): Buffer =>
  Expand(seed, C([label("test"), name, i]), length)

export function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(aad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** null if the tag does not verify. */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ct: Uint8Array,
): Buffer | null {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 }).setAAD(aad)
  decipher.setAuthTag(ct.subarray(-16))
  const out = decipher.update(ct.subarray(0, -16))
  try {
    decipher.final()
    return out
  } catch {
    return null
  }
}

const kem = await createMlKem768()

export function kemKey(kd: Uint8Array): { ek: Buffer; dk: Uint8Array } {
  const [ek, dk] = kem.deriveKeyPair(Uint8Array.from(kd))
  return { ek: Buffer.from(ek), dk }
}

export function Encaps(ek: Uint8Array, m: Uint8Array): { ct: Buffer; ss: Buffer } {
  const [ct, ss] = kem.encap(Uint8Array.from(ek), Uint8Array.from(m))
  return { ct: Buffer.from(ct), ss: Buffer.from(ss) }
}

export function Decaps(kd: Uint8Array, ct: Uint8Array): Buffer {
  return Buffer.from(kem.decap(Uint8Array.from(ct), kemKey(kd).dk))
}
