// A cluster of hubs: one hub of it. Any agent may connect to any hub; the rows are divided into
// partitions, each owned by one hub at a time; what counts is the log of the partition.

import { randomBytes } from "node:crypto"
import { equalBytes, toHex } from "../../bytes.ts"
import type { Environment } from "../../environment.ts"
import type { HubSettings } from "../../hub/decision.ts"
import type { HubLink, Transport } from "../../hub/runtime-link.ts"
import { ed25519Public } from "../../suite.ts"
import { Claims, foundCluster, partitionOf, readMeta } from "./bindings.ts"
import { Edge, type EdgeHost } from "./edge.ts"
import { Members } from "./members.ts"
import { addressed, type Message } from "./messages.ts"
import { NamePages } from "./name-pages.ts"
import { type OwnerHost, refuse } from "./owner.ts"
import { type ClusterLog, type PartitionCounters, Partitions } from "./partitions.ts"
import { type Route, Routes } from "./routes.ts"
import { type SharedLog, surely } from "./shared-log.ts"

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
  readonly log?: ClusterLog
}

/** What a hub of a cluster has done, and what it has. */
export interface ClusterStatistics extends Readonly<PartitionCounters> {
  readonly links: number
  readonly ready: number
  /** Frames of agents, and errors sent to them. */
  readonly frames: number
  readonly errors: number
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
  readonly #partitions: Partitions
  readonly #edges = new Map<number, Edge>()
  #edgeHost: EdgeHost | null = null
  #ownerHost: OwnerHost | null = null
  #settings: HubSettings | null = null
  #connections = 0
  #complainedAt = Number.NEGATIVE_INFINITY
  #stopping = false
  #stopBy = Number.POSITIVE_INFINITY
  readonly #counted = { frames: 0, errors: 0, failures: 0 }

  /** @param options - Shared store, environment, limits. */
  constructor(options: ClusterOptions) {
    this.#options = options
    this.#shared = options.shared
    this.#members = new Members(
      randomBytes(12).toString("hex"),
      {
        send: (subject, data) => this.#shared.send(`${this.#place}.${subject}`, data),
        listen: (subject, take) => this.#shared.listen(`${this.#place}.${subject}`, take),
      },
      {
        message: (from, message) => this.#message(from, message),
        changed: () => this.#look(),
        broken: (hub) => this.#broken(hub),
      },
      options.listen,
    )
    this.#routes = new Routes(this.#members)
    const check = (): Promise<void> => this.#check()
    this.#partitions = new Partitions(
      ...([this.#members, this.#routes, options.shared, check, options.log] as const),
    )
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
      lost: (owner) => this.#partitions.giveUp(owner, "lost"),
      full: (error) => this.#complain(error),
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
    await this.#partitions.stop()
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
    const { frames, errors } = this.#counted
    const { counters, size } = this.#partitions
    const failures = this.#counted.failures + counters.failures
    return {
      ...counters,
      frames,
      errors,
      failures,
      links: this.#edges.size,
      ready,
      partitions: size,
    }
  }

  /** Whether requests can be answered: the store answers, others hear this hub, all have owners. */
  get ready(): boolean {
    if (this.#stopping || !this.#members.valid || this.#settings === null) return false
    const { partitions } = this.#names
    return Array.from({ length: partitions }, (_, i) => i).every((i) => this.#routes.of(i) !== null)
  }

  /** Where hubs of this key meet: those of another one, on the same servers, are no members. */
  get #place(): string {
    return toHex(this.hubIk.subarray(0, 8))
  }

  /** The store may have been replaced since: what is known of it would then be wrong. */
  async #check(): Promise<void> {
    const secret = this.#settings?.key.secret
    const pause = (error: unknown): Promise<void> => this.#pause(error)
    const found = await surely(() => readMeta(this.#shared), pause)
    if (secret && found && equalBytes(found.secret, secret)) return
    throw new Error("the store is not the one that this hub was started with: start the hub again")
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

  /** Hubs have come or gone, or own other partitions. */
  #look(): void {
    if (this.#ownerHost === null || this.#stopping) return
    const { partitions } = this.#names
    this.#partitions.look(partitions, this.#ownerHost)
    this.#routes.look()
    const epochs = Array.from({ length: partitions }, (_, i) => this.#routes.of(i)?.epoch)
    const moved = ({ partition, epoch }: Route): boolean => epochs[partition] !== epoch
    for (const edge of [...this.#edges.values()]) edge.leave(moved)
  }

  #broken(hub: string): void {
    this.#partitions.broken(hub)
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
        const owner = this.#partitions.find(message[1], message[2])
        if (owner !== null) owner.take(from, message)
        else refuse(from, message, (hub, answer) => this.#members.send(hub, answer))
      }
    }
  }
}
