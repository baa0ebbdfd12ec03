// SPEC §11 hub: one link at the agent: opening it, requests and their answers, pace, silence.

import type { Value } from "../encoding.ts"
import type { Environment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"
import type { OwnIdentity } from "../identity.ts"
import { PING_INTERVAL } from "../limits.ts"
import { DEFAULT_LIMITS } from "./decision.ts"
import {
  type Counts,
  decodeFrame,
  encodeHello,
  FRAME,
  frameHash,
  HUB_VERSION,
  type HubLimits,
  malformed,
  readReady,
  signAuth,
  verifyWelcome,
} from "./frames.ts"
import type { FrameLink, Hub } from "./hub.ts"
import { Pace } from "./pace.ts"
import { checkRid, readDeliver, readError, readLow } from "./replies.ts"
import { encodeRequest, type Request } from "./requests.ts"

/** What a connection reports. After `lost` nothing more comes. */
export interface ConnectionEvents {
  ready(counts: Counts, hubIk: Uint8Array, limits: HubLimits): void
  deliver(mseq: number, from: string, envelope: Uint8Array): void
  low(suite: number, left: number): void
  lost(error: AgentMeshError): void
}

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly hub: Hub
  readonly identity: OwnIdentity
  readonly environment: Environment
  /** The hub's pinned key, null before the first contact. */
  readonly pinned: Uint8Array | null
  /** Milliseconds that a request may stay without an answer. */
  readonly requestTimeout: number
  readonly events: ConnectionEvents
}

/** Milliseconds without a sent frame after which a PING goes out. */
const PING_AFTER = PING_INTERVAL * 1_000
/** The agent's own limits; where a hub announces more, these hold (HUB-56). */
const OWN_LIMITS: HubLimits = { ...DEFAULT_LIMITS, requestsPerSecond: 1_000_000 }

const retries = new WeakMap<AgentMeshError, number>()

/** Seconds that a hub asked to wait before the next try; 0 if it did not (HUB-55). */
export function retryAfterOf(error: unknown): number {
  return (error instanceof AgentMeshError && retries.get(error)) || 0
}

interface Pending {
  readonly type: Request["type"]
  readonly deadline: number
  readonly take: (result: Value) => void
  readonly reject: (error: AgentMeshError) => void
}

interface Queued {
  readonly request: Request
  readonly take: (result: Value) => void
  readonly reject: (error: AgentMeshError) => void
}

function smaller(announced: HubLimits): HubLimits {
  const limits = { ...OWN_LIMITS }
  for (const name of Object.keys(limits) as (keyof HubLimits)[]) {
    limits[name] = Math.max(1, Math.min(limits[name], announced[name]))
  }
  return limits
}

