// Properties of SPEC §8 as command sequences: what an agent remembers of inits and of suites.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, restore, snapshot } from "./agents.ts"
import { content } from "./forge.ts"
import { pick } from "./gen.ts"
import { modelProperty, move } from "./model.ts"
import type { Trial } from "./trial.ts"

interface Init {
  readonly name: string
  /** The first flight: any of these may arrive first, or again. */
  readonly envelopes: readonly string[]
  readonly oneTime: string | null
  readonly read: Set<number>
  /** Its session: not founded yet, live, or erased. */
  state: "new" | "live" | "gone"
}

interface Memory {
  readonly bob: Agent
  readonly suite: number
  readonly inits: Init[]
  readonly spent: Set<string>
}

/** What becomes of the `which`-th envelope of an init. */
function verdict(model: Memory, init: Init, which: number): string {
  if (init.state === "live") return init.read.has(which) ? "session/replay" : "ok"
  if (init.oneTime === null) return init.state === "gone" ? "handshake/replay" : "ok"
  return model.spent.has(init.oneTime) ? "handshake/unknown-prekey" : "ok"
}

const found = move<Memory, { oneTime: boolean; again: boolean }>(
  "found",
  fc.record({ oneTime: fc.boolean(), again: fc.nat(2).map((n) => n === 2) }),
  async (model, trial, { oneTime, again }) => {
    const { bob, suite, inits } = model
    const draws = inits.length
    let key: string | null = null
    const earlier = inits.findLast((init) => init.oneTime !== null)
    if (oneTime && again && earlier) key = earlier.oneTime
    else if (oneTime) {
      const made = await trial.ok("agent.oneTime", { agent: bob.handle, suite })
      key = made["key"] as string
    }
    const how = { name: `peer-${draws}`, n: 1_000 + draws, draws, suite }
    const puppet = await Puppet.meet(trial.oracle, bob, key ? { ...how, oneTime: key } : how)
    const envelopes: string[] = []
    for (let i = 0; i < 3; i++) envelopes.push(await puppet.seal([content(10 * draws + i)]))
    const init = { name: how.name, envelopes, oneTime: key, read: new Set<number>() }
    inits.push({ ...init, state: "new" })
  },
  ({ inits }) => inits.length < 8,
)

const deliver = move<Memory, { init: number; which: number }>(
  "deliver",
  fc.record({ init: fc.nat(7), which: fc.nat(2) }),
  async (model, trial, { init: chosen, which }) => {
    const at = chosen % model.inits.length
    const init = model.inits[at] as Init
    const args = receiving(model.bob, init.envelopes[which] as string)
    const code = verdict(model, init, which)
    if (code !== "ok") {
      await trial.reject("agent.receive", args, code, "unchanged")
      return
    }
    const id = (10 * at + which).toString(16).padStart(32, "0")
    const { contents } = await trial.ok("agent.receive", args)
    const ids = (contents as unknown as readonly { id: string }[]).map((item) => item.id)
    trial.equal(ids, [id], "ids of the contents")
    if (init.oneTime !== null) model.spent.add(init.oneTime)
    init.state = "live"
    init.read.add(which)
  },
  ({ inits }) => inits.length > 0,
)

const forget = move<Memory, number>(
  "forget",
  fc.nat(7),
  async (model, trial, which) => {
    const init = pick(model.inits, which)
    await trial.ok("agent.forget", { agent: model.bob.handle, name: init.name })
    if (init.state === "live") init.state = "gone"
  },
  ({ inits }) => inits.length > 0,
)

const restart = move<{ bob: Agent }, null>("restart", fc.constant(null), async ({ bob }) => {
  await restore(bob, await snapshot(bob))
})

interface Suites {
  readonly bob: Agent
  /** Highest suite used with each of three peers. */
  readonly remembered: [number, number, number]
  draws: number
}

