// A cluster of hubs: the partitions that this hub owns. It takes over what it is the heir of and hands
// over what it is not, as members come and go.

import type { Members } from "./members.ts"
import { Owner, type OwnerHost } from "./owner.ts"
import type { Routes } from "./routes.ts"
import type { SharedLog } from "./shared-log.ts"

/** Milliseconds until a partition that could not be taken over is tried again. */
const RETRY = 5_000

/** Takes what changed hands and what went wrong. */
export type ClusterLog = (entry: {
  readonly event: string
  readonly [field: string]: string | number
}) => void

/** What partitions have done. */
export interface PartitionCounters {
  routed: number
  delivered: number
  batches: number
  failures: number
}

/** The partitions owned here. */
export class Partitions {
  readonly #members: Members
  readonly #routes: Routes
  readonly #shared: SharedLog
  readonly #log: ClusterLog | undefined
  readonly #owners = new Map<number, Owner>()
  /** Partitions that are being read. */
  readonly #reading = new Map<number, Owner>()
  /** What those have done that are not owned any more. */
  readonly #past: PartitionCounters = { routed: 0, delivered: 0, batches: 0, failures: 0 }
  readonly #check: () => Promise<void>
  #stopping = false

  /** @param check - Throws if the store is not the one that this hub was started with. */
  constructor(
    members: Members,
    routes: Routes,
    shared: SharedLog,
    check: () => Promise<void>,
    log: ClusterLog | undefined,
  ) {
    this.#check = check
    this.#members = members
    this.#routes = routes
    this.#shared = shared
    this.#log = log
  }

  /** How many there are. */
  get size(): number {
    return this.#owners.size
  }

  /** What all have done, those included that are not owned any more. */
  get counters(): PartitionCounters {
    const sums = { ...this.#past }
    for (const { statistics } of this.#owners.values()) add(sums, statistics)
    return sums
  }

  /** The owner of a partition, if it is here with this epoch. */
  find(partition: number, epoch: number): Owner | null {
    const owner = this.#owners.get(partition)
    return owner?.epoch === epoch ? owner : null
  }

  /** Takes over what it is the heir of, hands over what it is not. */
  look(partitions: number, host: OwnerHost): void {
    if (this.#stopping) return
    const { id, valid, settled } = this.#members
    for (const owner of this.#owners.values()) {
      if (this.#members.heirOf(owner.partition) !== id) this.giveUp(owner, "handed-over")
      else if (!valid) this.giveUp(owner, "unheard")
    }
    for (let i = 0; settled && i < partitions; i++) {
      const free = this.#routes.of(i) === null && !this.#reading.has(i)
      if (free && this.#members.heirOf(i) === id) void this.#takeOver(i, host)
    }
  }

  async #takeOver(partition: number, host: OwnerHost): Promise<void> {
    const owner = new Owner(partition, this.#shared, host)
    this.#reading.set(partition, owner)
    const begun = performance.now()
    try {
      await this.#check()
      const records = await owner.start()
      if (this.#stopping) return await owner.stop()
      this.#owners.set(partition, owner)
      const milliseconds = Math.round(performance.now() - begun)
      this.#log?.({ event: "partition-owned", partition, records, milliseconds })
      this.#tell()
    } catch (error) {
      this.#past.failures++
      const { message } = error as Error
      this.#log?.({ event: "partition-failed", partition, message })
      await owner.stop().catch(() => undefined)
      if (!this.#stopping) await new Promise((resolve) => setTimeout(resolve, RETRY))
    } finally {
      this.#reading.delete(partition)
    }
  }

  /** Owns it no longer. */
  giveUp(owner: Owner, why: "handed-over" | "unheard" | "lost"): void {
    const { partition } = owner
    if (this.#owners.get(partition) === owner) {
      this.#owners.delete(partition)
      add(this.#past, owner.statistics)
      this.#log?.({ event: "partition-left", partition, why })
    }
    owner.stop().then(
      () => this.#tell(),
      () => this.#tell(),
    )
  }

  #tell(): void {
    this.#members.own(new Map(Array.from(this.#owners, ([i, { epoch }]) => [i, epoch])))
  }

  /** A hub is gone, or messages between it and this one were lost. */
  broken(hub: string): void {
    for (const owner of this.#owners.values()) owner.broken(hub)
  }

  /** Answers what was asked, and owns nothing any more. */
  async stop(): Promise<void> {
    this.#stopping = true
    const owners = [...this.#owners.values(), ...this.#reading.values()]
    this.#owners.clear()
    await Promise.all(owners.map((owner) => owner.stop().catch(() => undefined)))
  }
}

function add(sums: PartitionCounters, done: PartitionCounters): void {
  sums.routed += done.routed
  sums.delivered += done.delivered
  sums.batches += done.batches
  sums.failures += done.failures
}
