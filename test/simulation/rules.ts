// What the tests of single rules share.

import { expect } from "vitest"
import type { AgentOptions } from "../../src/agent/options.ts"
import { toHex } from "../../src/bytes.ts"
import type { Actor } from "./actor.ts"
import { MINUTE, SECOND } from "./clock.ts"
import type { Entry } from "./ledger.ts"
import type { Logged } from "./lying-hub.ts"
import { World } from "./world.ts"

/** Two agents that know each other and have a session that both have used. */
export async function acquainted(
  seed: number,
  options: AgentOptions = {},
): Promise<{ world: World; alice: Actor; bob: Actor }> {
  const world = new World(seed)
  const alice = world.add("alice", options)
  const bob = world.add("bob", options)
  await world.run(MINUTE)
  await world.await(alice.deliver("bob"))
  await world.run(5 * SECOND)
  await world.await(bob.deliver("alice"))
  await world.run(5 * MINUTE)
  expect(world.ledger.counts).toMatchObject({ accepted: 2, handled: 2, receipted: 2 })
  world.hub.log = []
  return { world, alice, bob }
}

/** Sends one content and returns its entry. */
export async function sent(
  world: World,
  from: Actor,
  to: string,
  ask: "delivered" | "processed" = "delivered",
): Promise<Entry> {
  const delivery = await world.await(from.deliver(to, ask), MINUTE)
  return world.ledger.entry(from.name, to, delivery.id)
}

/** Frames of one type that an agent has sent since the log was begun. */
export function logged(world: World, name: string, type: number): readonly Logged[] {
  return (world.hub.log ?? []).filter((one) => one.name === name && one.type === type)
}

/** SENDs of an agent, repeated transmissions left out. */
export function envelopes(world: World, name: string): readonly Logged[] {
  const mids = new Set<string>()
  return logged(world, name, 13).filter(({ rest }) => {
    const mid = toHex(rest[1] as Uint8Array)
    return !mids.has(mid) && mids.add(mid)
  })
}

/** Size of the envelope of a SEND. */
export function sizeOf(one: Logged): number {
  return (one.rest[2] as Uint8Array).length
}

/** Events of one kind that an actor has heard. */
export function heard(actor: Actor, kind: string): Actor["heard"] {
  return actor.heard.filter((one) => one.kind === kind)
}

/** Minutes between the times of frames, the first counted from `start`. */
export function gaps(frames: readonly Logged[], start: number): readonly number[] {
  return frames.map(({ at }, i) => Math.round((at - (frames[i - 1]?.at ?? start)) / MINUTE))
}
