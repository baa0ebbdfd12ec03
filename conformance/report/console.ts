// What a person reads in a terminal: each failure so that the bug can be found from it.

import type { Hello, Json } from "../driver.ts"
import { describe } from "../judge.ts"
import type { Requirement } from "../requirements.ts"
import { isObject } from "../values.ts"
import type { Outcome, Verdict } from "../verdict.ts"
import { firstDifference, type Place } from "./annotate.ts"
import type { ReportDocument, Status } from "./document.ts"
import { headline, leftOut } from "./headline.ts"

/** Longest value in a line; what is longer is cut around the first difference. */
const WIDTH = 96

/** Text in colours, or as it is. */
export type Paint = (style: keyof typeof STYLES, text: string) => string

const STYLES = { red: 31, green: 32, yellow: 33, blue: 34, dim: 2, bold: 1 } as const

/** Colours only for a terminal, and not if NO_COLOR is set. */
export function painter(stream: { readonly isTTY?: boolean | undefined }): Paint {
  const colours = stream.isTTY === true && !process.env["NO_COLOR"]
  return (style, text) => (colours ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text)
}

/** What a failure is printed with. */
export interface Context {
  readonly paint: Paint
  readonly requirements: ReadonlyMap<string, Requirement>
  /** The command that repeats a check. */
  readonly replay: (verdict: Verdict) => string
}

/** Items of session-view (SPEC §10.2). */
const VIEW = ["th", "suite", "role", "ns", "pn", "nr", "skipped"]
/** What a message says beyond the values. */
const SAID = /state was damaged|saved steps/
/** Steps before the failing one that are told: the last ones. */
const TOLD = 12

const COLOUR: Readonly<Record<Outcome, keyof typeof STYLES>> = {
  ...{ PASS: "green", FAIL: "red", BLOCKED: "red", WARN: "yellow", UNSUPPORTED: "dim" },
} as const

const PAINTED: Readonly<Partial<Record<Status, keyof typeof STYLES>>> = {
  ...{ pass: "green", warn: "yellow", fail: "red" },
} as const

/** One verdict, in lines. */
export function formatVerdict(verdict: Verdict, context: Context): string {
  const { paint, requirements, replay } = context
  const { id, outcome, step, req, title, kind, did, expected, actual, divergence, message } =
    verdict
  const lines: string[] = []
  const row = (label: string, text: string) => {
    if (text !== "") lines.push(`  ${paint("dim", label.padEnd(8))} ${text}`)
  }
  const at = step === undefined ? "" : ` step ${step}`
  const head = `${paint(COLOUR[outcome], outcome)} ${paint("bold", id)}${at}`
  const rule = (label: string, one: string): void =>
    row(label, `[${one}] ${plain(requirements.get(one)?.text ?? "")}`)
  if (kind === "property" && req.length > 1) {
    lines.push(`${head} ${title}`)
    row("rules", "it fails if one of these is not kept:")
    for (const one of req) rule("", one)
  } else {
    const [first = "", ...others] = req
    lines.push(`${head} [${first}] ${plain(requirements.get(first)?.text ?? "")}`)
    for (const other of others) rule("also", other)
    row("case", [title, verdict.case?.why].filter(Boolean).join("; because "))
  }
  for (const line of storyOf(verdict)) row("", line)
  if (kind === "agent") for (const line of wireOf(verdict)) row("", line)
  row("did", did ?? "")
  if (expected !== undefined || actual !== undefined) {
    const [left, right] = pair(expected, actual)
    row("expected", left)
    row("got", right)
    for (const { at, wanted, came } of placesOf(expected, actual)) {
      row("at", `${at}: expected ${wanted}, got ${came}`)
    }
    if (!message.includes("expected ") || SAID.test(message)) row("", message)
  } else if (outcome !== "PASS") row("because", message)
  if (divergence !== undefined) {
    const { name, expected: wanted, actual: got } = divergence
    const [left, right] = pair(wanted, got)
    row("diverges", `${name || "trace"}: expected ${left}`)
    row("", `${" ".repeat((name || "trace").length)}  got      ${right}`)
  }
  for (const line of verdict.stderr?.trimEnd().split("\n").slice(-12) ?? []) row("stderr", line)
  if (outcome !== "UNSUPPORTED") row("replay", replay(verdict))
  return lines.join("\n")
}

