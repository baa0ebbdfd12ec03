// SPEC §12 agent: shelves hold what is read by key when it is needed: bytes of contents, remembered
// ids, spent keys. In a database, or for an agent that keeps nothing in a map.

import { type Change, type Database, readKeys, readRows } from "./database.ts"
import { Table } from "./table.ts"

/** One shelf. Changes are staged until they are committed together with all others. */
export interface Shelf {
  /** Puts bytes there, or takes them away. */
  write(key: string, bytes: Uint8Array | null): void
  /** What is at the keys, in their order, staged changes included. */
  readAll(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>
  /** What was committed, in the order of keys; what is taken away meanwhile may be among it. */
  scan(prefix: string): AsyncIterable<readonly [string, Uint8Array]>
  /** Whether something was taken away, and this is not committed yet. */
  isErased(key: string): boolean
  /** Whether there is anything to commit. */
  readonly changed: boolean
  commit(): void
  revert(): void
}

/** A shelf in a database, below `name/`. */
export class DiskShelf implements Shelf {
  readonly #db: Database
  readonly #name: string
  readonly #staged = new Map<string, Uint8Array | null>()

  constructor(db: Database, name: string) {
    this.#db = db
    this.#name = name
  }

  write(key: string, bytes: Uint8Array | null): void {
    this.#staged.set(key, bytes)
  }

  async readAll(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const missing = keys.filter((key) => !this.#staged.has(key))
    const found = await readKeys(
      this.#db,
      missing.map((key) => `${this.#name}/${key}`),
    )
    let next = 0
    return keys.map((key) => {
      const staged = this.#staged.get(key)
      return staged === undefined ? found[next++] : (staged ?? undefined)
    })
  }

  async *scan(prefix: string): AsyncGenerator<readonly [string, Uint8Array]> {
    for await (const [path, bytes] of readRows(this.#db, `${this.#name}/${prefix}`)) {
      yield [path.slice(this.#name.length + 1), bytes]
    }
  }

  isErased(key: string): boolean {
    return this.#staged.get(key) === null
  }

  get changed(): boolean {
    return this.#staged.size > 0
  }

  /** The staged changes, for the batch of a commit. */
  *changes(): Generator<Change> {
    for (const [key, value] of this.#staged) {
      const path = `${this.#name}/${key}`
      yield value ? { type: "put", key: path, value } : { type: "del", key: path }
    }
  }

  commit(): void {
    this.#staged.clear()
  }

  revert(): void {
    this.#staged.clear()
  }
}

/** A shelf that ends with the process. */
export class MemoryShelf implements Shelf {
  readonly #table = new Table<Uint8Array>()
  #order: Order | null = null

  write(key: string, bytes: Uint8Array | null): void {
    if (bytes === null) this.#table.delete(key)
    else {
      this.#table.put(key, bytes)
      this.#order?.add(key)
    }
  }

  async readAll(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.#table.rows.get(key))
  }

  async *scan(prefix: string): AsyncGenerator<readonly [string, Uint8Array]> {
    const { rows } = this.#table
    this.#order ??= new Order(rows)
    for (const key of this.#order.from(prefix)) {
      if (!key.startsWith(prefix)) return
      yield [key, rows.get(key) as Uint8Array]
    }
  }

  isErased(): boolean {
    return false // it is not there any more
  }

  get changed(): boolean {
    return this.#table.changed.length > 0
  }

  commit(): void {
    this.#table.commit()
  }

  revert(): void {
    this.#table.revert()
    this.#order = null
  }
}

/** The keys of a shelf in order, once somebody asked for it. Most are added at the end. */
class Order {
  readonly #rows: ReadonlyMap<string, unknown>
  /** Also keys that are gone. */
  #keys: string[]

  constructor(rows: ReadonlyMap<string, unknown>) {
    this.#rows = rows
    this.#keys = [...rows.keys()].sort()
  }

  add(key: string): void {
    const last = this.#keys[this.#keys.length - 1]
    if (last === undefined || last < key) {
      this.#keys.push(key)
      return
    }
    const at = this.#lowerBound(key)
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key)
  }

  /** The keys from `first` on. */
  *from(first: string): Generator<string> {
    if (this.#keys.length > 1_024 + 1.05 * this.#rows.size) {
      this.#keys = this.#keys.filter((key) => this.#rows.has(key))
    }
    const keys = this.#keys
    for (let i = this.#lowerBound(first); i < keys.length; i++) {
      const key = keys[i] as string
      if (this.#rows.has(key)) yield key
    }
  }

  /** The first index whose key is not below `key`. */
  #lowerBound(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
