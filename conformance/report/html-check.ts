// One check of the HTML page: what was done, expected and got, bytes compared, the wire.

import type { Json } from "../driver.ts"
import { isObject } from "../values.ts"
import type { Verdict, WireEntry } from "../verdict.ts"
import { annotate, diff, isBytes, type Line } from "./annotate.ts"

/** Requests of a log that the page shows: the last ones. */
const SHOWN = 24
/** Hex digits of a value in the log. */
const DIGITS = 256

/** Text for HTML, in elements and attributes. */
export function text(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
}

/** One check: a line, or details that open. */
export function checkEntry(
  verdict: Verdict,
  stderr: string | undefined,
  sentences: ReadonlyMap<string, string>,
): string {
  const { id, title = "", req, outcome, message, kind = "vector" } = verdict
  const name = outcome.toLowerCase()
  const links = req.map((item) => `<a href="#${item}">${item}</a>`).join(" ")
  const section = id.split("-")[0] as string
  const attributes = `id="${text(id)}" class="check ${name}" data-outcome="${outcome}" data-section="${text(section)}"`
  const line = `<span class="badge ${name}">${name}</span> <code>${text(id)}</code> <span class="title">${text(title)}</span> <span class="kind">${kind}</span> <span class="reqs">${links}</span>`
  if (outcome === "PASS") return `<div ${attributes}>${line}</div>`
  const note = `<span class="note">${text(message.slice(0, 200))}</span>`
  if (verdict.log === undefined && verdict.did === undefined && stderr === undefined) {
    return `<div ${attributes}>${line}${note}</div>`
  }
  return `<details ${attributes}><summary>${line}${note}</summary>
<div class="body">${sentencesOf(verdict, sentences)}${facts(verdict)}${bytes(verdict)}${log(verdict.log ?? [])}${stderrBlock(stderr)}</div></details>`
}

function sentencesOf({ req }: Verdict, sentences: ReadonlyMap<string, string>): string {
  const paragraphs = req.map((id) => {
    return `<p class="sentence"><a href="#${id}">${id}</a> ${prose(sentences.get(id) ?? "")}</p>`
  })
  return paragraphs.join("")
}

/** A sentence of SPEC.md. */
export function prose(sentence: string): string {
  return text(sentence)
    .replaceAll("**", "")
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
}

function facts(verdict: Verdict): string {
  const { did, step, expected, actual, divergence, message, case: item } = verdict
  const rows: string[] = []
  const row = (label: string, value: string | undefined): void => {
    if (value) rows.push(`<dt>${label}</dt><dd>${text(value)}</dd>`)
  }
  row("why", item?.why)
  row("did", step === undefined ? did : `step ${step}: ${did ?? ""}`)
  if (expected === undefined && actual === undefined && divergence === undefined) {
    row("because", message)
  }
  row("expected", plain(expected))
  row("got", plain(actual))
  if (divergence !== undefined) {
    const name = divergence.name || "trace"
    row(`${name}, expected`, plain(divergence.expected))
    row(`${name}, got`, plain(divergence.actual) ?? "nothing")
  }
  return `<dl>${rows.join("")}</dl>`
}

function plain(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined
  const whole = typeof value === "string" ? value : JSON.stringify(value)
  return whole.length > 400 ? `${whole.slice(0, 400)}… (${whole.length} characters)` : whole
}

/** The annotated comparison of two byte strings, where expected and actual hold them. */
function bytes({ expected, actual, divergence }: Verdict): string {
  const pairs: string[] = []
  const compare = (name: string, left: Json | undefined, right: Json | undefined): void => {
    if (isBytes(left) && isBytes(right) && left !== right) {
      pairs.push(`<h4>${text(name)}</h4>${difference(left, right)}`)
    }
  }
  if (isObject(expected) && isObject(actual)) {
    for (const [key, value] of Object.entries(expected)) compare(key, value, actual[key])
  }
  if (divergence) compare(divergence.name, divergence.expected, divergence.actual)
  return pairs.join("")
}

function difference(expected: string, actual: string): string {
  const rows = diff(expected, actual).map((line) => {
    const mark = line.side === "both" ? " " : line.side === "expected" ? "−" : "+"
    return `<span class="${line.side}">${mark} ${bytesLine(line)}</span>`
  })
  return `<p class="key"><span class="side expected">− expected</span> <span class="side actual">+ got</span></p><pre class="hex">${rows.join("")}</pre>`
}

function bytesLine({ depth, hex, note }: Line): string {
  const left = `${"  ".repeat(depth)}${hex.replace(/(..)(?=.)/g, "$1 ")}`
  return note === "" ? left : `${left.padEnd(58)} <i>${text(note)}</i>`
}

function log(entries: readonly WireEntry[]): string {
  if (entries.length === 0) return ""
  const shown = entries.slice(-SHOWN)
  const cut = entries.length > SHOWN ? `, the last ${SHOWN} of ${entries.length} requests` : ""
  const lines = shown.map(({ op, args, reply, step, why }) => {
    const label = [step === undefined ? "" : `step ${step}`, why ?? ""].filter(Boolean).join(", ")
    const about = label === "" ? "" : ` <i>${text(label)}</i>`
    const answer = reply as unknown as Json
    const sent = `<span class="sent">&gt; ${text(op)}${about} ${value(args)}</span>`
    if (reply === undefined) return sent
    return `${sent}<span class="received ${Object.keys(reply)[0]}">&lt; ${value(answer)}</span>`
  })
  const last = shown.at(-1)
  const annotated = last ? annotations(last) : ""
  return `<details class="wire"><summary>Wire log${cut}</summary><pre>${lines.join("")}</pre>${annotated}</details>`
}

/** The bytes of the last request, annotated if they are CBOR. */
function annotations({ args }: WireEntry): string {
  return Object.entries(args)
    .filter(([, item]) => isBytes(item) && item.length > 128)
    .map(([name, item]) => {
      const lines = annotate(item as string)
      const rows = lines.map((line) => `<span>${bytesLine(line)}</span>`)
      return `<h4>${text(name)}</h4><pre class="hex">${rows.join("")}</pre>`
    })
    .join("")
}

function value(item: Json): string {
  return text(JSON.stringify(shorten(item)))
}

function shorten(item: Json): Json {
  if (typeof item === "string") {
    return item.length > DIGITS ? `${item.slice(0, DIGITS)}… (${item.length})` : item
  }
  if (Array.isArray(item)) return item.map((part) => shorten(part as Json))
  if (!isObject(item)) return item
  return Object.fromEntries(Object.entries(item).map(([key, part]) => [key, shorten(part)]))
}

function stderrBlock(stderr: string | undefined): string {
  return stderr === undefined ? "" : `<h4>standard error</h4><pre>${text(stderr)}</pre>`
}
