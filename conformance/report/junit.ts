// JUnit XML, for CI systems: one suite for each section.

import type { Verdict } from "../verdict.ts"
import type { ReportDocument } from "./document.ts"

/** Renders a document as JUnit XML. */
export function junit({ verdicts, timings, run, result }: ReportDocument): string {
  const suites = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    const name = verdict.id.split("-")[0] as string
    suites.set(name, [...(suites.get(name) ?? []), verdict])
  }
  const seconds = (ids: readonly string[]): string =>
    (ids.reduce((sum, id) => sum + (timings.checks[id] ?? 0), 0) / 1000).toFixed(3)
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>']
  const all = verdicts.map(({ id }) => id)
  const totals = counts(verdicts)
  lines.push(
    `<testsuites name="agentmesh-conformance ${run.mode}"${totals} time="${seconds(all)}">`,
  )
  for (const [name, members] of suites) {
    const ids = members.map(({ id }) => id)
    lines.push(`  <testsuite name="${xml(name)}"${counts(members)} time="${seconds(ids)}">`)
    for (const verdict of members) lines.push(...testcase(verdict, seconds([verdict.id])))
    lines.push("  </testsuite>")
  }
  if (result.aborted !== null || result.broken.length > 0) {
    const reasons = [...(result.aborted === null ? [] : [result.aborted]), ...result.broken]
    lines.push(`  <testsuite name="driver" tests="1" failures="0" errors="1" skipped="0">`)
    lines.push(`    <testcase classname="driver" name="keeps the driver protocol">`)
    lines.push(`      <error message="${xml(reasons.join("; "))}"/>`)
    lines.push("    </testcase>", "  </testsuite>")
  }
  lines.push("</testsuites>")
  return `${lines.join("\n")}\n`
}

function counts(verdicts: readonly Verdict[]): string {
  const count = (...outcomes: readonly string[]) =>
    verdicts.filter(({ outcome }) => outcomes.includes(outcome)).length
  const skipped = count("UNSUPPORTED", "WARN")
  return ` tests="${verdicts.length}" failures="${count("FAIL", "BLOCKED")}" errors="0" skipped="${skipped}"`
}

function testcase(verdict: Verdict, time: string): string[] {
  const { id, title = "", req, outcome, message, did } = verdict
  const name = `${id} ${title} [${req.join(", ")}]`
  const open = `    <testcase classname="${xml(id.split("-")[0] as string)}" name="${xml(name)}" time="${time}"`
  if (outcome === "PASS") return [`${open}/>`]
  const skipped = outcome === "UNSUPPORTED" || outcome === "WARN"
  const inside = skipped
    ? `      <skipped message="${xml(`${outcome}: ${message}`)}"/>`
    : `      <failure type="${outcome}" message="${xml(message)}">${xml(did ?? "")}</failure>`
  return [`${open}>`, inside, "    </testcase>"]
}

/** Text for XML 1.0: escaped, and without the characters that it does not have. */
function xml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[\t\n\r]/g, " ")
}
