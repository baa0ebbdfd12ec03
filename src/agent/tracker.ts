// SPEC §12 agent: what became of the contents that this process sent.

import type { Environment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"

/**
 * How far a content has come: durable here, at the hub, at the peer, handled by the peer's
 * handlers; or failed there, or given up here.
 */
export type DeliveryState =
  | "queued"
  | "stored"
  | "delivered"
  | "processed"
  | "failed"
  | "undelivered"

const RANK: Record<DeliveryState, number> = {
  queued: 0,
  stored: 1,
  delivered: 2,
  processed: 3,
  failed: 3,
  undelivered: 3,
}

/** How long `send` waits for the hub before it resolves as queued, milliseconds. */
const STORED_TIMEOUT = 10_000

/** Deliveries that are followed at least; older ones stop changing, so many at once. */
const TRACKED = 100_000
const DROPPED = 1_000

/** Waits for the hub; somebody else looks at the clock. */
interface Patient {
  readonly delivery: Delivery
  readonly untilMs: number
  readonly resolve: () => void
}

interface Waiter {
  readonly state: DeliveryState
  resolve(): void
  reject(error: AgentMeshError): void
}

const NONE: readonly Waiter[] = []

/** What {@link Agent.send} resolves to: follows one content to one recipient. */
export class Delivery {
  /** 32 hex digits; what the recipient sees as `message.id`. */
  readonly id: string
  /** Name of the recipient. */
  readonly to: string
  #state: DeliveryState = "queued"
  readonly #environment: Environment
  #waiters: readonly Waiter[] = NONE

  /** Made by the agent. */
  constructor(id: string, to: string, environment: Environment) {
    this.id = id
    this.to = to
    this.#environment = environment
  }

  /** How far the content has come. */
  get state(): DeliveryState {
    return this.#state
  }

  /**
   * Resolves when the content has come as far as `state`.
   *
   * `processed` needs `receipt: "processed"` in the options of `send`.
   *
   * @param timeout - Milliseconds; by default it waits as long as delivery is tried.
   * @throws {@link AgentMeshError} `agent/undelivered` if it failed, `agent/timeout`.
   */
  wait(state: "stored" | "delivered" | "processed", timeout?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const expired = () =>
        reject(new AgentMeshError("agent/timeout", `${this.to}: ${this.#state}, not ${state}`))
      const cancel =
        timeout === undefined ? () => {} : this.#environment.after(timeout, expired, true)
      const waiter = {
        state,
        resolve: () => {
          cancel()
          resolve()
        },
        reject: (error: AgentMeshError) => {
          cancel()
          reject(error)
        },
      }
      this.#waiters = [...this.#waiters, waiter]
      this.#settle()
    })
  }

  /** Moves on, never back; whether it did. */
  advance(state: DeliveryState): boolean {
    if (RANK[state] <= RANK[this.#state]) return false
    this.#state = state
    this.#settle()
    return true
  }

  #settle(): void {
    if (this.#waiters.length === 0) return
    const state = this.#state
    const failed = state === "failed" || state === "undelivered"
    this.#waiters = this.#waiters.filter((waiter) => {
      // A content that failed at the peer was delivered to it.
      const reached = state === "failed" ? waiter.state !== "processed" : !failed
      if (reached && RANK[waiter.state] <= RANK[state]) waiter.resolve()
      else if (failed) {
        const what = state === "failed" ? "refused it or failed at it" : "sent no receipt in time"
        waiter.reject(new AgentMeshError("agent/undelivered", `${this.to} ${what}`))
      } else return true
      return false
    })
  }
}

/** The deliveries of one agent. */
export class Tracker {
  readonly #environment: Environment
  readonly #deliveries = new Map<string, Delivery>()
  /** In the order of their times. */
  readonly #patients = new Map<Delivery, Patient>()
  #cancel: () => void = () => {}

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Begins to follow a content. */
  track(id: string, to: string): Delivery {
    const delivery = new Delivery(id, to, this.#environment)
    this.#deliveries.set(`${to}/${id}`, delivery)
    if (this.#deliveries.size >= TRACKED + DROPPED) {
      let left = DROPPED
      for (const oldest of this.#deliveries.keys()) {
        if (left-- === 0) break
        this.#deliveries.delete(oldest)
      }
    }
    return delivery
  }

  /**
   * Resolves when a content has left the queue, or after {@link STORED_TIMEOUT}. One timer serves
   * all that wait: a backlog has thousands.
   */
  stored(delivery: Delivery): Promise<void> {
    if (delivery.state !== "queued") return Promise.resolve()
    return new Promise((resolve) => {
      const untilMs = this.#environment.now() + STORED_TIMEOUT
      this.#patients.set(delivery, { delivery, untilMs, resolve })
      if (this.#patients.size === 1) this.#watch(STORED_TIMEOUT)
    })
  }

  #watch(ms: number): void {
    const look = (): void => {
      const now = this.#environment.now()
      for (const { delivery, untilMs } of this.#patients.values()) {
        if (untilMs > now) {
          this.#watch(untilMs - now)
          return
        }
        this.#release(delivery)
      }
    }
    this.#cancel = this.#environment.after(ms, look, true)
  }

  #release(delivery: Delivery): void {
    const patient = this.#patients.get(delivery)
    if (patient === undefined) return
    this.#patients.delete(delivery)
    patient.resolve()
    if (this.#patients.size === 0) this.#cancel()
  }

  /** Moves a content on; whether that is news of one that is followed (AGENT-58). */
  advance(id: string, to: string, state: DeliveryState): boolean {
    const key = `${to}/${id}`
    const delivery = this.#deliveries.get(key)
    const news = delivery?.advance(state) ?? false
    if (delivery && news) this.#release(delivery)
    if (RANK[state] >= RANK.processed) this.#deliveries.delete(key)
    return news
  }
}
