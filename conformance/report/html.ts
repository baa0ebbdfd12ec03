// One self-contained HTML page: what an implementation keeps of SPEC.md, and why not.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packageFolder, SECTIONS } from "../driver.ts"
import type { Outcome } from "../verdict.ts"
import { describeHello } from "./console.ts"
import type { ReportDocument, RequirementStatus, Status } from "./document.ts"
import { headline, leftOut } from "./headline.ts"
import { checkEntry, prose, text } from "./html-check.ts"

const OUTCOMES: readonly Outcome[] = ["FAIL", "BLOCKED", "WARN", "UNSUPPORTED", "PASS"]

const STATES: Readonly<Record<Status, readonly [mark: string, words: string]>> = {
  pass: ["✓", "kept"],
  warn: ["!", "recommended, not kept"],
  fail: ["✗", "not kept"],
  unsupported: ["–", "not claimed"],
  none: ["·", "no check in this run"],
}

/** Renders a document as a page that needs nothing else. */
export function html(document: ReportDocument): string {
  const asset = (name: string): string =>
    readFileSync(join(packageFolder(), "conformance", "report", name), "utf8")
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>AgentMesh conformance: ${text(nameOf(document))}</title>
<style>
${asset("page.css")}</style>
</head>
<body>
<a class="skip" href="#checks">Skip to the checks</a>
${header(document)}
<main>
${matrix(document.requirements)}
${checks(document)}
${requirementTable(document.requirements)}
</main>
<footer>${text(footer(document))}</footer>
<script>
${asset("page.js")}</script>
</body>
</html>
`
}

function nameOf({ hello, run }: ReportDocument): string {
  return hello?.impl.name ?? run.target ?? "reference"
}

function header(document: ReportDocument): string {
  const { result, hello } = document
  const [kind, words] = headline(document)
  const { planned, passed, failed, blocked, warned, unsupported } = result
  const rest = planned - passed - failed - blocked - warned - unsupported
  const parts: readonly (readonly [string, string, number])[] = [
    ["pass", "passed", passed],
    ["fail", "failed", failed],
    ["blocked", "blocked", blocked],
    ["warn", "warnings", warned],
    ["unsupported", "unsupported", unsupported],
    ["none", "not reached", rest],
  ]
  const shown = parts.filter(([name, , count]) => count > 0 || name === "pass" || name === "fail")
  const bar = shown
    .filter(([, , count]) => count > 0)
    .map(([name, , count]) => `<i class="${name}" style="flex-grow:${count}"></i>`)
  const tiles = shown.map(
    ([name, label, count]) =>
      `<div class="tile ${name}"><b>${count.toLocaleString("en")}</b><span class="label">${label}</span></div>`,
  )
  const { kept, checked } = result.requirements
  const silent = leftOut(document)
  const problems = [...(result.aborted === null ? [] : [result.aborted]), ...result.broken]
  const notes = problems.map((line) => `<p class="problem">${text(line)}</p>`).join("")
  return `<header>
<p class="kicker">AgentMesh conformance</p>
<h1>${text(nameOf(document))} <span class="badge ${kind}">${text(words)}</span></h1>
<p class="sub">${text(hello === null ? "no answer to hello" : describeHello(hello))}</p>
${silent === null ? "" : `<p class="sub">${text(silent)}.</p>`}
${notes}
<div class="tiles">${tiles.join("")}<div class="tile"><b>${kept}<small>/${checked}</small></b><span class="label">requirements kept</span></div></div>
<div class="bar" role="img" aria-label="${passed} of ${planned} checks passed">${bar.join("")}</div>
</header>`
}

function matrix(all: readonly RequirementStatus[]): string {
  const rows = SECTIONS.map((section) => {
    const members = all.filter((item) => item.section === section)
    const cells = members.map(({ id, status, text: sentence, level }) => {
      const [mark, words] = STATES[status]
      const label = `${id}: ${words}. ${sentence}`
      const soft = level === "MUST" ? "" : " soft"
      return `<a class="cell ${status}${soft}" href="#${id}" title="${text(label)}" aria-label="${text(`${id}, ${words}`)}">${mark}</a>`
    })
    const checked = members.filter(({ status }) => !["none", "unsupported"].includes(status))
    const kept = checked.filter(({ status }) => status !== "fail").length
    const sum = checked.length === 0 ? "not checked" : `${kept}/${checked.length}`
    return `<tr><th scope="row">${section}</th><td class="cells">${cells.join("")}</td><td class="sum">${sum}</td></tr>`
  })
  const legend = Object.entries(STATES).map(
    ([status, [mark, words]]) => `<span><i class="cell ${status}">${mark}</i> ${words}</span>`,
  )
  return `<section id="matrix">
<h2>Requirements at a glance</h2>
<table class="matrix"><tbody>
${rows.join("\n")}
</tbody></table>
<p class="legend">${legend.join("")}<span>round: recommended or allowed</span></p>
</section>`
}

function checks({ verdicts, timings, requirements }: ReportDocument): string {
  const chips = OUTCOMES.map((outcome) => {
    const count = verdicts.filter((item) => item.outcome === outcome).length
    const disabled = count === 0 ? " disabled" : ""
    return `<label class="chip ${outcome.toLowerCase()}"><input type="checkbox" value="${outcome}" checked${disabled}> ${outcome.toLowerCase()} <b>${count}</b></label>`
  })
  const options = SECTIONS.map((word) => `<option>${word}</option>`)
  const order = (outcome: Outcome): number => OUTCOMES.indexOf(outcome)
  const sorted = [...verdicts].sort((a, b) => order(a.outcome) - order(b.outcome))
  const sentences = new Map(requirements.map((item) => [item.id, item.text]))
  const entries = sorted.map((item) => checkEntry(item, timings.stderr[item.id], sentences))
  return `<section id="checks">
<h2>Checks</h2>
<form class="tools" role="search">
<input type="search" id="query" placeholder="Search id, requirement, text   /" aria-label="Search checks">
<select id="section" aria-label="Section"><option value="">all sections</option>${options.join("")}</select>
<span class="chips">${chips.join("")}</span>
<output id="shown" aria-live="polite">${verdicts.length} checks</output>
</form>
<div id="list">
${entries.join("\n")}
</div>
</section>`
}

function requirementTable(all: readonly RequirementStatus[]): string {
  const rows = all.map((item) => {
    const { id, status, checks: ids } = item
    const [mark, words] = STATES[status]
    const links = ids.slice(0, 12).map((check) => `<a href="#${text(check)}">${text(check)}</a>`)
    const more = ids.length > 12 ? ` and ${ids.length - 12} more` : ""
    return `<tr id="${id}"><th scope="row">${id}</th><td><span class="cell ${status}" title="${words}">${mark}</span></td><td><p>${prose(item.text)}</p><p class="refs">§${text(item.heading)}${ids.length > 0 ? ` · ${links.join(" ")}${more}` : ""}</p></td></tr>`
  })
  return `<section id="requirements">
<h2>Every requirement</h2>
<table class="requirements"><tbody>
${rows.join("\n")}
</tbody></table>
</section>`
}

function footer({ run, spec, timings }: ReportDocument): string {
  const filter = run.only.length > 0 ? `, only ${run.only.join(", ")}` : ""
  const tier = run.tier === null ? "" : `, tier ${run.tier}`
  const seed = run.seed === null ? "" : `, seed ${run.seed}, ${run.runs} runs`
  const seconds = (timings.milliseconds / 1000).toFixed(1)
  return `${spec}, suite ${run.version}, ${run.mode}${filter}${tier}${seed}; ${timings.started}, ${seconds} s`
}
