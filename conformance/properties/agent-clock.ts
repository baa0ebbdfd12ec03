// Properties of SPEC §12 as command sequences: a clock that jumps.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, restore, snapshot } from "./agents.ts"
import type { Setting } from "./define.ts"
import { content } from "./forge.ts"
import { NOW } from "./gen.ts"
import { modelProperty, move } from "./model.ts"

/** SPEC §2: what an agent may have stored. */
interface World {
  readonly kept: number
  readonly jump: number | null
  /** Stamp of the last verified receive. */
  readonly verified: number
  /** A maintenance has found the session beyond its time: it is gone for good. */
  readonly over: boolean
  /** A maintenance has found the prekey of its init beyond its time. */
  readonly erased: boolean
}

/**
 * Maintenance goes by the agent's own timers: whether one is made when the clock is set back, and
 * so whether that reading is ever stored, is left open. The model follows every possibility.
 */
interface Clock {
  readonly me: Agent
  readonly puppet: Puppet
  now: number
  /** The latest clock so far: when it has moved on from there, maintenance has been made. */
  latest: number
  worlds: readonly World[]
  heard: number
}

const DAY = 86_400
/** Seconds after which any agent has made maintenance. */
const MAINTENANCE = 3_600
/** End of the first bundle of an agent that is made at NOW. */
const NOT_AFTER = NOW - 3_600 + 30 * DAY

/** The clocks that a commit at `now` stores. */
function commit(world: World, now: number): World {
  const { kept, jump } = world
  if (Math.abs(now - kept) <= 7 * DAY) return { ...world, kept: now, jump: null }
  if (jump === null || now < jump) return { ...world, jump: now }
  return now - jump >= DAY ? { ...world, kept: now, jump: null } : world
}

const isOver = ({ over, kept, verified }: World): boolean => over || kept - verified >= 30 * DAY
const isErased = ({ erased, kept }: World): boolean => erased || kept > NOT_AFTER + 8 * DAY

function maintain(world: World, now: number): World {
  const next = commit(world, now)
  const verified = Math.min(next.verified, Math.max(now, next.kept))
  const clamped = { ...next, verified }
  return { ...clamped, over: isOver(clamped), erased: isErased(clamped) }
}

/** What there may be if maintenance, or a part of it, is made or not. */
function perhaps(world: World, now: number): readonly World[] {
  const next = commit(world, now)
  const { verified, over, erased } = maintain(world, now)
  return [next.verified, verified].flatMap((verified) =>
    [next.over, over].flatMap((over) =>
      [next.erased, erased].map((erased) => ({ ...next, verified, over, erased })),
    ),
  )
}

const distinct = (worlds: readonly World[]): readonly World[] => [
  ...new Map(worlds.map((world) => [JSON.stringify(Object.values(world)), world])).values(),
]

/** How a repeated init may end in a world, and what is stored then. */
function hear(world: World, now: number): ReadonlyMap<string, readonly World[]> {
  const next = commit(world, now)
  if (!isOver(next)) {
    return new Map([["ok", [{ ...next, verified: Math.max(now, next.kept) }]]])
  }
  // A refusal stores nothing; what is beyond its time may be erased with it.
  const after = [world, { ...world, over: true }]
  const replay = ["handshake/replay", after] as const
  // An init that is repeated after its session is over is a replay, while its prekey lives.
  const unknown = ["handshake/unknown-prekey", after] as const
  return new Map(world.erased ? [unknown] : isErased(next) ? [replay, unknown] : [replay])
}

/** A heal delivers nothing. */
const NOTHING = { contents: [] }

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
      const { now, worlds, latest } = model
      const sure = now >= latest + MAINTENANCE
      model.latest = Math.max(latest, now)
      model.worlds = sure
        ? distinct(worlds.map((world) => maintain(world, now)))
        : distinct(worlds.flatMap((world) => [world, ...perhaps(world, now)]))
      await trial.ok("agent.clock", { agent: model.me.handle, now })
    },
  ),
  move<Clock, null>("hear", fc.constant(null), async (model, trial) => {
    const { me, puppet, now } = model
    const heal = content(++model.heard, "", { kind: 1, body: "" })
    const args = receiving(me, await puppet.seal([heal]))
    const ends = model.worlds.map((world) => hear(world, now))
    const allowed = [...new Set(ends.flatMap((end) => [...end.keys()]))].sort()
    const [only] = allowed
    let ended = only as string
    if (allowed.length === 1) await trial.ends("agent.receive", args, ended, NOTHING)
    else {
      const reply = await trial.either("agent.receive", args)
      ended = reply.reject?.code ?? "ok"
      trial.check(allowed.includes(ended), `expected ${allowed.join(" or ")}; got ${ended}`)
    }
    model.worlds = distinct(ends.flatMap((end) => end.get(ended) ?? []))
  }),
  move<Clock, null>("restart", fc.constant(null), async (model) => {
    const { me, now, worlds } = model
    await restore(me, await snapshot(me), now)
    model.worlds = distinct(worlds.flatMap((world) => [world, ...perhaps(world, now)]))
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
        const world = { kept: NOW, jump: null, verified: NOW, over: false, erased: false }
        return { me, puppet, now: NOW, latest: NOW, worlds: [world], heard: 0 }
      },
      ...{ moves: CLOCK_MOVES, max: 14 },
    },
  ),
]
