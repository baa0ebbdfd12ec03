// A store as a process sees it, and as it outlives the process: snapshots, roll-backs, crashes.

import type { Change, Database } from "../../src/agent/database.ts"

type Bucket = Map<string, Uint8Array>
/** What is on a disk at one moment. */
export type Image = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>

/** Where a process dies: at a commit, which is durable or not. */
export interface CrashPlan {
  /** Commits that still succeed. */
  commits: number
  readonly durable: boolean
  crash(): void
}

const never = new Promise<never>(() => {})

/** Rows that outlive processes. */
export class Disk {
  #buckets = new Map<string, Bucket>()
  #handle: DiskHandle | null = null
  /** Commits so far. */
  commits = 0
  /** The next commits fail while this is positive. */
  failures = 0
  plan: CrashPlan | null = null

  /** A database for a new process. The one before must be dead or closed. */
  open(): Database {
    if (this.#handle) this.#handle.dead = true
    this.#handle = new DiskHandle(this)
    return this.#handle
  }

  /** The process of the disk is gone: nothing that it still does has an effect. */
  kill(): void {
    if (this.#handle) this.#handle.dead = true
    this.#handle = null
  }

  /** A copy of all rows. */
  snapshot(): Image {
    return new Map([...this.#buckets].map(([name, rows]) => [name, new Map(rows)]))
  }

  /** Puts an older state back. */
  restore(image: Image): void {
    this.#buckets = new Map([...image].map(([name, rows]) => [name, new Map(rows)]))
  }

  /** All rows are lost. */
  wipe(): void {
    this.#buckets = new Map()
  }

  /** Number of rows, of all tables or of one. */
  rows(table?: string): number {
    let sum = 0
    for (const [key, rows] of this.#buckets) if (!table || key === table) sum += rows.size
    return sum
  }

  /** Number of rows by table. */
  get tables(): Record<string, number> {
    return Object.fromEntries([...this.#buckets].map(([key, rows]) => [key, rows.size]))
  }

  /** Bytes of all rows. */
  get size(): number {
    let sum = 0
    for (const rows of this.#buckets.values()) for (const row of rows.values()) sum += row.length
    return sum
  }

  /** Rows of a table in key order. */
  entries(prefix: string): [string, Uint8Array][] {
    const rows = this.#buckets.get(bucketOf(prefix))
    const found = [...(rows ?? [])].filter(([key]) => key.startsWith(prefix))
    return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** One row. */
  read(key: string): Uint8Array | undefined {
    return this.#buckets.get(bucketOf(key))?.get(key)
  }

  /** Writes all changes. */
  apply(changes: readonly Change[]): void {
    this.commits++
    for (const change of changes) {
      const name = bucketOf(change.key)
      let bucket = this.#buckets.get(name)
      if (bucket === undefined) {
        bucket = new Map()
        this.#buckets.set(name, bucket)
      }
      if (change.type === "put") bucket.set(change.key, new Uint8Array(change.value))
      else bucket.delete(change.key)
    }
  }
}

/** `seen/…` is in bucket `seen`, `key/session/…` in `key/session`. */
function bucketOf(key: string): string {
  const first = key.indexOf("/")
  const two = key.startsWith("key/") || key.startsWith("data/")
  const end = two ? key.indexOf("/", first + 1) : first
  return end < 0 ? key : key.slice(0, end)
}

/** The database of one process. */
class DiskHandle implements Database {
  readonly status = "open"
  readonly supports = { permanence: true }
  readonly #disk: Disk
  dead = false

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async open(): Promise<void> {
    if (this.dead) await never
  }

  async close(): Promise<void> {
    if (this.dead) await never
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    if (this.dead) return never
    return this.#disk.read(key)
  }

  async getMany(keys: string[]): Promise<(Uint8Array | undefined)[]> {
    if (this.dead) return never
    return keys.map((key) => this.#disk.read(key))
  }

  async batch(changes: Change[]): Promise<void> {
    const disk = this.#disk
    if (this.dead) return never
    if (disk.failures > 0) {
      disk.failures--
      throw new Error("the disk is full")
    }
    const { plan } = disk
    if (plan && plan.commits-- <= 0) {
      disk.plan = null
      if (plan.durable) disk.apply(changes)
      plan.crash()
      return never
    }
    disk.apply(changes)
  }

  async *iterator(range: {
    gte: string
    lt: string
    limit?: number
  }): AsyncGenerator<[string, Uint8Array]> {
    if (this.dead) await never
    // The agent reads "table/" or "table/part/", the hub ranges inside one table.
    let left = range.limit ?? Number.POSITIVE_INFINITY
    const { gte, lt } = range
    const start = gte.slice(0, gte.indexOf("/", /^(key|data)\//.test(gte) ? 5 : 0) + 1)
    for (const [key, value] of this.#disk.entries(start)) {
      if (key < gte || key >= lt) continue
      if (left-- <= 0) return
      yield [key, value]
    }
  }
}
