// SPEC §11 hub: rows in memory. As a store for hubs that keep nothing, it is several times faster
// than a general database: keys of a table, or of one mailbox, mostly arrive in their order.

import { tableOf } from "./rows.ts"
import type { HubStore, StoredRow } from "./store.ts"

/** Rows whose keys share a prefix; with keys in order if ranges of them are read. */
class Shelf {
  readonly rows = new Map<string, Uint8Array>()
  readonly #ordered: boolean
  /** All keys, perhaps with some that were erased meanwhile; ascending unless `unsorted`. */
  #keys: string[] = []
  #unsorted = false
  #erased = 0

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  put(key: string, row: Uint8Array): void {
    if (this.#ordered && !this.rows.has(key)) {
      const last = this.#keys[this.#keys.length - 1]
      if (last !== undefined && last >= key) this.#unsorted = true
      this.#keys.push(key)
    }
    this.rows.set(key, row)
  }

  erase(key: string): void {
    if (this.rows.delete(key)) this.#erased++
  }

  /** The keys in order. */
  get keys(): readonly string[] {
    if (this.#unsorted || this.#erased > this.rows.size) {
      this.#keys = [...this.rows.keys()]
      this.#keys.sort((a, b) => (a < b ? -1 : 1))
      this.#unsorted = false
      this.#erased = 0
    }
    return this.#keys
  }
}

/** Tables of which ranges are read. */
const ORDERED: ReadonlySet<string> = new Set(["mail", "due", "bundle"])

/** Mail is shelved by mailbox, everything else by table. */
function shelfOf(key: string): string {
  if (key.startsWith("mail/")) return key.slice(0, key.lastIndexOf("/"))
  return key.slice(0, key.indexOf("/"))
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
  readonly #shelves = new Map<string, Shelf>()

  async open(): Promise<void> {
    // nothing to open
  }

  async close(): Promise<void> {
    // the rows stay as long as the store
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    return keys.map((key) => this.#shelves.get(shelfOf(key))?.rows.get(key) ?? null)
  }

  /** Ranges lie within one table of mail, due rows or bundles; those of mail within one mailbox. */
  async range(
    from: string,
    below: string,
    limit: number,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    const shelf = this.#shelves.get(shelfOf(from))
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
      bytes += row.length
      if (rows.length === limit || bytes >= maxBytes) return { rows, more: true }
    }
    return { rows, more: false }
  }

  async write(rows: readonly (readonly [key: string, row: Uint8Array | null])[]): Promise<void> {
    for (const [key, row] of rows) {
      const name = shelfOf(key)
      let shelf = this.#shelves.get(name)
      if (shelf === undefined) {
        shelf = new Shelf(ORDERED.has(tableOf(key)))
        this.#shelves.set(name, shelf)
      }
      if (row === null) shelf.erase(key)
      else shelf.put(key, row)
      if (shelf.rows.size === 0) this.#shelves.delete(name)
    }
  }
}
