// Agents of a driver for properties, and puppets: peers whose every step the property chooses.

import { readItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import { hex, unhex } from "../values.ts"
import { prekeyOf } from "./flight.ts"
import { NOW, seedOf } from "./gen.ts"
import { type Person, person } from "./people.ts"
import type { Oracle, Performer } from "./trial.ts"

/** An agent behind a handle. */
export interface Agent {
  readonly by: Performer
  readonly name: string
  handle: string
  readonly bundle: string
  readonly fingerprint: string
  /** Options that a restart repeats. */
  readonly options: JsonObject
  /** Restarts so far; each has a seed of its own. */
  restarts: number
}

/** Creates an agent; `n` makes its seed. */
export async function agentOf(
  by: Performer,
  name: string,
  n: number,
  options: JsonObject = {},
): Promise<Agent> {
  const made = await by.ok("agent.new", { name, seed: seedOf(n), now: NOW, ...options })
  const { handle, bundle, fingerprint } = made as Record<
    "handle" | "bundle" | "fingerprint",
    string
  >
  return { by, name, handle, bundle, fingerprint, options, restarts: 0 }
}

/** A copy of an agent's store. */
export async function snapshot({ by, handle }: Agent): Promise<string> {
  return (await by.ok("agent.snapshot", { agent: handle }))["handle"] as string
}

/** Opens a copy of a store as the agent, with draws of its own. */
export async function restore(agent: Agent, copy: string, now: number = NOW): Promise<void> {
  agent.restarts++
  const seed = seedOf(0xf000_0000 + agent.restarts * 256 + agent.name.length)
  const args = { ...agent.options, snapshot: copy, name: agent.name, seed, now }
  agent.handle = (await agent.by.ok("agent.restore", args))["handle"] as string
}

/** Arguments of `agent.send`. */
export function sending(agent: Agent, to: string, body: string = "a0"): JsonObject {
  return { agent: agent.handle, to, body }
}

/** Arguments of `agent.receive`. */
export function receiving(agent: Agent, envelope: string): JsonObject {
  return { agent: agent.handle, envelope }
}

/** A payload that holds a number of two bytes. */
export function bodyOf(i: number): string {
  return `a1616e19${(0x0100 + (i % 0xff00)).toString(16).padStart(4, "0")}`
}

/** Name and identity key that a bundle certifies. */
export function ownerOf(bundle: string): { readonly name: string; readonly ik: string } {
  const bytes = unhex(bundle)
  const outer = readItem(bytes).items[0]
  const body = bytes.subarray(outer?.body, outer?.end)
  const [, name, ik] = readItem(body).items
  const text = new TextDecoder().decode(body.subarray(name?.body, name?.end))
  return { name: text, ik: hex(body.subarray(ik?.body, ik?.end)) }
}

/** One handshake of a puppet with an agent, and the session that it founds. */
export class Puppet {
  readonly who: Person
  readonly suite: number
  readonly #oracle: Oracle
  readonly #session: string

  private constructor(who: Person, suite: number, oracle: Oracle, session: string) {
    this.who = who
    this.suite = suite
    this.#oracle = oracle
    this.#session = session
  }

  /** Founds a session; `n` makes the identity, `draws` everything else. */
  static async meet(
    oracle: Oracle,
    target: { readonly bundle: string },
    how: {
      readonly name: string
      readonly n: number
      readonly draws: number
      readonly suite: number
      readonly oneTime?: string
      readonly now?: number
    },
  ): Promise<Puppet> {
    const { suite, name } = how
    const who = await person(oracle, name, seedOf(how.n))
    const seed = seedOf(0x5000_0000 + how.draws)
    const made = await oracle.ok("handshake.initiate", {
      ...{ identity: who.identity, seed, bundle: target.bundle, oneTime: how.oneTime ?? null },
      ...{ suites: [suite], remembered: 0, now: how.now ?? NOW },
    })
    const { th, rk, init } = made as Record<"th" | "rk" | "init", string>
    const { handle } = await oracle.ok("session.new", {
      ...{ role: "initiator", identity: who.identity, peer: ownerOf(target.bundle), suite, th, rk },
      ...{ seed, init, remote: prekeyOf(target.bundle, suite) },
    })
    return new Puppet(who, suite, oracle, handle as string)
  }

  /** Seals contents. */
  async seal(contents: readonly string[]): Promise<string> {
    const made = await this.#oracle.ok("session.seal", { session: this.#session, contents })
    return made["envelope"] as string
  }

  /** Opens what the agent sealed for it. */
  async open(envelope: string, now: number = NOW): Promise<readonly string[]> {
    const made = await this.#oracle.ok("session.open", { session: this.#session, envelope, now })
    return made["contents"] as unknown as readonly string[]
  }
}
