// What the property tests share: one seed, so that two runs do the same work.

import fc from "fast-check"
import { AgentMeshError } from "../../src/errors.ts"

const seed = Number(process.env.AGENTMESH_SEED ?? 1)

/** Checks a property `runs` times from the fixed seed (AGENTMESH_SEED changes it). */
export function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void,
  runs: number = 300,
): void {
  const property = fc.property(arbitrary, (value) => void check(value))
  const result = fc.check(property, { seed, numRuns: runs })
  if (!result.failed) return
  const cause = result.errorInstance as Error | undefined
  const [counterexample] = (result.counterexample ?? []) as [unknown?]
  const shown = fc.stringify(counterexample).slice(0, 1000)
  throw new Error(
    `run ${result.numRuns}, seed ${result.seed}, path ${result.counterexamplePath}\n` +
      `counterexample: ${shown}\n${String(cause?.message).slice(0, 1000)}`,
    { cause },
  )
}

/** `ok`, the code of an AgentMeshError, or the exception itself if it is of another class. */
export function verdict(action: () => unknown): string {
  try {
    action()
    return "ok"
  } catch (error) {
    if (error instanceof AgentMeshError) return error.code
    return `not an AgentMeshError: ${error}`
  }
}
