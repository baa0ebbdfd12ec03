// A cluster of hubs: a partition that this hub owns. The same runtime as in a hub of its own, with
// links that come from other hubs.

import { randomInt } from "node:crypto"
import { toHex } from "../../bytes.ts"
import type { Environment } from "../../environment.ts"
import { type HubSettings, retryAfterFor } from "../../hub/decision.ts"
import { encodeError, type HubErrorCode } from "../../hub/frames.ts"
import { readPage } from "../../hub/lookup.ts"
import { keyOf, type NamesRow } from "../../hub/rows.ts"
import { HubRuntime } from "../../hub/runtime.ts"
import type { RuntimeLink } from "../../hub/runtime-link.ts"
import type { Peer } from "../../identity.ts"
import type { Message } from "./messages.ts"
import { PartitionStore } from "./partition-store.ts"
import { RemoteLink } from "./remote-link.ts"
import type { SharedLog } from "./shared-log.ts"

/** Milliseconds by which what an edge says may come late. */
const MOST_DELAY = 60_000
/** An edge has counted requests already; the clocks of two hubs differ. */
const NO_RATE = 1_000_000_000

/** What a partition needs of its hub. */
export interface OwnerHost {
  readonly environment: Environment
  readonly settings: HubSettings
  readonly partitions: number
  /** Whether others still count on this hub. */
  readonly valid: boolean
  /** Binds an identity key to a name for ever; false if it has another one. */
  claim(peer: Peer): Promise<boolean>
  send(hub: string, message: Message): void
  /** Another hub owns the partition now. */
  lost(owner: Owner): void
  /** The store has no room. */
  full(error: Error): void
  /** The store did not answer; waits. */
  pause(error: unknown): Promise<void>
}

/** A connection of an agent at an edge. */
interface Place {
  readonly hub: string
  readonly number: number
  /** When it authenticated, if its mail goes there: milliseconds of the edge's clock. */
  readonly since: number | null
}

interface Remote extends Place {
  readonly link: RuntimeLink
  readonly transport: RemoteLink
  readonly peer: Peer
}

/** Only who has the same key is the same agent. */
const agentOf = ({ name, ik }: Peer): string => `${name} ${toHex(ik)}`

/** A partition that this hub owns, from {@link start} until it is lost or given up. */
export class Owner {
  readonly partition: number
  /** Another one for each owner there ever is, almost certainly; what writing depends on is longer. */
  readonly epoch: number = randomInt(1, 2 ** 48 - 1)
  readonly #host: OwnerHost
  readonly #store: PartitionStore
  readonly #runtime: HubRuntime
  /** By hub and number of the connection there. */
  readonly #links = new Map<string, Map<number, Remote>>()
  /** By agent: the link that its mail goes to. */
  readonly #homes = new Map<string, Remote>()
  /** Agents with a new name, by hub and connection: their keys are being bound to it. */
  readonly #claiming = new Map<string, object>()
  readonly #maxNames: number
  #stopped = false
  /** Whether another hub owns the partition: nothing is known any more of what failed. */
  #lost = false

