// Properties of SPEC §12 as command sequences: pins and policies, judging contents, both clocks.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, restore, sending, snapshot } from "./agents.ts"
import type { Setting } from "./define.ts"
import { content, idOf } from "./forge.ts"
import { NOW } from "./gen.ts"
import { modelProperty, move } from "./model.ts"
import type { Oracle, Trial } from "./trial.ts"

const POLICIES = ["first-use", "any", "pinned", "verified"] as const
type Policy = (typeof POLICIES)[number]
type Which = 0 | 1

/** One name and two identities that claim it. */
interface Pins {
  readonly me: Agent
  readonly accept: Policy
  readonly send: Policy
  readonly suite: number
  readonly claims: readonly { readonly bundle: string; readonly fingerprint: string }[]
  pin: Which | null
  verified: boolean
  /** Whether something can be sent: a bundle is stored, or a session lives. */
  reach: boolean
  draws: number
}

async function claimants(oracle: Oracle, suite: number): Promise<Pins["claims"]> {
  const claims = []
  for (const n of [31, 32]) {
    // The same seeds as those of the puppets below.
    const { bundle, fingerprint } = await agentOf(oracle, "bob", n, { suites: [suite] })
    claims.push({ bundle, fingerprint })
  }
  return claims
}

const which = fc.constantFrom<Which>(0, 1)

const PIN_MOVES = [
  move<Pins, { who: Which; print: "none" | "right" | "wrong" }>(
    "connect",
    fc.record({ who: which, print: fc.constantFrom("none", "right", "wrong") }),
    async (model, trial, { who, print }) => {
      const { bundle, fingerprint } = model.claims[who] as Pins["claims"][0]
      const other = model.claims[1 - who]?.fingerprint as string
      const named = { none: {}, right: { fingerprint }, wrong: { fingerprint: other } }[print]
      const args: JsonObject = { agent: model.me.handle, bundle, ...named }
      if (print === "wrong") {
        await trial.reject("agent.trust", args, "identity/fingerprint", "unchanged")
      } else if (model.pin !== null && model.pin !== who) {
        await trial.reject("agent.trust", args, "identity/changed", "unchanged")
      } else {
        model.pin = who
        model.verified ||= print === "right"
        model.reach = true
        const trust = model.verified ? "verified" : "pinned"
        await trial.ok("agent.trust", args, { trust, fingerprint })
      }
    },
  ),
  move<Pins, Which>(
    "verify",
    which,
    async (model, trial, who) => {
      const address = `bob#${model.claims[who]?.fingerprint}`
      const args = { agent: model.me.handle, address }
      if (who === model.pin) {
        await trial.ok("agent.verify", args, { trust: "verified" })
        model.verified = true
      } else await trial.reject("agent.verify", args, "identity/fingerprint", "unchanged")
    },
    ({ pin }) => pin !== null,
  ),
  move<Pins, null>("forget", fc.constant(null), async (model, trial) => {
    await trial.ok("agent.forget", { agent: model.me.handle, name: "bob" })
    Object.assign(model, { pin: null, verified: false, reach: false })
  }),
  move<Pins, Which>("init", which, async (model, trial, who) => {
    const draws = ++model.draws
    const how = { name: "bob", n: 31 + who, draws, suite: model.suite }
    const envelope = await (await Puppet.meet(trial.oracle, model.me, how)).seal([content(draws)])
    const args = receiving(model.me, envelope)
    const known = model.pin !== null
    const allowed = {
      "first-use": known,
      any: true,
      pinned: known,
      verified: known && model.verified,
    }[model.accept]
    if (known && model.pin !== who) {
      await trial.reject("agent.receive", args, "identity/changed", "unchanged")
    } else if (!allowed)
      await trial.reject("agent.receive", args, "identity/untrusted", "unchanged")
    else {
      const trust = model.verified ? "verified" : "pinned"
      const { fingerprint } = model.claims[who] as Pins["claims"][0]
      await trial.ok("agent.receive", args, { sender: { name: "bob", fingerprint, trust } })
      Object.assign(model, { pin: who, reach: true })
    }
  }),
  move<Pins, Which | null>(
    "send",
    fc.constantFrom<Which | null>(null, 0, 1),
    async (model, trial, who) => {
      const to = who === null ? "bob" : `bob#${model.claims[who]?.fingerprint}`
      const args = sending(model.me, to)
      const meets = who !== null && who === model.pin
      if (model.pin === null) await trial.reject("agent.send", args, "agent/no-hub")
      else if (who !== null && !meets)
        await trial.reject("agent.send", args, "identity/fingerprint")
      else if (model.send === "verified" && !model.verified && !meets) {
        await trial.reject("agent.send", args, "identity/untrusted")
      } else {
        await trial.ok("agent.send", args)
        model.verified ||= meets
      }
    },
  ),
  move<Pins, null>("restart", fc.constant(null), async ({ me }) => restore(me, await snapshot(me))),
]

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

