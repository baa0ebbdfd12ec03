// What every section of the generator uses: a book of cases with fixed ids.

import { fromHex, toHex } from "../../src/bytes.ts"
import { sign } from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import type {
  Case,
  Driver,
  Json,
  JsonObject,
  Mutation,
  Section,
  Step,
  VectorFile,
} from "../driver.ts"
import { createReference } from "../peers/reference.ts"
import { runCases } from "../runner.ts"
import { at, BULK, expandBulk, isObject, mutate, resolve, sha256Hex, withAt } from "../values.ts"
import { bstr } from "./raw.ts"

/** What a case may say beside its verdict. */
export interface Extra {
  readonly needs?: readonly string[]
  /** Leave the trace out: bulk input. */
  readonly untraced?: boolean
}

/** A mutation, with the input that it makes where that is not the mutation alone. */
export type Change = Mutation & { readonly input?: JsonObject }

type Draft = { -readonly [K in keyof Case]: Case[K] } & { untraced?: boolean }

/** All cases of one section. */
export class Book {
  readonly section: Section
  readonly #drafts = new Map<string, Draft>()

  constructor(section: Section) {
    this.section = section
  }

  #add(n: number, draft: Omit<Draft, "id">): Case {
    const id = `${this.section}-${String(n).padStart(4, "0")}`
    if (this.#drafts.has(id)) throw new Error(`${id} exists twice`)
    const whole = { id, ...draft }
    this.#drafts.set(id, whole)
    return whole
  }

  /** An accepted input; its output and trace are those of the reference. */
  ok(n: number, title: string, req: string, op: string, input: JsonObject, extra?: Extra): Case {
    return this.#add(n, { title, req: req.split(" "), op, input, expect: "ok", ...extra })
  }

  /** A rejected input: the twin's with one mutation. */
  reject(
    n: number,
    code: string,
    req: string,
    twin: Case,
    mutation: Change,
    title: string,
    why: string,
    extra?: Extra,
  ): Case {
    const { input: built, ...pure } = mutation
    const input = built ?? mutate(expandBulk(twin.input as Json) as JsonObject, pure)
    return this.#add(n, {
      ...{
        title,
        req: req.split(" "),
        op: twin.op as string,
        twin: twin.id,
        mutation: pure,
        why,
        input,
      },
      ...(twin.needs ? { needs: twin.needs } : {}),
      expect: code,
      ...extra,
    })
  }

  /** A stateful case: `expect` is the code of its rejecting steps, or ok. */
  steps(
    n: number,
    expect: string,
    req: string,
    title: string,
    steps: readonly Step[],
    extra?: Extra & { why?: string; twin?: string },
  ): Case {
    const needs = extra?.needs ?? ["deterministic"]
    return this.#add(n, { title, req: req.split(" "), expect, steps, ...extra, needs })
  }

  /** Runs everything on the reference, fills outputs in, and refuses a wrong verdict. */
  async finish(): Promise<VectorFile> {
    const driver = createReference()
    const problems: string[] = []
    for (const draft of this.#drafts.values()) {
      const problem = draft.steps ? await fillSteps(draft, driver) : await fill(draft, driver)
      if (problem) problems.push(`${draft.id} ${draft.title}: ${problem}`)
    }
    const cases = [...this.#drafts.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(tidy)
    const report = await runCases(createReference(), { cases })
    for (const { id, outcome, message } of report.verdicts) {
      if (outcome !== "PASS") problems.push(`${id} ${outcome}: ${message}`)
    }
    if (problems.length > 0)
      throw new Error(`${this.section}:\n  ${[...new Set(problems)].join("\n  ")}`)
    const ok = cases.filter((item) => item.expect === "ok").length
    return {
      format: 1,
      spec: "AgentMesh/1",
      section: this.section,
      counts: { ok, reject: cases.length - ok },
      cases,
      tombstones: [],
    }
  }
}

async function fill(draft: Draft, driver: Driver): Promise<string | null> {
  const input = expandBulk(draft.input as Json) as JsonObject
  const reply = await driver.call(draft.op as string, { ...input, trace: true })
  if (reply.fault) return reply.fault.message
  if (draft.expect !== "ok") {
    const came = reply.ok ? "ok" : (reply.reject?.code ?? "unsupported")
    return came === draft.expect ? null : `expected ${draft.expect}, got ${came}`
  }
  if (!reply.ok) return `expected ok, got ${JSON.stringify(reply)}`
  const { trace, ...output } = reply.ok
  draft.output = (await shrink(output)) as JsonObject
  if (Array.isArray(trace) && trace.length > 0 && !draft.untraced) {
    draft.trace = trace as unknown as readonly (readonly [string, string])[]
  }
  return null
}

