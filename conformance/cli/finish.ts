// The end of a run: reports, baseline, saved failures, what the terminal shows, the exit code.

import { join } from "node:path"
import { compareBaseline, makeBaseline, readBaseline, staleEntries } from "../baseline.ts"
import { formatSummary, formatVerdict, painter } from "../report/console.ts"
import { buildDocument, type ReportDocument, type RunInfo } from "../report/document.ts"
import { FORMATS } from "../report/formats.ts"
import type { Requirement } from "../requirements.ts"
import type { Report, Verdict } from "../verdict.ts"
import { type DriverFlags, out, packageVersion, readNamed, UsageError } from "./context.ts"
import { saveFailures, writeNamed } from "./save.ts"

/** Options of every subcommand that gives verdicts. */
export interface FinishFlags extends DriverFlags {
  readonly strict: boolean
  /** Files by format. */
  readonly report?: ReadonlyMap<string, string>
  readonly baseline?: string
  readonly updateBaseline?: boolean
  readonly saveFailures?: string
  /** The document on standard output instead of text. */
  readonly json?: boolean
  /** The hub under test: its address, or the command that starts it. */
  readonly connect?: string
  readonly spawn?: string
}

/** Failures that are printed in full, and of these for the same first requirement. */
const [PRINTED, ALIKE] = [20, 2] as const
/** Ids of others that are listed. */
const LISTED = 60

/** Sees verdicts as they come: times, and progress on a terminal. */
export class Watch {
  readonly started: Date = new Date()
  readonly times: Record<string, number> = {}
  readonly #total: number
  readonly #quiet: boolean
  #seen = 0
  #failed = 0
  readonly see: (verdict: Verdict) => void = this.lane()

  constructor(total: number, { json }: { readonly json?: boolean }) {
    this.#total = total
    this.#quiet = json === true || process.stderr.isTTY !== true
  }

  /** For checks that follow each other: what sees their verdicts. */
  lane(): (verdict: Verdict) => void {
    let last = performance.now()
    return (verdict) => {
      const now = performance.now()
      this.times[verdict.id] = Math.round((now - last) * 1000) / 1000
      last = now
      this.#count(verdict)
    }
  }

  #count({ outcome }: Verdict): void {
    this.#seen++
    if (outcome === "FAIL") this.#failed++
    if (!this.#quiet) process.stderr.write(`\r${this.#seen}/${this.#total}, ${this.#failed} failed`)
  }

