// A cluster of hubs: the rows of one partition. All but the envelopes are in the memory of the
// owner; what counts is the log. Each record has a number and a subject of its own, and can only be
// created: an owner that is none any more finds the next number taken, and so cannot write.

import { MemoryStore } from "../../hub/memory-store.ts"
import type { MailRow, Row, Write } from "../../hub/rows.ts"
import type { HubStore, StoredRow } from "../../hub/store.ts"
import { Envelopes } from "./envelopes.ts"
import { decodeRecord, divide, encodeRecord, type LogRecord } from "./records.ts"
import {
  Conflict,
  createSurely,
  type Pause,
  type SharedLog,
  subjects,
  surely,
} from "./shared-log.ts"
import { Snapshots } from "./snapshots.ts"

/** What a partition's store is made of. */
export interface PartitionStoreOptions {
  readonly log: SharedLog
  readonly partition: number
  /** 16 random bytes that no other owner has. */
  readonly epoch: Uint8Array
  /** Called once when another owner has written: this one owns nothing any more. */
  readonly lost: () => void
  /** Waits before something is tried again; throws to give up. */
  readonly pause: Pause
  /** Records after which a snapshot is made, at the earliest; by default 512. */
  readonly snapshotRecords?: number
}

/** The rows of one partition, owned by this process. */
export class PartitionStore implements HubStore {
  readonly durable = true
  readonly whole = true
  readonly #options: PartitionStoreOptions
  #memory = new MemoryStore()
  #envelopes: Envelopes
  readonly #snapshots: Snapshots
  /** The last record, and the message of it. */
  #number = 0
  #at = 0
  /** Records of a batch that was not complete when they were read. */
  #pending: LogRecord[] = []
  #closed = false

  /** @param options - Log, partition, epoch. */
  constructor(options: PartitionStoreOptions) {
    this.#options = options
    const { log, partition, snapshotRecords } = options
    this.#envelopes = new Envelopes(log, partition)
    this.#snapshots = new Snapshots(log, partition, this.#pause, snapshotRecords)
  }

  /** Reads the partition and becomes its owner: records of the one before are refused from now. */
  async open(): Promise<void> {
    do await this.#readSnapshot()
    while (!(await this.#claim()))
    this.#snapshots.sweep(this.#envelopes)
  }

  readonly #pause: Pause = async (error) => {
    if (this.#closed) throw new Error("the partition was closed", { cause: error })
    await this.#options.pause(error)
  }

  async #readSnapshot(): Promise<void> {
    const { log, partition } = this.#options
    const { covered, at, rows } = await this.#snapshots.read()
    this.#memory = new MemoryStore()
    this.#envelopes = new Envelopes(log, partition)
    for (const [key, , record] of rows) if (record > 0) this.#envelopes.add(key, record)
    await this.#memory.write(rows.map(([key, row]): Write => [key, row]))
    this.#number = covered
    this.#at = at
    this.#pending = []
  }

  /** Becomes the owner, once all before is known; false if what was read is too old to go on. */
  async #claim(): Promise<boolean> {
    const { log, partition, epoch } = this.#options
    for (;;) {
      if (!(await this.#replay())) return false
      const number = this.#number + 1
      const claim = encodeRecord(epoch, number, true, [])
      try {
        this.#at = await createSurely(log, subjects.log(partition, number), claim, this.#pause)
        this.#number = number
        this.#pending = []
        this.#snapshots.fence(number, Math.floor(Date.now() / 1000))
        return true
      } catch (error) {
        if (!(error instanceof Conflict)) throw error
        await this.#pause(error)
      }
    }
  }

  /** Reads on; false if records are missing: a newer snapshot has made them superfluous. */
  async #replay(): Promise<boolean> {
    const { log, partition } = this.#options
    for (;;) {
      const all = subjects.log(partition, "*")
      const next = await surely(() => log.next(all, this.#at), this.#pause)
      if (next === null) return true
      const record = decodeRecord(next.data)
      if (record.number > this.#number + 1) {
        await this.#pause(new Error(`record ${this.#number + 1} of partition ${partition} is gone`))
        return false
      }
      this.#at = next.seq
      if (record.number <= this.#number) continue // one that was there before, written again
      this.#number = record.number
      if (record.writes.length === 0) this.#snapshots.fence(record.number, next.time)
      await this.#complete(record)
      this.#snapshots.count(next.data.length)
    }
  }

  /** A batch that was not completed by its owner has been accepted by nobody. */
  async #complete(record: LogRecord): Promise<void> {
    const [first] = this.#pending
    if (first && Buffer.compare(first.epoch, record.epoch) !== 0) this.#pending = []
    this.#pending.push(record)
    if (!record.last) return
    for (const { writes, number } of this.#pending) await this.#apply(writes, number)
    this.#pending = []
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#snapshots.idle
  }

  /** The row at `key`; of a message without its envelope. */
  peek(key: string): Row | null {
    return this.#memory.peek(key)
  }

  read(keys: readonly string[]): Promise<readonly (Row | null)[]> {
    return this.#memory.read(keys)
  }

  /** As the store of a hub has it; envelopes are fetched from the log. */
  async range(
    from: string,
    below: string,
    limit: number,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    const page = await this.#memory.range(from, below, limit)
    if (!from.startsWith("mail/")) return page
    const rows: StoredRow[] = []
    let bytes = 0
    for (const [key, row] of page.rows) {
      if (bytes >= maxBytes) return { rows, more: true }
      const [sender, mid, time, size] = row as MailRow
      rows.push([key, [sender, mid, time, size, await this.#envelopes.fetch(key)]])
      bytes += size
    }
    return { rows, more: page.more }
  }

  /** Appends to the log; resolves when as many replicas as have to have it do. */
  async write(writes: Iterable<Write>): Promise<void> {
    const { log, partition, epoch, lost } = this.#options
    const parts = divide(writes)
    const appended: [readonly Write[], number][] = []
    for (const [i, part] of parts.entries()) {
      const number = this.#number + 1
      const record = encodeRecord(epoch, number, i === parts.length - 1, part.rows)
      try {
        if (this.#closed) throw new Error("the partition was closed")
        this.#at = await createSurely(log, subjects.log(partition, number), record, this.#pause)
      } catch (error) {
        this.#closed = true
        lost()
        throw error
      }
      this.#number = number
      appended.push([part.writes, number])
      this.#snapshots.count(record.length)
    }
    for (const [rows, number] of appended) await this.#apply(rows, number)
    const place = { covered: this.#number, at: this.#at }
    this.#snapshots.makeIfDue(place, this.#memory, this.#envelopes)
  }

  async #apply(writes: readonly Write[], number: number): Promise<void> {
    if (writes.length === 0) return
    const light = writes.map(([key, row]): Write => {
      if (!key.startsWith("mail/")) return [key, row]
      if (row === null) this.#envelopes.remove(key)
      else this.#envelopes.add(key, number)
      return [key, row && withoutEnvelope(row as MailRow)]
    })
    this.#envelopes.wrote(number)
    await this.#memory.write(light)
  }
}

const EMPTY = new Uint8Array(0)

function withoutEnvelope([from, mid, time, size]: MailRow): MailRow {
  return [from, mid, time, size, EMPTY]
}
