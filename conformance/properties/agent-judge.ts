// Properties of SPEC §12 as command sequences: judging contents, and their receipts.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, restore, sending, snapshot } from "./agents.ts"
import type { Setting } from "./define.ts"
import { content, idOf } from "./forge.ts"
import { NOW } from "./gen.ts"
import { modelProperty, move } from "./model.ts"
import type { Trial } from "./trial.ts"

/** What a puppet says in one content. */
interface Said {
  readonly id: number
  readonly kind: "good" | "kind" | "payload" | "future" | "heal" | "body"
}

interface Judge {
  readonly me: Agent
  readonly puppets: Puppet[]
  readonly suite: number
  /** Ids that were dispatched. */
  readonly ids: Set<number>
  /** Receipts due, in order. */
  due: { id: string; status: number }[]
  draws: number
}

const VERDICTS: Readonly<Record<Said["kind"], string>> = {
  good: "ok",
  heal: "heal",
  kind: "envelope/content",
  body: "envelope/content",
  payload: "agent/payload",
  future: "envelope/content",
}

function write({ id, kind }: Said): string {
  if (kind === "kind") return content(id, "", { kind: 7 })
  if (kind === "heal") return content(id, "", { kind: 1, body: "" })
  if (kind === "body") return content(id, "", { kind: 1, body: "a0" })
  if (kind === "payload") return content(id, "", { body: "80" })
  return content(id, "x", kind === "future" ? { sentMs: (NOW + 86_401) * 1000 } : {})
}

/** Verdict and receipt of a content, as §12.4 judges it; null: no receipt. */
function judge(model: Judge, { id, kind }: Said): { verdict: string; status: number | null } {
  const verdict = VERDICTS[kind]
  const receipted = kind !== "kind" && kind !== "heal" && kind !== "body"
  if (receipted && model.ids.has(id)) return { verdict: "known", status: 1 }
  if (verdict === "ok") return { verdict, status: 1 }
  return { verdict, status: receipted ? 3 : null }
}

const JUDGE_MOVES = [
  move<Judge, { puppet: number; said: readonly Said[] }>(
    "hear",
    fc.record({
      puppet: fc.nat(2),
      // An id stands once in an envelope: what a second copy there gets is not said.
      said: fc.uniqueArray(
        fc.record({
          id: fc.nat(4),
          kind: fc.constantFrom(
            "good",
            "good",
            "good",
            "kind",
            "payload",
            "future",
            "heal",
            "body",
          ),
        }),
        { minLength: 1, maxLength: 4, selector: ({ id }) => id },
      ),
    }) as fc.Arbitrary<{ puppet: number; said: readonly Said[] }>,
    async (model, trial, { puppet, said }) => {
      const from = model.puppets[puppet % model.puppets.length] as Puppet
      const args = receiving(model.me, await from.seal(said.map(write)))
      const contents: string[] = []
      const refused: string[] = []
      for (const one of said) {
        const { verdict, status } = judge(model, one)
        if (verdict === "ok") {
          model.ids.add(one.id)
          contents.push(idOf(one.id))
        } else if (verdict.includes("/")) refused.push(verdict)
        if (status !== null) model.due.push({ id: idOf(one.id), status })
      }
      const [first] = refused
      if (contents.length === 0 && first !== undefined) {
        await trial.reject("agent.receive", args, first)
        return
      }
      const came = await trial.ok("agent.receive", args, { refused })
      const ids = (came["contents"] as unknown as { id: string }[]).map((item) => item.id)
      trial.equal(ids, contents, "ids of the contents")
    },
  ),
  move<Judge, null>(
    "another session",
    fc.constant(null),
    async (model, trial) => {
      const draws = ++model.draws
      const how = { name: "peer", n: 77, draws, suite: model.suite }
      model.puppets.push(await Puppet.meet(trial.oracle, model.me, how))
    },
    ({ puppets }) => puppets.length < 3,
  ),
  move<Judge, null>(
    "answer",
    fc.constant(null),
    async (model, trial) => {
      const { envelope } = await trial.ok("agent.send", sending(model.me, "peer"))
      const said = await heard(model, trial, envelope as string)
      const receipts = said
        .filter(({ kind }) => kind === 2)
        .flatMap(({ statuses }) => statuses ?? [])
      trial.equal(
        receipts,
        model.due.map(({ status }) => status),
        "statuses of the receipts",
      )
      model.due = []
    },
    ({ ids, due }) => ids.size > 0 || due.length > 0,
  ),
  move<Judge, null>("restart", fc.constant(null), async ({ me }) =>
    restore(me, await snapshot(me)),
  ),
]

/** What the puppet reads in an answer, on whichever session it came. */
async function heard(
  { puppets }: Judge,
  trial: Trial,
  envelope: string,
): Promise<readonly { kind: number; statuses?: readonly number[] }[]> {
  for (const puppet of puppets) {
    const contents = await puppet.open(envelope).catch(() => null)
    if (contents === null) continue
    const said = contents.map((one) => trial.oracle.ok("envelope.content", { content: one }))
    return (await Promise.all(said)) as never
  }
  trial.check(false, "no session of the peer opens the answer")
  return []
}

const configs = ({ suites }: Setting) => fc.tuple(fc.constantFrom(...suites), fc.nat(0xffff))

export const AGENT_JUDGE_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{
        id: "agent-p08",
        title: "each content is judged alone, dispatched once, receipted each time",
      },
      ...{ req: "AGENT-29 AGENT-48 AGENT-50 AGENT-51 AGENT-53 AGENT-54 ENVELOPE-17 ENVELOPE-18" },
      ...{ tier: 2, runs: 20 },
    },
    {
      config: configs,
      setup: async (trial, [suite, n]): Promise<Judge> => {
        const options = { suites: [suite], trust: { accept: "any" } }
        const me = await agentOf(trial, "me", n, options)
        const how = { name: "peer", n: 77, draws: 0, suite }
        const puppets = [await Puppet.meet(trial.oracle, me, how)]
        return { me, puppets, suite, ids: new Set(), due: [], draws: 0 }
      },
      ...{ moves: JUDGE_MOVES, max: 14 },
    },
  ),
]
