// report.json: everything about a run. Two runs give the same bytes, apart from `timings`.

import type { Hello } from "../driver.ts"
import type { Requirement } from "../requirements.ts"
import type { Outcome, Report, Verdict } from "../verdict.ts"

/** Verdicts that keep their log in a report; the others can be repeated one by one. */
const LOGS = 200

/** How a run was made. */
export interface RunInfo {
  /** The subcommand. */
  readonly mode: string
  /** What was tested: the command of the driver, the address of the hub; null: the reference. */
  readonly target: string | null
  readonly only: readonly string[]
  readonly tier: number | null
  readonly seed: number | null
  readonly runs: number | null
  readonly strict: boolean
  /** Version of this package. */
  readonly version: string
}

/** What differs between two runs. */
export interface Timings {
  /** ISO 8601. */
  readonly started: string
  readonly milliseconds: number
  readonly checks: Readonly<Record<string, number>>
  /** What the implementation wrote to its standard error, by id of the check. */
  readonly stderr: Readonly<Record<string, string>>
}

/** State of a requirement after a run. `none`: no check of this run cites it. */
export type Status = "fail" | "warn" | "pass" | "unsupported" | "none"

/** A requirement and what the checks say about it. */
export interface RequirementStatus extends Requirement {
  readonly status: Status
  readonly checks: readonly string[]
}

/** The contents of report.json; `conformance/schema/report.schema.json` describes it. */
export interface ReportDocument {
  readonly format: 1
  readonly spec: "AgentMesh/1"
  readonly run: RunInfo
  readonly hello: Hello | null
  readonly result: Readonly<
    Record<"planned" | "passed" | "failed" | "warned" | "blocked" | "unsupported", number>
  > & {
    readonly conformant: boolean
    /** Some operations of the claimed tiers are not claimed: no conformance by SPEC §14. */
    readonly partial: boolean
    readonly exitCode: number
    readonly broken: readonly string[]
    readonly aborted: string | null
    /** Requirements that are kept, and those of which something could be checked. */
    readonly requirements: { readonly kept: number; readonly checked: number }
  }
  readonly requirements: readonly RequirementStatus[]
  readonly verdicts: readonly Verdict[]
  readonly timings: Timings
}

/** Builds the document of a run. */
export function buildDocument(
  report: Report,
  run: RunInfo,
  requirements: readonly Requirement[],
  timings: Omit<Timings, "stderr">,
): ReportDocument {
  const { hello, planned, passed, failed, warned, blocked, unsupported, broken, exitCode } = report
  const states = judgeRequirements(requirements, report.verdicts)
  const count = (...wanted: readonly Status[]) =>
    states.filter(({ status }) => wanted.includes(status)).length
  const stderr: Record<string, string> = {}
  let logs = 0
  const verdicts = report.verdicts.map((verdict) => {
    const { stderr: text, log, case: item, ...rest } = verdict
    if (text !== undefined && logs < LOGS) stderr[verdict.id] = text
    const kept = (log !== undefined || item !== undefined) && logs++ < LOGS
    return kept ? { ...rest, ...(log && { log }), ...(item && { case: item }) } : rest
  })
  const partial = hello?.ops !== undefined
  return {
    format: 1,
    spec: "AgentMesh/1",
    run,
    hello,
    result: {
      conformant: exitCode === 0 && !partial && failed + blocked === 0,
      partial,
      exitCode,
      ...{ planned, passed, failed, warned, blocked, unsupported },
      broken,
      aborted: report.aborted ?? null,
      requirements: { kept: count("pass", "warn"), checked: count("pass", "warn", "fail") },
    },
    requirements: states,
    verdicts,
    timings: { ...timings, stderr },
  }
}

const STATUS: Readonly<Record<Outcome, Status>> = {
  FAIL: "fail",
  BLOCKED: "fail",
  WARN: "warn",
  PASS: "pass",
  UNSUPPORTED: "unsupported",
}
const ORDER: readonly Status[] = ["fail", "warn", "pass", "unsupported", "none"]

function judgeRequirements(
  requirements: readonly Requirement[],
  verdicts: readonly Verdict[],
): readonly RequirementStatus[] {
  const cited = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    for (const id of verdict.req) cited.set(id, [...(cited.get(id) ?? []), verdict])
  }
  return requirements.map((requirement) => {
    const found = cited.get(requirement.id) ?? []
    const states = found.map(({ outcome }) => STATUS[outcome])
    const status = ORDER.find((state) => states.includes(state)) ?? "none"
    return { ...requirement, status, checks: found.map(({ id }) => id) }
  })
}
