// An environment whose clock moves only when a test says so.

import type { Environment } from "../../src/environment.ts"
import { osDraw } from "../../src/suite.ts"

interface Timer {
  readonly at: number
  readonly action: () => void
}

/** A clock that stands still until it is advanced; timers run in order of their time. */
export class TestClock implements Environment {
  readonly draw = osDraw
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(seconds: number = 1_800_000_000) {
    this.#now = seconds * 1000
  }

  now(): number {
    return this.#now
  }

  /** Unix time in seconds. */
  get seconds(): number {
    return Math.floor(this.#now / 1000)
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Sets the clock without running timers, as a broken clock would. */
  set(seconds: number): void {
    this.#now = seconds * 1000
  }

  /** Moves the clock, timer by timer; between two timers everything else comes to rest. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds * 1000
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end)
      const next = due.sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.action()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** Lets everything that waits for microtasks and immediate callbacks happen. */
export async function settle(rounds: number = 12): Promise<void> {
  for (let i = 0; i < rounds; i++) await new Promise((resolve) => setImmediate(resolve))
}
