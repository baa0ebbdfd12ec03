// A cluster of hubs: the rows of one partition. All but the envelopes are in the memory of the
// owner; what counts is the log. An owner that is none any more cannot write: each record is
// appended only behind the last one that the owner knows.

import { MemoryStore } from "../../hub/memory-store.ts"
import type { MailRow, Row, Write } from "../../hub/rows.ts"
import type { HubStore, StoredRow } from "../../hub/store.ts"
import { Envelopes } from "./envelopes.ts"
import {
  decodeManifest,
  decodeRecord,
  decodeSnapshot,
  divide,
  encodeManifest,
  encodeRecord,
  encodeSnapshot,
  type KeptRow,
  type LogRecord,
} from "./records.ts"
import { appendSurely, Conflict, type SharedLog, subjects, surely } from "./shared-log.ts"

/** After so many records or bytes of them a snapshot is made. */
const SNAPSHOT_RECORDS = 512
const SNAPSHOT_BYTES = 16_777_216

/** What a partition's store is made of. */
export interface PartitionStoreOptions {
  readonly log: SharedLog
  readonly partition: number
  /** 16 random bytes that no other owner has. */
  readonly epoch: Uint8Array
  /** Called once when another owner has written: this one owns nothing any more. */
  readonly lost: () => void
  /** Waits before something is tried again; throws to give up. */
  readonly pause: (error: unknown) => Promise<void>
  /** Records after which a snapshot is made. */
  readonly snapshotRecords?: number
}

/** The rows of one partition, owned by this process. */
export class PartitionStore implements HubStore {
  readonly durable = true
  readonly whole = true
  readonly #options: PartitionStoreOptions
  #memory = new MemoryStore()
  #envelopes: Envelopes
  readonly #subject: string
  /** The last message of the log. */
  #last = 0
  #number = 0
  #closed = false
  /** The newest snapshot: the message of its manifest, and what it covers. */
  #manifest = 0
  #covered = 0
  #records = 0
  #bytes = 0
  #snapshot: Promise<void> | null = null

  /** @param options - Log, partition, epoch. */
  constructor(options: PartitionStoreOptions) {
    this.#options = options
    this.#subject = subjects.log(options.partition)
    this.#envelopes = new Envelopes(options.log)
  }

