// SPEC §11 hub: the hub in process. The same runtime and the same frames as over TCP, without the
// length in front of a frame.

import { decode } from "../encoding.ts"
import { type Environment, systemEnvironment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"
import { fingerprint } from "../identity.ts"
import { ed25519Public } from "../suite.ts"
import type { HubStatistics } from "./answers.ts"
import { DEFAULT_LIMITS, type HubSettings } from "./decision.ts"
import type { HubLimits } from "./frames.ts"
import type { FrameLink, Hub, LinkEvents } from "./hub.ts"
import { readAllNames, readBundle } from "./lookup.ts"
import { MemoryStore } from "./memory-store.ts"
import { HubRuntime } from "./runtime.ts"
import type { RuntimeLink, Transport } from "./runtime-link.ts"
import type { HubStore } from "./store.ts"

/** Limits and store of a hub; every limit of SPEC §11 is an option. */
export interface HubOptions {
  /** Where names, bundles and mail are kept; by default in memory. */
  readonly store?: HubStore
  /** The hub's secret of 32 bytes; by default drawn once and kept in the store. */
  readonly secret?: Uint8Array
  readonly limits?: Partial<HubLimits>
  /** Names that may be bound; by default 1,000,000. */
  readonly maxNames?: number
  readonly environment?: Environment
}

/** The settings that the options of a hub come to. */
export function hubSettings(options: HubOptions): Omit<HubSettings, "key"> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  for (const [name, value] of Object.entries(limits)) {
    const valid = Number.isSafeInteger(value) && value >= 1
    if (!valid) throw new RangeError(`limit ${name} expected a positive integer, got ${value}`)
  }
  if (limits.envelope > DEFAULT_LIMITS.envelope) {
    throw new RangeError(`limit envelope expected at most ${DEFAULT_LIMITS.envelope}`)
  }
  return { limits, maxNames: options.maxNames ?? 1_000_000 }
}

/** An agent as {@link LocalHub.register} takes it. */
export interface Registrable {
  readonly name: string
  /** Connects the agent to a hub, and resolves when its name is bound there. */
  connectHub(hub: Hub): Promise<void>
}

/** A hub in this process (SPEC §11): for tests, demonstrations, and agents that share a process. */
export class LocalHub implements Hub {
  /** What agents keep the hub's key under. */
  readonly address: string
  readonly inProcess = true
  readonly #runtime: HubRuntime
  readonly #store: HubStore
  readonly #started: Promise<void>
  #closed = false

  /** @param options - Store, limits, clock; without a store everything is in memory. */
  constructor(options: HubOptions = {}) {
    const environment = options.environment ?? systemEnvironment
    const kept = options.store !== undefined && options.secret === undefined
    const secret = kept ? undefined : (options.secret ?? environment.draw("identity", 32))
    // A hub that lives no longer than this process is another hub each time.
    this.address = secret === undefined ? "local" : `local:${fingerprint(ed25519Public(secret))}`
    const store = options.store ?? new MemoryStore()
    this.#store = store
    this.#runtime = new HubRuntime({ store, environment, settings: hubSettings(options), secret })
    this.#started = this.#runtime.start()
    this.#started.catch(() => undefined) // reported by whoever uses the hub
  }

  /** Opens a link; frames are passed as they are, hello, welcome and auth included. */
  async open(events: LinkEvents): Promise<FrameLink> {
    await this.#ready()
    return new LocalLink(this.#runtime, events)
  }

  /** Registers an agent that was made without this hub; others register by themselves. */
  register(agent: Registrable): Promise<void> {
    return agent.connectHub(this)
  }

  /**
   * Puts an envelope into the mailbox of `to` as if `from` had sent it.
   *
   * @throws {@link AgentMeshError} `hub/no-such-agent`, `hub/mailbox-full`, `hub/too-large`.
   */
  async deliver(mail: {
    readonly from: string
    readonly to: string
    readonly envelope: Uint8Array
  }): Promise<void> {
    await this.#ready()
    const { from, to, envelope } = mail
    await this.#runtime.ask(from, { type: "send", to, mid: guardOf(envelope), envelope })
  }

  /** The signed bundle of a name, null without one. */
  async getBundle(name: string): Promise<Uint8Array | null> {
    await this.#ready()
    return readBundle(this.#store, name)
  }

  /** Names that have a bundle, in order. */
  async listAgents(): Promise<readonly string[]> {
    await this.#ready()
    return readAllNames(this.#store)
  }

  /** Envelopes accepted since the hub was made. */
  messageCount(): number {
    return this.#runtime.statistics.routed
  }

  /** What the hub has done so far. */
  get statistics(): Readonly<HubStatistics> {
    return this.#runtime.statistics
  }

  /** Closes all links and the store. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#started.catch(() => undefined)
    await this.#runtime.stop()
  }

  async #ready(): Promise<void> {
    if (this.#closed) throw new AgentMeshError("hub/unreachable", "the hub is closed")
    await this.#started
  }
}

/** The guard in the header of an envelope; the message id of SEND. */
function guardOf(envelope: Uint8Array): Uint8Array {
  try {
    const [header] = decode(envelope) as readonly [Uint8Array]
    const guard = (decode(header) as readonly unknown[])[5]
    if (guard instanceof Uint8Array && guard.length === 16) return guard
  } catch {
    // not an envelope
  }
  throw new AgentMeshError("hub/malformed", "deliver expected an envelope")
}

/** Both ends of a link in process. Frames arrive in a microtask, never inside the call. */
class LocalLink implements FrameLink {
  readonly #events: LinkEvents
  readonly #link: RuntimeLink
  #toAgent: Uint8Array[] = []
  #open = true

  constructor(runtime: HubRuntime, events: LinkEvents) {
    this.#events = events
    const toAgent: Transport = {
      writable: true,
      send: (frame) => this.#pass(frame),
      close: () => this.#end(),
    }
    this.#link = runtime.open(toAgent)
  }

  #pass(frame: Uint8Array): void {
    if (this.#toAgent.push(frame) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const frames = this.#toAgent
    this.#toAgent = []
    for (const frame of frames) if (this.#open) this.#events.frame(frame)
  }

  #end(): void {
    queueMicrotask(() => {
      if (!this.#open) return
      this.#flush()
      this.#open = false
      this.#events.closed()
    })
  }

  send(frame: Uint8Array): void {
    queueMicrotask(() => {
      if (this.#open) this.#link.receive(frame)
    })
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#link.closed()
  }
}
