// SPEC §11 hub: the runtime that every hub shares. It reads rows, lets the machine decide, commits
// one batch for all requests of a tick, and only then answers. Transports differ, this does not.

import type { Environment } from "../environment.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { ed25519Public } from "../suite.ts"
import { Answers, type HubStatistics, type Job, type Outcome } from "./answers.ts"
import { Batch } from "./batch.ts"
import { type PeekingStore, peeking } from "./cache.ts"
import { type Decision, type HubSettings, refuse, reply } from "./decision.ts"
import { Deliveries } from "./deliveries.ts"
import type { HubErrorCode, Result } from "./frames.ts"
import { Lifetimes } from "./lifetimes.ts"
import { failed, type LinkStep, readyLink, receiveFrame } from "./link.ts"
import { type Asked, decide, furtherRows, neededRows } from "./machine.ts"
import { keyOf, type SecretRow } from "./rows.ts"
import { RuntimeLink, type Transport } from "./runtime-link.ts"
import type { HubStore } from "./store.ts"

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

/** Requests and bytes that one batch takes. */
const MAX_BATCH_JOBS = 4_096
const MAX_BATCH_BYTES = 8_388_608

const NOBODY: Peer = { name: "", ik: new Uint8Array(32) }

/** A hub without a transport. */
export class HubRuntime {
  readonly #store: PeekingStore
  readonly #environment: Environment
  readonly #options: RuntimeOptions
  readonly #links = new Set<RuntimeLink>()
  readonly #deliveries: Deliveries
  readonly #answers: Answers
  readonly #schedule: (action: () => void) => void
  readonly #wake = (): void => this.#kick()
  #settings: HubSettings | null = null
  #lifetimes: Lifetimes | null = null
  #jobs: Job[] = []
  #running: Promise<void> | null = null
  #stopping = false
  /** Counters for logs and metrics. */
  readonly statistics: HubStatistics = {
    ...{ links: 0, ready: 0, frames: 0, routed: 0 },
    ...{ batches: 0, errors: 0, failures: 0 },
  }

  /** @param options - Store, environment, limits. */
  constructor(options: RuntimeOptions) {
    this.#options = options
    this.#store = peeking(options.store)
    this.#environment = options.environment
    const { limits } = options.settings
    this.#deliveries = new Deliveries(this.#store, limits, this.#environment)
    this.#answers = new Answers(this.#store, this.#deliveries, this.statistics, {
      has: (link) => this.#links.has(link),
      close: (link) => this.#close(link),
      ready: (peer) => readyLink(peer, this.#ownSettings, this.#now()),
    })
    // As a property of this object the function itself would be refused by browsers.
    this.#schedule = options.schedule ?? ((action) => queueMicrotask(action))
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

  /** Opens the store and goes on with its rows (HUB-52); makes the hub's key at the first start. */
  async start(): Promise<void> {
    await this.#store.open()
    let secret = this.#options.secret
    if (secret === undefined) {
      const batch = new Batch(this.#store)
      await batch.load([keyOf.hub])
      const row = batch.get(keyOf.hub) as SecretRow | null
      secret = row?.[0] ?? this.#environment.draw("identity", 32)
      if (row === null) batch.apply([[keyOf.hub, [secret]]])
      await batch.commit()
    }
    this.#settings = { ...this.#options.settings, key: { ik: ed25519Public(secret), secret } }
    this.#lifetimes = new Lifetimes(
      this.#store,
      this.#settings,
      this.#environment,
      this.#deliveries,
    )
    await this.#lifetimes.arm(this.#wake)
  }