  /** Reads the partition and becomes its owner: records of the one before are refused from now. */
  async open(): Promise<void> {
    do {
      await this.#readSnapshot()
      await this.#claim()
      // The owner before may have made a snapshot meanwhile, and erased what was not read yet.
    } while (!(await this.#isManifestOf(this.#manifest)))
    void this.#sweep().catch(() => undefined) // what is left over costs space alone
  }

  readonly #pause = async (error: unknown): Promise<void> => {
    if (this.#closed) throw new Error("the partition was closed", { cause: error })
    await this.#options.pause(error)
  }

  /** Becomes the owner, once all before is known. */
  async #claim(): Promise<void> {
    const { log, epoch } = this.#options
    for (;;) {
      await this.#replay()
      const claim = encodeRecord(epoch, this.#number++, true, [])
      try {
        this.#last = await appendSurely(log, this.#subject, claim, this.#last, this.#pause)
        return
      } catch (error) {
        if (!(error instanceof Conflict)) throw error
      }
    }
  }

  async #isManifestOf(seq: number): Promise<boolean> {
    const { log, partition } = this.#options
    const last = await surely(() => log.last(subjects.manifest(partition)), this.#pause)
    return (last?.seq ?? 0) === seq
  }

  async #readSnapshot(): Promise<void> {
    const { log, partition } = this.#options
    const { manifest, covered, rows } = await surely(async () => {
      const stored = await log.last(subjects.manifest(partition))
      if (stored === null) return { manifest: 0, covered: 0, rows: [] }
      const { covered, chunks } = decodeManifest(stored.data)
      const rows: KeptRow[] = []
      for (const seq of chunks) rows.push(...decodeSnapshot(await log.get(seq)))
      return { manifest: stored.seq, covered, rows }
    }, this.#pause)
    this.#memory = new MemoryStore()
    this.#envelopes = new Envelopes(log)
    for (const [key, , at] of rows) if (at > 0) this.#envelopes.add(key, at)
    await this.#memory.write(rows.map(([key, row]): Write => [key, row]))
    this.#manifest = manifest
    this.#covered = covered
    this.#last = covered
  }

  async #replay(): Promise<void> {
    let pending: { readonly epoch: string; readonly records: [LogRecord, number][] } | null = null
    for (;;) {
      const after = this.#last
      const next = await surely(() => this.#options.log.next(this.#subject, after), this.#pause)
      if (next === null) return
      const record = decodeRecord(next.data)
      const epoch = Buffer.from(record.epoch).toString("hex")
      // A batch that was not completed has been accepted by nobody.
      if (pending === null || pending.epoch !== epoch) pending = { epoch, records: [] }
      pending.records.push([record, next.seq])
      this.#last = next.seq
      if (!record.last) continue
      for (const [{ writes }, seq] of pending.records) await this.#apply(writes, seq)
      pending = null
      this.#records++
      this.#bytes += next.data.length
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#snapshot
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

  /** Appends to the log; resolves when all replicas that have to have it do. */
  async write(writes: Iterable<Write>): Promise<void> {
    const { log, epoch, lost } = this.#options
    const parts = divide(writes)
    const appended: [readonly Write[], number][] = []
    for (const [i, part] of parts.entries()) {
      const record = encodeRecord(epoch, this.#number++, i === parts.length - 1, part.rows)
      try {
        this.#last = await appendSurely(log, this.#subject, record, this.#last, this.#pause)
      } catch (error) {
        this.#closed = true
        lost()
        throw error
      }
      appended.push([part.writes, this.#last])
      this.#records++
      this.#bytes += record.length
    }
    for (const [rows, seq] of appended) await this.#apply(rows, seq)
    this.#snapshotIfDue()
  }

  async #apply(writes: readonly Write[], seq: number): Promise<void> {
    const light = writes.map(([key, row]): Write => {
      if (!key.startsWith("mail/")) return [key, row]
      if (row === null) this.#envelopes.remove(key)
      else this.#envelopes.add(key, seq)
      return [key, row && withoutEnvelope(row as MailRow)]
    })
    this.#envelopes.wrote(seq)
    await this.#memory.write(light)
  }

  #snapshotIfDue(): void {
    const { snapshotRecords = SNAPSHOT_RECORDS } = this.#options
    const due = this.#records >= snapshotRecords || this.#bytes >= SNAPSHOT_BYTES
    if (!due || this.#snapshot !== null) return
    const covered = this.#last
    const chunks = encodeSnapshot(this.#kept())
    this.#records = 0
    this.#bytes = 0
    this.#snapshot = this.#writeSnapshot(covered, chunks)
      .catch(() => undefined) // the next one covers more
      .finally(() => {
        this.#snapshot = null
      })
  }

  *#kept(): Generator<KeptRow> {
    for (const [key, row] of this.#memory.entries()) yield [key, row, this.#envelopes.at(key)]
  }

  async #writeSnapshot(covered: number, chunks: readonly Uint8Array[]): Promise<void> {
    const { log, partition } = this.#options
    const seqs: number[] = []
    for (const chunk of chunks) seqs.push(await log.append(subjects.snapshot(partition), chunk))
    const manifest = encodeManifest({ covered, chunks: seqs })
    const subject = subjects.manifest(partition)
    try {
      this.#manifest = await appendSurely(log, subject, manifest, this.#manifest, this.#pause)
    } catch (error) {
      if (error instanceof Conflict) await this.#adoptManifest()
      throw error
    }
    this.#covered = covered
    await this.#sweep()
  }

  /** The owner before has made a snapshot late. It covers less; the next one of ours replaces it. */
  async #adoptManifest(): Promise<void> {
    const { log, partition, epoch } = this.#options
    const manifest = await log.last(subjects.manifest(partition))
    const last = await log.last(this.#subject) // after the manifest: nobody has claimed before it
    const mine = last !== null && Buffer.compare(decodeRecord(last.data).epoch, epoch) === 0
    if (mine && manifest !== null) this.#manifest = manifest.seq
  }

  /** Erases what the newest snapshot makes superfluous; the last message of the log stays. */
  async #sweep(): Promise<void> {
    const { log, partition } = this.#options
    const manifest = await log.last(subjects.manifest(partition))
    if (manifest === null || manifest.seq !== this.#manifest) return
    const { chunks } = decodeManifest(manifest.data)
    await log.eraseBelow(subjects.manifest(partition), manifest.seq)
    await log.eraseBelow(subjects.snapshot(partition), chunks[0] ?? manifest.seq)
    this.#envelopes.cover(this.#covered)
    await log.eraseBelow(
      this.#subject,
      Math.min(this.#envelopes.oldest ?? this.#covered, this.#covered),
    )
  }
}

const EMPTY = new Uint8Array(0)

function withoutEnvelope([from, mid, time, size]: MailRow): MailRow {
  return [from, mid, time, size, EMPTY]
}
