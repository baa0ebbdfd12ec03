// SPEC §12 agent: what a handshake needs is fetched from the hub, checked, and tried again.

import { ONE_TIME_REQUIRED } from "../bundle.ts"
import { AgentMeshError, require } from "../errors.ts"
import { chooseSuite } from "../handshake.ts"
import type { DirectoryReceipt, FetchedBundle, HubClient } from "../hub/client.ts"
import { HANDSHAKE_BACKOFF_MAX, RESERVATION_LIFETIME, SEND_BACKOFF } from "../limits.ts"
import type { Core } from "./core.ts"
import { nextProbeInterval } from "./delivery.ts"
import type { Engine } from "./engine.ts"
import { keepBundles, keepReceipt } from "./evidence.ts"
import type { ContentRow } from "./rows.ts"
import type { HandshakeKind, Prepared, Sender } from "./send.ts"

/** Verdicts on a peer that no second try changes. */
const NEVER: ReadonlySet<string> = new Set(["identity/untrusted", "identity/fingerprint"])

/** Refusals of a bundle after which its receipt is evidence (HUB-60). */
const EVIDENCE: ReadonlySet<string> = new Set([
  "identity/changed",
  "bundle/rollback",
  "bundle/equivocation",
])

/** What the fetcher tells the network around it. */
export interface FetcherHost {
  /** A handshake could not be prepared in the background. */
  problem(error: unknown, name: string): void
  /** Another key answers to a pinned name. */
  changed(name: string): void
  /** Contents that cannot be delivered. */
  refused(rows: readonly ContentRow[], reason: string): void
}

/** Fetches for the handshakes of one agent; one fetch for a name at a time. */
export class Fetcher {
  readonly #core: Core
  readonly #engine: Engine
  readonly #sender: Sender
  readonly #client: HubClient
  readonly #host: FetcherHost
  readonly #fetching = new Map<string, { expected: string | null; work: Promise<void> }>()
  /** After a failure: seconds to the next try, and when it may be, milliseconds. */
  readonly #retries = new Map<string, { readonly delay: number; readonly atMs: number }>()

  constructor(
    core: Core,
    parts: { engine: Engine; sender: Sender },
    client: HubClient,
    host: FetcherHost,
  ) {
    this.#core = core
    this.#engine = parts.engine
    this.#sender = parts.sender
    this.#client = client
    this.#host = host
  }

  /** Fetches in the background what a handshake needs; failures are tried again. */
  fetch(name: string, kind: HandshakeKind): void {
    if (!this.#client.connected || this.#fetching.has(name)) return
    const retry = this.#retries.get(name)
    if (retry && retry.atMs > this.#core.nowMs) return
    const expected = this.#expected(name)
    this.prepare(name, expected, kind)
      .then(() => this.#retries.delete(name))
      .catch(async (error) => {
        if (error instanceof AgentMeshError && NEVER.has(error.code))
          await this.#giveUp(name, expected, error)
        this.failed(name, error)
      })
      .catch(() => {})
  }

  /** Reports a failed handshake; it is tried after 60 s, doubling to an hour (AGENT-18). */
  failed(name: string, error: unknown): void {
    this.#host.problem(error, name)
    const before = this.#retries.get(name)?.delay ?? SEND_BACKOFF / 2
    const delay = Math.min(before * 2, HANDSHAKE_BACKOFF_MAX)
    this.#retries.set(name, { delay, atMs: this.#core.nowMs + delay * 1000 })
    this.#core.environment.after(delay * 1000, () => this.#engine.touch(name))
  }

  /** Tries at once what waits for a later try: the link is new. */
  retryNow(): void {
    this.#retries.clear()
  }

  /** Contents that may not go to who answers to the name (AGENT-19); others are tried at once. */
  async #giveUp(name: string, expected: string | null, error: AgentMeshError): Promise<void> {
    const core = this.#core
    const rows = await this.#engine.run(() => {
      const queued = [...(core.outboxes.get(name)?.queued.values() ?? [])]
      const unbound = queued.filter((row) => row.ik === null && row.fingerprint === expected)
      for (const row of unbound) core.dropContent(row)
      return unbound
    })
    this.#host.refused(rows, error.message)
    if (rows.length > 0) this.#engine.touch(name)
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
    if (before) {
      return before.work.catch((error) => {
        // What was refused is the address of another call.
        const other = error instanceof AgentMeshError && error.code === "identity/fingerprint"
        if (other && before.expected !== expected) return this.prepare(name, expected, kind)
        throw error
      })
    }
    const work = this.#prepare(name, expected, kind)
      .catch((error) => {
        // Never silent, whoever asked (IDENTITY-11).
        const changed = error instanceof AgentMeshError && error.code === "identity/changed"
        if (changed) this.#host.changed(name)
        throw error
      })
      .finally(() => this.#fetching.delete(name))
    this.#fetching.set(name, { expected, work })
    return work
  }

  /**
   * The hub may still hold a one-time key for this name that the lost state has used: with it the
   * first handshakes after an import would be refused (AGENT-65).
   */
  get #mayBeReserved(): boolean {
    const { importedAt } = this.#core.store.meta
    return importedAt !== null && this.#core.now - importedAt <= RESERVATION_LIFETIME
  }

  async #prepare(name: string, expected: string | null, kind: HandshakeKind): Promise<void> {
    const core = this.#core
    const pinned = core.pin(name)
    const remembered = pinned ? core.peer(pinned).suite : 0
    const first = core.suites.find((id) => id === remembered) ?? Math.max(...core.suites)
    const plainOnly = kind === "probe" || this.#mayBeReserved
    let suites: number[] = plainOnly ? [] : [first]
    for (let tries = 0; ; tries++) {
      const fetched = await this.#client.getBundle(name, suites)
      const plain = { bundle: fetched.bundle, oneTime: null }
      const check = () => this.#sender.prepare(name, expected, plain)
      const { bundle } = await this.#engine.run(check).catch(async (error) => {
        await this.#keepEvidence(name, fetched, error)
        throw error
      })
      await this.#engine.run(() => keepReceipt(this.#core, fetched.receipt))
      const suite = chooseSuite(core.own, core.suites, bundle, core.peer(bundle).suite)
      const wants = !plainOnly || (bundle.flags & ONE_TIME_REQUIRED) !== 0
      if (wants && suites[0] !== suite && tries === 0) {
        suites = [suite]
        continue
      }
      const prepared = await this.#engine.run(() => this.#sender.prepare(name, expected, fetched))
      const usable = prepared.oneTime !== null || (bundle.flags & ONE_TIME_REQUIRED) === 0
      require(usable, "handshake/one-time-required", `${name} asks for a one-time key`)
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

  /** What proves a lie is kept although the bundle is refused (HUB-60, BUNDLE-23). */
  async #keepEvidence(name: string, fetched: FetchedBundle, error: unknown): Promise<void> {
    if (!(error instanceof AgentMeshError) || !EVIDENCE.has(error.code)) return
    await this.#engine.run(async () => {
      if (error.code === "bundle/equivocation") keepBundles(this.#core, name, fetched.bundle)
      const receipt = validReceipt(fetched)
      if (receipt !== null) await keepReceipt(this.#core, receipt)
    })
  }
}

/** The receipt of an answer, if it proves something. */
function validReceipt(fetched: FetchedBundle): DirectoryReceipt | null {
  try {
    return fetched.receipt
  } catch {
    return null
  }
}
