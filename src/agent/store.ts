// SPEC §12 agent: the store. Rows are changed in memory and staged, then committed all at once.

import { equalBytes, fromHex } from "../bytes.ts"
import { AgentMeshError, require } from "../errors.ts"
import { labelled, sha256 } from "../suite.ts"
import { type Change, type Database, openDatabase, readRows, writeRows } from "./database.ts"
import { checkRow } from "./row-shapes.ts"
import { decodeRow, encodeRow, type MetaRow, type Tables } from "./rows.ts"
import { DiskShelf, MemoryShelf, type Shelf } from "./shelf.ts"
import { Table } from "./table.ts"

const TABLES: readonly (keyof Tables)[] = [
  ...(["meta", "hub", "pin", "peer"] as const),
  ...(["key/identity", "key/bundle", "key/one-time", "key/session", "key/skipped"] as const),
  ...(["content", "copy", "data/out", "due", "inbox"] as const),
]

/** What is read when it is needed, by its key prefix; the same two ranges are compacted. */
const SHELVES = [
  "data/content",
  "data/inbox",
  "seen",
  "aged",
  "replay",
  "used",
  "receipt",
  "evidence",
] as const

/** The name of a shelf. */
export type ShelfName = (typeof SHELVES)[number]

const FORMAT = 2
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

type AllTables = { [K in keyof Tables]: Table<Tables[K]> }
type Changeable<T> = { -readonly [K in keyof T]: T[K] }

function emptyTables(): AllTables {
  return Object.fromEntries(TABLES.map((table) => [table, new Table()])) as unknown as AllTables
}

/**
 * The rows of one agent. Small rows are held in memory; shelves (contents, remembered ids) are
 * read when they are needed. Only one task works on a store at a time: the agent sees to that.
 */
export class AgentStore {
  /** Null for an agent that keeps nothing: then nothing is encoded either. */
  readonly #db: Database | null
  readonly #shelves: Readonly<Record<ShelfName, Shelf>>
  #tables: AllTables = emptyTables()
  /** Counters and clocks, of which the row is a copy. */
  #meta: Changeable<MetaRow> = { ...FRESH }
  #counted = false
  #digests = new Map<string, Uint8Array>()
  /** Ranges to compact: at first both, for what a crash may have left (AGENT-6). */
  #dirty = new Set<"key/" | "data/">(["key/", "data/"])

  private constructor(db: Database | null) {
    this.#db = db
    const shelf = (name: string) => (db === null ? new MemoryShelf() : new DiskShelf(db, name))
    const shelves = SHELVES.map((name) => [name, shelf(name)] as const)
    this.#shelves = Object.fromEntries(shelves) as unknown as Record<ShelfName, Shelf>
  }

