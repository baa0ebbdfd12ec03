// SPEC §12 agent: the agent at its hub: publishing, fetching, sending, taking mail.

import { equalBytes, toHex } from "../bytes.ts"
import { AgentMeshError } from "../errors.ts"
import { type Counts, type Hub, HubClient, retryAfterOf } from "../hub/client.ts"
import { fingerprint } from "../identity.ts"
import { MAX_ACKS, SEND_BACKOFF } from "../limits.ts"
import type { Core } from "./core.ts"
import { Drain } from "./drain.ts"
import type { Engine } from "./engine.ts"
import { Fetcher } from "./fetcher.ts"
import type { KeyKeeper } from "./keys.ts"
import { Publisher } from "./publisher.ts"
import type { Received, Receiver } from "./receive.ts"
import type { ContentRow, OutRow } from "./rows.ts"
import type { HandshakeKind, Sender } from "./send.ts"

/** What the network tells the agent around it. */
export interface NetworkHost {
  /** An envelope was committed. */
  received(received: Received): void
  /** An envelope was refused. */
  rejected(error: AgentMeshError, from: string): void
  /** The hub has an envelope with these contents. */
  stored(ids: readonly string[], to: string): void
  /** Contents that cannot be delivered. */
  refused(rows: readonly ContentRow[], reason: string): void
  /** A handshake could not be prepared in the background. */
  problem(error: AgentMeshError, name: string): void
  /** Another key answers to a pinned name. */
  changed(name: string): void
  /** The link was authenticated, or lost. */
  connected(): void
  /** The link is drained: what fell due before may be erased (AGENT-30). */
  drained(): void
  disconnected(error: AgentMeshError, willReconnect: boolean): void
}

/** An envelope of the mailbox. */
interface Mail {
  readonly mseq: number
  readonly from: string
  readonly envelope: Uint8Array
}

/** Pauses between the tries to find a new peer, milliseconds. */
const PATIENCE = [100, 300, 600, 0] as const
/** When mail that this side failed to take is tried again, milliseconds. */
const RETRY_MAIL = 5_000

/** One agent's use of its hub. */
export class Network {
  readonly #core: Core
  readonly #engine: Engine
  readonly #receiver: Receiver
  readonly #host: NetworkHost
  readonly #client: HubClient
  readonly #publisher: Publisher
  readonly #fetcher: Fetcher
  readonly #address: string
  readonly #sending = new Set<string>()
  #waiting: Mail[] = []
  #taking = 0
  #acks: number[] = []
  #attempted: Promise<void> = Promise.resolve()
  readonly #drain = new Drain()
  #undrained = () => {}
  #closed = false

