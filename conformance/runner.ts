// Runs cases against a driver: twins, levels, accounting, honesty probes, exit codes.

import {
  type Case,
  claims,
  type Driver,
  type Hello,
  type JsonObject,
  OPERATIONS,
  type Reply,
} from "./driver.ts"
import { Judge } from "./judge.ts"
import { isObject, short } from "./values.ts"
import type { Outcome, Report, Verdict } from "./verdict.ts"

/** Level of a requirement. */
export type Level = "MUST" | "SHOULD" | "MAY"

/** Which cases a run covers, and how. */
export interface RunOptions {
  readonly cases: readonly Case[]
  /** Only cases whose id begins with one of these; twins are run as needed. */
  readonly only?: readonly string[]
  /** Which cases, instead of `only`. */
  readonly select?: (item: Case) => boolean
  /** Called after each verdict. */
  readonly onVerdict?: (verdict: Verdict) => void
  /** Level of a requirement; all are MUST by default. A case that cites only SHOULDs warns. */
  readonly level?: (id: string) => Level
  /** Warnings and partial tiers count as failures. */
  readonly strict?: boolean
}

/** Highest tier of the operations of a case. */
export function tierOf(item: Case): number {
  return Math.max(...operationsOf(item).map((op) => OPERATIONS.get(op) ?? 0))
}

function operationsOf(item: Case): readonly string[] {
  return item.steps?.map((step) => step.op) ?? [item.op as string]
}

/** What of `needs` an implementation lacks; undefined: nothing. */
export function lacks(hello: Hello, needs: readonly string[]): string | undefined {
  const { suites, tier, roles, caps } = hello
  return needs.find((need) => {
    const [kind, value] = need.split("-")
    if (kind === "suite") return !suites.includes(Number(value))
    if (kind === "tier") return tier < Number(value)
    if (kind === "role") return !roles.includes(value as string)
    return !caps.includes(need)
  })
}

/** Judges cases one by one; a twin is judged once. */
class Runner {
  readonly #driver: Driver
  readonly #cases: ReadonlyMap<string, Case>
  readonly #hello: Hello
  readonly #options: RunOptions
  readonly #verdicts = new Map<string, Promise<Verdict>>()

  constructor(driver: Driver, hello: Hello, options: RunOptions) {
    this.#driver = driver
    this.#hello = hello
    this.#options = options
    this.#cases = new Map(options.cases.map((item) => [item.id, item]))
  }

  verdict(id: string): Promise<Verdict> {
    let verdict = this.#verdicts.get(id)
    if (verdict === undefined) {
      verdict = this.#judge(id)
      this.#verdicts.set(id, verdict)
    }
    return verdict
  }

