// A cluster of hubs: which record of the log holds the envelope of which stored message, and which
// holds none any more and can be erased.

import type { MailRow } from "../../hub/rows.ts"
import { decodeRecord } from "./records.ts"
import { type SharedLog, subjects } from "./shared-log.ts"

/** Records that were read for their envelopes lately. */
const MAX_READ = 8
/** Records that are erased at the same time, and those that wait for it at most. */
const MAX_ERASING = 4
const MAX_TO_ERASE = 16_384

/** Where the envelopes of a partition are. */
export class Envelopes {
  readonly #log: SharedLog
  readonly #partition: number
  readonly #at = new Map<string, number>()
  /** Records that are not erased, and how many envelopes of each are still wanted. */
  readonly #wanted = new Map<number, number>()
  readonly #read = new Map<number, ReadonlyMap<string, Uint8Array>>()
  readonly #toErase: number[] = []
  #erasing = 0
  #covered = 0

  constructor(log: SharedLog, partition: number) {
    this.#log = log
    this.#partition = partition
  }

  /** The record that holds the envelope of a mail row; 0 for other rows. */
  at(key: string): number {
    return this.#at.get(key) ?? 0
  }

  /** Whether a record has to stay. */
  wants(record: number): boolean {
    return record > this.#covered || (this.#wanted.get(record) ?? 0) > 0
  }

  /** A record has been written or read. */
  wrote(record: number): void {
    if (!this.#wanted.has(record)) this.#wanted.set(record, 0)
  }

  /** A mail row is stored; its envelope is in the record. */
  add(key: string, record: number): void {
    this.remove(key)
    this.#at.set(key, record)
    this.#wanted.set(record, (this.#wanted.get(record) ?? 0) + 1)
  }

  /** A mail row is gone. */
  remove(key: string): void {
    const record = this.#at.get(key)
    if (record === undefined) return
    this.#at.delete(key)
    const wanted = (this.#wanted.get(record) ?? 1) - 1
    this.#wanted.set(record, wanted)
    if (wanted === 0 && record <= this.#covered) this.#drop(record)
  }

  /** A snapshot covers the records up to this one: those without a wanted envelope are erased. */
  cover(covered: number): void {
    this.#covered = Math.max(this.#covered, covered)
    for (const [record, wanted] of this.#wanted) {
      if (wanted === 0 && record <= this.#covered) this.#drop(record)
    }
  }

  #drop(record: number): void {
    this.#wanted.delete(record)
    this.#read.delete(record)
    // What is not erased now is found by the next look through all records.
    if (this.#toErase.length < MAX_TO_ERASE) this.#toErase.push(record)
    if (this.#erasing < MAX_ERASING) void this.#erase()
  }

  async #erase(): Promise<void> {
    this.#erasing++
    for (let record = this.#toErase.pop(); record !== undefined; record = this.#toErase.pop()) {
      await this.#log.erase(subjects.log(this.#partition, record)).catch(() => undefined)
    }
    this.#erasing--
  }

  /**
   * The envelope of a mail row.
   *
   * @throws Error if the log has lost it.
   */
  async fetch(key: string): Promise<Uint8Array> {
    const record = this.at(key)
    const read = this.#read.get(record) ?? (await this.#fetchRecord(record))
    const envelope = read.get(key)
    if (envelope === undefined) throw new Error(`record ${record} of the log has lost ${key}`)
    return envelope
  }

  async #fetchRecord(record: number): Promise<ReadonlyMap<string, Uint8Array>> {
    const stored = await this.#log.last(subjects.log(this.#partition, record))
    if (stored === null) throw new Error(`record ${record} of the log is not there`)
    const read = new Map<string, Uint8Array>()
    for (const [key, row] of decodeRecord(stored.data).writes) {
      if (row !== null && key.startsWith("mail/")) read.set(key, (row as MailRow)[4])
    }
    this.#read.set(record, read)
    for (const oldest of this.#read.keys()) {
      if (this.#read.size <= MAX_READ) break
      this.#read.delete(oldest)
    }
    return read
  }
}
