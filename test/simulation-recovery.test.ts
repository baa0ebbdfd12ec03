// Lost state and lying hubs: how conversations come back (SPEC §8, §10, §12), in virtual time.

import { expect, test, vi } from "vitest"
import { decode } from "../src/encoding.ts"
import { decodeEnvelope } from "../src/envelope.ts"
import type { Actor } from "./simulation/actor.ts"
import { DAY, HOUR, MINUTE, SECOND } from "./simulation/clock.ts"
import { acquainted, envelopes, heard, logged, sent, sizeOf } from "./simulation/rules.ts"
import type { World } from "./simulation/world.ts"

// A busy machine takes its time; the time in these tests is virtual.
vi.setConfig({ testTimeout: 300_000 })

const SECRET = new Uint8Array(32).fill(9)
const BIG = { text: "x".repeat(5000) }

/** From now on a new content arrives within ten minutes and a little, in both directions. */
async function recovers(world: World, alice: Actor, bob: Actor): Promise<void> {
  await world.run(2 * MINUTE)
  const there = await sent(world, alice, "bob")
  const back = await sent(world, bob, "alice")
  await world.run(13 * MINUTE)
  expect(there.handledAt, "to the one that lost").not.toBeNull()
  expect(back.handledAt, "from the one that lost").not.toBeNull()
  await world.run(2 * DAY)
  world.verify()
  world.hub.log = []
  await sent(world, alice, "bob")
  await sent(world, bob, "alice")
  await world.run(MINUTE)
  const count = envelopes(world, "alice").length + envelopes(world, "bob").length
  expect(count, "all is calm again").toBeLessThanOrEqual(4)
}

/** Some traffic, so that the sessions move on. */
async function talk(world: World, alice: Actor, bob: Actor, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    alice.send("bob")
    await world.run(10 * SECOND)
    bob.send("alice")
    await world.run(10 * SECOND)
  }
}

for (let seed = 1; seed <= 5; seed++) {
  test(`a store that was rolled back recovers with the next content (seed ${seed})`, async () => {
    const { world, alice, bob } = await acquainted(seed)
    await talk(world, alice, bob, seed % 3)
    const saved = bob.save()
    await talk(world, alice, bob, seed)
    if (seed % 2) await world.run(10 * DAY)
    bob.crash()
    bob.rollBack(saved)
    bob.start()
    await recovers(world, alice, bob)
  })

  test(`an identity restored into an empty store recovers (seed ${seed})`, async () => {
    const { world, alice, bob } = await acquainted(20 + seed)
    const backup = await world.await(bob.agent?.export(SECRET) ?? Promise.reject())
    await talk(world, alice, bob, seed)
    bob.crash()
    bob.wipe()
    bob.start({ restore: { backup, secret: SECRET } })
    await recovers(world, alice, bob)
    // A stranger's first message works at once: no key of the lost state is left at the hub.
    const carol = world.add("carol")
    await world.run(MINUTE)
    const first = await sent(world, carol, "bob")
    await world.run(2 * SECOND)
    expect(first.handledAt).not.toBeNull()
  })
}

test("five losses in a row: the session that heals is never put out (HANDSHAKE-39)", async () => {
  const { world, alice, bob } = await acquainted(40)
  const saved = bob.save()
  for (let i = 0; i < 6; i++) {
    await talk(world, alice, bob, 2)
    bob.crash()
    bob.rollBack(saved)
    bob.start()
    await recovers(world, alice, bob)
    expect(alice.disk.rows("key/session")).toBeLessThanOrEqual(4)
  }
})

test("a rolled back store has its keys at the hub replaced (AGENT-32)", async () => {
  const { world, alice, bob } = await acquainted(42)
  const saved = bob.save()
  await world.run(8 * DAY)
  bob.crash()
  bob.rollBack(saved)
  world.hub.log = []
  bob.start()
  await world.run(MINUTE)
  expect(logged(world, "bob", 10).length, "a bundle with a higher seq").toBeGreaterThanOrEqual(1)
  expect(logged(world, "bob", 11)[0]?.rest[0], "drop").toBe(1)
  for (const name of ["carol", "dave", "erin", "frank"]) {
    const stranger = world.add(name)
    await world.run(MINUTE)
    const first = await sent(world, stranger, "bob")
    await world.run(2 * SECOND)
    expect(first.handledAt, name).not.toBeNull()
  }
  await recovers(world, alice, bob)
})

test("a hub that lost everything, mail included (T13)", async () => {
  const { world, alice, bob } = await acquainted(43)
  await world.await(bob.stop())
  for (let i = 0; i < 10; i++) await sent(world, alice, "bob")
  world.hub.restart()
  await world.run(HOUR)
  bob.start()
  await world.run(2 * HOUR)
  expect(world.verify()).toMatchObject({ accepted: 12, handled: 12, receipted: 12 })
})

test("without one-time keys a later handshake carries only a heal (HANDSHAKE-9)", async () => {
  for (const withhold of [true, false]) {
    const { world, alice, bob } = await acquainted(44)
    await world.run(31 * DAY)
    expect(alice.disk.rows("key/session") + bob.disk.rows("key/session")).toBe(0)
    world.hub.faults.withhold = withhold
    world.hub.log = []
    alice.agent?.send("bob", BIG).catch(() => {})
    await world.run(5 * SECOND)
    const sizes = envelopes(world, "alice").map(sizeOf)
    expect(sizes).toHaveLength(withhold ? 2 : 1)
    if (withhold) expect(sizes[0]).toBeLessThan(1000)
    expect(sizes.at(-1)).toBeGreaterThan(3000)
    expect(bob.messages).toHaveLength(2)
  }
})

