// SPEC §11 hub: lifetimes. Rows past theirs are freed; no answer depends on when.

import type { Environment } from "../environment.ts"
import { Batch } from "./batch.ts"
import type { PeekingStore } from "./cache.ts"
import type { HubSettings } from "./decision.ts"
import type { Deliveries } from "./deliveries.ts"
import { type Due, decideSweep } from "./machine.ts"
import { decideExpiry } from "./mailbox.ts"
import { type DueRow, dueKey, dueTime, keyOf, type MailRow, Reader } from "./rows.ts"

/** The hub looks for rows past their lifetime at most once in so many milliseconds. */
const SWEEP_INTERVAL = 60_000
const PAGE_ROWS = 256
const PAGE_BYTES = 1_048_576
/** Each stands for as many rows as one ACK names at most. */
const SWEEP_ROWS = 64

/** Frees rows past their lifetime. */
export class Lifetimes {
  readonly #store: PeekingStore
  readonly #settings: HubSettings
  readonly #environment: Environment
  readonly #deliveries: Deliveries
  #cancel: (() => void) | null = null
  /** The due time that the timer is set for. */
  #armed = Number.POSITIVE_INFINITY
  #stopped = false
  /** Whether {@link sweep} is to be called. */
  due = false

  constructor(
    store: PeekingStore,
    settings: HubSettings,
    environment: Environment,
    deliveries: Deliveries,
  ) {
    this.#store = store
    this.#settings = settings
    this.#environment = environment
    this.#deliveries = deliveries
  }

  /** Sets the timer for the first row that is due, if any; then `wake` is called. */
  async arm(wake: () => void): Promise<void> {
    const { rows } = await this.#store.range("due/", "due0", 1)
    const first = rows[0]
    if (first !== undefined) this.#armAt(dueTime(first[0]), wake)
  }

  /** Sets the timer for what a batch has written. */
  armFor(batch: Batch, wake: () => void): void {
    if (batch.firstDue !== null) this.#armAt(batch.firstDue, wake)
  }

  /** Ends the timer. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #armAt(due: number, wake: () => void): void {
    if (this.#stopped || due >= this.#armed) return
    this.#cancel?.()
    this.#armed = due
    const wait = Math.max(SWEEP_INTERVAL, due * 1000 - this.#environment.now())
    this.#cancel = this.#environment.after(wait, () => {
      this.#cancel = null
      this.#armed = Number.POSITIVE_INFINITY
      this.due = true
      wake()
    })
  }

  /** Frees what is due; if the store fails, later. */
  async sweep(now: number, wake: () => void): Promise<void> {
    this.due = false
    try {
      await this.#sweepPages(now, wake)
      await this.arm(wake)
    } catch (error) {
      this.#armAt(now, wake)
      throw error
    }
  }

  async #sweepPages(now: number, wake: () => void): Promise<void> {
    for (;;) {
      const batch = new Batch(this.#store)
      const page = await this.#store.range("due/", keyOf.due(now + 1, ""), SWEEP_ROWS)
      const due = page.rows.map(([key, row]): Due => [key, [dueKey(key), ...(row as DueRow)]])
      await batch.load(due.flatMap(([, keys]) => keys))
      const swept = decideSweep(due, batch, this.#settings, now)
      batch.apply(swept.writes)
      await batch.commit()
      for (const name of swept.expire) await this.expire(name, now, wake)
      if (!page.more) return
    }
  }

  /** Erases a page of the expired head of a mailbox. */
  async expire(name: string, now: number, wake: () => void): Promise<void> {
    const { ttl } = this.#settings.limits
    const range = [keyOf.mail(name, 0), keyOf.mailEnd(name)] as const
    const { rows, more } = await this.#store.range(...range, PAGE_ROWS, PAGE_BYTES)
    const page = rows as readonly (readonly [string, MailRow])[]
    const batch = new Batch(this.#store)
    const senders = page.map(([, mail]) => keyOf.sender(name, mail[0]))
    await batch.load([keyOf.account(name), ...senders])
    const decision = decideExpiry(name, page, !more, new Reader(batch), ttl, now)
    batch.apply(decision.writes)
    await batch.commit()
    if (decision.gone) this.#deliveries.landed(name, decision.gone.mseqs)
    this.armFor(batch, wake)
  }
}
