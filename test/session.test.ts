// SPEC §10: any schedule of a bad network against the rules in numbers, in both suites.

import fc from "fast-check"
import { expect, test, vi } from "vitest"
import { toHex } from "../src/bytes.ts"
import { always } from "./support-session/check.ts"
import { digest, runs, SUITES, settled } from "./support-session/kit.ts"
import { ops, restored, type Side, World } from "./support-session/schedule.ts"

// Nothing here waits; a loaded machine is no failure.
vi.setConfig({ testTimeout: 300_000 })

/** A quiet round trip after whatever happened, unless a chain is at its end. */
function settle(world: World): boolean {
  const { models } = world
  const pass = (from: Side) => {
    const flight = world.seal(from)
    if (flight) world.deliver(from === "a" ? "b" : "a", flight)
  }
  for (const from of ["a", "b", "a", "b", "a"] as const) pass(from)
  return models.a.canSeal && models.b.canSeal
}

const schedule = fc.record({
  suite: fc.constantFrom(...SUITES),
  oneTime: fc.boolean(),
  list: ops,
})

// SESSION-1, SESSION-2, SESSION-7 to SESSION-19, HANDSHAKE-18
test("what arrives within the limits opens once; all else is refused and changes nothing", () => {
  let [opened, refused] = [0, 0]
  always(
    schedule,
    ({ suite, oneTime, list }) => {
      const world = new World(suite, oneTime)
      for (const op of list) world.run(op)
      if (settle(world) && world.models.b.received >= 0) {
        const [a, b] = [world.session("a"), world.session("b")]
        const sending = a.cks !== null ? [a, b] : [b, a]
        expect(sending[0]?.rk).toEqual(sending[1]?.rk)
        expect(sending[0]?.cks).toEqual(sending[1]?.ckr)
        expect(sending[0]?.ns).toBe(sending[1]?.nr)
      }
      opened += world.opened
      refused += world.refused
    },
    runs(90, 8),
  )
  // The property says nothing if little happened.
  expect(opened).toBeGreaterThan(runs(900, 60))
  expect(refused).toBeGreaterThan(runs(300, 20))
})

test("storing and reading a session back at any moment makes no difference (SESSION-3)", () => {
  always(
    schedule,
    ({ suite, oneTime, list }) => {
      const [plain, stored] = [new World(suite, oneTime), new World(suite, oneTime)]
      for (const op of list) {
        plain.run(op, false)
        if (op.op !== "wait") stored.snapshot(op.op === "seal" ? op.from : "a")
        stored.run(op, true)
      }
      expect(stored.pair.alice.state).toBe(plain.pair.alice.state)
      expect(stored.pair.bob.state).toBe(plain.pair.bob.state)
    },
    runs(30, 3),
  )
})

test("the order of arrival leaves no trace (SESSION-15)", () => {
  const arrivals = fc.record({
    suite: fc.constantFrom(...SUITES),
    order: fc.shuffledSubarray([...Array(30).keys()], { minLength: 1 }),
    keys: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
  })
  always(
    arrivals,
    ({ suite, order, keys }) => {
      const { alice, bob, sid } = settled(suite)
      const sent = Array.from({ length: 30 }, () => alice.seal(sid))
      const other = [...order].sort((i, j) => (keys[i] as number) - (keys[j] as number))
      const start = bob.session(sid)
      const [first, second] = [order, other].map((list) => {
        bob.sessions.set(sid, start)
        for (const i of list) bob.receive(sent[i] as Uint8Array)
        const { skipped, ...rest } = bob.session(sid)
        return digest([rest, skipped.map(({ n, mk }) => `${n} ${toHex(mk)}`).sort()])
      })
      expect(second).toBe(first)
    },
    runs(60, 8),
  )
})

test.each(SUITES)(
  "suite %i: keys are gone once they are used or replaced (SESSION-21)",
  (suite) => {
    const { alice, bob, sid } = settled(suite)
    const before = alice.session(sid)
    const first = alice.seal(sid)
    const after = alice.session(sid)
    const held = JSON.stringify(restored(after), (_key, value) =>
      value instanceof Uint8Array ? toHex(value) : value,
    )
    expect(held).not.toContain(toHex(before.cks as Uint8Array))
    const [stepDue, bobBefore] = [bob, bob.session(sid)]
    expect(bobBefore.own).toBeNull() // SESSION-23: at a responder this was the prekey
    expect(bobBefore.cks).toBeNull()
    stepDue.receive(first)
    expect(bob.session(sid).nr).toBe(2)
    alice.receive(bob.seal(sid))
    const stepped = alice.session(sid)
    expect(stepped.own).toBeNull()
    expect(stepped.cks).toBeNull()
    expect(stepped.rk).not.toEqual(after.rk)
  },
)

test("a responder lets go of its prekey with the first envelope (SESSION-23)", () => {
  for (const suite of SUITES) {
    const world = new World(suite)
    const flight = world.seal("a")
    if (flight) world.deliver("b", flight)
    const [bundle] = world.pair.bob.bundles.values()
    const secret = bundle?.secrets.get(suite)
    const held = JSON.stringify(world.session("b"), (_key, value) =>
      value instanceof Uint8Array ? toHex(value) : value,
    )
    expect(held).not.toContain(toHex(secret?.x as Uint8Array))
    if (secret?.kem) expect(held).not.toContain(toHex(secret.kem))
  }
})
