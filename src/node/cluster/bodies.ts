// A cluster of hubs: rows whose bodies stay in the log, because they are large and read once at most:
// envelopes and one-time keys. Here is which record holds which, and which records hold none any more
// and can be erased.

import type { Row } from "../../hub/rows.ts"
import { decodeRecord } from "./records.ts"
import { type SharedLog, subjects } from "./shared-log.ts"

/** Records that were read for their bodies lately. */
const MAX_READ = 8
/** Records that are erased at the same time, and those that wait for it at most. */
const MAX_ERASING = 4
const MAX_TO_ERASE = 16_384

/** Whether the body of a row stays in the log. */
export function staysInLog(key: string): boolean {
  return key.startsWith("mail/") || key.startsWith("one-time/")
}

/** The one-time keys of an agent and suite, ascending: number, record, number, record. */
type Group = number[]

/** The key of a group, and the number in it, of a one-time key. */
function groupOf(key: string): readonly [group: string, number: number] {
  const slash = key.lastIndexOf("/")
  return [key.slice(0, slash), Number.parseInt(key.slice(slash + 1), 16)]
}

/** The first place in the group whose number is not below `number`. */
function placeIn(group: Group, number: number): number {
  let low = 0
  let high = group.length / 2
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((group[2 * middle] as number) < number) low = middle + 1
    else high = middle
  }
  return 2 * low
}

/** Where the bodies of a partition's rows are. */
export class Bodies {
  readonly #log: SharedLog
  readonly #partition: number
  readonly #mail = new Map<string, number>()
  readonly #groups = new Map<string, Group>()
  /** Records that are not erased, and how many bodies of each are still wanted. */
  readonly #wanted = new Map<number, number>()
  /** The messages of those records that were written or read here. */
  readonly #seqs = new Map<number, number>()
  readonly #read = new Map<number, ReadonlyMap<string, Row>>()
  readonly #toErase: (readonly [record: number, seq: number | undefined])[] = []
  #erasing = 0
  #covered = 0

  constructor(log: SharedLog, partition: number) {
    this.#log = log
    this.#partition = partition
  }

  /** The record that holds the body of a row; 0 if none does. */
  at(key: string): number {
    if (!key.startsWith("one-time/")) return this.#mail.get(key) ?? 0
    const [name, number] = groupOf(key)
    const group = this.#groups.get(name)
    if (group === undefined) return 0
    const place = placeIn(group, number)
    return group[place] === number ? (group[place + 1] as number) : 0
  }

  /** All one-time keys: of each agent and suite numbers and records. */
  get groups(): Iterable<readonly [group: string, numbers: readonly number[]]> {
    return this.#groups
  }

  /** Adds a group of {@link groups}. */
  addGroup(name: string, numbers: readonly number[]): void {
    this.#groups.set(name, [...numbers])
    for (let i = 1; i < numbers.length; i += 2) this.#want(numbers[i] as number)
  }

  /** Whether a record has to stay. */
  wants(record: number): boolean {
    return record > this.#covered || (this.#wanted.get(record) ?? 0) > 0
  }

  /** A record has been written or read: the message `seq` of the log. */
  wrote(record: number, seq: number): void {
    if (!this.#wanted.has(record)) this.#wanted.set(record, 0)
    this.#seqs.set(record, seq)
  }

  #want(record: number): void {
    this.#wanted.set(record, (this.#wanted.get(record) ?? 0) + 1)
  }

  /** A row is stored; its body is in the record. */
  add(key: string, record: number): void {
    this.remove(key)
    this.#want(record)
    if (!key.startsWith("one-time/")) {
      this.#mail.set(key, record)
      return
    }
    const [name, number] = groupOf(key)
    const group = this.#groups.get(name)
    if (group === undefined) this.#groups.set(name, [number, record])
    else group.splice(placeIn(group, number), 0, number, record)
  }

  /** A row is gone. */
  remove(key: string): void {
    const record = this.at(key)
    if (record === 0) return
    if (key.startsWith("one-time/")) {
      const [name, number] = groupOf(key)
      const group = this.#groups.get(name) as Group
      group.splice(placeIn(group, number), 2)
      if (group.length === 0) this.#groups.delete(name)
    } else this.#mail.delete(key)
    const wanted = (this.#wanted.get(record) ?? 1) - 1
    this.#wanted.set(record, wanted)
    if (wanted === 0 && record <= this.#covered) this.#drop(record)
  }

  /** A snapshot covers the records up to this one: those without a wanted body are erased. */
  cover(covered: number): void {
    this.#covered = Math.max(this.#covered, covered)
    for (const [record, wanted] of this.#wanted) {
      if (wanted === 0 && record <= this.#covered) this.#drop(record)
    }
  }

  #drop(record: number): void {
    const seq = this.#seqs.get(record)
    this.#wanted.delete(record)
    this.#seqs.delete(record)
    this.#read.delete(record)
    // What is not erased now is found by the next look through all records.
    if (this.#toErase.length < MAX_TO_ERASE) this.#toErase.push([record, seq])
    if (this.#erasing < MAX_ERASING) void this.#erase()
  }

  async #erase(): Promise<void> {
    this.#erasing++
    for (let next = this.#toErase.pop(); next !== undefined; next = this.#toErase.pop()) {
      const [record, seq] = next
      await this.#log.erase(subjects.log(this.#partition, record), seq).catch(() => undefined)
    }
    this.#erasing--
  }

  /**
   * A row as it was written, with its body.
   *
   * @throws Error if the log has lost it.
   */
  async fetch(key: string): Promise<Row> {
    const record = this.at(key)
    const read = this.#read.get(record) ?? (await this.#fetchRecord(record))
    const row = read.get(key)
    if (row === undefined) throw new Error(`record ${record} of the log has lost ${key}`)
    return row
  }

  async #fetchRecord(record: number): Promise<ReadonlyMap<string, Row>> {
    const stored = await this.#log.last(subjects.log(this.#partition, record))
    if (stored === null) throw new Error(`record ${record} of the log is not there`)
    const read = new Map<string, Row>()
    for (const [key, row] of decodeRecord(stored.data).writes) {
      if (row !== null && staysInLog(key)) read.set(key, row)
    }
    this.#read.set(record, read)
    for (const oldest of this.#read.keys()) {
      if (this.#read.size <= MAX_READ) break
      this.#read.delete(oldest)
    }
    return read
  }
}
