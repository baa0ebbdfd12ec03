// Performs one case and says what is wrong with what came back; DRIVER.md has the algorithm.

import {
  type Case,
  type Driver,
  HarnessError,
  type Hello,
  type Json,
  type JsonObject,
  type Mutation,
  type Reply,
  type Step,
  type Trace,
} from "./driver.ts"
import {
  describeDifference,
  expandBulk,
  findDifference,
  isObject,
  mutate,
  resolve,
  short,
} from "./values.ts"
import type { Divergence, Verdict, WireEntry } from "./verdict.ts"

/** What is wrong. */
export type Finding = Pick<
  Verdict,
  "message" | "step" | "did" | "expected" | "actual" | "divergence" | "breakdown"
>

/** Longest string of an argument or result that a log keeps, in characters. */
const LOGGED = 8_192
/** Requests of one case that a log keeps: the last ones. */
const ENTRIES = 200

const HANDLES = ["session", "agent", "hub"] as const

/** What of a step, or of a case without steps, decides about its one operation. */
type Performed = Pick<Step, "op" | "as" | "expect" | "output" | "trace" | "times">

/** One performance of one case. */
export class Judge {
  readonly #driver: Driver
  readonly #hello: Hello
  readonly #item: Case
  readonly #outputs = new Map<string, Json>()
  readonly #handles: string[] = []
  #log: WireEntry[] = []
  #step: number | undefined
  #ended = false
  #calls = 0

  constructor(driver: Driver, hello: Hello, item: Case) {
    this.#driver = driver
    this.#hello = hello
    this.#item = item
  }

  /** Operations so far, without those that only watch the state. */
  get calls(): number {
    return this.#calls
  }

  /** What went over the wire, bounded. */
  get log(): readonly WireEntry[] {
    return this.#log.slice(-ENTRIES).map(clip)
  }

  /** Performs the case; null if all is as it has to be. Throws a HarnessError. */
  async run(): Promise<Finding | null> {
    const { steps, op, input, mutation, twin } = this.#item
    if (steps !== undefined) return this.#runSteps(steps)
    const args = expandBulk(input as Json) as JsonObject
    const did = `${op} ${describe(args)}${describeMutation(mutation, twin)}`
    const finding = await this.#perform(this.#item as Performed, args)
    return finding && { did, ...finding }
  }

  async #runSteps(steps: readonly Step[]): Promise<Finding | null> {
    try {
      for (const [i, step] of steps.entries()) {
        this.#step = i
        const finding = await this.#runStep(step)
        if (finding === null) continue
        const refused = steps.findIndex((other, j) => j < i && other.twin === i)
        const blame =
          refused >= 0 && steps[refused]?.state === "unchanged"
            ? `; before the refused step ${refused} it would have been accepted: the state was damaged`
            : ""
        const did = `${step.op} ${describe(step.args)}${describeMutation(step.mutation, step.twin)}`
        const message = `step ${i} ${step.op}: ${finding.message}${blame}`
        return { did, ...finding, message, step: i }
      }
      return null
    } finally {
      if (!this.#ended) for (const handle of this.#handles) await this.#call("drop", { handle })
    }
  }

