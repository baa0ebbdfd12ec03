// A cluster of hubs: one hub of it. Any agent may connect to any hub; the rows are divided into
// partitions, each owned by one hub at a time; what counts is the log of the partition.

import { randomBytes } from "node:crypto"
import type { Environment } from "../../environment.ts"
import type { HubSettings } from "../../hub/decision.ts"
import type { HubLink, Transport } from "../../hub/runtime-link.ts"
import { ed25519Public } from "../../suite.ts"
import { Claims, foundCluster, partitionOf } from "./bindings.ts"
import { Edge, type EdgeHost, type EdgeMessage, type Route } from "./edge.ts"
import { Members } from "./members.ts"
import type { Message } from "./messages.ts"
import { NamePages } from "./name-pages.ts"
import { Owner, type OwnerHost, refuse } from "./owner.ts"
import { Routes } from "./routes.ts"
import type { SharedLog } from "./shared-log.ts"

/** Partitions of a new cluster. */
const PARTITIONS = 32
/** Milliseconds between tries when the store does not answer. */
const RETRY = 250
/** Milliseconds between looks whether the others are known. */
const LOOK = 20
/** Milliseconds that the store gets to answer: at the start, and when a hub stops. */
const START = 30_000
const STOP = 5_000

/** What a cluster stands on: the shared log, and a bus between hubs. */
export interface Shared extends SharedLog {
  send(subject: string, data: Uint8Array): void
  listen(subject: string, take: (data: Uint8Array) => void): void
  close(): Promise<void>
}

/** What a hub of a cluster is made of. */
export interface ClusterOptions {
  readonly shared: Shared
  readonly environment: Environment
  readonly settings: Omit<HubSettings, "key">
  /** Partitions, if the cluster is new; by default 32. */
  readonly partitions?: number
  /** Milliseconds that a new hub listens for others before it owns anything; by default 1,200. */
  readonly listen?: number | undefined
  /** Takes what changed hands and what went wrong. */
  readonly log?: (entry: {
    readonly event: string
    readonly [field: string]: string | number
  }) => void
}

/** What a hub of a cluster has done, and what it has. */
export interface ClusterStatistics extends Sums {
  readonly links: number
  readonly ready: number
  /** Partitions that it owns. */
  readonly partitions: number
}

/** One hub of a cluster. */
export class ClusterHub {
  readonly durable = true
  readonly #options: ClusterOptions
  readonly #shared: Shared
  readonly #members: Members
  readonly #routes: Routes
  readonly #claims: Claims
  readonly #names: NamePages
  readonly #owners = new Map<number, Owner>()
  /** Partitions that are being read. */
  readonly #reading = new Map<number, Owner>()
  readonly #edges = new Map<number, Edge>()
  #edgeHost: EdgeHost | null = null
  #ownerHost: OwnerHost | null = null
  #settings: HubSettings | null = null
  #connections = 0
  #complainedAt = Number.NEGATIVE_INFINITY
  #stopping = false
  #stopBy = Number.POSITIVE_INFINITY
  readonly #counted = { frames: 0, errors: 0, failures: 0, routed: 0, delivered: 0, batches: 0 }

