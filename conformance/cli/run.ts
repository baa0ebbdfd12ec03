// run: vectors and properties against a driver, or against the reference.

import {
  type Case,
  claims,
  type Driver,
  HarnessError,
  type Hello,
  type JsonObject,
  type Reply,
} from "../driver.ts"
import { DEFAULT_SEED, PROPERTIES, runProperties } from "../property.ts"
import { runCases, summarize, tierOf } from "../runner.ts"
import type { Report, Verdict } from "../verdict.ts"
import { allCases, levels, loadRequirements, matcher, openDriver } from "./context.ts"
import { type FinishFlags, finish, Watch } from "./finish.ts"

/** Options of `run`. */
export interface RunFlags extends FinishFlags {
  readonly only: readonly string[]
  readonly tier?: number
  readonly runs: number
  /** A number, or `random`. */
  readonly seed?: number | "random"
  readonly vectors: boolean
  readonly properties: boolean
}

/** Runs what the options select; the exit code. */
export async function run(flags: RunFlags): Promise<number> {
  const requirements = loadRequirements()
  const { only, tier = 3, strict } = flags
  const matches = matcher(only)
  const seed = flags.seed === "random" ? randomSeed() : (flags.seed ?? DEFAULT_SEED)
  const cases = allCases()
  const selected = flags.vectors
    ? cases.filter((item) => matches(item) && tierOf(item) <= tier)
    : []
  const properties = flags.properties
    ? PROPERTIES.filter((item) => matches(item) && item.tier <= tier).map(({ id }) => id)
    : []
  const driver = openDriver(flags)
  const watch = new Watch(selected.length + properties.length, flags)
  let report: Report
  try {
    const chosen = new Set(selected.map(({ id }) => id))
    report = await runCases(driver, {
      ...{ cases, select: (item: Case) => chosen.has(item.id), strict },
      ...{ level: levels(requirements), onVerdict: (verdict: Verdict) => watch.see(verdict) },
    })
    const { hello, aborted } = report
    if (hello !== null && aborted === undefined && properties.length > 0) {
      report = await addProperties(report, driver, hello, properties, { ...flags, seed }, watch)
    }
  } finally {
    await driver.close?.()
  }
  return finish(report, watch, flags, requirements, {
    ...{ mode: "run", target: flags.driver ?? null, only, tier: flags.tier ?? null },
    ...{ seed: properties.length > 0 ? seed : null, runs: flags.runs, strict },
  })
}

function randomSeed(): number {
  return Math.floor(Math.random() * 0x7fff_ffff)
}

/** Runs properties and adds them to a report. */
async function addProperties(
  before: Report,
  driver: Driver,
  hello: Hello,
  only: readonly string[],
  flags: RunFlags & { readonly seed: number },
  watch: Watch,
): Promise<Report> {
  const guard = new Guard(driver, hello)
  const verdicts: Verdict[] = [...before.verdicts]
  let { aborted } = before
  try {
    await runProperties(guard, hello, {
      ...{ only, seed: flags.seed, runs: flags.runs },
      onVerdict: (verdict) => {
        const judged = guard.correct(verdict)
        verdicts.push(judged)
        watch.see(judged)
        if (guard.broken !== null) throw guard.broken
      },
    })
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error
    aborted = error.message
  }
  return summarize({
    ...{ hello, verdicts, planned: before.planned + only.length, broken: before.broken },
    ...{ strict: flags.strict, ...(aborted !== undefined && { aborted }) },
  })
}

/** Watches the operations of a property: those that are not claimed make it UNSUPPORTED. */
class Guard implements Driver {
  readonly #driver: Driver
  readonly #hello: Hello
  #unclaimed: string | null = null
  /** The driver was given up. */
  broken: HarnessError | null = null

  constructor(driver: Driver, hello: Hello) {
    this.#driver = driver
    this.#hello = hello
  }

  get log(): string {
    return this.#driver.log ?? ""
  }

  async call(op: string, args: JsonObject): Promise<Reply> {
    if (op !== "drop" && !claims(this.#hello, op)) {
      this.#unclaimed ??= op
      return { unsupported: { reason: `${op} is not claimed` } }
    }
    try {
      return await this.#driver.call(op, args)
    } catch (error) {
      if (error instanceof HarnessError) this.broken = error
      throw error
    }
  }

  correct(verdict: Verdict): Verdict {
    const op = this.#unclaimed
    this.#unclaimed = null
    if (verdict.outcome === "FAIL" && op !== null) {
      const { id, req, title, kind } = verdict
      const about = { id, req, ...(title && { title }), ...(kind && { kind }) }
      return { ...about, outcome: "UNSUPPORTED", message: `needs ${op}`, calls: 0 }
    }
    const stderr = verdict.outcome === "PASS" ? "" : this.log
    return stderr === "" ? verdict : { ...verdict, stderr }
  }
}