  async #judge(id: string): Promise<Verdict> {
    const item = this.#cases.get(id)
    if (item === undefined) {
      return { id, req: [], outcome: "FAIL", message: "no such case", calls: 0 }
    }
    const { req, title, needs = [] } = item
    const about = { id, kind: "vector" as const, title, req, calls: 0 }
    const missing = lacks(this.#hello, [`tier-${tierOf(item)}`, ...needs])
    const unclaimed = operationsOf(item).find((op) => !claims(this.#hello, op))
    if (missing !== undefined || unclaimed !== undefined) {
      return { ...about, outcome: "UNSUPPORTED", message: `needs ${missing ?? unclaimed}` }
    }
    if (item.twin !== undefined) {
      const { outcome, message } = await this.verdict(item.twin)
      if (outcome === "UNSUPPORTED") return { ...about, outcome, message }
      if (outcome !== "PASS") {
        return { ...about, outcome: "BLOCKED", message: `twin ${item.twin} did not pass` }
      }
    }
    const judge = new Judge(this.#driver, this.#hello, item)
    const finding = await judge.run()
    const { calls, log } = judge
    if (finding === null) return { ...about, outcome: "PASS", message: "", calls }
    const stderr = this.#driver.log
    const outcome = this.#weigh(item)
    return { ...about, ...finding, outcome, calls, log, case: item, ...(stderr && { stderr }) }
  }

  #weigh(item: Case): Outcome {
    const { level = () => "MUST", strict } = this.#options
    return !strict && item.req.every((id) => level(id) !== "MUST") ? "WARN" : "FAIL"
  }
}

/**
 * Runs cases against a driver.
 *
 * @param driver - Implementation under test.
 * @param options - The cases, and which of them.
 */
export async function runCases(driver: Driver, options: RunOptions): Promise<Report> {
  const { cases, only, onVerdict } = options
  const byId = (item: Case) => !only || only.some((prefix) => item.id.startsWith(prefix))
  const planned = cases.filter(options.select ?? byId)
  const greeting = await greet(driver)
  if (greeting.hello === null) {
    return summarize({ ...NOTHING, planned: planned.length, aborted: greeting.problem })
  }
  const { hello } = greeting
  const runner = new Runner(driver, hello, options)
  const verdicts: Verdict[] = []
  let broken: readonly string[] = []
  let aborted: string | undefined
  try {
    broken = await probe(driver, hello)
    for (const item of planned) {
      const verdict = await runner.verdict(item.id)
      verdicts.push(verdict)
      onVerdict?.(verdict)
    }
  } catch (error) {
    aborted = (error as Error).message
  }
  return summarize({
    ...{ hello, verdicts, planned: planned.length, broken },
    ...{ ...(aborted !== undefined && { aborted }), strict: options.strict ?? false },
  })
}

/** What {@link summarize} adds up. */
export interface Results {
  readonly hello: Hello | null
  readonly verdicts: readonly Verdict[]
  readonly planned: number
  readonly broken: readonly string[]
  readonly aborted?: string
  readonly strict: boolean
  /** Whether anything was done; by default, whether a verdict counts operations. */
  readonly executed?: boolean
}

const NOTHING = { hello: null, verdicts: [], broken: [], strict: false } as const

/** Adds up verdicts; finds the exit code. Nothing executed is never green. */
export function summarize(results: Results): Report {
  const { hello, verdicts, planned, broken, aborted, strict } = results
  const count = (outcome: Outcome) => verdicts.filter((item) => item.outcome === outcome).length
  const [passed, failed, blocked] = [count("PASS"), count("FAIL"), count("BLOCKED")]
  const [unsupported, warned] = [count("UNSUPPORTED"), count("WARN")]
  const accounted = passed + failed + blocked + unsupported + warned === planned
  const { executed = verdicts.some((item) => item.calls > 0) } = results
  const partial = hello?.ops !== undefined
  const bad = failed + blocked + broken.length + (strict ? warned + (partial ? 1 : 0) : 0) > 0
  const judged = bad ? 1 : 0
  const exitCode = aborted !== undefined ? 3 : executed && accounted ? judged : 4
  const sums = { planned, passed, failed, blocked, unsupported, warned }
  return { hello, verdicts, ...sums, broken, ...(aborted !== undefined && { aborted }), exitCode }
}

/** Asks a driver who it is. */
export async function greet(
  driver: Driver,
): Promise<{ hello: Hello; problem?: never } | { hello: null; problem: string }> {
  let reply: Reply
  try {
    reply = await driver.call("hello", { driver: 1, spec: ["AgentMesh/1"] })
  } catch (error) {
    return { hello: null, problem: `no answer to hello: ${(error as Error).message}` }
  }
  if (reply?.fault) return { hello: null, problem: `no answer to hello: ${reply.fault.message}` }
  const problem = helloProblem(reply)
  return problem === null ? { hello: reply.ok as Hello } : { hello: null, problem }
}

function helloProblem(reply: Reply): string | null {
  const ok = reply?.ok
  if (!isObject(ok)) return `hello: expected {"ok":{...}}, got ${short(reply as JsonObject)}`
  if (ok["driver"] !== 1) return `hello: "driver" is ${short(ok["driver"])}, expected 1`
  if (ok["spec"] !== "AgentMesh/1") return `hello: "spec" is not "AgentMesh/1"`
  const lists = ["roles", "suites", "caps", ...(ok["ops"] === undefined ? [] : ["ops"])]
  const list = lists.find((key) => !Array.isArray(ok[key]))
  if (list !== undefined) return `hello: "${list}" is no list`
  if (typeof ok["tier"] !== "number") return `hello: "tier" is no number`
  return isObject(ok["impl"]) ? null : `hello: "impl" is no object with a name`
}

/** Honesty probes: an operation that nobody knows, and draws that depend on their seed alone. */
async function probe(driver: Driver, hello: Hello): Promise<readonly string[]> {
  const broken: string[] = []
  const ask = async (op: string, args: JsonObject): Promise<string> => {
    try {
      return JSON.stringify(await driver.call(op, args)) ?? "nothing"
    } catch (error) {
      if ((error as Error).name === "HarnessError") throw error
      return "crash"
    }
  }
  const unknown = await ask("encoding.divine", { bytes: "00" })
  if (!unknown.startsWith('{"unsupported"')) broken.push("an unknown operation is not unsupported")
  const deterministic = hello.caps.includes("deterministic")
  if (!deterministic || !claims(hello, "identity.create")) return broken
  const create = (seed: string): Promise<string> => {
    return ask("identity.create", { name: "probe", seed: seed.repeat(32) })
  }
  const [first, second, other] = [await create("01"), await create("01"), await create("02")]
  if (first !== second) broken.push("equal seeds give different bytes")
  if (first === other) broken.push("different seeds give equal bytes")
  return broken
}
