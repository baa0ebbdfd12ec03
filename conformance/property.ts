// Properties: what holds for all inputs, checked on generated ones through the driver operations.

import { type Case, type Driver, type Hello, SECTIONS } from "./driver.ts"
import type { Finding } from "./judge.ts"
import { PROPERTIES_OF } from "./properties/index.ts"
import type { Verdict, WireEntry } from "./verdict.ts"

/** A failing run, shrunk, as a case that the runner repeats. */
export interface Counterexample extends Finding {
  readonly case: Case
  /** Calls to the driver in all, shrinking included. */
  readonly calls: number
  /** The last requests and replies of the failing run. */
  readonly log: readonly WireEntry[]
}

/** Something that holds for every conforming implementation and every generated input. */
export interface Property {
  /** Section word and number: `session-p03`. */
  readonly id: string
  readonly title: string
  /** Requirement ids for which it can fail. */
  readonly req: readonly string[]
  readonly needs?: readonly string[]
  /** Highest tier of the operations that it uses. */
  readonly tier: 0 | 1 | 2 | 3
  /** It runs command sequences against a model. */
  readonly model?: true
  /**
   * Looks for a counterexample.
   *
   * @param options - `runs` is relative to the default of 100: an expensive property makes fewer.
   * @returns null if none was found.
   */
  check(
    driver: Driver,
    options: { readonly seed: number; readonly runs: number; readonly hello: Hello },
  ): Promise<Counterexample | null>
}

/** Which properties a run covers, and how. */
export interface PropertyOptions {
  /** Only properties whose id begins with one of these. */
  readonly only?: readonly string[]
  /** By default it follows from the version of SPEC.md, so that two runs do the same. */
  readonly seed?: number
  /** Runs of a cheap property; 100 by default, the others make proportionally fewer. */
  readonly runs?: number
  readonly onVerdict?: (verdict: Verdict) => void
}

/** All properties, in section order. */
export const PROPERTIES: readonly Property[] = SECTIONS.flatMap((word) => PROPERTIES_OF[word])

/** FNV-1a, 32 bits: spreads seeds; nothing depends on its strength. */
function spread(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
  return hash | 0
}

/** The seed of a run whose caller names none. */
export const DEFAULT_SEED: number = spread("AgentMesh/1")

/** Why a property does not apply to a driver; null if it does. */
function missing(property: Property, { suites, tier, roles, caps }: Hello): string | null {
  if (tier < property.tier) return `tier-${property.tier}`
  const lacks = (need: string): boolean => {
    const [kind, value] = need.split("-")
    if (kind === "suite") return !suites.includes(Number(value))
    return kind === "role" ? !roles.includes(value as string) : !caps.includes(need)
  }
  return property.needs?.find(lacks) ?? null
}

/**
 * Checks properties on a driver.
 *
 * @param driver - Implementation under test.
 * @param hello - Its answer to `hello`.
 */
export async function runProperties(
  driver: Driver,
  hello: Hello,
  options: PropertyOptions = {},
): Promise<readonly Verdict[]> {
  const { only, seed = DEFAULT_SEED, runs = 100, onVerdict } = options
  const verdicts: Verdict[] = []
  for (const property of PROPERTIES) {
    if (only && !only.some((prefix) => property.id.startsWith(prefix))) continue
    const verdict = await judge(property, driver, hello, { seed, runs })
    verdicts.push(verdict)
    onVerdict?.(verdict)
  }
  return verdicts
}

async function judge(
  property: Property,
  driver: Driver,
  hello: Hello,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<Verdict> {
  const { id, title, req } = property
  const base = { id, title, req, kind: "property" } as const
  const lacking = missing(property, hello)
  if (lacking !== null) {
    return { ...base, outcome: "UNSUPPORTED", message: `needs ${lacking}`, calls: 0 }
  }
  let calls = 0
  const counting: Driver = {
    call(op, args) {
      calls++
      return driver.call(op, args)
    },
  }
  const found = await property.check(counting, { seed: spread(`${seed} ${id}`), runs, hello })
  if (found === null) return { ...base, outcome: "PASS", message: "", calls }
  return { ...found, ...base, outcome: "FAIL", calls }
}
