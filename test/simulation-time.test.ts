// Time: silence, lifetimes, bounds, clocks that are wrong, copies that come late (SPEC §6, §10, §12).

import { expect, test, vi } from "vitest"
import { decode } from "../src/encoding.ts"
import type { Actor } from "./simulation/actor.ts"
import { DAY, HOUR, MINUTE, SECOND } from "./simulation/clock.ts"
import { acquainted, envelopes, heard, logged, sent, sizeOf } from "./simulation/rules.ts"
import type { World } from "./simulation/world.ts"

// A busy machine takes its time; the time in these tests is virtual.
vi.setConfig({ testTimeout: 300_000 })

const YEARS = 3650 * DAY

test("a quiet network falls silent: 60 days of nothing but rotation", async () => {
  const { world, alice, bob } = await acquainted(1)
  const carol = world.add("carol")
  await sent(world, carol, "bob")
  await world.run(HOUR)
  world.hub.log = []
  await world.run(60 * DAY)
  expect(world.hub.log.filter(({ type }) => ![10, 11, 17].includes(type))).toEqual([])
  expect(world.hub.log.length, "eight rotations of three agents").toBeLessThanOrEqual(3 * 9 * 3)
  for (const actor of [alice, bob, carol]) {
    const { tables } = actor.disk
    expect(tables["key/session"], "erased after 30 days (SESSION-22)").toBe(0)
    expect(tables["seen"] ?? 0, "forgotten after 22 days (AGENT-55)").toBe(0)
    expect(tables["aged"] ?? 0).toBe(0)
    for (const table of ["content", "data/content", "data/out", "due", "inbox", "data/inbox"]) {
      expect(tables[table] ?? 0, table).toBe(0)
    }
  }
})

test("sessions live 30 days without a verified receive, and send for 21 (SESSION-22)", async () => {
  const { world, alice } = await acquainted(2)
  await world.run(29 * DAY)
  expect(alice.disk.rows("key/session")).toBeGreaterThan(0)
  await world.run(2 * DAY)
  expect(alice.disk.rows("key/session")).toBe(0)
  for (const [days, gets] of [
    [20, 0],
    [22, 1],
  ] as const) {
    const pair = await acquainted(3)
    await pair.world.run(days * DAY)
    pair.world.hub.log = []
    await sent(pair.world, pair.alice, "bob")
    expect(logged(pair.world, "alice", 12), `${days} days`).toHaveLength(gets)
  }
})

test("bundles rotate every 7 days and prekeys go at not-after + 8 days (BUNDLE-2, 3)", async () => {
  const { world, bob } = await acquainted(4)
  await world.run(100 * DAY)
  const puts = logged(world, "bob", 10)
  expect(puts).toHaveLength(14)
  for (const [i, { at }] of puts.entries()) {
    const before = i > 0 ? (puts[i - 1]?.at ?? 0) : world.clock.now - 100 * DAY
    expect((at - before) / DAY).toBeGreaterThan(6.9)
    expect((at - before) / DAY).toBeLessThan(7.1)
  }
  const now = world.clock.now / 1000
  const kept = world.hub.bundles.get("bob")?.filter((one) => notAfterOf(one) + 691_200 >= now - 600)
  expect(bob.disk.rows("key/bundle")).toBe(kept?.length)
  expect(bob.disk.rows("key/bundle")).toBeLessThanOrEqual(6)
  expect(bob.disk.rows("key/one-time"), "of 59 days").toBeLessThanOrEqual(12)
})

test("months of traffic leave stores of bounded size", async () => {
  const { world, alice, bob } = await acquainted(5)
  const sizes: number[] = []
  for (let day = 0; day < 50; day++) {
    for (let i = 0; i < 6; i++) {
      alice.send("bob")
      bob.send("alice", "processed")
      await world.run(4 * HOUR)
    }
    if (day % 15 === 0 && day > 0) {
      const saved = bob.save()
      bob.crash()
      bob.rollBack(saved)
      bob.start()
    }
    if (day >= 40) sizes.push(alice.disk.rows() + bob.disk.rows() + world.hub.rows)
  }
  const { seen, aged, content, used, replay } = bob.disk.tables
  expect(seen, "ids of 22 days, 6 a day").toBeLessThanOrEqual(23 * 6)
  expect(aged).toBe(seen)
  expect(content).toBeLessThan(10)
  expect((used ?? 0) + (replay ?? 0)).toBeLessThan(100)
  const [first, last] = [sizes.slice(0, 4), sizes.slice(-4)].map((list) => Math.max(...list))
  expect(last, "no growth").toBeLessThanOrEqual((first ?? 0) * 1.1)
  await world.run(DAY)
  world.verify()
})

for (const years of [YEARS, -YEARS, 40 * DAY, -40 * DAY, 3 * HOUR, -3 * HOUR]) {
  for (const restarts of [false, true]) {
    const what = `${years / DAY} days${restarts ? ", with a restart" : ""}`
    test(`one absurd reading of the clock bricks nothing (${what})`, async () => {
      const { world, alice, bob } = await acquainted(6)
      await world.run(HOUR)
      const before = { ...alice.disk.tables }
      await absurd(world, alice, bob, years, restarts)
      await world.run(10 * MINUTE)
      const after = alice.disk.tables
      expect(after["key/session"], "no session was erased").toBeGreaterThanOrEqual(
        before["key/session"] as number,
      )
      expect(after["key/bundle"]).toBeGreaterThanOrEqual(before["key/bundle"] as number)
      expect(after["key/bundle"]).toBeLessThanOrEqual((before["key/bundle"] as number) + 2)
      await works(world, alice, bob)
      await world.run(DAY)
      const seqs = (world.hub.bundles.get("alice") ?? []).map((one) => itemsOf(one)[4] as number)
      expect(Math.max(...seqs)).toBeLessThan(world.clock.now / 1000 + 31 * 86_400)
      // What waits when the clock is wrong is probed for, re-sealed and given up in time.
      await world.await(bob.stop())
      const entry = await sent(world, alice, "bob")
      await world.run(14 * DAY + HOUR)
      expect(entry.undeliveredAt).not.toBeNull()
      bob.start()
      await world.run(DAY)
      await works(world, alice, bob)
      world.verify()
    })
  }
}

