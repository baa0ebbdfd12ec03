// SPEC §11 hub: deliveries. What is stored for a ready link goes out in order, within its window.

import type { Environment } from "../environment.ts"
import { encodeDeliver, type HubLimits } from "./frames.ts"
import { keyOf, type MailRow, mseqOf } from "./rows.ts"
import type { Queued, RuntimeLink } from "./runtime-link.ts"
import type { HubStore } from "./store.ts"

/** Rows and bytes that are read at once. */
const PAGE_ROWS = 256
const PAGE_BYTES = 1_048_576
/** Bytes of envelopes that wait in memory for one link; beyond that they are read from the store. */
const QUEUE_BYTES = 262_144

/** Ready links by name, and the mail on its way to them. */
export class Deliveries {
  readonly #store: HubStore
  readonly #limits: HubLimits
  readonly #environment: Environment
  readonly #ready = new Map<string, RuntimeLink>()
  readonly #waiting = new Set<RuntimeLink>()
  /** Envelopes sent to agents. */
  delivered = 0

  constructor(store: HubStore, limits: HubLimits, environment: Environment) {
    this.#store = store
    this.#limits = limits
    this.#environment = environment
  }

  /** Number of ready links. */
  get size(): number {
    return this.#ready.size
  }

  /** Whether links wait for stored mail. */
  get due(): boolean {
    return this.#waiting.size > 0
  }

  /** The ready link of a name. */
  of(name: string): RuntimeLink | undefined {
    return this.#ready.get(name)
  }

  /** A link is ready; `mail` messages wait for it (HUB-34). */
  add(name: string, link: RuntimeLink, mail: number): void {
    link.owner = name
    link.backlog = mail > 0
    this.#ready.set(name, link)
    this.resume(link)
  }

  /** A link is gone. */
  remove(link: RuntimeLink): void {
    this.#waiting.delete(link)
    const { owner } = link
    if (owner !== null && this.#ready.get(owner) === link) this.#ready.delete(owner)
  }

  /** There may be room on a link: what is in memory goes at once, what is stored is due. */
  resume(link: RuntimeLink): void {
    if (link.name === null) return
    this.#drain(link)
    if (link.backlog && link.queue.length === 0) this.#waiting.add(link)
  }

  /** A message has become durable. */
  deliver(to: string, mseq: number, from: string, envelope: Uint8Array): void {
    const link = this.#ready.get(to)
    if (link === undefined || link.backlog) return
    if (link.queue.length === 0 && this.#room(link)) {
      link.cursor = mseq
      this.#push(link, mseq, from, envelope)
    } else if (link.queuedBytes + envelope.length <= QUEUE_BYTES) {
      link.cursor = mseq
      link.queue.push({ mseq, from, envelope, time: this.#now() })
      link.queuedBytes += envelope.length
    } else link.backlog = true
  }

  #now(): number {
    return Math.floor(this.#environment.now() / 1000)
  }

  #room(link: RuntimeLink): boolean {
    return link.flight.size < this.#limits.unacked && link.transport.writable
  }

  #drain(link: RuntimeLink): void {
    const { queue } = link
    if (queue.length === 0) return
    const now = this.#now()
    let sent = 0
    while (sent < queue.length && this.#room(link)) {
      const { mseq, from, envelope, time } = queue[sent++] as Queued
      link.queuedBytes -= envelope.length
      if (time + this.#limits.ttl >= now) this.#push(link, mseq, from, envelope)
    }
    queue.splice(0, sent)
  }

  #push(link: RuntimeLink, mseq: number, from: string, envelope: Uint8Array): void {
    link.flight.add(mseq)
    this.delivered++
    link.transport.send(encodeDeliver(mseq, from, envelope))
  }

  /** Messages are acknowledged or expired: there may be room for the next. */
  landed(name: string, mseqs: readonly number[]): void {
    const link = this.#ready.get(name)
    if (link === undefined) return
    for (const mseq of mseqs) link.flight.delete(mseq)
    if (link.queue.length > 0) this.#forget(link, mseqs)
    this.resume(link)
  }

  /** An agent may acknowledge what it has not been sent. */
  #forget(link: RuntimeLink, mseqs: readonly number[]): void {
    const first = (link.queue[0] as Queued).mseq
    if (!mseqs.some((mseq) => mseq >= first)) return
    const gone = new Set(mseqs)
    link.queue = link.queue.filter(({ mseq }) => !gone.has(mseq))
    link.queuedBytes = link.queue.reduce((sum, { envelope }) => sum + envelope.length, 0)
  }

  /**
   * Sends stored messages as far as window and transport of each link allow.
   *
   * @param broken - Called for a link whose mail cannot be read.
   */
  async pump(broken: (link: RuntimeLink) => void): Promise<void> {
    const links = [...this.#waiting]
    this.#waiting.clear()
    for (const link of links) {
      try {
        await this.#pumpLink(link)
      } catch {
        broken(link) // the agent connects again and gets its mail from the start
      }
    }
  }

  async #pumpLink(link: RuntimeLink): Promise<void> {
    while (link.backlog && link.queue.length === 0 && link.transport.writable) {
      const { name } = link
      const room = Math.min(PAGE_ROWS, this.#limits.unacked - link.flight.size)
      if (name === null || room <= 0) return
      const [from, below] = [keyOf.mail(name, link.cursor + 1), keyOf.mailEnd(name)]
      const page = await this.#store.range(from, below, room, PAGE_BYTES)
      if (link.name === null) return
      link.backlog = page.more
      const now = this.#now()
      for (const [key, row] of page.rows) {
        const [sender, , time, , envelope] = row as MailRow
        link.cursor = mseqOf(key)
        if (time + this.#limits.ttl < now) continue
        this.#push(link, link.cursor, sender, envelope)
      }
    }
  }
}
