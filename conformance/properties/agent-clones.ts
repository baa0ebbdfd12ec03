// Properties of SPEC §12 as command sequences: copies of a store that run beside their original.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { pairs, two } from "./agent-network.ts"
import { type Agent, bodyOf, receiving, restore, sending, snapshot } from "./agents.ts"
import { pick } from "./gen.ts"
import { readHeader } from "./insider.ts"
import { type Move, modelProperty, move } from "./model.ts"

interface Clones {
  readonly original: Agent
  readonly clones: Agent[]
  readonly copies: string[]
  readonly peer: Agent
  readonly letters: { readonly envelope: string; readonly id: string; readonly place: string }[]
  readonly sealed: Set<string>
  readonly got: Set<string>
  readonly places: Set<string>
}

const CLONES: readonly Move<Clones>[] = [
  move<Clones, number>("send", fc.nat(9), async (model, trial, which) => {
    const agent = pick([model.original, ...model.clones], which)
    const made = await trial.ok("agent.send", sending(agent, "bob", bodyOf(model.letters.length)))
    const { envelope, id } = made as Record<"envelope" | "id", string>
    const { block, n, guard } = readHeader(envelope)
    const key = `${block.x} ${n} ${guard}`
    trial.check(!model.sealed.has(key), "two envelopes have one key and nonce")
    model.sealed.add(key)
    model.letters.push({ envelope, id, place: `${block.x} ${n}` })
  }),
  move<Clones, null>("copy", fc.constant(null), async (model) => {
    model.copies.push(await snapshot(model.original))
  }),
  move<Clones, number>(
    "clone",
    fc.nat(9),
    async (model, _trial, which) => {
      const clone = { ...model.original, restarts: 64 + model.clones.length }
      await restore(clone, pick(model.copies, which))
      model.clones.push(clone)
    },
    ({ copies, clones }) => copies.length > 0 && clones.length < 3,
  ),
  move<Clones, number>(
    "roll back",
    fc.nat(9),
    async (model, _trial, which) => restore(model.original, pick(model.copies, which)),
    ({ copies }) => copies.length > 0,
  ),
  move<Clones, number>(
    "deliver",
    fc.nat(20),
    async (model, trial, which) => {
      const { envelope, id, place } = pick(model.letters, which)
      const reply = await trial.either("agent.receive", receiving(model.peer, envelope))
      if (model.places.has(place)) trial.check(!reply.ok, "one place in a chain is opened twice")
      if (!reply.ok) return
      model.places.add(place)
      trial.check(!model.got.has(id), "a content is handed over twice")
      model.got.add(id)
    },
    ({ letters }) => letters.length > 0,
  ),
]

export const AGENT_CLONE_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{ id: "agent-p05", title: "clones and rollbacks repeat no key and nonce" },
      ...{ req: "KEYSCHEDULE-6 SESSION-9 AGENT-50", tier: 2, runs: 12 },
    },
    {
      config: pairs,
      setup: async (trial, [suite, n]): Promise<Clones> => {
        const { agents } = await two(trial, suite, n)
        const [original, peer] = agents
        return {
          ...{ original, peer, clones: [], copies: [], letters: [] },
          ...{ sealed: new Set(), got: new Set(), places: new Set() },
        }
      },
      ...{ moves: CLONES, max: 18 },
    },
  ),
]
