// SPEC §5 identity: names, addresses, keys, fingerprints, safety numbers.

import { toHex } from "./bytes.ts"
import { require } from "./errors.ts"
import { type Draw, ed25519Public, sha256, x25519Public } from "./suite.ts"

/** A peer is the pair of its name and its identity key, in every table, limit and cache. */
export interface Peer {
  readonly name: string
  /** Ed25519 identity key, 32 bytes. */
  readonly ik: Uint8Array
}

/**
 * Both long-term key pairs of the agent itself; the secrets have 32 bytes each. This implementation
 * never changes `dk`, as IDENTITY-3 would allow.
 */
export interface OwnIdentity extends Peer {
  readonly ikSecret: Uint8Array
  /** X25519 DH identity key, 32 bytes. */
  readonly dk: Uint8Array
  readonly dkSecret: Uint8Array
}

/** A name, or a name with the fingerprint that its owner must have. */
export interface Address {
  readonly name: string
  readonly fingerprint: string | null
}

// IDENTITY-1
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const FINGERPRINT = /^[0-9a-f]{4}(?::[0-9a-f]{4}){7}$/

/** Whether `name` is 1 to 64 characters of `[a-z0-9][a-z0-9._-]*`. */
export function isName(name: string): boolean {
  return NAME.test(name)
}

/**
 * Accepts a name.
 *
 * @throws {@link AgentMeshError} `identity/name`.
 */
export function checkName(name: string): void {
  // IDENTITY-6
  require(isName(
    name,
  ), "identity/name", "a name has 1 to 64 characters: a-z, 0-9, then also . _ and -")
}

/** Draws a new identity: `identity` 32 bytes and, independently, `dh` 32 bytes (IDENTITY-2). */
export function createIdentity(name: string, draw: Draw): OwnIdentity {
  checkName(name)
  return restoreIdentity(name, draw("identity", 32), draw("dh", 32))
}

/** The identity with these secrets, 32 bytes each. */
export function restoreIdentity(
  name: string,
  ikSecret: Uint8Array,
  dkSecret: Uint8Array,
): OwnIdentity {
  checkName(name)
  return { name, ik: ed25519Public(ikSecret), ikSecret, dk: x25519Public(dkSecret), dkSecret }
}

/** First 16 bytes of SHA-256(ik) as eight groups of four hex digits (IDENTITY-4). */
export function fingerprint(ik: Uint8Array): string {
  const hex = toHex(sha256(ik).subarray(0, 16))
  return (hex.match(/.{4}/g) as string[]).join(":")
}

/**
 * Reads `name` or `name#fingerprint`.
 *
 * @throws {@link AgentMeshError} `identity/name`, `identity/fingerprint` (not in the one form).
 */
export function parseAddress(address: string): Address {
  const at = address.indexOf("#")
  const name = at < 0 ? address : address.slice(0, at)
  checkName(name)
  if (at < 0) return { name, fingerprint: null }
  const print = address.slice(at + 1)
  // IDENTITY-7
  require(FINGERPRINT.test(
    print,
  ), "identity/fingerprint", "a fingerprint is eight groups of four lower-case hex digits, joined by colons")
  return { name, fingerprint: print }
}

/** The self-certifying address `name#fingerprint`. */
export function formatAddress(peer: Peer): string {
  return `${peer.name}#${fingerprint(peer.ik)}`
}

/** Both lines `name fingerprint`, sorted, for two people; never hashed together (IDENTITY-5). */
export function safetyNumber(a: Peer, b: Peer): string {
  return [a, b]
    .map((peer) => `${peer.name} ${fingerprint(peer.ik)}`)
    .sort()
    .join("\n")
}
