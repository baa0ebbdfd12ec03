// SPEC §11 hub: rows in memory between the store and the machine, and the batch being made.

import {
  decodeRow,
  dueTime,
  encodeRow,
  type MailRow,
  type Row,
  type Rows,
  tableOf,
  type Write,
} from "./rows.ts"
import type { HubStore } from "./store.ts"

/** Small rows that are kept in memory, whatever the number of agents. */
const MAX_CACHED = 65_536
const EMPTY = new Uint8Array(0)

/**
 * Rows that were read or written lately. Valid because one hub alone writes to its store. Of a
 * message everything but the envelope is kept: that is what its ACK needs.
 */
export class RowCache {
  readonly #store: HubStore
  readonly #rows = new Map<string, Row>()

  /** @param store - Where all rows are. */
  constructor(store: HubStore) {
    this.#store = store
  }

  /** Begins a batch. */
  begin(): Batch {
    return new Batch(this.#store, this)
  }

  /** @internal */
  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  /** Decodes a row that was read from the store and keeps it. */
  remember(key: string, bytes: Uint8Array): Row {
    const row = decodeRow(key, bytes)
    this.keep(key, row)
    return row
  }

  /** @internal */
  keep(key: string, row: Row | null): void {
    const table = tableOf(key)
    if (!KEPT.has(table)) return
    this.#rows.delete(key)
    if (row === null) return
    this.#rows.set(key, table === "mail" ? withoutEnvelope(row as MailRow) : row)
    if (this.#rows.size <= MAX_CACHED) return
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest)
      return
    }
  }
}

const KEPT: ReadonlySet<string> = new Set(["mail", "name", "account", "sender"])

function withoutEnvelope([from, mid, time, size]: MailRow): MailRow {
  return [from, mid, time, size, EMPTY]
}

/** The rows that one batch has read and changed. */
export class Batch implements Rows {
  readonly #store: HubStore
  readonly #cache: RowCache
  readonly #rows = new Map<string, Row | null>()
  #writes = new Map<string, Row | null>()
  /** The key of the due row that is due first. */
  #firstDue: string | null = null

  /** @internal */
  constructor(store: HubStore, cache: RowCache) {
    this.#store = store
    this.#cache = cache
  }

  /** The earliest time at which a row written here is due, in Unix seconds; null if none is. */
  get firstDue(): number | null {
    return this.#firstDue === null ? null : dueTime(this.#firstDue)
  }

  /** The row at `key`; undefined if it has to be loaded first. */
  get(key: string): Row | null | undefined {
    const written = this.#writes.get(key)
    if (written !== undefined) return written
    const row = this.#rows.get(key)
    return row === undefined ? this.#cache.get(key) : row
  }

  /** Reads the rows that are not known yet. */
  async load(keys: Iterable<string>): Promise<void> {
    const missing = new Set<string>()
    for (const key of keys) if (this.get(key) === undefined) missing.add(key)
    if (missing.size === 0) return
    const unknown = [...missing]
    const rows = await this.#store.read(unknown)
    unknown.forEach((key, i) => {
      const bytes = rows[i] ?? null
      this.#rows.set(key, bytes === null ? null : this.#cache.remember(key, bytes))
    })
  }

  /** Stages changes; they count for all later decisions of the batch. */
  apply(writes: readonly Write[]): void {
    for (const [key, row] of writes) {
      this.#writes.set(key, row)
      if (row === null || !key.startsWith("due/")) continue
      if (this.#firstDue === null || key < this.#firstDue) this.#firstDue = key
    }
  }

  /** Writes all staged changes durably, or none. */
  async commit(): Promise<void> {
    if (this.#writes.size === 0) return
    const writes = this.#writes
    this.#writes = new Map()
    await this.#store.write(
      Array.from(writes, ([key, row]) => [key, row === null ? null : encodeRow(row)] as const),
    )
    for (const [key, row] of writes) this.#cache.keep(key, row)
  }
}
