// The delivery rules of SPEC §12, one by one, in virtual time.

import { expect, test, vi } from "vitest"
import { toHex } from "../src/bytes.ts"
import { decodeEnvelope } from "../src/envelope.ts"
import { DAY, HOUR, MINUTE, SECOND } from "./simulation/clock.ts"
import { acquainted, envelopes, gaps, heard, logged, sent, sizeOf } from "./simulation/rules.ts"
import { World } from "./simulation/world.ts"

// A busy machine takes its time; the time in these tests is virtual.
vi.setConfig({ testTimeout: 300_000 })

test("receipts travel within a second, and none is receipted (AGENT-28, AGENT-29)", async () => {
  const { world, alice, bob } = await acquainted(1)
  const entry = await sent(world, alice, "bob")
  await world.run(2 * SECOND)
  expect(entry.receipt).toBe("delivered")
  expect((entry.receiptAt ?? 0) - (entry.handledAt ?? 0)).toBeLessThanOrEqual(SECOND)
  await world.run(DAY)
  expect(envelopes(world, "alice")).toHaveLength(1)
  expect(envelopes(world, "bob")).toHaveLength(1)
  expect(bob.messages).toHaveLength(2)
})

test("receipts of 32 envelopes travel at once (AGENT-28)", async () => {
  for (const [contents, receipts] of [
    [31, 0],
    [32, 1],
  ] as const) {
    const { world, alice } = await acquainted(2)
    world.hub.faults.latency = [0, 1]
    for (let i = 0; i < contents; i++) {
      alice.send("bob")
      await world.run(4)
    }
    await world.run(20)
    expect(envelopes(world, "alice")).toHaveLength(contents)
    expect(envelopes(world, "bob"), "within 150 ms").toHaveLength(receipts)
  }
})

test("a handshake is answered once within a second, an answer never (AGENT-17)", async () => {
  const world = new World(3)
  const alice = world.add("alice")
  world.add("bob")
  await world.run(MINUTE)
  world.hub.log = []
  await world.await(alice.agent?.connect("bob") ?? Promise.reject())
  await world.run(2 * SECOND)
  expect(envelopes(world, "alice")).toHaveLength(1)
  const [answer] = envelopes(world, "bob")
  expect((answer?.at ?? 0) - (envelopes(world, "alice")[0]?.at ?? 0)).toBeLessThan(SECOND)
  await world.run(30 * DAY)
  expect(envelopes(world, "alice")).toHaveLength(1)
  expect(envelopes(world, "bob")).toHaveLength(1)
})

test("an answer that is due is sent after a restart (AGENT-17)", async () => {
  const world = new World(4)
  const alice = world.add("alice")
  const bob = world.add("bob")
  await world.run(MINUTE)
  world.hub.log = []
  await world.await(alice.agent?.connect("bob") ?? Promise.reject())
  while (bob.disk.rows("key/session") === 0) await world.run(5)
  bob.crash()
  await world.run(HOUR)
  expect(envelopes(world, "bob")).toHaveLength(0)
  bob.start()
  await world.run(10 * SECOND)
  expect(envelopes(world, "bob")).toHaveLength(1)
})

test("probes: one clock, 10 min doubling to 24 h, no one-time key (AGENT-22, AGENT-24)", async () => {
  const { world, alice, bob } = await acquainted(5)
  await world.await(bob.stop())
  await sent(world, alice, "bob")
  const start = world.clock.now
  await world.run(3 * MINUTE)
  await sent(world, alice, "bob")
  await world.run(5 * DAY)
  const probes = envelopes(world, "alice").slice(2)
  expect(gaps(probes, start)).toEqual([10, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440])
  for (const { rest } of logged(world, "alice", 12)) expect(rest[1]).toEqual([])
  for (const probe of probes) expect(sizeOf(probe), "nothing but a heal").toBeLessThan(1000)
  bob.start()
  await world.run(DAY + HOUR)
  expect(world.ledger.counts).toMatchObject({ accepted: 4, receipted: 4 })
  world.verify()
})

test("the probe clock begins anew once everything is receipted (AGENT-23)", async () => {
  const { world, alice, bob } = await acquainted(6)
  await world.await(bob.stop())
  await sent(world, alice, "bob")
  await world.run(2 * DAY)
  bob.start()
  await world.run(DAY)
  expect(world.ledger.counts.receipted).toBe(3)
  await world.await(bob.stop())
  world.hub.log = []
  await sent(world, alice, "bob")
  const start = world.clock.now
  await world.run(25 * MINUTE)
  expect(gaps(envelopes(world, "alice").slice(1), start)).toEqual([10, 10])
})

