// The rules of receiving (SPEC §10.4) as a small machine of its own, against a peer that breaks all
// of them: it knows every key, also alice's identity key, and sends any block, number and pn.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { array, bstr, uint } from "../vectorgen/raw.ts"
import { sessionArgs } from "./flight.ts"
import { content } from "./forge.ts"
import { NOW, pick } from "./gen.ts"
import { type Chain, Insider } from "./insider.ts"
import { type Move, modelProperty, move } from "./model.ts"
import { type Meeting, meet, meeting, opening, sealed } from "./session.ts"
import type { Trial } from "./trial.ts"

const KEPT = 604_800
const MOST = 2_000
const RETIRED = 4

interface Key {
  readonly chain: Chain
  readonly n: number
  readonly time: number
}

/** What the receiver holds, by the rules. */
export interface Receiver {
  readonly insider: Insider
  readonly session: string
  readonly th: string
  readonly suite: number
  readonly chains: Chain[]
  now: number
  current: Chain | null
  nr: number
  retired: Chain[]
  skipped: Key[]
  /** Whether it has a ratchet key that a new block can answer. */
  own: boolean
  ns: number
  pn: number
  sent: number
}

interface Letter {
  readonly n: number
  readonly pn: number
  readonly chain: number
  readonly bad: boolean
}

const stored = (model: Receiver, chain: Chain, n: number): Key | undefined =>
  model.skipped.find((key) => key.chain === chain && key.n === n && model.now - key.time < KEPT)

/** The verdict on an envelope, by steps 2 to 8. */
function verdict(model: Receiver, chain: Chain, { n, pn, bad }: Letter): string {
  if (n > 999 || pn > 1_000) return "session/chain-limit"
  if ((chain === model.current && n < model.nr) || model.retired.includes(chain)) {
    if (stored(model, chain, n) === undefined) return "session/replay"
  } else if (chain !== model.current) {
    if (!model.own || pn < model.nr || (model.current === null && pn !== 0)) return "envelope/open"
    if (chain.turn !== model.insider.turn || chain.early) return "envelope/open"
  }
  return bad ? "envelope/open" : "ok"
}

/** Effects R1 to R4. */
function accept(model: Receiver, chain: Chain, { n, pn }: Letter): void {
  const skip = (from: number, to: number, of: Chain): void => {
    for (let i = from; i < to; i++) model.skipped.push({ chain: of, n: i, time: model.now })
  }
  if ((chain === model.current && n < model.nr) || model.retired.includes(chain)) {
    model.skipped = model.skipped.filter((key) => key.chain !== chain || key.n !== n)
  } else if (chain === model.current) {
    skip(model.nr, n, chain)
    model.nr = n + 1
  } else {
    if (model.current !== null) {
      skip(model.nr, pn, model.current)
      model.retired = [...model.retired, model.current].slice(-RETIRED)
    }
    skip(0, n, chain)
    model.current = chain
    model.nr = n + 1
    model.own = false
  }
  const live = [model.current, ...model.retired]
  model.skipped = model.skipped
    .filter((key) => live.includes(key.chain) && model.now - key.time < KEPT)
    .slice(-MOST)
}

/** session-view of SPEC §10.2. */
function view({ th, suite, ns, pn, nr, skipped }: Receiver): string {
  const numbers = [suite, 1, ns, pn, nr, skipped.length].map((n) => uint(n))
  return array(bstr(th), ...numbers)
}

async function deliver(model: Receiver, trial: Trial, letter: Letter): Promise<void> {
  const chain = pick(model.chains, letter.chain)
  const contents = [content(letter.n)]
  const deviation = letter.bad ? { ikSecret: "66".repeat(32) } : {}
  const making = { chain, n: letter.n, pn: letter.pn, contents, deviation }
  const envelope = await model.insider.envelope(making)
  const args = opening(model.session, envelope, model.now)
  const code = verdict(model, chain, letter)
  if (code !== "ok") {
    await trial.reject("session.open", args, code, "unchanged")
    return
  }
  accept(model, chain, letter)
  await trial.ok("session.open", args, { contents, view: view(model) })
}

const small = fc.oneof(
  { arbitrary: fc.nat(6), weight: 12 },
  { arbitrary: fc.constantFrom(700, 999, 1000), weight: 1 },
)

/** What a peer that breaks the rules does, and what else happens. */
export const RECEIVE_MOVES: readonly Move<Receiver>[] = [
  move<Receiver, Letter>(
    "deliver",
    fc.record({
      ...{
        n: small,
        pn: fc.oneof({ arbitrary: fc.nat(8), weight: 9 }, fc.constantFrom(999, 1001)),
      },
      ...{ chain: fc.nat(12), bad: fc.nat(7).map((n) => n === 7) },
    }),
    deliver,
    ({ chains }) => chains.length > 0,
  ),
  // The newest chain with a pn that fits: most random pairs would be refused.
  move<Receiver, number>(
    "continue",
    fc.nat(6),
    (model, trial, n) => {
      const pn = model.current === null ? 0 : model.nr + (n % 3)
      return deliver(model, trial, { n, pn, chain: model.chains.length - 1, bad: false })
    },
    ({ chains }) => chains.length > 0,
  ),
  // Also a step too many: only a receiver that keeps its ratchet key can follow.
  move<Receiver, boolean>("step", fc.boolean(), async (model, _trial, early) => {
    model.chains.push(await model.insider.step(early ? model.current : null))
  }),
  move<Receiver, null>(
    "answer",
    fc.constant(null),
    async (model, trial) => {
      const first = !model.own
      if (first) {
        model.pn = model.ns
        model.ns = 0
      }
      const envelope = await sealed(trial, model.session, 1_000 + model.sent++)
      model.ns++
      model.own = true
      if (first) await model.insider.answered(model.current as Chain, envelope)
    },
    ({ current }) => current !== null,
  ),
  move<Receiver, number>(
    "wait",
    fc.constantFrom(1, 86_400, KEPT - 1, KEPT),
    async (model, _t, s) => {
      model.now += s
    },
  ),
]

/** A responder that knows nothing yet, and the insider that will send to it. */
export async function receiver(trial: Trial, met: Meeting): Promise<Receiver> {
  const it = await meet(trial, met)
  const { handle } = await trial.ok("session.new", sessionArgs(it, "responder"))
  const insider = new Insider(it, trial.oracle)
  return {
    ...{ insider, session: handle as string, th: it.th, suite: it.suite },
    ...{ chains: [await insider.step()], now: NOW, current: null, nr: 0, retired: [] },
    ...{ skipped: [], own: true, ns: 0, pn: 0, sent: 0 },
  }
}

export const RECEIVE_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{ id: "session-p10", title: "whatever a peer sends, the rules of receiving decide" },
      ...{ req: "SESSION-8 SESSION-9 SESSION-10 SESSION-11 SESSION-12 SESSION-16 SESSION-17" },
      ...{ tier: 2, runs: 25 },
    },
    {
      config: meeting,
      setup: receiver,
      ...{ moves: RECEIVE_MOVES, max: 30 },
    },
  ),
]
