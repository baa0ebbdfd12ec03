// Whether the suite covers SPEC.md, and whether SPEC.md has changed behind its back.

import { NO_MUTANT, OPEN } from "./open.ts"
import { forbids, hashOf, type Row, type Suite } from "./requirement.ts"
import { lintSentences } from "./sentences.ts"

/** The contents of requirements.json. */
export interface TraceRecord {
  readonly format: 1
  readonly spec: string
  readonly requirements: readonly Row[]
  /** Ids that SPEC.md had once. */
  readonly tombstones: readonly { readonly id: string; readonly why: string }[]
}

/** Least share of requirements that tests can observe. */
const LEAST_TESTABLE = 0.9

/**
 * Every problem, one line each; empty if there is none.
 *
 * @param rows - Made from SPEC.md and the suite as they are.
 * @param record - What was acknowledged.
 */
export function lintTrace(
  rows: readonly Row[],
  suite: Suite,
  record: TraceRecord,
): readonly string[] {
  return [
    ...lintSentences(suite.spec),
    ...lintCitations(rows, suite),
    ...rows.flatMap((row) => [...lintRow(row, suite)]),
    ...lintRecord(rows, record),
  ]
}

function* lintCitations(rows: readonly Row[], suite: Suite): Generator<string> {
  const known = new Set(rows.map(({ id }) => id))
  const checks = [...suite.cases, ...suite.properties, ...suite.live]
  for (const { id, req } of checks) {
    if (req.length === 0) yield `${id}: cites nothing`
    for (const one of req) if (!known.has(one)) yield `${id}: no requirement ${one}`
  }
  const ids = new Set<string>()
  for (const { id, req, file } of suite.mutants) {
    if (ids.has(id)) yield `${id}: used twice`
    ids.add(id)
    if (!known.has(req)) yield `${id}: no requirement ${req}`
    if (!file.startsWith("src/")) yield `${id}: not in the reference`
    if (suite.kills[id] === undefined) yield `${id}: nothing kills it`
  }
  for (const id of Object.keys(suite.kills)) if (!ids.has(id)) yield `${id}: no such mutant`
  for (const id of Object.keys(suite.notTestable)) {
    if (!known.has(id)) yield `${id}: is called not testable, and is not there`
  }
}

function* lintRow(row: Row, suite: Suite): Generator<string> {
  const { id, level, text, checks, notTestable } = row
  const checked = checks.vectors.length + checks.properties.length + checks.live.length
  if (notTestable !== undefined) {
    if (checked > 0) yield `${id}: is called not testable, and has checks`
    return
  }
  if (level !== "MUST") return
  if (OPEN[id] !== undefined) {
    if (checked > 0) yield `${id}: is called unchecked, and has checks`
    return
  }
  if (checked === 0) return yield `${id}: nothing checks it`
  const byId = new Map(suite.cases.map((item) => [item.id, item]))
  const cases = checks.vectors.map((one) => byId.get(one))
  // Properties and live cases each accept and refuse something.
  const other = checks.properties.length + checks.live.length > 0
  // Steps also show what does not happen.
  const refuses = cases.some((item) => item && (item.expect !== "ok" || item.steps !== undefined))
  const accepts = cases.some((item) => item?.expect === "ok" || item?.steps !== undefined)
  const twins = cases.some((item) => item?.twin !== undefined)
  if (!accepts && !twins && !other) yield `${id}: no check accepts anything`
  if (!forbids(text)) return
  if (!refuses && !other) yield `${id}: forbids, and no check refuses anything`
  if (checks.mutants.length === 0 && NO_MUTANT[id] === undefined)
    yield `${id}: forbids, and no mutant breaks it`
}

function* lintRecord(rows: readonly Row[], record: TraceRecord): Generator<string> {
  const now = new Map(rows.map((row) => [row.id, row]))
  const buried = new Set(record.tombstones.map(({ id }) => id))
  for (const { id, sha256 } of record.requirements) {
    const row = now.get(id)
    if (row === undefined && !buried.has(id)) yield `${id}: vanished without a tombstone`
    if (row !== undefined && hashOf(row.text) !== sha256) {
      yield `${id}: its text has changed; after a look at its checks: lint --accept ${id}`
    }
  }
  const known = new Set(record.requirements.map(({ id }) => id))
  for (const { id } of rows) {
    if (buried.has(id)) yield `${id}: is used again`
    if (!known.has(id)) yield `${id}: is new; after a look at its checks: lint --accept ${id}`
  }
  const testable = rows.filter(({ notTestable }) => notTestable === undefined).length
  if (testable < LEAST_TESTABLE * rows.length) yield `only ${testable} of ${rows.length} testable`
}