test("no probe before the link is ready for a minute and drained (AGENT-22)", async () => {
  const { world, alice, bob } = await acquainted(7)
  await world.await(bob.stop())
  await sent(world, alice, "bob")
  await world.await(alice.stop())
  await world.run(HOUR)
  world.hub.log = []
  world.hub.faults.moreMail = 3
  alice.start()
  await world.run(MINUTE)
  const ready = world.clock.now
  await world.run(58 * MINUTE)
  expect(envelopes(world, "alice"), "mail was announced").toHaveLength(0)
  world.hub.cut("alice")
  await world.run(5 * MINUTE)
  expect(envelopes(world, "alice"), "an hour is over, over two links (AGENT-30)").toHaveLength(1)
  expect(world.clock.now - ready).toBeLessThan(65 * MINUTE)
  world.hub.faults.moreMail = 0
  await world.await(alice.stop())
  world.hub.log = []
  await world.run(HOUR)
  alice.start()
  await world.run(50 * SECOND)
  expect(envelopes(world, "alice")).toHaveLength(0)
  await world.run(30 * SECOND)
  expect(envelopes(world, "alice")).toHaveLength(1)
})

test("re-seals: once per session, after 60 s, same id (AGENT-21)", async () => {
  const { world, alice, bob } = await acquainted(8)
  const { faults } = world.hub
  // Heals and answers pass; contents of some size do not.
  const payload = { text: "x".repeat(5000) }
  faults.throwAway = ({ from, envelope }) => from === "alice" && envelope.length > 3000
  const delivery = await world.await(alice.agent?.send("bob", payload) ?? Promise.reject())
  await world.run(19 * MINUTE)
  const big = envelopes(world, "alice").filter((one) => sizeOf(one) > 3000)
  expect(big.length, "the first copy, and one on the session of the probe").toBe(2)
  const gap = (big[1]?.at ?? 0) - (big[0]?.at ?? 0)
  expect(gap).toBeGreaterThan(10 * MINUTE)
  faults.throwAway = () => false
  await world.run(HOUR)
  expect(bob.messages.filter(({ id }) => id === delivery.id)).toHaveLength(1)
  const { receipt } = world.ledger.entry("alice", "bob", delivery.id)
  expect(receipt).toBe("delivered")
})

test("a content is not sealed again on a session that had it (AGENT-21)", async () => {
  const { world, alice, bob } = await acquainted(14)
  const { faults, held } = world.hub
  const size = { text: "x".repeat(5000) }
  // A content of bob is held back, and every copy of that of alice.
  faults.throwAway = ({ from, envelope }) => from === "bob" || envelope.length > 3000
  bob.send("alice")
  await world.run(SECOND)
  const late = held.at(-1)
  expect(late?.from).toBe("bob")
  faults.throwAway = ({ envelope }) => envelope.length > 3000
  alice.agent?.send("bob", size).catch(() => {})
  await world.run(13 * MINUTE)
  const copies = () =>
    envelopes(world, "alice")
      .filter((one) => sizeOf(one) > 3000)
      .map(sidOf)
  expect(new Set(copies()).size, "copies on two sessions").toBe(2)
  expect(copies()).toHaveLength(2)
  // What comes late on the first session makes it the sending session again.
  expect(world.hub.replay(late as (typeof held)[number])).toBe(true)
  await world.run(4 * MINUTE)
  const entry = await sent(world, alice, "bob")
  expect(sidOf(envelopes(world, "alice").at(-1) as never)).toBe(copies()[0])
  expect(copies(), "no third copy").toHaveLength(2)
  faults.throwAway = () => false
  await world.run(HOUR)
  expect(entry.receipt).toBe("delivered")
  world.verify()
})

test("at most 128 envelopes are un-receipted (AGENT-26), re-seals do not wait (AGENT-27)", async () => {
  const { world, alice } = await acquainted(9)
  world.hub.faults.throwAway = ({ from }) => from === "alice"
  for (let i = 0; i < 140; i++) {
    alice.send("bob")
    await world.run(SECOND)
  }
  await world.run(5 * MINUTE)
  expect(envelopes(world, "alice")).toHaveLength(128)
  world.hub.faults.throwAway = () => false
  await world.run(HOUR)
  expect(world.ledger.counts).toMatchObject({ accepted: 142, handled: 142, receipted: 142 })
  world.verify()
})

test("14 days without a receipt: undelivered, once, and erased (AGENT-25)", async () => {
  const { world, alice, bob } = await acquainted(10)
  await world.await(bob.stop())
  const entry = await sent(world, alice, "bob")
  await world.run(5 * DAY)
  await world.await(alice.stop())
  await world.run(3 * DAY)
  alice.start()
  await world.run(6 * DAY - HOUR)
  expect(entry.undeliveredAt).toBeNull()
  await world.run(2 * HOUR)
  expect(entry.undeliveredAt).not.toBeNull()
  expect(alice.disk.rows("content") + alice.disk.rows("data/content")).toBe(0)
  bob.start()
  await world.run(DAY)
  expect(heard(alice, "undelivered")).toHaveLength(1)
  world.verify()
})

