// SPEC §12 agent: the agent at its hub: publishing, fetching, sending, taking mail.

import { openBundle } from "../bundle.ts"
import { equalBytes, toHex } from "../bytes.ts"
import { AgentMeshError } from "../errors.ts"
import { chooseSuite } from "../handshake.ts"
import {
  type Counts,
  type DirectoryReceipt,
  type Hub,
  HubClient,
  retryAfterOf,
} from "../hub/client.ts"
import {
  DRAIN_TIMEOUT,
  HANDSHAKE_BACKOFF_MAX,
  MAX_ACKS,
  MAX_ONE_TIME_PUT,
  MAX_SEQ_AHEAD,
  PROBE_CONNECTED,
  REPLY_TIMEOUT,
  SEND_BACKOFF,
} from "../limits.ts"
import type { Core } from "./core.ts"
import { nextProbeInterval } from "./delivery.ts"
import type { Engine } from "./engine.ts"
import type { KeyKeeper } from "./keys.ts"
import type { Received, Receiver } from "./receive.ts"
import { type ContentRow, decodeRow, encodeRow, type OutRow, type ReceiptRow } from "./rows.ts"
import type { HandshakeKind, Prepared, Sender } from "./send.ts"

/** Verdicts on a peer that no second try changes. */
const NEVER: ReadonlySet<string> = new Set(["identity/untrusted", "identity/fingerprint"])

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
  /** The link was authenticated, or lost. */
  connected(): void
  disconnected(error: AgentMeshError, willReconnect: boolean): void
}

