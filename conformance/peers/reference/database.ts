// Reference driver: the store of an agent.

import type { Change, Database } from "../../../src/agent/database.ts"

/** Rows in memory, copied in and out; a snapshot is a copy. */
export class TestDatabase implements Database {
  status = "closed"
  readonly rows: Map<string, Uint8Array>

  constructor(rows: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.rows = new Map(rows)
  }

  async open(): Promise<void> {
    this.status = "open"
  }

  async close(): Promise<void> {
    this.status = "closed"
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.rows.get(key)?.slice()
  }

  async batch(changes: Change[]): Promise<void> {
    for (const change of changes) {
      if (change.type === "put") this.rows.set(change.key, change.value.slice())
      else this.rows.delete(change.key)
    }
  }

  async *iterator(range: {
    gte: string
    lt: string
    limit?: number
  }): AsyncGenerator<[string, Uint8Array]> {
    const keys = [...this.rows.keys()].filter((key) => key >= range.gte && key < range.lt).sort()
    for (const key of keys.slice(0, range.limit ?? keys.length)) {
      yield [key, (this.rows.get(key) as Uint8Array).slice()]
    }
  }
}
