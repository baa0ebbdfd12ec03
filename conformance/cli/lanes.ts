// Lanes: the checks of a run, divided among several processes of one driver.

import type { Case } from "../driver.ts"
import { PROPERTIES, type Property } from "../property.ts"
import { summarize } from "../runner.ts"
import type { Report } from "../verdict.ts"
import { allCases } from "./context.ts"

/** What one process of the driver has to answer, in order. */
export interface Lane {
  readonly cases: readonly Case[]
  readonly properties: readonly Property[]
}

/**
 * Divides checks by a fixed rule, so that two runs make the same calls in the same order.
 *
 * Cases with the same twin stay together: it is judged once.
 */
export function splitLanes(
  cases: readonly Case[],
  properties: readonly Property[],
  count: number,
): readonly Lane[] {
  const twins = new Map(allCases().map(({ id, twin }) => [id, twin]))
  const rootOf = (id: string): string => {
    const twin = twins.get(id)
    return twin === undefined ? id : rootOf(twin)
  }
  const roots = [...new Set(cases.map(({ id }) => rootOf(id)))]
  const laneOf = new Map(roots.map((root, i) => [root, i % count]))
  const lanes = Array.from({ length: count }, (_, lane) => ({
    cases: cases.filter(({ id }) => laneOf.get(rootOf(id)) === lane),
    properties: properties.filter((_, i) => i % count === lane),
  }))
  // One is left if nothing was selected: the driver is asked who it is all the same.
  return lanes.filter((lane, i) => i === 0 || lane.cases.length + lane.properties.length > 0)
}

/** One report in the order of the vectors and properties, as a single process would give it. */
export function mergeLanes(
  reports: readonly Report[],
  lanes: readonly Lane[],
  strict: boolean,
): Report {
  const [first] = reports
  if (reports.length === 1 && first !== undefined) return first
  const rank = new Map([...allCases(), ...PROPERTIES].map(({ id }, i) => [id, i]))
  const verdicts = reports.flatMap((report) => report.verdicts)
  verdicts.sort((a, b) => (rank.get(a.id) as number) - (rank.get(b.id) as number))
  const aborted = reports.find((report) => report.aborted !== undefined)?.aborted
  return summarize({
    hello: reports.find(({ hello }) => hello !== null)?.hello ?? null,
    verdicts,
    planned: lanes.reduce((sum, lane) => sum + lane.cases.length + lane.properties.length, 0),
    broken: [...new Set(reports.flatMap(({ broken }) => broken))],
    ...(aborted !== undefined && { aborted }),
    strict,
  })
}