test("a heal that the hub threw away does not hold contents for ever (AGENT-22)", async () => {
  const { world, alice, bob } = await acquainted(45)
  await world.run(31 * DAY)
  world.hub.faults.withhold = true
  world.hub.faults.throwAway = ({ from }) => from === "alice"
  const entry = await sent(world, alice, "bob").catch(() => null)
  await world.run(5 * MINUTE)
  world.hub.faults.throwAway = () => false
  await world.run(20 * MINUTE)
  expect(bob.messages).toHaveLength(2)
  expect(entry?.receipt).toBe("delivered")
})

test("bundle-seq 2^53-1 from the hub does not stop publishing (BUNDLE-8)", async () => {
  const { world, alice, bob } = await acquainted(46)
  world.hub.faults.bundleSeq = Number.MAX_SAFE_INTEGER
  for (let i = 0; i < 200; i++) {
    world.hub.cut("bob")
    await world.run(3 * MINUTE)
  }
  const { "key/bundle": bundles, "key/one-time": keys } = bob.disk.tables
  expect(bundles, "one an hour in ten hours").toBeLessThanOrEqual(13)
  expect(keys, "200 an hour at most (BUNDLE-6)").toBeLessThanOrEqual(500)
  await world.run(20 * DAY)
  world.hub.log = []
  const seqs = (world.hub.bundles.get("bob") ?? []).map(seqOf)
  expect(Math.max(...seqs)).toBeLessThan(world.clock.now / 1000 + DAY)
  const newest = seqs.at(-1) as number
  expect(newest, "rotated within a week").toBeGreaterThan((world.clock.now - 8 * DAY) / 1000)
  const first = await sent(world, alice, "bob")
  await world.run(15 * MINUTE)
  expect(first.handledAt).not.toBeNull()
})

test("a flood of LOW_ONE_TIME makes at most 200 keys an hour, 500 in all (BUNDLE-6)", async () => {
  const { world, bob } = await acquainted(47, { oneTimeKeys: 100 })
  await world.run(HOUR)
  const held = () => bob.disk.rows("key/one-time")
  const made = () => logged(world, "bob", 11).reduce((sum, { rest }) => sum + sizes(rest[1]), 0)
  world.hub.faults.noKeysLeft = true
  for (let i = 0; i < 50; i++) {
    world.hub.low("bob", 1)
    await world.run(MINUTE)
  }
  expect(made()).toBeGreaterThan(100)
  expect(made()).toBeLessThanOrEqual(300)
  world.hub.log = []
  for (let i = 0; i < 300; i++) {
    world.hub.low("bob", 1)
    await world.run(MINUTE)
  }
  expect(made()).toBeLessThanOrEqual(200 * 6)
  expect(held()).toBeLessThanOrEqual(500)
})

test("junk under a peer's name makes the agent send nothing (AGENT-41, SESSION-20)", async () => {
  const { world, alice, bob } = await acquainted(48)
  await talk(world, alice, bob, 3)
  await world.run(HOUR)
  const { chance } = world
  const before = world.hub.total - world.hub.sent(14)
  for (let i = 0; i < 300; i++) {
    const held = chance.pick(world.hub.held)
    const envelope = new Uint8Array(held.envelope)
    const at = chance.integer(envelope.length)
    if (i % 3 === 0) envelope[at] = (envelope[at] as number) ^ (1 + chance.integer(255))
    const junk = i % 3 === 1 ? chance.bytes(400) : envelope
    world.hub.replay({ ...held, envelope: junk })
    await world.run(SECOND)
  }
  await world.run(DAY)
  expect(world.hub.total - world.hub.sent(14) - before).toBe(0)
  const entry = await sent(world, alice, "bob")
  await world.run(2 * SECOND)
  expect(entry.receipt).toBe("delivered")
  world.verify()
})

test("another identity raises one alarm an hour; forget reports and starts anew", async () => {
  const { world, alice, bob } = await acquainted(49)
  await world.await(bob.stop())
  bob.wipe()
  world.hub.restart()
  await world.run(2 * MINUTE)
  bob.start()
  await world.run(MINUTE)
  const entry = await sent(world, alice, "bob")
  bob.send("alice")
  await world.run(5 * HOUR)
  const alarms = heard(alice, "identity-changed")
  expect(alarms.length).toBeGreaterThan(2)
  for (const [i, { at }] of alarms.entries()) {
    if (i > 0) expect(at - (alarms[i - 1]?.at ?? 0)).toBeGreaterThanOrEqual(HOUR)
  }
  expect(bob.messages, "only that of the first identity").toHaveLength(1)
  expect(alice.messages).toHaveLength(1)
  alice.forgets = true
  await world.await(alice.agent?.forget("bob") ?? Promise.reject())
  expect(entry.undeliveredAt, "reported (IDENTITY-14)").not.toBeNull()
  expect(alice.disk.rows("content") + alice.disk.rows("key/session")).toBe(0)
  world.hub.watch.forget("alice")
  const anew = await sent(world, alice, "bob")
  await world.run(2 * SECOND)
  expect(anew.receipt).toBe("delivered")
  await world.run(2 * DAY)
  world.verify()
})

test("suite 2: losses, probes and re-seals are the same", async () => {
  const { world, alice, bob } = await acquainted(50, { suites: [1, 2], oneTimeKeys: 2 })
  const [one] = world.hub.held
  expect(decodeEnvelope(one?.envelope as Uint8Array).block.ek).not.toBeNull()
  const saved = bob.save()
  await talk(world, alice, bob, 3)
  bob.crash()
  bob.rollBack(saved)
  bob.start()
  await recovers(world, alice, bob)
})

function sizes(keys: unknown): number {
  return (keys as readonly unknown[]).length
}

function seqOf(bundle: unknown): number {
  const [body] = bundle as [Uint8Array]
  return (decode(body) as unknown[])[4] as number
}
