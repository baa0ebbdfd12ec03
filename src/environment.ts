// What the two runtimes (hub, agent) take from outside: clock, timers, randomness.

import { type Draw, osDraw } from "./suite.ts"

/** Clock, timers and randomness of a runtime; tests replace it to run months in seconds. */
export interface Environment {
  /** Unix time in milliseconds. */
  now(): number
  /**
   * Calls `action` once after `ms` milliseconds; the result cancels it. A timer keeps the process
   * alive only if `awaited` says that somebody waits for what it does.
   */
  after(ms: number, action: () => void, awaited?: boolean): () => void
  /** Source of all random values. */
  readonly draw: Draw
}

/** The environment for production. */
export const systemEnvironment: Environment = {
  now: () => Date.now(),
  after(ms, action, awaited = false) {
    const timer: unknown = setTimeout(action, Math.min(ms, 0x7fff_ffff))
    if (!awaited && typeof timer === "object") (timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer as number)
  },
  draw: osDraw,
}
