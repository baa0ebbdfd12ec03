// SPEC §12 agent: from an envelope to rows. All checks first; then everything is staged.

import { equalBytes, toHex } from "../bytes.ts"
import type { Payload } from "../encoding.ts"
import {
  CONTENT_KINDS,
  type Content,
  decodeEnvelope,
  decodeReceipts,
  type RawEnvelope,
  type Receipt,
} from "../envelope.ts"
import { AgentMeshError, type ErrorCode } from "../errors.ts"
import { checkInit, readInit, respond } from "../handshake.ts"
import type { Peer } from "../identity.ts"
import type { Init } from "../keyschedule.ts"
import {
  MAX_CONTENTS,
  MAX_INBOX,
  MAX_INBOX_BYTES,
  MAX_INITS,
  MAX_PADDED,
  MAX_REPLAY_CACHE,
} from "../limits.ts"
import { createResponder, type Opened, open } from "../session.ts"
import { type Core, contentKey } from "./core.ts"
import { ANSWER_WAIT, isIdle } from "./delivery.ts"
import { addDue } from "./due.ts"
import { judge, type Room } from "./judge.ts"
import { type InboxRow, orderKey, type SessionRow } from "./rows.ts"
import { evict, remember } from "./seen.ts"
import { limitSessions, limitStrangers } from "./sessions.ts"
import { allows, allowsStatic, peerKey } from "./trust.ts"

const HOUR = 3600

/** A receipt of a peer; `known` if its content was still kept. */
export interface ReceiptNews {
  readonly id: string
  readonly status: number
  readonly known: boolean
}

/** A content for handlers, with its row in the inbox if it has one. */
export interface Arrived {
  readonly key: string
  readonly row: InboxRow | null
  readonly content: Content
  readonly payload: Payload
}

/** What came of an envelope, to be acted on after the commit. */
export interface Received {
  readonly peer: Peer
  /** Contents for handlers. */
  readonly arrived: readonly Arrived[]
  /** Receipts for contents of this agent. */
  readonly receipts: readonly ReceiptNews[]
  /** Contents that were refused. */
  readonly refused: readonly ErrorCode[]
}

/** Initiators whose name is pinned to another key, by the error that refused them. */
const claimants = new WeakMap<object, Peer>()

/** Who authenticated with another key than the pinned one, if the error says so (HANDSHAKE-28). */
export function claimantOf(error: unknown): Peer | undefined {
  return typeof error === "object" && error !== null ? claimants.get(error) : undefined
}

function identityChanged(peer: Peer, authenticated: boolean): AgentMeshError {
  const what = `${peer.name} has another identity key than before`
  const error = new AgentMeshError("identity/changed", what)
  if (authenticated) claimants.set(error, peer)
  return error
}

function succeeds(action: () => unknown): boolean {
  try {
    action()
    return true
  } catch {
    return false
  }
}

interface Found {
  readonly key: string
  readonly opened: Opened
  readonly row: Omit<SessionRow, "session">
  /** Set if the envelope founded the session. */
  readonly init: Init | null
  readonly th: Uint8Array
}

interface Waiting {
  count: number
  bytes: number
  strangers: number
  strangerBytes: number
}
const EMPTY: Waiting = { count: 0, bytes: 0, strangers: 0, strangerBytes: 0 }

/** Opens envelopes for one agent. */
export class Receiver {
  readonly #core: Core
  /** When inits of a peer were accepted. */
  readonly #inits = new Map<string, number[]>()
  /** Contents and bytes in the inbox, in all and of strangers. */
  waiting: Waiting = EMPTY

  constructor(core: Core) {
    this.#core = core
    this.recount()
  }

