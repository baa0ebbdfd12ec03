// SPEC §12 agent: what every part of the agent shares: store, identity, clocks, indexes.

import type { OwnBundle } from "../bundle.ts"
import { equalBytes, toHex } from "../bytes.ts"
import type { Environment } from "../environment.ts"
import type { OwnIdentity, Peer } from "../identity.ts"
import { MAX_HEADER, MAX_PADDED, MIN_PADDED } from "../limits.ts"
import type { Session } from "../session.ts"
import type { Suite } from "../suite.ts"
import { clampTimes } from "./clamp.ts"
import type { Candidate } from "./delivery.ts"
import { Outbox } from "./outbox.ts"
import type { BundleRow, ContentRow, CopyRow, PeerRow, SessionRow } from "./rows.ts"
import type { AgentStore } from "./store.ts"
import { type PeerView, type Pin, peerKey, type TrustPolicy, viewPeer } from "./trust.ts"

/** How far `kept` follows the clock at once, and after how long it follows further; seconds. */
const FOLLOW = 604_800
const FOLLOW_AFTER = 86_400

/** Limits on what strangers, peers to which nothing was ever sent, may occupy. */
export interface StrangerLimits {
  /** Sessions of all strangers together. */
  readonly sessions: number
  /** Skipped keys of all strangers together. */
  readonly skipped: number
}

/** Store, identity, clocks and indexes of one agent. */
export class Core {
  readonly store: AgentStore
  readonly own: OwnIdentity
  readonly environment: Environment
  readonly suites: readonly Suite[]
  readonly policy: TrustPolicy
  readonly strangers: StrangerLimits
  /** Whether the agent has a hub. */
  readonly hub: boolean
  /** Largest padded plaintext that the hub takes in an envelope, in bytes. */
  maxPadded: number = MAX_PADDED
  readonly #sessions = new Map<string, Map<string, SessionRow>>()
  readonly #outboxes = new Map<string, Outbox>()
  /** Keys of peers by their number. */
  readonly #numbers = new Map<string, string>()
  /** The latest reading of the clock; infinity: stored times were not held against it yet. */
  #readMs = Number.POSITIVE_INFINITY

  constructor(parts: {
    store: AgentStore
    own: OwnIdentity
    environment: Environment
    suites: readonly Suite[]
    policy: TrustPolicy
    strangers: StrangerLimits
    hub: boolean
  }) {
    this.store = parts.store
    this.own = parts.own
    this.environment = parts.environment
    this.suites = parts.suites
    this.policy = parts.policy
    this.strangers = parts.strangers
    this.hub = parts.hub
    this.index()
  }

  /** Builds the indexes anew from the store. */
  index(): void {
    this.#readMs = Number.POSITIVE_INFINITY
    this.#sessions.clear()
    this.#outboxes.clear()
    for (const [key, row] of this.store.table("key/session")) this.#place(key, row)
    const { store } = this
    for (const [key, { number }] of store.table("peer")) this.#numbers.set(`${number}`, key)
    for (const [mid, copy] of store.table("copy")) this.outbox(copy.name).note(mid, copy)
    const contents = [...store.table("content").values()].sort((a, b) => a.order - b.order)
    for (const row of contents) this.outbox(row.name).add(row)
  }

  /** Takes note of the largest envelope that the hub takes, in bytes (AGENT-9). */
  limitEnvelope(size: number): void {
    this.maxPadded = Math.max(MIN_PADDED, Math.min(MAX_PADDED, size - MAX_HEADER))
  }

  // ---- clocks ----

  /** Milliseconds of the clock as it reads. */
  get nowMs(): number {
    return this.environment.now()
  }

  /** Seconds of the clock as it reads: accepts, stamps. */
  get now(): number {
    return Math.floor(this.nowMs / 1000)
  }

  /** Seconds of the stored clock: erases, ages. */
  get kept(): number {
    return this.store.meta.kept
  }

  /**
   * What is stamped for ages that `kept` judges: never in the past of either clock, so that an agent
   * that was away for weeks does not age at once what it does on its first day back (SPEC §2).
   */
  get stamp(): number {
    return Math.max(this.now, this.kept)
  }

  /** Lets `kept` follow the clock; one wrong reading bricks nothing (SPEC §2). */
  tick(): void {
    const { now, nowMs } = this
    const { kept, jumpedAt } = this.store.meta
    this.#follow(now, kept, jumpedAt)
    if (nowMs < this.#readMs || this.kept < kept) clampTimes(this)
    this.#readMs = nowMs
  }

  #follow(now: number, kept: number, jumpedAt: number | null): void {
    if (kept === now && jumpedAt === null) return
    const near = kept === 0 || Math.abs(now - kept) <= FOLLOW
    if (near || (jumpedAt !== null && now - jumpedAt >= FOLLOW_AFTER)) {
      this.store.setClock({ kept: now, jumpedAt: null })
    } else if (jumpedAt === null || now < jumpedAt) {
      this.store.setClock({ jumpedAt: now })
    }
  }

  // ---- peers ----

  /** The peer that the name is pinned to. */
  pin(name: string): Pin | undefined {
    return this.store.get("pin", name)
  }

