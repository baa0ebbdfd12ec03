// A peer by hand: its envelopes go straight to an agent's link, and may be anything.

import type { OwnBundle } from "../../src/bundle.ts"
import { acceptBundle, type Bundle, type OneTimeKey } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import {
  CONTENT_KINDS,
  type Content,
  decodeContent,
  decodeEnvelope,
  decodeReceipts,
  encodeContent,
  encodeReceipts,
  type Receipt,
} from "../../src/envelope.ts"
import { initiate, readInit, respond } from "../../src/handshake.ts"
import { FRAME } from "../../src/hub/wire.ts"
import { createIdentity, type OwnIdentity } from "../../src/identity.ts"
import { sessionId } from "../../src/keyschedule.ts"
import { createInitiator, createResponder, open, type Session, seal } from "../../src/session.ts"
import { osDraw, type Suite } from "../../src/suite.ts"
import { deliver, textContent } from "./insider.ts"
import type { Process, World } from "./world.ts"

/** A session that may be changed at will. */
export interface Line {
  session: Session
}

/** Someone who speaks to one agent without an agent of its own. */
export class RawPeer {
  readonly own: OwnIdentity
  readonly lines: Line[] = []
  readonly #world: World
  readonly #victim: Process
  readonly #suite: Suite
  #read = 0

  constructor(world: World, victim: Process, name: string, suite: Suite = 1, own?: OwnIdentity) {
    this.own = own ?? createIdentity(name, osDraw)
    this.#world = world
    this.#victim = victim
    this.#suite = suite
  }

  get #now(): number {
    return this.#world.clock.now()
  }

  /** The victim's bundle. */
  get bundle(): Bundle {
    const { seconds } = this.#world.clock
    return acceptBundle(this.#victim.agent.publicBundle, { now: seconds })
  }

  text(text: string, sentMs: number = this.#now): Uint8Array {
    return textContent(text, sentMs)
  }

  receipts(receipts: readonly Receipt[]): Uint8Array {
    return this.#quiet(CONTENT_KINDS.receipt, encodeReceipts(receipts))
  }

  heal(): Uint8Array {
    return this.#quiet(CONTENT_KINDS.heal, new Uint8Array(0))
  }

  #quiet(kind: number, body: Uint8Array): Uint8Array {
    const id = osDraw("content-id", 16)
    return encodeContent({ kind, id, sentMs: this.#now, re: null, ask: 0, body })
  }

  /** A session of its own; nothing is sent. */
  line(oneTime: OneTimeKey | null = null, bundle: Bundle = this.bundle): Line {
    const made = initiate(this.own, bundle, oneTime, this.#suite, osDraw)
    const line = { session: createInitiator(made, bundle) }
    this.lines.push(line)
    return line
  }

  /** The next envelope of a session. */
  seal(line: Line, contents: readonly Uint8Array[]): Uint8Array {
    const { session, envelope } = seal(line.session, this.own, contents, osDraw)
    line.session = session
    return envelope
  }

  /** Seals and delivers; "accepted" or the code of the refusal. */
  send(line: Line, ...contents: readonly Uint8Array[]): Promise<string> {
    const envelope = this.seal(line, contents)
    return deliver(this.#victim, this.own.name, envelope, this.#world.quiet)
  }

  /** Founds a session and sends its first envelope. */
  async found(...contents: readonly Uint8Array[]): Promise<string> {
    return this.send(this.line(), ...contents)
  }

  /** Makes the hub say OK to what the victim sends here, whether or not it knows the name. */
  listen(): void {
    const { name } = this.own
    this.#victim.tap.attack = {
      up: (frame) => {
        if (frame[0] !== FRAME.send || frame[2] !== name) return frame
        const rid = frame[1] as number
        queueMicrotask(() => this.#victim.tap.inject([FRAME.reply, rid, null]))
        return null
      },
    }
  }

  /** Opens what the victim has sent since the last time; `bundle` answers its handshakes. */
  read(bundle?: OwnBundle): Content[] {
    const contents: Content[] = []
    const mine = this.#victim.tap.sent.filter(({ to }) => to === this.own.name)
    const fresh = mine.slice(this.#read)
    this.#read = mine.length
    for (const { envelope } of fresh) {
      const raw = decodeEnvelope(envelope)
      let line = this.lines.find(({ session }) => toHex(sessionId(session.th)) === toHex(raw.sid))
      if (!line && raw.init && bundle) {
        const { init, th } = readInit(raw.init, raw, this.own)
        const accepted = { bundle, oneTime: null, changed: false }
        const rk = respond(init, th, raw.block, this.own, accepted)
        line = { session: createResponder(init, th, rk, bundle) }
        this.lines.push(line)
      }
      if (!line) continue
      const opened = open(line.session, this.own, raw, this.#world.clock.seconds)
      line.session = opened.session
      contents.push(...opened.contents.map((bytes) => decodeContent(bytes)))
    }
    return contents
  }

  /** Receipts that came, by id. */
  static receipts(contents: readonly Content[]): Map<string, number> {
    const found = new Map<string, number>()
    for (const { kind, body } of contents) {
      if (kind !== CONTENT_KINDS.receipt) continue
      for (const { id, status } of decodeReceipts(body)) found.set(toHex(id), status)
    }
    return found
  }
}
