// SPEC §11 hub: the pace of an agent. A hub refuses what comes faster than it announced.

/**
 * Never asks more than the hub's bucket allows. The hub allows twice the rate at once and fills up
 * at its own whole seconds; half of that, filled evenly, stays inside without knowing its clock.
 */
export class Pace {
  readonly #rate: number
  #tokens: number
  #at: number

  /**
   * @param rate - Announced requests per second.
   * @param now - Unix time in milliseconds.
   */
  constructor(rate: number, now: number) {
    this.#rate = rate
    this.#tokens = rate
    this.#at = now
  }

  /** Takes a token, if there is one. */
  take(now: number): boolean {
    if (now > this.#at) {
      this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#at) * this.#rate) / 1000)
    }
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Milliseconds after which to try again. */
  get wait(): number {
    return Math.max(20, Math.ceil(1000 / this.#rate))
  }
}
