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
  readonly #carrier: Carrier
  readonly #events: MemberEvents
  readonly #clock: () => number
  readonly #members = new Map<string, Member>()
  readonly #outboxes = new Map<string, Outbox>()
  readonly #scheduled = new Set<string>()
  /** Parcels that came from each hub, those included that are lost. */
  readonly #received = new Map<string, number>()
  #owned: ReadonlyMap<number, number> = new Map()
  #timer: NodeJS.Timeout | null = null
  /** When an own heartbeat last came back. */
  #heardAt = Number.NEGATIVE_INFINITY
  #leaving = false

  /**
   * @param id - Of this process alone.
   * @param clock - Milliseconds that never go back.
   */
  constructor(
    id: string,
    carrier: Carrier,
    events: MemberEvents,
    clock: () => number = () => performance.now(),
  ) {
    this.id = id
    this.#carrier = carrier
    this.#events = events
    this.#clock = clock
  }

  /** Begins to listen and to be seen. */
  start(): void {
    this.#carrier.listen("heartbeat", (data) => this.#heard(data))
    this.#carrier.listen(`hub.${this.id}`, (data) => this.#parcel(data))
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT)
    this.#beat()
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
    const { from, leaving, owned, sent } = decodeHeartbeat(data)
    if (from === this.id) {
      this.#heardAt = this.#clock()
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
    const beat = { from: this.id, leaving: this.#leaving, owned, sent }
    this.#carrier.send("heartbeat", encodeHeartbeat(beat))
    const now = this.#clock()
    for (const [hub, { seenAt }] of this.#members) if (now - seenAt > GONE) this.#forget(hub)
    this.#events.changed()
  }
}

function same(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}
