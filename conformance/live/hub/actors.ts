// Who acts at a hub: identities, and the signed objects of SPEC §6 with every part open to change.

import { randomBytes } from "node:crypto"
import { encode, type Value } from "../../../src/encoding.ts"
import { createIdentity, type OwnIdentity } from "../../../src/identity.ts"
import { label, osDraw, sha256, sign } from "../../../src/suite.ts"

/** An agent as the hub sees it. */
export type Who = OwnIdentity

/** `[body, sig]` */
export type SignedPair = readonly [body: Uint8Array, sig: Uint8Array]

/** Unix seconds. */
export const seconds = (): number => Math.floor(Date.now() / 1000)

/** A fresh identity. */
export function newcomer(name: string): Who {
  return createIdentity(name, osDraw)
}

/** A body under a signature of `by`. */
export function signedBy(by: Who, body: Uint8Array): SignedPair {
  return [body, sign(by.ikSecret, body)]
}

/** Bytes that X25519 takes as a public key. */
export function publicX(): Uint8Array {
  const x = new Uint8Array(randomBytes(32))
  x[31] = (x[31] as number) & 0x7f
  return x
}

/** An encapsulation key whose coefficients are in range (all zero): a hub checks no more. */
export const EK: Uint8Array = new Uint8Array(1184)

/** Items of a bundle body by their place (SPEC §6.2). */
export interface BundleParts {
  readonly label?: string
  readonly name?: string
  readonly ik?: Uint8Array
  readonly dk?: Uint8Array
  readonly seq?: number
  readonly notBefore?: number
  readonly notAfter?: number
  readonly flags?: number
  readonly suites?: readonly number[]
  readonly prekeys?: Value
}

/** A bundle; by default a good one of suite 1, valid for a day. */
export function bundleOf(who: Who, parts: BundleParts = {}): SignedPair {
  const now = seconds()
  const { suites = [1] } = parts
  const prekeys = suites.map((suite): Value => [suite, publicX(), suite === 2 ? EK : null])
  const body = encode([
    parts.label ?? label("bundle"),
    parts.name ?? who.name,
    parts.ik ?? who.ik,
    parts.dk ?? who.dk,
    parts.seq ?? 1,
    parts.notBefore ?? now - 3_600,
    parts.notAfter ?? now + 86_400,
    parts.flags ?? 0,
    parts.prekeys ?? prekeys,
  ])
  return signedBy(who, body)
}

/** Items of a one-time key. */
export interface OneTimeParts {
  readonly label?: string
  readonly name?: string
  readonly ik?: Uint8Array
  readonly suite?: number
  readonly x?: Uint8Array
  readonly ek?: Uint8Array | null
  readonly notAfter?: number
}

/** A one-time key; by default a good one of suite 1. */
export function oneTimeOf(who: Who, parts: OneTimeParts = {}): SignedPair {
  const { suite = 1 } = parts
  const body = encode([
    parts.label ?? label("one-time"),
    parts.name ?? who.name,
    parts.ik ?? who.ik,
    suite,
    parts.x ?? publicX(),
    parts.ek === undefined ? (suite === 2 ? EK : null) : parts.ek,
    parts.notAfter ?? seconds() + 86_400,
  ])
  return signedBy(who, body)
}

/** Several good one-time keys. */
export function oneTimes(who: Who, count: number, suite: number = 1): readonly SignedPair[] {
  return Array.from({ length: count }, () => oneTimeOf(who, { suite }))
}

/** Reference of a signed object. */
export const refOf = ([body]: SignedPair): Uint8Array => sha256(body)

/** Fresh 16 bytes. */
export const newMid = (): Uint8Array => new Uint8Array(randomBytes(16))

/** An envelope as a hub sees it: opaque bytes. */
export function letter(text: string, size: number = 0): Uint8Array {
  const bytes = new Uint8Array(Math.max(size, Buffer.byteLength(text)))
  bytes.set(Buffer.from(text))
  return bytes
}
