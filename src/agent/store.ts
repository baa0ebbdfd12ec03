// SPEC §12 agent: the store. Rows are changed in memory and staged, then committed all at once.

import { equalBytes, fromHex } from "../bytes.ts"
import { AgentMeshError, require } from "../errors.ts"
import { labelled, sha256 } from "../suite.ts"
import {
  type Change,
  type Database,
  openDatabase,
  readRow,
  readRows,
  writeRows,
} from "./database.ts"
import { checkRow } from "./row-shapes.ts"
import { decodeRow, encodeRow, type MetaRow, type Tables } from "./rows.ts"

const TABLES: readonly (keyof Tables)[] = [
  "meta",
  "hub",
  "pin",
  "peer",
  "key/identity",
  "key/bundle",
  "key/one-time",
  "key/session",
  "key/skipped",
  "content",
  "data/out",
  "due",
  "inbox",
]

const FORMAT = 1
const FRESH: MetaRow = {
  format: FORMAT,
  commits: 0,
  sessionsDigest: new Uint8Array(32),
  order: 0,
  seq: 0,
  kept: 0,
  jumpedAt: null,
  seen: 0,
  floorMs: 0,
  publishedSeq: null,
  dropDue: false,
  importedAt: null,
}

const inUse = new WeakSet<Database>()

type Maps = { [K in keyof Tables]: Map<string, Tables[K]> }

function emptyMaps(): Maps {
  return Object.fromEntries(TABLES.map((table) => [table, new Map()])) as unknown as Maps
}

/**
 * The rows of one agent. Small rows are held in memory; shelves (contents, remembered ids) are
 * read when they are needed. Only one task works on a store at a time: the agent sees to that.
 */
export class AgentStore {
  readonly #db: Database
  #maps: Maps = emptyMaps()
  #touched = new Map<string, readonly [keyof Tables, string]>()
  #shelved = new Map<string, Uint8Array | null>()
  #digests = new Map<string, Uint8Array>()
  /** Ranges to compact: at first both, for what a crash may have left (AGENT-6). */
  #dirty = new Set<"key/" | "data/">(["key/", "data/"])

  private constructor(db: Database) {
    this.#db = db
  }

  /**
   * Opens a store for one agent.
   *
   * @throws {@link AgentMeshError} `agent/store-locked`, `agent/store-corrupt`.
   */
  static async open(db: Database): Promise<AgentStore> {
    if (inUse.has(db)) {
      throw new AgentMeshError("agent/store-locked", "another agent here has this store open")
    }
    inUse.add(db)
    try {
      await openDatabase(db)
      const store = new AgentStore(db)
      await store.load()
      return store
    } catch (error) {
      await db.close().catch(() => {})
      inUse.delete(db)
      throw error
    }
  }

