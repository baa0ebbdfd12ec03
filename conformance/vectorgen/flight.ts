// First flights between two test agents, genuine and forged, for handshake and session vectors.

import type { OwnBundle, OwnOneTimeKey } from "../../src/bundle.ts"
import { concat, fromHex, toHex } from "../../src/bytes.ts"
import { decode, encode } from "../../src/encoding.ts"
import { contentHash, encodeContent, encodeHeader, pad, sealEnvelope } from "../../src/envelope.ts"
import { type Handshake, INIT, initiate, initValue } from "../../src/handshake.ts"
import type { Peer } from "../../src/identity.ts"
import {
  type Block,
  blockHash,
  type Init,
  messageKey,
  nextChainKey,
  ratchet,
  sealKey,
  sessionId,
  transcriptHash,
} from "../../src/keyschedule.ts"
import { createInitiator, type Session, seal } from "../../src/session.ts"
import {
  aeadSeal,
  createExchangeKey,
  type Draw,
  dh,
  encapsulate,
  labelled,
  type Suite,
  sign,
} from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"
import { bundleJson, NOW, oneTimeJson, Person } from "./people.ts"
import { bstr } from "./raw.ts"

/** A content of kind 0 with the payload `{"text": text}`, its id from `i`. */
export function application(text: string, i: number = 0): Uint8Array {
  const body = fromHex(`a16474657874${toHex(encode(text))}`)
  const id = new Uint8Array(16).fill(0x10 + i)
  return encodeContent({ kind: 0, id, sentMs: NOW * 1000 + i, re: null, ask: 0, body })
}

/** What a sender puts in place of what SPEC §9.3 says. */
export interface Forgery {
  /** Identity secret that signs. */
  readonly ikSecret?: Uint8Array
  /** Signed in place of TH, suite, names, header or hashes. */
  readonly signed?: {
    readonly th?: Uint8Array
    readonly suite?: Suite
    readonly sender?: string
    readonly recipient?: string
    readonly header?: Uint8Array
    readonly contents?: readonly Uint8Array[]
  }
  /** Encoded inner in hex, in place of C([contents, sig]). */
  readonly inner?: (contents: readonly Uint8Array[], sig: Uint8Array) => string
  /** Padded plaintext, in place of the formula. */
  readonly pad?: (inner: Uint8Array) => Uint8Array
  /** aad in place of C([label, TH, header]). */
  readonly aad?: Uint8Array
}

/** The parts of an envelope that the sender has chosen, before it is sealed. */
export interface Parts {
  readonly suite: Suite
  readonly th: Uint8Array
  readonly mk: Uint8Array
  readonly header: Uint8Array
  readonly guard: Uint8Array
  readonly sender: { readonly name: string; readonly ik: Uint8Array; readonly ikSecret: Uint8Array }
  readonly recipient: string
  readonly contents: readonly Uint8Array[]
}

/** Seals parts, with a deviation. */
export function forge(parts: Parts, forgery: Forgery = {}): string {
  const { suite, th, mk, header, guard, sender, recipient, contents } = parts
  if (Object.keys(forgery).length === 0) {
    const context = { suite, th, sender, recipient }
    return toHex(sealEnvelope(context, mk, sender.ikSecret, header, guard, contents))
  }
  const said = forgery.signed ?? {}
  const hashes = (said.contents ?? contents).map(contentHash)
  const signed = labelled(
    "message",
    said.suite ?? suite,
    said.th ?? th,
    said.sender ?? sender.name,
    said.recipient ?? recipient,
    said.header ?? header,
    hashes,
  )
  const sig = sign(forgery.ikSecret ?? sender.ikSecret, signed)
  const inner = forgery.inner ? fromHex(forgery.inner(contents, sig)) : encode([contents, sig])
  const padded = (forgery.pad ?? pad)(inner)
  const aad = forgery.aad ?? labelled("envelope", th, header)
  return toHex(encode([header, aeadSeal(sealKey(suite, th, mk, guard), aad, padded)]))
}

/** A handshake of alice with bob and its first envelopes. */
export class Flight {
  readonly alice: Person = new Person("alice")
  readonly bob: Person = new Person("bob")
  readonly mallory: Person = new Person("mallory")
  readonly suite: Suite
  readonly bundle: OwnBundle
  readonly oneTime: OwnOneTimeKey | null
  readonly handshake: Handshake
  /** Alice's session before the first seal. */
  readonly session: Session
  readonly draw: Draw

