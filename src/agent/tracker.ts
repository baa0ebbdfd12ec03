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

/** Deliveries that are followed at most; older ones stop changing. */
const MAX_TRACKED = 100_000

interface Waiter {
  readonly state: DeliveryState
  resolve(): void
  reject(error: AgentMeshError): void
}

/** What {@link Agent.send} resolves to: follows one content to one recipient. */
export class Delivery {
  /** 32 hex digits; what the recipient sees as `message.id`. */
  readonly id: string
  /** Name of the recipient. */
  readonly to: string
  #state: DeliveryState = "queued"
  readonly #environment: Environment
  #waiters: Waiter[] = []

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
      this.#waiters.push({
        state,
        resolve: () => {
          cancel()
          resolve()
        },
        reject: (error) => {
          cancel()
          reject(error)
        },
      })
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

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Begins to follow a content. */
  track(id: string, to: string): Delivery {
    const delivery = new Delivery(id, to, this.#environment)
    this.#deliveries.set(`${to}/${id}`, delivery)
    if (this.#deliveries.size > MAX_TRACKED) {
      const [oldest] = this.#deliveries.keys()
      this.#deliveries.delete(oldest as string)
    }
    return delivery
  }

  /** Moves a content on; whether that is news of one that is followed (AGENT-58). */
  advance(id: string, to: string, state: DeliveryState): boolean {
    const key = `${to}/${id}`
    const news = this.#deliveries.get(key)?.advance(state) ?? false
    if (RANK[state] >= RANK.processed) this.#deliveries.delete(key)
    return news
  }
}