/** SPEC §2: how a clock is believed. */
interface Clock {
  readonly me: Agent
  readonly puppet: Puppet
  now: number
  kept: number
  jump: number | null
  /** Stamp of the last verified receive. */
  verified: number
  /** Whether the prekey of its init is erased. */
  erased: boolean
  heard: number
}

const DAY = 86_400
/** End of the first bundle of an agent that is made at NOW. */
const NOT_AFTER = NOW - 3_600 + 30 * DAY

function commit(model: Clock): void {
  const { now, kept, jump } = model
  if (Math.abs(now - kept) <= 7 * DAY) Object.assign(model, { kept: now, jump: null })
  else if (jump === null || now < jump) model.jump = now
  else if (now - jump >= DAY) Object.assign(model, { kept: now, jump: null })
}

const CLOCK_MOVES = [
  move<Clock, number>(
    "clock",
    fc.constantFrom(
      1,
      DAY,
      6 * DAY,
      7 * DAY,
      7 * DAY + 1,
      20 * DAY,
      29 * DAY,
      3650 * DAY,
      -DAY,
      -3650 * DAY,
    ),
    async (model, trial, seconds) => {
      model.now = Math.max(NOW, model.now + seconds)
      commit(model)
      const latest = Math.max(model.now, model.kept)
      if (model.verified > latest) model.verified = latest
      model.erased ||= model.kept > NOT_AFTER + 8 * DAY
      await trial.ok("agent.clock", { agent: model.me.handle, now: model.now })
    },
  ),
  move<Clock, null>("hear", fc.constant(null), async (model, trial) => {
    const heal = content(++model.heard, "", { kind: 1, body: "" })
    const args = receiving(model.me, await model.puppet.seal([heal]))
    const alive = model.kept - model.verified < 30 * DAY
    if (!alive) {
      // An init that is repeated after its session is over is a replay, while its prekey lives.
      const code = model.erased ? "handshake/unknown-prekey" : "handshake/replay"
      await trial.reject("agent.receive", args, code)
      return
    }
    commit(model)
    model.verified = Math.max(model.now, model.kept)
    await trial.ok("agent.receive", args, { contents: [] })
  }),
  move<Clock, null>("restart", fc.constant(null), async (model) => {
    await restore(model.me, await snapshot(model.me), model.now)
  }),
]

const configs = ({ suites }: Setting) => fc.tuple(fc.constantFrom(...suites), fc.nat(0xffff))

export const AGENT_TRUST_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{ id: "agent-p07", title: "a name keeps its key, and a policy its word" },
      ...{
        req: "IDENTITY-8 IDENTITY-9 IDENTITY-10 IDENTITY-12 AGENT-59 AGENT-60 AGENT-61",
        tier: 2,
      },
      runs: 20,
    },
    {
      config: (setting) =>
        fc.tuple(configs(setting), fc.constantFrom(...POLICIES), fc.constantFrom(...POLICIES)),
      setup: async (trial, [[suite, n], accept, send]): Promise<Pins> => {
        const me = await agentOf(trial, "me", n, { suites: [suite], trust: { accept, send } })
        const claims = await claimants(trial.oracle, suite)
        return {
          ...{ me, accept, send, suite, claims, pin: null, verified: false, reach: false },
          draws: 0,
        }
      },
      ...{ moves: PIN_MOVES, max: 16 },
    },
  ),
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
  modelProperty(
    {
      ...{ id: "agent-p09", title: "one absurd clock reading neither erases nor keeps a session" },
      ...{ req: "AGENT-1 SESSION-22", tier: 2, runs: 20 },
    },
    {
      config: configs,
      setup: async (trial, [suite, n]): Promise<Clock> => {
        const options = { suites: [suite], trust: { accept: "any" } }
        const me = await agentOf(trial, "me", n, options)
        const puppet = await Puppet.meet(trial.oracle, me, { name: "peer", n: 78, draws: 0, suite })
        await trial.ok("agent.receive", receiving(me, await puppet.seal([content(0)])))
        return {
          me,
          puppet,
          now: NOW,
          kept: NOW,
          jump: null,
          verified: NOW,
          erased: false,
          heard: 0,
        }
      },
      ...{ moves: CLOCK_MOVES, max: 14 },
    },
  ),
]
