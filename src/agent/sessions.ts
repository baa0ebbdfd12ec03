// SPEC §12 agent: which sessions are erased, by number (§8) and by age (§10).

import type { Peer } from "../identity.ts"
import { eraseExpired } from "../session.ts"
import type { Core } from "./core.ts"
import { type Candidate, chooseSession, isIdle, surplus } from "./delivery.ts"

/** Erases sessions after one was founded: the limits for the peer and all strangers then hold. */
export function limitSessions(core: Core, peer: Peer, founded: string): void {
  const sessions = core.sessionsOf(peer)
  const sending = chooseSession(sessions, core.stamp)?.key
  for (const { key } of surplus(sessions, sending, founded)) core.eraseSession(key)
  if (!core.peer(peer).sentTo) limitStrangers(core)
}

/** Erases sessions and skipped keys of strangers beyond their common limits (HANDSHAKE-40). */
export function limitStrangers(core: Core): void {
  const { sessions: most, skipped: mostSkipped } = core.strangers
  if (core.store.table("key/session").size <= most && core.store.table("key/skipped").size === 0) {
    return
  }
  const strangers: Candidate[] = []
  for (const [key, row] of core.store.table("key/session")) {
    if (!core.peer(row.session.peer).sentTo) strangers.push({ key, row })
  }
  strangers.sort((a, b) => a.row.order - b.row.order)
  for (const { key } of strangers.slice(0, Math.max(0, strangers.length - most))) {
    core.eraseSession(key)
  }
  const count = ({ key }: Candidate) => core.store.get("key/skipped", key)?.skipped.length ?? 0
  let total = strangers.reduce((sum, one) => sum + count(one), 0)
  for (const one of strangers) {
    if (total <= mostSkipped) break
    const { skipped = [] } = core.store.get("key/skipped", one.key) ?? {}
    const kept = skipped.slice(total - mostSkipped) // the oldest go first
    total -= skipped.length - kept.length
    if (kept.length > 0) core.store.put("key/skipped", one.key, { skipped: kept })
    else core.store.delete("key/skipped", one.key)
  }
}

/** Erases what is past its time: idle sessions, skipped keys. */
export function purgeSessions(core: Core): void {
  for (const [key, row] of [...core.store.table("key/session")]) {
    if (isIdle(row, core.kept)) core.eraseSession(key)
  }
  for (const [key, { skipped }] of [...core.store.table("key/skipped")]) {
    const row = core.store.get("key/session", key)
    if (row === undefined) core.store.delete("key/skipped", key)
    else if (skipped.length > 0) {
      const before = core.session(key, row)
      const after = eraseExpired(before, core.kept)
      if (after !== before) core.putSession(key, after, row)
    }
  }
}
