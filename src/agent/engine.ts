// SPEC §12 agent: one loop that stages, commits, and only then lets anything leave.

import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { UNDELIVERED_AFTER } from "../limits.ts"
import { mayBind } from "./contents.ts"
import type { Core } from "./core.ts"
import { againAt, answerAt, canSend, carries, dueAt, isOverdue, probeAt } from "./delivery.ts"
import type { ContentRow, OutRow } from "./rows.ts"
import type { Prepared, Sender } from "./send.ts"
import { peerKey } from "./trust.ts"

/** What the loop needs of the agent around it. */
export interface EngineHost {
  /** Takes an envelope to the hub; the store has it. */
  transmit(out: OutRow): void
  /** A name needs a bundle for a handshake. */
  fetch(name: string, kind: "normal" | "probe"): void
  /** A handshake with a name failed; it is tried again later. */
  failed(name: string, error: AgentMeshError): void
  /** When probes are allowed from; infinity while offline. */
  probesFrom(): number
  /** A content was given up. */
  undelivered(row: ContentRow): void
  /** A commit failed; nothing of it happened. */
  broken(error: unknown): void
}

interface Job {
  run(): Promise<unknown> | unknown
  resolve(value: never): void
  reject(error: unknown): void
}

/** Timers up to this long keep the process alive, milliseconds. */
const AWAITED = 1_000
/** When a name is looked at again of which something is due but blocked, milliseconds. */
const LOOK_AGAIN = 60_000
/** A prepared handshake is fresh for so long, milliseconds. */
const PREPARED_FRESH = 60_000

