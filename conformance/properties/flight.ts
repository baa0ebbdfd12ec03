// First contact of two agents, played on the reference, as input for a driver.

import { readItem, replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import { hex, unhex } from "../values.ts"
import { bstr } from "../vectorgen/raw.ts"
import { content } from "./forge.ts"
import { NOW } from "./gen.ts"
import {
  bundleOf,
  type OwnBundle,
  type OwnOneTime,
  oneTimeOf,
  type Person,
  person,
} from "./people.ts"
import type { Performer } from "./trial.ts"

/** What two agents know after the initiator's half. */
export interface Contact {
  readonly alice: Person
  readonly bob: Person
  readonly suite: 1 | 2
  readonly bundle: OwnBundle
  readonly oneTime: OwnOneTime | null
  readonly init: string
  readonly th: string
  readonly sid: string
  readonly rk: string
}

/** How a contact is made. */
export interface Plan {
  readonly suite: 1 | 2
  readonly oneTime: boolean
  /** Seeds of initiator and responder. */
  readonly seeds: readonly [string, string]
  readonly names?: readonly [string, string]
  /** Suites of the bundle; the one of the plan alone by default. */
  readonly offered?: readonly number[]
  readonly flags?: number
}

/** Alice's half: keys, bob's bundle, init. */
export async function contact(by: Performer, plan: Plan): Promise<Contact> {
  const [a, b] = plan.names ?? ["alice", "bob"]
  const alice = await person(by, a, plan.seeds[0])
  const bob = await person(by, b, plan.seeds[1])
  const bundle = await bundleOf(by, bob, plan.offered ?? [plan.suite], { flags: plan.flags ?? 0 })
  const oneTime = plan.oneTime ? await oneTimeOf(by, bob, plan.suite) : null
  const made = await by.ok("handshake.initiate", {
    ...{ identity: alice.identity, seed: alice.seed, bundle: bundle.bundle, now: NOW },
    ...{ oneTime: oneTime?.key ?? null, suites: [plan.suite], remembered: 0 },
  })
  const { init, th, sid, rk } = made as Record<"init" | "th" | "sid" | "rk", string>
  return { alice, bob, suite: plan.suite, bundle, oneTime, init, th, sid, rk }
}

/** Public prekey of a suite in a bundle that was made for it. */
export function prekeyOf(bundle: string, suite: number): { x: string; ek: string | null } {
  const bytes = unhex(bundle)
  const body = unhex(hex(bytes.subarray(bodyAt(bytes).from, bodyAt(bytes).to)))
  const list = readItem(body).items[8]?.items ?? []
  const prekey = list.find((item) => Number(item.items[0]?.argument) === suite)
  const part = (i: number) => {
    const item = prekey?.items[i]
    return item?.major === 2 ? hex(body.subarray(item.body, item.end)) : null
  }
  return { x: part(1) as string, ek: part(2) }
}

function bodyAt(bytes: Uint8Array): { from: number; to: number } {
  const item = readItem(bytes).items[0] as { body: number; end: number }
  return { from: item.body, to: item.end }
}

/** Arguments of `session.new` at either end. */
export function sessionArgs(
  it: Contact,
  end: "initiator" | "responder",
  seed?: string,
): JsonObject {
  const { suite, th, rk, alice, bob, bundle } = it
  const remote = prekeyOf(bundle.bundle, suite)
  const base = { role: end, suite, th, rk }
  if (end === "initiator") {
    const who = { identity: alice.identity, peer: bob.peer, seed: seed ?? alice.seed }
    return { ...base, ...who, init: it.init, remote }
  }
  const { x, kem } = bundle.prekeys.find((key) => key.suite === suite) as { x: string; kem: string }
  const who = { identity: bob.identity, peer: alice.peer, seed: seed ?? bob.seed }
  return { ...base, ...who, init: null, own: { public: remote, x, kem } }
}

/** The first envelope of a contact. */
export async function firstEnvelope(
  by: Performer,
  it: Contact,
  contents: readonly string[] = [content(1, "hello")],
): Promise<string> {
  const { handle } = await by.ok("session.new", sessionArgs(it, "initiator"))
  const sealed = await by.ok("session.seal", { session: handle as string, contents })
  return sealed["envelope"] as string
}

/** Arguments of `handshake.respond` for a first envelope. */
export function respondArgs(it: Contact, envelope: string): JsonObject {
  const { bundle, prekeys } = it.bundle
  return {
    ...{ identity: it.bob.identity, envelope, bundles: [{ bundle, prekeys }] },
    ...{ oneTimes: it.oneTime ? [it.oneTime] : [], suites: [it.suite], remembered: 0 },
    ...{ replayed: [], sids: [], now: NOW },
  }
}

/** An envelope whose init is another one; its sid follows from `th`, unless that is left out. */
export function withInit(envelope: string, init: string, th?: string): string {
  const changed = replaceItem(envelope, [0, 6], init)
  return th === undefined ? changed : replaceItem(changed, [0, 1], bstr(th.slice(0, 32)))
}
