// Agents, hub and clock of one test; agents run as processes that can be killed and started again.

import { Agent } from "../../src/agent/agent.ts"
import type { Message } from "../../src/agent/message.ts"
import type { AgentEvents, AgentOptions } from "../../src/agent/options.ts"
import type { Environment } from "../../src/environment.ts"
import { type HubOptions, LocalHub } from "../../src/hub/local-hub.ts"
import type { Suite } from "../../src/suite.ts"
import { settle, TestClock } from "../support/clock.ts"
import { Disk, Handle } from "./disk.ts"
import { Tap, type Transmission } from "./tap.ts"

/** A clock whose timers die with the process. */
class ProcessEnvironment implements Environment {
  readonly #clock: TestClock
  readonly draw: Environment["draw"]
  alive = true

  constructor(clock: TestClock) {
    this.#clock = clock
    this.draw = clock.draw
  }

  now(): number {
    return this.#clock.now()
  }

  after(ms: number, action: () => void): () => void {
    return this.#clock.after(ms, () => {
      if (this.alive) action()
    })
  }
}

type Event = { [K in keyof AgentEvents]: readonly [K, AgentEvents[K]] }[keyof AgentEvents]
const EVENTS = [
  "identity-changed",
  "receipt",
  "undelivered",
  "rejected",
  "handler-error",
  "connected",
  "disconnected",
  "problem",
] as const

/** One run of an agent. */
export class Process {
  readonly agent: Agent
  readonly tap: Tap
  readonly handle: Handle
  readonly disk: Disk
  readonly events: Event[] = []
  readonly messages: Message[] = []
  readonly #environment: ProcessEnvironment

  constructor(
    world: World,
    name: string,
    disk: Disk,
    options: AgentOptions & { silent?: boolean },
  ) {
    this.disk = disk
    this.handle = new Handle(disk)
    this.tap = new Tap(world.hub, name)
    this.#environment = new ProcessEnvironment(world.clock)
    world.taps.push(this.tap)
    const { silent, ...rest } = options
    this.agent = new Agent(name, {
      hub: this.tap,
      store: this.handle,
      environment: this.#environment,
      oneTimeKeys: 2,
      ...rest,
    })
    for (const kind of EVENTS) {
      this.agent.on(kind, (event) => this.events.push([kind, event] as unknown as Event))
    }
    if (!silent) this.agent.onMessage((message) => void this.messages.push(message))
  }

  /** Texts of the messages that the handlers saw. */
  get texts(): string[] {
    return this.messages.map((message) => message.text)
  }

  /** Codes of what was refused. */
  get refusals(): string[] {
    return this.events.flatMap((event) => (event[0] === "rejected" ? [event[1].error.code] : []))
  }

  /** Events of one kind. */
  of<K extends keyof AgentEvents>(kind: K): AgentEvents[K][] {
    return this.events.flatMap((event) => (event[0] === kind ? [event[1] as AgentEvents[K]] : []))
  }

  /** The process is gone, in the middle of whatever it did. */
  kill(): void {
    this.#environment.alive = false
    this.handle.dead = true
    this.tap.up = false
    this.tap.cut()
  }
}

/** Everything that is outside of the agents. */
export class World {
  readonly clock: TestClock = new TestClock()
  readonly hub: LocalHub
  readonly taps: Tap[] = []

  constructor(options: HubOptions = {}) {
    this.hub = new LocalHub({ environment: this.clock, ...options })
  }

  /** Starts an agent; `disk` is what it finds. */
  start(name: string, options: AgentOptions & { disk?: Disk; silent?: boolean } = {}): Process {
    const { disk = new Disk(), ...rest } = options
    return new Process(this, name, disk, rest)
  }

  /** Starts an agent and waits until it is published. */
  async ready(
    name: string,
    options: AgentOptions & { disk?: Disk; silent?: boolean } = {},
  ): Promise<Process> {
    const process = this.start(name, options)
    await this.until(process.agent.ready)
    await this.quiet()
    return process
  }

  /** Two agents that know each other. */
  async pair(suites: readonly Suite[] = [1]): Promise<[Process, Process]> {
    const a = await this.ready("a", { suites })
    const b = await this.ready("b", { suites })
    await this.until(a.agent.send("b", "hello"))
    await this.clock.advance(2)
    await this.until(b.agent.send("a", "hello"))
    await this.clock.advance(2)
    return [a, b]
  }

  /** Everything that agents gave to the hub. */
  get sent(): readonly Transmission[] {
    return this.taps.flatMap((tap) => tap.sent)
  }

  /** Lets everything come to rest that needs no clock. */
  async quiet(): Promise<void> {
    await settle(16)
  }

  /** Waits for a result while the clock runs, at most `seconds`. */
  async until<T>(work: Promise<T>, seconds: number = 60): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    work.then(end, end)
    await this.quiet()
    for (let i = 0; !done && i < seconds * 4; i++) await this.clock.advance(0.25)
    if (!done) throw new Error("nothing came of it in time")
    return work
  }
}
