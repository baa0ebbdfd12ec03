// SPEC §10 session: the Double Ratchet as one state machine. State in, new state out.

import type { Bundle, OwnBundle } from "./bundle.ts"
import { concat, equalBytes, zeroize } from "./bytes.ts"
import {
  type EnvelopeContext,
  encodeHeader,
  type Header,
  type OpenedInner,
  openEnvelope,
  type RawEnvelope,
  requireBatch,
  sealEnvelope,
} from "./envelope.ts"
import { AgentMeshError, require } from "./errors.ts"
import { type Handshake, prekeyOf } from "./handshake.ts"
import type { OwnIdentity, Peer } from "./identity.ts"
import {
  type Block,
  blockHash,
  type Init,
  messageKey,
  nextChainKey,
  ratchet,
  type Step,
  sessionId,
} from "./keyschedule.ts"
import {
  checkExchange,
  createExchangeKey,
  type Draw,
  decapsulate,
  dh,
  type ExchangePublic,
  type ExchangeSecret,
  encapsulate,
  MAX_CHAIN,
  MAX_RETIRED,
  MAX_SKIPPED,
  SKIPPED_LIFETIME,
  type Suite,
} from "./suite.ts"

/** The keys with which this side started its sending chain, until the peer has answered them. */
export interface OwnBlock {
  readonly secret: ExchangeSecret
  readonly block: Block
}

/** A message key kept for an envelope that has not arrived yet. */
export interface SkippedKey {
  /** Hash of the block of its chain. */
  readonly block: Uint8Array
  readonly n: number
  readonly mk: Uint8Array
  /** When it was stored, Unix seconds. */
  readonly time: number
}

/** All variables of a session (SPEC §10.2). Values are never changed, only replaced. */
export interface Session {
  readonly th: Uint8Array
  readonly suite: Suite
  readonly role: "initiator" | "responder"
  readonly peer: Peer
  /** Repeated by an initiator until it has verified an envelope of the responder. */
  readonly init: Init | null
  readonly rk: Uint8Array
  readonly own: OwnBlock | null
  readonly remote: ExchangePublic
  readonly cks: Uint8Array | null
  readonly ns: number
  readonly pn: number
  readonly ckr: Uint8Array | null
  readonly nr: number
  /** Hash of the block of the receiving chain. */
  readonly block: Uint8Array | null
  /** Hashes of the blocks before it, newest last, at most 4. */
  readonly retired: readonly Uint8Array[]
  /** Oldest first, at most 2,000. */
  readonly skipped: readonly SkippedKey[]
}

const FRESH = { cks: null, ckr: null, ns: 0, pn: 0, nr: 0, block: null, retired: [], skipped: [] }

/**
 * The initiator's session after {@link Handshake} with the owner of `bundle`. Nothing else of the
 * bundle is kept (BUNDLE-27).
 */
export function createInitiator(handshake: Handshake, bundle: Bundle): Session {
  const { th, rk, init } = handshake
  const { x, ek } = prekeyOf(bundle, init.suite)
  const peer = { name: bundle.name, ik: bundle.ik }
  const role = "initiator"
  return { ...FRESH, th, suite: init.suite, role, peer, init, rk, own: null, remote: { x, ek } }
}

/** The responder's session, in which the first envelope is still to be opened. */
export function createResponder(
  init: Init,
  th: Uint8Array,
  rk: Uint8Array,
  bundle: OwnBundle,
): Session {
  const { suite } = init
  const { x, ek } = prekeyOf(bundle, suite)
  const secret = bundle.secrets.get(suite) as ExchangeSecret
  const own = { secret, block: { x, ek, kemCt: null } }
  const peer = { name: init.name, ik: init.ik }
  return { ...FRESH, th, suite, role: "responder", peer, init: null, rk, own, remote: { x, ek } }
}

// ---- send ----

/** A sealed envelope and the state after it. */
export interface Sealed {
  readonly session: Session
  readonly envelope: Uint8Array
  readonly header: Header
}

/**
 * Seals contents on a session (SESSION-1). The caller makes the new state durable before it releases
 * the envelope (SESSION-3), and repeats the same bytes, never the seal (SESSION-4).
 *
 * @param contents - 1 to 64 encoded contents.
 * @param draw - Draws for a step `ratchet`, `ratchet-kem`, `ratchet-encaps`; then `guard`.
 * @throws {@link AgentMeshError} `session/chain-limit`, `suite/bad-key`; the state still stands.
 * @throws RangeError or TypeError before anything is drawn, for a batch or a state that cannot be.
 */
