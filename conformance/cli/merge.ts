// merge: the reports of several implementations in one table.

import { SECTIONS } from "../driver.ts"
import type { ReportDocument, Status } from "../report/document.ts"
import { out, readNamed, UsageError } from "./context.ts"

const MARK: Readonly<Record<Status, string>> = {
  ...{ pass: "yes", warn: "warns", fail: "**no**", unsupported: "not claimed", none: "" },
}

/** Prints a table of reports, as Markdown or JSON. Exit 1 if one of them is not conformant. */
export function merge(files: readonly string[], json: boolean): number {
  const reports = files.map(readReport)
  const names = unique(reports)
  if (json) out(JSON.stringify(tabulate(reports, names), null, 1))
  else for (const line of table(reports, names)) out(line)
  return reports.every(({ result }) => result.conformant) ? 0 : 1
}

function readReport(path: string): ReportDocument {
  let value: Partial<ReportDocument> | null
  try {
    value = JSON.parse(readNamed(path)) as Partial<ReportDocument> | null
  } catch (error) {
    throw new UsageError(`${path} is no report: ${(error as Error).message}`)
  }
  const lists = Array.isArray(value?.requirements) && Array.isArray(value?.verdicts)
  if (value?.format !== 1 || !lists || typeof value.result !== "object") {
    throw new UsageError(`${path} is no report of agentmesh-conformance (format 1)`)
  }
  return value as ReportDocument
}

/** A name for each report; a second one of the same implementation gets a number. */
function unique(reports: readonly ReportDocument[]): readonly string[] {
  const seen = new Map<string, number>()
  return reports.map(({ hello, run }) => {
    const name = (hello?.impl.name ?? run.target ?? "reference").replaceAll("|", "/")
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name} (${count})`
  })
}

function* table(reports: readonly ReportDocument[], names: readonly string[]): Generator<string> {
  yield `| | ${names.join(" | ")} |`
  yield `|---|${names.map(() => "---|").join("")}`
  const row = (label: string, cell: (report: ReportDocument) => string): string =>
    `| ${label} | ${reports.map(cell).join(" | ")} |`
  yield row("conformant", ({ result }) => (result.conformant ? "yes" : "**no**"))
  yield row("roles, tier, suites", ({ hello }) =>
    hello === null
      ? "no answer"
      : `${hello.roles.join("+")} T${hello.tier}, ${hello.suites.join(", ")}`,
  )
  yield row("checks passed", ({ result }) => `${result.passed}/${result.planned}`)
  yield row("failed, blocked", ({ result }) => `${result.failed}, ${result.blocked}`)
  yield row("unsupported", ({ result }) => `${result.unsupported}`)
  for (const section of SECTIONS) {
    yield row(section, ({ requirements }) => {
      const checked = requirements.filter(
        (item) => item.section === section && !["none", "unsupported"].includes(item.status),
      )
      return `${checked.filter(({ status }) => status !== "fail").length}/${checked.length}`
    })
  }
  yield ""
  yield "Requirements on which they differ:"
  yield ""
  yield `| | ${names.join(" | ")} |`
  yield `|---|${names.map(() => "---|").join("")}`
  for (const { requirement, states } of tabulate(reports, names).requirements) {
    const values = Object.values(states)
    if (new Set(values).size > 1) {
      yield `| ${requirement} | ${values.map((state) => MARK[state]).join(" | ")} |`
    }
  }
}

function tabulate(reports: readonly ReportDocument[], names: readonly string[]) {
  const ids = new Set(reports.flatMap((report) => report.requirements.map(({ id }) => id)))
  const byId = reports.map(
    (report) => new Map(report.requirements.map(({ id, status }) => [id, status])),
  )
  const requirements = [...ids].map((requirement) => ({
    requirement,
    states: Object.fromEntries(
      names.map((name, i) => [name, byId[i]?.get(requirement) ?? "none"]),
    ) as Readonly<Record<string, Status>>,
  }))
  const results = Object.fromEntries(names.map((name, i) => [name, reports[i]?.result]))
  return { results, requirements }
}
