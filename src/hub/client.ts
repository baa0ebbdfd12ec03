// SPEC §11 hub: the agent's side over any transport: requests, and a connection that comes back.

import { SIGNED } from "../bundle.ts"
import type { Value } from "../encoding.ts"
import type { Environment } from "../environment.ts"
import { AgentMeshError, type ErrorCode } from "../errors.ts"
import type { OwnIdentity } from "../identity.ts"
import {
  MAX_ACKS,
  MAX_LISTED,
  MAX_NAMES,
  RECONNECT_MAX,
  RECONNECT_MIN,
  REPLY_TIMEOUT,
} from "../limits.ts"
import { bytes, decodeAs, type Shape, text, tuple, uint } from "../shape.ts"
import { sha256 } from "../suite.ts"
import { Connection, retryAfterOf } from "./connection.ts"
import { type Counts, type HubLimits, malformed, readCounts } from "./frames.ts"
import type { Hub } from "./hub.ts"
import { type DirectoryReceipt, verifyReceipt } from "./receipts.ts"
import { type Found, readFound, readNames, readNull, readUint } from "./replies.ts"
import type { Request } from "./requests.ts"

export { retryAfterOf } from "./connection.ts"
export type { Counts, HubLimits } from "./frames.ts"
export type { FrameLink, Hub, LinkEvents } from "./hub.ts"
export type { DirectoryReceipt } from "./receipts.ts"

/** What a client reports. */
export interface HubEvents {
  /** A connection is ready; also after each reconnect. `hubIk` is to be pinned. */
  ready(counts: Counts, hubIk: Uint8Array): void
  /** An envelope came; `from` is the hub's claim. It comes again until it is acknowledged. */
  deliver(mseq: number, from: string, envelope: Uint8Array): void
  /** Few one-time keys of a suite are left. */
  low(suite: number, left: number): void
  /** A connection that was ready is gone, or there will be none any more. */
  closed(error: AgentMeshError, willReconnect: boolean): void
}

/** What a client is made of. */
export interface HubClientOptions {
  readonly hub: Hub
  readonly identity: OwnIdentity
  readonly environment: Environment
  /** The hub's key from before, 32 bytes; another one is refused. */
  readonly pinnedHub: Uint8Array | null
  readonly events: HubEvents
  /** Milliseconds that a request may stay without an answer; by default 30,000. */
  readonly requestTimeout?: number
}

/** A bundle from the directory, each part as encoded `signed`. */
export interface FetchedBundle {
  readonly bundle: Uint8Array
  readonly oneTime: Uint8Array | null
  /**
   * The hub's receipt, verified against the bundle when it is read (HUB-58: accept the bundle
   * first); throws `hub/malformed`.
   */
  readonly receipt: DirectoryReceipt
}

/** After these errors a new connection would fail again, or harm another process (HUB-10, HUB-11). */
const FINAL: readonly ErrorCode[] = [
  "hub/replaced",
  "hub/auth-failed",
  "hub/name-taken",
  "hub/version",
]
const FIRST_RETRY = RECONNECT_MIN * 1_000
const LAST_RETRY = RECONNECT_MAX * 1_000

/** An agent's client of one hub. */
export class HubClient {
  readonly #options: HubClientOptions
  #connection: Connection | null = null
  #pinned: Uint8Array | null
  #limits: HubLimits | null = null
  #attempts = 0
  #cancelRetry: (() => void) | null = null
  #first: { resolve(): void; reject(error: AgentMeshError): void } | null = null
  #state: "new" | "started" | "ended" = "new"

  /** @param options - Hub, identity, pin, events. */
  constructor(options: HubClientOptions) {
    this.#options = options
    this.#pinned = options.pinnedHub
  }

  /** Whether requests can be made now. */
  get connected(): boolean {
    return this.#connection?.ready ?? false
  }

  /** The smaller of the own and the announced limits; null before the first connection. */
  get limits(): HubLimits | null {
    return this.#limits
  }

