// SPEC §15, T4 and T5: what a leak opens and what it does not. A reference attacker with every
// recorded envelope and everything that leaked reads exactly what the rules in symbols allow, and
// these sets keep the promises, with their limits: a test in which nothing can be read is no test.

import fc from "fast-check"
import { expect, test, vi } from "vitest"
import type { Session } from "../src/session.ts"
import type { Suite } from "../src/suite.ts"
import { Attacker } from "./support-session/attacker.ts"
import { always } from "./support-session/check.ts"
import { type Party, runs, SUITES } from "./support-session/kit.ts"
import { Knowledge, stepOf } from "./support-session/knowledge.ts"
import type { ModelEnd } from "./support-session/model.ts"
import { type Flight, type Side, World } from "./support-session/schedule.ts"

// Nothing here waits; a loaded machine is no failure.
vi.setConfig({ testTimeout: 300_000 })

const other = (side: Side): Side => (side === "a" ? "b" : "a")

/** One leak, with what was true at that moment. */
interface Leak {
  readonly side: Side
  readonly session: Session | undefined
  readonly end: ModelEnd
  readonly prekeys: boolean
  /** Envelopes whose keys the leaker had erased: opened by it, or sealed by it. */
  readonly erased: ReadonlySet<Flight>
  /** Step of the leaker's latest chain. */
  readonly own: number
}

/** A conversation that is recorded, and from which agents leak. */
class Tapped extends World {
  readonly suite: Suite
  readonly oneTime: boolean
  readonly all: Flight[] = []
  readonly leaks: Leak[] = []
  prekeys = true
  /** One-time keys that were left at each leak. */
  readonly #oneTimes: Party["oneTimes"][] = []

  constructor(suite: Suite, oneTime: boolean) {
    super(suite, oneTime)
    this.suite = suite
    this.oneTime = oneTime
  }

  override seal(from: Side): Flight | undefined {
    const flight = super.seal(from)
    if (flight) this.all.push(flight)
    return flight
  }

  /** Seals `count` envelopes; those in `lost` do not arrive. */
  flight(from: Side, count: number, lost: readonly number[] = []): readonly Flight[] {
    const flights = Array.from({ length: count }, () => this.seal(from) as Flight)
    for (const [i, flight] of flights.entries()) {
      if (!lost.includes(i)) this.deliver(other(from), flight)
    }
    return flights
  }

  leak(side: Side): void {
    const end = Object.assign(
      Object.create(Object.getPrototypeOf(this.models[side])),
      this.models[side],
    )
    const session = this.party(side).sessions.get(this.pair.sid)
    const erased = new Set(
      this.all.filter((flight) => this.sent[side].includes(flight) || flight.delivered),
    )
    const own = end.chain < 0 ? -2 + (side === "a" ? 0 : 1) : stepOf(side, end.chain)
    this.leaks.push({ side, session, end, prekeys: this.prekeys, erased, own })
    this.#oneTimes.push(new Map(this.pair.bob.oneTimes))
  }

  stepOf(flight: Flight): number {
    return stepOf(this.sent.a.includes(flight) ? "a" : "b", flight.chain)
  }

  /** What the attacker reads, by computing. */
  read(): ReadonlySet<Flight> {
    const { alice, bob, sid } = this.pair
    const { th } = alice.session(sid)
    const attacker = new Attacker(
      this.suite,
      th,
      this.all.map(({ envelope }) => envelope),
    )
    for (const [i, { side, session, prekeys }] of this.leaks.entries()) {
      if (session) attacker.learnSession(session)
      const oneTimes = this.#oneTimes[i]
      if (side === "b") attacker.learnKeys(Object.assign(Object.create(bob), { oneTimes }), prekeys)
      else attacker.learnKeys(alice, prekeys)
    }
    const read = attacker.opened()
    return new Set(this.all.filter((_, i) => read.has(i)))
  }