/** What was done before the failing step of a counterexample, a line each. */
function storyOf({ case: item, step }: Verdict): readonly string[] {
  const steps = item?.steps?.slice(0, step ?? item.steps.length) ?? []
  const first = Math.max(0, steps.length - TOLD)
  const told = steps.slice(first).map(({ op, args, expect, mutation }, i) => {
    const end = expect === undefined || expect === "ok" ? "" : ` -> ${expect}`
    return `step ${first + i} ${op} ${describe(args)}${mutation ? " (changed)" : ""}${end}`
  })
  return first === 0 ? told : [`${first} steps, then`, ...told]
}

/** What went over the wire last, a line each. */
function wireOf({ log = [] }: Verdict): readonly string[] {
  return log.slice(-TOLD).map(({ op, args, reply }) => {
    const came = reply === undefined || reply.ok !== undefined ? "" : ` -> ${JSON.stringify(reply)}`
    return `${op} ${describe(args)}${came}`.slice(0, 2 * WIDTH)
  })
}

/** Where byte strings of CBOR differ: the item, instead of the byte. */
function placesOf(expected: Json | undefined, actual: Json | undefined): readonly Place[] {
  if (!isObject(expected) || !isObject(actual)) return []
  return Object.entries(expected).flatMap(([key, wanted]) => {
    const place = firstDifference(wanted, actual[key])
    if (place === null) return []
    const name = key === "view" ? VIEW[Number(/^item \[(\d)\]$/.exec(place.at)?.[1])] : undefined
    return [{ ...place, at: `${key} ${place.at}${name === undefined ? "" : `, ${name}`}` }]
  })
}

function plain(text: string): string {
  return text.replaceAll("**", "")
}

function text(value: Json | undefined): string {
  return value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value)
}

/** Two values, cut so that their first difference is seen. */
function pair(expected: Json | undefined, actual: Json | undefined): [string, string] {
  const [left, right] = [text(expected), text(actual)]
  if (left.length <= WIDTH && right.length <= WIDTH) return [left, right]
  let same = 0
  while (same < left.length && left[same] === right[same]) same++
  const start = Math.max(0, same - 24)
  const cut = (value: string): string => {
    const end = start + WIDTH
    return `${start > 0 ? ".." : ""}${value.slice(start, end)}${end < value.length ? ".." : ""}`
  }
  const where = start > 0 ? ` (differs from character ${same} on)` : ""
  return [cut(left), cut(right) + where]
}

/** `agent+hub T2, suites 1, 2, by x`. */
export function describeHello(hello: Hello): string {
  const { roles, tier, suites, impl } = hello
  const word = suites.length === 1 ? "suite" : "suites"
  return `${roles.join("+")} T${tier}, ${word} ${suites.join(", ")}, by ${impl.name}`
}

/** The last line of a run. */
export function formatSummary(document: ReportDocument, paint: Paint): string {
  const { hello, result, run } = document
  const { planned, passed, failed, warned, blocked, unsupported, requirements } = result
  const parts = [
    `pass ${passed}`,
    ...(failed > 0 ? [`fail ${failed}`] : []),
    ...(blocked > 0 ? [`blocked ${blocked}`] : []),
    ...(warned > 0 ? [`warn ${warned}`] : []),
    ...(unsupported > 0 ? [`unsupported ${unsupported}`] : []),
  ]
  const lines = result.broken.map((promise) => `${paint("red", "DISHONEST")} ${promise}`)
  const rest = planned - passed - failed - blocked - warned - unsupported
  const missing = rest > 0 ? ` + not reached ${rest}` : ""
  const who = hello === null ? (run.target ?? "reference") : describeHello(hello)
  const [kind, words] = headline(document)
  lines.push(
    `${paint(PAINTED[kind] ?? "red", words.toUpperCase())}: ${who}; planned ${planned} = ${parts.join(" + ")}${missing}; ` +
      `requirements ${requirements.kept}/${requirements.checked}; exit ${result.exitCode}`,
  )
  if (result.aborted !== null)
    lines.push(`${paint("red", "the run ended early")}: ${result.aborted}`)
  const silent = leftOut(document)
  if (silent !== null) lines.push(silent)
  return lines.join("\n")
}
