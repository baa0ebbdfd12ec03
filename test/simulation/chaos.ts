// Random trouble: what happens in a world, drawn from its seed.

import type { Actor, Saved } from "./actor.ts"
import { DAY, HOUR, MINUTE, SECOND } from "./clock.ts"
import type { Image } from "./disk.ts"
import type { World } from "./world.ts"

/** What may happen, each with a weight. */
export type Trouble =
  | "send"
  | "burst"
  | "fan-out"
  | "pause"
  | "stop"
  | "crash"
  | "crash-at-commit"
  | "offline"
  | "silent"
  | "lossy"
  | "reorder"
  | "calm"
  | "replay"
  | "roll-back"
  | "import"
  | "hub-loss"
  | "hub-roll-back"
  | "withhold"
  | "old-bundles"
  | "skew"
  | "absurd-clock"
  | "slow"
  | "disk-full"

/** How often each trouble comes up. */
export type Mix = Partial<Record<Trouble, number>>

/** Keeps a world in trouble for some time. */
export class Chaos {
  readonly #world: World
  readonly #mix: readonly (readonly [Trouble, number])[]
  readonly #weight: number
  readonly #saved = new Map<string, Saved[]>()
  readonly #exports = new Map<string, Uint8Array>()
  #hubImages: Image[] = []

  constructor(world: World, mix: Mix) {
    this.#world = world
    this.#mix = Object.entries(mix) as [Trouble, number][]
    this.#weight = this.#mix.reduce((sum, [, weight]) => sum + weight, 0)
  }

  /** Runs for `days`, with about `perDay` events on each. */
  async run(days: number, perDay: number): Promise<void> {
    const { clock, chance } = this.#world
    const end = clock.now + days * DAY
    while (clock.now < end) {
      await this.#happen(this.#draw())
      const mean = DAY / perDay
      await this.#world.run(Math.min(-Math.log(1 - chance.unit()) * mean, 7 * DAY))
    }
  }

