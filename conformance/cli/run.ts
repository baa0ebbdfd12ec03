// run: vectors and properties against a driver, or against the reference.

import { availableParallelism } from "node:os"
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
import { type Level, runCases, summarize, tierOf } from "../runner.ts"
import type { Report, Verdict } from "../verdict.ts"
import { allCases, levels, loadRequirements, matcher, openDriver } from "./context.ts"
import { type FinishFlags, finish, Watch } from "./finish.ts"
import { type Lane, mergeLanes, splitLanes } from "./lanes.ts"

/** Options of `run`. */
export interface RunFlags extends FinishFlags {
  readonly only: readonly string[]
  readonly tier?: number
  readonly runs: number
  /** A number, or `random`. */
  readonly seed?: number | "random"
  readonly vectors: boolean
  readonly properties: boolean
  /** Processes of the driver beside each other; by default 2, or 1 on a machine with one core. */
  readonly jobs?: number
}

/** More would wait for this process, which judges for all. */
const DEFAULT_JOBS = 2

/** Runs what the options select; the exit code. */
export async function run(flags: RunFlags): Promise<number> {
  const requirements = loadRequirements()
  const { only, tier = 3, strict } = flags
  const matches = matcher(only)
  const seed = flags.seed === "random" ? randomSeed() : (flags.seed ?? DEFAULT_SEED)
  const covers = flags.vectors ? allCases().filter(matches) : []
  const cases = covers.filter((item) => tierOf(item) <= tier)
  const properties = flags.properties
    ? PROPERTIES.filter((item) => matches(item) && item.tier <= tier)
    : []
  const watch = new Watch(cases.length + properties.length, flags)
  const lanes = splitLanes(cases, properties, jobsOf(flags))
  const settings = { ...flags, seed, level: levels(requirements) }
  const reports = await Promise.all(lanes.map((lane) => runLane(lane, settings, watch.lane())))
  return finish(mergeLanes(reports, lanes, strict), watch, flags, requirements, {
    ...{ mode: "run", target: flags.driver ?? null, only, tier: flags.tier ?? null },
    ...{ seed: properties.length > 0 ? seed : null, runs: flags.runs, strict },
  })
}

/** Processes of the driver; the reference is in this process and cannot be two. */
function jobsOf({ driver, jobs }: RunFlags): number {
  if (driver === undefined) return 1
  return jobs ?? Math.min(DEFAULT_JOBS, availableParallelism())
}

type Settings = RunFlags & { readonly seed: number; readonly level: (id: string) => Level }

/** Runs one lane against a driver of its own. */
async function runLane(
  { cases, properties }: Lane,
  settings: Settings,
  see: (verdict: Verdict) => void,
): Promise<Report> {
  const driver = openDriver(settings)
  try {
    const chosen = new Set(cases.map(({ id }) => id))
    const report = await runCases(driver, {
      ...{ cases: allCases(), select: (item: Case) => chosen.has(item.id) },
      ...{ level: settings.level, strict: settings.strict, onVerdict: see },
    })
    const { hello, aborted } = report
    if (hello === null || aborted !== undefined || properties.length === 0) return report
    const only = properties.map(({ id }) => id)
    return await addProperties(report, driver, hello, only, settings, see)
  } finally {
    await driver.close?.()
  }
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
  flags: Settings,
  see: (verdict: Verdict) => void,
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
        see(judged)
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