  /**
   * Connects; resolves when the first connection is ready. A connection that is lost later, and one
   * that cannot be made now, is tried again with growing pauses, except after a final error.
   *
   * @throws {@link AgentMeshError} `hub/unreachable`, `hub/malformed`, and the final ones
   * `hub/auth-failed`, `hub/name-taken`, `hub/version`, `hub/replaced`.
   */
  start(): Promise<void> {
    if (this.#state !== "new") throw new TypeError("start can be called once")
    this.#state = "started"
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject }
      this.#connect()
    })
  }

  /** Closes the connection for good; open requests are rejected with `agent/closed`. */
  async close(): Promise<void> {
    if (this.#state === "ended") return
    this.#state = "ended"
    this.#cancelRetry?.()
    const error = new AgentMeshError("agent/closed", "the client was closed")
    this.#connection?.close(error)
    this.#connection = null
    this.#first?.reject(error)
    this.#first = null
  }

  // ---- requests; each throws the hub's error, or hub/unreachable ----

  /** Publishes the own bundle. @throws `hub/bad-bundle`, `hub/bundle-stale` */
  putBundle(signed: Uint8Array): Promise<void> {
    const bundle = decodeAs(SIGNED, signed)
    return this.#ask({ type: "putBundle", bundle }, readNull)
  }

  /** Publishes one-time keys, at most 100; `drop` first deletes those at the hub. */
  putOneTime(drop: boolean, keys: readonly Uint8Array[]): Promise<number> {
    const signed = keys.map((key) => decodeAs(SIGNED, key))
    return this.#ask({ type: "putOneTime", drop, keys: signed }, readUint)
  }

  /** Fetches a bundle and perhaps a one-time key of the first suite that the bundle offers. */
  async getBundle(name: string, suites: readonly number[]): Promise<FetchedBundle> {
    const found = await this.#ask({ type: "getBundle", name, suites }, readFound)
    const now = Math.floor(this.#options.environment.now() / 1000)
    const hubIk = this.#pinned as Uint8Array
    return {
      bundle: found.bundle,
      oneTime: found.oneTime,
      get receipt() {
        return checkReceipt(found, hubIk, now)
      },
    }
  }

  /** Puts an envelope into the mailbox of `to`; resolves when the hub has it on disk. */
  send(to: string, mid: Uint8Array, envelope: Uint8Array): Promise<void> {
    return this.#ask({ type: "send", to, mid, envelope }, readNull)
  }

  /** Deletes delivered messages at the hub. */
  async ack(mseqs: readonly number[]): Promise<void> {
    const requests: Promise<void>[] = []
    for (let at = 0; at < mseqs.length; at += MAX_ACKS) {
      const some = mseqs.slice(at, at + MAX_ACKS)
      requests.push(this.#ask({ type: "ack", mseqs: some }, readNull))
    }
    await Promise.all(requests)
  }

  /**
   * All names that have a bundle, in order.
   *
   * @throws {@link AgentMeshError} `hub/malformed` if there are more than 1,000,000, or no order.
   */
  async list(): Promise<string[]> {
    const names: string[] = []
    for (;;) {
      const after = names.at(-1) ?? ""
      const page = await this.#ask({ type: "list", after }, readNames)
      const rising = page.every((name, i) => name > (page[i - 1] ?? after))
      if (!rising) throw malformed("the hub's list of names does not rise")
      names.push(...page)
      if (names.length > MAX_LISTED) throw malformed("the hub's list of names does not end")
      if (page.length < MAX_NAMES) return names
    }
  }

  /** Asks for a sign of life. */
  ping(): Promise<void> {
    return this.#ask({ type: "ping" }, readNull)
  }

  /** The own counts at the hub. */
  counts(): Promise<Counts> {
    return this.#ask({ type: "counts" }, readCounts)
  }

  #ask<T>(request: Request, read: (result: Value) => T): Promise<T> {
    if (this.#connection !== null) return this.#connection.request(request, read)
    const code = this.#state === "ended" ? "agent/closed" : "hub/unreachable"
    return Promise.reject(new AgentMeshError(code, "there is no connection to the hub"))
  }

  // ---- connections ----

  #connect(): void {
    const {
      hub,
      identity,
      environment,
      events,
      requestTimeout = REPLY_TIMEOUT * 1_000,
    } = this.#options
    let wasReady = false
    const connection: Connection = new Connection({
      ...{ hub, identity, environment, requestTimeout, pinned: this.#pinned },
      events: {
        ready: (counts, hubIk, limits) => {
          wasReady = true
          this.#attempts = 0
          this.#pinned = hubIk // HUB-8: also for the next link
          this.#limits = limits
          events.ready(counts, hubIk)
          this.#first?.resolve()
          this.#first = null
        },
        deliver: (mseq, from, envelope) => events.deliver(mseq, from, envelope),
        low: (suite, left) => events.low(suite, left),
        lost: (error) => this.#lost(error, wasReady, connection),
      },
    })
    this.#connection = connection
  }

  #lost(error: AgentMeshError, wasReady: boolean, connection: Connection): void {
    if (this.#state === "ended") return
    this.#connection = null
    const final = FINAL.includes(error.code)
    if (final) this.#state = "ended"
    else this.#retry(error, connection.cnonce)
    const first = this.#first
    this.#first = null
    first?.reject(error)
    if (wasReady || (final && first === null)) this.#options.events.closed(error, !final)
  }

  /** Tries again after 1 s, doubling to 60 s, of which up to half is left to chance (HUB-9). */
  #retry(error: AgentMeshError, nonce: Uint8Array): void {
    const pause = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#attempts++)
    // The nonce has been sent, or never will be: two of its bytes decide nothing but the pause.
    const chance = ((nonce[0] as number) * 256 + (nonce[1] as number)) / 65_536
    const wait = Math.max(pause * (1 - chance / 2), retryAfterOf(error) * 1_000)
    const { environment, hub } = this.#options
    const release = hub.hold?.()
    const cancel = environment.after(Math.ceil(wait), () => {
      this.#cancelRetry = null
      release?.()
      this.#connect()
    })
    this.#cancelRetry = (): void => {
      cancel()
      release?.()
    }
  }
}

/** `bundle-body` as far as a receipt speaks of it. */
const BUNDLE_HEAD: Shape<{ name: string; ik: Uint8Array; seq: number }> = (value) => {
  const items = Array.isArray(value) ? value.slice(1, 5) : []
  const [name, ik, , seq] = tuple(text, bytes(32), bytes(32), uint)(items)
  return { name, ik, seq }
}

function checkReceipt(found: Found, hubIk: Uint8Array, now: number): DirectoryReceipt {
  const [body] = decodeAs(SIGNED, found.bundle)
  let head: ReturnType<typeof BUNDLE_HEAD>
  try {
    head = decodeAs(BUNDLE_HEAD, body)
  } catch (error) {
    throw malformed("the hub served what is no bundle", error)
  }
  return verifyReceipt(found.receipt, { hubIk, bundle: { ...head, ref: sha256(body) }, now })
}