/** The loop of one agent. */
export class Engine {
  readonly #core: Core
  readonly #sender: Sender
  readonly #host: EngineHost
  readonly #prepared = new Map<string, { value: Prepared; verified: boolean; atMs: number }>()
  readonly #timers = new Map<string, () => void>()
  #jobs: Job[] = []
  #names = new Set<string>()
  #outs: OutRow[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(core: Core, sender: Sender, host: EngineHost) {
    this.#core = core
    this.#sender = sender
    this.#host = host
  }

  /**
   * Runs a job alone, and resolves when what it staged is durable. A job checks first and stages
   * last: an error it throws leaves nothing behind.
   */
  run<T>(job: () => Promise<T> | T): Promise<T> {
    if (this.#closed) return Promise.reject(new AgentMeshError("agent/closed", "agent is closed"))
    const done = new Promise<T>((resolve, reject) => this.#jobs.push({ run: job, resolve, reject }))
    this.#start()
    return done
  }

  /** Looks at what is to be sent to a name. */
  touch(name: string): void {
    if (this.#closed) return
    this.#names.add(name)
    this.#start()
  }

  /** Keeps what a hub gave for the next handshake with a name. */
  offer(name: string, value: Prepared, verified: boolean): void {
    this.#prepared.set(name, { value, verified, atMs: this.#core.nowMs })
  }

  /** Whom the next handshake with a name is prepared for, if it is. */
  offered(name: string): Peer | undefined {
    const offer = this.#prepared.get(name)
    const fresh = offer !== undefined && Math.abs(this.#core.nowMs - offer.atMs) <= PREPARED_FRESH
    return fresh ? offer.value.bundle : undefined
  }

  /** Forgets what was for the next handshake with a name. */
  withdraw(name: string): void {
    this.#prepared.delete(name)
  }

  /** Founds a session with what was offered, unless there is one to send on. */
  connect(name: string): Promise<void> {
    return this.run(async () => {
      const pin = this.#core.pin(name)
      const idle = !this.#core.store.get("data/out", name)
      if (idle && !(pin && this.#sender.sending(pin))) await this.#handshake(name)
    })
  }

  /** Adds an envelope that a job sealed; it leaves after the commit. */
  release(out: OutRow): void {
    this.#outs.push(out)
  }

  /** Waits for everything that is staged, then refuses more. */
  async close(): Promise<void> {
    while (this.#running) await this.#running
    this.#closed = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #start(): void {
    this.#running ??= Promise.resolve()
      .then(() => this.#loop())
      .finally(() => {
        this.#running = null
        // Work may have come between the last look and now.
        if (this.#pending) this.#start()
      })
  }

  get #pending(): boolean {
    return this.#jobs.length > 0 || this.#names.size > 0
  }

  async #loop(): Promise<void> {
    while (this.#pending) {
      const jobs = this.#jobs
      const names = this.#names
      this.#jobs = []
      this.#names = new Set()
      this.#outs = []
      await this.#round(jobs, names)
    }
  }

  async #round(jobs: readonly Job[], names: Set<string>): Promise<void> {
    const core = this.#core
    const results: (() => void)[] = []
    const lost: ContentRow[] = []
    const looked = new Map<string, number>()
    try {
      core.tick()
      for (const job of jobs) {
        try {
          const result = job.run()
          // No turn of the loop for each of thousands of contents.
          const value = (result instanceof Promise ? await result : result) as never
          results.push(() => job.resolve(value))
        } catch (error) {
          // Anything but a verdict is a fault in the middle of staging: nothing of it may count.
          if (!(error instanceof AgentMeshError)) throw error
          results.push(() => job.reject(error))
        }
      }
      for (const name of this.#names) names.add(name)
      this.#names = new Set()
      for (const name of names) {
        lost.push(...this.#expire(name))
        this.#restProbes(name)
        looked.set(name, core.nowMs)
        await this.#send(name)
      }
      await core.store.commit()
    } catch (error) {
      await this.#recover(jobs, error)
      return
    }
    for (const result of results) result()
    for (const row of lost) this.#host.undelivered(row)
    for (const out of this.#outs) this.#host.transmit(out)
    for (const name of names) this.#arm(name, looked.get(name) ?? 0)
  }

  /** The store refused: what it holds is the truth, and nothing of this round has happened. */
  async #recover(jobs: readonly Job[], error: unknown): Promise<void> {
    this.#prepared.clear()
    try {
      await this.#core.store.load()
      this.#core.index()
    } catch {
      this.#closed = true
    }
    for (const job of jobs) job.reject(error)
    this.#host.broken(error)
    if (!this.#closed) this.#core.environment.after(LOOK_AGAIN, () => this.start())
  }

  /** Drops contents that are past their time (SPEC §12, rule 3). */
  #expire(name: string): ContentRow[] {
    const core = this.#core
    // What the hub did not take in all that time is of no use either: no retry is for ever.
    const out = core.store.get("data/out", name)
    if (out && isOverdue(out, core.kept)) core.store.delete("data/out", name)
    const outbox = core.outboxes.get(name)
    if (outbox === undefined) return []
    const over = (row: ContentRow) => isOverdue(row, core.kept)
    const lost = new Set(outbox.oldest.some(over) ? outbox.rows.filter(over) : [])
    // One answer for all that name the same fingerprint, or none: thousands may be queued.
    const verdicts = new Map<string | null, boolean>()
    for (const row of outbox.unbound) {
      const may = verdicts.get(row.fingerprint) ?? mayBind(core, row)
      verdicts.set(row.fingerprint, may)
      if (!may) lost.add(row)
    }
    for (const row of lost) core.dropContent(row)
    return [...lost]
  }

  /** The probe clock begins anew once nothing that the hub took waits for a receipt (AGENT-23). */
  #restProbes(name: string): void {
    const core = this.#core
    const pin = core.pin(name)
    if (!pin || core.peer(pin).probeInterval === 0 || core.outboxes.get(name)?.pending) return
    if (this.#blockedSince(name) < Number.POSITIVE_INFINITY) return
    core.updatePeer(pin, { probeInterval: 0, probeAtMs: 0 })
  }

  /** Seals what can leave for a name; one envelope at a time waits for the hub's OK. */
  async #send(name: string): Promise<void> {
    const core = this.#core
    if (!core.hub || core.store.get("data/out", name)) return
    const next = await this.#sender.next(name)
    if (next === "handshake") {
      try {
        return await this.#handshake(name)
      } catch (error) {
        // A peer's keys can be unusable, which must not undo what others asked for (AGENT-18).
        if (!(error instanceof AgentMeshError) || error.code.startsWith("agent/")) throw error
        this.#host.failed(name, error)
        return
      }
    }
    if (next !== null) {
      this.#outs.push(next)
      return
    }
    if (this.#probeAt(name) <= core.nowMs) this.#host.fetch(name, "probe")
  }

  async #handshake(name: string): Promise<void> {
    const prepared = this.#prepared.get(name)
    if (prepared === undefined || !this.offered(name)) {
      this.#host.fetch(name, "normal")
      return
    }
    this.#prepared.delete(name)
    const { value, verified } = prepared
    this.#outs.push(await this.#sender.handshake(value, "normal", verified))
  }

  #probeAt(name: string): number {
    const core = this.#core
    const peer = core.pin(name)
    const outbox = core.outboxes.get(name)
    if (!peer || !outbox) return Number.POSITIVE_INFINITY
    const since = Math.min(outbox.takenAt, this.#blockedSince(name))
    return Math.max(probeAt(core.peer(peer), since, core.nowMs), this.#host.probesFrom())
  }

  /** Since when contents wait behind a handshake that may not carry them; infinity if none do. */
  #blockedSince(name: string): number {
    const peer = this.#core.pin(name)
    const chosen = peer && this.#sender.sending(peer)
    const waiting = (this.#core.outboxes.get(name)?.queued.size ?? 0) > 0
    const blocked = chosen && waiting && !carries(chosen.row)
    return blocked ? chosen.row.created * 1000 : Number.POSITIVE_INFINITY
  }

  /** Sets the one timer of a name to when something is due for it. */
  #arm(name: string, lookedAtMs: number): void {
    this.#timers.get(name)?.()
    this.#timers.delete(name)
    const core = this.#core
    const due = this.#nextDue(name)
    // What was due when it was looked at waits for something else, which will touch the name; what
    // fell due since, while the commit was written, is looked at now.
    const at = due <= lookedAtMs ? core.nowMs + LOOK_AGAIN : Math.max(due, core.nowMs + 1)
    if (at === Number.POSITIVE_INFINITY) return
    this.#timers.set(
      name,
      core.environment.after(
        at - core.nowMs,
        () => {
          this.#timers.delete(name)
          this.touch(name)
        },
        // A receipt or an answer: the peer may be waiting for it in this very process.
        at - core.nowMs <= AWAITED,
      ),
    )
  }

  #nextDue(name: string): number {
    const core = this.#core
    const outbox = core.outboxes.get(name)
    let at = Number.POSITIVE_INFINITY
    for (const row of outbox?.oldest ?? []) {
      at = Math.min(at, core.nowMs + (row.accepted + UNDELIVERED_AFTER - core.kept + 1) * 1000)
    }
    const peer = core.pin(name)
    if (peer === undefined || core.store.get("data/out", name)) return at
    const due = core.store.get("due", peerKey(peer))
    const chosen = this.#sender.sending(peer)
    if (due && chosen && carries(chosen.row)) at = Math.min(at, dueAt(due, core.nowMs))
    if (!chosen && outbox) at = Math.min(at, againAt(outbox.takenAt, core.nowMs))
    if (chosen && outbox) at = Math.min(at, outbox.resealAt(chosen.key, core.nowMs))
    for (const { row } of core.sessionsOf(peer)) {
      if (canSend(row, core.stamp)) at = Math.min(at, answerAt(row, core.nowMs))
    }
    return Math.min(at, this.#probeAt(name))
  }

  /** Names for which something may be due after a restart. */
  start(): void {
    const core = this.#core
    for (const name of core.outboxes.keys()) this.#names.add(name)
    for (const { name } of core.store.table("due").values()) this.#names.add(name)
    for (const { session, answerAtMs } of core.store.table("key/session").values()) {
      if (answerAtMs > 0) this.#names.add(session.peer.name)
    }
    if (this.#names.size > 0 && !this.#closed) this.#start()
  }
}