  /** Reads everything anew; changes that were not committed are forgotten. */
  async load(): Promise<void> {
    this.#touched.clear()
    this.#shelved.clear()
    this.#digests.clear()
    this.#maps = emptyMaps()
    const sum = new Uint8Array(32)
    for (const table of TABLES) {
      const map = this.#maps[table] as Map<string, unknown>
      for await (const [path, value] of readRows(this.#db, `${table}/`)) {
        const key = path.slice(table.length + 1)
        map.set(key, checkRow(table, decodeRow(value)))
        if (table === "key/session") this.#digest(sum, key, value)
      }
    }
    const { format, sessionsDigest } = this.meta
    if (format !== FORMAT) {
      throw new AgentMeshError("agent/store-corrupt", `store format ${format}, expected ${FORMAT}`)
    }
    // Rows can vanish from the middle of a damaged log: never seal on sessions that are not the
    // ones committed last (AGENT-4).
    const whole = equalBytes(sum, sessionsDigest) && (this.#isEmpty || this.#hasBase)
    require(whole, "agent/store-corrupt", "rows are missing, or older than others: restore an export")
  }

  get #isEmpty(): boolean {
    return Object.values(this.#maps).every((map) => map.size === 0)
  }

  get #hasBase(): boolean {
    return this.#maps.meta.size === 1 && this.#maps["key/identity"].size === 1
  }

  /** Counters and clocks. */
  get meta(): MetaRow {
    return this.#maps.meta.get("meta") ?? FRESH
  }

  /** Changes counters and clocks. */
  updateMeta(change: Partial<MetaRow>): void {
    this.put("meta", "meta", { ...this.meta, ...change })
  }

  /** Moves the stored clock with the next commit; alone it is no reason for one (SPEC §2). */
  setClock(change: Partial<Pick<MetaRow, "kept" | "jumpedAt">>): void {
    this.#maps.meta.set("meta", { ...this.meta, ...change })
  }

  /** The next number of the one order of this agent. */
  nextOrder(): number {
    const order = this.meta.order + 1
    this.updateMeta({ order })
    return order
  }

  /** A table, to look at. */
  table<K extends keyof Tables>(table: K): ReadonlyMap<string, Tables[K]> {
    return this.#maps[table]
  }

  /** One row of a table. */
  get<K extends keyof Tables>(table: K, key: string): Tables[K] | undefined {
    return this.#maps[table].get(key)
  }

  /** Sets a row; durable after {@link commit}. */
  put<K extends keyof Tables>(table: K, key: string, row: Tables[K]): void {
    this.#maps[table].set(key, row)
    this.#touched.set(`${table}/${key}`, [table, key])
  }

  /** Deletes a row; durable after {@link commit}. */
  delete<K extends keyof Tables>(table: K, key: string): void {
    if (this.#maps[table].delete(key)) this.#touched.set(`${table}/${key}`, [table, key])
  }

  /** Reads from a shelf, staged changes included. */
  async read(key: string): Promise<Uint8Array | undefined> {
    const shelved = this.#shelved.get(key)
    if (shelved !== undefined) return shelved ?? undefined
    return readRow(this.#db, key)
  }

  /** Rows of a shelf in key order, without changes that are only staged. */
  scan(prefix: string, limit?: number): AsyncGenerator<[string, Uint8Array]> {
    return readRows(this.#db, prefix, limit)
  }

  /** Puts bytes on a shelf, or takes them off it. */
  write(key: string, bytes: Uint8Array | null): void {
    this.#shelved.set(key, bytes)
  }

  /** Whether there is anything to commit. */
  get changed(): boolean {
    return this.#touched.size > 0 || this.#shelved.size > 0
  }

  /** Makes all changes durable, all or nothing. After an error {@link load} has to follow. */
  async commit(): Promise<void> {
    if (!this.changed) return
    const changes: Change[] = []
    const sessionsDigest = this.meta.sessionsDigest.slice()
    for (const [path, [table, key]] of this.#touched) {
      if (table === "meta") continue // written last
      const row = this.#maps[table].get(key)
      const value = row && encodeRow(row)
      changes.push(value ? { type: "put", key: path, value } : { type: "del", key: path })
      if (table === "key/session") this.#digest(sessionsDigest, key, value)
      if (table.startsWith("key/")) this.#dirty.add("key/")
      if (table.startsWith("data/")) this.#dirty.add("data/")
    }
    for (const [key, value] of this.#shelved) {
      changes.push(value ? { type: "put", key, value } : { type: "del", key })
      if (key.startsWith("data/")) this.#dirty.add("data/")
    }
    const meta = { ...this.meta, commits: this.meta.commits + 1, sessionsDigest }
    this.#maps.meta.set("meta", meta)
    changes.push({ type: "put", key: "meta/meta", value: encodeRow(meta) })
    await writeRows(this.#db, changes)
    this.#touched.clear()
    this.#shelved.clear()
  }

  #digest(sum: Uint8Array, key: string, bytes: Uint8Array | undefined): void {
    const before = this.#digests.get(key)
    if (before) mix(sum, before)
    this.#digests.delete(key)
    if (bytes === undefined) return
    const digest = rowDigest(key, bytes)
    mix(sum, digest)
    this.#digests.set(key, digest)
  }

  /**
   * Makes the database drop what it still holds of rows that were replaced or deleted: stores
   * that append keep them until then (SPEC §12).
   */
  async compact(what: "key/" | "data/"): Promise<void> {
    if (!this.#db.compactRange || !this.#dirty.delete(what)) return
    const first = what
    const last = `${what}\u{10ffff}`
    const compact = () => this.#db.compactRange?.(first, last, { keyEncoding: "utf8" })
    try {
      await compact()
      // LevelDB writes what it held in memory to one file, with every value that a row has had,
      // and rewrites a file only together with a newer one: these marks are one over the range.
      await writeRows(this.#db, [
        { type: "del", key: first },
        { type: "del", key: last },
      ])
      await compact()
    } catch (error) {
      this.#dirty.add(what)
      throw new AgentMeshError("agent/store-corrupt", "the store cannot be compacted", error)
    }
  }

  /** Compacts and closes. */
  async close(): Promise<void> {
    try {
      await this.compact("key/")
      await this.compact("data/")
    } finally {
      await this.#db.close().finally(() => inUse.delete(this.#db))
    }
  }
}

function rowDigest(key: string, bytes: Uint8Array): Uint8Array {
  return sha256(labelled("state", fromHex(key), bytes))
}

function mix(sum: Uint8Array, digest: Uint8Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (digest[i] as number)
}
