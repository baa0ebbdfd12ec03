// SPEC §12 agent: the receipts that are due to a peer. They are one byte string in one row: there may
// be thousands, and the row is written with every commit that adds some.

import type { Receipt } from "../envelope.ts"
import type { Peer } from "../identity.ts"
import { MAX_IDS } from "../limits.ts"
import { RECEIPT_WAIT } from "./delivery.ts"
import type { DueRow } from "./rows.ts"

/** An id of 16 bytes and a status. */
const SIZE = 17

/** How many receipts a row has, counted up to `most`. */
export function countDue(row: DueRow | undefined, most: number): number {
  return Math.min(most, (row?.receipts.length ?? 0) / SIZE)
}

/** The oldest receipts of a row, at most so many. */
export function oldestDue(row: DueRow | undefined, most: number): readonly Receipt[] {
  const receipts: Receipt[] = []
  const bytes = row?.receipts ?? new Uint8Array(0)
  for (let at = 0; at < bytes.length && receipts.length < most; at += SIZE) {
    const status = bytes[at + SIZE - 1] as number
    receipts.push({ id: bytes.slice(at, at + SIZE - 1), status })
  }
  return receipts
}

/**
 * The row with more receipts, the newest of them all.
 *
 * @param envelopes - In how many envelopes their contents came.
 */
export function addDue(
  row: DueRow | undefined,
  { name, ik }: Peer,
  added: readonly Receipt[],
  envelopes: number,
  nowMs: number,
): DueRow {
  const before = row?.receipts ?? new Uint8Array(0)
  const receipts = new Uint8Array(before.length + SIZE * added.length)
  receipts.set(before)
  for (const [i, { id, status }] of added.entries()) {
    const at = before.length + SIZE * i
    receipts.set(id, at)
    receipts[at + SIZE - 1] = status
  }
  return {
    name,
    ik,
    receipts: receipts.slice(-SIZE * MAX_IDS),
    envelopes: (row?.envelopes ?? 0) + envelopes,
    atMs: row?.atMs ?? nowMs + RECEIPT_WAIT,
  }
}

/** The row without its oldest receipts; undefined if none are left. */
export function takeDue(row: DueRow, taken: number): DueRow | undefined {
  const receipts = row.receipts.slice(SIZE * taken)
  return receipts.length === 0 ? undefined : { ...row, receipts, envelopes: 0 }
}