  end(): { readonly started: string; readonly milliseconds: number } {
    if (!this.#quiet && this.#seen > 0) process.stderr.write("\r\x1b[K")
    const milliseconds = Math.round(Date.now() - this.started.getTime())
    return { started: this.started.toISOString(), milliseconds }
  }
}

/** Refuses combinations of options that cannot be meant. Called before anything runs. */
export function checkFlags(flags: FinishFlags & { readonly filtered: boolean }): void {
  if (flags.updateBaseline && flags.baseline === undefined) {
    throw new UsageError("--update-baseline needs --baseline FILE")
  }
  if (flags.updateBaseline && flags.filtered) {
    throw new UsageError("--update-baseline is refused on a filtered run: it would lose the rest")
  }
  if (flags.baseline !== undefined && !flags.updateBaseline) loadBaseline(flags.baseline)
}

function loadBaseline(path: string): ReturnType<typeof readBaseline> {
  try {
    return readBaseline(readNamed(path))
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`)
  }
}

/** Writes and prints everything; the exit code. */
export function finish(
  given: Report,
  watch: Watch,
  flags: FinishFlags,
  requirements: ReadonlyMap<string, Requirement>,
  info: Omit<RunInfo, "version">,
): number {
  const filtered = info.only.length > 0 || info.tier !== null
  const { report, stale } = applyBaseline(given, flags, filtered)
  const timings = { ...watch.end(), checks: watch.times }
  const run = { ...info, version: packageVersion() }
  const document = buildDocument(report, run, [...requirements.values()], timings)
  for (const [format, file] of flags.report ?? []) {
    const render = FORMATS[format as keyof typeof FORMATS]
    writeNamed(file, render(document))
  }
  if (flags.saveFailures !== undefined) saveFailures(flags.saveFailures, report.verdicts)
  if (flags.json) out(JSON.stringify(document))
  else printRun(document, report.verdicts, stale, flags, requirements)
  return report.exitCode
}

function applyBaseline(
  report: Report,
  flags: FinishFlags,
  filtered: boolean,
): { readonly report: Report; readonly stale: readonly string[] } {
  const { baseline: path, updateBaseline } = flags
  if (path === undefined || report.exitCode > 1) return { report, stale: [] }
  if (updateBaseline) {
    writeNamed(path, `${JSON.stringify(makeBaseline(report.verdicts), null, 2)}\n`)
    return { report, stale: [] }
  }
  const baseline = loadBaseline(path)
  const stale = compareBaseline(baseline, report.verdicts)
  if (!filtered) stale.push(...staleEntries(baseline, report.verdicts))
  const bad = stale.length > 0 || report.broken.length > 0
  return { report: { ...report, exitCode: bad ? 1 : 0 }, stale }
}

function printRun(
  document: ReportDocument,
  verdicts: readonly Verdict[],
  stale: readonly string[],
  flags: FinishFlags,
  requirements: ReadonlyMap<string, Requirement>,
): void {
  const paint = painter(process.stdout)
  const context = {
    paint,
    requirements,
    replay: (item: Verdict) => replayCommand(item, document.run, flags),
  }
  const shown = verdicts.filter(({ outcome }) => outcome === "FAIL" || outcome === "WARN")
  const whole = pick(shown)
  for (const verdict of whole) out(`${formatVerdict(verdict, context)}\n`)
  const rest = shown.filter((verdict) => !whole.includes(verdict)).map(({ id }) => id)
  if (rest.length > 0) {
    const ids = `${rest.slice(0, LISTED).join(" ")}${rest.length > LISTED ? " ..." : ""}`
    out(`and ${rest.length} more: ${ids}`)
    out("All in detail: --report html=report.html, or one: run --only ID\n")
  }
  const start = whereToBegin(shown)
  if (start !== null) out(`${start}\n`)
  const blocked = verdicts.filter(({ outcome }) => outcome === "BLOCKED")
  if (blocked.length > 0) {
    const [first] = blocked
    const what = `${blocked.length} refusals do not count: their accepted twin did not pass`
    out(`${paint("red", "BLOCKED")} ${what} (${first?.id}: ${first?.message})\n`)
  }
  const skipped = new Map<string, number>()
  for (const { outcome, message } of verdicts) {
    if (outcome === "UNSUPPORTED") skipped.set(message, (skipped.get(message) ?? 0) + 1)
  }
  const sorted = [...skipped].sort((a, b) => b[1] - a[1])
  const reasons = sorted
    .slice(0, 12)
    .map(([reason, count]) => `${count} ${reason.replace(/^needs /, "")}`)
  if (sorted.length > 12) reasons.push(`${sorted.length - 12} other reasons`)
  if (reasons.length > 0)
    out(`${paint("dim", "UNSUPPORTED, no pass, for want of:")} ${reasons.join(", ")}`)
  for (const line of stale) out(`${paint("red", "BASELINE")} ${line}`)
  out(formatSummary(document, paint))
}

/** Which failures are printed in full: the first ones of each requirement. */
function pick(failing: readonly Verdict[]): readonly Verdict[] {
  const seen = new Map<string, number>()
  const chosen = failing.filter(({ req }) => {
    const key = req[0] ?? ""
    seen.set(key, (seen.get(key) ?? 0) + 1)
    return (seen.get(key) as number) <= ALIKE
  })
  return chosen.slice(0, PRINTED)
}

/** Of many failures, the requirement that most of them cite, and the smallest of these. */
function whereToBegin(failing: readonly Verdict[]): string | null {
  if (failing.length < 4) return null
  const citing = new Map<string, Verdict[]>()
  for (const verdict of failing) {
    for (const id of verdict.req) citing.set(id, [...(citing.get(id) ?? []), verdict])
  }
  const [id, all] = [...citing].sort(([, a], [, b]) => b.length - a.length)[0] ?? []
  if (id === undefined || all === undefined || all.length < 3) return null
  const size = ({ req, case: item }: Verdict): number => 8 * req.length + (item?.steps?.length ?? 1)
  const smallest = all.reduce((a, b) => (size(b) < size(a) ? b : a))
  return `${all.length} of ${failing.length} failures cite ${id}; the smallest of them is ${smallest.id}`
}

/** The command that repeats one check. */
function replayCommand(
  { id, kind, case: item }: Verdict,
  run: RunInfo,
  flags: FinishFlags,
): string {
  const { driver, saveFailures } = flags
  const target = driver === undefined ? "" : ` --driver ${JSON.stringify(driver)}`
  const file = saveFailures === undefined ? undefined : join(saveFailures, `${id}.json`)
  if (item !== undefined && file !== undefined)
    return `agentmesh-conformance replay ${file}${target}`
  const seed =
    kind === "property" && run.seed !== null ? ` --seed ${run.seed} --runs ${run.runs}` : ""
  const where = run.mode === "hub" ? hubOption(flags) : target
  return `agentmesh-conformance ${run.mode} --only ${id}${seed}${where}`
}

function hubOption({ connect, spawn }: FinishFlags): string {
  if (connect !== undefined) return ` --connect ${connect}`
  return spawn === undefined ? "" : ` --spawn ${JSON.stringify(spawn)}`
}
