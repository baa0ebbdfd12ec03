// SPEC §11 hub: the rows that one batch of requests has read and will write.

import type { PeekingStore } from "./cache.ts"
import { dueTime, type Row, type Rows, type Write } from "./rows.ts"

/** Rows as the decisions of one batch see them: each sees what those before it have written. */
export class Batch implements Rows {
  readonly #store: PeekingStore
  readonly #read = new Map<string, Row | null>()
  #writes = new Map<string, Row | null>()
  /** The key of the due row that is due first. */
  #firstDue: string | null = null

  /** @param store - What is read from and committed to. */
  constructor(store: PeekingStore) {
    this.#store = store
  }

  /** The earliest time at which a row written here is due, in Unix seconds; null if none is. */
  get firstDue(): number | null {
    return this.#firstDue === null ? null : dueTime(this.#firstDue)
  }

  /** The row at `key`; undefined if it has to be loaded first. */
  get(key: string): Row | null | undefined {
    const written = this.#writes.get(key)
    if (written !== undefined) return written
    const read = this.#read.get(key)
    return read === undefined ? this.#store.peek(key) : read
  }

  /** Reads the rows that are not known yet; null if there are none such. */
  load(keys: Iterable<string>): Promise<void> | null {
    const missing = new Set<string>()
    for (const key of keys) if (this.get(key) === undefined) missing.add(key)
    return missing.size === 0 ? null : this.#load([...missing])
  }

  async #load(keys: readonly string[]): Promise<void> {
    const rows = await this.#store.read(keys)
    keys.forEach((key, i) => {
      this.#read.set(key, rows[i] ?? null)
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
    await this.#store.write(writes)
  }
}
