// interop: implementations talk to each other, each pair in both directions.

import { HarnessError } from "../driver.ts"
import { type Party, planInterop } from "../interop.ts"
import { greet, summarize } from "../runner.ts"
import type { Verdict } from "../verdict.ts"
import { loadRequirements, matcher, openDriver, UsageError } from "./context.ts"
import { type FinishFlags, finish, Watch } from "./finish.ts"

/** Options of `interop`. */
export interface InteropFlags extends Omit<FinishFlags, "driver"> {
  readonly only: readonly string[]
  /** `name=command`; one alone talks to the reference. */
  readonly driver: readonly string[]
}

/** Runs all pairs, scripts and suites; the exit code. */
export async function runInterop(flags: InteropFlags): Promise<number> {
  const { only, strict, driver: given, ...shared } = flags
  const parties: Party[] = []
  const verdicts: Verdict[] = []
  let planned = 0
  let aborted: string | undefined
  let watch = new Watch(0, shared)
  try {
    for (const { name, command } of names(given)) {
      const driver = openDriver({ ...shared, ...(command !== null && { driver: command }) })
      const { hello, problem } = await greet(driver)
      if (hello === null) throw new HarnessError(`${name}: ${problem}`)
      parties.push({ name, driver, hello })
    }
    const plan = planInterop(parties).filter(matcher(only))
    planned = plan.length
    watch = new Watch(planned, shared)
    for (const { run } of plan) {
      const verdict = await run()
      verdicts.push(verdict)
      watch.see(verdict)
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error
    aborted = error.message
  } finally {
    for (const { driver } of parties) await driver.close?.()
  }
  const report = summarize({
    ...{ hello: null, verdicts, planned, broken: [], strict },
    ...(aborted !== undefined && { aborted }),
  })
  const target = parties.map(({ name, hello }) => `${name}: ${hello.impl.name}`).join(", ")
  const info = { mode: "interop", target, only, tier: null, seed: null, runs: null, strict }
  return finish(report, watch, { ...shared, strict }, loadRequirements(), info)
}

/** Names and commands; one alone talks to the reference (null). */
function names(given: readonly string[]): readonly { name: string; command: string | null }[] {
  const parties = given.map((text) => {
    const [, name, command] = /^([a-z][a-z0-9]*)=(.+)$/s.exec(text) ?? []
    if (!name || !command) throw new UsageError(`--driver: expected name=COMMAND, got ${text}`)
    return { name, command }
  })
  if (new Set(parties.map(({ name }) => name)).size < parties.length) {
    throw new UsageError("--driver: two drivers have one name")
  }
  if (parties.length === 0) throw new UsageError("interop needs --driver name=COMMAND")
  return parties.length > 1 ? parties : [...parties, { name: "reference", command: null }]
}
