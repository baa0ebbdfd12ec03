// SPEC §11 hub: the runtime that every hub shares. It reads rows, lets the machine decide, commits
// one batch for all requests of a tick, and only then answers. Transports differ, this does not.

import { encode } from "../encoding.ts"
import type { Environment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { ed25519Public } from "../suite.ts"
import { type Batch, RowCache } from "./cache.ts"
import { type Decision, type HubSettings, refuse, reply } from "./decision.ts"
import {
  type Counts,
  encodeDeliver,
  encodeError,
  encodeLowOneTime,
  encodeReady,
  encodeReply,
  MAX_LIST,
  type Result,
} from "./frames.ts"
import { type LinkState, NEW_LINK, readyLink, receiveFrame } from "./link.ts"
import {
  type Asked,
  type Due,
  decide,
  decideSweep,
  neededRows,
  pageNames,
  pageRange,
} from "./machine.ts"
import { decideExpiry } from "./mailbox.ts"
import {
  type BundleRow,
  dueKey,
  keyOf,
  type MailRow,
  mseqOf,
  Reader,
  type SecretRow,
} from "./rows.ts"
import type { HubStore } from "./store.ts"

/** One end of a link, as the runtime uses it. */
export interface Transport {
  /** Sends a frame, without its length. */
  send(frame: Uint8Array): void
  /** Closes the link after everything that was sent. */
  close(): void
  /** Whether what was sent is leaving; DELIVER waits while it does not. */
  readonly writable: boolean
  /** Requests of this link have been answered. */
  answered?(): void
}

/** What a runtime is started with. */
export interface RuntimeOptions {
  readonly store: HubStore
  readonly environment: Environment
  readonly settings: Omit<HubSettings, "key">
  /** The hub's secret of 32 bytes; by default kept in the store. */
  readonly secret?: Uint8Array | undefined
  /** Runs a batch soon; later means larger batches. */
  readonly schedule?: (action: () => void) => void
}

/** What a hub has done since it was started. */
export interface HubStatistics {
  links: number
  ready: number
  frames: number
  routed: number
  delivered: number
  batches: number
  errors: number
  failures: number
}

/** Requests and bytes that one batch takes. */
const MAX_BATCH_JOBS = 4_096
const MAX_BATCH_BYTES = 8_388_608
/** Rows and bytes that are read at once for deliveries, expiry and sweeps. */
const PAGE_ROWS = 256
const PAGE_BYTES = 1_048_576
/** The hub looks for rows past their lifetime at most once in so many milliseconds. */
const SWEEP_INTERVAL = 60_000

interface Job {
  readonly link: RuntimeLink
  readonly peer: Peer
  readonly asked: Asked
  readonly rid: number
  readonly close: boolean
  readonly size: number
  readonly decided?: (decision: Decision) => void
}

interface Outcome {
  readonly job: Job
  readonly decision: Decision
}

const NOBODY: Peer = { name: "", ik: new Uint8Array(32) }

/** A link at the hub: the transport reports what comes in, the runtime keeps the rest. */
export class RuntimeLink {
  readonly transport: Transport
  readonly #runtime: HubRuntime
  /** @internal */
  state: LinkState = NEW_LINK
  /** The name of a link that is or was ready. @internal */
  owner: string | null = null
  /** mseqs delivered and not acknowledged. @internal */
  readonly flight: Set<number> = new Set()
  /** Highest mseq delivered on this link. @internal */
  cursor = 0
  /** Whether there may be stored messages above the cursor. @internal */
  backlog = false
  /** Requests that wait for their answer, and their bytes. */
  waiting = 0
  waitingBytes = 0

  /** @internal */
  constructor(runtime: HubRuntime, transport: Transport) {
    this.#runtime = runtime
    this.transport = transport
  }

  /** The name of a ready link, else null. */
  get name(): string | null {
    return this.state.phase === "ready" ? this.state.peer.name : null
  }

  /** A frame came in. */
  receive(frame: Uint8Array): void {
    this.#runtime.receive(this, frame)
  }

  /** The transport can send again. */
  drained(): void {
    this.#runtime.resume(this)
  }

  /** The other end is gone. */
  closed(): void {
    this.#runtime.forget(this)
  }
}

/** A hub without a transport. */
export class HubRuntime {
  readonly #store: HubStore
  readonly #environment: Environment
  readonly #options: RuntimeOptions
  readonly #cache: RowCache
  readonly #links = new Set<RuntimeLink>()
  readonly #ready = new Map<string, RuntimeLink>()
  readonly #pumps = new Set<RuntimeLink>()
  readonly #schedule: (action: () => void) => void
  #settings: HubSettings | null = null
  #jobs: Job[] = []
  #running: Promise<void> | null = null
  #sweepDue = false
  #cancelSweep: (() => void) | null = null
  #stopping = false
  /** Counters for logs and metrics. */
  readonly statistics: HubStatistics = {
    ...{ links: 0, ready: 0, frames: 0, routed: 0 },
    ...{ delivered: 0, batches: 0, errors: 0, failures: 0 },
  }

  /** @param options - Store, environment, limits. */
  constructor(options: RuntimeOptions) {
    this.#options = options
    this.#store = options.store
    this.#environment = options.environment
    this.#cache = new RowCache(options.store)
    this.#schedule = options.schedule ?? queueMicrotask
  }

  /** The hub's identity key, once started. */
  get hubIk(): Uint8Array {
    return this.#ownSettings.key.ik
  }

  get #ownSettings(): HubSettings {
    if (this.#settings === null) throw new TypeError("the hub has not been started")
    return this.#settings
  }

  #now(): number {
    return Math.floor(this.#environment.now() / 1000)
  }

  /** Opens the store; makes the hub's key at the first start. */
  async start(): Promise<void> {
    await this.#store.open()
    let secret = this.#options.secret
    if (secret === undefined) {
      const batch = this.#cache.begin()
      await batch.load([keyOf.hub])
      const row = batch.get(keyOf.hub) as SecretRow | null
      secret = row?.[0] ?? this.#environment.draw("identity", 32)
      if (row === null) batch.apply([[keyOf.hub, [secret]]])
      await batch.commit()
    }
    this.#settings = { ...this.#options.settings, key: { ik: ed25519Public(secret), secret } }
    await this.#armSweep()
  }

  /** Answers what has been asked, closes all links and the store. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelSweep?.()
    while (this.#running !== null) await this.#running
    for (const link of [...this.#links]) this.#close(link)
    await this.#store.close()
  }

  /**
   * Asks in the name of an agent, without a link.
   *
   * @throws {@link AgentMeshError} a hub error.
   */
  async ask(name: string, asked: Asked): Promise<Result> {
    const link = new RuntimeLink(this, { writable: false, send: () => {}, close: () => {} })
    this.#links.add(link)
    try {
      const peer = { ...NOBODY, name }
      const decision = await new Promise<Decision>((decided) => {
        this.#enqueue({ link, peer, asked, rid: 0, close: false, size: 0, decided })
      })
      if (!decision.error) return decision.result
      throw new AgentMeshError(decision.error.code, `the hub refused ${asked.type}`)
    } finally {
      this.#links.delete(link)
    }
  }

  /** The signed bundle of a name, null without one. */
  async bundle(name: string): Promise<Uint8Array | null> {
    const batch = this.#cache.begin()
    await batch.load([keyOf.bundle(name)])
    const row = batch.get(keyOf.bundle(name)) as BundleRow | null
    return row && encode([row[0], row[1]])
  }

  /** Names with a bundle, in order. */
  async names(): Promise<readonly string[]> {
    const names: string[] = []
    for (;;) {
      const range = pageRange(names.at(-1) ?? "")
      const { rows } = await this.#store.range(...range, MAX_LIST)
      names.push(...pageNames(rows.map(([key]) => key)))
      if (rows.length < MAX_LIST) return names
    }
  }

  /** Accepts a link. */
  open(transport: Transport): RuntimeLink {
    const link = new RuntimeLink(this, transport)
    if (this.#stopping) {
      transport.close()
      link.state = { phase: "closed" }
      return link
    }
    this.#links.add(link)
    this.#count()
    return link
  }

  /** @internal */
  receive(link: RuntimeLink, frame: Uint8Array): void {
    if (this.#stopping) return
    this.statistics.frames++
    const { draw } = this.#environment
    const step = receiveFrame(link.state, frame, this.#ownSettings, this.#now(), draw)
    const peer = "peer" in link.state ? link.state.peer : NOBODY
    link.state = step.state
    if (step.send !== undefined) link.transport.send(step.send)
    if (step.asked !== undefined) {
      const size = frame.length
      const owner = step.state.phase === "binding" ? step.state.peer : peer
      const close = step.close ?? false
      link.waiting++
      link.waitingBytes += size
      this.#enqueue({ link, peer: owner, asked: step.asked, rid: step.rid ?? 0, close, size })
    } else if (step.close) {
      this.statistics.errors++
      this.#close(link)
    }
  }

  /** @internal */
  resume(link: RuntimeLink): void {
    if (!link.backlog || link.name === null) return
    this.#pumps.add(link)
    this.#kick()
  }

  /** @internal */
  forget(link: RuntimeLink): void {
    const { owner } = link
    link.state = { phase: "closed" }
    if (!this.#links.delete(link)) return
    this.#pumps.delete(link)
    if (owner !== null && this.#ready.get(owner) === link) this.#ready.delete(owner)
    this.#count()
  }

  #close(link: RuntimeLink): void {
    this.forget(link)
    link.transport.close()
  }

  #count(): void {
    this.statistics.links = this.#links.size
    this.statistics.ready = this.#ready.size
  }

  // ---- one batch after the other ----

  #enqueue(job: Job): void {
    this.#jobs.push(job)
    this.#kick()
  }

  #kick(): void {
    if (this.#running !== null) return
    this.#running = new Promise((resolve) => {
      this.#schedule(() => {
        this.#work().then(resolve, resolve)
      })
    })
  }

  async #work(): Promise<void> {
    while (this.#jobs.length > 0 || this.#pumps.size > 0 || this.#sweepDue) {
      if (this.#jobs.length > 0) await this.#runBatch(this.#takeJobs())
      if (this.#sweepDue) await this.#sweep().catch(() => this.statistics.failures++)
      const pumps = [...this.#pumps]
      this.#pumps.clear()
      for (const link of pumps) await this.#pump(link)
    }
    this.#running = null
  }

  #takeJobs(): readonly Job[] {
    let bytes = 0
    let count = 0
    while (count < this.#jobs.length && count < MAX_BATCH_JOBS && bytes < MAX_BATCH_BYTES) {
      bytes += (this.#jobs[count++] as Job).size
    }
    return this.#jobs.splice(0, count)
  }

  async #runBatch(jobs: readonly Job[]): Promise<void> {
    this.statistics.batches++
    const now = this.#now()
    const batch = this.#cache.begin()
    const outcomes: Outcome[] = []
    let expired: string | null = null
    try {
      for (let pass = 0; pass < 2; pass++) {
        await batch.load(jobs.flatMap((job) => neededRows(job.peer, job.asked, batch)))
      }
      for (const job of jobs) {
        const decision = await this.#decide(job, batch, now)
        if (typeof decision === "string") {
          expired = decision
          break
        }
        outcomes.push({ job, decision })
      }
      await batch.commit() // HUB-14
    } catch {
      this.statistics.failures++
      await this.#emit(jobs.map(failure)) // HUB-15
      return
    }
    await this.#emit(outcomes)
    if (batch.firstDue !== null) this.#scheduleSweep(batch.firstDue)
    if (expired !== null) await this.#expireBefore(expired, jobs.slice(outcomes.length), now)
  }

  /** A decision, or the name of a mailbox that has to be freed of expired messages before. */
  async #decide(job: Job, batch: Batch, now: number): Promise<Decision | string> {
    const alive = job.asked.type === "refuse" || this.#links.has(job.link)
    if (!alive) return reply(null) // requests of a link that is gone are dropped
    for (;;) {
      const step = decide(job.peer, job.asked, batch, this.#ownSettings, now)
      if (step.type === "expire") return step.name
      if (step.type === "decided") {
        batch.apply(step.decision.writes)
        return step.decision
      }
      await batch.load(step.keys)
    }
  }

  /** Frees a mailbox, then takes up the jobs that wait for that. */
  async #expireBefore(name: string, jobs: readonly Job[], now: number): Promise<void> {
    let rest = jobs
    try {
      await this.#expire(name, now)
    } catch {
      this.statistics.failures++
      await this.#emit(jobs.slice(0, 1).map(failure))
      rest = jobs.slice(1)
    }
    this.#jobs.unshift(...rest)
  }

  /** Answers, in the order of the requests, and pushes. */
  async #emit(outcomes: readonly Outcome[]): Promise<void> {
    const answered = new Set<RuntimeLink>()
    for (const { job, decision } of outcomes) {
      const { link } = job
      link.waiting--
      link.waitingBytes -= job.size
      answered.add(link)
      this.statistics.routed += decision.routed ?? 0
      job.decided?.(decision)
      if (job.asked.type === "bind") this.#bound(job, decision)
      else await this.#answer(job, decision)
      for (const push of decision.pushes) {
        const target = this.#ready.get(push.to)
        if (target === undefined) continue
        if (push.type === "low") target.transport.send(encodeLowOneTime(push.suite, push.left))
        else this.#deliver(target, push.mseq, push.from, push.envelope)
      }
      if (decision.gone) this.#landed(decision.gone.name, decision.gone.mseqs)
    }
    for (const link of answered) link.transport.answered?.()
  }

  #bound(job: Job, decision: Decision): void {
    const { link, peer } = job
    if (!this.#links.has(link)) return
    if (decision.error) {
      this.statistics.errors++
      const { code, retryAfter } = decision.error
      link.transport.send(encodeError(0, code, retryAfter))
      this.#close(link)
      return
    }
    const before = this.#ready.get(peer.name)
    if (before !== undefined) {
      before.transport.send(encodeError(0, "hub/replaced")) // HUB-33
      this.#close(before)
    }
    link.state = readyLink(peer, this.#ownSettings, this.#now())
    link.owner = peer.name
    this.#ready.set(peer.name, link)
    this.#count()
    const counts = decision.result as Counts
    link.transport.send(encodeReady(counts))
    link.backlog = counts.mail > 0 // HUB-34
    this.resume(link)
  }

  async #answer(job: Job, decision: Decision): Promise<void> {
    const { link, rid } = job
    if (this.#links.has(link)) {
      if (decision.error) {
        this.statistics.errors++
        const { code, retryAfter } = decision.error
        link.transport.send(encodeError(rid, code, retryAfter))
      } else if (decision.page !== undefined) {
        link.transport.send(await this.#page(rid, decision.page))
      } else link.transport.send(encodeReply(rid, decision.result))
    }
    if (job.close && this.#links.has(link)) this.#close(link)
  }

  async #page(rid: number, after: string): Promise<Uint8Array> {
    try {
      const { rows } = await this.#store.range(...pageRange(after), MAX_LIST)
      return encodeReply(rid, pageNames(rows.map(([key]) => key)))
    } catch {
      this.statistics.failures++
      return encodeError(rid, "hub/internal", 1)
    }
  }

  // ---- deliveries ----

  #deliver(link: RuntimeLink, mseq: number, from: string, envelope: Uint8Array): void {
    const room = link.flight.size < this.#ownSettings.limits.unacked && link.transport.writable
    if (link.backlog || !room) {
      link.backlog = true
      return
    }
    link.flight.add(mseq)
    link.cursor = mseq
    this.statistics.delivered++
    link.transport.send(encodeDeliver(mseq, from, envelope))
  }

  /** Messages are acknowledged or expired: there may be room for the next. */
  #landed(name: string, mseqs: readonly number[]): void {
    const link = this.#ready.get(name)
    if (link === undefined) return
    for (const mseq of mseqs) link.flight.delete(mseq)
    this.resume(link)
  }

  /** Delivers stored messages as far as window and transport allow. */
  async #pump(link: RuntimeLink): Promise<void> {
    const { limits } = this.#ownSettings
    while (link.backlog && link.transport.writable) {
      const { name } = link
      const room = limits.unacked - link.flight.size
      if (name === null || room <= 0) return
      try {
        const [from, below] = [keyOf.mail(name, link.cursor + 1), `mail/${name}0`]
        const page = await this.#store.range(from, below, Math.min(room, PAGE_ROWS), PAGE_BYTES)
        if (link.name === null) return
        link.backlog = page.more
        for (const [key, bytes] of page.rows) {
          const mail = this.#cache.remember(key, bytes) as MailRow
          const mseq = mseqOf(key)
          link.cursor = mseq
          if (mail[2] + limits.ttl < this.#now()) continue
          link.flight.add(mseq)
          this.statistics.delivered++
          link.transport.send(encodeDeliver(mseq, mail[0], mail[4]))
        }
      } catch {
        this.statistics.failures++
        this.#close(link) // the agent connects again and gets its mail from the start
        return
      }
    }
  }

  // ---- lifetimes ----

  /** Erases a page of the expired head of a mailbox. */
  async #expire(name: string, now: number): Promise<void> {
    const { ttl } = this.#ownSettings.limits
    const range = [keyOf.mail(name, 0), `mail/${name}0`] as const
    const { rows, more } = await this.#store.range(...range, PAGE_ROWS, PAGE_BYTES)
    const page = rows.map(([key, row]) => [key, this.#cache.remember(key, row) as MailRow] as const)
    const batch = this.#cache.begin()
    const senders = page.map(([, mail]) => keyOf.sender(name, mail[0]))
    await batch.load([keyOf.account(name), ...senders])
    const decision = decideExpiry(name, page, !more, new Reader(batch), ttl, now)
    batch.apply(decision.writes)
    await batch.commit()
    if (decision.gone) this.#landed(name, decision.gone.mseqs)
    if (batch.firstDue !== null) this.#scheduleSweep(batch.firstDue)
  }

  async #armSweep(): Promise<void> {
    const { rows } = await this.#store.range("due/", "due0", 1)
    const first = rows[0]
    if (first !== undefined) this.#scheduleSweep(mseqOf(first[0].split("/", 2).join("/")))
  }

  #scheduleSweep(due: number): void {
    if (this.#cancelSweep !== null || this.#stopping) return
    const wait = Math.max(SWEEP_INTERVAL, due * 1000 - this.#environment.now())
    this.#cancelSweep = this.#environment.after(wait, () => {
      this.#cancelSweep = null
      this.#sweepDue = true
      this.#kick()
    })
  }

  async #sweep(): Promise<void> {
    this.#sweepDue = false
    const now = this.#now()
    for (;;) {
      const batch = this.#cache.begin()
      const page = await this.#store.range("due/", keyOf.due(now + 1, ""), 4 * PAGE_ROWS)
      const due = page.rows.map(([key]): Due => [key, dueKey(key)])
      await batch.load(due.map(([, key]) => key))
      const swept = decideSweep(due, batch, this.#ownSettings, now)
      batch.apply(swept.writes)
      await batch.commit()
      for (const name of swept.expire) await this.#expire(name, now)
      if (!page.more) break
    }
    await this.#armSweep()
  }
}

function failure(job: Job): Outcome {
  const code = job.asked.type === "refuse" ? job.asked.code : "hub/internal"
  return { job, decision: refuse(code) }
}
