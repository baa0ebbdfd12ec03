// Disks for agents under test: they outlive a process, and they can die at any write.

import { MemoryLevel } from "memory-level"
import type { Change, Database } from "../../src/agent/database.ts"
import { toHex } from "../../src/bytes.ts"

type Level = MemoryLevel<string, Uint8Array>
type Range = Parameters<Database["iterator"]>[0]

/** What happens at a write that a disk dies at. */
export type Death =
  /** Nothing is written, and the write is rejected. */
  | "lost"
  /** Everything is written, and nobody ever hears of it. */
  | "silent"
  /** Everything is written, and the write is rejected. */
  | "rejected"

/** Rows that survive the process which writes them. */
export class Disk {
  readonly level: Level = new MemoryLevel({ keyEncoding: "utf8", valueEncoding: "view" })
  /** Batches written so far, by all processes. */
  writes = 0

  /** All rows, as text: two equal dumps are two equal states. */
  async dump(prefix: string = ""): Promise<Map<string, string>> {
    await this.level.open()
    const rows = new Map<string, string>()
    for await (const [key, value] of this.level.iterator()) {
      if (key.startsWith(prefix)) rows.set(key, toHex(new Uint8Array(value)))
    }
    return rows
  }

  /** Replaces all rows: a snapshot that is restored. */
  async restore(rows: ReadonlyMap<string, string>): Promise<void> {
    await this.level.open()
    await this.level.clear()
    for (const [key, value] of rows) await this.level.put(key, bytesOf(value))
  }

  /** A copy with the rows of now. */
  async clone(): Promise<Disk> {
    const copy = new Disk()
    await copy.restore(await this.dump())
    return copy
  }
}

/** Keys of the rows in which two dumps differ. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].filter((key) => before.get(key) !== after.get(key))
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"))
}

/** One process's handle on a disk. */
export class Handle implements Database {
  readonly #disk: Disk
  /** Counts down; the write that makes it 0 is the last. */
  dieIn = Number.POSITIVE_INFINITY
  death: Death = "lost"
  /** Fails the next so many writes, and goes on. */
  failing = 0
  dead = false
  status = "closed"
  /** Batches of this process that were tried. */
  batches = 0
  compactions: string[] = []

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async open(): Promise<void> {
    this.#check()
    await this.#disk.level.open()
    this.status = "open"
  }

  async close(): Promise<void> {
    this.status = "closed"
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#disk.level.get(key)
  }

  async *iterator(range: Range): AsyncGenerator<[string, Uint8Array]> {
    this.#check()
    for await (const row of this.#disk.level.iterator(range)) {
      this.#check()
      yield row as [string, Uint8Array]
    }
  }

  async compactRange(start: string): Promise<void> {
    this.#check()
    this.compactions.push(start)
  }

  async batch(changes: Change[]): Promise<void> {
    this.#check()
    this.batches++
    if (this.failing > 0) {
      this.failing--
      throw new Error("no space left on device")
    }
    const last = --this.dieIn === 0
    if (last) this.dead = true
    if (!last || this.death !== "lost") {
      await this.#disk.level.batch(changes, { keyEncoding: "utf8", valueEncoding: "view" })
      this.#disk.writes++
    }
    if (!last) return
    if (this.death === "silent") await new Promise(() => {})
    throw new Error("input/output error")
  }

  #check(): void {
    if (this.dead) throw new Error("input/output error")
  }
}