  /**
   * Opens a store for one agent.
   *
   * @param db - Null keeps everything in memory.
   * @throws {@link AgentMeshError} `agent/store-locked`, `agent/store-corrupt`.
   */
  static async open(db: Database | null): Promise<AgentStore> {
    if (db === null) return new AgentStore(null)
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

  /** Forgets changes that were not committed, and reads everything anew. */
  async load(): Promise<void> {
    for (const shelf of Object.values(this.#shelves)) shelf.revert()
    if (this.#db === null) for (const table of TABLES) this.#tables[table].revert()
    else await this.#read(this.#db)
    this.#meta = { ...(this.#tables.meta.rows.get("meta") ?? FRESH) }
    this.#counted = false
  }

  async #read(db: Database): Promise<void> {
    this.#digests.clear()
    this.#tables = emptyTables()
    const sum = new Uint8Array(32)
    for (const table of TABLES) {
      const rows = this.#tables[table].rows as Map<string, unknown>
      for await (const [path, value] of readRows(db, `${table}/`)) {
        const key = path.slice(table.length + 1)
        rows.set(key, checkRow(table, decodeRow(value)))
        if (table === "key/session") this.#digest(sum, key, value)
      }
    }
    const { format, sessionsDigest } = this.#tables.meta.rows.get("meta") ?? FRESH
    if (format !== FORMAT) {
      throw new AgentMeshError("agent/store-corrupt", `store format ${format}, expected ${FORMAT}`)
    }
    // Rows can vanish from the middle of a damaged log: never seal on sessions that are not the
    // ones committed last (AGENT-4).
    const whole = equalBytes(sum, sessionsDigest) && (this.#isEmpty || this.#hasBase)
    require(whole, "agent/store-corrupt", "rows are missing, or older than others: restore an export")
  }

  get #isEmpty(): boolean {
    return TABLES.every((table) => this.#tables[table].rows.size === 0)
  }

  get #hasBase(): boolean {
    const { meta, "key/identity": identity } = this.#tables
    return meta.rows.size === 1 && identity.rows.size === 1
  }

  /** Whether what is committed outlives the process. */
  get durable(): boolean {
    return this.#db !== null
  }

  /** Counters and clocks. */
  get meta(): MetaRow {
    return this.#meta
  }

  /** Changes counters and clocks. */
  updateMeta(change: Partial<MetaRow>): void {
    Object.assign(this.#meta, change)
    this.#counted = true
  }

  /** Moves the stored clock with the next commit; alone it is no reason for one (SPEC §2). */
  setClock(change: Partial<Pick<MetaRow, "kept" | "jumpedAt">>): void {
    Object.assign(this.#meta, change)
  }

  /** The next number of the one order of this agent. */
  nextOrder(): number {
    this.#counted = true
    return ++this.#meta.order
  }

  /** A table, to look at. */
  table<K extends keyof Tables>(table: K): ReadonlyMap<string, Tables[K]> {
    return this.#tables[table].rows
  }

  /** One row of a table. */
  get<K extends keyof Tables>(table: K, key: string): Tables[K] | undefined {
    return this.#tables[table].rows.get(key)
  }

  /** Sets a row; durable after {@link commit}. */
  put<K extends keyof Tables>(table: K, key: string, row: Tables[K]): void {
    this.#tables[table].put(key, row)
  }

  /** Deletes a row; durable after {@link commit}. */
  delete<K extends keyof Tables>(table: K, key: string): void {
    this.#tables[table].delete(key)
  }

  /** A shelf; what is written there is durable after {@link commit}. */
  shelf(name: ShelfName): Shelf {
    return this.#shelves[name]
  }

  /** Reads from a shelf, staged changes included. */
  async read(name: ShelfName, key: string): Promise<Uint8Array | undefined> {
    return (await this.#shelves[name].readAll([key]))[0]
  }

  /** Whether there is anything to commit. */
  get changed(): boolean {
    const tables = TABLES.some((table) => this.#tables[table].changed.length > 0)
    return this.#counted || tables || SHELVES.some((name) => this.#shelves[name].changed)
  }

  /** Makes all changes durable, all or nothing. After an error {@link load} has to follow. */
  async commit(): Promise<void> {
    if (!this.changed) return
    this.#meta.commits++
    const changes = this.#db === null ? [] : this.#changes()
    this.#tables.meta.put("meta", { ...this.#meta })
    if (this.#db !== null) {
      changes.push({ type: "put", key: "meta/meta", value: encodeRow(this.#meta) })
      await writeRows(this.#db, changes)
    }
    this.#counted = false
    for (const table of TABLES) this.#tables[table].commit()
    for (const name of SHELVES) this.#shelves[name].commit()
  }

  /** All changes, as rows of a database. */
  #changes(): Change[] {
    const changes: Change[] = []
    const sessionsDigest = this.#meta.sessionsDigest.slice()
    for (const table of TABLES) {
      for (const key of new Set(this.#tables[table].changed)) {
        const row = this.#tables[table].rows.get(key)
        const value = row && encodeRow(row)
        const path = `${table}/${key}`
        changes.push(value ? { type: "put", key: path, value } : { type: "del", key: path })
        if (table === "key/session") this.#digest(sessionsDigest, key, value)
        this.#soil(path)
      }
    }
    for (const name of SHELVES) {
      const shelf = this.#shelves[name] as DiskShelf
      if (shelf.changed) this.#soil(name)
      for (const change of shelf.changes()) changes.push(change)
    }
    this.#meta.sessionsDigest = sessionsDigest
    return changes
  }

  /** A range has rows that were replaced or deleted. */
  #soil(path: string): void {
    if (path.startsWith("key/")) this.#dirty.add("key/")
    if (path.startsWith("data/")) this.#dirty.add("data/")
  }

  /** Takes a session row in or out of the digest. */
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
    const db = this.#db
    if (!db?.compactRange || !this.#dirty.delete(what)) return
    const first = what
    const last = `${what}\u{10ffff}`
    const compact = () => db.compactRange?.(first, last, { keyEncoding: "utf8" })
    try {
      await compact()
      // LevelDB writes what it held in memory to one file, with every value that a row has had,
      // and rewrites a file only together with a newer one: these marks are one over the range.
      await writeRows(db, [
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
    const db = this.#db
    if (db === null) return
    try {
      await this.compact("key/")
      await this.compact("data/")
    } finally {
      await db.close().finally(() => inUse.delete(db))
    }
  }
}

function rowDigest(key: string, bytes: Uint8Array): Uint8Array {
  return sha256(labelled("state", fromHex(key), bytes))
}

function mix(sum: Uint8Array, digest: Uint8Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (digest[i] as number)
}
