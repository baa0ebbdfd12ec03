// SPEC §12 agent: the part of abstract-level that the stores of agent and hub use.

import { AgentMeshError } from "../errors.ts"

/** A change of one row. */
export type Change =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: string }

interface Encodings {
  readonly keyEncoding: "utf8"
  readonly valueEncoding: "view"
}

interface RangeOptions extends Encodings {
  readonly gte: string
  readonly lt: string
  readonly limit?: number
}

/**
 * Any abstract-level database: memory-level, classic-level, browser-level and others.
 *
 * `batch` is atomic and, with `sync`, durable when it resolves.
 */
export interface Database {
  readonly status: string
  /** Resolves when it is open, also when it was before. */
  open(): Promise<void>
  /** Resolves when it is closed. */
  close(): Promise<void>
  /** One row, undefined if there is none. */
  get(key: string, options: Encodings): Promise<Uint8Array | undefined>
  /** All changes or none. */
  batch(changes: Change[], options: Encodings & { readonly sync: boolean }): Promise<void>
  /** Rows of a range of keys, ascending. */
  iterator(options: RangeOptions): AsyncIterable<[string, Uint8Array]>
  /** Removes overwritten rows of a range from the files, where a database keeps them. */
  compactRange?(start: string, end: string, options?: object): Promise<void>
}

const ENCODINGS: Encodings = { keyEncoding: "utf8", valueEncoding: "view" }

/** Opens the database; a lock held by another process is `agent/store-locked`. */
export async function openDatabase(db: Database): Promise<void> {
  try {
    await db.open()
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } }
    if (cause?.code === "LEVEL_LOCKED") {
      const advice = "another process has this store open; move a stopped agent by moving its store"
      throw new AgentMeshError("agent/store-locked", advice, error)
    }
    throw new AgentMeshError("agent/store-corrupt", "the store cannot be opened", error)
  }
}

/** The row at `key`, copied: databases differ in whether they keep a reference. */
export async function readRow(db: Database, key: string): Promise<Uint8Array | undefined> {
  const value = await db.get(key, ENCODINGS)
  return value && new Uint8Array(value)
}

/** All rows whose key begins with `prefix`, in key order. */
export async function* readRows(
  db: Database,
  prefix: string,
  limit?: number,
): AsyncGenerator<[string, Uint8Array]> {
  const range = { gte: prefix, lt: `${prefix}\u{10ffff}`, ...ENCODINGS }
  for await (const [key, value] of db.iterator(limit === undefined ? range : { ...range, limit })) {
    yield [key, new Uint8Array(value)]
  }
}

/** Writes all changes or none; resolves when they are durable. */
export async function writeRows(db: Database, changes: Change[]): Promise<void> {
  if (changes.length > 0) await db.batch(changes, { ...ENCODINGS, sync: true })
}