  /** @param partition - Its number. */
  constructor(partition: number, log: SharedLog, host: OwnerHost) {
    this.partition = partition
    this.#host = host
    const { environment, settings, partitions } = host
    this.#store = new PartitionStore({
      ...{ log, partition, epoch: environment.draw("identity", 16) },
      full: (error) => host.full(error),
      lost: () => {
        this.#lost = true
        host.lost(this)
      },
      pause: async (error) => {
        if (this.#stopped && !host.valid) {
          this.#lost = true // it cannot be known any more
          throw error
        }
        await host.pause(error)
      },
    })
    const { limits, maxNames, key } = settings
    this.#maxNames = Math.ceil(maxNames / partitions)
    this.#runtime = new HubRuntime({
      ...{ store: this.#store, environment, secret: key.secret, schedule: setImmediate },
      settings: {
        limits: { ...limits, requestsPerSecond: NO_RATE },
        maxNames: this.#maxNames,
      },
    })
  }

  /** Counters of the partition. */
  get statistics(): HubRuntime["statistics"] & { readonly delivered: number } {
    return { ...this.#runtime.statistics, delivered: this.#runtime.delivered }
  }

  /** Reads the partition and takes it over; returns how many records it read beside the snapshot. */
  async start(): Promise<number> {
    await this.#runtime.start()
    return this.#store.replayed
  }

  /** Answers what was asked, then owns nothing any more. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await this.#runtime.stop()
  }

  /** Takes a message of an edge. */
  take(hub: string, message: Message): void {
    const [kind] = message
    if (this.#stopped || !this.#host.valid) {
      refuse(hub, message, (to, answer) => this.#host.send(to, answer))
    } else if (kind === "home") {
      const [, , , link, name, ik, since] = message
      this.#forget(hub, link)
      this.#home({ hub, number: link, since }, { name, ik })
    } else if (kind === "ask") {
      const [, , , link, name, ik, frame] = message
      const remote =
        this.#of(hub, link) ?? this.#admit({ hub, number: link, since: null }, { name, ik })
      remote.link.receive(frame)
    } else if (kind === "gone") this.#forget(hub, message[3])
    else if (kind === "taken") {
      const remote = this.#of(hub, message[3])
      remote?.transport.taken(message[4])
      remote?.link.drained()
    } else if (kind === "list") {
      const [, partition, epoch, query, after] = message
      readPage(this.#store, after).then(
        (names) => this.#host.send(hub, ["names", partition, epoch, query, names]),
        () => undefined, // the page is given up at the edge
      )
    }
  }

  #of(hub: string, link: number): Remote | undefined {
    return this.#links.get(hub)?.get(link)
  }

  /**
   * A name that is new here binds the key first: that is decided for all partitions at once. What an
   * edge has said of an older connection may come after what another has said of the present one:
   * an agent that was replaced by itself would stay away for good (HUB-10).
   */
  #home(at: Place, peer: Peer): void {
    const { hub, number } = at
    if (this.#outdated(at, peer)) {
      this.#refuse(hub, number, "hub/internal")
      return
    }
    const bound = this.#store.peek(keyOf.name(peer.name)) !== null
    const [names] = (this.#store.peek(keyOf.names) as NamesRow | null) ?? [0]
    if (bound || names >= this.#maxNames) {
      this.#admit(at, peer)
      return
    }
    const [place, claim] = [`${hub} ${number}`, {}]
    this.#claiming.set(place, claim)
    const done = (refused: HubErrorCode | null): void => {
      if (this.#claiming.get(place) !== claim) return
      this.#claiming.delete(place)
      if (this.#stopped) this.#end(hub, number)
      else if (this.#outdated(at, peer)) this.#refuse(hub, number, "hub/internal")
      else if (refused === null) this.#admit(at, peer)
      else this.#refuse(hub, number, refused)
    }
    this.#host.claim(peer).then(
      (own) => done(own ? null : "hub/auth-failed"), // HUB-30
      () => done("hub/internal"),
    )
  }

  /** Whether the agent has connected again since. More than a minute is no delay, but two clocks. */
  #outdated({ hub, number, since }: Place, peer: Peer): boolean {
    const home = this.#homes.get(agentOf(peer))
    if (home === undefined) return false
    if (home.hub === hub) return number < home.number
    const behind = Number(home.since) - Number(since)
    return behind > 0 && behind < MOST_DELAY
  }

  #refuse(hub: string, link: number, code: HubErrorCode): void {
    const error = encodeError(0, code, retryAfterFor(code))
    this.#host.send(hub, ["frame", this.partition, this.epoch, link, error])
    this.#end(hub, link)
  }

  #end(hub: string, link: number): void {
    this.#host.send(hub, ["end", this.partition, this.epoch, link])
  }

  #admit({ hub, number, since }: Place, peer: Peer): Remote {
    const { partition, epoch } = this
    const home = since !== null
    const transport = new RemoteLink(
      (frame) => {
        if (frame === null) {
          this.#end(hub, number)
          this.#remove(hub, number)
        } else if (!this.#lost) this.#host.send(hub, ["frame", partition, epoch, number, frame])
      },
      () => {
        // Of an agent that is at home elsewhere nothing is kept between its requests.
        if (!home && remote.link.waiting === 0) this.#forget(hub, number)
      },
    )
    const links = this.#links.get(hub) ?? new Map<number, Remote>()
    this.#links.set(hub, links)
    const link = this.#runtime.admit(transport, peer, home)
    const remote: Remote = { ...{ hub, number, since }, link, transport, peer }
    if (link.state.phase === "closed") return remote // refused at once
    links.set(number, remote)
    if (home) this.#homes.set(agentOf(peer), remote)
    return remote
  }

  #remove(hub: string, number: number): Remote | undefined {
    const remote = this.#of(hub, number)
    this.#links.get(hub)?.delete(number)
    if (remote === undefined) return undefined
    remote.transport.forget()
    const agent = agentOf(remote.peer)
    if (this.#homes.get(agent) === remote) this.#homes.delete(agent)
    return remote
  }

  #forget(hub: string, link: number): void {
    this.#claiming.delete(`${hub} ${link}`)
    this.#remove(hub, link)?.link.closed()
  }

  /** A hub is gone, or messages between it and this one were lost. */
  broken(hub: string): void {
    for (const place of this.#claiming.keys()) {
      if (place.startsWith(`${hub} `)) this.#claiming.delete(place)
    }
    for (const number of [...(this.#links.get(hub)?.keys() ?? [])]) this.#forget(hub, number)
    this.#links.delete(hub)
  }
}

/** Answers a message about a partition that is not owned here: the edge closes the connection. */
export function refuse(
  hub: string,
  message: Message,
  send: (hub: string, answer: Message) => void,
): void {
  const [kind] = message
  if (kind !== "home" && kind !== "ask") return
  const [, partition, epoch, link] = message
  send(hub, ["end", partition, epoch, link])
}