  #draw(): Trouble {
    let left = this.#world.chance.unit() * this.#weight
    for (const [trouble, weight] of this.#mix) {
      left -= weight
      if (left <= 0) return trouble
    }
    return "pause"
  }

  get #actors(): Actor[] {
    return [...this.#world.actors.values()]
  }

  #running(): Actor | undefined {
    const running = this.#actors.filter(({ agent }) => agent !== null)
    return running.length > 0 ? this.#world.chance.pick(running) : undefined
  }

  /** Most pauses are short, some take weeks. */
  #long(): number {
    const { chance } = this.#world
    const scale = chance.pick([MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 4 * DAY, 10 * DAY])
    return scale * chance.between(0.5, 2)
  }

  async #happen(trouble: Trouble): Promise<void> {
    const world = this.#world
    const { chance, clock, hub } = world
    const { faults } = hub
    const actor = this.#running()
    if (actor === undefined) return this.#startAll()
    const later = (ms: number, action: () => void) => void clock.after(ms, action)
    switch (trouble) {
      case "send":
        return this.#send(actor)
      case "burst":
        for (let i = chance.integer(40); i > 0; i--) this.#send(actor)
        return
      case "fan-out":
        actor.sendMany(this.#actors.filter((other) => other !== actor).map(({ name }) => name))
        return
      case "pause":
        return
      case "stop": {
        const stopped = actor.stop()
        await world.run(SECOND)
        await stopped
        return this.#again(actor, this.#long())
      }
      case "crash":
        actor.crash()
        return this.#again(actor, this.#long())
      case "crash-at-commit":
        actor.crashAt(chance.integer(20), chance.happens(0.5))
        return later(HOUR, () => this.#startAll())
      case "offline": {
        faults.offline.add(actor.name)
        hub.cut(actor.name)
        // A process without a network tries all the time: weeks of it are for processes that are off.
        return later(this.#long() / 20, () => faults.offline.delete(actor.name))
      }
      case "silent":
        faults.silent.add(actor.name)
        return later(chance.between(SECOND, 10 * MINUTE), () => faults.silent.delete(actor.name))
      case "lossy":
        faults.discard = chance.between(0, 0.5)
        faults.lose = chance.between(0, 0.5)
        faults.loseOk = chance.between(0, 0.3)
        faults.fail = chance.between(0, 0.3)
        return later(chance.between(MINUTE, 12 * HOUR), () => world.calm())
      case "reorder":
        faults.duplicate = chance.between(0, 0.7)
        faults.delay = chance.between(0, 0.7)
        faults.delayWithin = chance.pick([SECOND, MINUTE, 20 * MINUTE, 6 * HOUR])
        faults.duplicateWithin = chance.pick([SECOND, MINUTE, DAY, 10 * DAY])
        return
      case "calm":
        return world.calm()
      case "replay":
        for (let i = chance.integer(20); i > 0 && hub.held.length > 0; i--) {
          hub.replay(chance.pick(hub.held))
        }
        return
      case "roll-back":
        return this.#rollBack(actor)
      case "import":
        return this.#import(actor)
      case "hub-loss":
        return hub.restart()
      case "hub-roll-back":
        if (chance.happens(0.5) || this.#hubImages.length === 0) {
          this.#hubImages = [...this.#hubImages, hub.snapshot()].slice(-3)
        } else hub.restart(chance.pick(this.#hubImages))
        return
      case "withhold":
        faults.withhold = true
        return later(this.#long(), () => {
          faults.withhold = false
        })
      case "old-bundles":
        faults.oldBundles = true
        return later(chance.between(MINUTE, 4 * HOUR), () => {
          faults.oldBundles = false
        })
      case "skew":
        return actor.setSkew(chance.between(-200, 200) * SECOND)
      case "absurd-clock": {
        const before = actor.skew
        actor.setSkew(chance.pick([-1, 1]) * chance.pick([2 * HOUR, 40 * DAY, 3650 * DAY]))
        return later(chance.between(SECOND, 20 * MINUTE), () => actor.setSkew(before))
      }
      case "slow":
        actor.manners.slowness = chance.pick([0, SECOND, 10 * MINUTE, 3 * HOUR])
        actor.manners.failure = chance.pick([0, 0.2])
        return
      case "disk-full":
        actor.disk.failures = 1 + chance.integer(5)
        return
    }
  }

  #send(actor: Actor): void {
    const others = this.#actors.filter((other) => other !== actor)
    if (actor.agent === null) return
    const ask = this.#world.chance.happens(0.3) ? "processed" : "delivered"
    actor.send(this.#world.chance.pick(others).name, ask)
  }

  #again(actor: Actor, ms: number): void {
    this.#world.clock.after(ms, () => {
      if (!actor.agent) actor.start()
    })
  }

  #startAll(): void {
    for (const actor of this.#actors) if (!actor.agent) actor.start()
  }

  /** Saves a state, or goes back to one. */
  #rollBack(actor: Actor): void {
    const { chance } = this.#world
    const saved = this.#saved.get(actor.name) ?? []
    if (saved.length === 0 || chance.happens(0.4)) {
      this.#saved.set(actor.name, [...saved, actor.save()].slice(-3))
      return
    }
    actor.crash()
    actor.rollBack(chance.pick(saved))
    this.#again(actor, chance.between(0, HOUR))
  }

  /** The disk is lost; the identity comes back from an export. */
  async #import(actor: Actor): Promise<void> {
    const { name, agent } = actor
    const secret = new Uint8Array(32).fill(7)
    if (!this.#exports.has(name) || this.#world.chance.happens(0.3)) {
      const backup = agent?.export(secret).catch(() => null)
      await this.#world.run(SECOND)
      const done = await Promise.race([backup, null])
      if (done) this.#exports.set(name, done)
      return
    }
    const backup = this.#exports.get(name) as Uint8Array
    actor.crash()
    actor.wipe()
    this.#saved.delete(name)
    actor.start({ restore: { backup, secret } })
  }
}
