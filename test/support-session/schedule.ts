// Schedules of a bad network: what is sealed, delivered late, twice or never, and what happens
// in between. A schedule is data, so that it shrinks.

import fc from "fast-check"
import { toHex } from "../../src/bytes.ts"
import { decodePayload, encodePayload, type Payload } from "../../src/encoding.ts"
import type { Session } from "../../src/session.ts"
import type { Suite } from "../../src/suite.ts"
import { codeOf, type Pair, type Party, pair } from "./kit.ts"
import { ModelEnd, type Sent } from "./model.ts"

export type Side = "a" | "b"
export type Op =
  | { readonly op: "seal"; readonly from: Side; readonly count: number }
  /** `pick` counts from the newest envelope of that direction, whatever was delivered. */
  | { readonly op: "deliver"; readonly to: Side; readonly pick: number }
  /** The oldest fifty of that direction that were never delivered. */
  | { readonly op: "flush"; readonly to: Side }
  /** A conversation in which every first envelope of a turn stays behind. */
  | { readonly op: "turns"; readonly count: number }
  | { readonly op: "damage"; readonly to: Side; readonly pick: number; readonly bit: number }
  | { readonly op: "wait"; readonly seconds: number }
  | { readonly op: "snapshot"; readonly side: Side }

const side = fc.constantFrom<Side>("a", "b")
const pick = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(40) })
const count = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(40, 40, 300, 1000) },
)
const seconds = fc.constantFrom(1, 86_400, 604_799, 604_800)

/** Operations; those that only disturb are rarer. */
export const ops: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant("seal" as const), from: side, count }) },
    { weight: 8, arbitrary: fc.record({ op: fc.constant("deliver" as const), to: side, pick }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("flush" as const), to: side }) },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant("turns" as const),
        count: fc.integer({ min: 1, max: 6 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant("damage" as const),
        to: side,
        pick,
        bit: fc.nat(20_000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("wait" as const), seconds }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("snapshot" as const), side }) },
  ),
  { maxLength: 60, size: "max" },
)

export interface Flight extends Sent {
  readonly envelope: Uint8Array
  readonly contents: readonly string[]
  delivered: boolean
}

/** A session as an agent stores it, and read back. */
export function restored(session: Session): Session {
  const { skipped, ...rest } = session
  const row = decodePayload(encodePayload({ session: rest } as unknown as Payload))
  const keys = decodePayload(encodePayload({ skipped } as unknown as Payload))
  return { ...(row["session"] as unknown as object), ...(keys as unknown as object) } as Session
}

/** Two ends, the network between them, and the model of both. */
export class World {
  readonly pair: Pair
  readonly models = { a: new ModelEnd("initiator"), b: new ModelEnd("responder") }
  readonly sent: Record<Side, Flight[]> = { a: [], b: [] }
  #count = 0
  opened = 0
  refused = 0

  constructor(suite: Suite, oneTime: boolean = true, seed: string = "0") {
    this.pair = pair(suite, oneTime, seed)
  }

  party(side: Side): Party {
    return side === "a" ? this.pair.alice : this.pair.bob
  }

  session(side: Side): Session {
    return this.party(side).session(this.pair.sid)
  }

  run(op: Op, snapshots: boolean = true): void {
    if (op.op === "seal") for (let i = 0; i < op.count; i++) this.seal(op.from)
    if (op.op === "deliver" || op.op === "damage") {
      const sent = this.sent[op.to === "a" ? "b" : "a"]
      const flight = sent.at(-1 - (op.pick % Math.max(sent.length, 1)))
      if (flight && op.op === "deliver") this.deliver(op.to, flight)
      if (flight && op.op === "damage") this.damage(op.to, flight, op.bit)
    }
    if (op.op === "flush") {
      const waiting = this.sent[op.to === "a" ? "b" : "a"].filter((flight) => !flight.delivered)
      for (const flight of waiting.slice(0, 50)) this.deliver(op.to, flight)
    }
    if (op.op === "turns") {
      for (let i = 0; i < op.count; i++) {
        for (const from of ["a", "b"] as const) {
          this.seal(from)
          const flight = this.seal(from)
          if (flight) this.deliver(from === "a" ? "b" : "a", flight)
        }
      }
    }
    if (op.op === "wait") {
      this.pair.alice.now += op.seconds
      this.pair.bob.now += op.seconds
    }
    if (op.op === "snapshot" && snapshots) this.snapshot(op.side)
  }

  snapshot(side: Side): void {
    const party = this.party(side)
    for (const [sid, session] of party.sessions) party.sessions.set(sid, restored(session))
  }

  /** Seals one to three contents, if the rules let this side seal. */
  seal(from: Side): Flight | undefined {
    const model = this.models[from]
    const party = this.party(from)
    if (from === "b" && model.received < 0) return undefined // Bob knows of nothing yet
    const contents = Array.from({ length: 1 + (this.#count % 3) }, () => {
      return new Uint8Array([from.charCodeAt(0), this.#count >> 8, this.#count++ & 255])
    })
    if (!model.canSeal) {
      const before = party.state
      const code = codeOf(() => party.seal(this.pair.sid, contents))
      if (code !== "session/chain-limit") throw new Error(`seal beyond the limit gave ${code}`)
      if (party.state !== before) throw new Error("a seal that failed changed the state")
      return undefined
    }
    const sent = model.seal()
    const envelope = party.seal(this.pair.sid, contents)
    const flight = { ...sent, envelope, contents: contents.map(toHex), delivered: false }
    this.sent[from].push(flight)
    return flight
  }

  deliver(to: Side, flight: Flight): void {
    const party = this.party(to)
    const expected = this.models[to].receive(flight, party.now)
    let contents: readonly Uint8Array[] = []
    const before = expected === "ok" ? "" : party.state
    const code = codeOf(() => {
      contents = party.receive(flight.envelope)
    })
    const { chain, n } = flight
    if (code !== expected) throw new Error(`${chain}/${n}: expected ${expected}, got ${code}`)
    if (code === "ok") {
      if (flight.delivered) throw new Error(`${chain}/${n} opened twice`)
      if (contents.map(toHex).join() !== flight.contents.join()) throw new Error("other contents")
      flight.delivered = true
      this.opened++
      const kept = this.session(to)
        .skipped.map((key) => key.n)
        .join()
      const due = this.models[to].keys.map((key) => key.n).join()
      if (kept !== due) throw new Error(`keys ${kept} are kept instead of ${due}`)
    } else {
      if (party.state !== before) throw new Error(`${code} changed the state`)
      this.refused++
    }
  }

  /** A damaged copy is refused and changes nothing, whether or not the genuine one has come. */
  damage(to: Side, flight: Flight, bit: number): void {
    const party = this.party(to)
    const copy = flight.envelope.slice()
    const at = bit % (copy.length * 8)
    copy[at >> 3] = (copy[at >> 3] as number) ^ (1 << (at & 7))
    const before = party.state
    const code = codeOf(() => party.receive(copy))
    if (code === "ok") throw new Error(`bit ${at} does not matter`)
    if (party.state !== before) throw new Error(`${code} changed the state`)
    this.refused++
  }
}