export function seal(
  before: Session,
  own: OwnIdentity,
  contents: readonly Uint8Array[],
  draw: Draw,
): Sealed {
  requireBatch(contents)
  if (before.role === "responder" && before.block === null) {
    throw new TypeError(
      "a responder seals after it has opened the envelope that founds the session",
    )
  }
  const session = before.cks === null ? startChain(before, draw) : before
  // SESSION-2
  require(session.ns < MAX_CHAIN, "session/chain-limit", "the sending chain is at its end")
  const { suite, th, ns: n, pn } = session
  const { block } = session.own as OwnBlock
  const cks = session.cks as Uint8Array
  const mk = messageKey(suite, cks)
  const header = { sid: sessionId(th), block, pn, n, guard: draw("guard", 16) } // KEYSCHEDULE-6
  const encoded = encodeHeader(header, session.init) // HANDSHAKE-7, HANDSHAKE-8
  const context = { suite, th, sender: own, recipient: session.peer.name }
  const envelope = sealEnvelope(context, mk, own.ikSecret, encoded, header.guard, contents)
  mk.fill(0) // SESSION-21
  const after = { ...session, cks: nextChainKey(suite, cks), ns: n + 1 }
  return { session: after, envelope, header }
}

/** A step of the sender: new keys, which the peer's last block answers. */
function startChain(session: Session, draw: Draw): Session {
  const { suite, th, remote } = session
  const key = createExchangeKey(suite, draw, "ratchet") // KEYSCHEDULE-1
  const kem = remote.ek && encapsulate(remote.ek, draw("ratchet-encaps", 32)) // KEYSCHEDULE-3
  const block: Block = { ...key.public, kemCt: kem?.ct ?? null }
  const secret = joined(dh(key.secret.x, remote.x), kem?.ss ?? null)
  const { rk, ck } = ratchet(suite, th, session.rk, secret, blockHash(block), remote)
  const own = { secret: key.secret, block }
  return { ...session, rk, cks: ck, own, pn: session.ns, ns: 0 }
}

/** Both secrets of an exchange in one byte string; the parts are erased (KEYSCHEDULE-5). */
function joined(shared: Uint8Array, ss: Uint8Array | null): Uint8Array {
  if (ss === null) return shared
  const secret = concat(shared, ss)
  zeroize(shared, ss)
  return secret
}

// ---- receive ----

/** The two times of a receive: what judges ages, and what new rows are stamped with. */
interface Times {
  readonly kept: number
  readonly stamp: number
}

/** What an envelope held, and the state after it; to be committed together or not at all. */
export interface Opened extends OpenedInner {
  readonly session: Session
}

/**
 * Opens an envelope on a session (SPEC §10.4, from step 2). On any error the state still stands, as
 * `session` is never changed (SESSION-19). Otherwise the caller commits the new state, whatever the
 * contents say (ENVELOPE-14), before it releases one of them (SESSION-15).
 *
 * @param kept - Unix seconds, the time that judges skipped keys.
 * @param stamp - Unix seconds, the time that they get; `max(now, kept)` at an agent (SPEC §2).
 * @throws {@link AgentMeshError} `encoding/shape`, `session/chain-limit`, `session/replay`,
 * `envelope/open`, `suite/bad-key`.
 */
export function open(
  session: Session,
  own: OwnIdentity,
  envelope: RawEnvelope,
  kept: number,
  stamp: number = kept,
): Opened {
  const times: Times = { kept, stamp }
  const { suite, th, peer } = session
  const { block, n, pn } = envelope
  const fits = (field: Uint8Array | null) => (field === null) === (suite === 1) // SESSION-8
  require(fits(block.ek) && fits(block.kemCt), "encoding/shape", "KEM fields and suite disagree")
  require(n < MAX_CHAIN && pn <= MAX_CHAIN, "session/chain-limit", `envelope ${n}, before ${pn}`)
  const context: EnvelopeContext = { suite, th, sender: peer, recipient: own.name }
  const name = blockHash(block)
  const current = session.block !== null && equalBytes(session.block, name)
  if (current && n >= session.nr) return openNext(session, context, envelope, times)
  if (current || session.retired.some((other) => equalBytes(other, name))) {
    return openSkipped(session, context, envelope, name, times)
  }
  return openNewChain(session, context, envelope, name, times)
}

/** An envelope whose key was kept when later ones arrived before it (SESSION-9, SESSION-10). */
function openSkipped(
  session: Session,
  context: EnvelopeContext,
  envelope: RawEnvelope,
  name: Uint8Array,
  times: Times,
): Opened {
  const key = session.skipped.find(
    (other) =>
      other.n === envelope.n &&
      equalBytes(other.block, name) &&
      times.kept - other.time < SKIPPED_LIFETIME, // SESSION-16
  )
  if (key === undefined) {
    throw new AgentMeshError("session/replay", "no key is left for this envelope")
  }
  const inner = openEnvelope(context, key.mk, envelope)
  const rest = session.skipped.filter((other) => other !== key)
  return { session: { ...session, init: null, skipped: evict(rest, times.kept) }, ...inner }
}

