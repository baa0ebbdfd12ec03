// SPEC §12 agent: what is known of peers, and the trust policy.

import { equalBytes, toHex } from "../bytes.ts"
import { require } from "../errors.ts"
import { fingerprint, type Peer } from "../identity.ts"

/** What is known of the key behind a name: nothing, seen first here, or compared by someone. */
export type TrustState = "unknown" | "pinned" | "verified"

/** A peer as a policy function sees it. */
export interface PeerView {
  readonly name: string
  readonly fingerprint: string
  readonly trust: TrustState
}

/** Who is acceptable; `first-use` is the default. Another key for a pinned name never is. */
export type PeerPolicy = "first-use" | "any" | "pinned" | "verified" | ((peer: PeerView) => boolean)

/** Trust policy as data (SPEC §12). */
export interface TrustPolicy {
  /** From whom contents are accepted. */
  readonly accept?: PeerPolicy
  /** To whom contents are sent. */
  readonly send?: PeerPolicy
  /** Contents signed longer ago are refused; seconds. */
  readonly maxAge?: number
}

/** The key that a name is bound to. */
export interface Pin extends Peer {
  readonly trust: "pinned" | "verified"
}

/** The view of a peer for policies and events. */
export function viewPeer(peer: Peer, pin: Pin | undefined): PeerView {
  const same = pin !== undefined && equalBytes(pin.ik, peer.ik)
  return { name: peer.name, fingerprint: printOf(peer.ik), trust: same ? pin.trust : "unknown" }
}

// Keys of peers are never changed, and a peer's key is asked for with every message.
const prints = new WeakMap<Uint8Array, string>()
const hexes = new WeakMap<Uint8Array, string>()

function remembered(
  table: WeakMap<Uint8Array, string>,
  ik: Uint8Array,
  make: (ik: Uint8Array) => string,
): string {
  let text = table.get(ik)
  if (text === undefined) {
    text = make(ik)
    table.set(ik, text)
  }
  return text
}

/** The fingerprint of an identity key that this agent holds. */
export function printOf(ik: Uint8Array): string {
  return remembered(prints, ik, fingerprint)
}

/**
 * Whether a policy that is no function accepts a peer.
 *
 * @param hub - Whether a hub authenticated the name; without one nobody is pinned by first use.
 */
export function allowsStatic(policy: PeerPolicy, trust: TrustState, hub: boolean): boolean {
  if (policy === "any" || typeof policy === "function") return true
  if (policy === "first-use") return hub || trust !== "unknown"
  return policy === "verified" ? trust === "verified" : trust !== "unknown"
}

/** Whether a policy accepts an authenticated peer. A function that throws refuses. */
export function allows(policy: PeerPolicy, view: PeerView, hub: boolean): boolean {
  if (typeof policy !== "function") return allowsStatic(policy, view.trust, hub)
  try {
    return policy(view) === true
  } catch {
    return false
  }
}

/**
 * Holds a pin against an address.
 *
 * @throws {@link AgentMeshError} `identity/fingerprint`.
 */
export function checkFingerprint(peer: Peer, expected: string | null): void {
  const same = expected === null || printOf(peer.ik) === expected
  require(same, "identity/fingerprint", `${peer.name} has another fingerprint than the address`)
}

/** The key of a peer in tables: name and identity key. */
export function peerKey(peer: Peer): string {
  return `${peer.name}#${remembered(hexes, peer.ik, toHex)}`
}
