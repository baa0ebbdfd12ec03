// How requirements.json and COVERAGE.md are written.

import { SECTIONS } from "../driver.ts"
import type { TraceRecord } from "./lint.ts"
import { OPEN } from "./open.ts"
import type { Row, Suite } from "./requirement.ts"

/** One requirement a line. */
export function formatRecord(record: TraceRecord): string {
  const { requirements, tombstones, ...rest } = record
  const lines = requirements.map((row) => JSON.stringify(row)).join(",\n")
  const start = JSON.stringify(rest).slice(0, -1)
  return `${start},"requirements":[\n${lines}\n],"tombstones":${JSON.stringify(tombstones)}}\n`
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)]
}

/** The matrix of requirements and checks, then that of mutants and kills. */
export function formatCoverage(rows: readonly Row[], suite: Suite): string {
  return `${[
    "# Coverage",
    "",
    "Made by `agentmesh-conformance coverage` from SPEC.md and the suite; not edited by hand.",
    "",
    ...summary(rows, suite),
    ...SECTIONS.flatMap((section) => matrix(section, rows, suite)),
    ...notTestable(rows),
    ...kills(suite),
  ].join("\n")}\n`
}

function summary(rows: readonly Row[], suite: Suite): readonly string[] {
  const musts = rows.filter(({ level }) => level === "MUST")
  const testable = (some: readonly Row[]) => some.filter((row) => row.notTestable === undefined)
  const covered = (some: readonly Row[]) => some.filter((row) => checksOf(row) > 0).length
  const killed = suite.mutants.filter(({ id }) => suite.kills[id] !== undefined).length
  const must = testable(musts)
  return [
    ...table(
      ["what", "number"],
      [
        ["requirements", `${rows.length}, of which ${musts.length} MUST`],
        ["that tests can observe", `${testable(rows).length}`],
        ["MUST that tests can observe, with a check", `${covered(must)} of ${must.length}`],
        ["vectors", `${suite.cases.length}`],
        ["properties", `${suite.properties.length}`],
        ["live cases", `${suite.live.length}`],
        [
          "mutants killed by a check that cites their requirement",
          `${killed} of ${suite.mutants.length}`,
        ],
      ],
    ),
    "",
  ]
}

const checksOf = ({ checks }: Row): number =>
  checks.vectors.length + checks.properties.length + checks.live.length

function matrix(section: string, rows: readonly Row[], suite: Suite): readonly string[] {
  const rejecting = new Set(suite.cases.filter(({ expect }) => expect !== "ok").map(({ id }) => id))
  const body = rows
    .filter((row) => row.section === section)
    .map(({ id, level, roles, checks, notTestable: reason }) => {
      const rejects = checks.vectors.filter((one) => rejecting.has(one)).length
      const killed = checks.mutants.filter((one) => suite.kills[one] !== undefined).length
      const count = (number: number): string => (number === 0 ? "" : String(number))
      return [
        ...[id, level, roles.join(", "), count(checks.vectors.length - rejects), count(rejects)],
        ...[count(checks.properties.length), count(checks.live.length)],
        checks.mutants.length === 0 ? "" : `${killed}/${checks.mutants.length}`,
        reason !== undefined ? "not testable" : OPEN[id] !== undefined ? "no check yet" : "",
      ]
    })
  const head = ["id", "level", "roles", "accepts", "rejects", "properties", "live", "kills", ""]
  return [`## ${section}`, "", ...table(head, body), ""]
}

function notTestable(rows: readonly Row[]): readonly string[] {
  const body = rows
    .filter((row) => row.notTestable !== undefined)
    .map(({ id, level, text, notTestable: reason = "" }) => [id, level, cell(text), cell(reason)])
  return ["## Not testable", "", ...table(["id", "level", "sentence", "why not"], body), ""]
}

function kills(suite: Suite): readonly string[] {
  const body = suite.mutants.map(({ id, req, title, file }) => [
    ...[id, req, cell(title), `\`${file}\``, suite.kills[id] ?? "**survives**"],
  ])
  const head = ["mutant", "breaks", "what it does", "in", "killed by"]
  return ["## Mutants", "", ...table(head, body)]
}
