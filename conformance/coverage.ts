// requirements.json and COVERAGE.md: which checks see to which sentence of SPEC.md. Both are made
// from SPEC.md and the suite; `agentmesh-conformance coverage --check` compares them.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { packageFolder } from "./driver.ts"
import { formatCoverage, formatRecord } from "./trace/format.ts"
import { lintTrace, type TraceRecord } from "./trace/lint.ts"
import { buildRows, hashOf, loadSuite, type Row } from "./trace/requirement.ts"

export type { TraceRecord } from "./trace/lint.ts"
export type { Row } from "./trace/requirement.ts"

const RECORD = "conformance/requirements.json"
const MATRIX = "conformance/COVERAGE.md"

const read = (name: string): string => readFileSync(join(packageFolder(), name), "utf8")

function loadRecord(): TraceRecord {
  if (!existsSync(join(packageFolder(), RECORD))) {
    return { format: 1, spec: "AgentMesh/1", requirements: [], tombstones: [] }
  }
  return JSON.parse(read(RECORD)) as TraceRecord
}

/** A sentence keeps the hash that was acknowledged until it is acknowledged again. */
function acknowledged(row: Row, record: TraceRecord, accept: readonly string[] | "all"): Row {
  const before = record.requirements.find(({ id }) => id === row.id)
  const fresh = accept === "all" || accept.includes(row.id)
  return { ...row, sha256: fresh ? hashOf(row.text) : (before?.sha256 ?? "") }
}

function build(accept: readonly string[] | "all"): { readonly record: string; matrix: string } {
  const before = loadRecord()
  const suite = loadSuite(read("SPEC.md"))
  const rows = buildRows(suite).map((row) => acknowledged(row, before, accept))
  const record = { ...before, requirements: rows.filter(({ sha256 }) => sha256 !== "") }
  return { record: formatRecord(record), matrix: formatCoverage(rows, suite) }
}

/** How {@link writeCoverage} treats sentences that are new or have changed. */
export interface CoverageOptions {
  /** Ids whose sentences were looked at; `all`: every one. */
  readonly accept?: readonly string[] | "all"
}

/** Writes both files; the ids that stand for something, the accepted ones included. */
export function writeCoverage(options: CoverageOptions = {}): void {
  const { record, matrix } = build(options.accept ?? [])
  writeFileSync(join(packageFolder(), RECORD), record)
  writeFileSync(join(packageFolder(), MATRIX), matrix)
}

/** What is out of date; empty if nothing is. */
export function checkCoverage(): readonly string[] {
  const { record, matrix } = build([])
  const stale = (name: string, text: string): readonly string[] =>
    existsSync(join(packageFolder(), name)) && read(name) === text
      ? []
      : [`${name} is out of date: agentmesh-conformance coverage`]
  return [...stale(RECORD, record), ...stale(MATRIX, matrix)]
}

/** Every problem of the coverage of SPEC.md; empty if there is none. */
export function lintCoverage(): readonly string[] {
  const suite = loadSuite(read("SPEC.md"))
  return lintTrace(buildRows(suite), suite, loadRecord())
}
