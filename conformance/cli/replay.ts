// replay FILE: the cases of a vector file, a saved failure or a counterexample, once more.

import type { Case, VectorFile } from "../driver.ts"
import { runCases } from "../runner.ts"
import { isObject } from "../values.ts"
import type { Verdict } from "../verdict.ts"
import { levels, loadRequirements, openDriver, readNamed, UsageError } from "./context.ts"
import { type FinishFlags, finish, Watch } from "./finish.ts"

/** Runs the cases of a file; the exit code. */
export async function replay(path: string, flags: FinishFlags): Promise<number> {
  const cases = readCases(path)
  const requirements = loadRequirements()
  const driver = openDriver(flags)
  const watch = new Watch(cases.length, flags)
  try {
    const report = await runCases(driver, {
      ...{ cases, strict: flags.strict, level: levels(requirements) },
      onVerdict: (verdict: Verdict) => watch.see(verdict),
    })
    return finish(report, watch, flags, requirements, {
      ...{ mode: "replay", target: flags.driver ?? null, only: [path], tier: null },
      ...{ seed: null, runs: null, strict: flags.strict },
    })
  } finally {
    await driver.close?.()
  }
}

function readCases(path: string): readonly Case[] {
  let value: unknown
  try {
    value = JSON.parse(readNamed(path))
  } catch (error) {
    throw new UsageError(`${path} holds no vectors: ${(error as Error).message}`)
  }
  const cases = (value as Partial<VectorFile> | null)?.cases
  if (!Array.isArray(cases) || !cases.every(isCase)) {
    throw new UsageError(`${path} holds no vectors: expected {"format":1,...,"cases":[...]}`)
  }
  return cases as readonly Case[]
}

function isCase(item: Partial<Case> | null): boolean {
  const whole = isObject(item?.input) && typeof item?.op === "string"
  const lists = Array.isArray(item?.req) && typeof item?.expect === "string"
  const steps = Array.isArray(item?.steps) && item.steps.every((step) => isObject(step?.args))
  return lists && typeof item?.id === "string" && (whole || steps)
}
