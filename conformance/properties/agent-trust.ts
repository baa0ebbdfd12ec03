// Properties of SPEC §12 as command sequences: pins and trust policies.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { type Agent, agentOf, Puppet, receiving, restore, sending, snapshot } from "./agents.ts"
import type { Setting } from "./define.ts"
import { content } from "./forge.ts"
import { modelProperty, move } from "./model.ts"
import type { Oracle } from "./trial.ts"

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
]