  constructor(
    suite: Suite,
    oneTime: boolean = false,
    options: { flags?: number; suites?: readonly Suite[]; again?: boolean; bare?: boolean } = {},
  ) {
    this.suite = suite
    this.draw = deterministicDraw(this.alice.seed)
    this.bundle = this.bob.bundle({ suites: options.suites ?? [1, 2], flags: options.flags ?? 0 })
    this.oneTime = oneTime ? this.bob.oneTime(suite) : null
    // An initiator that looks away where a one-time key is asked for.
    const bundle = options.bare ? { ...this.bundle, flags: 0 } : this.bundle
    // Another handshake of the same pair takes the next ephemeral.
    if (options.again) initiate(this.alice.own, bundle, this.oneTime, suite, this.draw)
    this.handshake = initiate(this.alice.own, bundle, this.oneTime, suite, this.draw)
    this.session = createInitiator(this.handshake, this.bundle)
  }

  /** Seals on alice's session; the state is not kept. */
  seal(contents: readonly Uint8Array[], n: number = 0): { envelope: string; session: Session } {
    const draw = deterministicDraw(this.alice.seed)
    const first = seal(this.session, this.alice.own, contents, draw)
    if (n === 0) return { envelope: toHex(first.envelope), session: first.session }
    const after = seal(advance(first.session, n), this.alice.own, contents, draw)
    return { envelope: toHex(after.envelope), session: after.session }
  }

  /** The parts of the envelope `n` of the first chain, to be forged. */
  parts(contents: readonly Uint8Array[], n: number = 0): Parts {
    const draw = deterministicDraw(this.alice.seed)
    const { block, ck } = startChain(this.session, draw)
    const { th, suite, init } = this.session
    let chain = ck
    for (let i = 0; i < n; i++) chain = nextChainKey(suite, chain)
    const guard = draw("guard", 16)
    const header = encodeHeader({ sid: sessionId(th), block, pn: 0, n, guard }, init)
    const mk = messageKey(suite, chain)
    const { own } = this.alice
    return { suite, th, mk, header, guard, sender: own, recipient: "bob", contents }
  }

  /** Arguments of `handshake.respond` for bob. */
  responding(envelope: string): JsonObject {
    return {
      identity: this.bob.identity,
      envelope,
      bundles: [bundleJson(this.bundle)],
      oneTimes: this.oneTime ? [oneTimeJson(this.oneTime)] : [],
      suites: [1, 2],
      remembered: 0,
      replayed: [],
      sids: [],
      pins: {},
      now: NOW,
    }
  }

  /** Hex of the init. */
  get init(): string {
    return toHex(encode(initValue(this.handshake.init)))
  }
}

/** The step with which a session starts a sending chain. */
export function startChain(session: Session, draw: Draw): { block: Block; ck: Uint8Array } {
  const { suite, th, rk, remote } = session
  const key = createExchangeKey(suite, draw, "ratchet")
  const kem = remote.ek && encapsulate(remote.ek, draw("ratchet-encaps", 32))
  const block = { ...key.public, kemCt: kem?.ct ?? null }
  const shared = dh(key.secret.x, remote.x)
  const secret = kem ? concat(shared, kem.ss) : shared
  return { block, ck: ratchet(suite, th, rk, secret, blockHash(block), remote).ck }
}

/** The same session at a later number of its sending chain. */
export function advance(session: Session, to: number): Session {
  let cks = session.cks as Uint8Array
  for (let n = session.ns; n < to; n++) cks = nextChainKey(session.suite, cks)
  return { ...session, cks, ns: to }
}

/** Replaces items of the init in an envelope, and makes sid that of the new TH at `responder`. */
export function rewriteInit(
  envelope: string,
  items: Readonly<Record<number, string>>,
  responder: Peer,
): string {
  let out = envelope
  for (const [path, put] of Object.entries(items)) out = replaceItem(out, [0, 6, Number(path)], put)
  const init = INIT(decode(fromHex(itemAt(out, [0, 6]))))
  const th = transcriptHash(init as Init, responder)
  return replaceItem(out, [0, 1], bstr(toHex(sessionId(th))))
}

/** Alice's first envelope to any bundle, in suite 1. */
export function initiateTo(bundle: OwnBundle): string {
  const alice = new Person("alice")
  const draw = deterministicDraw(alice.seed)
  const handshake = initiate(alice.own, bundle, null, 1, draw)
  const session = createInitiator(handshake, bundle)
  return toHex(seal(session, alice.own, [application("hello")], draw).envelope)
}