  /** What is remembered of a peer; fresh if nothing is. */
  peer(peer: Peer): PeerRow {
    return (
      this.store.get("peer", peerKey(peer)) ?? {
        name: peer.name,
        ik: peer.ik,
        number: 0,
        suite: 0,
        seq: 0,
        ref: null,
        bundle: null,
        sentTo: false,
        confirmed: false,
        floorMs: 0,
        seen: 0,
        placed: 0,
        probeInterval: 0,
        probeAtMs: 0,
        card: null,
      }
    )
  }

  /** Remembers more of a peer. */
  updatePeer(peer: Peer, change: Partial<PeerRow>): void {
    const before = this.peer(peer)
    const key = peerKey(peer)
    const number = before.number || this.store.nextOrder()
    if (before.number === 0) this.#numbers.set(`${number}`, key)
    this.store.put("peer", key, { ...before, ...change, number })
  }

  /** The key of the peer with this number. */
  numbered(number: string): string | undefined {
    return this.#numbers.get(number)
  }

  /** The peer as policies and events see it. */
  view(peer: Peer): PeerView {
    return viewPeer(peer, this.pin(peer.name))
  }

  // ---- sessions ----

  /** Sessions with a peer. */
  sessionsOf(peer: Peer): readonly Candidate[] {
    const sessions = this.#sessions.get(peerKey(peer))
    return sessions ? [...sessions].map(([key, row]) => ({ key, row })) : []
  }

  /** The whole session of a row. */
  session(key: string, row: SessionRow): Session {
    return { ...row.session, skipped: this.store.get("key/skipped", key)?.skipped ?? [] }
  }

  /** Stores a session and what decides about it. */
  putSession(key: string, session: Session, row: Omit<SessionRow, "session">): void {
    const { skipped, ...rest } = session
    const full = { ...row, session: rest }
    this.store.put("key/session", key, full)
    this.#place(key, full)
    const before = this.store.get("key/skipped", key)?.skipped
    if (skipped === before) return
    if (skipped.length > 0) this.store.put("key/skipped", key, { skipped })
    else this.store.delete("key/skipped", key)
  }

  /** Erases a session. */
  eraseSession(key: string): void {
    const row = this.store.get("key/session", key)
    if (row === undefined) return
    this.store.delete("key/session", key)
    this.store.delete("key/skipped", key)
    const sessions = this.#sessions.get(peerKey(row.session.peer))
    sessions?.delete(key)
    if (sessions?.size === 0) this.#sessions.delete(peerKey(row.session.peer))
  }

  #place(key: string, row: SessionRow): void {
    const peer = peerKey(row.session.peer)
    let sessions = this.#sessions.get(peer)
    if (sessions === undefined) {
      sessions = new Map()
      this.#sessions.set(peer, sessions)
    }
    sessions.set(key, row)
  }

  // ---- contents ----

  /** Contents for a name. */
  outbox(name: string): Outbox {
    let outbox = this.#outboxes.get(name)
    if (outbox === undefined) {
      outbox = new Outbox()
      this.#outboxes.set(name, outbox)
    }
    return outbox
  }

  /** Names for which contents wait. */
  get outboxes(): ReadonlyMap<string, Outbox> {
    return this.#outboxes
  }

  /** Stores an envelope whose contents are put next; or that it got the hub's OK. */
  putCopy(mid: string, copy: CopyRow): void {
    this.store.put("copy", mid, copy)
    this.outbox(copy.name).note(mid, copy)
  }

  /** Stores a content that waits for its receipt. */
  putContent(row: ContentRow): void {
    this.store.put("content", contentKey(row.name, row.id), row)
    this.#dropCopy(this.outbox(row.name).add(row))
  }

  /** Ends keeping a content. */
  dropContent(row: ContentRow): void {
    const key = contentKey(row.name, row.id)
    this.store.delete("content", key)
    this.store.shelf("data/content").write(key, null)
    const outbox = this.outbox(row.name)
    this.#dropCopy(outbox.remove(row))
    if (outbox.empty) this.#outboxes.delete(row.name)
  }

  /** An envelope without contents is of no interest. */
  #dropCopy(mid: string | null): void {
    if (mid !== null) this.store.delete("copy", mid)
  }

  // ---- own bundles ----

  /** The own bundle with this reference, while its private prekeys live. */
  ownBundle(ref: Uint8Array): OwnBundle | undefined {
    const row = this.store.get("key/bundle", toHex(ref))
    return row && toOwnBundle(row)
  }

  /** The own bundle with the highest seq. */
  get currentBundle(): BundleRow | undefined {
    let best: BundleRow | undefined
    for (const row of this.store.table("key/bundle").values()) {
      if (best === undefined || row.bundle.seq > best.bundle.seq) best = row
    }
    return best
  }
}

/** Key of a content and of its bytes: fan-outs share ids, so the name is part of it. */
export function contentKey(name: string, id: string): string {
  return `${name}/${id}`
}

/** Whether two peers are one. */
export function samePeer(a: Peer, b: Peer): boolean {
  return a.name === b.name && equalBytes(a.ik, b.ik)
}

function toOwnBundle(row: BundleRow): OwnBundle {
  return { ...row.bundle, secrets: new Map(row.secrets.map((one) => [one.suite, one.secret])) }
}
