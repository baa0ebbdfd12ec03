// SPEC §12 agent: what to send on which session, what to seal again, what has failed. Pure.

import { compareBytes } from "../bytes.ts"
import { innerOf, itemLength, padme } from "../envelope.ts"
import {
  GLARE_WINDOW,
  MAX_CHAIN,
  MAX_CONTENTS,
  MAX_SEALED_AFTER,
  MAX_SESSIONS,
  MAX_UNRECEIPTED,
  PROBE_AFTER,
  PROBE_MAX,
  RECEIPT_BATCH,
  RESEAL_AFTER,
  SENDING_LIFETIME,
  SESSION_LIFETIME,
  UNDELIVERED_AFTER,
} from "../limits.ts"
import type { ContentRow, CopyRow, DueRow, PeerRow, SessionRow } from "./rows.ts"

/** Milliseconds a receipt waits for company, and a responder's answer; SPEC §12 allows 1 s. */
export const RECEIPT_WAIT = 250
export const ANSWER_WAIT = 500

/** A session row with its key. */
export interface Candidate {
  readonly key: string
  readonly row: SessionRow
}

/** Whether an envelope can be sealed on the session now, by the later clock (SPEC §10). */
export function canSend(row: SessionRow, stamp: number): boolean {
  const { session } = row
  if (session.cks !== null && session.ns >= MAX_CHAIN) return false
  if (row.order === 0 && session.role === "initiator") return stamp <= row.until
  return stamp - row.verified <= SENDING_LIFETIME
}

/** Whether contents may go on the session, or only a heal until the peer has answered. */
export function carries(row: SessionRow): boolean {
  return row.order > 0 || row.mayCarry
}

/** The session to send on; undefined asks for a handshake (SPEC §10, "Which session"). */
export function chooseSession(
  sessions: readonly Candidate[],
  stamp: number,
): Candidate | undefined {
  const [only] = sessions
  if (only && sessions.length === 1) return canSend(only.row, stamp) ? only : undefined
  const able = sessions.filter(({ row }) => canSend(row, stamp))
  const proven = able.filter(({ row }) => row.order > 0)
  const latest = proven.reduce<Candidate | undefined>(
    (best, one) => (best && best.row.order > one.row.order ? best : one),
    undefined,
  )
  if (latest) {
    // Glare: both sides must settle on one, and TH is what both know. Two sessions of one founder
    // are none: it founded the second because it lost the first.
    const { created, session } = latest.row
    return proven
      .filter(({ row }) => Math.abs(row.created - created) <= GLARE_WINDOW)
      .filter((one) => one === latest || one.row.session.role !== session.role)
      .reduce((best, one) =>
        compareBytes(best.row.session.th, one.row.session.th) <= 0 ? best : one,
      )
  }
  const newest = (list: readonly Candidate[]) =>
    list.reduce<Candidate | undefined>(
      (best, one) => (best && best.row.founded > one.row.founded ? best : one),
      undefined,
    )
  return newest(able.filter(({ row }) => row.mayCarry)) ?? newest(able)
}

/**
 * Sessions to erase so that at most four are left with the peer (HANDSHAKE-39).
 *
 * @param founded - The session that was founded now: it is never refused.
 */
export function surplus(
  sessions: readonly Candidate[],
  sending: string | undefined,
  founded: string,
): readonly Candidate[] {
  if (sessions.length <= MAX_SESSIONS) return []
  return sessions
    .filter(({ key }) => key !== sending && key !== founded)
    .sort(
      (a, b) => Number(a.row.carried) - Number(b.row.carried) || a.row.verified - b.row.verified,
    )
    .slice(0, sessions.length - MAX_SESSIONS)
}

/** Whether the session is past its lifetime (SPEC §10). */
export function isIdle(row: SessionRow, kept: number): boolean {
  return kept - row.verified >= SESSION_LIFETIME
}

/** When a content that was sealed elsewhere may be sealed on the session `sid`; or never. */
export function resealAt(content: ContentRow, copy: CopyRow, sid: string, nowMs: number): number {
  if (copy.okAtMs === 0 || content.sealedOn.includes(sid)) return Number.POSITIVE_INFINITY
  return againAt(copy.okAtMs, nowMs)
}

/** When what the hub took at a time may be sealed again, milliseconds (AGENT-1, AGENT-21). */
export function againAt(takenAtMs: number, nowMs: number): number {
  if (takenAtMs === Number.POSITIVE_INFINITY) return takenAtMs
  return Math.min(takenAtMs, nowMs) + RESEAL_AFTER * 1000
}

/** What is open with a peer when a batch is made. */
export interface Window {
  /** Envelopes whose contents await receipts. */
  readonly envelopes: number
  /** Place of the oldest content without a receipt, and that of the next one to be sealed. */
  readonly oldest: number
  readonly next: number
}

/** Whether contents that were never sealed before may go now (SPEC §12, rule 4). */
export function hasRoom(window: Window): boolean {
  return window.envelopes < MAX_UNRECEIPTED && window.next - window.oldest < MAX_SEALED_AFTER
}

/**
 * The contents that fit one envelope, from the head (ENVELOPE-5).
 *
 * @param receipts - Sizes of the receipt contents that go with them.
 * @param most - Largest padded plaintext, in bytes.
 */
export function fill<T extends { readonly size: number }>(
  contents: Iterable<T>,
  receipts: readonly number[],
  most: number,
): readonly T[] {
  let items = 0
  for (const length of receipts) items += itemLength(length)
  const batch: T[] = []
  for (const content of contents) {
    const count = receipts.length + batch.length + 1
    items += itemLength(content.size)
    if (count > MAX_CONTENTS || padme(innerOf(count, items) + 1) > most) break
    batch.push(content)
  }
  return batch
}

/** Whether a content was kept as long as a receipt may take, or an envelope (AGENT-25). */
export function isOverdue(row: { readonly accepted: number }, kept: number): boolean {
  return kept - row.accepted >= UNDELIVERED_AFTER
}

/** When the receipts that are due have to leave. */
export function dueAt(due: DueRow, nowMs: number): number {
  return due.envelopes >= RECEIPT_BATCH ? 0 : Math.min(due.atMs, nowMs + RECEIPT_WAIT)
}

/** When a responder's first envelope has to leave; infinity if it did. */
export function answerAt(row: SessionRow, nowMs: number): number {
  return row.answerAtMs === 0
    ? Number.POSITIVE_INFINITY
    : Math.min(row.answerAtMs, nowMs + ANSWER_WAIT)
}

/**
 * When a probe is due (SPEC §12, rule 2); infinity if nothing waits.
 *
 * @param since - When the oldest content without a receipt was taken by the hub, milliseconds.
 */
export function probeAt(peer: PeerRow, since: number, nowMs: number): number {
  const next = Math.min(peer.probeAtMs, nowMs + peer.probeInterval * 1000)
  return Math.max(
    since === Number.POSITIVE_INFINITY ? since : Math.min(since, nowMs) + PROBE_AFTER * 1000,
    next,
  )
}

/** Seconds from one probe to the next (SPEC §12, rule 2). */
export function nextProbeInterval(peer: PeerRow): number {
  return Math.min(Math.max(peer.probeInterval * 2, PROBE_AFTER), PROBE_MAX)
}
