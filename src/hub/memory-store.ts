// SPEC §11 hub: rows in memory, as they are. As a store for hubs that keep nothing it is several
// times faster than a general database: nothing is encoded, and nothing has to be waited for.

import type { Row, Write } from "./rows.ts"
import type { HubStore, StoredRow } from "./store.ts"

/** Rows of which ranges are read: those of one table, or of one mailbox. */
class Shelf {
  readonly rows = new Map<string, Row>()
  /** All keys, perhaps with some that were erased meanwhile; ascending unless `unsorted`. */
  #keys: string[] = []
  #unsorted = false

  put(key: string, row: Row): void {
    if (!this.rows.has(key)) {
      const last = this.#keys[this.#keys.length - 1]
      if (last !== undefined && last >= key) this.#unsorted = true
      this.#keys.push(key)
      if (this.#keys.length > 64 + 2 * this.rows.size) this.#tidy()
    }
    this.rows.set(key, row)
  }

  /** Drops keys that were erased, and sorts; a key that is about to be put stays. */
  #tidy(): void {
    const last = this.#keys[this.#keys.length - 1]
    this.#keys = [...this.rows.keys()]
    if (last !== undefined && !this.rows.has(last)) this.#keys.push(last)
    this.#keys.sort((a, b) => (a < b ? -1 : 1))
    this.#unsorted = false
  }

  /** The keys in order. */
  get keys(): readonly string[] {
    if (this.#unsorted) this.#tidy()
    return this.#keys
  }
}

/** The shelf of a key: one for each mailbox and ordered table; null if no range is read of it. */
function shelfOf(key: string): string | null {
  if (key.startsWith("mail/")) return key.slice(0, key.lastIndexOf("/"))
  if (key.startsWith("due/")) return "due"
  return key.startsWith("listed/") ? "listed" : null
}

/** The first index whose key is not below `from`. */
function lowerBound(keys: readonly string[], from: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < from) low = middle + 1
    else high = middle
  }
  return low
}

/** A store in memory; its rows end with the process. */
export class MemoryStore implements HubStore {
  readonly durable = false
  readonly whole = true
  readonly #rows = new Map<string, Row>()
  readonly #shelves = new Map<string, Shelf>()

  async open(): Promise<void> {
    // nothing to open
  }

  async close(): Promise<void> {
    // the rows stay as long as the store
  }

  /** The row at `key`, at once. */
  peek(key: string): Row | null {
    const shelf = shelfOf(key)
    const rows = shelf === null ? this.#rows : this.#shelves.get(shelf)?.rows
    return rows?.get(key) ?? null
  }

  /** All rows, in no order. */
  *entries(): Generator<StoredRow> {
    yield* this.#rows
    for (const shelf of this.#shelves.values()) yield* shelf.rows
  }

  async read(keys: readonly string[]): Promise<readonly (Row | null)[]> {
    return keys.map((key) => this.peek(key))
  }

  /** Ranges lie within one table of mail, due rows or listed names; those of mail within one mailbox. */
  async range(
    from: string,
    below: string,
    limit: number,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    const shelf = this.#shelves.get(shelfOf(from) ?? "")
    const rows: StoredRow[] = []
    if (shelf === undefined) return { rows, more: false }
    const { keys } = shelf
    let bytes = 0
    for (let i = lowerBound(keys, from); i < keys.length; i++) {
      const key = keys[i] as string
      if (key >= below) break
      const row = shelf.rows.get(key)
      if (row === undefined) continue
      rows.push([key, row])
      bytes += weightOf(row)
      if (rows.length === limit || bytes >= maxBytes) return { rows, more: true }
    }
    return { rows, more: false }
  }

  async write(writes: Iterable<Write>): Promise<void> {
    for (const [key, row] of writes) {
      const shelf = shelfOf(key)
      if (shelf !== null) this.#shelve(key, shelf, row)
      else if (row === null) this.#rows.delete(key)
      else this.#rows.set(key, row)
    }
  }

  #shelve(key: string, name: string, row: Row | null): void {
    let shelf = this.#shelves.get(name)
    if (row === null) {
      if (shelf?.rows.delete(key) && shelf.rows.size === 0) this.#shelves.delete(name)
      return
    }
    if (shelf === undefined) {
      shelf = new Shelf()
      this.#shelves.set(name, shelf)
    }
    shelf.put(key, row)
  }
}

/** Bytes that a row weighs in a page: those of its byte strings. */
function weightOf(row: Row): number {
  let bytes = 0
  for (const item of row) if (item instanceof Uint8Array) bytes += item.length
  return bytes
}
