// What a JSON Schema cannot say about vectors: twins, mutations, echoes, requirement ids, codes.

import { itemAt, replaceItem } from "../cbor.ts"
import type { Case, Json, JsonObject, Mutation, Step, VectorFile } from "../driver.ts"
import { at, expandBulk, isObject, mutate, resolve, withAt } from "../values.ts"

/** What vectors are held against. */
export interface LintContext {
  /** Error codes of SPEC §13. */
  readonly codes: readonly string[]
  /** Requirement ids of SPEC.md; null while there is no text. */
  readonly requirements: ReadonlySet<string> | null
  /** Codes that no vector can reach, because they come from outside the protocol. */
  readonly unreachable: readonly string[]
}

/** Every problem of a set of vector files, one line each; empty if there is none. */
export function lintVectors(files: readonly VectorFile[], context: LintContext): string[] {
  const problems: string[] = []
  const seen = new Set<string>()
  const used = new Set<string>()
  for (const file of files) {
    const byId = new Map(file.cases.map((item) => [item.id, item]))
    const ok = file.cases.filter((item) => item.expect === "ok").length
    if (file.counts.ok !== ok || file.counts.reject !== file.cases.length - ok) {
      problems.push(`${file.section}: wrong counts`)
    }
    for (const id of [...file.cases, ...file.tombstones].map((item) => item.id)) {
      if (seen.has(id)) problems.push(`${id}: used twice`)
      if (!id.startsWith(`${file.section}-`)) problems.push(`${id}: in the wrong file`)
      seen.add(id)
    }
    for (const item of file.cases) {
      used.add(item.expect)
      for (const problem of lintCase(item, byId, context)) problems.push(`${item.id}: ${problem}`)
    }
  }
  for (const code of context.codes) {
    const reached = used.has(code)
    if (!reached && !context.unreachable.includes(code)) problems.push(`no case for ${code}`)
    if (reached && context.unreachable.includes(code)) problems.push(`${code} is reachable`)
  }
  return problems
}

function* lintCase(
  item: Case,
  cases: ReadonlyMap<string, Case>,
  context: LintContext,
): Generator<string> {
  if (item.expect !== "ok" && !context.codes.includes(item.expect)) {
    yield `code ${item.expect} is not in the closed list`
  }
  for (const id of item.req) {
    if (context.requirements && !context.requirements.has(id)) yield `no requirement ${id}`
  }
  for (const args of item.steps?.map((step) => step.args) ?? [item.input as JsonObject]) {
    yield* lintHex(args)
  }
  if (item.steps) yield* lintSteps(item, item.steps)
  else if (item.expect === "ok") yield* lintAccepted(item)
  else yield* lintRejected(item, cases)
}

/** Arguments that are text and not bytes. */
const TEXTS = new Set([
  ...["profile", "name", "address", "purpose", "role", "recipient", "card", "passphrase", "link"],
  ...[
    "to",
    "from",
    "accept",
    "send",
    "fingerprint",
    "session",
    "agent",
    "hub",
    "snapshot",
    "repeat",
  ],
])

/** Every argument that is no text is hex: bad hex must not be what is refused. */
function* lintHex(value: Json, key: string = ""): Generator<string> {
  if (key === "value" || key === "context" || TEXTS.has(key)) {
    if (isObject(value))
      for (const [name, item] of Object.entries(value)) yield* lintHex(item, name)
  } else if (typeof value === "string") {
    const hex = value.startsWith("$") || /^(?:[0-9a-f]{2})*$/.test(value)
    if (!hex) yield `argument ${key} is no hex`
  } else if (Array.isArray(value)) {
    for (const item of value) yield* lintHex(item as Json, key)
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) yield* lintHex(item, name)
  }
}

function* lintAccepted(item: Case): Generator<string> {
  if (item.output === undefined) yield "accepted without an output"
  else yield* lintEcho(item.input as Json, item.output)
}

/** No output occurs in the same call's input: a driver that repeats its input must not pass. */
function* lintEcho(input: Json, output: Json): Generator<string> {
  const given = leaves(expandBulk(input))
  const all = given.join("\n")
  const results = leaves(output)
  for (const leaf of results) {
    if (leaf.length >= 16 && given.includes(leaf)) yield `output ${leaf.slice(0, 32)} is an input`
  }
  if (!results.some((leaf) => !all.includes(leaf))) yield "every output occurs in the input"
}