  /** Answers what has been asked, closes all links and the store. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#lifetimes?.stop()
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

  /**
   * Accepts a link whose other end has been authenticated elsewhere.
   *
   * @param home - Whether deliveries of the peer go to this link: it replaces another one.
   */
  admit(transport: Transport, peer: Peer, home: boolean): RuntimeLink {
    const link = this.open(transport)
    if (link.state.phase === "closed") return link
    link.state = home ? { phase: "binding", peer } : readyLink(peer, this.#ownSettings, this.#now())
    const asked: Asked = { type: "bind" }
    if (home) this.#take(link, { state: link.state, asked, rid: 0 }, 0)
    return link
  }

  /** @internal */
  receive(link: RuntimeLink, frame: Uint8Array): void {
    if (this.#stopping) return
    this.statistics.frames++
    const { draw } = this.#environment
    const settings = this.#ownSettings
    let step: LinkStep
    try {
      step = receiveFrame(link.state, frame, settings, this.#now(), draw)
    } catch {
      this.#failed()
      step = failed(link.state, "hub/internal") // of this link alone (HUB-16)
    }
    this.#take(link, step, frame.length)
  }

  /** @internal */
  fault(link: RuntimeLink, code: HubErrorCode): void {
    this.#take(link, failed(link.state, code), 0)
  }

  #take(link: RuntimeLink, step: LinkStep, size: number): void {
    const before = "peer" in link.state ? link.state.peer : NOBODY
    const peer = "peer" in step.state ? step.state.peer : before
    link.state = step.state
    if (step.send !== undefined) link.transport.send(step.send)
    if (step.asked !== undefined) {
      link.waiting++
      link.waitingBytes += size
      const { asked, rid = 0, close = false } = step
      this.#enqueue({ link, peer, asked, rid, close, size })
    } else if (step.close) {
      this.statistics.errors++
      this.#close(link)
    }
  }

  /** @internal */
  resume(link: RuntimeLink): void {
    this.#deliveries.resume(link)
    if (this.#deliveries.due) this.#kick()
  }

  /** @internal */
  forget(link: RuntimeLink): void {
    link.state = { phase: "closed" }
    if (!this.#links.delete(link)) return
    this.#deliveries.remove(link)
    this.#count()
  }

  #close(link: RuntimeLink): void {
    this.forget(link)
    link.transport.close()
  }

  /** Envelopes sent to agents since the start. */
  get delivered(): number {
    return this.#deliveries.delivered
  }

  #count(): void {
    this.statistics.links = this.#links.size
    this.statistics.ready = this.#deliveries.size
  }

  // ---- one batch after the other ----

  #enqueue(job: Job): void {
    this.#jobs.push(job)
    this.#kick()
  }

  #kick(): void {
    if (this.#running !== null) return
    this.#running = new Promise((resolve) => {
      this.#schedule(() => void this.#work().then(resolve))
    })
  }

  async #work(): Promise<void> {
    while (this.#jobs.length > 0 || this.#deliveries.due || this.#lifetimes?.due) {
      try {
        if (this.#jobs.length > 0) await this.#runBatch(this.#takeJobs())
        if (this.#lifetimes?.due) await this.#lifetimes.sweep(this.#now(), this.#wake)
        await this.#deliveries.pump((link) => {
          this.#failed()
          this.#close(link)
        })
      } catch {
        this.#failed() // whatever it was: the hub goes on with the next
      }
    }
    this.#running = null
  }

  #failed(): void {
    this.statistics.failures++
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
    const batch = new Batch(this.#store)
    const outcomes: Outcome[] = []
    let expired: string | null = null
    try {
      const needed = jobs.map((job) => neededRows(job.peer, job.asked))
      if (!this.#store.whole) {
        await batch.load(needed.flat())
        await batch.load(
          jobs.flatMap(({ peer, asked }, i) => furtherRows(peer, asked, needed[i] ?? [], batch)),
        )
      }
      for (const [i, job] of jobs.entries()) {
        const decided = this.#decide(job, needed[i] as readonly string[], batch, now)
        const decision = decided instanceof Promise ? await decided : decided
        if (typeof decision === "string") {
          expired = decision
          break
        }
        outcomes.push({ job, decision })
      }
      await batch.commit() // HUB-14
    } catch {
      this.#failed()
      await this.#answers.emit(jobs.map(failure)) // HUB-15
      return
    }
    await this.#answers.emit(outcomes)
    this.#lifetimes?.armFor(batch, this.#wake)
    if (expired !== null) await this.#expireBefore(expired, jobs.slice(outcomes.length), now)
  }

  /**
   * A decision, or the name of a mailbox that has to be freed of expired messages before. A promise
   * only if more rows have to be read: most decisions need none.
   */
  #decide(
    job: Job,
    keys: readonly string[],
    batch: Batch,
    now: number,
  ): Decision | string | Promise<Decision | string> {
    const alive = job.asked.type === "refuse" || this.#links.has(job.link)
    if (!alive) return reply(null) // requests of a link that is gone are dropped
    try {
      const step = decide(job.peer, job.asked, keys, batch, this.#ownSettings, now)
      if (step.type === "expire") return step.name
      if (step.type === "read") {
        return Promise.resolve(batch.load(step.keys)).then(
          () => this.#decide(job, keys, batch, now),
          () => this.#broken(),
        )
      }
      batch.apply(step.decision.writes)
      return step.decision
    } catch {
      return this.#broken()
    }
  }

  /** The failure of one request alone (HUB-16). */
  #broken(): Decision {
    this.#failed()
    return refuse("hub/internal")
  }

  /** Frees a mailbox, then takes up the jobs that wait for that. */
  async #expireBefore(name: string, jobs: readonly Job[], now: number): Promise<void> {
    let rest = jobs
    try {
      await this.#lifetimes?.expire(name, now, this.#wake)
    } catch {
      this.#failed()
      await this.#answers.emit(jobs.slice(0, 1).map(failure))
      rest = jobs.slice(1)
    }
    this.#jobs.unshift(...rest)
  }
}

function failure(job: Job): Outcome {
  const code = job.asked.type === "refuse" ? job.asked.code : "hub/internal"
  return { job, decision: refuse(code) }
}
