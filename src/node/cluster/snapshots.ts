// A cluster of hubs: snapshots of one partition. The one that covers most counts, whoever wrote it
// and when: each is what the log says up to its number. So a late one of a former owner harms nobody.

import type { Bodies } from "./bodies.ts"
import type { PartitionRows } from "./partition-rows.ts"
import {
  decodeManifest,
  decodeSnapshot,
  encodeManifest,
  encodeSnapshot,
  type Fence,
  type KeptRow,
  type Manifest,
  type SavedRow,
} from "./records.ts"
import {
  createSurely,
  numberOf,
  type Pause,
  type SharedLog,
  subjects,
  surely,
} from "./shared-log.ts"

/** A snapshot is made after so many records or bytes of them, and as many bytes as the one before. */
const RECORDS = 512
const BYTES = 16_777_216
/** After so many snapshots all records are looked through for those that were left over. */
const THOROUGH = 16
/** First records of owners stay for so many seconds, and so many of them in any case. */
const FENCE_SECONDS = 86_400
const FENCES = 64

/** Reads and makes snapshots of one partition, and erases what they make superfluous. */
export class Snapshots {
  readonly #log: SharedLog
  readonly #partition: number
  readonly #pause: Pause
  readonly #least: number
  /** First records of owners: a former owner that writes on finds its next number taken by one. */
  #fences: Fence[] = []
  #covered = 0
  #size = 0
  #records = 0
  #bytes = 0
  #made = 0
  /** Settles when nothing is being written. */
  idle: Promise<void> | null = null

  constructor(log: SharedLog, partition: number, pause: Pause, least: number = RECORDS) {
    this.#log = log
    this.#partition = partition
    this.#pause = pause
    this.#least = least
  }

  /** A record has been written or read. */
  count(bytes: number): void {
    this.#records++
    this.#bytes += bytes
  }

  /** An owner has begun with this record. */
  fence(number: number, time: number): void {
    this.#fences.push([number, time])
  }

  /** Reads the snapshot that covers most. */
  read(): Promise<Pick<Manifest, "covered" | "at"> & { readonly rows: readonly SavedRow[] }> {
    return surely(async () => {
      const newest = Math.max(0, ...(await this.#numbers(subjects.manifest)))
      const stored =
        newest === 0 ? null : await this.#log.last(subjects.manifest(this.#partition, newest))
      if (newest > 0 && stored === null) throw new Error("the snapshot has just been replaced")
      const { covered, at, chunks, fences } =
        stored === null
          ? { covered: 0, at: 0, chunks: [], fences: [] }
          : decodeManifest(stored.data)
      const rows: SavedRow[] = []
      this.#size = 0
      for (const seq of chunks) {
        const chunk = await this.#log.get(seq)
        this.#size += chunk.length
        for (const row of decodeSnapshot(chunk)) rows.push(row)
      }
      this.#covered = covered
      this.#fences = [...fences]
      this.#records = 0
      this.#bytes = 0
      return { covered, at, rows }
    }, this.#pause)
  }

  async #numbers(of: (partition: number, number: "*") => string): Promise<number[]> {
    return (await this.#log.subjects(of(this.#partition, "*"))).map(numberOf)
  }

  /** Makes a snapshot of the rows as they are now, in the background, if it is time for one. */
  makeIfDue(place: Pick<Manifest, "covered" | "at">, rows: PartitionRows): void {
    const due = this.#records >= this.#least || this.#bytes >= BYTES
    if (!due || this.#bytes < this.#size || this.idle !== null) return
    const kept = [...rows.kept()]
    this.#records = 0
    this.#bytes = 0
    this.#background(() => this.#make(place, kept, rows.bodies))
  }

  /** Erases what the newest snapshot makes superfluous, in the background. */
  sweep(bodies: Bodies): void {
    if (this.idle === null) this.#background(() => this.#sweep(bodies))
  }

  #background(work: () => Promise<void>): void {
    this.idle = work()
      .catch(() => undefined) // what is left over costs space alone; the next one covers more
      .finally(() => {
        this.idle = null
      })
  }

  async #make(
    { covered, at }: Pick<Manifest, "covered" | "at">,
    rows: readonly KeptRow[],
    bodies: Bodies,
  ): Promise<void> {
    const now = Math.floor(Date.now() / 1000)
    this.#fences = this.#fences.filter(
      ([, time], i, all) => time + FENCE_SECONDS > now || i >= all.length - FENCES,
    )
    const fences = this.#fences // none begins as long as this one is the owner
    const chunks: number[] = []
    let size = 0
    for (const chunk of encodeSnapshot(rows)) {
      chunks.push(await this.#log.append(subjects.snapshot(this.#partition, covered), chunk))
      size += chunk.length
    }
    const manifest = encodeManifest({ covered, at, chunks, fences })
    await createSurely(
      this.#log,
      subjects.manifest(this.#partition, covered),
      manifest,
      this.#pause,
    )
    this.#covered = covered
    this.#size = size
    await this.#sweep(bodies)
  }

  /** Nothing is erased but what is covered by a snapshot that is there. */
  async #sweep(bodies: Bodies): Promise<void> {
    const covered = this.#covered
    if (covered === 0) return
    for (const kind of [subjects.manifest, subjects.snapshot]) {
      for (const number of await this.#numbers(kind)) {
        if (number < covered) await this.#log.erase(kind(this.#partition, number))
      }
    }
    bodies.cover(covered)
    if (this.#made++ % THOROUGH > 0) return
    const fences = new Set(this.#fences.map(([number]) => number))
    for (const number of await this.#numbers(subjects.log)) {
      if (bodies.wants(number) || fences.has(number)) continue
      await this.#log.erase(subjects.log(this.#partition, number))
    }
  }
}