async function initOf(model: Suites, trial: Trial, peer: number, suite: number): Promise<string> {
  const how = { name: `peer-${peer}`, n: 2_000 + peer, draws: ++model.draws, suite }
  return (await Puppet.meet(trial.oracle, model.bob, how)).seal([content(model.draws)])
}

const accept = move<Suites, { peer: number; suite: number; spoilt: boolean }>(
  "init",
  fc.record({
    ...{ peer: fc.nat(2), suite: fc.constantFrom(1, 2) },
    spoilt: fc.nat(3).map((n) => n === 3),
  }),
  async (model, trial, { peer, suite, spoilt }) => {
    const envelope = await initOf(model, trial, peer, suite)
    const known = model.remembered[peer] as number
    const code = suite < known ? "suite/downgrade" : spoilt ? "envelope/open" : "ok"
    const sent = spoilt ? trial.mutated(envelope, { at: -1, xor: "01" }) : envelope
    if (code !== "ok") {
      await trial.reject("agent.receive", receiving(model.bob, sent), code, "unchanged")
      return
    }
    await trial.ok("agent.receive", receiving(model.bob, sent))
    model.remembered[peer] = suite
  },
)

const connect = move<Suites, { peer: number; suites: readonly (1 | 2)[] }>(
  "connect",
  fc.record({ peer: fc.nat(2), suites: fc.constantFrom([1], [1, 2], [2]) }),
  async (model, trial, { peer, suites }) => {
    const name = `peer-${peer}`
    const owner = await trial.oracle.ok("agent.new", {
      ...{ name, seed: (2_000 + peer).toString(16).padStart(8, "0").repeat(8), suites },
      now: 1_767_225_600 + ++model.draws,
    })
    const known = model.remembered[peer] as number
    const best = Math.max(...suites)
    const args = { agent: model.bob.handle, bundle: owner["bundle"] as string }
    if (best < known) await trial.reject("agent.trust", args, "suite/downgrade", "unchanged")
    else {
      await trial.ok("agent.trust", args)
      model.remembered[peer] = best
    }
  },
)

const repin = move<Suites, number>("forget", fc.nat(2), async (model, trial, peer) => {
  await trial.ok("agent.forget", { agent: model.bob.handle, name: `peer-${peer}` })
  model.remembered[peer] = 0
})

const ANY = { trust: { accept: "any" } }

export const HANDSHAKE_MODELS: readonly Property[] = [
  modelProperty(
    {
      ...{
        id: "handshake-p08",
        title: "an init founds one session, whatever is replayed or restarted",
      },
      ...{
        req: "HANDSHAKE-18 HANDSHAKE-19 HANDSHAKE-25 HANDSHAKE-34 HANDSHAKE-35",
        tier: 2,
        runs: 12,
      },
    },
    {
      config: ({ suites }) => fc.tuple(fc.constantFrom(...suites), fc.nat(0xffff)),
      setup: async (trial, [suite, n]): Promise<Memory> => {
        const bob = await agentOf(trial, "bob", n, { suites: [suite], ...ANY })
        return { bob, suite, inits: [], spent: new Set() }
      },
      ...{ moves: [found, deliver, deliver, deliver, forget, restart], max: 20 },
    },
  ),
  modelProperty(
    {
      ...{ id: "handshake-p09", title: "the highest suite used with a peer is never undercut" },
      ...{ req: "HANDSHAKE-3 HANDSHAKE-11 HANDSHAKE-23 BUNDLE-24", tier: 2, needs: ["suite-2"] },
      runs: 10,
    },
    {
      config: () => fc.nat(0xffff),
      setup: async (trial, n): Promise<Suites> => {
        const bob = await agentOf(trial, "bob", n, { suites: [1, 2], ...ANY })
        return { bob, remembered: [0, 0, 0], draws: 0 }
      },
      ...{ moves: [accept, accept, connect, repin, restart], max: 14 },
    },
  ),
]
