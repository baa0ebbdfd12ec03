// A name with a disk, and the processes that run one after the other on it.

import { Agent } from "../../src/agent/agent.ts"
import type { Message } from "../../src/agent/message.ts"
import type { AgentOptions } from "../../src/agent/options.ts"
import { decodeRow } from "../../src/agent/rows.ts"
import type { Delivery } from "../../src/agent/tracker.ts"
import { toHex } from "../../src/bytes.ts"
import { DAY, ProcessEnvironment, type VirtualClock } from "./clock.ts"
import { Disk, type Image } from "./disk.ts"
import type { Entry, Ledger, Lineage } from "./ledger.ts"
import type { LyingHub } from "./lying-hub.ts"

/** What a world gives its actors. */
export interface Stage {
  readonly clock: VirtualClock
  readonly hub: LyingHub
  readonly ledger: Ledger
}

/** How the handlers of an actor behave. */
export interface Manners {
  /** Milliseconds that a handler takes at most. */
  slowness: number
  /** Probability that it throws. */
  failure: number
}

/** A state to go back to. */
export interface Saved {
  readonly image: Image
  readonly lineage: Lineage
  readonly at: number
}

/** An event as it was emitted, and when. */
export interface Heard {
  readonly at: number
  readonly kind: string
  readonly event: Record<string, unknown>
}

/** One agent through all its processes. */
export class Actor {
  readonly name: string
  readonly disk: Disk = new Disk()
  readonly manners: Manners = { slowness: 0, failure: 0 }
  readonly heard: Heard[] = []
  readonly messages: Message[] = []
  /** Milliseconds that the clock of this machine reads too much. */
  skew = 0
  options: AgentOptions
  /** Whether it forgets names, which gives contents up before their time. */
  forgets = false
  lineage: Lineage = new Set()
  agent: Agent | null = null
  environment: ProcessEnvironment | null = null
  /** Processes so far. */
  processes = 0
  readonly #stage: Stage

  constructor(stage: Stage, name: string, options: AgentOptions) {
    this.#stage = stage
    this.name = name
    this.options = options
  }

  /** Starts a process on the disk. */
  start(extra: Partial<AgentOptions> = {}): Agent {
    if (this.agent) throw new Error(`${this.name} is running`)
    const { clock, hub } = this.#stage
    this.#forgetOpen()
    this.processes++
    this.environment = new ProcessEnvironment(clock, this.skew)
    const { environment } = this
    const store = this.disk.open()
    const agent = new Agent(this.name, {
      ...{ ...this.options, ...extra },
      ...{ hub: hub.as(this.name), store, environment },
    })
    this.agent = agent
    this.#listen(agent, environment)
    agent.onMessage((message) => this.#handle(message, environment))
    return agent
  }

  /** Sets the clock of the machine, running or not. */
  setSkew(ms: number): void {
    this.skew = ms
    if (this.environment) this.environment.skew = ms
  }

  #listen(agent: Agent, environment: ProcessEnvironment): void {
    const { ledger, clock } = this.#stage
    const kinds = [
      ...(["identity-changed", "receipt", "undelivered", "rejected"] as const),
      ...(["handler-error", "connected", "disconnected", "problem"] as const),
    ]
    for (const kind of kinds) {
      agent.on(kind, (event) => {
        if (environment.dead) return
        const fields = event as unknown as Record<string, unknown>
        this.heard.push({ at: clock.now, kind, event: fields })
        if (kind === "receipt") {
          const entry = ledger.entry(this.name, fields["to"] as string, fields["id"] as string)
          entry.receipt = fields["state"] as Entry["receipt"]
          entry.receiptAt ??= clock.now
        } else if (kind === "undelivered") {
          const entry = ledger.entry(this.name, fields["to"] as string, fields["id"] as string)
          if (entry.undeliveredAt) ledger.strange.push(`${entry.key} undelivered twice`)
          const early = entry.acceptedAt && clock.now - entry.acceptedAt < 13.8 * DAY
          if (early && !this.forgets) ledger.strange.push(`${entry.key} given up early`)
          entry.undeliveredAt = clock.now
        }
      })
    }
  }