/** The clock of alice reads something else for five minutes, in which both write. */
async function absurd(
  world: World,
  alice: Actor,
  bob: Actor,
  ms: number,
  restarts: boolean,
): Promise<void> {
  if (restarts) await world.await(alice.stop())
  alice.setSkew(ms)
  if (restarts) alice.start()
  await world.run(MINUTE)
  world.hub.faults.throwAway = ({ from }) => from === "alice"
  alice.send("bob")
  bob.send("alice", "processed")
  await world.run(4 * MINUTE)
  alice.setSkew(0)
  world.hub.faults.throwAway = () => false
}

/** Contents travel, are receipted at once, lost ones are probed for. */
async function works(world: World, alice: Actor, bob: Actor): Promise<void> {
  await world.run(15 * MINUTE)
  for (const [from, to] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const entry = await sent(world, from, to.name)
    await world.run(3 * SECOND)
    expect(entry.receipt, `${from.name} to ${to.name}`).toBe("delivered")
  }
  world.hub.faults.throwAway = ({ from }) => from === "alice"
  const lost = await sent(world, alice, "bob")
  world.hub.faults.throwAway = () => false
  await world.run(13 * MINUTE)
  expect(lost.receipt, "probed for").toBe("delivered")
}

test("skewed clocks: five minutes of difference change nothing", async () => {
  const { world, alice, bob } = await acquainted(7)
  alice.setSkew(-290 * SECOND)
  bob.setSkew(290 * SECOND)
  const carol = world.actor("carol")
  carol.setSkew(-250 * SECOND)
  carol.start()
  await world.run(MINUTE)
  await works(world, alice, bob)
  await works(world, carol, bob)
  world.verify()
})

test("held copies: known ids are receipted again, forgotten ones are refused (AGENT-51)", async () => {
  const { world, alice, bob } = await acquainted(8)
  const { faults, held } = world.hub
  const payload = { text: "x".repeat(5000) }
  const big = () => held.filter(({ from, envelope }) => from === "alice" && envelope.length > 3000)
  // Each re-sealed copy is held back; heals, answers and receipts pass.
  faults.throwAway = ({ from, envelope }) => from === "alice" && envelope.length > 3000
  const delivery = await world.await(alice.agent?.send("bob", payload) ?? Promise.reject())
  await world.run(45 * MINUTE)
  const copies = big()
  expect(copies.length, "copies on several sessions").toBeGreaterThanOrEqual(3)
  faults.throwAway = () => false
  await world.run(HOUR)
  const handled = () => bob.messages.filter(({ id }) => id === delivery.id).length
  expect(handled()).toBe(1)
  world.hub.log = []
  expect(world.hub.replay(copies[2] as (typeof copies)[number])).toBe(true)
  await world.run(MINUTE)
  expect(handled(), "a known id").toBe(1)
  expect(envelopes(world, "bob"), "its status again (AGENT-50)").toHaveLength(1)
  // The ids are forgotten after 22 days; sessions that were heard of since live longer.
  await world.run(24 * DAY)
  expect(bob.disk.rows("seen")).toBe(0)
  expect(bob.disk.rows("key/session"), "the session still opens").toBeGreaterThan(0)
  const before = heard(bob, "rejected").length
  for (const copy of copies) world.hub.replay(copy)
  await world.run(MINUTE)
  expect(handled(), "a forgotten id").toBe(1)
  const codes = heard(bob, "rejected")
    .slice(before)
    .map(({ event }) => codeOf(event))
  expect(codes, "opened, and refused by the floor").toContain("envelope/content")
  world.verify()
})

test("what was offline for six weeks comes back, with new keys", async () => {
  const { world, alice, bob } = await acquainted(9)
  await world.await(bob.stop())
  await world.run(42 * DAY)
  await expect(world.await(alice.deliver("bob"))).rejects.toMatchObject({ code: "bundle/expired" })
  bob.start()
  await world.run(30 * MINUTE)
  const entry = await sent(world, alice, "bob")
  await world.run(2 * SECOND)
  expect(entry.receipt).toBe("delivered")
  expect(sizeOf(envelopes(world, "alice").at(-1) as never)).toBeGreaterThan(0)
  await world.run(3 * DAY)
  expect(bob.disk.rows("key/bundle"), "the old ones are erased").toBeLessThanOrEqual(2)
  await works(world, alice, bob)
})

test("a bundle that the hub fails to store is published again", async () => {
  const { world, alice, bob } = await acquainted(10)
  world.hub.faults.fail = 1
  await world.run(8 * DAY)
  world.hub.faults.fail = 0
  world.hub.log = []
  await world.run(2 * HOUR)
  expect(logged(world, "bob", 10).length).toBeGreaterThan(0)
  expect(bob.disk.rows("key/bundle")).toBeLessThanOrEqual(3)
  expect(bob.disk.rows("key/one-time")).toBeLessThanOrEqual(20)
  await works(world, alice, bob)
})

function itemsOf(bundle: unknown): readonly unknown[] {
  const [body] = bundle as [Uint8Array]
  return decode(body) as unknown[]
}

function notAfterOf(bundle: unknown): number {
  return itemsOf(bundle)[6] as number
}

function codeOf(event: Record<string, unknown>): string {
  return (event["error"] as { code: string }).code
}
