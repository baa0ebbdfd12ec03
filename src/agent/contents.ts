// SPEC §12 agent: taking contents, forgetting names, and what an export holds.

import { equalBytes } from "../bytes.ts"
import { require } from "../errors.ts"
import { type Address, fingerprint, type Peer } from "../identity.ts"
import type { Backup } from "./backup.ts"
import { type Core, contentKey } from "./core.ts"
import type { ContentRow } from "./rows.ts"
import { allows, allowsStatic, checkFingerprint, peerKey } from "./trust.ts"

/** A content before it is queued. */
export interface NewContent {
  readonly id: Uint8Array
  /** The same in hex. */
  readonly hex: string
  readonly bytes: Uint8Array
  readonly ask: number
}

/**
 * Checks address and send policy against what is known of the name (SPEC §12.3).
 *
 * @throws {@link AgentMeshError} `identity/fingerprint`, `identity/untrusted`.
 */
export function checkSendable(core: Core, address: Address): void {
  const { name } = address
  const policy = core.policy.send ?? "first-use"
  const pin = core.pin(name)
  let allowed: boolean
  if (pin) {
    checkFingerprint(pin, address.fingerprint)
    const trust = address.fingerprint ? "verified" : pin.trust
    allowed = allows(policy, { ...core.view(pin), trust }, core.hub)
  } else {
    // An address with a fingerprint verifies whoever answers; a function is asked once it did.
    allowed = allowsStatic(policy, address.fingerprint ? "verified" : "unknown", core.hub)
  }
  require(allowed, "identity/untrusted", `the trust policy does not send to ${name}`)
}

/** Stages a content for a name; to be sealed in this commit or a later one. */
export function stageContent(core: Core, address: Address, content: NewContent): void {
  checkSendable(core, address)
  const { name } = address
  const pin = core.pin(name)
  const row: ContentRow = {
    order: core.store.nextOrder(),
    id: content.hex,
    name,
    ik: pin?.ik ?? null,
    fingerprint: address.fingerprint,
    size: content.bytes.length,
    place: 0,
    accepted: core.stamp,
    ask: content.ask,
    mid: null,
    sealedOn: [],
  }
  core.putContent(row)
  core.store.shelf("data/content").write(contentKey(name, row.id), content.bytes)
  if (address.fingerprint) markVerified(core, name)
}

/**
 * Whether the content may go to a peer (IDENTITY-13, AGENT-19).
 *
 * @param peer - By default whom the name is pinned to; while nobody is, nothing is decided.
 */
export function mayBind(
  core: Core,
  row: ContentRow,
  peer: Peer | undefined = core.pin(row.name),
): boolean {
  if (peer === undefined) return true
  if (row.fingerprint !== null && fingerprint(peer.ik) !== row.fingerprint) return false
  if (row.ik !== null) return equalBytes(row.ik, peer.ik)
  const view = core.view(peer)
  const trust = row.fingerprint === null ? view.trust : "verified"
  return allows(core.policy.send ?? "first-use", { ...view, trust }, core.hub)
}

/** Stages the end of a name: pin, sessions, queue, outbox, suite memory (IDENTITY-14). */
export function forgetPeer(core: Core, name: string): readonly ContentRow[] {
  const pin = core.pin(name)
  const rows = core.outboxes.get(name)?.rows ?? []
  for (const row of rows) core.dropContent(row)
  core.store.delete("data/out", name)
  if (pin === undefined) return rows
  for (const { key } of core.sessionsOf(pin)) core.eraseSession(key)
  core.store.delete("due", peerKey(pin))
  core.store.delete("pin", name)
  // Ids, floor and seq stay: they also guard against the past of a peer that comes back.
  const rest = { probeInterval: 0, probeAtMs: 0 }
  core.updatePeer(pin, { suite: 0, confirmed: false, card: null, ...rest })
  return rows
}

/** What an export of the agent holds (AGENT-38). */
export function backupOf(core: Core): Backup {
  const { own, store } = core
  const [hub] = store.table("hub").values()
  const peers = [...store.table("pin").values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, ik, trust }) => {
      const { suite, seq } = core.peer({ name, ik })
      return { name, ik, trust, suite, seq }
    })
  const { name, ikSecret, dkSecret } = own
  return { name, ikSecret, dkSecret, seq: store.meta.seq, hubIk: hub?.ik ?? null, peers }
}

/** Stages that the key behind a pinned name was compared (IDENTITY-10). */
export function markVerified(core: Core, name: string): void {
  const pin = core.pin(name)
  if (pin && pin.trust !== "verified") core.store.put("pin", name, { ...pin, trust: "verified" })
}
