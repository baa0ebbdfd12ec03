// Markdown, for a pull request or a README.

import { SECTIONS } from "../driver.ts"
import type { Verdict } from "../verdict.ts"
import { formatSummary } from "./console.ts"
import type { ReportDocument } from "./document.ts"

/** Failures that are listed. */
const LISTED = 100

/** Renders a document as Markdown. */
export function markdown(document: ReportDocument): string {
  const { verdicts, requirements, run, hello } = document
  const lines = [
    `# AgentMesh conformance: ${cell(hello?.impl.name ?? run.target ?? "reference")}`,
    "",
    ...formatSummary(document, (_style, text) => text)
      .split("\n")
      .map(escaped),
    "",
    "| section | pass | fail | blocked | warn | unsupported | requirements kept |",
    "|---|---|---|---|---|---|---|",
  ]
  for (const section of SECTIONS) {
    const members = verdicts.filter(({ id }) => id.split("-")[0] === section)
    const count = (outcome: string) => members.filter((item) => item.outcome === outcome).length
    const states = requirements.filter((item) => item.section === section)
    const kept = states.filter(({ status }) => status === "pass" || status === "warn").length
    const checked = states.filter(({ status }) => status !== "none" && status !== "unsupported")
    const numbers = ["PASS", "FAIL", "BLOCKED", "WARN", "UNSUPPORTED"].map(count)
    lines.push(`| ${section} | ${numbers.join(" | ")} | ${kept}/${checked.length} |`)
  }
  const failing = verdicts.filter(({ outcome }) => outcome === "FAIL" || outcome === "WARN")
  if (failing.length > 0) lines.push("", "| check | requirements | what came |", "|---|---|---|")
  for (const verdict of failing.slice(0, LISTED)) lines.push(row(verdict))
  if (failing.length > LISTED) lines.push("", `and ${failing.length - LISTED} more.`)
  return `${lines.join("\n")}\n`
}

function row({ id, title = "", req, message, outcome }: Verdict): string {
  const what = outcome === "WARN" ? `warning: ${message}` : message
  return `| ${id}: ${cell(title)} | ${req.join(", ")} | ${cell(what)} |`
}

/** Text that cannot break a table or become a link or HTML. */
function cell(text: string): string {
  return escaped(text.slice(0, 300))
}

function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, "\\$&").replace(/\s+/g, " ")
}
