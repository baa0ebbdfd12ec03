// A failing run becomes a case of the vector format, with concrete steps that a runner repeats.

import type { Case, Driver, Hello, Json, JsonObject, Mutation, Reply, Step } from "../driver.ts"
import type { Finding } from "../judge.ts"
import { createReference } from "../peers/reference.ts"
import { runCases } from "../runner.ts"
import { isObject, mutate, resolve } from "../values.ts"
import type { Verdict } from "../verdict.ts"
import type { Entry, Origin, Trial } from "./trial.ts"

/** Shortest text that is taken for an earlier output; shorter ones could be equal by chance. */
const LEAST = 16

/** What a case says about itself. */
export interface About {
  readonly id: string
  readonly title: string
  readonly req: readonly string[]
  readonly needs?: readonly string[]
}

/** Remembers each text of an output under its reference. */
function remember(known: Map<string, string>, value: Json | undefined, path: string): void {
  if (typeof value === "string") {
    if (value.length >= LEAST && !known.has(value)) known.set(value, path)
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) remember(known, item as Json, `${path}.${i}`)
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) remember(known, item, `${path}.${key}`)
  }
}

function refer(value: Json, known: ReadonlyMap<string, string>): Json {
  if (typeof value === "string") return known.get(value) ?? value
  if (Array.isArray(value)) return value.map((item) => refer(item as Json, known))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, refer(item, known)]))
}

/** The mutation by which one argument came from an output of an earlier step, if one did. */
function mutationOf(
  args: JsonObject,
  origins: ReadonlyMap<string, Origin>,
  known: ReadonlyMap<string, string>,
): { field: string; origin: Origin } | null {
  for (const [field, value] of Object.entries(args)) {
    const origin = typeof value === "string" ? origins.get(value) : undefined
    if (origin && known.has(origin.from)) return { field, origin }
  }
  return null
}

/** The steps of a run. Outputs of earlier steps are named, all else is written out. */
export function stepsOf(log: readonly Entry[], origins: Trial["origins"]): Step[] {
  const known = new Map<string, string>()
  return log.map(({ op, args, reply, expect, output, state }, i) => {
    const mutated = mutationOf(args, origins, known)
    const before = mutated ? { ...args, [mutated.field]: mutated.origin.from } : args
    const mutation: Mutation | null = mutated && {
      ...{ level: "bytes", field: mutated.field },
      ...mutated.origin.mutation,
    }
    const step: Step = {
      ...{ as: `s${i}`, op, args: refer(before, known) as JsonObject },
      ...(expect === "ok" ? {} : { expect }),
      ...(output && Object.keys(output).length > 0 ? { output } : {}),
      ...(state ? { state } : {}),
      ...(mutation ? { mutation } : {}),
    }
    const { handle, trace: _trace, ...rest } = reply.ok ?? {}
    if (typeof handle === "string") known.set(handle, `$s${i}`)
    remember(known, rest, `$s${i}`)
    return step
  })
}

/** Performs steps without judging them. */
async function play(driver: Driver, steps: readonly Step[]): Promise<readonly Reply[]> {
  const outputs = new Map<string, Json>()
  const replies: Reply[] = []
  for (const { as, op, args, mutation } of steps) {
    const resolved = resolve(args, outputs) as JsonObject
    const reply = await driver.call(op, mutation ? mutate(resolved, mutation) : resolved)
    if (as !== undefined && reply.ok) outputs.set(as, reply.ok)
    replies.push(reply)
  }
  return replies
}

/** Steps that expect exactly what the reference does; only for drivers with named draws. */
async function filled(steps: readonly Step[]): Promise<readonly Step[]> {
  const replies = await play(createReference(), steps)
  return steps.map((step, i) => {
    const { expect: _expect, output: _output, ...bare } = step
    const { ok, reject } = replies[i] ?? {}
    if (reject) return { ...bare, expect: reject.code }
    const { handle: _handle, trace: _trace, digest, ...output } = ok ?? {}
    const exact =
      step.op.endsWith(".digest") || digest === undefined ? output : { ...output, digest }
    return Object.keys(exact).length > 0 ? { ...bare, output: exact } : bare
  })
}

async function judged(driver: Driver, item: Case): Promise<Verdict | undefined> {
  return (await runCases(driver, { cases: [item] })).verdicts[0]
}

/**
 * The case of a failing run. It fails on the driver that failed and passes on the reference,
 * wherever the fault shows in a reply; a fault that shows only in a comparison of replies (a
 * repeated key) needs a driver with named draws, whose every output is then expected exactly.
 *
 * @returns `shown`: what is wrong when the case is performed; null if it does not show the fault.
 */
export async function toCase(
  about: About,
  trial: Trial,
  driver: Driver,
  hello: Hello,
): Promise<{ readonly case: Case; readonly shown: Finding | null }> {
  const steps = stepsOf(trial.log, trial.origins)
  const make = (list: readonly Step[]): Case => {
    const codes = new Set(list.flatMap((step) => step.expect ?? []))
    const expect = list.findLast((step) => step.expect !== undefined)?.expect ?? "ok"
    const why = codes.size > 0 ? { why: `found by ${about.id}, shrunk` } : {}
    return { ...about, title: about.title.slice(0, 100), expect, ...why, steps: list }
  }
  const attempts = [async () => steps]
  if (hello.caps.includes("deterministic")) attempts.push(async () => [...(await filled(steps))])
  for (const attempt of attempts) {
    try {
      const item = make(await attempt())
      if ((await judged(createReference(), item))?.outcome !== "PASS") continue
      const shown = await judged(driver, item)
      if (shown?.outcome === "FAIL") return { case: item, shown }
    } catch {
      // Steps that the reference cannot repeat, since they hold bytes that only this driver makes.
    }
  }
  return { case: make(steps), shown: null }
}