  async #handle(message: Message, environment: ProcessEnvironment): Promise<void> {
    if (environment.dead) return
    const { ledger, clock } = this.#stage
    const entry = ledger.entry(message.sender, this.name, message.id)
    ledger.handled(entry, this.lineage, clock.now)
    this.messages.push(message)
    const { slowness, failure } = this.manners
    if (slowness > 0) await clock.sleep(clock.chance.between(0, slowness))
    if (environment.dead) await new Promise(() => {})
    if (clock.chance.happens(failure)) throw new Error("the handler fails")
  }

  /** Contents on disk that were not finished may be handled again. */
  #forgetOpen(): void {
    for (const key of this.#inbox()) this.lineage.delete(key)
  }

  #inbox(): string[] {
    return this.disk.entries("inbox/").map(([, row]) => {
      const { name, id } = decodeRow<{ name: string; id: Uint8Array }>(row)
      return `${name}>${this.name}/${toHex(id)}`
    })
  }

  /** Keys of contents that the disk still keeps for their receipts. */
  #kept(): Set<string> {
    const keys = this.disk.entries("content/").map(([key]) => key.slice("content/".length))
    return new Set(keys.map((key) => `${this.name}>${key}`))
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const { agent } = this
    if (agent === null) return
    await agent.close()
    this.#gone()
  }

  /** The process dies at once. */
  crash(): void {
    if (this.agent === null) return
    this.disk.kill()
    this.#gone()
    this.#stage.hub.cut(this.name)
    const kept = this.#kept()
    for (const entry of this.#stage.ledger.entries.values()) {
      if (entry.from === this.name && !kept.has(entry.key)) entry.untold = true
    }
  }

  /** The process dies at one of its next commits. */
  crashAt(commits: number, durable: boolean): void {
    this.disk.plan = { commits, durable, crash: () => this.crash() }
  }

  #gone(): void {
    if (this.environment) this.environment.dead = true
    this.environment = null
    this.agent = null
  }

  /** The state on disk, to go back to. */
  save(): Saved {
    const inbox = new Set(this.#inbox())
    const lineage = new Set([...this.lineage].filter((key) => !inbox.has(key)))
    return { image: this.disk.snapshot(), lineage, at: this.#stage.clock.now }
  }

  /** The disk goes back; the process has to be stopped or dead. */
  rollBack(saved: Saved): void {
    this.#lose(saved.at)
    this.disk.restore(saved.image)
    this.lineage = new Set(saved.lineage)
  }

  /** The disk is gone. */
  wipe(): void {
    this.#lose(0)
    this.disk.wipe()
    this.lineage = new Set()
  }

  #lose(since: number): void {
    if (this.agent) throw new Error(`${this.name} is running`)
    const inbox = new Set(this.#inbox())
    this.#stage.hub.watch.forget(this.name)
    for (const entry of this.#stage.ledger.entries.values()) {
      if (entry.from === this.name && (entry.acceptedAt ?? 0) >= since) entry.senderLost = true
      if (entry.to === this.name && (inbox.has(entry.key) || entry.handledAt === null)) {
        entry.receiverLost = true
      }
    }
  }

  /** Sends; the content is on the ledger once `send` resolved. Resolves at once. */
  send(to: string, ask: "delivered" | "processed" = "delivered"): void {
    this.deliver(to, ask).catch(() => {})
  }

  /** Sends one content to several. */
  sendMany(to: readonly string[]): void {
    const { agent, environment } = this
    const work = agent?.sendMany(to, `from ${this.name} to all`).then((deliveries) => {
      if (environment?.dead) return
      for (const { to: name, id } of deliveries) {
        this.#stage.ledger.entry(this.name, name, id).acceptedAt = this.#stage.clock.now
      }
    })
    work?.catch(() => {})
  }

  /** Sends, and resolves when `send` does. */
  async deliver(to: string, ask: "delivered" | "processed" = "delivered"): Promise<Delivery> {
    const { agent, environment } = this
    if (!agent) throw new Error(`${this.name} is not running`)
    const delivery = await agent.send(to, `from ${this.name}`, { receipt: ask })
    if (!environment?.dead) {
      const entry = this.#stage.ledger.entry(this.name, to, delivery.id)
      entry.acceptedAt = this.#stage.clock.now
    }
    return delivery
  }
}