  /** What the attacker reads, by the rules. */
  allowed(): ReadonlySet<Flight> {
    const knowledge = new Knowledge(this.suite)
    for (const { side, session, end, prekeys } of this.leaks) {
      if (session) knowledge.learnSession(side, end)
      if (side === "b" && prekeys) knowledge.learnPrekey(this.oneTime && session !== undefined)
    }
    knowledge.close(Math.max(0, ...this.all.map((flight) => this.stepOf(flight))))
    return new Set(this.all.filter((flight) => knowledge.opens(this.stepOf(flight), flight.n)))
  }
}

const side = fc.constantFrom<Side>("a", "b")
const op = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant("seal" as const),
      from: side,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant("deliver" as const), to: side, pick: fc.nat(4) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("turns" as const), count: fc.constantFrom(1, 2) }),
  },
)
const life = fc.record({
  suite: fc.constantFrom(...SUITES),
  oneTime: fc.boolean(),
  before: fc.array(op, { maxLength: 12, size: "max" }),
  erase: fc.boolean(),
  side,
  after: fc.array(op, { maxLength: 12, size: "max" }),
})

/** The limits of T4: the first flight without a one-time key, and what hangs on its root. */
function firstFlight(world: Tapped, leak: Leak, flight: Flight): boolean {
  if (leak.side !== "b" || world.oneTime || !leak.prekeys) return false
  const step = world.stepOf(flight)
  return step === 0 || (step === 1 && world.suite === 1 && leak.end.own && leak.own === 1)
}

test("one leak: read is exactly what the rules allow, and T4 and T5 hold (SESSION-1, SESSION-21)", () => {
  const seen = { erased: 0, healed: 0, open: 0 }
  always(
    life,
    ({ suite, oneTime, before, erase, side: leaker, after }) => {
      const world = new Tapped(suite, oneTime)
      world.run({ op: "turns", count: 1 })
      for (const item of before) world.run(item)
      if (erase) world.prekeys = false
      world.leak(leaker)
      for (const item of after) world.run(item)
      const read = world.read()
      const allowed = world.allowed()
      expect([...read].map((flight) => label(world, flight)).sort()).toEqual(
        [...allowed].map((flight) => label(world, flight)).sort(),
      )
      const [leak] = world.leaks as [Leak]
      for (const flight of world.all) {
        // T4: keys that were erased before the leak open nothing.
        if (leak.erased.has(flight) && !firstFlight(world, leak, flight)) {
          expect(read.has(flight), `erased: ${label(world, flight)}`).toBe(false)
          seen.erased++
        }
        // T5: from the leaker's next step on everything is secret, in both directions.
        if (world.stepOf(flight) >= leak.own + 2 && !leak.erased.has(flight)) {
          expect(read.has(flight), `healed: ${label(world, flight)}`).toBe(false)
          seen.healed++
        }
      }
      seen.open += read.size
    },
    runs(70, 10),
  )
  expect(Math.min(seen.erased, seen.healed, seen.open)).toBeGreaterThan(runs(70, 10))
})

const label = (world: Tapped, flight: Flight) => `${world.stepOf(flight)}/${flight.n}`

test("any number of leaks of both sides: read is exactly what the rules allow", () => {
  const lives = fc.record({
    suite: fc.constantFrom(...SUITES),
    oneTime: fc.boolean(),
    list: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: op },
        { weight: 1, arbitrary: fc.record({ op: fc.constant("leak" as const), side }) },
        { weight: 1, arbitrary: fc.record({ op: fc.constant("erase" as const) }) },
      ),
      { maxLength: 30, size: "max" },
    ),
  })
  let [read, closed] = [0, 0]
  always(
    lives,
    ({ suite, oneTime, list }) => {
      const world = new Tapped(suite, oneTime)
      for (const item of list) {
        if (item.op === "leak") world.leak(item.side)
        else if (item.op === "erase") world.prekeys = false
        else world.run(item)
      }
      const names = (set: ReadonlySet<Flight>) => [...set].map((one) => label(world, one)).sort()
      const found = world.read()
      expect(names(found)).toEqual(names(world.allowed()))
      read += found.size
      closed += world.all.length - found.size
    },
    runs(70, 10),
  )
  expect(Math.min(read, closed)).toBeGreaterThan(runs(70, 10))
})

