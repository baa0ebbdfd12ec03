// What cases of agents are written with: scripts of steps, and a forger.

import { fromHex, toHex } from "../../src/bytes.ts"
import { fingerprint } from "../../src/identity.ts"
import { type Session, seal } from "../../src/session.ts"
import type { Draw, Suite } from "../../src/suite.ts"
import type { JsonObject, Mutation, Step } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"
import { Flight } from "./flight.ts"
import { context } from "./kit.ts"
import { NOW, Person, SEEDS, type Who } from "./people.ts"
import { array, bstr, map, NULL, tstr, uint } from "./raw.ts"

const MS = NOW * 1000

/** Adds one case. */
export type Add = (
  n: number,
  code: string,
  req: string,
  title: string,
  steps: readonly Step[],
  why?: string,
) => void

/** The payload `{text}`. */
export const body = (text: string): string => map([tstr("text"), tstr(text)])

/** The same call in another state of the agent. */
export const state = (put: string): Mutation => context("state", put)

/** Another envelope in its place, made by a forger. */
export const made = (put: string): Mutation => ({ level: "field", field: "envelope", put })

/** Writes the steps of one case. */
export class Script {
  readonly steps: Step[] = []
  #envelopes = 0

  agent(as: string, seed: keyof typeof SEEDS, extra: JsonObject = {}): this {
    const args = { name: seed, seed: toHex(SEEDS[seed]), now: NOW, ...extra }
    this.steps.push({ as, op: "agent.new", args, output: {} })
    return this
  }

  trust(agent: string, other: string, extra: JsonObject = {}): number {
    const args = {
      agent: `$${agent}`,
      bundle: other.startsWith("$") ? other : `$${other}.bundle`,
      ...extra,
    }
    return this.steps.push({ op: "agent.trust", args, output: {} }) - 1
  }

  send(agent: string, to: string, text: string, extra: JsonObject = {}): string {
    const as = `e${this.#envelopes++}`
    const args = { agent: `$${agent}`, to, body: body(text), ...extra }
    this.steps.push({ as, op: "agent.send", args, state: "committed", output: {} })
    return `$${as}.envelope`
  }

  receive(
    agent: string,
    envelope: string,
    extra: Partial<Step> = {},
    args: JsonObject = {},
  ): number {
    const all = { agent: `$${agent}`, envelope, ...args }
    return (
      this.steps.push({
        op: "agent.receive",
        args: all,
        state: "committed",
        output: {},
        ...extra,
      }) - 1
    )
  }

  refuse(
    op: string,
    code: string,
    args: JsonObject,
    mutation: Mutation,
    twin: number,
    state: "unchanged" | "committed" = "unchanged",
  ): this {
    this.steps.push({ op, args, expect: code, mutation, twin, state })
    return this
  }

  /** An envelope that is not received. */
  refuseEnvelope(
    agent: string,
    code: string,
    envelope: string,
    mutation: Mutation,
    twin: number,
    state: "unchanged" | "committed" = "unchanged",
  ): this {
    const args = { agent: `$${agent}`, envelope }
    return this.refuse("agent.receive", code, args, mutation, twin, state)
  }

  /** Sets the clock of an agent. */
  clock(agent: string, now: number): void {
    this.do("agent.clock", { agent: `$${agent}`, now })
  }

  /** Lets an agent forget a name. */
  forget(agent: string, name: string): void {
    this.do("agent.forget", { agent: `$${agent}`, name })
  }

  /** Tells an agent that the owner has compared the fingerprint of another. */
  verify(agent: string, who: Who): void {
    const address = `${who}#${fingerprint(new Person(who).own.ik)}`
    this.do("agent.verify", { agent: `$${agent}`, address })
  }

  do(op: string, args: JsonObject, as?: string): number {
    return this.steps.push({ ...(as ? { as } : {}), op, args, output: {} }) - 1
  }

  /** Index of the next step. */
  get next(): number {
    return this.steps.length
  }
}

/** Alice, who has bob's bundle, and bob. */
export function pair(
  suites: readonly number[] = [1, 2],
  bobTrust: JsonObject = { accept: "any" },
): Script {
  const script = new Script()
    .agent("a", "alice", { suites })
    .agent("b", "bob", { suites, trust: bobTrust })
  script.trust("a", "b")
  return script
}

/** A forger who knows alice's keys: bob is the agent under test. */
export class Forger {
  readonly flight: Flight
  #session: Session
  readonly #draw: Draw

  constructor(
    suite: Suite = 1,
    oneTime: boolean = false,
    options: ConstructorParameters<typeof Flight>[2] = {},
  ) {
    this.flight = new Flight(suite, oneTime, options)
    this.#session = this.flight.session
    this.#draw = deterministicDraw(this.flight.alice.seed)
  }

  seal(...contents: readonly (Uint8Array | string)[]): string {
    const bytes = contents.map((item) => (typeof item === "string" ? fromHex(item) : item))
    const sealed = seal(this.#session, this.flight.alice.own, bytes, this.#draw)
    this.#session = sealed.session
    return toHex(sealed.envelope)
  }
}

/** Bob alone. */
export const bobAgent = (): Script => new Script().agent("b", "bob", { trust: { accept: "any" } })

/** A content of kind 0 with other items. */
export function item(fields: Readonly<Record<number, string>> = {}): string {
  const items = [uint(0), bstr("1d".repeat(16)), uint(MS), NULL, uint(0), bstr(body("hi"))]
  for (const [i, put] of Object.entries(fields)) items[Number(i)] = put
  return array(...items)
}
