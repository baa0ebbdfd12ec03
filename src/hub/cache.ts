// SPEC §11 hub: the small rows that were read or written lately, in memory in front of a store.

import { type MailRow, type Row, tableOf, type Write } from "./rows.ts"
import type { HubStore, StoredRow } from "./store.ts"

/** A store that knows some rows, or all, without waiting. */
export type PeekingStore = HubStore & Required<Pick<HubStore, "peek">>

/** Small rows that are kept in memory, whatever the number of agents. */
const MAX_CACHED = 65_536
const KEPT: ReadonlySet<string> = new Set(["mail", "name", "account", "sender"])
const EMPTY = new Uint8Array(0)

/** The store itself if it can be peeked into, else with a cache before it. */
export function peeking(store: HubStore): PeekingStore {
  return store.peek === undefined ? new CachedStore(store) : (store as PeekingStore)
}

/**
 * Keeps rows that were read or written lately. Valid because one hub alone writes to its store. Of a
 * message everything but the envelope is kept: that is what its ACK needs.
 */
class CachedStore implements HubStore {
  readonly #store: HubStore
  readonly #rows = new Map<string, Row>()

  constructor(store: HubStore) {
    this.#store = store
  }

  get durable(): boolean {
    return this.#store.durable
  }

  open(): Promise<void> {
    return this.#store.open()
  }

  close(): Promise<void> {
    this.#rows.clear()
    return this.#store.close()
  }

  peek(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  async read(keys: readonly string[]): Promise<readonly (Row | null)[]> {
    const rows = await this.#store.read(keys)
    keys.forEach((key, i) => {
      const row = rows[i]
      if (row) this.#keep(key, row)
    })
    return rows
  }

  async range(
    ...range: Parameters<HubStore["range"]>
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    const page = await this.#store.range(...range)
    for (const [key, row] of page.rows) this.#keep(key, row)
    return page
  }

  async write(writes: Iterable<Write>): Promise<void> {
    const all = [...writes]
    await this.#store.write(all)
    for (const [key, row] of all) this.#keep(key, row)
  }

  #keep(key: string, row: Row | null): void {
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

function withoutEnvelope([from, mid, time, size]: MailRow): MailRow {
  return [from, mid, time, size, EMPTY]
}
