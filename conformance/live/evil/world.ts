// What a case of the hostile hub works with: the agent under test behind its driver, honest agents
// in this process, a clock for all of them, and the oracles that every case ends with.

import { randomBytes } from "node:crypto"
import { Agent } from "../../../src/agent/agent.ts"
import type { Value } from "../../../src/encoding.ts"
import type { Environment } from "../../../src/environment.ts"
import { FRAME, type HubLimits } from "../../../src/hub/frames.ts"
import { osDraw } from "../../../src/suite.ts"
import type { Driver, Json, JsonObject } from "../../driver.ts"
import { DriverClock } from "../../peers/reference/clock.ts"
import { hex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import { bodyOf, Party } from "../party.ts"
import { EvilHub, type Frame } from "./hub.ts"

/** One case of the hostile hub. */
export interface EvilCase {
  readonly id: string
  readonly title: string
  readonly req: readonly string[]
  /** Options of the agent under test and of its hub. */
  readonly options?: WorldOptions
  readonly run: (w: World) => Promise<void>
}

/** How the world of a case differs from the usual one. */
export interface WorldOptions {
  readonly limits?: Partial<HubLimits>
  /** More arguments of `agent.new`. */
  readonly agent?: JsonObject
  /** The case connects the agent itself. */
  readonly offline?: true
}

/** An honest agent. */
export interface Peer {
  readonly agent: Agent
  readonly texts: string[]
}

const NAMES = new Map<unknown, string>(Object.entries(FRAME).map(([name, type]) => [type, name]))

/** `sendFirst` of frame type 23. */
const frameName = ([type]: Frame): string => NAMES.get(type) ?? `a frame of type ${type}`

/** A frame for the log: its items, and the clock in seconds since the case began. */
const told = ([, ...items]: Frame, clock: number): JsonObject => ({ clock, frame: brief(items) })

/** A value as a person reads it, bounded. */
function brief(value: Value): Json {
  if (value instanceof Uint8Array) {
    const digits = hex(value.subarray(0, 12))
    return value.length > 12 ? `${digits}.. (${value.length} bytes)` : digits
  }
  if (Array.isArray(value)) return value.slice(0, 8).map((item) => brief(item as Value))
  return value === null || typeof value !== "bigint" ? (value as Json) : Number(value)
}

/** The world of one case. */
export class World extends Party {
  readonly clock: DriverClock
  readonly environment: Environment
  readonly hub: EvilHub
  readonly #options: WorldOptions
  readonly peers: Map<string, Peer> = new Map()
  readonly name = "under-test"
  /** The arguments of `agent.new`. */
  #made: JsonObject = {}
  /** Whether it has a hub: between agent.connect and agent.disconnect. */
  #online = false
  /** Texts that have to have arrived at the agent and at each peer when the case ends. */
  readonly due: string[] = []
  readonly dueAt: Map<string, string[]> = new Map()

  constructor(driver: Driver, patience: number, options: WorldOptions = {}) {
    super(driver, patience)
    this.#options = options
    this.clock = new DriverClock(Math.floor(Date.now() / 1000))
    this.clock.run()
    const { clock } = this
    this.environment = { now: () => clock.now, after: clock.after, draw: osDraw }
    this.hub = new EvilHub(this.environment, options.limits)
    const began = this.seconds
    this.hub.onFrame = (from, frame) => {
      this.note({
        op: `${from} sends ${frameName(frame)}`,
        args: told(frame, this.seconds - began),
      })
    }
  }

  get seconds(): number {
    return Math.floor(this.clock.now / 1000)
  }

  /** Whether it has a hub. */
  get online(): boolean {
    return this.#online
  }

  // ---- the agent under test ----

  /** Starts hub and agent; connects it, unless the case does. */
  async start(): Promise<void> {
    await this.hub.start()
    const seed = hex(new Uint8Array(randomBytes(32)))
    const base = { name: this.name, seed, now: this.seconds, suites: [1] }
    this.#made = { ...base, ...this.#options.agent }
    await this.create(this.#made)
    if (!this.#options.offline) await this.connect()
  }

  get #address(): JsonObject {
    return { agent: this.handle, host: "127.0.0.1", port: this.hub.port }
  }

  async connect(more: JsonObject = {}): Promise<void> {
    this.#online = true
    await this.ok("agent.connect", { ...this.#address, ...more })
    await this.until(() => this.connected, "the agent is connected")
  }

  /** `agent.connect` has to be refused. */
  refuses(code: string, more: JsonObject = {}): Promise<void> {
    this.#online = true
    return this.rejects("agent.connect", { ...this.#address, ...more }, code)
  }

  async disconnect(): Promise<void> {
    await this.ok("agent.disconnect", { agent: this.handle })
    this.#online = false
    this.connected = false
  }

  /** The agent sends a text, which its peer has to get in the end. */
  async send(to: string, text: string, more: JsonObject = {}): Promise<string> {
    const id = await this.submit(to, text, more)
    const name = to.split("#")[0] as string
    this.dueAt.set(name, [...(this.dueAt.get(name) ?? []), text])
    return id
  }

  /** The agent refuses to send. */
  refusesToSend(to: string, text: string, ...codes: readonly string[]): Promise<void> {
    return this.rejects("agent.submit", { agent: this.handle, to, body: bodyOf(text) }, ...codes)
  }

  /** Cuts its link, and waits until it knows. */
  async cut(): Promise<void> {
    this.hub.link?.cut()
    await this.until(() => !this.connected, "the link is lost")
  }

  /** Waits until it is connected; its pauses between attempts pass meanwhile. */
  async back(seconds: number = 2): Promise<void> {
    await this.until(
      () => this.connected,
      "the agent connects again",
      () => this.jump(seconds),
    )
  }

  /** Waits until it tells a text. */
  async hears(text: string): Promise<void> {
    await this.until(() => this.told(text), `"${text}" is told`)
  }

  /** Waits until it has made more SENDs to a name than `before`. */
  async leaves(to: string, before: number): Promise<void> {
    await this.until(() => this.hub.sendsTo(to).length > before, `an envelope to ${to} leaves`)
  }

  /** Waits until it has published a bundle. */
  async publishes(): Promise<void> {
    await this.until(() => this.hub.of(FRAME.putBundle).length > 0, "the agent publishes")
  }

  /** Sets all clocks forward; what becomes due by it happens at once. */
  async jump(seconds: number): Promise<void> {
    // An agent that works only within operations reads what has come before its clock is moved.
    if (this.#online) await this.poll(20)
    await this.move(seconds)
    await this.poll()
  }

  /** Sets all clocks forward, and does not poll. */
  async move(seconds: number): Promise<void> {
    const now = this.seconds + seconds
    this.clock.move(now)
    await this.ok("agent.clock", { agent: this.handle, now })
  }

  /** The agent's process ends, whatever it was doing, and another begins on what it has stored. */
  async crash(): Promise<void> {
    const { handle } = await this.ok("agent.snapshot", { agent: this.handle })
    await this.driver.call("drop", { handle: this.handle })
    this.#online = false
    this.connected = false
    // Another process draws other bytes.
    const seed = hex(new Uint8Array(randomBytes(32)))
    const args = { ...this.#made, seed, now: this.seconds, snapshot: handle as string }
    this.handle = String((await this.ok("agent.restore", args))["handle"])
  }

  // ---- honest agents ----

  /** An honest agent at the honest side of the hub. */
  async peer(
    name: string,
    options: { requireOneTime?: boolean; suites?: readonly (1 | 2)[] } = {},
  ): Promise<Peer> {
    const { environment, hub } = this
    const agent = new Agent(name, {
      ...{ hub: hub.local, environment, oneTimeKeys: 12, suites: [1] as const },
      ...options,
    })
    const texts: string[] = []
    agent.onMessage(({ text }) => void texts.push(text))
    await agent.ready
    const peer = { agent, texts }
    this.peers.set(name, peer)
    return peer
  }

  /** A peer sends the agent a text, which the agent has to tell once. */
  async tell(from: Peer, text: string): Promise<void> {
    this.due.push(text)
    await from.agent.send(this.name, text)
  }

  /** Both have a session afterwards: one text there, one back. */
  async meet(name: string): Promise<Peer> {
    const peer = this.peers.get(name) ?? (await this.peer(name))
    await this.publishes()
    await this.send(name, `hello ${name}`)
    await this.until(() => peer.texts.length > 0, `${name} gets the first message`)
    await this.tell(peer, `hello from ${name}`)
    await this.hears(`hello from ${name}`)
    return peer
  }

  /**
   * Barrier: a message of an honest agent, sent after all else, has been told. What the hub sent on
   * this link before it has been handled by then.
   */
  async barrier(from: Peer): Promise<void> {
    const text = `barrier ${this.due.length}`
    await this.tell(from, text)
    await this.hears(text)
  }

  // ---- the oracles ----

  /** The hub is honest from now on: everything due arrives, once, and nothing else. */
  async finish(): Promise<void> {
    this.hub.attack = {}
    if (this.handle === "") return
    if (this.#online) await this.poll(0)
    if (!this.connected) {
      await this.disconnect()
      await this.connect()
    }
    const witness = await this.peer("witness")
    await this.send("witness", "alive")
    await this.until(() => witness.texts.length > 0, "a message to an honest agent arrives")
    await this.barrier(witness)
    await this.until(() => this.#complete(), "everything that was sent arrives")
    this.#exact()
  }

  #complete(): boolean {
    const here = this.due.every((text) => this.told(text))
    return (
      here &&
      [...this.dueAt].every(([name, texts]) => this.peers.get(name)?.texts.length === texts.length)
    )
  }

  #exact(): void {
    same(
      this.messages.map(({ text }) => text).sort(),
      [...this.due].sort(),
      "messages that the agent told",
    )
    for (const [name, peer] of this.peers) {
      same(
        [...peer.texts].sort(),
        [...(this.dueAt.get(name) ?? [])].sort(),
        `messages that ${name} got`,
      )
    }
    const all = Buffer.concat(this.hub.links.flatMap((link) => link.bytes)).toString("latin1")
    const open = [...this.dueAt.values()].flat().find((text) => all.includes(text))
    check(open === undefined, "no plaintext is in any frame of the agent")
  }

  /** The case has shown what it shows; what is due does not arrive. */
  async leave(): Promise<void> {
    await this.driver.call("drop", { handle: this.handle })
    this.handle = ""
  }

  async end(): Promise<void> {
    if (this.handle !== "") await this.driver.call("drop", { handle: this.handle })
    for (const { agent } of this.peers.values()) await agent.close()
    await this.hub.stop()
  }
}
