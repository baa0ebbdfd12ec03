// Two sessions played on the reference while their steps are written down.

import { fromHex, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { decodeEnvelope } from "../../src/envelope.ts"
import { initValue } from "../../src/handshake.ts"
import { createResponder, open, type Session, seal } from "../../src/session.ts"
import type { Draw, Suite } from "../../src/suite.ts"
import { replaceItem } from "../cbor.ts"
import type { JsonObject, Mutation, Step } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"
import { advance, application, Flight } from "./flight.ts"
import { NOW, type Person } from "./people.ts"

/** One end: a is alice, the initiator; b is bob. */
export type End = "a" | "b"

/** Plays a session of alice and bob; every call adds a step. */
export class Play {
  readonly steps: Step[] = []
  readonly flight: Flight
  now: number = NOW
  /** Whether steps show everything: view and intermediate values. */
  full: boolean = false
  readonly #sessions: Record<End, Session>
  readonly #draws: Record<End, Draw>
  readonly #absent: ReadonlySet<End>
  /** How steps name an envelope that the driver has sealed. */
  readonly #names = new Map<string, string>()

  /** @param absent - Ends that are played only here: their envelopes are given to the driver. */
  constructor(suite: Suite, absent: readonly End[] = []) {
    this.flight = new Flight(suite)
    this.#absent = new Set(absent)
    const { alice, bob, bundle, handshake, session } = this.flight
    const { init, th, rk } = handshake
    this.#draws = { a: deterministicDraw(alice.seed), b: deterministicDraw(bob.seed) }
    this.#sessions = { a: session, b: createResponder(init, th, rk, bundle) }
    const prekey = bundle.prekeys.find((key) => key.suite === suite)
    const secret = bundle.secrets.get(suite)
    if (prekey === undefined || secret === undefined) throw new Error("no prekey")
    const pub = { x: toHex(prekey.x), ek: prekey.ek && toHex(prekey.ek) }
    const base = { suite, th: toHex(th), rk: toHex(rk) }
    this.#create("a", {
      role: "initiator",
      ...base,
      ...who(alice, bob),
      init: toHex(encode(initValue(init))),
      remote: pub,
    })
    const own = { public: pub, x: toHex(secret.x), kem: secret.kem && toHex(secret.kem) }
    this.#create("b", { role: "responder", ...base, ...who(bob, alice), init: null, own })
  }

  #create(end: End, args: JsonObject): void {
    if (!this.#absent.has(end)) this.steps.push({ as: end, op: "session.new", args, output: {} })
  }

  #name(envelope: string): string {
    return this.#names.get(envelope) ?? envelope
  }

  /** Seals texts; returns the envelope. */
  seal(from: End, texts: readonly string[], at: number = 0): string {
    const { alice, bob } = this.flight
    const contents = texts.map((text, i) => application(text, at + i))
    const own = from === "a" ? alice.own : bob.own
    const { session, envelope } = seal(this.#sessions[from], own, contents, this.#draws[from])
    this.#sessions[from] = session
    const bytes = toHex(envelope)
    if (!this.#absent.has(from)) {
      const args = { session: `$${from}`, contents: contents.map(toHex) }
      const as = `m${this.#names.size}`
      this.#names.set(bytes, `$${as}.envelope`)
      this.steps.push({
        as,
        op: "session.seal",
        args,
        state: "committed",
        ...(this.full ? { output: {}, trace: [] } : { output: { envelope: bytes } }),
      })
    }
    return bytes
  }

  /** Seals one text many times, in one step that shows no envelope; returns the last one. */
  repeat(from: End, text: string, times: number): string {
    const { alice, bob } = this.flight
    const own = from === "a" ? alice.own : bob.own
    const contents = [application(text)]
    let last: Uint8Array = new Uint8Array()
    for (let i = 0; i < times; i++) {
      const { session, envelope } = seal(this.#sessions[from], own, contents, this.#draws[from])
      this.#sessions[from] = session
      last = envelope
    }
    const args = { session: `$${from}`, contents: contents.map(toHex) }
    this.steps.push({ op: "session.seal", args, times, state: "committed" })
    return toHex(last)
  }

  /** Lets an absent end skip to number `n` of its chain. */
  skip(from: End, n: number): void {
    this.#sessions[from] = advance(this.#sessions[from], n)
  }

  /** Lets an absent end say another pn than it should, signed and sealed by itself. */
  say(from: End, pn: number): void {
    this.#sessions[from] = { ...this.#sessions[from], pn }
  }

  /** Lets an absent end step again without an answer; signed and sealed by itself. */
  restep(from: End): void {
    this.#sessions[from] = { ...this.#sessions[from], cks: null }
  }

  /** Seals from the state as it is, with other random values, and keeps the state: a clone. */
  clone(from: End, text: string, seed: Uint8Array): string {
    const { alice, bob } = this.flight
    const own = from === "a" ? alice.own : bob.own
    return toHex(
      seal(this.#sessions[from], own, [application(text)], deterministicDraw(seed)).envelope,
    )
  }

  /** Opens an envelope; the driver has to show the contents. */
  open(to: End, envelope: string, extra: Partial<Step> = {}): number {
    const { alice, bob } = this.flight
    const own = to === "a" ? alice.own : bob.own
    const opened = open(this.#sessions[to], own, decodeEnvelope(fromHex(envelope)), this.now)
    this.#sessions[to] = opened.session
    if (this.#absent.has(to)) return -1
    const shown = this.full
      ? { output: {}, trace: [] }
      : { output: { contents: opened.contents.map(toHex) } }
    const args = { session: `$${to}`, envelope: this.#name(envelope), now: this.now }
    return this.steps.push({ op: "session.open", args, state: "committed", ...shown, ...extra }) - 1
  }

  /** An envelope that is refused; `twin` is the index of the step that accepts the unmutated one. */
  refuse(
    to: End,
    code: string,
    envelope: string,
    mutation: Mutation,
    twin: number,
    now: number = this.now,
  ): void {
    const args = { session: `$${to}`, envelope: this.#name(envelope), now }
    this.steps.push({ op: "session.open", args, expect: code, mutation, twin, state: "unchanged" })
  }

  /** One item of the header gives way; refused, then the genuine envelope is accepted. */
  refuseItem(to: End, code: string, envelope: string, path: readonly number[], put: string): void {
    const changed = replaceItem(envelope, path, put)
    this.refuse(
      to,
      code,
      changed,
      { level: "field", field: "envelope", path, put },
      this.steps.length + 1,
    )
    this.open(to, envelope)
  }

  /** Another envelope in its place; refused, then the genuine one is accepted. */
  refuseOther(to: End, code: string, envelope: string, genuine: string, put: string): void {
    const mutation = { level: "field", field: "envelope", put } as const
    this.refuse(to, code, envelope, mutation, this.steps.length + 1)
    this.open(to, genuine)
  }

  /** Bytes change; refused, then the genuine envelope is accepted. */
  refuseBytes(to: End, code: string, envelope: string, mutation: Mutation): void {
    this.refuse(to, code, envelope, mutation, this.steps.length + 1)
    this.open(to, envelope)
  }

  /** Both ends have opened an envelope of the other; returns nothing new. */
  confirm(): void {
    this.open("b", this.seal("a", ["one"]))
    this.open("a", this.seal("b", ["two"]))
  }
}

function who(own: Person, peer: Person): JsonObject {
  return { identity: own.identity, peer: peer.peer, seed: toHex(own.seed) }
}
