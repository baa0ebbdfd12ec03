// The same attacker in symbols: which keys follow from which, by SPEC §7 and §10, without a byte.
//
// Steps alternate: step 2c is the initiator's chain c, step 2c + 1 the responder's. Root r is the
// root key before step r; key j is the secret half of the block of step j, key -1 the prekey.

import type { ModelEnd } from "./model.ts"
import type { Side } from "./schedule.ts"

export const stepOf = (side: Side, chain: number): number => 2 * chain + (side === "a" ? 0 : 1)

export class Knowledge {
  readonly #suite: number
  readonly #roots = new Set<number>()
  readonly #keys = new Set<number>()
  /** Step to the smallest n from which its chain is known. */
  readonly #chains = new Map<number, number>()
  readonly #messages = new Set<string>()

  constructor(suite: number) {
    this.#suite = suite
  }

  /** A leak of the session of one end. */
  learnSession(side: Side, end: ModelEnd): void {
    const other = side === "a" ? "b" : "a"
    const own = end.chain < 0 ? -1 : stepOf(side, end.chain)
    const received = end.received < 0 ? -1 : stepOf(other, end.received)
    this.#roots.add(Math.max(own, received) + 1)
    if (end.own) this.#keys.add(own) // -1 at a responder that has not stepped: the prekey
    if (end.chainOpen) this.#from(own, end.ns)
    if (received >= 0) this.#from(received, end.nr)
    for (const { chain, n } of end.keys) this.#messages.add(`${stepOf(other, chain)} ${n}`)
  }

  /** A leak of the responder's long-term keys and of the prekey. */
  learnPrekey(oneTimeGone: boolean): void {
    this.#keys.add(-1)
    if (!oneTimeGone) this.#roots.add(0)
  }

  #from(step: number, n: number): void {
    this.#chains.set(step, Math.min(n, this.#chains.get(step) ?? n))
  }

  /** Draws every conclusion, for steps up to `last`. */
  close(last: number): void {
    for (let step = 0; step <= last; step++) {
      const secret = this.#keys.has(step - 1) || (this.#suite === 1 && this.#keys.has(step))
      if (!this.#roots.has(step) || !secret) continue
      this.#from(step, 0)
      this.#roots.add(step + 1)
    }
  }

  opens(step: number, n: number): boolean {
    return (this.#chains.get(step) ?? n + 1) <= n || this.#messages.has(`${step} ${n}`)
  }
}