/** One link, from hello to its end. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #open = new Map<number, Pending>()
  #link: FrameLink | null = null
  #phase: "opening" | "welcome" | "ready" | "lost" = "opening"
  #hello: Uint8Array = new Uint8Array(0)
  #hubIk: Uint8Array = new Uint8Array(32)
  #limits: HubLimits = OWN_LIMITS
  #queue: Queued[] = []
  #rid = 0
  #pace = new Pace(1, 0)
  #sentAt = 0
  #wakeAt = Number.POSITIVE_INFINITY
  #cancelWake: (() => void) | null = null
  /** The nonce of this link's hello; also the source of jitter. */
  readonly cnonce: Uint8Array

  /** @param options - Hub, identity, clock, events. */
  constructor(options: ConnectionOptions) {
    this.#options = options
    this.cnonce = options.environment.draw("cnonce", 32) // HUB-2
    this.#wakeIn(options.requestTimeout)
    this.#dial(options.hub).then(
      (link) => this.#opened(link),
      (error: Error) => this.#lose(unreachable("the hub cannot be reached", error)),
    )
  }

  async #dial(hub: Hub): Promise<FrameLink> {
    return hub.open({
      frame: (bytes) => this.#frame(bytes),
      closed: (error) => {
        const known = error instanceof AgentMeshError // a length that no frame has
        this.#lose(known ? error : unreachable("the link was closed", error))
      },
    })
  }

  /** Whether requests can be made. */
  get ready(): boolean {
    return this.#phase === "ready"
  }

  /** Closes the link; open requests are rejected with `error`. */
  close(error: AgentMeshError): void {
    if (this.#phase === "lost") return
    this.#phase = "lost"
    this.#cancelWake?.()
    this.#link?.close()
    const waiting = [...this.#open.values(), ...this.#queue]
    this.#open.clear()
    this.#queue = []
    for (const request of waiting) request.reject(error)
  }

  /** Asks, and reads the result; one of another type ends the link (HUB-54). */
  request<T>(request: Request, read: (result: Value) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#phase !== "ready") {
        // HUB-3
        reject(unreachable("there is no connection to the hub"))
        return
      }
      const take = (result: Value): void => resolve(read(result))
      this.#queue.push({ request, take, reject })
      if (this.#queue.length === 1) this.#drain()
    })
  }

  #now(): number {
    return this.#options.environment.now()
  }

  #lose(error: AgentMeshError): void {
    if (this.#phase === "lost") return
    const open =
      error.code === "hub/unreachable" ? error : unreachable("the link to the hub broke", error)
    this.close(open)
    this.#options.events.lost(error)
  }

  // ---- opening ----

  #opened(link: FrameLink): void {
    if (this.#phase === "lost") {
      link.close()
      return
    }
    this.#link = link
    this.#phase = "welcome"
    this.#hello = encodeHello([HUB_VERSION], this.cnonce)
    link.send(this.#hello)
  }

  #frame(bytes: Uint8Array): void {
    if (this.#phase === "lost") return
    try {
      const frame = decodeFrame(bytes)
      if (frame[0] === FRAME.error) this.#errored(frame)
      else if (this.#phase === "welcome") this.#opening(frame, bytes)
      else this.#received(frame)
    } catch (error) {
      const known = error instanceof AgentMeshError && error.code.startsWith("hub/")
      this.#lose(known ? error : malformed("the hub sent what a hub does not send", error))
    }
  }

  #opening(frame: readonly [number, ...Value[]], bytes: Uint8Array): void {
    const { identity, hub, pinned, events } = this.#options
    if (frame[0] === FRAME.ready && this.#hello.length === 0) {
      const counts = readReady(frame)
      this.#phase = "ready"
      this.#sentAt = this.#now()
      this.#pace = new Pace(this.#limits.requestsPerSecond, this.#sentAt)
      this.#wakeIn(PING_AFTER)
      events.ready(counts, this.#hubIk, this.#limits)
      return
    }
    if (this.#hello.length === 0) throw malformed("expected READY")
    const helloHash = frameHash(this.#hello)
    const context = { helloHash, pinned, fingerprint: hub.fingerprint }
    const { hubIk, limits } = verifyWelcome(frame, context)
    this.#hello = new Uint8Array(0)
    this.#hubIk = hubIk
    this.#limits = smaller(limits)
    this.#link?.send(signAuth(identity, { helloHash, welcomeHash: frameHash(bytes), hubIk }))
  }

  // ---- answers and pushes ----

  #received(frame: readonly [number, ...Value[]]): void {
    const { events } = this.#options
    switch (frame[0]) {
      case FRAME.reply: {
        if (frame.length !== 3 || typeof frame[1] !== "number") throw malformed("no reply")
        checkRid(frame[1], 1)
        const pending = this.#open.get(frame[1])
        if (pending === undefined) return
        pending.take(frame[2] as Value)
        this.#open.delete(frame[1])
        return
      }
      case FRAME.deliver:
        events.deliver(...readDeliver(frame))
        return
      case FRAME.lowOneTime:
        events.low(...readLow(frame))
        return
      default:
        throw malformed(`a hub sends no frame of type ${frame[0]}`)
    }
  }

  #errored(frame: readonly [number, ...Value[]]): void {
    const { rid, code, retryAfter } = readError(frame)
    const error = new AgentMeshError(code, "the hub answered with this error")
    if (retryAfter > 0) retries.set(error, retryAfter)
    if (rid === 0 || this.#phase !== "ready") {
      this.#lose(error)
      return
    }
    const pending = this.#open.get(rid)
    this.#open.delete(rid)
    pending?.reject(error)
  }

  /** Sends what the pace allows; the rest follows. */
  #drain(): void {
    let sent = 0
    while (sent < this.#queue.length && this.#pace.take(this.#now())) {
      this.#post(this.#queue[sent++] as Queued)
    }
    this.#queue.splice(0, sent)
    if (this.#queue.length === 0) return
    this.#options.environment.after(this.#pace.wait, () => {
      if (this.#phase === "ready") this.#drain()
    })
  }

  #post({ request, take, reject }: Queued): void {
    do this.#rid = this.#rid >= 0xffff_ffff ? 1 : this.#rid + 1
    while (this.#open.has(this.#rid)) // HUB-4
    const now = this.#now()
    this.#sentAt = now
    const deadline = now + this.#options.requestTimeout
    this.#open.set(this.#rid, { type: request.type, deadline, take, reject })
    this.#link?.send(encodeRequest(this.#rid, request))
    if (deadline < this.#wakeAt) this.#wakeIn(this.#options.requestTimeout)
  }

  // ---- silence (HUB-12) ----

  #wakeIn(ms: number): void {
    this.#cancelWake?.()
    this.#wakeAt = this.#now() + ms
    this.#cancelWake = this.#options.environment.after(ms, () => this.#wake())
  }

  #wake(): void {
    const now = this.#now()
    if (this.#phase !== "ready") {
      this.#lose(unreachable("the hub did not answer"))
      return
    }
    let probe = !this.#options.hub.inProcess && now - this.#sentAt >= PING_AFTER
    for (const [rid, { type, deadline, reject }] of this.#open) {
      if (deadline > now) break
      if (type !== "send") {
        this.#lose(unreachable("the hub did not answer"))
        return
      }
      // A SEND may wait for the hub; whether the hub is there at all, a PING tells.
      this.#open.delete(rid)
      reject(unreachable("the hub did not answer"))
      probe = true
    }
    const pinging = [...this.#open.values()].some(({ type }) => type !== "send")
    if (probe && !pinging) {
      this.request({ type: "ping" }, () => undefined).catch(() => undefined)
    }
    const oldest = this.#open.values().next().value?.deadline ?? Number.POSITIVE_INFINITY
    const ping = this.#options.hub.inProcess ? Number.POSITIVE_INFINITY : this.#sentAt + PING_AFTER
    const next = Math.min(oldest, ping)
    this.#wakeAt = next
    this.#cancelWake = null
    if (next < Number.POSITIVE_INFINITY) this.#wakeIn(Math.max(1, next - now))
  }
}

function unreachable(what: string, cause?: unknown): AgentMeshError {
  return new AgentMeshError("hub/unreachable", what, cause)
}
