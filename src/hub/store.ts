// SPEC §11 hub: the store behind a hub. One small interface, batches only, and its version on any
// abstract-level database. A distributed store replaces it without a change to the hub's logic.

import { type Change, ENCODINGS, type HubDatabase } from "../database.ts"
import { decodeRow, encodeRow, type Row, type Write } from "./rows.ts"

/** A row and its key. */
export type StoredRow = readonly [key: string, row: Row]

/**
 * What a hub needs of a store. Keys are ASCII and sort bytewise. One hub writes to one store. Rows
 * are never changed; a store that keeps bytes encodes them ({@link encodeRow}).
 */
export interface HubStore {
  /** Whether what was written survives the end of the process. */
  readonly durable: boolean
  open(): Promise<void>
  close(): Promise<void>
  /**
   * The row at `key` if it is known without waiting, null if it is known that there is none;
   * undefined if it has to be read. Of a message the envelope may be missing.
   */
  peek?(key: string): Row | null | undefined
  /** Whether {@link peek} knows every row; false if absent. */
  readonly whole?: boolean
  /** The rows at the keys, in their order; null where there is none. */
  read(keys: readonly string[]): Promise<readonly (Row | null)[]>
  /**
   * Rows with `from` ≤ key < `below`, ascending, at most `limit` and about `maxBytes` of them, but
   * at least one if there is one. `more`: whether there may be others.
   */
  range(
    from: string,
    below: string,
    limit: number,
    maxBytes?: number,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }>
  /** Writes all rows (null erases) or none; resolves once they are durable. */
  write(writes: Iterable<Write>): Promise<void>
}

/** A hub's store on an abstract-level database; a batch is synced before it counts. */
export class DatabaseStore implements HubStore {
  readonly #db: HubDatabase

  /** @param db - Memory-level, classic-level or another; nobody else writes to it. */
  constructor(db: HubDatabase) {
    this.#db = db
  }

  get durable(): boolean {
    return this.#db.supports?.permanence ?? false
  }

  open(): Promise<void> {
    return this.#db.open()
  }

  close(): Promise<void> {
    return this.#db.close()
  }

  async read(keys: readonly string[]): Promise<readonly (Row | null)[]> {
    const rows = await this.#db.getMany([...keys], ENCODINGS)
    return rows.map((row, i) => (row === undefined ? null : decodeRow(keys[i] as string, row)))
  }

  async range(
    from: string,
    below: string,
    limit: number,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    const rows: StoredRow[] = []
    let bytes = 0
    // One row beyond the limit would tell "more" exactly; the caller asks again instead.
    for await (const [key, row] of this.#db.iterator({
      gte: from,
      lt: below,
      limit,
      ...ENCODINGS,
    })) {
      rows.push([key, decodeRow(key, row)])
      bytes += row.length
      if (bytes >= maxBytes) return { rows, more: true }
    }
    return { rows, more: rows.length === limit }
  }

  async write(writes: Iterable<Write>): Promise<void> {
    const changes = Array.from(writes, ([key, row]): Change => {
      return row === null ? { type: "del", key } : { type: "put", key, value: encodeRow(row) }
    })
    await this.#db.batch(changes, { ...ENCODINGS, sync: true })
  }
}