/** The next envelope of the receiving chain, or one after a gap. */
function openNext(
  session: Session,
  context: EnvelopeContext,
  envelope: RawEnvelope,
  times: Times,
): Opened {
  const { suite } = session
  const chain = walk(suite, session.ckr as Uint8Array, session.nr, envelope.n)
  const inner = openFresh(context, chain.ck, envelope)
  const block = session.block as Uint8Array
  const added = chain.keys.map((ck, i) => keep(suite, block, session.nr + i, ck, times.stamp))
  const after = {
    ...session,
    init: null,
    ckr: nextChainKey(suite, chain.ck),
    nr: envelope.n + 1,
    skipped: evict([...session.skipped, ...added], times.kept),
  }
  return { session: after, ...inner }
}

/** The first envelope to arrive of a new chain: the peer has stepped. */
function openNewChain(
  session: Session,
  context: EnvelopeContext,
  envelope: RawEnvelope,
  name: Uint8Array,
  times: Times,
): Opened {
  const { suite, th, own, nr, ckr } = session
  const { block, n, pn } = envelope
  // The peer cannot have stepped again before this side did; no DH is spent on such a claim
  // (SESSION-11), nor on one whose pn cannot be (SESSION-12).
  const possible = own !== null && pn >= nr && (pn === 0 || ckr !== null)
  require(possible, "envelope/open", "the envelope does not open")
  checkExchange(block) // SESSION-13, KEYSCHEDULE-7, KEYSCHEDULE-8
  const step = answer(suite, th, session.rk, own, block, name)
  const chain = walk(suite, step.ck, 0, n)
  const inner = openFresh(context, chain.ck, envelope)
  // Verified: only now is work spent on the chain before.
  const skipped = [...session.skipped]
  let retired = session.retired
  if (session.block !== null && ckr !== null) {
    const old = session.block
    const missing = walk(suite, ckr, nr, pn).keys
    skipped.push(...missing.map((ck, i) => keep(suite, old, nr + i, ck, times.stamp)))
    retired = [...retired, old].slice(-MAX_RETIRED)
  }
  skipped.push(...chain.keys.map((ck, i) => keep(suite, name, i, ck, times.stamp)))
  const live = [...retired, name]
  const held = skipped.filter((key) => live.some((other) => equalBytes(other, key.block)))
  const after: Session = {
    ...session,
    init: null,
    rk: step.rk,
    own: null, // with it a responder lets go of its prekey (SESSION-23)
    cks: null,
    remote: { x: block.x, ek: block.ek },
    ckr: nextChainKey(suite, chain.ck),
    nr: n + 1,
    block: name,
    retired,
    skipped: evict(held, times.kept),
  }
  return { session: after, ...inner }
}

function answer(
  suite: Suite,
  th: Uint8Array,
  rk: Uint8Array,
  own: OwnBlock,
  block: Block,
  name: Uint8Array,
): Step {
  const { x, kem } = own.secret
  const secret = joined(dh(x, block.x), kem && block.kemCt && decapsulate(kem, block.kemCt))
  return ratchet(suite, th, rk, secret, name, own.block)
}

/** Opens with the message key of a chain key: the one candidate (SESSION-14, SESSION-18). */
function openFresh(context: EnvelopeContext, ck: Uint8Array, envelope: RawEnvelope): OpenedInner {
  const mk = messageKey(context.suite, ck)
  try {
    return openEnvelope(context, mk, envelope)
  } finally {
    mk.fill(0) // SESSION-21
  }
}

/**
 * Chain keys from number `from` up to `to`: those before `to`, and that of `to` itself. No message
 * keys are made on the way: junk costs half (KEYSCHEDULE-11, HANDSHAKE-41).
 */
function walk(
  suite: Suite,
  first: Uint8Array,
  from: number,
  to: number,
): { keys: readonly Uint8Array[]; ck: Uint8Array } {
  const keys: Uint8Array[] = []
  let ck = first
  for (let n = from; n < to; n++) {
    keys.push(ck)
    ck = nextChainKey(suite, ck)
  }
  return { keys, ck }
}

function keep(
  suite: Suite,
  block: Uint8Array,
  n: number,
  ck: Uint8Array,
  time: number,
): SkippedKey {
  return { block, n, mk: messageKey(suite, ck), time }
}

/** Skipped keys that may stay: the newest 2,000, each for 7 days (SESSION-16, SESSION-17). */
function evict(skipped: readonly SkippedKey[], kept: number): readonly SkippedKey[] {
  return skipped.filter((key) => kept - key.time < SKIPPED_LIFETIME).slice(-MAX_SKIPPED)
}

/** Erases skipped keys that are past their time; the same object if there are none. */
export function eraseExpired(session: Session, now: number): Session {
  const skipped = evict(session.skipped, now)
  return skipped.length === session.skipped.length ? session : { ...session, skipped }
}
