// SPEC §11 hub: what leaves once a batch is durable: answers in order, READY, pushes.

import type { Peer } from "../identity.ts"
import type { Decision } from "./decision.ts"
import type { Deliveries } from "./deliveries.ts"
import { type Counts, encodeError, encodeLowOneTime, encodeReady, encodeReply } from "./frames.ts"
import type { LinkState } from "./link.ts"
import { readPage } from "./lookup.ts"
import type { Asked } from "./machine.ts"
import type { RuntimeLink } from "./runtime-link.ts"
import type { HubStore } from "./store.ts"

/** What a hub has done since it was started. */
export interface HubStatistics {
  /** Links now, and those that are ready. */
  links: number
  ready: number
  /** Frames received, envelopes accepted, batches made. */
  frames: number
  routed: number
  batches: number
  /** Errors sent; failures of the store or of the hub itself. */
  errors: number
  failures: number
}

/** A request that waits for its batch. */
export interface Job {
  readonly link: RuntimeLink
  readonly peer: Peer
  readonly asked: Asked
  readonly rid: number
  /** Whether the link closes after the answer. */
  readonly close: boolean
  /** Bytes of the frame. */
  readonly size: number
  /** Called with the decision, for requests without a link. */
  readonly decided?: (decision: Decision) => void
}

/** A request and what was decided. */
export interface Outcome {
  readonly job: Job
  readonly decision: Decision
}

/** What answers need of the runtime. */
export interface AnswerHost {
  has(link: RuntimeLink): boolean
  close(link: RuntimeLink): void
  ready(peer: Peer): LinkState
}

/** Sends what follows from durable decisions. */
export class Answers {
  readonly #store: HubStore
  readonly #deliveries: Deliveries
  readonly #statistics: HubStatistics
  readonly #host: AnswerHost

  constructor(
    store: HubStore,
    deliveries: Deliveries,
    statistics: HubStatistics,
    host: AnswerHost,
  ) {
    this.#store = store
    this.#deliveries = deliveries
    this.#statistics = statistics
    this.#host = host
  }

  /** Answers, in the order of the requests (HUB-13), and pushes. */
  async emit(outcomes: readonly Outcome[]): Promise<void> {
    const answered = new Set<RuntimeLink>()
    for (const { job, decision } of outcomes) {
      const { link } = job
      link.waiting--
      link.waitingBytes -= job.size
      answered.add(link)
      this.#statistics.routed += decision.routed ?? 0
      job.decided?.(decision)
      if (job.asked.type === "bind") this.#bound(job, decision)
      else {
        // Waiting for nothing would flush every socket after every answer.
        const page = this.#answer(job, decision)
        if (page !== null) await page
      }
      for (const push of decision.pushes) {
        const { to } = push
        if (push.type === "mail") this.#deliveries.deliver(to, push.mseq, push.from, push.envelope)
        else this.#deliveries.of(to)?.transport.send(encodeLowOneTime(push.suite, push.left))
      }
      if (decision.gone) this.#deliveries.landed(decision.gone.name, decision.gone.mseqs)
    }
    for (const link of answered) link.transport.answered?.()
  }

  #bound(job: Job, decision: Decision): void {
    const { link, peer } = job
    if (!this.#host.has(link)) return
    if (decision.error) {
      this.#statistics.errors++
      const { code, retryAfter } = decision.error
      link.transport.send(encodeError(0, code, retryAfter))
      this.#host.close(link)
      return
    }
    const before = this.#deliveries.of(peer.name)
    if (before !== undefined) {
      before.transport.send(encodeError(0, "hub/replaced")) // HUB-33
      this.#host.close(before)
    }
    link.state = this.#host.ready(peer)
    const counts = decision.result as Counts
    link.transport.send(encodeReady(counts))
    this.#deliveries.add(peer.name, link, counts.mail)
    this.#statistics.ready = this.#deliveries.size
  }

  /** Answers at once, but for a page of names, which has to be read. */
  #answer(job: Job, decision: Decision): Promise<void> | null {
    const { link, rid } = job
    if (!this.#host.has(link)) return null
    if (decision.page !== undefined) return this.#sendPage(link, rid, decision.page)
    if (decision.error) {
      this.#statistics.errors++
      const { code, retryAfter } = decision.error
      link.transport.send(encodeError(rid, code, retryAfter))
    } else link.transport.send(encodeReply(rid, decision.result))
    if (job.close) this.#host.close(link)
    return null
  }

  async #sendPage(link: RuntimeLink, rid: number, after: string): Promise<void> {
    const page = await this.#page(rid, after)
    if (this.#host.has(link)) link.transport.send(page)
  }

  async #page(rid: number, after: string): Promise<Uint8Array> {
    try {
      return encodeReply(rid, await readPage(this.#store, after))
    } catch {
      this.#statistics.failures++
      return encodeError(rid, "hub/internal", 1)
    }
  }
}
