// A cluster of hubs: what is written to the shared store, as bytes.
//
// Each partition has a log of numbered records. A record holds rows that one batch has changed; a
// batch of several records counts once its last record is there. A snapshot is all rows after one
// record; envelopes and one-time keys stay in the log and are referred to.

import { decode, type Value } from "../../encoding.ts"
import { decodeRow, encodeRow, type Row, type Write } from "../../hub/rows.ts"
import { encode as pack } from "../../pack.ts"
import { bytes, list, nullable, text, tuple, uint } from "../../shape.ts"

/** Bytes of rows in one record, about; a larger row has a record of its own. */
export const RECORD_BYTES = 262_144
const MAX_RECORD = 16_777_216

/** A record of the log of a partition. */
export interface LogRecord {
  /** The owner that wrote it: 16 random bytes. */
  readonly epoch: Uint8Array
  /** Its place in the log; the first is 1. */
  readonly number: number
  /** Whether the batch is complete with it. */
  readonly last: boolean
  readonly writes: readonly Write[]
}

const ROWS = list(tuple(text, nullable(bytes())))
const RECORD = tuple(bytes(16), uint, uint, ROWS)
const KEPT = list(tuple(text, bytes(), uint))
const MANIFEST = tuple(uint, uint, list(uint), list(tuple(uint, uint)))

/** Encodes a record; `rows` are encoded rows. */
export function encodeRecord(
  epoch: Uint8Array,
  number: number,
  last: boolean,
  rows: readonly (readonly [key: string, row: Uint8Array | null])[],
): Uint8Array {
  return pack([epoch, number, last ? 1 : 0, rows])
}

/** Decodes a record. */
export function decodeRecord(record: Uint8Array): LogRecord {
  const [epoch, number, last, rows] = RECORD(decode(record, MAX_RECORD))
  const writes = rows.map(([key, row]): Write => [key, row && decodeRow(key, row)])
  return { epoch, number, last: last === 1, writes }
}

/** What goes into one record: the changes, and their rows encoded. */
export interface Part {
  readonly writes: Write[]
  readonly rows: [key: string, row: Uint8Array | null][]
}

/**
 * Divides changes among records. One-time keys have records of their own: they may wait for weeks,
 * and what is in a record stays as long as they do.
 */
export function divide(writes: Iterable<Write>): readonly Part[] {
  const oneTime: Write[] = []
  const others: Write[] = []
  for (const write of writes) {
    const keeps = write[0].startsWith("one-time/") && write[1] !== null
    ;(keeps ? oneTime : others).push(write)
  }
  return [...divided(oneTime), ...divided(others)]
}

function divided(writes: readonly Write[]): readonly Part[] {
  const parts: Part[] = []
  let size = RECORD_BYTES
  for (const write of writes) {
    const [key, row] = write
    const encoded = row && encodeRow(row)
    const weight = key.length + (encoded?.length ?? 0)
    if (size + weight > RECORD_BYTES) {
      parts.push({ writes: [], rows: [] })
      size = 0
    }
    const part = parts.at(-1) as Part
    part.writes.push(write)
    part.rows.push([key, encoded])
    size += weight
  }
  return parts
}

/**
 * A row for a snapshot, or several of one kind as bytes; `at` is the record that holds the envelope
 * of a mail row, else 0.
 */
export type KeptRow = readonly [key: string, row: Row | Uint8Array, at: number]
/** The same as a snapshot has it. */
export type SavedRow = readonly [key: string, saved: Uint8Array, at: number]

/** Encodes rows as the chunks of a snapshot, one at a time: a snapshot may be large. */
export function* encodeSnapshot(rows: Iterable<KeptRow>): Generator<Uint8Array> {
  let chunk: Value[] = []
  let size = 0
  for (const [key, row, at] of rows) {
    const encoded = row instanceof Uint8Array ? row : encodeRow(row)
    chunk.push([key, encoded, at])
    size += key.length + encoded.length
    if (size < RECORD_BYTES) continue
    yield pack(chunk)
    chunk = []
    size = 0
  }
  if (chunk.length > 0) yield pack(chunk)
}

/** Decodes a chunk of a snapshot. */
export function decodeSnapshot(chunk: Uint8Array): readonly SavedRow[] {
  return KEPT(decode(chunk, MAX_RECORD))
}

/** The record with which an owner began, and when, in Unix seconds. */
export type Fence = readonly [number: number, time: number]

/** What a snapshot is made of. */
export interface Manifest {
  /** The last record that it covers, and the message of it. */
  readonly covered: number
  readonly at: number
  /** Its chunks, in order. */
  readonly chunks: readonly number[]
  /** Records that stay although they are covered: they keep former owners from writing. */
  readonly fences: readonly Fence[]
}

/** Encodes a manifest. */
export function encodeManifest({ covered, at, chunks, fences }: Manifest): Uint8Array {
  return pack([covered, at, chunks, fences])
}

/** Decodes a manifest. */
export function decodeManifest(manifest: Uint8Array): Manifest {
  const [covered, at, chunks, fences] = MANIFEST(decode(manifest, MAX_RECORD))
  return { covered, at, chunks, fences }
}
