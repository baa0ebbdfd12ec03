// A cluster of hubs: which message of the log holds the envelope of which stored message, and which
// holds none any more.

import type { MailRow } from "../../hub/rows.ts"
import { decodeRecord } from "./records.ts"
import type { SharedLog } from "./shared-log.ts"

/** Records that were read for their envelopes lately. */
const MAX_READ = 8

/** Where the envelopes of a partition are. */
export class Envelopes {
  readonly #log: SharedLog
  readonly #at = new Map<string, number>()
  /** Messages of the log that are not erased, and how many envelopes of each are still wanted. */
  readonly #wanted = new Map<number, number>()
  readonly #read = new Map<number, ReadonlyMap<string, Uint8Array>>()
  #covered = 0

  constructor(log: SharedLog) {
    this.#log = log
  }

  /** The first message of the log that is still wanted; null if none is. */
  get oldest(): number | null {
    let oldest: number | null = null
    for (const [seq, count] of this.#wanted) {
      if (count > 0 && (oldest === null || seq < oldest)) oldest = seq
    }
    return oldest
  }

  /** The message that holds the envelope of a mail row; 0 for other rows. */
  at(key: string): number {
    return this.#at.get(key) ?? 0
  }

  /** A message of the log has been written or read. */
  wrote(seq: number): void {
    if (!this.#wanted.has(seq)) this.#wanted.set(seq, 0)
  }

  /** A mail row is stored; its envelope is in the message `seq`. */
  add(key: string, seq: number): void {
    this.remove(key)
    this.#at.set(key, seq)
    this.#wanted.set(seq, (this.#wanted.get(seq) ?? 0) + 1)
  }

  /** A mail row is gone. */
  remove(key: string): void {
    const seq = this.#at.get(key)
    if (seq === undefined) return
    this.#at.delete(key)
    const wanted = (this.#wanted.get(seq) ?? 1) - 1
    this.#wanted.set(seq, wanted)
    if (wanted === 0 && seq < this.#covered) this.#erase(seq)
  }

  /** A snapshot covers the log up to `covered`: what holds no envelope below that is erased. */
  cover(covered: number): void {
    this.#covered = covered
    for (const [seq, wanted] of this.#wanted) {
      if (wanted === 0 && seq < covered) this.#erase(seq)
    }
  }

  #erase(seq: number): void {
    this.#wanted.delete(seq)
    this.#read.delete(seq)
    this.#log.erase(seq).catch(() => undefined) // the next snapshot erases all below the oldest
  }

  /**
   * The envelope of a mail row.
   *
   * @throws Error if the log has lost it.
   */
  async fetch(key: string): Promise<Uint8Array> {
    const seq = this.at(key)
    let read = this.#read.get(seq)
    if (read === undefined) {
      const { writes } = decodeRecord(await this.#log.get(seq))
      read = new Map(
        writes
          .filter(([name, row]) => row !== null && name.startsWith("mail/"))
          .map(([name, row]) => [name, (row as MailRow)[4]]),
      )
      this.#read.set(seq, read)
      for (const old of this.#read.keys()) {
        if (this.#read.size <= MAX_READ) break
        this.#read.delete(old)
      }
    }
    const envelope = read.get(key)
    if (envelope === undefined) throw new Error(`message ${seq} of the log has lost ${key}`)
    return envelope
  }
}
