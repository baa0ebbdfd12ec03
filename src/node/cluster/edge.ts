// A cluster of hubs: a connection of an agent here, whose requests are decided elsewhere. It
// authenticates the agent, sends each request to the owner of the rows that it is about, and answers
// in the order of the requests (HUB-13).

import type { Environment } from "../../environment.ts"
import { type HubSettings, retryAfterFor } from "../../hub/decision.ts"
import {
  decodeFrame,
  encodeError,
  encodeReply,
  FRAME,
  type HubErrorCode,
} from "../../hub/frames.ts"
import {
  failed,
  type LinkState,
  type LinkStep,
  NEW_LINK,
  readyLink,
  receiveFrame,
} from "../../hub/link.ts"
import type { Asked } from "../../hub/machine.ts"
import type { HubLink, Transport } from "../../hub/runtime-link.ts"
import type { Peer } from "../../identity.ts"
import type { EdgeMessage } from "./messages.ts"
import { type Pending, PendingRequests } from "./pending.ts"
import type { Route } from "./routes.ts"

/** Bytes that are passed on before the owner is told. */
const REPORT = 65_536

/** Milliseconds until an owner is looked for again. */
const RETRY = 200

/** What an edge needs of its hub. */
export interface EdgeHost {
  readonly environment: Environment
  readonly settings: HubSettings
  partitionOf(name: string): number
  /** Calls `then` when it is known who owns the partition, now or soon; null if it stays unknown. */
  route(partition: number, then: (route: Route | null) => void): void
  /** Whether other hubs count on this one. */
  readonly valid: boolean
  /** One page of names of all partitions. */
  names(after: string): Promise<readonly string[] | null>
  send(route: Route, message: EdgeMessage, link: number): void
  counted(what: "frames" | "errors"): void
  forget(edge: Edge): void
}

/** One connection of an agent at a hub of a cluster. */
export class Edge implements HubLink {
  readonly number: number
  readonly #transport: Transport
  readonly #host: EdgeHost
  #state: LinkState = NEW_LINK
  readonly #pending: PendingRequests
  /** The owners that know of this connection. */
  readonly #routes = new Map<number, Route>()
  #peer: Peer | null = null
  #home: number | null = null
  /** When it authenticated, in milliseconds of this hub's clock. */
  #since = 0
  #gone = false
  #received = 0
  #reported = 0

