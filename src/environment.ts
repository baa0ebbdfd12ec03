// What the two runtimes (hub, agent) take from outside: clock, timers, randomness.

import { type Draw, osDraw } from "./suite.ts"

/** Clock, timers and randomness of a runtime; tests replace it to run months in seconds. */
export interface Environment {
  /** Unix time in milliseconds. */
  now(): number
  /** Calls `action` once after `ms` milliseconds; the result cancels it. */
  after(ms: number, action: () => void): () => void
  /** Source of all random values. */
  readonly draw: Draw
}

/** The environment for production. Its timers do not keep a process alive. */
export const systemEnvironment: Environment = {
  now: () => Date.now(),
  after(ms, action) {
    const timer: unknown = setTimeout(action, Math.min(ms, 0x7fff_ffff))
    if (typeof timer === "object") (timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer as number)
  },
  draw: osDraw,
}