/** One agent's use of its hub. */
export class Network {
  readonly #core: Core
  readonly #engine: Engine
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #keeper: KeyKeeper
  readonly #host: NetworkHost
  readonly #client: HubClient
  readonly #address: string
  readonly #fetching = new Map<string, Promise<void>>()
  readonly #retries = new Map<string, number>()
  readonly #sending = new Set<string>()
  #waiting: { mseq: number; from: string; envelope: Uint8Array }[] = []
  #acks: number[] = []
  #toDrain = 0
  #readyAtMs = 0
  #drainedAtMs = Number.POSITIVE_INFINITY
  #publishing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(
    hub: Hub,
    core: Core,
    parts: { engine: Engine; sender: Sender; receiver: Receiver; keeper: KeyKeeper },
    host: NetworkHost,
  ) {
    this.#core = core
    this.#engine = parts.engine
    this.#sender = parts.sender
    this.#receiver = parts.receiver
    this.#keeper = parts.keeper
    this.#host = host
    this.#address = hub.address
    this.#client = new HubClient({
      hub,
      identity: core.own,
      environment: core.environment,
      pinnedHub: core.store.get("hub", hub.address)?.ik ?? null,
      events: {
        ready: (counts, hubIk) => this.#ready(counts, hubIk),
        deliver: (mseq, from, envelope) => this.#deliver(mseq, from, envelope),
        low: () => this.publish(),
        closed: (error, willReconnect) => this.#lost(error, willReconnect),
      },
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
    if (!this.connected) return Number.POSITIVE_INFINITY
    return Math.max(this.#readyAtMs, this.#drainedAtMs) + PROBE_CONNECTED * 1000
  }

  /** Whether what fell due while the agent was offline may be erased (AGENT-30). */
  get drained(): boolean {
    return this.#core.nowMs >= this.#drainedAtMs
  }

  /** Connects, registers and publishes. */
  async start(): Promise<void> {
    await this.#client.start()
    await this.#publishing
  }

  /** Leaves the hub. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#flushAcks()
    await this.#client.close()
  }

  #ready(counts: Counts, hubIk: Uint8Array): void {
    const core = this.#core
    this.#readyAtMs = core.nowMs
    this.#toDrain = counts.mail
    this.#drainedAtMs = counts.mail === 0 ? core.nowMs : core.nowMs + DRAIN_TIMEOUT * 1000
    this.#acks = []
    this.#waiting = []
    this.#publishing = this.#publish(hubIk, counts)
    for (const out of core.store.table("data/out").values()) this.transmit(out)
    for (const name of core.outboxes.keys()) this.#engine.touch(name)
    this.#host.connected()
  }

  #lost(error: AgentMeshError, willReconnect: boolean): void {
    this.#drainedAtMs = Number.POSITIVE_INFINITY
    if (!this.#closed) this.#host.disconnected(error, willReconnect)
  }

  // ---- publishing ----

  /** Publishes what is due: after a rotation, or when one-time keys are low. */
  publish(): void {
    if (!this.connected) return
    this.#publishing = this.#publishing
      .then(() => this.#client.counts())
      .then((counts) => this.#publish(null, counts))
      .catch((error) => this.#problem(error, this.#core.own.name))
  }

  async #publish(hubIk: Uint8Array | null, counts: Counts): Promise<void> {
    try {
      await this.#publishOnce(hubIk, counts)
    } catch (error) {
      this.#problem(error, this.#core.own.name)
    }
  }

  async #publishOnce(hubIk: Uint8Array | null, counts: Counts): Promise<void> {
    const core = this.#core
    const { store } = core
    const known = core.currentBundle
    // Keys at the hub may belong to a state that was lost: they would send first contacts into
    // the void (AGENT-32).
    const foreign = counts.bundleSeq !== null && counts.bundleSeq !== known?.bundle.seq
    const drop = store.meta.imported || (foreign && !this.#unpublished) || this.#dropAgain
    const bundle = await this.#engine.run(() => {
      if (hubIk) store.put("hub", this.#address, { ik: hubIk })
      const renew = this.#keeper.rotationDue || (drop && !this.#dropAgain)
      return renew || known === undefined ? this.#keeper.rotate() : known
    })
    if (counts.bundleSeq !== bundle.bundle.seq) await this.#putBundle(bundle.bundle.bytes)
    const left = drop ? new Map<number, number>() : counts.oneTime
    const keys = await this.#engine.run(() => this.#keeper.refill(left))
    this.#dropAgain = drop
    for (let at = 0; at < keys.length; at += MAX_ONE_TIME_PUT) {
      await this.#client.putOneTime(drop && at === 0, keys.slice(at, at + MAX_ONE_TIME_PUT))
    }
    this.#dropAgain = false
    if (store.meta.imported) await this.#engine.run(() => store.updateMeta({ imported: false }))
  }

  /** A drop that was not acknowledged has to be repeated with fresh keys (AGENT-33). */
  #dropAgain = false
  /** A bundle was committed but the hub has not said that it has it (AGENT-31). */
  #unpublished = true

  async #putBundle(bytes: Uint8Array): Promise<void> {
    this.#unpublished = true
    try {
      await this.#client.putBundle(bytes)
    } catch (error) {
      if (!(error instanceof AgentMeshError) || error.code !== "hub/bundle-stale") throw error
      const row = await this.#raiseSeq()
      await this.#client.putBundle(row)
    }
    this.#unpublished = false
  }

  /** The hub's seq is a hint: only an own signature makes it count (BUNDLE-8). */
  async #raiseSeq(): Promise<Uint8Array> {
    const { own, store, now } = this.#core
    const { bundle: bytes } = await this.#client.getBundle(own.name, [])
    const theirs = openBundle(bytes)
    const ours = equalBytes(theirs.ik, own.ik) && theirs.seq < now + MAX_SEQ_AHEAD
    if (!ours) throw new AgentMeshError("hub/bundle-stale", "the hub holds no bundle of this agent")
    const row = await this.#engine.run(() => {
      if (theirs.seq > store.meta.seq) store.updateMeta({ seq: theirs.seq })
      return this.#keeper.rotate()
    })
    return row.bundle.bytes
  }

  // ---- handshakes ----

  /** Fetches in the background what a handshake needs; failures are tried again. */
  fetch(name: string, kind: HandshakeKind): void {
    if (!this.connected || this.#fetching.has(name)) return
    this.prepare(name, this.#expected(name), kind)
      .then(() => this.#retries.delete(name))
      .catch(async (error) => {
        this.#problem(error, name)
        if (error instanceof AgentMeshError && NEVER.has(error.code))
          await this.#giveUp(name, error)
        const delay = Math.min(this.#retries.get(name) ?? SEND_BACKOFF, HANDSHAKE_BACKOFF_MAX)
        this.#retries.set(name, delay * 2)
        this.#core.environment.after(delay * 1000, () => this.#engine.touch(name))
      })
  }

  /** Contents that nobody may get who answers to the name (AGENT-19). */
  async #giveUp(name: string, error: AgentMeshError): Promise<void> {
    const core = this.#core
    const rows = await this.#engine.run(() => {
      const queued = [...(core.outboxes.get(name)?.queued.values() ?? [])]
      const unbound = queued.filter((row) => row.ik === null)
      for (const row of unbound) core.dropContent(row)
      return unbound
    })
    this.#host.refused(rows, error.message)
  }

  /** The fingerprint that a content in the queue asks for. */
  #expected(name: string): string | null {
    for (const row of this.#core.outboxes.get(name)?.queued.values() ?? []) {
      if (row.fingerprint) return row.fingerprint
    }
    return null
  }

  /**
   * Fetches and checks what a handshake needs, and has it made: at once for a probe, else with
   * the next content.
   *
   * @throws {@link AgentMeshError} `hub/*`, `bundle/*`, `identity/*`, `suite/*`.
   */
  prepare(name: string, expected: string | null, kind: HandshakeKind): Promise<void> {
    const before = this.#fetching.get(name)
    if (before) return before
    const work = this.#prepare(name, expected, kind).finally(() => this.#fetching.delete(name))
    this.#fetching.set(name, work)
    return work
  }

  async #prepare(name: string, expected: string | null, kind: HandshakeKind): Promise<void> {
    const core = this.#core
    const pinned = core.pin(name)
    const remembered = pinned ? core.peer(pinned).suite : 0
    const first = core.suites.find((id) => id === remembered) ?? Math.max(...core.suites)
    let suites: number[] = kind === "probe" ? [] : [first]
    for (let tries = 0; ; tries++) {
      const fetched = await this.#client.getBundle(name, suites)
      const plain = { bundle: fetched.bundle, oneTime: null }
      const { bundle } = await this.#engine.run(() => this.#sender.prepare(name, expected, plain))
      await this.#engine.run(() => this.#keepReceipt(fetched.receipt))
      const suite = chooseSuite(core.own, core.suites, bundle, core.peer(bundle).suite)
      const wants = kind === "normal" || (bundle.flags & 1) !== 0
      if (wants && suites[0] !== suite && tries === 0) {
        suites = [suite]
        continue
      }
      const prepared = await this.#engine.run(() => this.#sender.prepare(name, expected, fetched))
      await this.#use(name, prepared, kind, expected !== null)
      return
    }
  }

  async #use(
    name: string,
    prepared: Prepared,
    kind: HandshakeKind,
    verified: boolean,
  ): Promise<void> {
    if (kind === "normal") {
      this.#engine.offer(name, prepared, verified)
      this.#engine.touch(name)
      return
    }
    const core = this.#core
    await this.#engine.run(async () => {
      if (core.store.get("data/out", name)) return
      const peer = core.peer(prepared.bundle)
      const probeInterval = nextProbeInterval(peer)
      this.#engine.release(await this.#sender.handshake(prepared, "probe", false))
      const probeAtMs = core.nowMs + probeInterval * 1000
      core.updatePeer(prepared.bundle, { probeInterval, probeAtMs })
    })
    this.#engine.touch(name)
  }

  /** Keeps the first and the latest receipt of this hub for a name (SPEC §11). */
  async #keepReceipt(receipt: DirectoryReceipt): Promise<void> {
    const { store } = this.#core
    const key = `receipt/${toHex(receipt.hubIk)}/${receipt.name}`
    const before = await store.read(key)
    const first = before ? decodeRow<ReceiptRow>(before).first : receipt.bytes
    store.write(key, encodeRow({ first, latest: receipt.bytes }))
  }

  #problem(error: unknown, name: string): void {
    if (this.#closed || !(error instanceof AgentMeshError)) return
    if (error.code !== "agent/closed") this.#host.problem(error, name)
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
      const waiting = core.store.get("data/out", out.name)
      if (waiting === undefined || !equalBytes(waiting.mid, out.mid)) return []
      core.store.delete("data/out", out.name)
      const rows = core.outboxes.get(out.name)?.inEnvelope(out.mid) ?? []
      for (const row of rows) core.putContent({ ...row, okAtMs: core.nowMs })
      return rows.map((row) => toHex(row.id))
    })
    this.#host.stored(ids, out.name)
    this.#engine.touch(out.name)
  }

  async #refused(out: OutRow, error: unknown): Promise<void> {
    if (this.#closed) return
    const code = error instanceof AgentMeshError ? error.code : "hub/internal"
    if (code === "hub/too-large") return this.#drop(out)
    const retry = Math.max(SEND_BACKOFF, retryAfterOf(error) ?? 0)
    const delay = code === "hub/unreachable" || code === "agent/timeout" ? REPLY_TIMEOUT : retry
    this.#core.environment.after(delay * 1000, () => {
      const waiting = this.#core.store.get("data/out", out.name)
      if (waiting && equalBytes(waiting.mid, out.mid)) this.transmit(waiting)
    })
  }

  /** An envelope that the hub will never take (AGENT-16). */
  async #drop(out: OutRow): Promise<void> {
    const core = this.#core
    const rows = await this.#engine.run(() => {
      core.store.delete("data/out", out.name)
      const rows = core.outboxes.get(out.name)?.inEnvelope(out.mid) ?? []
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
    while (this.#receiver.hasRoom) {
      const mail = this.#waiting.shift()
      if (mail === undefined) return
      this.#engine
        .run(() => this.#receiver.receive(mail.from, mail.envelope))
        .then(
          (received) => {
            this.#acknowledge(mail.mseq)
            this.#host.received(received)
          },
          (error) => {
            // Only a refusal of the bytes is acknowledged; a failure here is not the sender's.
            if (!isRefusal(error)) return
            this.#acknowledge(mail.mseq)
            this.#host.rejected(error, mail.from)
          },
        )
        .catch(() => {})
    }
  }

  #acknowledge(mseq: number): void {
    if (--this.#toDrain === 0) {
      this.#drainedAtMs = this.#core.nowMs
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