  /** @param options - Shared store, environment, limits. */
  constructor(options: ClusterOptions) {
    this.#options = options
    this.#shared = options.shared
    this.#members = new Members(
      randomBytes(12).toString("hex"),
      options.shared,
      {
        message: (from, message) => this.#message(from, message),
        changed: () => this.#look(),
        broken: (hub) => this.#broken(hub),
      },
      options.listen,
    )
    this.#routes = new Routes(this.#members)
    this.#claims = new Claims(options.shared, (error) => this.#pause(error))
    this.#names = new NamePages(this.#routes, (hub, message) => this.#members.send(hub, message))
  }

  /** The key of the one hub that all hubs of the cluster are; once started. */
  get hubIk(): Uint8Array {
    if (this.#settings === null) throw new TypeError("the hub has not been started")
    return this.#settings.key.ik
  }

  /** Reads what the cluster was founded with, or founds it, and takes part. */
  async start(): Promise<void> {
    const { environment, settings, partitions = PARTITIONS } = this.#options
    const secret = environment.draw("identity", 32)
    const until = performance.now() + START
    const meta = await foundCluster(this.#shared, { partitions, secret }, async (cause) => {
      if (performance.now() > until) throw new Error("the store does not answer", { cause })
      await this.#pause(cause)
    })
    const key = { ik: ed25519Public(meta.secret), secret: meta.secret }
    this.#settings = { ...settings, key }
    this.#names.partitions = meta.partitions
    const send = (hub: string, message: Message): void => this.#members.send(hub, message)
    const members = this.#members
    this.#ownerHost = {
      ...{ environment, settings: this.#settings, partitions: meta.partitions, send },
      get valid() {
        return members.valid
      },
      claim: (peer) => this.#claims.claim(peer),
      lost: (owner) => this.#giveUp(owner, "lost"),
      pause: (error) => this.#pause(error),
    }
    this.#edgeHost = {
      ...{ environment, settings: this.#settings },
      partitionOf: (name) => partitionOf(name, meta.partitions),
      route: (partition, then) => this.#routes.find(partition, then),
      get valid() {
        return members.valid
      },
      names: (after) => this.#names.page(after),
      send: (route, message, link) =>
        this.#members.send(route.hub, addressed(route, message, link)),
      counted: (what) => {
        this.#counted[what]++
      },
      forget: (edge) => this.#edges.delete(edge.number),
    }
    this.#members.start()
    while (!this.#members.settled && !this.#stopping && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, LOOK))
    }
    this.#look()
  }

  /** Hands its partitions over, closes all links and the connection to the store. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    this.#stopBy = performance.now() + STOP
    const owners = [...this.#owners.values(), ...this.#reading.values()]
    this.#owners.clear()
    await Promise.all(owners.map((owner) => owner.stop().catch(() => undefined)))
    for (const edge of [...this.#edges.values()]) edge.close()
    this.#routes.stop()
    this.#members.leave()
    await this.#shared.close()
  }

  /** Accepts a link. */
  open(transport: Transport): HubLink {
    if (this.#edgeHost === null) throw new TypeError("the hub has not been started")
    const edge = new Edge(++this.#connections, transport, this.#edgeHost)
    this.#edges.set(edge.number, edge)
    if (this.#stopping) edge.close()
    return edge
  }

  /** What this hub has done: as an edge, and as the owner of partitions. */
  get statistics(): ClusterStatistics {
    let ready = 0
    for (const edge of this.#edges.values()) if (edge.name !== null) ready++
    const sums = { ...this.#counted }
    for (const { statistics } of this.#owners.values()) add(sums, statistics)
    return { ...sums, links: this.#edges.size, ready, partitions: this.#owners.size }
  }

  /** Whether requests can be answered: the store answers, others hear this hub, all have owners. */
  get ready(): boolean {
    if (this.#stopping || !this.#members.valid || this.#settings === null) return false
    const { partitions } = this.#names
    return Array.from({ length: partitions }, (_, i) => i).every((i) => this.#routes.of(i) !== null)
  }

  async #pause(error: unknown): Promise<void> {
    this.#counted.failures++
    if (performance.now() > this.#stopBy) throw error
    this.#complain(error)
    await new Promise((resolve) => setTimeout(resolve, RETRY))
  }

  /** Says what is wrong with the store, not more than once in a while. */
  #complain(error: unknown): void {
    const now = performance.now()
    if (now - this.#complainedAt < 10_000) return
    this.#complainedAt = now
    this.#options.log?.({ event: "store-failed", message: (error as Error).message })
  }

  /** Takes over what it is the heir of, hands over what it is not. */
  #look(): void {
    if (this.#settings === null || this.#stopping) return
    for (const owner of this.#owners.values()) {
      const heir = this.#members.heirOf(owner.partition)
      if (heir !== this.#members.id) this.#giveUp(owner, "handed-over")
      else if (!this.#members.valid) this.#giveUp(owner, "unheard")
    }
    for (let i = 0; i < this.#names.partitions; i++) {
      const mine = this.#members.settled && this.#members.heirOf(i) === this.#members.id
      const free = this.#routes.of(i) === null && !this.#reading.has(i)
      if (mine && free) void this.#takeOver(i)
    }
    this.#routes.look()
    const epochs = Array.from(
      { length: this.#names.partitions },
      (_, i) => this.#routes.of(i)?.epoch,
    )
    const moved = ({ partition, epoch }: Route): boolean => epochs[partition] !== epoch
    for (const edge of [...this.#edges.values()]) edge.leave(moved)
  }

  async #takeOver(partition: number): Promise<void> {
    const owner = new Owner(partition, this.#shared, this.#ownerHost as OwnerHost)
    this.#reading.set(partition, owner)
    try {
      await owner.start()
      if (this.#stopping) return await owner.stop()
      this.#owners.set(partition, owner)
      this.#options.log?.({ event: "partition-owned", partition })
      this.#tell()
    } catch (error) {
      this.#counted.failures++
      this.#options.log?.({
        event: "partition-failed",
        partition,
        message: (error as Error).message,
      })
      await owner.stop().catch(() => undefined)
    } finally {
      this.#reading.delete(partition)
    }
  }

  #giveUp(owner: Owner, why: string): void {
    const { partition } = owner
    if (this.#owners.get(partition) === owner) {
      this.#owners.delete(partition)
      add(this.#counted, owner.statistics)
      this.#options.log?.({ event: "partition-left", partition, why })
    }
    owner.stop().then(
      () => this.#tell(),
      () => this.#tell(),
    )
  }

  #tell(): void {
    this.#members.own(new Map(Array.from(this.#owners, ([i, { epoch }]) => [i, epoch])))
    this.#look()
  }

  #broken(hub: string): void {
    for (const owner of this.#owners.values()) owner.broken(hub)
    for (const edge of [...this.#edges.values()]) edge.leave((route) => route.hub === hub)
  }

  #message(from: string, message: Message): void {
    switch (message[0]) {
      case "frame":
        this.#edges.get(message[3])?.deliver(message[1], message[2], message[4])
        return
      case "end":
        this.#edges.get(message[3])?.leave(({ epoch }) => epoch === message[2])
        return
      case "names":
        this.#names.take(message[3], message[4])
        return
      case "broken":
        return
      default: {
        const owner = this.#owners.get(message[1])
        if (owner !== undefined && owner.epoch === message[2]) owner.take(from, message)
        else refuse(from, message, (hub, answer) => this.#members.send(hub, answer))
      }
    }
  }
}

/** Puts the address of the owner and the number of the link to what an edge says. */
function addressed(route: Route, message: EdgeMessage, link: number): Message {
  const { partition, epoch } = route
  const [kind, ...rest] = message
  return [kind, partition, epoch, link, ...rest] as unknown as Message
}

interface Sums {
  frames: number
  errors: number
  failures: number
  routed: number
  delivered: number
  batches: number
}

/** Adds what a partition has done; its frames and errors have been counted at the edges. */
function add(sums: Sums, { routed, delivered, batches, failures }: Owner["statistics"]): void {
  sums.routed += routed
  sums.delivered += delivered
  sums.batches += batches
  sums.failures += failures
}
