// A peer by hand: it holds its own keys, so that a case sees what the agent seals for it, and on
// which session. The honest hub knows nothing of it: its bundle and the OKs come from the case.

import {
  createBundle,
  createOneTimeKey,
  type OwnBundle,
  type OwnOneTimeKey,
} from "../../../src/bundle.ts"
import { toHex } from "../../../src/bytes.ts"
import { decode, decodePayload, encodePayload, type Value } from "../../../src/encoding.ts"
import {
  CONTENT_KINDS,
  type Content,
  decodeContent,
  decodeEnvelope,
  decodeReceipts,
  encodeContent,
  encodeReceipts,
} from "../../../src/envelope.ts"
import { initiate, readInit, respond } from "../../../src/handshake.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { createIdentity, type OwnIdentity } from "../../../src/identity.ts"
import {
  type Init,
  nextChainKey,
  rootKey,
  sessionId,
  transcriptHash,
} from "../../../src/keyschedule.ts"
import { createInitiator, createResponder, open, type Session, seal } from "../../../src/session.ts"
import { dh, osDraw, type Suite, x25519Public } from "../../../src/suite.ts"
import { unhex } from "../../values.ts"
import type { Fate, Frame } from "./hub.ts"
import { deliver, published } from "./post.ts"
import { receiptFor, type Signed } from "./served.ts"
import type { World } from "./world.ts"

const { application, heal, receipt } = CONTENT_KINDS

/** A session of an insider; it changes with each envelope. */
export interface Line {
  session: Session
}

/** An envelope of the agent, as the insider reads it. */
export interface Got {
  readonly line: Line
  /** The init in its header. */
  readonly init: Init | null
  readonly contents: readonly Content[]
  readonly texts: readonly string[]
  readonly receipts: readonly (readonly [id: string, status: number])[]
  readonly frame: Frame
}

/** How the hub treats an insider. */
export interface Treatment {
  /** Seconds that its bundle is good for. */
  readonly lifetime?: number
  readonly flags?: number
  /** Whether one-time keys are handed out. */
  readonly oneTime?: boolean
  readonly own?: OwnIdentity
}

/** Somebody who speaks to the agent without an agent of its own. */
export class Insider {
  readonly own: OwnIdentity
  readonly lines: Line[] = []
  /** Everything that the agent has sealed for it, in order. */
  readonly got: Got[] = []
  /** Requests for its bundle. */
  readonly asked: Frame[] = []
  /** Whether the hub says OK to SENDs; what it does not say OK to has not arrived either. */
  takes = true
  /** An error of the hub for those who ask for the bundle. */
  missing: number | null = null
  bundle: OwnBundle
  readonly #w: World
  readonly #treatment: Treatment
  readonly #oneTimes = new Map<string, OwnOneTimeKey>()
  readonly #mids = new Set<string>()
  #seq = 0

  constructor(w: World, name: string, treatment: Treatment = {}) {
    this.#w = w
    this.#treatment = treatment
    this.own = treatment.own ?? createIdentity(name, osDraw)
    this.bundle = this.renew()
  }

  get name(): string {
    return this.own.name
  }

  /** A new bundle. */
  renew(): OwnBundle {
    const { lifetime, flags = 0 } = this.#treatment
    const now = this.#w.seconds
    this.#seq = Math.max(this.#seq + 1, now)
    const options = { seq: this.#seq, now, suites: [1] as const, flags }
    const life = lifetime === undefined ? {} : { lifetime }
    this.bundle = createBundle(this.own, { ...options, ...life }, osDraw)
    return this.bundle
  }

  // ---- the hub ----

  /** What the hub does with a frame of the agent that concerns the insider; else the frame. */
  up(frame: Frame): Fate {
    const [type, rid, name] = frame as unknown as [number, number, string]
    if (name !== this.name) return frame
    if (type === FRAME.getBundle) {
      this.asked.push(frame)
      if (this.missing !== null) return this.#answer([FRAME.error, rid, this.missing, 0])
      return this.#answer([FRAME.reply, rid, this.#found(frame)])
    }
    if (type !== FRAME.send) return frame
    if (!this.takes) return null
    this.#read(frame)
    return this.#answer([FRAME.reply, rid, null])
  }

  #answer(frame: Frame): null {
    this.#w.hub.link?.inject(frame)
    return null
  }

