// A cluster of hubs: which hubs are there, what each owns, and messages between them. Nothing here
// decides what is stored: two hubs that both think they own a partition cannot both write to it.

import { createHash } from "node:crypto"
import {
  decodeHeartbeat,
  decodeParcel,
  encodeHeartbeat,
  encodeParcel,
  type Message,
} from "./messages.ts"

/** Milliseconds between heartbeats. */
const HEARTBEAT = 500
/** Silence after which another hub counts as gone; an own lease ends well before. */
const GONE = 3_000
const LEASE = 1_800
/** Milliseconds that a hub listens before it owns anything, also when it had been cut off. */
const LISTEN = 1_200
/** Hubs that are gone and whose parcels are still counted. */
const MAX_GONE = 1_024
/** Bytes of frames in one parcel, about. */
const PARCEL_BYTES = 262_144

/** What carries parcels and heartbeats: NATS. */
export interface Carrier {
  send(subject: string, data: Uint8Array): void
  listen(subject: string, take: (data: Uint8Array) => void): void
}

/** What members report. */
export interface MemberEvents {
  /** A message of another hub, or of this one to itself. */
  message(from: string, message: Message): void
  /** Hubs came or went, or own other partitions: look again at who owns what. */
  changed(): void
  /** Messages of a hub were lost, or it is gone: nothing is known of what it had under way. */
  broken(hub: string): void
}

interface Member {
  seenAt: number
  owned: ReadonlyMap<number, number>
}

interface Outbox {
  messages: Message[]
  bytes: number
  /** Parcels sent. */
  sent: number
}

/** The hubs of a cluster, as this one sees them. */
export class Members {
  readonly id: string
  /** Messages that could not be read. */
  dropped = 0
  readonly #carrier: Carrier
  readonly #events: MemberEvents
  readonly #clock: () => number
  readonly #listen: number
  readonly #members = new Map<string, Member>()
  readonly #outboxes = new Map<string, Outbox>()
  readonly #scheduled = new Set<string>()
  /** Parcels that came from each hub, those included that are lost. */
  readonly #received = new Map<string, number>()
  #owned: ReadonlyMap<number, number> = new Map()
  #timer: NodeJS.Timeout | null = null
  /** When the own heartbeat that came back last was sent, and since when they have come back. */
  #heardAt = Number.NEGATIVE_INFINITY
  #heardSince = Number.POSITIVE_INFINITY
  #beatAt = Number.NEGATIVE_INFINITY
  #leaving = false

  /**
   * @param id - Of this process alone.
   * @param listen - Milliseconds that this hub listens before it owns anything.
   * @param clock - Milliseconds that never go back.
   */
  constructor(
    id: string,
    carrier: Carrier,
    events: MemberEvents,
    listen: number = LISTEN,
    clock: () => number = () => performance.now(),
  ) {
    this.#listen = listen
    this.id = id
    this.#carrier = carrier
    this.#events = events
    this.#clock = clock
  }