  /** @param number - Of this connection, here. */
  constructor(number: number, transport: Transport, host: EdgeHost) {
    this.number = number
    this.#transport = transport
    this.#host = host
    this.#pending = new PendingRequests((frame, close) => {
      transport.send(frame)
      if (close) this.close()
    })
  }

  get waiting(): number {
    return this.#pending.count
  }

  get waitingBytes(): number {
    return this.#pending.bytes
  }

  get name(): string | null {
    return this.#state.phase === "ready" ? this.#state.peer.name : null
  }

  receive(frame: Uint8Array): void {
    this.#host.counted("frames")
    const { environment, settings } = this.#host
    let step: LinkStep
    try {
      step = receiveFrame(this.#state, frame, settings, this.#now(), environment.draw)
    } catch {
      step = failed(this.#state, "hub/internal")
    }
    this.#take(step, frame)
  }

  fault(code: HubErrorCode): void {
    this.#take(failed(this.#state, code), new Uint8Array(0))
  }

  #now(): number {
    return Math.floor(this.#host.environment.now() / 1000)
  }

  #take(step: LinkStep, frame: Uint8Array): void {
    this.#state = step.state
    if (step.send !== undefined) this.#transport.send(step.send)
    if (step.asked === undefined) {
      if (!step.close) return
      this.#host.counted("errors")
      this.close()
      return
    }
    const { asked, rid = 0, close = false } = step
    if (asked.type === "bind") {
      if (step.state.phase !== "binding") return
      this.#peer = step.state.peer
      this.#since = this.#host.environment.now()
      this.#goHome(this.#peer)
      return
    }
    this.#ask(asked, frame, this.#pending.add(rid, frame.length, close))
  }

  /** Asks the owner of the agent's own rows to send its mail here. */
  #goHome(peer: Peer): void {
    if (this.#gone) return
    if (!this.#host.valid) {
      // This process may have been stopped: the agent may be connected elsewhere by now.
      this.#transport.send(encodeError(0, "hub/internal", 1))
      this.close()
      return
    }
    const home = this.#host.partitionOf(peer.name)
    this.#home = home
    this.#host.route(home, (route) => {
      if (this.#state.phase !== "binding") return
      if (route === null) {
        this.#transport.send(encodeError(0, "hub/internal", 1))
        this.close()
        return
      }
      this.#routes.set(home, route)
      this.#host.send(route, ["home", peer.name, peer.ik, this.#since], this.number)
    })
  }

  #ask(asked: Asked, frame: Uint8Array, pending: Pending): void {
    const { rid } = pending
    if (asked.type === "refuse") {
      this.#host.counted("errors")
      this.#answer(pending, encodeError(rid, asked.code, retryAfterFor(asked.code)))
    } else if (asked.type === "list") {
      pending.after = asked.after
      this.#list()
    } else if (asked.type !== "bind") {
      const peer = this.#peer as Peer
      const name =
        asked.type === "send" ? asked.to : asked.type === "getBundle" ? asked.name : peer.name
      this.#forward(this.#host.partitionOf(name), peer, frame, pending)
    }
  }

  /** A page of names is read once all before it has been answered: it shows what that has done. */
  #list(): void {
    const list = this.#pending.takeList()
    if (list === null) return
    const { pending, after } = list
    this.#host.names(after).then(
      (names) => this.#answer(pending, names && encodeReply(pending.rid, names)),
      () => this.#answer(pending, null),
    )
  }

  #forward(partition: number, peer: Peer, frame: Uint8Array, pending: Pending): void {
    pending.partition = partition
    this.#host.route(partition, (route) => {
      if (this.#gone) return
      if (route === null) this.#answer(pending, null)
      else {
        this.#routes.set(partition, route)
        this.#host.send(route, ["ask", peer.name, peer.ik, frame], this.number)
      }
    })
  }

  #answer(pending: Pending, frame: Uint8Array | null): void {
    this.#pending.answer(pending, frame)
    this.#list()
    this.#transport.answered?.()
  }

  /** A frame of an owner. */
  deliver(partition: number, epoch: number, frame: Uint8Array): void {
    const route = this.#routes.get(partition)
    if (this.#gone || route?.epoch !== epoch) return
    const [type, rid] = decodeFrame(frame)
    if (rid !== 0 && (type === FRAME.reply || type === FRAME.error)) {
      if (type === FRAME.error) this.#host.counted("errors")
      const pending = this.#pending.find(partition, rid as number)
      if (pending !== undefined) this.#answer(pending, frame)
      this.#count(route, frame.length)
      return
    }
    if (type === FRAME.ready && this.#state.phase === "binding") {
      this.#state = readyLink(this.#state.peer, this.#host.settings, this.#now())
    }
    this.#transport.send(frame)
    if (type === FRAME.error) {
      this.#host.counted("errors")
      this.close() // what is no answer is the last: replaced, or not admitted
    } else this.#count(route, frame.length)
  }

  #count(route: Route, bytes: number): void {
    if (route.partition !== this.#home) return
    this.#received += bytes
    if (this.#received - this.#reported >= REPORT && this.#transport.writable) this.#report()
  }

  #report(): void {
    const route = this.#home === null ? undefined : this.#routes.get(this.#home)
    if (route === undefined || this.#reported === this.#received) return
    this.#reported = this.#received
    this.#host.send(route, ["taken", this.#received], this.number)
  }

  drained(): void {
    if (this.#transport.writable) this.#report()
  }

  closed(): void {
    if (this.#gone) return
    this.#gone = true
    this.#state = { phase: "closed" }
    for (const route of this.#routes.values()) this.#host.send(route, ["gone"], this.number)
    this.#routes.clear()
    this.#pending.clear()
    this.#host.forget(this)
  }

  /** Ends the connection; the agent connects again and asks again. */
  close(): void {
    this.closed()
    this.#transport.close()
  }

  /**
   * An owner that fits is none any more, or has dropped this connection. What had been asked of it
   * may or may not have been done: then the agent connects again and asks again.
   */
  leave(fits: (route: Route) => boolean): void {
    for (const [partition, route] of this.#routes) {
      if (!fits(route)) continue
      this.#routes.delete(partition)
      if (partition === this.#home && this.#state.phase === "binding") {
        const { peer } = this.#state
        setTimeout(() => this.#goHome(peer), RETRY).unref()
        continue
      }
      if (partition !== this.#home && !this.#pending.awaits(partition)) continue
      this.close()
      return
    }
  }
}