/** Steps keep the output that they state; where they state `{}` that of the reference is filled in. */
async function fillSteps(draft: Draft, driver: Driver): Promise<string | null> {
  const outputs = new Map<string, Json>()
  const filled: Step[] = []
  for (const [i, step] of (draft.steps as readonly Step[]).entries()) {
    let args = expandBulk(resolve(step.args, outputs)) as JsonObject
    if (step.mutation?.level === "bytes") args = mutate(args, step.mutation)
    if (step.trace) args = { ...args, trace: true }
    let reply = await driver.call(step.op, args)
    for (let n = 1; n < (step.times ?? 1) && reply.ok; n++) reply = await driver.call(step.op, args)
    const came = reply.ok ? "ok" : (reply.reject?.code ?? JSON.stringify(reply))
    const wanted = step.expect ?? "ok"
    if (came !== wanted) return `step ${i} ${step.op}: expected ${wanted}, got ${came}`
    if (reply.ok && step.as) outputs.set(step.as, reply.ok)
    const blank = step.output && Object.keys(step.output).length === 0
    if (!blank || !reply.ok) filled.push(step)
    else {
      const { trace, handle: _handle, ...output } = reply.ok
      const traced = step.trace && { trace: trace as unknown as NonNullable<Case["trace"]> }
      filled.push({ ...step, output: (await shrink(output)) as JsonObject, ...traced })
    }
  }
  draft.steps = filled
  return null
}

/** Replaces bulk bytes by their hash and length. */
async function shrink(value: Json): Promise<Json> {
  if (typeof value === "string" && value.length > BULK) {
    return { sha256: await sha256Hex(value), length: value.length / 2 }
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => shrink(item as Json)))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(
    async ([key, item]) => [key, await shrink(item)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

/** Writes runs of one byte in long inputs as `{"repeat","times"}`. */
export function compact(value: Json): Json {
  if (typeof value === "string") return value.length > BULK ? compactHex(value) : value
  if (Array.isArray(value)) return value.map((item) => compact(item as Json))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, compact(item)]))
}

function compactHex(data: string): Json {
  const parts: Json[] = []
  let last = 0
  for (const match of data.matchAll(/(..)\1{255,}/g)) {
    const start = match.index + (match.index % 2)
    const byte = data.slice(start, start + 2)
    let end = start
    while (data.slice(end, end + 2) === byte) end += 2
    if (end - start < 512 || start < last) continue
    if (start > last) parts.push(data.slice(last, start))
    parts.push({ repeat: byte, times: (end - start) / 2 })
    last = end
  }
  if (parts.length === 0) return data
  if (last < data.length) parts.push(data.slice(last))
  return parts.length === 1 ? (parts[0] as Json) : { concat: parts }
}

/** Whatever else a refusal for its shape shows, it shows ENCODING-22 (ENCODING-23: a payload). */
function cited({ req, expect }: Draft): readonly string[] {
  const other = expect !== "encoding/shape" || req.some((id) => /^ENCODING-2[23]$/.test(id))
  return other ? req : [...req, "ENCODING-22"]
}

const ORDER = [
  "id",
  "title",
  "req",
  "needs",
  "expect",
  "twin",
  "mutation",
  "why",
  "op",
  "input",
  "output",
  "trace",
  "steps",
]

function tidy(draft: Draft): Case {
  const out: Record<string, Json> = {}
  for (const key of ORDER) {
    const value = (key === "req" ? cited(draft) : draft[key as keyof Draft]) as Json | undefined
    if (value !== undefined)
      out[key] = key === "input" || key === "steps" || key === "mutation" ? compact(value) : value
  }
  return out as unknown as Case
}

// ---- mutations ----

/** Level bytes: what stands at `offset` is exclusive-or-ed. */
export function flip(field: string, offset: number, xor: string = "01"): Mutation {
  return { level: "bytes", field, at: offset, xor }
}

/** Level bytes: `cut` gives way to `put` at `offset`. */
export function splice(field: string, offset: number, cut: string, put: string): Mutation {
  return { level: "bytes", field, at: offset, cut, put }
}

/** Level context: another value of an argument; undefined removes it. */
export function context(field: string, put?: Json): Mutation {
  return put === undefined ? { level: "context", field } : { level: "context", field, put }
}

/** Level field in a signed object: `path` inside the body is changed and the body signed again. */
export function resigned(
  twin: Case,
  field: string,
  path: readonly number[],
  put: string,
  secret: Uint8Array,
): Mutation & { input: JsonObject } {
  const signed = at(twin.input, field) as string
  const changed = replaceItem(signed, [0, ...path], put)
  const body = fromHex(itemAt(changed, [0]).slice(2 * headSize(itemAt(changed, [0]))))
  const whole = replaceItem(changed, [1], bstr(toHex(sign(secret, body))))
  const input = withAt(twin.input as Json, field, whole) as JsonObject
  return { level: "field", field, path: [0, ...path], put, follows: [[1]], input }
}

/** Level field without a signature: the item at `path` gives way to `put`. */
export function replaced(
  twin: Case,
  field: string,
  path: readonly number[],
  put: string,
): Mutation & { input: JsonObject } {
  const input = withAt(
    twin.input as Json,
    field,
    replaceItem(at(twin.input, field) as string, path, put),
  )
  return { level: "field", field, path, put, input: input as JsonObject }
}

function headSize(item: string): number {
  const info = Number.parseInt(item.slice(0, 2), 16) & 31
  return info < 24 ? 1 : 1 + (1 << (info - 24))
}

/** Bytes filled with `byte`. */
export function filled(byte: number, length: number): string {
  return byte.toString(16).padStart(2, "0").repeat(length)
}