test("a SEND without a reply is repeated after 30 s with the same bytes (AGENT-15)", async () => {
  const { world, alice } = await acquainted(11)
  world.hub.faults.loseOk = 1
  alice.send("bob")
  await world.run(95 * SECOND)
  const sends = logged(world, "alice", 13)
  expect(envelopes(world, "alice")).toHaveLength(1)
  expect(sends.map(({ at }) => Math.round((at - (sends[0]?.at ?? 0)) / SECOND))).toEqual([
    0, 30, 60, 90,
  ])
  world.hub.faults.loseOk = 0
  await world.run(MINUTE)
  world.verify()
})

test("an ERR to a SEND is followed by the same bytes after 60 s (AGENT-16)", async () => {
  const { world, alice } = await acquainted(12)
  world.hub.faults.fail = 1
  alice.send("bob")
  await world.run(130 * SECOND)
  const sends = logged(world, "alice", 13)
  expect(sends.map(({ at }) => Math.round((at - (sends[0]?.at ?? 0)) / MINUTE))).toEqual([0, 1, 2])
  world.hub.faults.fail = 0
  await world.run(2 * MINUTE)
  expect(world.ledger.counts.receipted).toBe(3)
  world.verify()
})

test("an envelope that the hub never takes is dropped after 14 days: silence", async () => {
  const { world, alice, bob } = await acquainted(15)
  await world.await(bob.stop())
  world.hub.restart()
  await world.run(HOUR)
  const entry = await sent(world, alice, "bob")
  await world.run(HOUR)
  expect(logged(world, "alice", 13).length, "each minute").toBeGreaterThan(50)
  await world.await(alice.stop())
  await world.run(12 * DAY)
  alice.start()
  await world.run(3 * DAY)
  expect(entry.undeliveredAt).not.toBeNull()
  expect(alice.disk.rows("data/out")).toBe(0)
  world.hub.log = []
  await world.run(10 * DAY)
  expect(logged(world, "alice", 13)).toHaveLength(0)
  bob.start()
  await world.run(MINUTE)
  const late = await sent(world, alice, "bob")
  await world.run(15 * MINUTE)
  expect(late.receipt).toBe("delivered")
})

test("what could not be committed is not acknowledged (AGENT-40, AGENT-42)", async () => {
  const { world, alice, bob } = await acquainted(16)
  bob.disk.failures = 1_000_000
  const entry = await sent(world, alice, "bob")
  await world.run(SECOND)
  expect(logged(world, "bob", 14)).toHaveLength(0)
  bob.crash()
  bob.disk.failures = 0
  bob.start()
  await world.run(10 * SECOND)
  expect(entry.receipt, "delivered again by the hub, without a probe").toBe("delivered")
  world.verify()
})

// Ten thousand contents take half a minute of the machine: only where more was asked for.
const deep = Number(process.env["AGENTMESH_SEEDS"] ?? 1) > 1
test.runIf(deep)("a full inbox takes no more mail until there is room (AGENT-44)", async () => {
  const { world, alice, bob } = await acquainted(17)
  bob.manners.slowness = 8 * DAY
  for (let i = 0; i < 10_400; i++) alice.send("bob")
  await world.run(HOUR)
  expect(bob.disk.rows("inbox")).toBeGreaterThanOrEqual(10_000)
  expect(bob.disk.rows("inbox")).toBeLessThan(10_000 + 64)
  const waiting = alice.disk.rows("content")
  expect(waiting).toBeGreaterThan(300)
  await world.run(DAY)
  expect(alice.disk.rows("content"), "nothing is lost, nothing is taken").toBe(waiting)
  bob.manners.slowness = 0
  await world.run(10 * DAY)
  expect(world.verify()).toMatchObject({ accepted: 10_402, handled: 10_402, receipted: 10_402 })
})

test("slow handlers delay neither receipts nor mail (AGENT-43)", async () => {
  const { world, alice, bob } = await acquainted(13)
  bob.manners.slowness = 3 * HOUR
  for (let i = 0; i < 20; i++) {
    const entry = await sent(world, alice, "bob", "processed")
    await world.run(2 * SECOND)
    expect(entry.receipt).toBe("delivered")
  }
  await world.run(3 * DAY)
  const states = [...world.ledger.entries.values()].map(({ receipt }) => receipt)
  expect(states.filter((state) => state === "processed")).toHaveLength(20)
  world.verify()
})

test("both start at once: one session is used by both (glare, SPEC §10)", async () => {
  for (let seed = 100; seed < 110; seed++) {
    const world = new World(seed)
    const alice = world.add("alice")
    const bob = world.add("bob")
    await world.run(MINUTE)
    alice.send("bob")
    bob.send("alice")
    await world.run(MINUTE)
    world.hub.log = []
    for (let i = 0; i < 4; i++) {
      await sent(world, i % 2 ? alice : bob, i % 2 ? "bob" : "alice")
      await world.run(2 * SECOND)
    }
    const sids = new Set(envelopes(world, "alice").concat(envelopes(world, "bob")).map(sidOf))
    expect(sids.size).toBe(1)
    await world.run(HOUR)
    expect(world.verify().receipted).toBe(6)
  }
})

function sidOf({ rest }: { rest: readonly unknown[] }): string {
  return toHex(decodeEnvelope(rest[2] as Uint8Array).sid)
}