  constructor(
    hub: Hub,
    core: Core,
    parts: { engine: Engine; sender: Sender; receiver: Receiver; keeper: KeyKeeper },
    host: NetworkHost,
  ) {
    this.#core = core
    this.#engine = parts.engine
    this.#receiver = parts.receiver
    this.#host = host
    this.#address = hub.address
    this.#client = new HubClient({
      hub,
      identity: core.own,
      environment: core.environment,
      pinnedHub: this.#pinOf(hub),
      events: {
        ready: (counts, hubIk) => this.#ready(counts, hubIk),
        deliver: (mseq, from, envelope) => this.#deliver(mseq, from, envelope),
        low: () => this.publish(),
        closed: (error, willReconnect) => this.#lost(error, willReconnect),
      },
    })
    const problem = (error: unknown, name: string) => this.#problem(error, name)
    this.#publisher = new Publisher(core, parts, this.#client, (error) =>
      problem(error, core.own.name),
    )
    this.#fetcher = new Fetcher(core, parts, this.#client, {
      problem,
      changed: (name) => host.changed(name),
      refused: (rows, reason) => host.refused(rows, reason),
    })
  }

  /** Whether the link is authenticated. */
  get connected(): boolean {
    return this.#client.connected
  }

  /** The client below, for what needs no state. */
  get client(): HubClient {
    return this.#client
  }

  /** When probes are allowed from: the link is up and drained for a minute (SPEC §12, rule 2). */
  get probesFrom(): number {
    return this.connected ? this.#drain.probesFrom(this.#core.nowMs) : Number.POSITIVE_INFINITY
  }

  /** Whether what fell due while the agent was offline may be erased (AGENT-30). */
  get drained(): boolean {
    return this.#core.nowMs >= this.#drain.at(this.#core.nowMs)
  }

  /** Connects, registers and publishes. */
  async start(): Promise<void> {
    const started = this.#client.start()
    this.#attempted = started.catch(() => {})
    await started
    await this.#publisher.registered
  }

  /** Leaves the hub. */
  async close(): Promise<void> {
    this.#closed = true
    this.#undrained()
    await this.#flushAcks()
    await this.#client.close()
  }

  #ready(counts: Counts, hubIk: Uint8Array): void {
    const core = this.#core
    this.#drain.ready(counts.mail, core.nowMs)
    this.#awaitDrain()
    this.#acks = []
    this.#waiting = []
    this.#pinHub(hubIk)
    if (this.#client.limits) core.limitEnvelope(this.#client.limits.envelope)
    this.#publisher.begin(counts)
    this.#repeat(() => [...core.store.table("data/out").values()])
    this.#fetcher.retryNow()
    for (const name of core.outboxes.keys()) this.#engine.touch(name)
    this.#host.connected()
  }

  /** Tells once the link is drained, or counts as drained: it may be gone again soon. */
  #awaitDrain(): void {
    this.#undrained()
    const { environment, nowMs } = this.#core
    this.#undrained = environment.after(Math.max(0, this.#drain.at(nowMs) - nowMs), () => {
      if (this.connected && this.drained) this.#host.drained()
    })
  }

  /** The stored key of the hub, unless a fingerprint that was given asks for another (HUB-8). */
  #pinOf(hub: Hub): Uint8Array | null {
    const ik = this.#core.store.get("hub", hub.address)?.ik ?? null
    const other =
      ik !== null && hub.fingerprint !== undefined && hub.fingerprint !== fingerprint(ik)
    return other ? null : ik
  }

  #pinHub(ik: Uint8Array): void {
    const { store } = this.#core
    const before = store.get("hub", this.#address)
    if (before && equalBytes(before.ik, ik)) return
    this.#engine.run(() => store.put("hub", this.#address, { ik })).catch(() => {})
  }

  /** Publishes what is due: after a rotation, or when one-time keys are low. */
  publish(): void {
    if (this.connected) this.#publisher.refresh()
  }

  /** See {@link Fetcher.fetch}. */
  fetch(name: string, kind: HandshakeKind): void {
    this.#fetcher.fetch(name, kind)
  }

  /** See {@link Fetcher.failed}. */
  failed(name: string, error: AgentMeshError): void {
    this.#fetcher.failed(name, error)
  }

  /**
   * Fetches what the next handshake with a peer needs, if the hub can be reached. An agent that
   * was started together with this one gets a second to register.
   *
   * @throws {@link AgentMeshError} `hub/no-such-agent`, `bundle/*`, `identity/*`, `suite/*`.
   */
  async introduce(name: string, expected: string | null): Promise<void> {
    await this.#attempted
    for (const pause of PATIENCE) {
      if (!this.connected) return
      try {
        await this.#fetcher.prepare(name, expected, "normal")
        return
      } catch (error) {
        const code = error instanceof AgentMeshError ? error.code : undefined
        if (code === "hub/unreachable") return
        if (code !== "hub/no-such-agent" || pause === 0) throw error
      }
      const { environment } = this.#core
      await new Promise<void>((resume) => environment.after(pause, resume, true))
    }
  }

  #problem(error: unknown, name: string): void {
    if (this.#closed || !(error instanceof AgentMeshError)) return
    if (error.code !== "agent/closed") this.#host.problem(error, name)
  }

  #lost(error: AgentMeshError, willReconnect: boolean): void {
    this.#undrained()
    this.#drain.lost(this.#core.nowMs)
    if (!this.#closed) this.#host.disconnected(error, willReconnect)
  }

  // ---- sending ----

  /** Takes a committed envelope to the hub until it says OK; always the same bytes. */
  transmit(out: OutRow): void {
    const mid = toHex(out.mid)
    if (!this.connected || this.#sending.has(mid)) return
    this.#sending.add(mid)
    this.#client
      .send(out.name, out.mid, out.envelope)
      .then(() => this.#accepted(out))
      .catch((error) => this.#refused(out, error))
      .finally(() => this.#sending.delete(mid))
      .catch(() => {})
  }

  async #accepted(out: OutRow): Promise<void> {
    const core = this.#core
    const ids = await this.#engine.run(() => {
      this.#engine.touch(out.name) // the next envelope leaves with this commit
      const waiting = core.store.get("data/out", out.name)
      if (waiting === undefined || !equalBytes(waiting.mid, out.mid)) return []
      core.store.delete("data/out", out.name)
      const mid = toHex(out.mid)
      const copy = core.store.get("copy", mid)
      if (copy) core.putCopy(mid, { ...copy, okAtMs: core.nowMs })
      return (core.outboxes.get(out.name)?.inEnvelope(mid) ?? []).map(({ id }) => id)
    })
    this.#host.stored(ids, out.name)
  }

  async #refused(out: OutRow, error: unknown): Promise<void> {
    if (this.#closed) return
    const code = error instanceof AgentMeshError ? error.code : "hub/internal"
    if (code === "hub/too-large") return this.#drop(out)
    // Without a reply 30 s are over (AGENT-15); without a link the next one begins with this.
    const silent = code === "hub/unreachable"
    const delay = silent ? 0 : Math.max(SEND_BACKOFF, retryAfterOf(error)) // AGENT-16
    this.#core.environment.after(delay * 1000, () => {
      this.#repeat(() => {
        const waiting = this.#core.store.get("data/out", out.name)
        return waiting && equalBytes(waiting.mid, out.mid) ? [waiting] : []
      })
    })
  }

  /** Sends envelopes of the store again: as a job, since a row may be staged and not yet durable. */
  #repeat(outs: () => readonly OutRow[]): void {
    this.#engine.run(outs).then(
      (rows) => {
        for (const out of rows) this.transmit(out) // AGENT-5
      },
      () => {},
    )
  }

  /** An envelope that the hub will never take (AGENT-16). */
  async #drop(out: OutRow): Promise<void> {
    const core = this.#core
    const rows = await this.#engine.run(() => {
      core.store.delete("data/out", out.name)
      const rows = core.outboxes.get(out.name)?.inEnvelope(toHex(out.mid)) ?? []
      for (const row of rows) core.dropContent(row)
      return rows
    })
    this.#host.refused(rows, "the hub takes no envelope of this size")
    this.#engine.touch(out.name)
  }

  // ---- mail ----

  #deliver(mseq: number, from: string, envelope: Uint8Array): void {
    this.#waiting.push({ mseq, from, envelope })
    this.takeMail()
  }

  /** Takes mail as far as the inbox has room; what has none is not acknowledged. */
  takeMail(): void {
    // Those on their way into the inbox count as if they were full (AGENT-44).
    while (this.#receiver.hasRoom(this.#taking)) {
      const mail = this.#waiting.shift()
      if (mail === undefined) return
      this.#taking++
      this.#engine
        .run(() => this.#receiver.receive(mail.from, mail.envelope))
        .then(
          (received) => {
            this.#acknowledge(mail.mseq)
            this.#host.received(received)
          },
          (error) => {
            // Only a refusal of the bytes is acknowledged; a failure here is not the sender's.
            if (!isRefusal(error)) {
              this.#tryAgain(mail)
              return
            }
            this.#acknowledge(mail.mseq)
            this.#host.rejected(error, mail.from)
          },
        )
        .catch(() => {})
        .finally(() => {
          this.#taking--
          this.takeMail()
        })
    }
  }

  /** After a failure of this side, such as a full disk (AGENT-42). */
  #tryAgain(mail: Mail): void {
    if (this.#closed) return
    this.#core.environment.after(RETRY_MAIL, () => {
      if (!this.connected) return // the hub delivers it again
      this.#waiting.push(mail)
      this.takeMail()
    })
  }

  #acknowledge(mseq: number): void {
    if (this.#drain.handled(this.#core.nowMs)) {
      this.#awaitDrain()
      for (const name of this.#core.outboxes.keys()) this.#engine.touch(name)
    }
    this.#acks.push(mseq)
    if (this.#acks.length === 1) void Promise.resolve().then(() => this.#flushAcks())
  }

  async #flushAcks(): Promise<void> {
    const acks = this.#acks
    this.#acks = []
    if (acks.length === 0 || !this.connected) return
    // An ACK that is lost only makes the hub deliver again.
    for (let at = 0; at < acks.length; at += MAX_ACKS) {
      await this.#client.ack(acks.slice(at, at + MAX_ACKS)).catch(() => {})
    }
  }
}

/** Whether an error is a verdict on received bytes. */
function isRefusal(error: unknown): error is AgentMeshError {
  return error instanceof AgentMeshError && !error.code.startsWith("agent/")
}
