// Runs vectors against a driver: verdicts with twins, state checks, accounting, exit codes.

import {
  type Case,
  type Driver,
  type Hello,
  type Json,
  type JsonObject,
  OPERATIONS,
  type Reply,
  type Step,
} from "./driver.ts"
import { difference, expandBulk, isObject, mutate, resolve } from "./values.ts"
import type { Outcome, Report, Verdict } from "./verdict.ts"

/** Which cases a run covers, and how. */
export interface RunOptions {
  readonly cases: readonly Case[]
  /** Only cases whose id begins with one of these; twins are run as needed. */
  readonly only?: readonly string[]
  /** Called after each verdict. */
  readonly onVerdict?: (verdict: Verdict) => void
}

const HANDLES = ["session", "agent", "hub"] as const

class Runner {
  readonly #driver: Driver
  readonly #cases: ReadonlyMap<string, Case>
  readonly #hello: Hello
  readonly #verdicts = new Map<string, Promise<Verdict>>()

  constructor(driver: Driver, hello: Hello, cases: readonly Case[]) {
    this.#driver = driver
    this.#hello = hello
    this.#cases = new Map(cases.map((item) => [item.id, item]))
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
    if (item === undefined)
      return { id, req: [], outcome: "FAIL", message: "no such case", calls: 0 }
    const { req } = item
    const ops = item.steps?.map((step) => step.op) ?? [item.op as string]
    const tier = Math.max(...ops.map((op) => OPERATIONS.get(op) ?? 0))
    const missing = [`tier-${tier}`, ...(item.needs ?? [])].find((need) => !this.#has(need))
    if (missing !== undefined) {
      return { id, req, outcome: "UNSUPPORTED", message: `needs ${missing}`, calls: 0 }
    }
    if (item.twin !== undefined) {
      const twin = await this.verdict(item.twin)
      if (twin.outcome === "UNSUPPORTED") return { ...twin, id, req, calls: 0 }
      if (twin.outcome !== "PASS") {
        return { id, req, outcome: "BLOCKED", message: `twin ${twin.id} did not pass`, calls: 0 }
      }
    }
    const count = { calls: 0 }
    const message = await this.#run(item, count)
    const outcome =
      message === null ? "PASS" : message.startsWith("unsupported") ? "UNSUPPORTED" : "FAIL"
    // Claimed by hello and nevertheless unsupported is a failure.
    const claimed = outcome === "UNSUPPORTED" ? "FAIL" : outcome
    return { id, req, outcome: claimed, message: message ?? "", calls: count.calls }
  }

  #has(need: string): boolean {
    const [kind, value] = need.split("-")
    const { suites, tier, roles, caps } = this.#hello
    if (kind === "suite") return suites.includes(Number(value))
    if (kind === "tier") return tier >= Number(value)
    if (kind === "role") return roles.includes(value as string)
    return caps.includes(need)
  }

  /** A driver that throws has crashed; that is the verdict of the case alone. */
  async #call(op: string, args: JsonObject): Promise<Reply> {
    try {
      return await this.#driver.call(op, args)
    } catch (error) {
      return { fault: { message: `crash: ${(error as Error)?.message ?? error}` } }
    }
  }

  async #run(item: Case, count: { calls: number }): Promise<string | null> {
    if (item.steps !== undefined) return this.#runSteps(item.steps, count)
    count.calls++
    const args = expandBulk(item.input as Json) as JsonObject
    const traced = item.trace !== undefined && this.#has("trace")
    const reply = await this.#call(item.op as string, traced ? { ...args, trace: true } : args)
    const problem = await judgeReply(reply, item.expect, item.output)
    if (problem !== null || item.trace === undefined || !this.#has("trace")) return problem
    return firstDivergence(item.trace, reply.ok?.["trace"])
  }

  async #runSteps(steps: readonly Step[], count: { calls: number }): Promise<string | null> {
    const outputs = new Map<string, Json>()
    const handles: string[] = []
    try {
      for (const [i, step] of steps.entries()) {
        const problem = await this.#runStep(step, outputs, handles, count)
        if (problem !== null) return `step ${i} ${step.op}: ${problem}`
      }
      return null
    } finally {
      for (const handle of handles) await this.#call("drop", { handle })
    }
  }

  async #runStep(
    step: Step,
    outputs: Map<string, Json>,
    handles: string[],
    count: { calls: number },
  ): Promise<string | null> {
    let args: JsonObject
    try {
      args = expandBulk(resolve(step.args, outputs)) as JsonObject
      if (step.mutation?.level === "bytes") args = mutate(args, step.mutation)
    } catch (error) {
      return (error as Error).message
    }
    if (step.trace && this.#has("trace")) args = { ...args, trace: true }
    const watched = step.state !== undefined && this.#has("digest")
    const before = watched ? await this.#digest(args) : ""
    let reply = await this.#call(step.op, args)
    count.calls++
    for (let i = 1; i < (step.times ?? 1) && reply.ok !== undefined; i++) {
      reply = await this.#call(step.op, args)
    }
    const output = step.output && (resolve(step.output, outputs) as JsonObject)
    const problem = await judgeReply(reply, step.expect ?? "ok", output)
    if (problem !== null) return problem
    if (step.trace && this.#has("trace")) {
      const divergence = firstDivergence(step.trace, reply.ok?.["trace"])
      if (divergence !== null) return divergence
    }
    if (watched) {
      const moved = (await this.#digest(args)) !== before
      if (moved !== (step.state === "committed")) {
        return moved ? "the state changed" : "the state did not change"
      }
    }
    if (reply.ok !== undefined) {
      if (step.as !== undefined) outputs.set(step.as, reply.ok)
      const handle = reply.ok["handle"]
      if (typeof handle === "string") handles.push(handle)
    }
    return null
  }

  /** Digests of all state that the arguments name. */
  async #digest(args: JsonObject): Promise<string> {
    let all = ""
    for (const kind of HANDLES) {
      const handle = args[kind]
      if (typeof handle !== "string") continue
      const reply = await this.#call(`${kind}.digest`, { [kind]: handle })
      all += `${kind} ${JSON.stringify(reply.ok?.["digest"] ?? reply)} `
    }
    return all
  }
}