function leaves(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => leaves(item as Json))
  if (isObject(value)) return Object.values(value).flatMap(leaves)
  return value === null ? [] : [String(value)]
}

function* lintRejected(item: Case, cases: ReadonlyMap<string, Case>): Generator<string> {
  const twin = cases.get(item.twin ?? "")
  if (twin === undefined) return yield `twin ${item.twin} is not in this file`
  if (twin.expect !== "ok") yield `twin ${twin.id} is not accepted`
  if (twin.op !== item.op) yield `twin ${twin.id} is another operation`
  if (item.mutation === undefined) return yield "no mutation"
  const [from, to] = [twin.input, item.input].map(
    (input) => expandBulk(input as Json) as JsonObject,
  )
  const problem = checkMutation(from as JsonObject, to as JsonObject, item.mutation)
  if (problem !== null) yield problem
}

/** Why `mutation` does not turn `from` into `to`; null if it does. */
export function checkMutation(from: JsonObject, to: JsonObject, mutation: Mutation): string | null {
  const { level, field, with: extra = {} } = mutation
  let start: JsonObject = from
  for (const [path, value] of Object.entries(extra)) {
    start = withAt(start, path, expandBulk(value)) as JsonObject
  }
  if (same(from, to)) return "the mutation changes nothing"
  if (level !== "field") {
    const pure =
      mutation.put === undefined ? mutation : { ...mutation, put: expandBulk(mutation.put) }
    try {
      return same(mutate(start, pure), to) ? null : "the mutation gives another input"
    } catch (error) {
      return (error as Error).message
    }
  }
  const value = at(to, field)
  if (!same(withAt(start, field, value), to)) return `something else than ${field} differs`
  const { path, put, follows = [] } = mutation
  if (path === undefined && follows.length === 0) return null
  let changed = at(start, field) as string
  if (path !== undefined) changed = replaceItem(changed, path, expandBulk(put as Json) as string)
  for (const other of follows) changed = replaceItem(changed, other, itemAt(value as string, other))
  return changed === value ? null : "other items than path and follows differ"
}

/** Equal, whatever the order of keys. */
function same(a: Json | undefined, b: Json | undefined): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item as Json)).join()}]`
  if (!isObject(value)) return JSON.stringify(value) ?? "absent"
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${key}:${canonical(item)}`).join()}}`
}

function* lintSteps(item: Case, steps: readonly Step[]): Generator<string> {
  const codes = new Set(steps.map((step) => step.expect ?? "ok"))
  codes.delete("ok")
  const expected = item.expect === "ok" ? [] : [item.expect]
  if ([...codes].join() !== expected.join()) yield `steps give ${[...codes].join()}`
  for (const [i, step] of steps.entries()) {
    if (step.expect === undefined) continue
    const twin = steps[step.twin ?? -1]
    if (twin === undefined || twin.expect !== undefined || twin.op !== step.op) {
      yield `step ${i} has no accepted twin`
    } else if (step.mutation !== undefined) {
      yield* lintStep(i, step, twin, step.mutation, steps)
    }
  }
}

function* lintStep(
  i: number,
  step: Step,
  twin: Step,
  mutation: Mutation,
  steps: readonly Step[],
): Generator<string> {
  const names = new Map<string, Json>()
  for (const { as, output } of steps) {
    if (as !== undefined) names.set(as, { handle: `$${as}`, ...output })
  }
  if (mutation.field === "state") {
    if (!same(step.args, twin.args)) yield `step ${i}: only the state may differ`
    return
  }
  const [from, to] = [twin.args, step.args].map(
    (args) => expandBulk(resolve(args, names)) as JsonObject,
  )
  const given = mutation.level === "bytes" ? mutate(to as JsonObject, mutation) : (to as JsonObject)
  const { put } = mutation
  const pure = put === undefined ? mutation : { ...mutation, put: resolve(put, names) }
  const problem = checkMutation(from as JsonObject, given, pure)
  if (problem !== null) yield `step ${i}: ${problem}`
}