  /** Counts the inbox anew from the store. */
  recount(): void {
    this.waiting = { ...EMPTY }
    for (const row of this.#core.store.table("inbox").values()) this.count(row, 1)
  }

  /** Counts a content in or out of the inbox. */
  count(row: InboxRow, sign: 1 | -1): void {
    const { waiting } = this
    waiting.count += sign
    waiting.bytes += sign * row.size
    if (!row.stranger) return
    waiting.strangers += sign
    waiting.strangerBytes += sign * row.size
  }

  /** Whether the inbox has room, also when so many envelopes are being opened (AGENT-44). */
  hasRoom(opening: number): boolean {
    const { count, bytes } = this.waiting
    const contents = count + opening * MAX_CONTENTS
    return contents < MAX_INBOX && bytes + opening * MAX_PADDED < MAX_INBOX_BYTES
  }

  /**
   * Opens an envelope and stages all that follows from it.
   *
   * @param from - Name that the hub gives as sender; undefined without a hub.
   * @param inbox - Whether application contents go to the inbox.
   * @throws {@link AgentMeshError} the first check that fails; then nothing is staged.
   */
  async receive(from: string | undefined, envelope: Uint8Array, inbox = true): Promise<Received> {
    const core = this.#core
    const raw = decodeEnvelope(envelope)
    const found = await this.#open(raw, from)
    const { peer } = found.opened.session
    const judged = await judge(this.#core, peer, found.opened.contents, this.#strangersRoom)
    // From here on nothing fails.
    this.#commitSession(found)
    const receipts: ReceiptNews[] = []
    const arrived: Arrived[] = []
    const ids: { id: string; sentMs: number }[] = []
    const due: Receipt[] = []
    const refused: ErrorCode[] = []
    const stranger = !core.peer(peer).sentTo
    for (const one of judged) {
      if (one.due) due.push(one.due)
      if (one.refused) refused.push(one.refused)
      const { content, id, payload } = one
      if (content?.kind === CONTENT_KINDS.receipt)
        receipts.push(...this.#takeReceipts(peer, content))
      if (content === null || payload === null) continue
      ids.push({ id, sentMs: content.sentMs })
      const placed = inbox
        ? this.#store(peer, content, one.bytes, stranger)
        : { key: id, row: null }
      arrived.push({ ...placed, content, payload })
    }
    if (arrived.length > 0) this.#markCarried(found.key)
    if (due.length > 0) this.#addDue(peer, due)
    if (arrived.length > 0) {
      remember(core, peer, ids)
      await evict(core, peer)
    }
    return { peer, arrived, receipts, refused }
  }

  async #open(raw: RawEnvelope, from: string | undefined): Promise<Found> {
    const { own, store, kept } = this.#core
    const key = toHex(raw.sid)
    const stored = store.get("key/session", key)
    const row = stored && !isIdle(stored, kept) ? stored : undefined
    if (raw.init) {
      const { init, th } = readInit(raw.init, raw, own)
      const same = row && row.session.role === "responder" && equalBytes(row.session.th, th)
      if (!same) return this.#found(init, th, raw, from, row !== undefined)
    }
    if (row === undefined) {
      throw new AgentMeshError("session/unknown", "no session has this id")
    }
    const opened = open(this.#core.session(key, row), own, raw, kept, this.#core.stamp)
    return { key, opened, row, init: null, th: row.session.th }
  }

  /** An init that founds a session (SPEC §8.4). */
  async #found(
    init: Init,
    th: Uint8Array,
    raw: RawEnvelope,
    from: string | undefined,
    sidTaken: boolean,
  ): Promise<Found> {
    const core = this.#core
    const { store, own, policy, kept, stamp } = core
    const peer: Peer = { name: init.name, ik: init.ik }
    const hub = from !== undefined
    const bundle = core.ownBundle(init.bundleRef)
    const replay =
      init.otkRef === null && bundle ? await store.read("replay", replayKey(init, th)) : undefined
    const accept = policy.accept ?? "first-use"
    const view = core.view(peer)
    const replays = store.get("key/bundle", toHex(init.bundleRef))?.replays ?? 0
    const accepted = checkInit(init, {
      replayed: replay !== undefined,
      sidTaken,
      bundle,
      oneTime: init.otkRef ? store.get("key/one-time", toHex(init.otkRef)) : undefined,
      suites: core.suites,
      remembered: core.peer(peer).suite,
      from,
      pinned: core.pin(peer.name)?.ik,
      trusted: allowsStatic(accept, view.trust, hub),
      room:
        (!hub || this.#recentInits(peer) < MAX_INITS) &&
        (init.otkRef !== null || replays < MAX_REPLAY_CACHE),
    })
    const found = () => {
      const rk = respond(init, th, raw.block, own, accepted)
      return open(createResponder(init, th, rk, accepted.bundle), own, raw, kept, stamp)
    }
    if (accepted.changed) throw identityChanged(peer, succeeds(found)) // HANDSHAKE-27
    const opened = found()
    if (!allows(accept, view, hub)) {
      throw new AgentMeshError("identity/untrusted", `the trust policy refuses ${peer.name}`)
    }
    const answerAtMs = core.nowMs + ANSWER_WAIT
    const row = {
      ...{ created: stamp, verified: stamp, founded: store.meta.order + 1, order: 0, until: 0 },
      ...{ mayCarry: true, carried: false, answerAtMs },
    }
    return { key: toHex(raw.sid), opened, row, init, th }
  }

  #recentInits(peer: Peer): number {
    const { now } = this.#core
    const times = this.#inits.get(peerKey(peer))?.filter((time) => Math.abs(now - time) < HOUR)
    if (times === undefined || times.length === 0) this.#inits.delete(peerKey(peer))
    else this.#inits.set(peerKey(peer), times)
    return times?.length ?? 0
  }

  #commitSession(found: Found): void {
    const core = this.#core
    const { key, opened, init, th } = found
    const { peer, suite } = opened.session
    const order = core.store.nextOrder()
    core.putSession(key, opened.session, { ...found.row, verified: core.stamp, order })
    const known = core.peer(peer)
    if (!known.confirmed || known.suite < suite) {
      core.updatePeer(peer, { confirmed: true, suite: Math.max(known.suite, suite) })
    }
    if (init === null) {
      if (!known.sentTo && core.store.get("key/skipped", key)) limitStrangers(core)
      return
    }
    if (init.otkRef) {
      core.store.delete("key/one-time", toHex(init.otkRef))
    } else {
      core.store.shelf("replay").write(replayKey(init, th), new Uint8Array(0))
      const ref = toHex(init.bundleRef)
      const bundle = core.store.get("key/bundle", ref)
      if (bundle) core.store.put("key/bundle", ref, { ...bundle, replays: bundle.replays + 1 })
    }
    if (core.pin(peer.name) === undefined)
      core.store.put("pin", peer.name, { ...peer, trust: "pinned" })
    const times = this.#inits.get(peerKey(peer)) ?? []
    this.#inits.set(peerKey(peer), [...times, core.now])
    // Peers that do not come back are forgotten too: the table holds an hour.
    for (const [key, [...old]] of this.#inits) {
      if (old.every((time) => Math.abs(core.now - time) >= HOUR)) this.#inits.delete(key)
      else break
    }
    limitSessions(core, peer, key)
  }

  get #strangersRoom(): Room {
    const { strangers, strangerBytes } = this.waiting
    return { contents: MAX_INBOX / 4 - strangers, bytes: MAX_INBOX_BYTES / 4 - strangerBytes }
  }

