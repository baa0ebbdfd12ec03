// SPEC §12 agent: what applications use.

import { decodeCard, encodeCard } from "../bundle.ts"
import type { Payload } from "../encoding.ts"
import { type Environment, systemEnvironment } from "../environment.ts"
import { AgentMeshError, require } from "../errors.ts"
import type { Hub } from "../hub/client.ts"
import {
  createIdentity,
  fingerprint,
  type OwnIdentity,
  type Peer,
  parseAddress,
  safetyNumber,
} from "../identity.ts"
import { exportState } from "./backup.ts"
import { acceptCard } from "./card.ts"
import { backupOf, checkSendable, forgetPeer, markVerified } from "./contents.ts"
import { type Evidence, readEvidence } from "./evidence.ts"
import type { MessageHandler, Waiting, WaitingOptions } from "./inbox.ts"
import { type Message, type MessageInput, toPayload } from "./message.ts"
import type { Network } from "./network.ts"
import {
  type AgentEvents,
  type AgentOptions,
  type AgentStatus,
  type BackupSecret,
  Emitter,
  type Listener,
  type SendOptions,
} from "./options.ts"
import { assemble, type Parts } from "./parts.ts"
import { statusOf } from "./status.ts"
import { type Delivery, Tracker } from "./tracker.ts"
import { checkFingerprint, type PeerView } from "./trust.ts"

const REQUEST_TIMEOUT = 30_000

/**
 * An agent: a name, a cryptographic identity, and end-to-end encrypted messages (SPEC §12).
 *
 * It can be used at once: every operation waits until the identity is loaded.
 */
export class Agent {
  /** Name of the agent. */
  readonly name: string
  /**
   * Resolves when the identity is loaded and, with a hub, registered and published there.
   * Rejects with `hub/unreachable` if the hub cannot be reached now; the agent goes on trying,
   * and what is sent waits. Any other rejection is final.
   */
  readonly ready: Promise<void>
  readonly #options: AgentOptions
  readonly #environment: Environment
  readonly #emitter = new Emitter()
  readonly #tracker: Tracker
  readonly #parts: Promise<Parts>
  readonly #handlers: MessageHandler[] = []
  #own: OwnIdentity | null
  #now: Parts | null = null
  #closed = false

