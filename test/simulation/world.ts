// A world of actors around one hub, and what must be true of it at the end.

import { expect } from "vitest"
import type { AgentOptions } from "../../src/agent/options.ts"
import { Actor } from "./actor.ts"
import { type Chance, DAY, MINUTE, VirtualClock } from "./clock.ts"
import { type Counts, Ledger } from "./ledger.ts"
import { LyingHub } from "./lying-hub.ts"

/** Options that make a simulation fast: one suite, few one-time keys. */
const FAST: AgentOptions = { suites: [1], oneTimeKeys: 4 }

/** Virtual time, contents and faults of all worlds of a run, for the report. */
export const totals = { worlds: 0, days: 0, contents: 0, undelivered: 0, lost: 0, twice: 0 }

/** A simulated world. */
export class World {
  readonly clock: VirtualClock
  readonly hub: LyingHub
  readonly ledger: Ledger = new Ledger()
  readonly actors: Map<string, Actor> = new Map()

  constructor(seed: number) {
    this.clock = new VirtualClock(seed)
    this.hub = new LyingHub(this.clock)
  }

  get chance(): Chance {
    return this.clock.chance
  }

  /** A new actor, running. */
  add(name: string, options: AgentOptions = {}): Actor {
    const actor = this.actor(name, options)
    actor.start()
    return actor
  }

  /** A new actor that is not started. */
  actor(name: string, options: AgentOptions = {}): Actor {
    const actor = new Actor(this, name, { ...FAST, ...options })
    this.actors.set(name, actor)
    return actor
  }

  /** Runs for so many milliseconds. */
  run(ms: number): Promise<void> {
    return this.clock.run(ms)
  }

  /** Takes a promise of the world to its end; rejects if nothing more happens within `ms`. */
  async await<T>(work: Promise<T>, ms: number = 10 * MINUTE): Promise<T> {
    let state: { value: T } | { error: unknown } | null = null
    work.then(
      (value) => {
        state = { value }
      },
      (error) => {
        state = { error }
      },
    )
    const end = this.clock.now + ms
    while (state === null && this.clock.now < end) await this.run(10)
    await this.run(0)
    const done = state as { value: T } | { error: unknown } | null
    if (done === null) throw new Error(`nothing came of it in ${ms} ms`)
    if ("error" in done) throw done.error
    return done.value
  }

  /** The hub loses, delays and repeats nothing more. */
  calm(): void {
    Object.assign(this.hub.faults, { discard: 0, lose: 0, duplicate: 0, delay: 0 })
    Object.assign(this.hub.faults, { loseOk: 0, fail: 0 })
  }

  /** Ends all faults and starts whoever is not running. */
  heal(): void {
    const { faults } = this.hub
    this.calm()
    Object.assign(faults, { withhold: false, oldBundles: false, bundleSeq: null })
    faults.offline.clear()
    faults.silent.clear()
    for (const actor of this.actors.values()) {
      actor.disk.plan = null
      actor.disk.failures = 0
      actor.manners.slowness = 0
      actor.setSkew(0)
      if (!actor.agent) actor.start()
    }
  }

  /** Everything heals and all is settled: nothing may be lost or handled twice. */
  async finish(days: number = 2): Promise<Counts> {
    this.heal()
    await this.run(days * DAY)
    const counts = this.verify()
    const before = this.hub.sent(12, 13)
    await this.run(3 * DAY)
    expect(this.hub.sent(12, 13) - before, "nobody has anything left to say").toBe(0)
    for (const { name, disk } of this.actors.values()) {
      for (const table of ["content", "data/content", "data/out", "due", "inbox", "data/inbox"]) {
        expect(disk.rows(table), `${table} of ${name}`).toBe(0)
      }
      expect(disk.rows("key/session")).toBeLessThanOrEqual(4 * (this.actors.size - 1))
    }
    return counts
  }

  /** What holds in every world. */
  verify(): Counts {
    const { ledger } = this
    const { counts } = ledger
    totals.worlds++
    totals.days += Math.round((this.clock.now - 1_800_000_000_000) / DAY)
    totals.contents += counts.accepted
    totals.undelivered += counts.undelivered
    totals.lost += counts.lost
    totals.twice += counts.twice
    expect(ledger.lost, "lost").toEqual([])
    expect(ledger.pretended, "receipted and not handled").toEqual([])
    expect(ledger.twice, "handled twice").toEqual([])
    expect(ledger.strange, "strange").toEqual([])
    expect(this.hub.watch.faults, "SENDs").toEqual([])
    return counts
  }

  /** Stops all processes. */
  async end(): Promise<void> {
    for (const actor of this.actors.values()) actor.crash()
  }
}
