// The loop: every target, inputs from a seed, one verdict an input.

import { equalBytes, toHex } from "../../src/bytes.ts"
import { AgentMeshError } from "../../src/errors.ts"
import { makeInput, Random } from "./mutate.ts"
import { TARGETS, type Target } from "./targets.ts"

/** What came out of one target. */
export interface Outcome {
  readonly target: string
  readonly accepted: number
  readonly refused: number
  /** Inputs that ended in another exception, with it. */
  readonly faults: readonly string[]
}

/** Runs `count` inputs through a target; stops at the third fault. */
export function fuzzTarget(target: Target, seed: number, count: number): Outcome {
  const random = new Random(seed ^ hashOf(target.name))
  const faults: string[] = []
  let accepted = 0
  let refused = 0
  for (let i = 0; i < count && faults.length < 3; i++) {
    const input = makeInput(random, target.seeds)
    try {
      target.run(input)
      accepted++
      if (target.exact && !target.seeds.some((seed) => equalBytes(seed, input))) {
        faults.push(`${target.name} ${toHex(input)}: accepted a forgery`)
      }
    } catch (error) {
      if (error instanceof AgentMeshError) refused++
      else faults.push(`${target.name} ${toHex(input)}: ${(error as Error).stack ?? error}`)
    }
  }
  return { target: target.name, accepted, refused, faults }
}

function hashOf(text: string): number {
  let hash = 0
  for (const char of text) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0
  return hash
}

/**
 * Runs all targets, or the one called `only`.
 *
 * @param report - Called after each.
 */
export function fuzz(
  options: { readonly seed: number; readonly count: number; readonly only?: string | undefined },
  report: (outcome: Outcome) => void,
): readonly Outcome[] {
  const chosen = TARGETS.filter(({ name }) => options.only === undefined || name === options.only)
  return chosen.map((target) => {
    const outcome = fuzzTarget(target, options.seed, options.count)
    report(outcome)
    return outcome
  })
}