async function judgeReply(
  reply: Reply,
  expect: string,
  output: JsonObject | undefined,
): Promise<string | null> {
  if (reply.fault) return `fault: ${reply.fault.message}`
  if (reply.unsupported) return `unsupported: ${reply.unsupported.reason}`
  if (expect !== "ok") {
    if (reply.ok) return `expected ${expect}; got ok`
    if (reply.reject?.released) return `expected ${expect}; content was released`
    const code = reply.reject?.code
    return code === expect ? null : `expected ${expect}; got ${code}`
  }
  if (!reply.ok) return `expected ok; got ${reply.reject?.code ?? "no verdict"}`
  return output === undefined ? null : difference(output, reply.ok)
}

/** Names the first intermediate value that differs. */
function firstDivergence(
  expected: readonly (readonly [string, string])[],
  actual: Json | undefined,
): string | null {
  if (!Array.isArray(actual)) return "expected a trace; got none"
  const given = new Map((actual as readonly (readonly [string, string])[]).map(([k, v]) => [k, v]))
  for (const [name, value] of expected) {
    const got = given.get(name)
    if (got !== value) {
      return `diverges at ${name}: expected ${value.slice(0, 32)}, got ${String(got).slice(0, 32)}`
    }
  }
  return null
}

/**
 * Runs cases against a driver.
 *
 * @param driver - Implementation under test.
 * @param options - The cases, and which of them.
 */
export async function runCases(driver: Driver, options: RunOptions): Promise<Report> {
  const { cases, only, onVerdict } = options
  const planned = cases.filter((item) => !only || only.some((prefix) => item.id.startsWith(prefix)))
  const hello = await greet(driver)
  if (hello === null) return report(null, [], planned.length, [], 3)
  const runner = new Runner(driver, hello, cases)
  const verdicts: Verdict[] = []
  for (const item of planned) {
    const verdict = await runner.verdict(item.id)
    verdicts.push(verdict)
    onVerdict?.(verdict)
  }
  return report(hello, verdicts, planned.length, await probe(driver, hello))
}

async function greet(driver: Driver): Promise<Hello | null> {
  try {
    return readHello(await driver.call("hello", { driver: 1, spec: ["AgentMesh/1"] }))
  } catch {
    return null
  }
}

/** Honesty probes: an operation that nobody knows, and draws that depend on their seed alone. */
async function probe(driver: Driver, hello: Hello): Promise<readonly string[]> {
  const broken: string[] = []
  const ask = async (op: string, args: JsonObject): Promise<string> => {
    try {
      return JSON.stringify(await driver.call(op, args))
    } catch {
      return "crash"
    }
  }
  const unknown = await ask("encoding.divine", { bytes: "00" })
  if (!unknown.startsWith('{"unsupported"')) broken.push("an unknown operation is not unsupported")
  if (hello.tier < 1 || !hello.caps.includes("deterministic")) return broken
  const create = (seed: string): Promise<string> => {
    return ask("identity.create", { name: "probe", seed: seed.repeat(32) })
  }
  const [first, second, other] = [await create("01"), await create("01"), await create("02")]
  if (first !== second) broken.push("equal seeds give different bytes")
  if (first === other) broken.push("different seeds give equal bytes")
  return broken
}

function readHello(reply: Reply): Hello | null {
  const { ok } = reply
  if (!isObject(ok) || ok["driver"] !== 1 || ok["spec"] !== "AgentMesh/1") return null
  const lists = ["roles", "suites", "caps"].every((key) => Array.isArray(ok[key]))
  return lists && typeof ok["tier"] === "number" ? (ok as Hello) : null
}

function report(
  hello: Hello | null,
  verdicts: readonly Verdict[],
  planned: number,
  broken: readonly string[],
  exit?: 3,
): Report {
  const count = (outcome: Outcome) => verdicts.filter((item) => item.outcome === outcome).length
  const sums = {
    passed: count("PASS"),
    failed: count("FAIL"),
    blocked: count("BLOCKED"),
    unsupported: count("UNSUPPORTED"),
    warned: count("WARN"),
  }
  const { passed, failed, blocked, unsupported } = sums
  const accounted = passed + failed + blocked + unsupported === planned
  const executed = verdicts.some((item) => item.calls > 0)
  const verdict = failed + blocked + broken.length > 0 ? 1 : 0
  const exitCode = exit ?? (executed && accounted ? verdict : 4)
  return { hello, verdicts, planned, ...sums, broken, exitCode }
}
