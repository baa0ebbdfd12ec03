// Known failures of an implementation: a run then fails only for what is new or no longer true.

import type { Verdict } from "./verdict.ts"

/** Characters of a message that have to stay the same. */
const PREFIX = 60

/** One known failure. */
export interface KnownFailure {
  readonly id: string
  readonly message: string
}

/** A baseline file. */
export interface Baseline {
  readonly format: 1
  readonly failures: readonly KnownFailure[]
}

const failing = ({ outcome }: Verdict): boolean => outcome === "FAIL" || outcome === "BLOCKED"

/** The baseline that describes a run. */
export function makeBaseline(verdicts: readonly Verdict[]): Baseline {
  const failures = verdicts
    .filter(failing)
    .map(({ id, message }) => ({ id, message: message.slice(0, PREFIX) }))
  return { format: 1, failures }
}

/** Reads a baseline file; throws if it is none. */
export function readBaseline(text: string): Baseline {
  const value = JSON.parse(text) as Partial<Baseline> | null
  const sound = value?.format === 1 && Array.isArray(value.failures)
  const entries = sound ? (value.failures as readonly Partial<KnownFailure>[]) : []
  const whole = entries.every(
    (entry) => typeof entry?.id === "string" && typeof entry.message === "string",
  )
  if (!sound || !whole) throw new Error('no baseline: {"format":1,"failures":[{"id","message"}]}')
  return value as Baseline
}

/** What a run does that its baseline does not say, one line each; empty: as known. */
export function compareBaseline(baseline: Baseline, verdicts: readonly Verdict[]): string[] {
  const known = new Map(baseline.failures.map(({ id, message }) => [id, message]))
  const faults: string[] = []
  for (const verdict of verdicts) {
    const { id, outcome, message } = verdict
    const expected = known.get(id)
    known.delete(id)
    if (failing(verdict)) {
      if (expected === undefined) faults.push(`${id}: fails and is not listed`)
      else if (!message.startsWith(expected)) faults.push(`${id}: fails in another way: ${message}`)
    } else if (expected !== undefined) {
      faults.push(`${id}: listed as failing, and it is ${outcome}: take it out`)
    }
  }
  return faults
}

/** Listed failures that a whole run did not contain. */
export function staleEntries(baseline: Baseline, verdicts: readonly Verdict[]): string[] {
  const seen = new Set(verdicts.map(({ id }) => id))
  const gone = baseline.failures.filter(({ id }) => !seen.has(id))
  return gone.map(({ id }) => `${id}: listed as failing, and there is no such check`)
}
