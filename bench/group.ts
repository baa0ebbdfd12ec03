// What a group of measurements is.

import type { Figure, Pace } from "./measure.ts"

/** A group; it runs in a process of its own, so that no other group warms or fills its heap. */
export interface Group {
  readonly name: string
  readonly what: string
  /** Whether it is run a second time on the portable backend. */
  readonly portable: boolean
  run(pace: Pace): Promise<Figure[]> | Figure[]
}

/** Tells how far a long group has come, on standard error. */
export function progress(what: string): void {
  process.stderr.write(`  ${what}\n`)
}
