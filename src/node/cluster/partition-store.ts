// A cluster of hubs: the rows of one partition. All but envelopes and one-time keys are in the memory
// of the owner; what counts is the log. Each record has a number and a subject of its own, and can
// only be created: an owner that is none any more finds the next number taken, and so cannot write.

import type { MailRow, Row, Write } from "../../hub/rows.ts"
import type { HubStore, StoredRow } from "../../hub/store.ts"
import { PartitionRows } from "./partition-rows.ts"
import { decodeRecord, divide, encodeRecord, type LogRecord } from "./records.ts"
import {
  Conflict,
  createSurely,
  Full,
  type Pause,
  type SharedLog,
  type Stored,
  subjects,
  surely,
} from "./shared-log.ts"
import { Snapshots } from "./snapshots.ts"

/** Milliseconds until a row that cannot be fetched from the log is given up. */
const PATIENCE = 5_000

/** A record, and the message that it is. */
type Placed = LogRecord & { readonly seq: number }

const END = { value: undefined, done: true } as const

/** What a partition's store is made of. */
export interface PartitionStoreOptions {
  readonly log: SharedLog
  readonly partition: number
  /** 16 random bytes that no other owner has. */
  readonly epoch: Uint8Array
  /** Called once when another owner has written: this one owns nothing any more. */
  readonly lost: () => void
  /** Called when the store has no room. */
  readonly full: (error: Error) => void
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
  #rows: PartitionRows
  readonly #snapshots: Snapshots
  /** The last record, and the message of it. */
  #number = 0
  #at = 0
  /** Records of a batch that was not complete when they were read. */
  #pending: Placed[] = []
  #closed = false
  /** Records that were read when the partition was taken over, those of the snapshot not counted. */
  replayed = 0

  /** @param options - Log, partition, epoch. */
  constructor(options: PartitionStoreOptions) {
    this.#options = options
    const { log, partition, snapshotRecords } = options
    this.#rows = new PartitionRows(log, partition)
    this.#snapshots = new Snapshots(log, partition, this.#pause, snapshotRecords)
  }

  /** Reads the partition and becomes its owner: records of the one before are refused from now. */
  async open(): Promise<void> {
    do await this.#readSnapshot()
    while (!(await this.#claim()))
    this.#snapshots.sweep(this.#rows.bodies)
  }

  readonly #pause: Pause = async (error) => {
    if (this.#closed) throw new Error("the partition was closed", { cause: error })
    await this.#options.pause(error)
  }

  async #readSnapshot(): Promise<void> {
    const { log, partition } = this.#options
    const { covered, at, rows } = await this.#snapshots.read()
    this.#rows = new PartitionRows(log, partition)
    for (const row of rows) await this.#rows.restore(row)
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
    const all = subjects.log(partition, "*")
    for (let ahead = true; ; ) {
      const next = await surely(() => log.next(all, this.#at), this.#pause)
      if (next === null) return true
      if (!(await this.#take(next))) {
        await this.#pause(new Error(`record ${this.#number + 1} of partition ${partition} is gone`))
        return false
      }
      if (ahead) ahead = await this.#scan(all)
    }
  }

  /**
   * Reads many at a time, as far as that goes: a server that is behind may lack some of them.
   *
   * @returns Whether it was of use.
   */
  async #scan(all: string): Promise<boolean> {
    const records = this.#options.log.scan(all, this.#at)[Symbol.asyncIterator]()
    try {
      for (let some = false; ; some = true) {
        const { value, done } = await records.next().catch(() => END)
        if (done || !(await this.#take(value))) return some
      }
    } finally {
      await records.return?.().catch(() => undefined)
    }
  }

  /** A record of the log; false if one before it is missing. */
  async #take({ seq, data, time }: Stored): Promise<boolean> {
    const record = decodeRecord(data)
    if (record.number > this.#number + 1) return false
    this.#at = seq
    this.replayed++
    if (record.number <= this.#number) return true // one that was there before, written again
    this.#number = record.number
    if (record.writes.length === 0) this.#snapshots.fence(record.number, time)
    await this.#complete({ ...record, seq })
    this.#snapshots.count(data.length)
    return true
  }

  /** A batch that was not completed by its owner has been accepted by nobody. */
  async #complete(record: Placed): Promise<void> {
    const [first] = this.#pending
    if (first && Buffer.compare(first.epoch, record.epoch) !== 0) this.#pending = []
    this.#pending.push(record)
    if (!record.last) return
    for (const { writes, number, seq } of this.#pending) {
      // The first record of an owner has no rows, and stays: what rows do not need is erased.
      if (writes.length > 0) await this.#rows.write(writes, number, seq)
    }
    this.#pending = []
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#snapshots.idle
  }

  /** The row at `key`, of a message without its envelope; undefined if it is a one-time key. */
  peek(key: string): Row | null | undefined {
    return this.#rows.peek(key)
  }

  async read(keys: readonly string[]): Promise<readonly (Row | null)[]> {
    const rows: (Row | null)[] = []
    for (const key of keys) {
      const row = this.#rows.peek(key)
      rows.push(row === undefined ? await this.#fetch(key) : row)
    }
    return rows
  }

  /** A row with its body; tried for a while, as servers change their leader. */
  #fetch(key: string): Promise<Row> {
    const until = performance.now() + PATIENCE
    const pause: Pause = async (error) => {
      if (performance.now() > until) throw error
      await this.#pause(error)
    }
    return surely(() => this.#rows.bodies.fetch(key), pause)
  }

  /** As the store of a hub has it; envelopes are fetched from the log. */
  async range(
    from: string,
    below: string,
    limit: number,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    const page = await this.#rows.range(from, below, limit)
    if (!from.startsWith("mail/")) return page
    const rows: StoredRow[] = []
    let bytes = 0
    for (const [key, row] of page.rows) {
      if (bytes >= maxBytes) return { rows, more: true }
      rows.push([key, await this.#fetch(key)])
      bytes += (row as MailRow)[3]
    }
    return { rows, more: page.more }
  }

  /**
   * Appends to the log; resolves when as many replicas as have to have it do.
   *
   * @throws {@link Full} if there is no room: nothing has changed, and the partition is still owned.
   */
  async write(writes: Iterable<Write>): Promise<void> {
    const { log, partition, epoch, lost } = this.#options
    const parts = divide(writes)
    const appended: [rows: readonly Write[], number: number, seq: number][] = []
    for (const [i, part] of parts.entries()) {
      const number = this.#number + 1
      const record = encodeRecord(epoch, number, i === parts.length - 1, part.rows)
      try {
        if (this.#closed) throw new Error("the partition was closed")
        const at = await createSurely(log, subjects.log(partition, number), record, this.#pause)
        // Numbers are given again: what is erased by its number could be another's.
        if (at <= this.#at) throw new Error("the store has lost what it had accepted last")
        this.#at = at
      } catch (error) {
        if (error instanceof Full && i === 0) {
          this.#options.full(error)
          throw error
        }
        // Not known, or a part of a batch: the next owner drops what was not completed.
        this.#closed = true
        lost()
        throw error
      }
      this.#number = number
      appended.push([part.writes, number, this.#at])
      this.#snapshots.count(record.length)
    }
    for (const part of appended) await this.#rows.write(...part)
    const place = { covered: this.#number, at: this.#at }
    this.#snapshots.makeIfDue(place, this.#rows)
  }
}
