// classic-level (LevelDB) as the store of agents and hubs on Node.

import { chmod, mkdir, readdir } from "node:fs/promises"
import { join } from "node:path"
import { ClassicLevel } from "classic-level"
import type { Change, Database } from "../database.ts"

type Options = Parameters<Database["batch"]>[1]

/**
 * A LevelDB database in a directory that only its owner can enter (mode 0700).
 *
 * LevelDB creates its files with the umask of the process, usually 0644; the directory is what
 * keeps others out at any time. Opening and closing also make the files 0600, so that a copy of
 * them elsewhere is not open to all; those made in between follow the umask, which belongs to the
 * whole process and is therefore left to it (the commands set 077). A second opener is refused:
 * `agent/store-locked`.
 */
export class FileDatabase implements Database {
  readonly #path: string
  readonly #level: ClassicLevel<string, Uint8Array>
  #mending: Promise<void> | null = null
  #broken = false

  /**
   * @param path - Directory; created if missing.
   * @param writeBufferSize - Bytes that LevelDB collects in memory before it writes a table: a busy
   * hub spends a third less on it with more.
   */
  constructor(path: string, writeBufferSize: number = 4_194_304) {
    this.#path = path
    this.#level = new ClassicLevel(path, {
      createIfMissing: true,
      compression: false, // what is stored is mostly encrypted
      writeBufferSize,
      keyEncoding: "utf8",
      valueEncoding: "view",
    })
    // It opens itself in the next turn; before that the directory must exist with its mode.
    this.#level.on("error", () => {})
  }

  /** As abstract-level has it: opening, open, closing, closed. */
  get status(): string {
    return this.#level.status
  }

  /** What it can do: among it, keeping what was written. */
  get supports(): { readonly permanence?: boolean } {
    return this.#level.supports
  }

  /** Opens the database, with its directory. */
  async open(): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 })
    await chmod(this.#path, 0o700)
    await this.#level.open()
    await this.#restrict()
  }

  /** Closes the database. */
  async close(): Promise<void> {
    this.#broken = false
    const opened = this.#level.status === "open"
    await this.#level.close()
    if (opened) await this.#restrict()
  }

  /** Makes the files their owner's alone; LevelDB may remove one meanwhile. */
  async #restrict(): Promise<void> {
    for (const file of await readdir(this.#path)) {
      await chmod(join(this.#path, file), 0o600).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error
      })
    }
  }

  /**
   * Opens the database again after a failed write. The log may then end in half a record, and what
   * is appended behind that would be lost at the next start, although it was synced.
   */
  async #mend(): Promise<void> {
    if (!this.#broken) return
    this.#mending ??= this.#level
      .close()
      .then(() => this.#level.open())
      .then(() => {
        this.#broken = false
      })
      .finally(() => {
        this.#mending = null
      })
    await this.#mending
  }

  /** The value at `key`. */
  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#mend()
    return this.#level.get(key)
  }

  /** The values at the keys, in their order. */
  async getMany(keys: string[]): Promise<(Uint8Array | undefined)[]> {
    await this.#mend()
    return this.#level.getMany(keys)
  }

  /**
   * Writes all changes or none; with `sync` they are on disk when it resolves. A chained batch
   * costs a third of an array, of which abstract-level clones every operation.
   */
  async batch(changes: Change[], { sync }: Options): Promise<void> {
    await this.#mend()
    const batch = this.#level.batch()
    try {
      for (const change of changes) {
        if (change.type === "put") batch.put(change.key, change.value)
        else batch.del(change.key)
      }
      await batch.write({ sync })
    } catch (error) {
      this.#broken = true
      await batch.close()
      throw error
    }
  }

  /** Rows in key order. */
  async *iterator(
    range: Parameters<Database["iterator"]>[0],
  ): AsyncGenerator<[string, Uint8Array]> {
    await this.#mend()
    yield* this.#level.iterator(range)
  }

  /** Drops what replaced and deleted rows of a range still occupy. */
  compactRange(start: string, end: string): Promise<void> {
    return this.#level.compactRange(start, end)
  }
}