  async #runStep(step: Step): Promise<Finding | null> {
    let args: JsonObject
    try {
      args = expandBulk(resolve(step.args, this.#outputs)) as JsonObject
      if (step.mutation?.level === "bytes") args = mutate(args, step.mutation)
    } catch (error) {
      return { message: (error as Error).message }
    }
    const watched = step.state !== undefined && this.#hello.caps.includes("digest")
    const before = watched ? await this.#digest(args) : ""
    const output = step.output && (resolve(step.output, this.#outputs) as JsonObject)
    const finding = await this.#perform({ ...step, ...(output && { output }) }, args)
    if (finding !== null || !watched) return finding
    const moved = (await this.#digest(args)) !== before
    if (moved === (step.state === "committed")) return null
    const actual = moved ? "committed" : "unchanged"
    const message = moved ? "the state changed" : "the state did not change"
    return { message, expected: `state ${step.state}`, actual: `state ${actual}` }
  }

  /** One operation and its result. */
  async #perform(step: Performed, given: JsonObject): Promise<Finding | null> {
    const { expect = "ok", output, trace, times = 1 } = step
    const traced = trace !== undefined && this.#hello.caps.includes("trace")
    const args = traced ? { ...given, trace: true } : given
    let reply = await this.#call(step.op, args)
    this.#calls++
    for (let i = 1; i < times && reply.ok !== undefined; i++) {
      reply = await this.#call(step.op, args)
      this.#calls++
    }
    if (reply.ok !== undefined) {
      if (step.as !== undefined) this.#outputs.set(step.as, reply.ok)
      const handle = reply.ok["handle"]
      if (typeof handle === "string") this.#handles.push(handle)
    }
    const divergence = traced && reply.ok ? diverges(trace, reply.ok["trace"]) : null
    const finding = await judgeReply(reply, expect, output)
    if (finding !== null) return divergence ? { ...finding, divergence } : finding
    if (divergence === null) return null
    const { name, expected, actual } = divergence
    const message =
      name === "" ? "expected a trace; got none" : `diverges at ${name}: ${pair(expected, actual)}`
    return { message, divergence }
  }

  async #call(op: string, args: JsonObject, why?: string): Promise<Reply> {
    let reply: Reply
    try {
      reply = checked(await this.#driver.call(op, args))
    } catch (error) {
      if (error instanceof HarnessError) throw error
      // A driver in this process that throws has crashed; that is the verdict of the case alone.
      const message = `crash: ${(error as Error)?.message ?? error}`
      reply = { fault: { message, breakdown: "crash" } }
    }
    const step = this.#step
    this.#log.push({ op, args, reply, ...(step !== undefined && { step }), ...(why && { why }) })
    if (this.#log.length > 2 * ENTRIES) this.#log = this.#log.slice(-ENTRIES)
    if (reply.fault?.breakdown) this.#ended = true
    return reply
  }

  /** Digests of all state that the arguments name. */
  async #digest(args: JsonObject): Promise<string> {
    let all = ""
    for (const kind of HANDLES) {
      const handle = args[kind]
      if (typeof handle !== "string") continue
      const reply = await this.#call(`${kind}.digest`, { [kind]: handle }, "state")
      all += `${kind} ${JSON.stringify(reply.ok?.["digest"] ?? reply)} `
    }
    return all
  }
}

/** A reply with exactly one of the four members; anything else breaks the protocol. */
function checked(reply: Reply): Reply {
  if (isObject(reply as unknown as Json)) {
    const kinds = [reply.ok, reply.reject, reply.unsupported, reply.fault]
    const given = kinds.filter((kind) => kind !== undefined)
    if (given.length === 1 && isObject(given[0] as unknown as Json)) return reply
  }
  const message = `no verdict: exactly one of ok, reject, unsupported, fault; got ${short(reply as unknown as Json)}`
  return { fault: { message, breakdown: "harness" } }
}

/** What is wrong with a reply; null if it is as expected. */
export async function judgeReply(
  reply: Reply,
  expect: string,
  output: JsonObject | undefined,
): Promise<Finding | null> {
  const { ok, reject, unsupported, fault } = reply
  const expected = expect === "ok" ? "ok" : `reject ${expect}`
  if (fault) {
    const { message, breakdown = "fault" } = fault
    return { message: `fault: ${message}`, expected, actual: `fault: ${message}`, breakdown }
  }
  if (unsupported) {
    const actual = `unsupported: ${unsupported.reason}`
    return { message: `${actual}, though hello claims it`, expected, actual }
  }
  if (expect !== "ok") {
    if (ok) return { message: `expected ${expect}; got ok`, expected, actual: { ok } }
    if (reject?.released) {
      const message = `expected ${expect}; content was released`
      return { message, expected, actual: { released: reject.released } }
    }
    const actual = `reject ${reject?.code}`
    const message = `expected ${expect}; got ${reject?.code}`
    return reject?.code === expect ? null : { message, expected, actual }
  }
  if (!ok) {
    return {
      message: `expected ok; got ${reject?.code}`,
      expected,
      actual: `reject ${reject?.code}`,
    }
  }
  const found = output === undefined ? null : await findDifference(output, ok)
  if (found === null) return null
  const where = found.path === "" ? "output" : found.path
  const actual = found.actual === undefined ? `no ${where}` : { [where]: found.actual }
  return { message: describeDifference(found), expected: { [where]: found.expected }, actual }
}

/** The first intermediate value that differs; without a name: there is no trace. */
function diverges(expected: Trace, actual: Json | undefined): Divergence | null {
  if (!Array.isArray(actual)) return { name: "", expected: "a trace" }
  const pairs = (actual as Trace).filter(Array.isArray)
  for (const [name, value] of expected) {
    // Handshake and step may use one name for two values: any of them will do.
    const given = pairs.filter(([other]) => other === name).map(([, hex]) => hex)
    if (given.includes(value)) continue
    const [got] = given
    return got === undefined ? { name, expected: value } : { name, expected: value, actual: got }
  }
  return null
}

function pair(expected: Json, actual: Json | undefined): string {
  return `expected ${String(expected).slice(0, 32)}, got ${String(actual).slice(0, 32)}`
}

/** Arguments in a line. */
export function describe(args: JsonObject): string {
  const parts = Object.entries(args).map(([key, value]) => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "")
    return `${key}=${text.length > 40 ? `${text.slice(0, 36)}..` : text}`
  })
  return parts.join(" ")
}

function describeMutation(mutation?: Mutation, twin?: string | number): string {
  if (mutation === undefined) return ""
  const { level, field, at, cut, put, xor, path } = mutation
  const place = path === undefined ? (at === undefined ? "" : ` at byte ${at}`) : ` item ${path}`
  const change =
    xor !== undefined
      ? ` ^${xor}`
      : `${cut === undefined ? "" : ` -${digits(cut)}`}${put === undefined ? "" : ` +${short(put)}`}`
  const of = twin === undefined ? "" : ` of ${typeof twin === "number" ? "step " : ""}${twin}`
  return ` (one defect${of}: ${level} ${field}${place}${change})`
}

function digits(text: string): string {
  return text.length > 40 ? `${text.slice(0, 36)}.. (${text.length / 2} bytes)` : text
}

function clip(entry: WireEntry): WireEntry {
  return clipValue(entry as unknown as Json) as unknown as WireEntry
}

/** A value whose long strings are cut. */
function clipValue(value: Json): Json {
  if (typeof value === "string") {
    const rest = value.length - LOGGED
    return rest > 0 ? `${value.slice(0, LOGGED)}.. (${rest} more)` : value
  }
  if (Array.isArray(value)) return value.map((item) => clipValue(item as Json))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clipValue(item)]))
}
