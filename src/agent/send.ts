// SPEC §12 agent: from contents to sealed envelopes. Everything is staged, nothing leaves here.

import {
  acceptBundle,
  acceptOneTimeKey,
  type Bundle,
  checkSeq,
  type OneTimeKey,
} from "../bundle.ts"
import { equalBytes, toHex } from "../bytes.ts"
import { CONTENT_KINDS, encodeContent, encodeReceipts, type Receipt } from "../envelope.ts"
import { AgentMeshError, require } from "../errors.ts"
import { chooseSuite, initiate } from "../handshake.ts"
import type { Peer } from "../identity.ts"
import { sessionId } from "../keyschedule.ts"
import { createInitiator, type Sealed, type Session, seal } from "../session.ts"
import { MAX_CONTENTS, MAX_RECEIPTS } from "../suite.ts"
import { mayBind } from "./contents.ts"
import { type Core, contentKey } from "./core.ts"
import {
  againAt,
  answerAt,
  type Candidate,
  canSend,
  carries,
  chooseSession,
  dueAt,
  fill,
  hasRoom,
} from "./delivery.ts"
import { countDue, oldestDue, takeDue } from "./due.ts"
import { rememberUsed, wasUsed } from "./keys.ts"
import type { ContentRow, OutRow, SessionRow } from "./rows.ts"
import { promote } from "./seen.ts"
import { limitSessions } from "./sessions.ts"
import { allows, peerKey } from "./trust.ts"

/** Bytes of the padded plaintext that a receipt takes at most, its share of the rest included. */
const RECEIPT_ROOM = 32

/** What a hub, or a card, gave for a handshake. */
export interface Fetched {
  readonly bundle: Uint8Array
  readonly oneTime: Uint8Array | null
}

/** Why a handshake is made. */
export type HandshakeKind = "normal" | "probe"

/** A handshake that was checked and can be computed. */
export interface Prepared {
  readonly bundle: Bundle
  readonly oneTime: OneTimeKey | null
}

/** What is sealed into one envelope beside a possible heal. */
interface Load {
  readonly contents: readonly ContentRow[]
  readonly receipts: readonly Receipt[]
}

/** What a name needs now. */
export type Need = "handshake" | undefined

/** Seals for one agent. */
export class Sender {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** A heal content: nothing but a sign of life on a session. */
  heal(): Uint8Array {
    return this.#content(CONTENT_KINDS.heal, new Uint8Array(0))
  }

