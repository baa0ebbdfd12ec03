// A scripted conversation in which each agent may die at any write, and what must hold after it.

import { expect } from "vitest"
import { toHex } from "../../src/bytes.ts"
import { decodeEnvelope } from "../../src/envelope.ts"
import { blockHash } from "../../src/keyschedule.ts"
import type { Suite } from "../../src/suite.ts"
import { type Death, Disk } from "./disk.ts"
import type { Transmission } from "./tap.ts"
import { type Process, World } from "./world.ts"

/** When the agents die: at their k-th writes. */
export interface Fate {
  /** Writes until each death of an agent; its last life is without end. */
  readonly a?: readonly number[]
  readonly b?: readonly number[]
  readonly death: Death
}

/** An agent over all its lives. */
class Role {
  readonly disk: Disk = new Disk()
  readonly handled: string[] = []
  readonly texts: string[] = []
  readonly answers: string[] = []
  /** Ids whose handling was committed before the present life. */
  done: ReadonlySet<string> = new Set()
  /** Ids that were handled after they had been committed as done. */
  readonly again: string[] = []
  readonly lost: string[] = []
  lives = 0
  deaths = 0
  process!: Process
  readonly #world: World
  readonly #suites: readonly Suite[]
  readonly #fuses: number[]
  readonly #death: Death
  readonly name: "a" | "b"

  constructor(world: World, name: "a" | "b", suites: readonly Suite[], fate: Fate) {
    this.#world = world
    this.name = name
    this.#suites = suites
    this.#fuses = [...(fate[name] ?? [])]
    this.#death = fate.death
  }

  async start(): Promise<void> {
    this.lives++
    this.done = await doneIds(this.disk)
    const before = this.process?.handle
    const left = before && !before.dead ? before.dieIn : (this.#fuses.shift() ?? Infinity)
    const { name } = this
    const process = this.#world.start(name, { disk: this.disk, suites: this.#suites, silent: true })
    this.process = process
    process.handle.dieIn = left
    process.handle.death = this.#death
    process.agent.on("undelivered", ({ id }) => void this.lost.push(id))
    process.agent.onMessage(async (message) => {
      if (this.process !== process) return
      if (this.done.has(message.id)) this.again.push(message.text)
      this.handled.push(message.id)
      this.texts.push(message.text)
      if (message.type === "question") await message.reply(`answer to ${message.text}`)
    })
    process.agent.ready.catch(() => {})
    await this.#world.quiet()
    if (process.handle.dead) await this.resurrect()
  }

  /** Starts again after a death. */
  async resurrect(): Promise<void> {
    this.deaths++
    this.process.kill()
    await this.#world.quiet()
    await this.start()
  }

  async restart(): Promise<void> {
    const closing = this.process.agent.close()
    closing.catch(() => {})
    await this.#world.quiet()
    if (this.process.handle.dead) await this.resurrect()
    else {
      await closing
      await this.start()
    }
  }
}

async function doneIds(disk: Disk): Promise<ReadonlySet<string>> {
  const done = new Set<string>()
  // An id that is remembered and whose content has left the inbox.
  const open = [...(await disk.dump("inbox/")).values()].join()
  for (const key of (await disk.dump("seen/")).keys()) {
    const id = key.slice(key.lastIndexOf("/") + 1)
    if (!open.includes(id)) done.add(id)
  }
  return done
}

/** Two agents, one hub, and what was accepted of what they said. */
export class Conversation {
  readonly world: World = new World()
  readonly a: Role
  readonly b: Role
  /** Texts that `send` took, by recipient. */
  readonly accepted = { a: [] as string[], b: [] as string[] }

  constructor(suites: readonly Suite[], fate: Fate) {
    this.a = new Role(this.world, "a", suites, fate)
    this.b = new Role(this.world, "b", suites, fate)
  }

  async #settled(work: Promise<unknown>): Promise<boolean> {
    let outcome: boolean | null = null
    work.then(
      () => {
        outcome = true
      },
      () => {
        outcome = false
      },
    )
    for (let i = 0; outcome === null && i < 240; i++) {
      if (this.a.process.handle.dead || this.b.process.handle.dead) break
      await this.world.clock.advance(0.25)
    }
    await this.world.quiet()
    return outcome === true
  }

