// interop: implementations talk to each other, each pair in both directions.

import { HarnessError } from "../driver.ts"
import { type Party, planInterop } from "../interop.ts"
import { INTEROP_CASES, runInterop as runLive } from "../live/interop.ts"
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
    const matches = matcher(only)
    const plan = planInterop(parties).filter(matches)
    const pairs = parties.flatMap((a) => parties.map((b) => [a, b] as const))
    const live = pairs.flatMap(([a, b]) => {
      const chosen = INTEROP_CASES.map((item) => ({ ...item, id: liveId(item.id, a, b) }))
      return a === b ? [] : [{ a, b, chosen: new Set(chosen.filter(matches).map(({ id }) => id)) }]
    })
    planned = plan.length + live.reduce((sum, { chosen }) => sum + chosen.size, 0)
    watch = new Watch(planned, shared)
    const see = (verdict: Verdict): void => {
      verdicts.push(verdict)
      watch.see(verdict)
    }
    for (const { run } of plan) see(await run())
    for (const { a, b, chosen } of live) {
      if (chosen.size === 0) continue
      await runLive(a.driver, b.driver, {
        patience: 20_000 * (shared.timeoutScale ?? 1),
        onVerdict: (verdict) => {
          const id = liveId(verdict.id, a, b)
          if (chosen.has(id)) see({ ...verdict, id })
        },
      })
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

/** Id of a conversation through a hub, for a pair. */
function liveId(id: string, a: Party, b: Party): string {
  return `interop-${a.name}-${b.name}-${id.replace(/^agent-interop-/, "hub-")}`
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
