/**
 * Runs the suite against an implementation in this process.
 *
 * @module agentmesh/conformance
 */

import { group as agent } from "./agent.ts"
import { group as bundle } from "./bundle.ts"
import type { Driver, Group } from "./driver.ts"
import { group as encoding } from "./encoding.ts"
import { group as envelope } from "./envelope.ts"
import { group as handshake } from "./handshake.ts"
import { group as hub } from "./hub.ts"
import { group as identity } from "./identity.ts"
import { group as keyschedule } from "./keyschedule.ts"
import { runCases } from "./runner.ts"
import { group as session } from "./session.ts"
import { group as suite } from "./suite.ts"
import type { Report, Verdict } from "./verdict.ts"

export type {
  Case,
  Driver,
  Group,
  Hello,
  Json,
  JsonObject,
  Mutation,
  Reply,
  Section,
  Step,
  Trace,
  VectorFile,
} from "./driver.ts"
export { SECTIONS } from "./driver.ts"
export { deterministicDraw, namedDraw } from "./vectorgen/draws.ts"
export type { Divergence, Kind, Outcome, Report, Verdict, WireEntry } from "./verdict.ts"

/** The ten groups, in the order of SPEC §3 to §12. */
export const GROUPS: readonly Group[] = [
  encoding,
  suite,
  identity,
  bundle,
  keyschedule,
  handshake,
  envelope,
  session,
  hub,
  agent,
]

/** What {@link runConformance} covers. */
export interface ConformanceOptions {
  /** Only cases whose id begins with one of these, for example `bundle` or `session-0024`. */
  readonly only?: readonly string[]
  /** Called after each verdict. */
  readonly onVerdict?: (verdict: Verdict) => void
}

/**
 * Runs all vectors against an implementation (SPEC §14).
 *
 * @param driver - The implementation; `conformance/DRIVER.md` says what it has to answer.
 */
export function runConformance(driver: Driver, options: ConformanceOptions = {}): Promise<Report> {
  const cases = GROUPS.flatMap((group) => group.vectors().cases)
  return runCases(driver, { cases, ...options })
}