const numbers = (world: Tapped) => [...world.read()].map((flight) => label(world, flight)).sort()

describeFirstFlight()
function describeFirstFlight(): void {
  for (const suite of SUITES) {
    test(`suite ${suite}: T4, the first flight after a leak of all of the responder's keys`, () => {
      const flight = (oneTime: boolean, erased: boolean) => {
        const world = new Tapped(suite, oneTime)
        world.flight("a", 2)
        world.prekeys = !erased
        world.leak("b")
        return numbers(world)
      }
      expect(flight(false, false)).toEqual(["0/0", "0/1"]) // the stated limit
      expect(flight(false, true)).toEqual([]) // until the prekey is erased
      expect(flight(true, false)).toEqual([]) // and never with a one-time key
      expect(flight(true, true)).toEqual([])
    })

    test(`suite ${suite}: T4, the first answer while its sender still waits`, () => {
      const answered = (oneTime: boolean, acknowledged: boolean) => {
        const world = new Tapped(suite, oneTime)
        world.flight("a", 1)
        world.flight("b", 2)
        if (acknowledged) world.flight("a", 1)
        world.leak("b")
        return numbers(world)
      }
      expect(answered(true, false)).toEqual([])
      // In suite 1 the prekey gives rk1, and the answer's own key is kept until it is answered.
      const limit = suite === 1 ? ["0/0", "1/0", "1/1"] : ["0/0"]
      expect(answered(false, false)).toEqual(limit)
      expect(answered(false, true)).toEqual(["0/0"])
    })

    test(`suite ${suite}: T4, what has not arrived yet is open to a leak of its receiver`, () => {
      const world = new Tapped(suite, true)
      world.flight("a", 1)
      world.flight("b", 1)
      world.flight("a", 4, [1, 3]) // 0 and 2 arrive; 1 is skipped, 3 is still to come
      world.leak("b")
      expect(numbers(world)).toEqual(["2/1", "2/3"])
      const sender = new Tapped(suite, true)
      sender.flight("a", 1)
      sender.flight("b", 1)
      sender.flight("a", 4, [1, 3])
      sender.leak("a")
      expect(numbers(sender)).toEqual([]) // its sender has nothing left that opens it
    })

    test(`suite ${suite}: T5, at most two flights after a leak can be read`, () => {
      const world = new Tapped(suite, true)
      world.flight("a", 1)
      world.flight("b", 1)
      world.flight("a", 1) // step 2: Alice has an open chain
      world.leak("a")
      world.flight("a", 2) // first: the rest of her chain
      world.flight("b", 2) // second: the answer to keys that leaked
      world.flight("a", 2) // her next step: secret
      world.flight("b", 2) // what the peer sends after it: secret
      world.flight("a", 2)
      expect(numbers(world)).toEqual(["2/1", "2/2", "3/0", "3/1"])
      // One who leaks when its step is due heals with its very next envelope.
      const due = new Tapped(suite, true)
      due.flight("a", 1)
      due.flight("b", 1)
      due.leak("a")
      due.flight("a", 2)
      due.flight("b", 2)
      due.flight("a", 2)
      expect(numbers(due)).toEqual([])
    })
  }
}

test("an identity key alone opens nothing that is recorded", () => {
  for (const suite of SUITES) {
    const world = new Tapped(suite, false)
    world.flight("a", 2)
    world.flight("b", 2)
    world.flight("a", 2)
    world.prekeys = false
    world.leaks.push({
      ...{ side: "a", session: undefined, end: world.models.a, prekeys: false },
      ...{ erased: new Set<Flight>(), own: 0 },
    })
    expect(numbers(world)).toEqual([])
  }
})