  #found(frame: Frame): Value {
    const signed = decode(this.bundle.bytes) as unknown as Signed
    const wanted = (frame[3] as readonly number[])[0]
    let key: OwnOneTimeKey | null = null
    if (this.#treatment.oneTime === true && wanted !== undefined) {
      key = createOneTimeKey(this.own, wanted as Suite, this.#w.seconds, osDraw)
      this.#oneTimes.set(toHex(key.ref), key)
    }
    const oneTime = key && (decode(key.bytes) as unknown as Signed)
    return [signed, oneTime, receiptFor(this.#w, signed)] as unknown as Value
  }

  #read(frame: Frame): void {
    const mid = toHex(frame[3] as Uint8Array)
    if (this.#mids.has(mid)) return
    this.#mids.add(mid)
    const raw = decodeEnvelope(frame[4] as Uint8Array)
    let line = this.lines.find(({ session }) => toHex(sessionId(session.th)) === toHex(raw.sid))
    if (!line && raw.init) {
      const { init, th } = readInit(raw.init, raw, this.own)
      const oneTime = init.otkRef ? (this.#oneTimes.get(toHex(init.otkRef)) ?? null) : null
      const accepted = { bundle: this.bundle, oneTime, changed: false }
      const rk = respond(init, th, raw.block, this.own, accepted)
      line = { session: createResponder(init, th, rk, this.bundle) }
      this.lines.push(line)
    }
    if (!line) return
    const opened = open(line.session, this.own, raw, this.#w.seconds)
    line.session = opened.session
    const contents = opened.contents.map((bytes) => decodeContent(bytes))
    const texts = contents
      .filter(({ kind }) => kind === application)
      .map(({ body }) => String(decodePayload(body)["text"]))
    const receipts = contents
      .filter(({ kind }) => kind === receipt)
      .flatMap(({ body }) => decodeReceipts(body))
      .map(({ id, status }) => [toHex(id), status] as const)
    this.got.push({ line, init: raw.init as Init | null, contents, texts, receipts, frame })
  }

  /** Texts of all envelopes. */
  get texts(): readonly string[] {
    return this.got.flatMap(({ texts }) => texts)
  }

  /** Receipts of all envelopes. */
  get receipts(): readonly (readonly [id: string, status: number])[] {
    return this.got.flatMap(({ receipts }) => receipts)
  }

  /** Whether an envelope holds a heal and nothing else. */
  static isHeal({ contents }: Got): boolean {
    return contents.length === 1 && contents[0]?.kind === heal
  }

  // ---- what it sends ----

  #quiet(kind: number, body: Uint8Array): Uint8Array {
    const id = osDraw("content-id", 16)
    return encodeContent({ kind, id, sentMs: this.#w.clock.now, re: null, ask: 0, body })
  }

  /** A heal content. */
  heal(): Uint8Array {
    return this.#quiet(heal, new Uint8Array(0))
  }

  /** A receipt content. */
  receiptOf(id: string, status: number): Uint8Array {
    return this.#quiet(receipt, encodeReceipts([{ id: unhex(id), status }]))
  }

  /** An application content with a text. */
  content(words: string, id: Uint8Array = osDraw("content-id", 16)): Uint8Array {
    const body = encodePayload({ type: "message", text: words })
    const sentMs = this.#w.clock.now
    return encodeContent({ kind: application, id, sentMs, re: null, ask: 0, body })
  }

  /**
   * A first message in which `dk` or `e` is the zero of X25519, so that everybody can compute what
   * comes of it. Whoever goes on with that opens it.
   */
  zeroes(which: "dk" | "e"): Uint8Array {
    const { own } = this
    const bundle = published(this.#w)
    const prekey = bundle.prekeys[0] as { readonly x: Uint8Array }
    const zero = new Uint8Array(32)
    const secret = osDraw("ephemeral", 32)
    const init: Init = {
      ...{ suite: 1, bundleRef: bundle.ref, otkRef: null, name: own.name, ik: own.ik, kemCt: null },
      dk: which === "dk" ? zero : own.dk,
      e: which === "e" ? zero : x25519Public(secret),
    }
    const e = (remote: Uint8Array): Uint8Array => (which === "e" ? zero : dh(secret, remote))
    const first = which === "dk" ? zero : dh(own.dkSecret, prekey.x)
    const th = transcriptHash(init, bundle)
    const rk = rootKey(1, th, [first, e(bundle.dk), e(prekey.x)])
    return this.seal({ session: createInitiator({ init, th, rk }, bundle) }, this.heal())
  }

  /** A session that it founds with the newest bundle of the agent; nothing is sent. */
  found(): Line {
    const bundle = published(this.#w)
    const made = initiate(this.own, bundle, null, 1, osDraw)
    const line = { session: createInitiator(made, bundle) }
    this.lines.push(line)
    return line
  }

  /** The next envelope of a session. */
  seal(line: Line, ...contents: readonly Uint8Array[]): Uint8Array {
    const { session, envelope } = seal(line.session, this.own, contents, osDraw)
    line.session = session
    return envelope
  }

  /** Seals and delivers. */
  say(line: Line, ...contents: readonly Uint8Array[]): void {
    deliver(this.#w, this.name, this.seal(line, ...contents))
  }

  /** Says a text, which the agent has to tell. */
  tell(line: Line, words: string): void {
    this.#w.due.push(words)
    this.say(line, this.content(words))
  }

  /** Passes over so many numbers of the sending chain: their envelopes do not come. */
  skip(line: Line, count: number): void {
    let { cks, ns } = line.session
    if (cks === null) throw new RangeError("no sending chain")
    const { suite } = line.session
    for (let i = 0; i < count; i++, ns++) cks = nextChainKey(suite, cks)
    line.session = { ...line.session, cks, ns }
  }
}