  /** A receipt counts for a content that was sealed for this very peer. */
  #takeReceipts(peer: Peer, content: Content): ReceiptNews[] {
    return decodeReceipts(content.body).map(({ id: bytes, status }) => {
      const id = toHex(bytes)
      const row = this.#core.store.get("content", contentKey(peer.name, id))
      const ours = row?.mid && row.ik && equalBytes(row.ik, peer.ik)
      if (row && ours) this.#core.dropContent(row)
      return { id, status, known: Boolean(ours) }
    })
  }

  #store(
    peer: Peer,
    content: Content,
    bytes: Uint8Array,
    stranger: boolean,
  ): { key: string; row: InboxRow } {
    const { store } = this.#core
    const order = store.nextOrder()
    const key = orderKey(order)
    const { name, ik } = peer
    const { id, ask } = content
    const row: InboxRow = { order, name, ik, id, size: bytes.length, ask, stranger }
    store.put("inbox", key, row)
    store.shelf("data/inbox").write(key, bytes.slice()) // or it would keep its whole envelope alive
    this.count(row, 1)
    return { key, row }
  }

  #markCarried(key: string): void {
    const row = this.#core.store.get("key/session", key)
    if (row && !row.carried) {
      this.#core.putSession(key, this.#core.session(key, row), { ...row, carried: true })
    }
  }

  #addDue(peer: Peer, receipts: readonly Receipt[]): void {
    const { store, nowMs } = this.#core
    const key = peerKey(peer)
    store.put("due", key, addDue(store.get("due", key), peer, receipts, 1, nowMs))
  }
}

function replayKey(init: Init, th: Uint8Array): string {
  return `${toHex(init.bundleRef)}/${toHex(th)}`
}
