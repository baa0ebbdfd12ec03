// SPEC §12 agent: stored times after the clock was set back (AGENT-1).

import type { Core } from "./core.ts"
import { ANSWER_WAIT, RECEIPT_WAIT } from "./delivery.ts"

/**
 * Reads stored times that lie in the future as now: a clock that was wrong once delays nothing by
 * more than the delay itself, and keeps nothing alive for ever (SPEC §2).
 */
export function clampTimes(core: Core): void {
  const { store, nowMs, stamp } = core
  const { importedAt } = store.meta
  if (importedAt !== null && importedAt > core.now) store.updateMeta({ importedAt: core.now })
  for (const row of [...store.table("content").values()]) {
    if (row.accepted > stamp) core.putContent({ ...row, accepted: stamp })
  }
  for (const [mid, row] of [...store.table("copy")]) {
    if (row.okAtMs > nowMs) core.putCopy(mid, { ...row, okAtMs: nowMs })
  }
  for (const [key, row] of [...store.table("data/out")]) {
    if (row.accepted > stamp) store.put("data/out", key, { ...row, accepted: stamp })
  }
  for (const [key, row] of [...store.table("due")]) {
    const atMs = Math.min(row.atMs, nowMs + RECEIPT_WAIT)
    if (atMs !== row.atMs) store.put("due", key, { ...row, atMs })
  }
  for (const [key, row] of [...store.table("key/session")]) {
    const answerAtMs = Math.min(row.answerAtMs, nowMs + ANSWER_WAIT)
    const created = Math.min(row.created, stamp)
    const verified = Math.min(row.verified, stamp)
    const same = answerAtMs === row.answerAtMs && created === row.created
    if (same && verified === row.verified) continue
    core.putSession(key, core.session(key, row), { ...row, answerAtMs, created, verified })
  }
  for (const [key, { skipped }] of [...store.table("key/skipped")]) {
    if (skipped.every(({ time }) => time <= stamp)) continue
    const times = skipped.map((one) => ({ ...one, time: Math.min(one.time, stamp) }))
    store.put("key/skipped", key, { skipped: times })
  }
  for (const row of [...store.table("peer").values()]) {
    const probeAtMs = Math.min(row.probeAtMs, nowMs + row.probeInterval * 1000)
    if (probeAtMs !== row.probeAtMs) core.updatePeer(row, { probeAtMs })
  }
}