  /**
   * @param name - 1 to 64 characters of `[a-z0-9][a-z0-9._-]*`.
   * @throws {@link AgentMeshError} `identity/name`.
   */
  constructor(name: string, options: AgentOptions = {}) {
    this.name = name
    this.#options = options
    this.#environment = options.environment ?? systemEnvironment
    this.#tracker = new Tracker(this.#environment)
    const fresh = createIdentity(name, this.#environment.draw)
    // Without a store the new identity is final; with one, what it holds decides.
    this.#own = options.store || options.restore ? null : fresh
    this.#parts = this.#assemble(fresh)
    this.ready = this.#parts.then((parts) => parts.network?.start())
    // Whoever does not look at `ready` hears of problems through events and results.
    this.ready.catch(() => {})
    this.#parts.catch(() => {})
  }

  async #assemble(fresh: OwnIdentity): Promise<Parts> {
    const parts = await assemble({
      options: this.#options,
      environment: this.#environment,
      fresh,
      emitter: this.#emitter,
      tracker: this.#tracker,
    })
    this.#own = parts.core.own
    this.#now = parts
    for (const handler of this.#handlers) parts.inbox.addHandler(handler)
    return parts
  }

  /**
   * What {@link LocalHub.register} calls: resolves when the name is bound at the hub.
   *
   * @throws TypeError if the agent was made with another hub, or with none.
   */
  connectHub(hub: Hub): Promise<void> {
    if (hub === this.#options.hub) return this.ready
    return Promise.reject(new TypeError(`make the agent with this hub: new Agent(name, { hub })`))
  }

  async #use(): Promise<Parts> {
    require(!this.#closed, "agent/closed", `${this.name} is closed`)
    return this.#parts
  }

  async #online(): Promise<Parts & { network: Network }> {
    const { network, ...parts } = await this.#use()
    const advice = "pass { hub } to the agent, or use connectWithBundle(), seal() and open()"
    if (network === null) throw new AgentMeshError("agent/no-hub", advice)
    return { network, ...parts }
  }

  // ---- sending ----

  /**
   * Sends a message: a text, or `{ text, type, ...anything }`.
   *
   * @param to - Name, or `name#fingerprint`, which no other key can answer to.
   * @returns The delivery, at the hub by then if the hub can be reached, else queued durably.
   * @throws {@link AgentMeshError} `identity/*`, `agent/payload`, `agent/no-hub`,
   * `agent/closed`, and at first contact `hub/no-such-agent`, `bundle/*`, `suite/*`.
   */
  async send(to: string, message: MessageInput, options?: SendOptions): Promise<Delivery> {
    return this.sendPayload(to, toPayload(message), options)
  }

  /** Sends a payload as it is; see {@link Agent.send}. */
  async sendPayload(to: string, payload: Payload, options?: SendOptions): Promise<Delivery> {
    return ((!this.#closed && this.#now) || (await this.#use())).post.send(to, payload, options)
  }

  /**
   * Sends one content to several peers: one id, sealed for each apart; to none if an address is bad.
   *
   * @throws {@link AgentMeshError} that names each peer that failed; `cause.errors` tells why.
   */
  async sendMany(
    to: readonly string[],
    message: MessageInput,
    options?: SendOptions,
  ): Promise<readonly Delivery[]> {
    return (await this.#use()).post.sendMany(to, toPayload(message), options)
  }

  /**
   * Sends a request and waits for its answer, the first message of that peer that replies to it.
   *
   * @param options - `timeout` in milliseconds, 30,000 by default.
   * @throws {@link AgentMeshError} `agent/timeout`, and what {@link Agent.send} throws.
   */
  async request(
    to: string,
    message: MessageInput,
    options: SendOptions & { readonly timeout?: number } = {},
  ): Promise<Message> {
    const { timeout = REQUEST_TIMEOUT } = options
    return (await this.#use()).post.request(to, toPayload(message), options, timeout)
  }

  // ---- receiving ----

  /**
   * Adds a handler; all handlers get every message, in the order they were added. What came
   * while there was none waits for the first one.
   */
  onMessage(handler: MessageHandler): this {
    this.#handlers.push(handler)
    this.#now?.inbox.addHandler(handler)
    return this
  }

  /**
   * Messages that wait while there is no handler, oldest first; they stay, over restarts too.
   *
   * @param options - `after`: only what came after this place; `limit`, by default 100.
   */
  async waiting(options: WaitingOptions = {}): Promise<readonly Waiting[]> {
    return (await this.#use()).inbox.waiting(options)
  }

  /**
   * Ends messages of {@link Agent.waiting}, as a handler would; unknown ids are left alone.
   *
   * @returns Ids that were waiting.
   */
  async settle(
    ids: readonly string[],
    state: "processed" | "failed" = "processed",
  ): Promise<readonly string[]> {
    return (await this.#use()).inbox.settle(ids, state)
  }

  /** Adds a listener for events. */
  on<K extends keyof AgentEvents>(kind: K, listener: Listener<K>): this {
    this.#emitter.on(kind, listener)
    return this
  }

  // ---- peers ----

  /**
   * Fetches and pins a peer and founds a session, if there is none. Sending does so by itself.
   *
   * @throws {@link AgentMeshError} `hub/*`, `bundle/*`, `identity/*`, `suite/*`.
   */
  async connect(peer: string): Promise<void> {
    const { core, engine, network, sender } = await this.#online()
    const address = parseAddress(peer)
    checkSendable(core, address)
    const pin = core.pin(address.name)
    if (pin && sender.sending(pin)) return
    await network.introduce(address.name, address.fingerprint)
    require(network.connected, "hub/unreachable", "there is no connection to the hub")
    await engine.connect(address.name)
  }

  /**
   * Pins a peer from its bundle or card, without a hub.
   *
   * @param bundle - Signed bundle, or a card `agentmesh1:...`.
   * @param expected - Fingerprint that makes the peer verified.
   * @throws {@link AgentMeshError} `encoding/*`, `bundle/*`, `identity/*`, `suite/*`.
   */
  async connectWithBundle(bundle: Uint8Array | string, expected?: string): Promise<PeerView> {
    const parts = await this.#use()
    const bytes = typeof bundle === "string" ? decodeCard(bundle) : bundle
    return acceptCard(parts, bytes, expected ?? null)
  }

  /**
   * Marks a peer as verified: somebody compared the fingerprint.
   *
   * @param address - `name#fingerprint`.
   * @throws {@link AgentMeshError} `identity/fingerprint` if the peer has another one.
   */
  async verify(address: string): Promise<PeerView> {
    const { core, engine, network } = await this.#use()
    const { name, fingerprint: expected } = parseAddress(address)
    require(expected !== null, "identity/fingerprint", "expected name#fingerprint")
    if (core.pin(name) === undefined && network) {
      await network.introduce(name, expected)
      await engine.connect(name)
    }
    return engine.run(() => {
      const pin = core.pin(name)
      if (!pin) throw new AgentMeshError("agent/no-hub", `connectWithBundle() the card of ${name}`)
      checkFingerprint(pin, expected)
      core.store.put("pin", name, { ...pin, trust: "verified" })
      return core.view(pin)
    })
  }

  /**
   * Forgets who a name was: its pin, sessions and contents. What was not delivered is reported.
   * After a change of identity this, and then sending again, accepts the new one.
   */
  async forget(name: string): Promise<void> {
    const { core, engine, lost } = await this.#use()
    const rows = await engine.run(() => forgetPeer(core, name))
    engine.withdraw(name)
    for (const row of rows) lost(row, "the name was forgotten")
  }

  /** Names at the hub, without this agent. */
  async listPeers(): Promise<readonly string[]> {
    const { network } = await this.#online()
    return (await network.client.list()).filter((name) => name !== this.name)
  }

  /** What is known of a peer. */
  async peer(name: string): Promise<PeerView | undefined> {
    const { core } = await this.#use()
    const pin = core.pin(name)
    return pin && core.view(pin)
  }

  /** Two lines, the same at both ends, for two people to compare. */
  async safetyNumber(name: string): Promise<string> {
    const { core } = await this.#use()
    const pin = core.pin(name)
    if (pin === undefined)
      throw new AgentMeshError("identity/untrusted", `${name} is not known yet`)
    return safetyNumber(core.own, pin)
  }

  /**
   * What proves that the hub or a peer lied about a name: the first and the latest directory
   * receipt of each hub, and two bundles of the peer with one seq. Compare receipts with those of
   * another agent by `protocol.hub.verifyEquivocation` (SPEC §11).
   */
  async evidence(name: string): Promise<Evidence> {
    const { core } = await this.#use()
    return readEvidence(core, name)
  }

  // ---- this agent ----

  /** Fingerprint of the identity key. With a store or a restore known once `ready`. */
  get fingerprint(): string {
    return fingerprint(this.#identity.ik)
  }

  /** `name#fingerprint`: what to give to others. */
  get address(): string {
    return `${this.name}#${this.fingerprint}`
  }

  get #identity(): OwnIdentity {
    if (this.#own) return this.#own
    throw new AgentMeshError(
      "agent/closed",
      "the identity is being loaded: await agent.ready first",
    )
  }

  /** The signed bundle, for {@link Agent.connectWithBundle}; known once `ready`. */
  get publicBundle(): Uint8Array {
    const row = this.#now?.core.currentBundle
    if (row) return new Uint8Array(row.bundle.bytes)
    throw new AgentMeshError("agent/closed", "there is no bundle yet: await agent.ready first")
  }

  /** The bundle as text. */
  get card(): string {
    return encodeCard(this.publicBundle)
  }

  /** State of the agent, without secrets. */
  status(): AgentStatus {
    const own = this.#own ? this.fingerprint : ""
    return statusOf(this.name, own, this.#handlers.length, this.#now)
  }

  /**
   * The identity in a file, for {@link AgentOptions.restore}. It opens no traffic.
   *
   * @param secret - A passphrase, or 32 random bytes.
   */
  async export(secret: BackupSecret): Promise<Uint8Array> {
    const { core } = await this.#use()
    return exportState(backupOf(core), secret, this.#environment.draw)
  }

  // ---- without a hub ----

  /**
   * Seals a message for a peer, to be carried by any means. Nothing is kept: delivery is up to
   * the application.
   *
   * @throws {@link AgentMeshError} `agent/no-hub` if the peer is not known, `identity/*`, `bundle/*`.
   */
  async seal(to: string, message: MessageInput, options?: SendOptions): Promise<Uint8Array> {
    const { core, engine, post, sender } = await this.#use()
    const address = parseAddress(to)
    const { bytes } = post.content(toPayload(message), options)
    return engine.run(async () => {
      const pin: Peer | undefined = core.pin(address.name)
      if (!pin)
        throw new AgentMeshError("agent/no-hub", `connectWithBundle() ${address.name} first`) // AGENT-36
      checkSendable(core, address)
      const envelope = await sender.sealDirect(pin, bytes)
      if (address.fingerprint) markVerified(core, address.name) // IDENTITY-10
      return envelope
    })
  }

  /**
   * Opens an envelope that came by any means.
   *
   * @returns The messages in it; handlers are not called.
   * @throws {@link AgentMeshError} `encoding/*`, `envelope/*`, `session/*`, `handshake/*`,
   * `identity/*`, `suite/*`; then nothing has changed.
   */
  async open(envelope: Uint8Array): Promise<readonly Message[]> {
    const { engine, receiver, inbox } = await this.#use()
    const { peer, arrived } = await engine.run(() => receiver.receive(undefined, envelope, false))
    return arrived.map(({ content, payload }) => inbox.message(peer, content, payload))
  }

  /** Finishes what is staged, leaves the hub and closes the store. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const parts = await this.#parts.catch(() => null)
    await parts?.close()
  }
}
