// How a property is written down, and how one is run: generated, shrunk within bounds, recorded.

import fc from "fast-check"
import type { Driver, Hello } from "../driver.ts"
import type { Counterexample, Property } from "../property.ts"
import { toCase } from "./replay.ts"
import { Falsified, Trial } from "./trial.ts"

/** Runs of a property unless it or the caller says otherwise. */
export const RUNS = 100
/** Calls and milliseconds that shrinking may take; beyond them the best so far is reported. */
const SHRINK_CALLS = 5_000
const SHRINK_MS = 5_000

/** Requests and replies of a failing run that are shown: the last ones. */
const SHOWN = 20

/** What a property says about itself. */
export interface Spec {
  readonly id: string
  readonly title: string
  /** Requirement ids for which it can really fail, separated by spaces. */
  readonly req: string
  readonly tier: 0 | 1 | 2 | 3
  readonly needs?: readonly string[]
  readonly model?: true
  /** Runs where the caller asks for the default of 100. */
  readonly runs?: number
}

/** What the driver under test claims, for generators. */
export interface Setting {
  readonly suites: readonly (1 | 2)[]
  readonly hello: Hello
}

/** A run that failed. */
interface Failure {
  readonly error: Error
  readonly trial: Trial
}

/**
 * A property over generated inputs.
 *
 * @param input - Generator of the inputs; structure, not byte arrays.
 * @param body - Throws {@link Falsified} where the driver is wrong.
 */
export function property<T>(
  spec: Spec,
  input: (setting: Setting) => fc.Arbitrary<T>,
  body: (trial: Trial, input: T, setting: Setting) => Promise<void>,
): Property {
  const { runs: own = RUNS, req, ...about } = spec
  const check: Property["check"] = async (driver, { seed, runs, hello }) => {
    const suites = ([1, 2] as const).filter((suite) => hello.suites.includes(suite))
    const setting = { suites, hello }
    const run = new Run(driver, hello, (trial, value: T) => body(trial, value, setting))
    const numRuns = Math.max(1, Math.round((own * runs) / RUNS))
    const predicate = fc.asyncProperty(input(setting), (value) => run.once(value))
    // Few sequences are run, so none of them is made short on purpose.
    await fc.check(predicate, { seed, numRuns, unbiased: spec.model === true })
    return run.counterexample({ ...about, req: req.split(/\s+/) })
  }
  return { ...about, req: req.split(/\s+/), check }
}

class Run<T> {
  readonly #driver: Driver
  readonly #hello: Hello
  readonly #body: (trial: Trial, value: T) => Promise<void>
  #failure: Failure | null = null
  #calls = 0
  #bound = Number.POSITIVE_INFINITY
  #until = Number.POSITIVE_INFINITY

  constructor(driver: Driver, hello: Hello, body: (trial: Trial, value: T) => Promise<void>) {
    this.#driver = driver
    this.#hello = hello
    this.#body = body
  }

  /** One run. Once shrinking has used up its bounds, all that is left to try counts as passed. */
  async once(value: T): Promise<void> {
    if (this.#calls >= this.#bound || Date.now() >= this.#until) return
    const trial = new Trial(this.#driver, this.#hello, () => void this.#calls++)
    try {
      await this.#body(trial, value)
    } catch (error) {
      if (this.#failure === null) this.#limit(error as Error)
      this.#failure = { error: error as Error, trial }
      throw error
    } finally {
      await trial.end()
    }
  }

  /** A crash is not shrunk: each attempt would end the driver again. */
  #limit(error: Error): void {
    const crashed = /fault: (crash|the driver )/.test(error.message)
    this.#bound = crashed ? 0 : this.#calls + SHRINK_CALLS
    this.#until = Date.now() + SHRINK_MS
  }

  async counterexample(
    about: Pick<Property, "id" | "title" | "req" | "needs">,
  ): Promise<Counterexample | null> {
    if (this.#failure === null) return null
    const { error, trial } = this.#failure
    const { id, title, req, needs } = about
    const described = { id, title, req, ...(needs ? { needs } : {}) }
    const { case: item, shown } = await toCase(described, trial, this.#driver, this.#hello)
    const reason = error instanceof Falsified ? error.message : `${error.name}: ${error.message}`
    const note = shown ? "" : " (the saved steps alone do not show it)"
    const finding = shown ?? (error instanceof Falsified ? error.finding : {})
    const first = Math.max(0, trial.log.length - SHOWN)
    const log = trial.log.slice(first).map(({ op, args, reply }, i) => ({
      ...{ op, args, reply, step: first + i },
    }))
    return { ...finding, message: `${reason}${note}`, case: item, calls: this.#calls, log }
  }
}
