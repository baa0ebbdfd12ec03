// SPEC §12 agent: rows of agents that keep nothing. A map does: rows are read by key, ranges only at
// the start and for maintenance. A general database in memory costs a sixth of each message.

import type { Change, Database } from "../database.ts"

/** A database in memory; its rows end with the process. Keys are ASCII. */
export class MemoryDatabase implements Database {
  readonly #rows = new Map<string, Uint8Array>()
  #status = "closed"

  /** "open" or "closed". */
  get status(): string {
    return this.#status
  }

  async open(): Promise<void> {
    this.#status = "open"
  }

  /** The rows stay as long as the object. */
  async close(): Promise<void> {
    this.#status = "closed"
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#rows.get(key)
  }

  async batch(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      if (change.type === "put") this.#rows.set(change.key, change.value)
      else this.#rows.delete(change.key)
    }
  }

  /** Rows as they are now, in the order of their keys. */
  async *iterator(range: {
    readonly gte: string
    readonly lt: string
    readonly limit?: number
  }): AsyncGenerator<[string, Uint8Array]> {
    const { gte, lt, limit } = range
    const rows = [...this.#rows].filter(([key]) => key >= gte && key < lt)
    rows.sort(([a], [b]) => (a < b ? -1 : 1))
    yield* rows.slice(0, limit)
  }
}