  async #rest(seconds: number = 1.5): Promise<void> {
    await this.world.clock.advance(seconds)
    for (const role of [this.a, this.b]) if (role.process.handle.dead) await role.resurrect()
  }

  async #say(from: Role, to: Role, text: string, type: string = "message"): Promise<void> {
    const { agent } = from.process
    const ok = await this.#settled(agent.send(to.name, { text, type }, { receipt: "processed" }))
    if (ok) this.accepted[to.name].push(text)
  }

  async #ask(from: Role, to: Role, text: string): Promise<void> {
    const { agent } = from.process
    const asked = agent.request(to.name, { text, type: "question" }, { timeout: 20_000 })
    asked.then(
      (answer) => from.answers.push(answer.text),
      () => {},
    )
    if (await this.#settled(asked)) this.accepted[to.name].push(text)
  }

  /** The script. */
  async run(): Promise<void> {
    const { a, b } = this
    await b.start()
    await a.start()
    await this.#rest(2)
    await this.#say(a, b, "1")
    await this.#rest()
    await this.#say(b, a, "2")
    await this.#rest()
    await this.#ask(a, b, "3")
    await this.#rest()
    await Promise.all([this.#say(a, b, "4"), this.#say(a, b, "5"), this.#say(b, a, "6")])
    await this.#rest()
    await a.restart()
    await b.restart()
    await this.#rest(0.5)
    await Promise.all([this.#say(b, a, "7"), this.#say(a, b, "8")])
    await this.#rest()
    a.process.tap.cut()
    b.process.tap.cut()
    await Promise.all([this.#say(a, b, "9"), this.#say(b, a, "10")])
    await this.#rest(3)
    await this.#say(a, b, "11")
    await this.#rest()
  }

  /** Lets time pass until nothing is on its way. */
  async finish(): Promise<void> {
    const { a, b } = this
    for (let i = 0; i < 60; i++) {
      await this.#rest(60)
      const open = [a, b].map((role) => role.process.agent.status())
      if (open.every(({ pending, inbox }) => pending + inbox === 0)) break
    }
    await this.#insist(a, b, "last of a")
    await this.#insist(b, a, "last of b")
  }

  /** Says it again when it died while it said it. */
  async #insist(from: Role, to: Role, text: string): Promise<void> {
    for (let i = 0; i < 9 && !this.accepted[to.name].includes(text); i++) {
      await this.#say(from, to, text)
      await this.#rest()
    }
  }

  /** Holds all of it against SPEC §12. */
  check(what: string): void {
    const { a, b, accepted } = this
    expect(accepted.a, what).toContain("last of b")
    expect(accepted.b, what).toContain("last of a")
    for (const [role, texts] of [
      [a, accepted.a],
      [b, accepted.b],
    ] as const) {
      const missing = texts.filter((text) => !role.texts.includes(text))
      expect(missing, `${what}: lost on the way to ${role.name}`).toEqual([])
      expect(role.again, `${what}: done, and handled again by ${role.name}`).toEqual([])
      expect(role.lost, `${what}: given up by ${role.name}`).toEqual([])
      const seen = new Set<string>()
      const twice = role.handled.filter((id) => seen.size === seen.add(id).size)
      expect(twice.length, `${what}: handled twice by ${role.name}`).toBeLessThanOrEqual(
        role.lives - 1,
      )
      expect(role.process.of("problem"), `${what}: ${role.name}`).toEqual([])
    }
    expect(reused(this.world.sent), `${what}: key used twice`).toEqual([])
  }
}

/** Envelopes that differ and were sealed with one message key. */
export function reused(sent: readonly Transmission[]): string[] {
  const bySlot = new Map<string, Set<string>>()
  for (const { envelope } of sent) {
    const raw = decodeEnvelope(envelope)
    const slot = `${toHex(raw.sid)}/${toHex(blockHash(raw.block))}/${raw.n}`
    const known = bySlot.get(slot) ?? new Set()
    bySlot.set(slot, known.add(toHex(envelope)))
  }
  return [...bySlot].filter(([, bytes]) => bytes.size > 1).map(([slot]) => slot)
}
