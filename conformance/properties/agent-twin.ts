// A whole agent beside the reference: equal seeds, equal scripts, equal bytes.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { bodyOf, Puppet } from "./agents.ts"
import { content } from "./forge.ts"
import { NOW, pick, seedOf } from "./gen.ts"
import { type Move, modelProperty, move } from "./model.ts"
import { type Trial, told } from "./trial.ts"

interface Twins {
  readonly suite: number
  readonly seed: string
  readonly bundle: string
  readonly peerBundle: string
  /** Handles at the driver and at the reference. */
  own: string
  ref: string
  readonly puppets: Puppet[]
  now: number
  count: number
}

/** Performs one operation at both; what is not a handle has to be equal. */
async function both(
  model: Twins,
  trial: Trial,
  op: string,
  args: JsonObject,
): Promise<JsonObject | null> {
  const reply = await trial.oracle.call(op, { ...args, agent: model.ref })
  const own = { ...args, agent: model.own }
  if (reply.ok === undefined) {
    await trial.reject(op, own, told(reply))
    return null
  }
  const { handle: _handle, ...output } = reply.ok
  await trial.ok(op, own, output)
  return reply.ok
}

const peers = fc.constantFrom("peer", "puppet-0", "puppet-1", "nobody")

const MOVES: readonly Move<Twins>[] = [
  move<Twins, string>("send", peers, async (model, trial, to) => {
    await both(model, trial, "agent.send", { to, body: bodyOf(++model.count) })
  }),
  move<Twins, boolean>(
    "init",
    fc.boolean(),
    async (model, trial, oneTime) => {
      const at = model.puppets.length
      const how = { name: `puppet-${at}`, n: 500 + at, draws: at, suite: model.suite }
      const key = oneTime ? await both(model, trial, "agent.oneTime", { suite: model.suite }) : null
      const more = key ? { oneTime: key["key"] as string } : {}
      model.puppets.push(await Puppet.meet(trial.oracle, model, { ...how, ...more }))
    },
    ({ puppets }) => puppets.length < 2,
  ),
  move<Twins, { which: number; contents: number; bad: boolean }>(
    "hear",
    fc.record({
      ...{ which: fc.nat(1), contents: fc.integer({ min: 1, max: 3 }) },
      bad: fc.nat(4).map((n) => n === 4),
    }),
    async (model, trial, { which, contents, bad }) => {
      const said = Array.from({ length: contents }, () => content(++model.count, "x".repeat(which)))
      const envelope = await pick(model.puppets, which).seal(said)
      const sent = bad ? trial.mutated(envelope, { at: -1, xor: "01" }) : envelope
      await both(model, trial, "agent.receive", { envelope: sent })
    },
    ({ puppets }) => puppets.length > 0,
  ),
  move<Twins, string>("forget", peers, async (model, trial, name) => {
    await both(model, trial, "agent.forget", { name })
  }),
  move<Twins, null>("connect", fc.constant(null), async (model, trial) => {
    await both(model, trial, "agent.trust", { bundle: model.peerBundle })
  }),
  move<Twins, string>("export", fc.constantFrom("31".repeat(32)), async (model, trial, key) => {
    await both(model, trial, "agent.export", { key })
  }),
  move<Twins, null>("restart", fc.constant(null), async (model, trial) => {
    const { suite, now } = model
    const copies = [
      await trial.ok("agent.snapshot", { agent: model.own }),
      await trial.oracle.ok("agent.snapshot", { agent: model.ref }),
    ]
    const seed = seedOf(0x0e00_0000 + ++model.count)
    const args = { name: "me", seed, now, suites: [suite], trust: { accept: "any" } }
    const [own, ref] = copies.map((copy) => ({ ...args, snapshot: copy["handle"] as string }))
    const reply = await trial.oracle.ok("agent.restore", ref as JsonObject)
    const { handle, ...output } = reply
    model.ref = handle as string
    model.own = (await trial.ok("agent.restore", own as JsonObject, output))["handle"] as string
  }),
]

export const AGENT_TWIN_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{ id: "agent-p10", title: "an agent does what the reference does, byte for byte" },
      ...{ req: "SUITE-6 AGENT-7 AGENT-36 AGENT-37 AGENT-38 HANDSHAKE-10 ENVELOPE-1 ENVELOPE-2" },
      ...{ tier: 2, needs: ["deterministic"], runs: 20 },
    },
    {
      config: ({ suites }) => fc.tuple(fc.constantFrom(...suites), fc.nat(0xffff)),
      setup: async (trial, [suite, n]): Promise<Twins> => {
        const seed = seedOf(n)
        const args = { name: "me", seed, now: NOW, suites: [suite], trust: { accept: "any" } }
        const { handle: ref, ...output } = await trial.oracle.ok("agent.new", args)
        const { handle: own } = await trial.ok("agent.new", args, output)
        const peer = { ...args, name: "peer", seed: seedOf(n + 1) }
        const peerBundle = (await trial.oracle.ok("agent.new", peer))["bundle"] as string
        return {
          ...{ suite, seed, bundle: output["bundle"] as string, peerBundle, own: own as string },
          ...{ ref: ref as string, puppets: [], now: NOW, count: 0 },
        }
      },
      ...{ moves: MOVES, max: 16 },
    },
  ),
]
