// A cluster of hubs: who owns a partition, for those who cannot wait for it themselves.

import type { Members } from "./members.ts"

/** Where a partition is. */
export interface Route {
  readonly partition: number
  readonly hub: string
  readonly epoch: number
}

/**
 * Milliseconds that a request waits for an owner to be known. Agents wait 30 s for an answer
 * (AGENT-15), and after an error they wait 60 s before they ask again (AGENT-16).
 */
const PATIENCE = 25_000

interface Waiting {
  readonly partition: number
  readonly then: (route: Route | null) => void
  readonly until: number
}

/** Requests on their way to owners. */
export class Routes {
  readonly #members: Members
  #waiting: Waiting[] = []

  constructor(members: Members) {
    this.#members = members
  }

  /** Where a partition is now; null if nobody says that he owns it. */
  of(partition: number): Route | null {
    const owner = this.#members.ownerOf(partition)
    return owner && { partition, ...owner }
  }

  /** Calls `then` once the owner is known; with null if it stays unknown. */
  find(partition: number, then: (route: Route | null) => void): void {
    const behind = this.#waiting.some((item) => item.partition === partition)
    const route = behind ? null : this.of(partition) // in the order of the requests
    if (route !== null) then(route)
    else this.#waiting.push({ partition, then, until: performance.now() + PATIENCE })
  }

  /** Looks again: owners have changed, or time has passed. */
  look(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const item of waiting) {
      const route = this.of(item.partition)
      if (route !== null || item.until < performance.now()) item.then(route)
      else this.#waiting.push(item)
    }
  }

  /** Gives all up. */
  stop(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { then } of waiting) then(null)
  }
}