  #content(kind: number, body: Uint8Array): Uint8Array {
    const { environment, nowMs } = this.#core
    const id = environment.draw("content-id", 16)
    return encodeContent({ kind, id, sentMs: nowMs, re: null, ask: 0, body })
  }

  /** The session on which the peer is written to now. */
  sending(peer: Peer): Candidate | undefined {
    return chooseSession(this.#core.sessionsOf(peer), this.#core.stamp)
  }

  /**
   * Stages the next envelope for a name that waits for no OK: contents and receipts on the
   * sending session, or an answer that is due on its own session.
   *
   * @returns The envelope; `handshake` if one is needed first; null if there is nothing to do.
   */
  async next(name: string): Promise<OutRow | "handshake" | null> {
    const core = this.#core
    const { nowMs, stamp } = core
    const peer = core.pin(name)
    const outbox = core.outboxes.get(name)
    if (peer === undefined) return outbox ? "handshake" : null
    const chosen = this.sending(peer)
    const due = core.store.get("due", peerKey(peer))
    const answer = core
      .sessionsOf(peer)
      .find(({ row }) => answerAt(row, nowMs) <= nowMs && canSend(row, stamp))
    if (answer && answer.key !== chosen?.key) {
      return this.#stage(peer, answer, { contents: [], receipts: [] })
    }
    if (chosen && carries(chosen.row)) {
      const count = countDue(due, this.#mostReceipts)
      const sizes = receiptSizes(count)
      const again = outbox?.toReseal(chosen.key, nowMs) ?? []
      const first = outbox && hasRoom(outbox.window(core.peer(peer).placed)) ? outbox.queued : []
      const contents = fill(chain(again, first.values()), sizes, core.maxPadded)
      if (contents.length > 0 || (due && dueAt(due, nowMs) <= nowMs)) {
        return this.#stage(peer, chosen, { contents, receipts: oldestDue(due, count) })
      }
    } else if (
      !chosen &&
      outbox &&
      (outbox.queued.size > 0 || againAt(outbox.takenAt, nowMs) <= nowMs)
    ) {
      return "handshake"
    }
    return answer ? this.#stage(peer, answer, { contents: [], receipts: [] }) : null
  }

  /** How many receipts fit one envelope (ENVELOPE-5). */
  get #mostReceipts(): number {
    const room = Math.floor(this.#core.maxPadded / RECEIPT_ROOM)
    return Math.max(1, Math.min(room, MAX_CONTENTS * MAX_RECEIPTS))
  }

  /** Seals on a stored session and stages the result. */
  async #stage(peer: Peer, on: Candidate, load: Load): Promise<OutRow> {
    const core = this.#core
    const sealed = await this.#seal(core.session(on.key, on.row), peer, load)
    return this.#commit(peer, sealed, on.key, on.row, load)
  }

  async #seal(session: Session, peer: Peer, load: Load): Promise<Sealed> {
    const core = this.#core
    const contents: Uint8Array[] = []
    for (let at = 0; at < load.receipts.length; at += MAX_RECEIPTS) {
      const some = load.receipts.slice(at, at + MAX_RECEIPTS)
      contents.push(this.#content(CONTENT_KINDS.receipt, encodeReceipts(some)))
    }
    const keys = load.contents.map(({ name, id }) => contentKey(name, id))
    for (const bytes of await core.store.shelf("data/content").readAll(keys)) {
      if (!bytes) throw new AgentMeshError("agent/store-corrupt", `a content for ${peer.name}`)
      contents.push(bytes)
    }
    if (contents.length === 0) contents.push(this.heal())
    return seal(session, core.own, contents, core.environment.draw)
  }

  #commit(
    peer: Peer,
    sealed: Sealed,
    key: string,
    row: Omit<SessionRow, "session">,
    load: Load,
  ): OutRow {
    const core = this.#core
    const carried = row.carried || load.contents.length > 0
    core.putSession(key, sealed.session, { ...row, carried, answerAtMs: 0 })
    if (load.receipts.length > 0) this.#takeDue(peer, load.receipts.length)
    if (load.contents.length > 0) promote(core, peer)
    const { sid, guard: mid } = sealed.header
    let { placed } = core.peer(peer)
    let verified = false
    const guard = toHex(mid)
    if (load.contents.length > 0) {
      core.putCopy(guard, { name: peer.name, sid: key, okAtMs: 0 })
    }
    for (const content of load.contents) {
      const place = content.mid === null ? ++placed : content.place
      if (content.ik === null && content.fingerprint !== null) verified = true // AGENT-61
      const sealedOn = [...content.sealedOn, key]
      core.putContent({ ...content, ik: peer.ik, mid: guard, place, sealedOn })
    }
    if (placed !== core.peer(peer).placed) core.updatePeer(peer, { placed })
    if (verified) core.store.put("pin", peer.name, { ...peer, trust: "verified" })
    const order = core.store.nextOrder()
    const { envelope } = sealed
    const out = { order, name: peer.name, ik: peer.ik, sid, mid, envelope, accepted: core.stamp }
    if (core.hub) core.store.put("data/out", peer.name, out)
    return out
  }

  #takeDue(peer: Peer, taken: number): void {
    const { store } = this.#core
    const key = peerKey(peer)
    const due = store.get("due", key)
    if (due === undefined) return
    const rest = takeDue(due, taken)
    if (rest) store.put("due", key, rest)
    else store.delete("due", key)
  }

  // ---- handshakes ----

  /**
   * Checks what was fetched for a handshake; nothing is staged (SPEC §6.4, §8.3).
   *
   * @throws {@link AgentMeshError} `bundle/*`, `identity/*`, `suite/*`, `encoding/*`.
   */
  async prepare(name: string, expected: string | null, fetched: Fetched): Promise<Prepared> {
    const core = this.#core
    const pinned = core.pin(name)
    const bundle = acceptBundle(fetched.bundle, {
      now: core.now,
      name,
      fingerprint: expected,
      pinned: pinned?.ik,
    })
    checkSeq(bundle, core.peer(bundle)) // also of a name that was forgotten (IDENTITY-14)
    const verified = expected !== null ? ("verified" as const) : core.view(bundle).trust
    // Without a hub somebody handed over this very bundle: that pins; the policy is asked at seal.
    const allowed =
      !core.hub ||
      allows(core.policy.send ?? "first-use", { ...core.view(bundle), trust: verified }, core.hub)
    require(allowed, "identity/untrusted", `the trust policy does not send to ${name}`)
    const suite = chooseSuite(core.own, core.suites, bundle, core.peer(bundle).suite)
    if (fetched.oneTime === null) return { bundle, oneTime: null }
    const oneTime = acceptOneTimeKey(fetched.oneTime, bundle, suite, core.now)
    return { bundle, oneTime: (await wasUsed(core, oneTime.ref)) ? null : oneTime }
  }

  /** Stages pin, seq and suite memory of an accepted bundle. */
  accept(bundle: Bundle, verified: boolean): void {
    const core = this.#core
    const { name, ik, seq, ref } = bundle
    const pin = core.pin(name)
    const trust = verified || pin?.trust === "verified" ? "verified" : "pinned"
    if (pin?.trust !== trust) core.store.put("pin", name, { name, ik, trust })
    const peer = core.peer(bundle)
    const suite = Math.max(peer.suite, chooseSuite(core.own, core.suites, bundle, peer.suite))
    if (peer.seq < seq || peer.suite < suite || peer.bundle === null) {
      core.updatePeer(bundle, { seq, ref, suite, bundle: bundle.bytes })
    }
  }

  /** Stages a handshake with its first envelope (SPEC §8.3); they are one commit. */
  async handshake(prepared: Prepared, kind: HandshakeKind, verified: boolean): Promise<OutRow> {
    const core = this.#core
    const { bundle, oneTime } = prepared
    const { environment, stamp } = core
    const peer: Peer = { name: bundle.name, ik: bundle.ik }
    const known = core.peer(peer)
    const suite = chooseSuite(core.own, core.suites, bundle, known.suite)
    const made = initiate(core.own, bundle, oneTime, suite, environment.draw)
    // A hub that withholds one-time keys must not weaken a running conversation.
    const mayCarry = kind === "normal" && (oneTime !== null || !known.confirmed || !core.hub)
    const outbox = mayCarry ? core.outboxes.get(bundle.name) : undefined
    const again = outbox?.toReseal(toHex(sessionId(made.th)), core.nowMs) ?? []
    const queued = outbox && hasRoom(outbox.window(known.placed)) ? outbox.queued.values() : []
    const first = [...queued].filter((row) => mayBind(core, row, peer)) // AGENT-19
    const due = mayCarry ? core.store.get("due", peerKey(peer)) : undefined
    const receipts = oldestDue(due, this.#mostReceipts)
    const sizes = receiptSizes(receipts.length)
    const load = { contents: fill(chain(again, first), sizes, core.maxPadded), receipts }
    const sealed = await this.#seal(createInitiator(made, bundle), peer, load)
    this.accept(bundle, verified)
    if (oneTime) rememberUsed(core, oneTime.ref, oneTime.notAfter)
    const row = {
      ...{ created: stamp, verified: stamp, founded: core.store.nextOrder(), order: 0 },
      ...{ until: bundle.notAfter, mayCarry, carried: false, answerAtMs: 0 },
    }
    const key = toHex(sessionId(made.th))
    const out = this.#commit(peer, sealed, key, row, load)
    limitSessions(core, peer, key)
    return out
  }

  /** Seals one content on the sending session, for use without a hub; nothing is kept. */
  async sealDirect(peer: Peer, content: Uint8Array): Promise<Uint8Array> {
    const core = this.#core
    const due = core.store.get("due", peerKey(peer))
    const receipts = oldestDue(due, MAX_RECEIPTS)
    const contents = [content]
    if (receipts.length > 0) {
      contents.unshift(this.#content(CONTENT_KINDS.receipt, encodeReceipts(receipts)))
    }
    const on = this.sending(peer)
    const { session, key, row } = on
      ? { ...on, session: core.session(on.key, on.row) }
      : this.#fromCard(peer)
    const sealed = seal(session, core.own, contents, core.environment.draw)
    promote(core, peer)
    this.#takeDue(peer, receipts.length)
    core.putSession(key, sealed.session, { ...row, carried: true, answerAtMs: 0 })
    limitSessions(core, peer, key)
    return sealed.envelope
  }

  /** A handshake from the stored card of a peer (SPEC §6: only without a hub, only unexpired). */
  #fromCard(peer: Peer): { session: Session; key: string; row: Omit<SessionRow, "session"> } {
    const core = this.#core
    const known = core.peer(peer)
    if (known.card === null) {
      throw new AgentMeshError("agent/no-hub", `connectWithBundle() the card of ${peer.name} first`)
    }
    const bundle = acceptBundle(known.card, {
      now: core.now,
      name: peer.name,
      pinned: peer.ik,
      known: known.seq > 0 ? { seq: known.seq, ref: known.ref } : undefined, // BUNDLE-26
    })
    const suite = chooseSuite(core.own, core.suites, bundle, known.suite)
    const made = initiate(core.own, bundle, null, suite, core.environment.draw)
    core.updatePeer(peer, { suite: Math.max(known.suite, suite) })
    const { stamp } = core
    const row = {
      ...{ created: stamp, verified: stamp, founded: core.store.nextOrder(), order: 0 },
      ...{ until: bundle.notAfter, mayCarry: true, carried: false, answerAtMs: 0 },
    }
    return { session: createInitiator(made, bundle), key: toHex(sessionId(made.th)), row }
  }
}

/** Upper bounds of the encoded receipt contents, so that contents are fitted beside them. */
function receiptSizes(receipts: number): number[] {
  const sizes: number[] = []
  for (let left = receipts; left > 0; left -= MAX_RECEIPTS) {
    sizes.push(64 + 20 * Math.min(left, MAX_RECEIPTS))
  }
  return sizes
}

function* chain<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part
}

/** Whether the row is for this very peer, or for a name that is not pinned yet. */
export function isFor(row: { readonly ik: Uint8Array | null }, peer: Peer): boolean {
  return row.ik === null || equalBytes(row.ik, peer.ik)
}