  /** Begins to listen and to be seen. */
  start(): void {
    this.#carrier.listen("heartbeat", (data) => this.#take(() => this.#heard(data)))
    this.#carrier.listen(`hub.${this.id}`, (data) => this.#take(() => this.#parcel(data)))
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT)
    this.#beat()
  }

  /** What is no message of a hub is dropped. */
  #take(read: () => void): void {
    try {
      read()
    } catch {
      this.dropped++
    }
  }

  /** Tells the others that this hub goes away. */
  leave(): void {
    this.#leaving = true
    this.#beat()
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** Whether others count on this hub: if not, what it knows may be old. */
  get valid(): boolean {
    return this.#clock() - this.#heardAt < LEASE
  }

  /** Whether it has been so for long enough to know the others: only then it may own more. */
  get settled(): boolean {
    return this.valid && this.#clock() - this.#heardSince >= this.#listen
  }

  /** What this hub owns from now. */
  own(owned: ReadonlyMap<number, number>): void {
    this.#owned = new Map(owned)
    this.#beat()
  }

  /** The hubs that are there, this one among them. */
  get hubs(): readonly string[] {
    return [this.id, ...this.#members.keys()]
  }

  /** Who owns a partition, and with which epoch; null if nobody says so. */
  ownerOf(partition: number): { readonly hub: string; readonly epoch: number } | null {
    const own = this.#owned.get(partition)
    if (own !== undefined) return { hub: this.id, epoch: own }
    for (const [hub, { owned }] of this.#members) {
      const epoch = owned.get(partition)
      if (epoch !== undefined) return { hub, epoch }
    }
    return null
  }

  /** Who should own a partition: the same answer everywhere once all see the same hubs. */
  heirOf(partition: number): string {
    let heir = this.id
    let best = ""
    for (const hub of this.hubs) {
      const weight = createHash("sha256").update(`${partition} ${hub}`).digest("hex")
      if (weight > best) [heir, best] = [hub, weight]
    }
    return heir
  }

  /** Sends a message to a hub, in order with all others, with those of the same tick in one parcel. */
  send(hub: string, message: Message): void {
    const outbox = this.#outboxes.get(hub) ?? { messages: [], bytes: 0, sent: 0 }
    this.#outboxes.set(hub, outbox)
    outbox.messages.push(message)
    for (const item of message) if (item instanceof Uint8Array) outbox.bytes += item.length
    if (outbox.bytes >= PARCEL_BYTES) this.#flush(hub)
    else if (!this.#scheduled.has(hub)) {
      this.#scheduled.add(hub)
      setImmediate(() => this.#flush(hub))
    }
  }

  #flush(hub: string): void {
    this.#scheduled.delete(hub)
    const outbox = this.#outboxes.get(hub)
    if (outbox === undefined || outbox.messages.length === 0) return
    const { messages } = outbox
    outbox.messages = []
    outbox.bytes = 0
    if (hub === this.id) {
      for (const message of messages) this.#events.message(hub, message)
      return
    }
    const parcel = { from: this.id, number: outbox.sent++, messages }
    this.#carrier.send(`hub.${hub}`, encodeParcel(parcel))
  }

  #parcel(data: Uint8Array): void {
    const { from, number, messages } = decodeParcel(data)
    if (number < (this.#received.get(from) ?? 0)) return
    this.#expect(from, number)
    this.#received.set(from, number + 1)
    for (const message of messages) {
      if (message[0] === "broken") this.#events.broken(from)
      else this.#events.message(from, message)
    }
  }

  /** If parcels before this one are missing, both sides give up what they had under way. */
  #expect(from: string, number: number): void {
    if (number <= (this.#received.get(from) ?? 0)) return
    this.#received.set(from, number)
    this.send(from, ["broken"])
    this.#events.broken(from)
  }

  #heard(data: Uint8Array): void {
    const { from, at, leaving, owned, sent } = decodeHeartbeat(data)
    if (from === this.id) {
      // What came late says nothing about now: the process may have been stopped meanwhile.
      if (!this.valid) this.#heardSince = this.#clock()
      this.#heardAt = Math.max(this.#heardAt, at)
      return
    }
    if (leaving) {
      this.#forget(from)
      return
    }
    const known = this.#members.get(from)
    const member = { seenAt: this.#clock(), owned: new Map(owned) }
    this.#members.set(from, member)
    // Both come over one connection, in order: what is missing now does not come any more.
    this.#expect(from, sent.find(([to]) => to === this.id)?.[1] ?? 0)
    if (known === undefined) this.#beat()
    if (known === undefined || !same(known.owned, member.owned)) this.#events.changed()
  }

  #forget(hub: string): void {
    if (!this.#members.delete(hub)) return
    this.#events.broken(hub)
    this.#events.changed()
  }

  #beat(): void {
    for (const hub of this.#scheduled) this.#flush(hub)
    const sent = Array.from(this.#outboxes, ([to, outbox]) => [to, outbox.sent] as const)
    const owned = this.#leaving ? [] : [...this.#owned]
    const now = this.#clock()
    const beat = { from: this.id, at: Math.floor(now), leaving: this.#leaving, owned, sent }
    this.#carrier.send("heartbeat", encodeHeartbeat(beat))
    // After a pause of this process the heartbeats of the others have come, but were not read yet.
    const paused = now - this.#beatAt > LISTEN
    this.#beatAt = now
    for (const [hub, { seenAt }] of this.#members) {
      if (!paused && now - seenAt > GONE) this.#forget(hub)
    }
    this.#prune(this.#received)
    this.#prune(this.#outboxes)
    this.#events.changed()
  }

  #prune(counters: Map<string, unknown>): void {
    if (counters.size <= MAX_GONE + this.#members.size) return
    for (const hub of counters.keys()) {
      if (counters.size <= MAX_GONE) return
      if (!this.#members.has(hub)) counters.delete(hub)
    }
  }
}

function same(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}
