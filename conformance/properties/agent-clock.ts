// Properties of SPEC §12 as command sequences: a clock that jumps.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, restore, snapshot } from "./agents.ts"
import type { Setting } from "./define.ts"
import { content } from "./forge.ts"
import { NOW } from "./gen.ts"
import { modelProperty, move } from "./model.ts"

/** SPEC §2: how a clock is believed. */
interface Clock {
  readonly me: Agent
  readonly puppet: Puppet
  now: number
  kept: number
  jump: number | null
  /** Stamp of the last verified receive. */
  verified: number
  /** The latest clock so far: when it has moved on from there, maintenance has been made. */
  latest: number
  /** Whether a maintenance has found the session beyond its time: then it is gone for good. */
  over: Found
  /** Whether a maintenance has found the prekey of its init beyond its time. */
  erased: Found
  heard: number
}

/** Maintenance goes by the agent's own timers: what a clock that was set back has made due may stay. */
type Found = "no" | "perhaps" | "yes"

const DAY = 86_400
/** Seconds after which any agent has made maintenance. */
const MAINTENANCE = 3_600
/** End of the first bundle of an agent that is made at NOW. */
const NOT_AFTER = NOW - 3_600 + 30 * DAY

function commit(model: Clock): void {
  const { now, kept, jump } = model
  if (Math.abs(now - kept) <= 7 * DAY) Object.assign(model, { kept: now, jump: null })
  else if (jump === null || now < jump) model.jump = now
  else if (now - jump >= DAY) Object.assign(model, { kept: now, jump: null })
}

const isOver = ({ kept, verified }: Clock): boolean => kept - verified >= 30 * DAY
const found = (before: Found, maintained: boolean): Found =>
  maintained || before === "yes" ? "yes" : "perhaps"

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
      const maintained = model.now >= model.latest + MAINTENANCE
      model.latest = Math.max(model.latest, model.now)
      if (isOver(model)) model.over = found(model.over, maintained)
      if (model.kept > NOT_AFTER + 8 * DAY) model.erased = found(model.erased, maintained)
      await trial.ok("agent.clock", { agent: model.me.handle, now: model.now })
    },
  ),
  move<Clock, null>("hear", fc.constant(null), async (model, trial) => {
    const heal = content(++model.heard, "", { kind: 1, body: "" })
    const args = receiving(model.me, await model.puppet.seal([heal]))
    // An init that is repeated after its session is over is a replay, while its prekey lives.
    const codes = {
      no: ["handshake/replay"],
      perhaps: ["handshake/replay", "handshake/unknown-prekey"],
      yes: ["handshake/unknown-prekey"],
    }[model.erased]
    const gone = model.over === "yes" || isOver(model)
    if (gone || model.over === "perhaps") {
      const reply = await trial.either("agent.receive", args)
      const ended = reply.reject?.code ?? "ok"
      const allowed = gone ? codes : [...codes, "ok"]
      trial.check(allowed.includes(ended), `expected ${allowed.join(" or ")}; got ${ended}`)
      if (ended !== "ok") {
        // Beyond its time by the clock of now, or gone whatever the clock says.
        model.over = gone && model.over !== "yes" ? "perhaps" : "yes"
        return
      }
      model.over = "no"
    } else await trial.ok("agent.receive", args, { contents: [] })
    commit(model)
    model.verified = Math.max(model.now, model.kept)
  }),
  move<Clock, null>("restart", fc.constant(null), async (model) => {
    await restore(model.me, await snapshot(model.me), model.now)
  }),
]

const configs = ({ suites }: Setting) => fc.tuple(fc.constantFrom(...suites), fc.nat(0xffff))

export const AGENT_CLOCK_PROPERTIES: readonly Property[] = [
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
          latest: NOW,
          over: "no",
          erased: "no",
          heard: 0,
        }
      },
      ...{ moves: CLOCK_MOVES, max: 14 },
    },
  ),
]
