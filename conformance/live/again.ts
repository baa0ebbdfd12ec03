// Live cases depend on time. One that fails is performed again: a busy machine is no verdict.

import { NotApplicable } from "./hub/trial.ts"

/** Failing cases of one run that are repeated: where more fail, it is not for want of time. */
const REPEATED = 5
/** Times the patience of the first attempt. */
const PATIENT = 3

/** What came of the attempts at one case. */
export interface Attempts {
  /** What was wrong, twice; null: nothing. */
  readonly error: Error | null
  /** What was wrong the first time and was not when repeated, twice. */
  readonly unstable?: string
}

/** Repeats what fails, within bounds. */
export class Again {
  #left: number

  /** @param repeats - Whether to repeat at all. */
  constructor(repeats: boolean = true) {
    this.#left = repeats ? REPEATED : 0
  }

  /** @param attempt - Performs the case with a multiple of the usual patience. */
  async judge(attempt: (patience: number) => Promise<Error | null>): Promise<Attempts> {
    const error = await attempt(1)
    if (error === null || error instanceof NotApplicable || this.#left === 0) return { error }
    this.#left--
    for (let i = 0; i < 2; i++) {
      const again = await attempt(PATIENT)
      if (again !== null) return { error: again instanceof NotApplicable ? error : again }
    }
    return { error: null, unstable: error.message }
  }
}

/** Message of a verdict that is neither a pass nor a failure. */
export function unstableMessage(first: string): string {
  return `unstable: failed once, and passed twice when repeated with more time: ${first}`
}
