// Properties of SPEC §10 as command sequences: a bad network between two ends.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { content } from "./forge.ts"
import { flip, flipped, pick, seed } from "./gen.ts"
import { readHeader } from "./insider.ts"
import { type Move, modelProperty, move } from "./model.ts"
import { type Meeting, meet, meeting, opening, pair, sealed } from "./session.ts"
import type { Performer, Trial } from "./trial.ts"

type End = "a" | "b"
const OTHER = { a: "b", b: "a" } as const

interface Letter {
  readonly from: End
  readonly i: number
  readonly envelope: string
  /** Number of its chain at the sender. */
  readonly chain: number
  read: boolean
}

interface Network {
  readonly by: Readonly<Record<End, Performer>>
  readonly session: Readonly<Record<End, string>>
  readonly letters: Letter[]
  /** Number of each end's sending chain; whether its next seal steps. */
  readonly chain: Record<End, number>
  readonly due: Record<End, boolean>
  /** Newest chain of the other end that an end has accepted; -1: none. */
  readonly newest: Record<End, number>
}

async function network(trial: Trial, met: Meeting, ends: string): Promise<Network> {
  const it = await meet(trial, met)
  const by = {
    a: ends === "b" ? trial.oracle : trial,
    b: ends === "a" ? trial.oracle : trial,
  }
  const session = await pair(it, by.a, by.b)
  return {
    ...{ by, session, letters: [], chain: { a: -1, b: -1 } },
    ...{ due: { a: true, b: false }, newest: { a: -1, b: -1 } },
  }
}

const send = move<Network, End>(
  "send",
  fc.constantFrom("a", "b"),
  async (model, _trial, from) => {
    const i = model.letters.length
    if (model.due[from]) model.chain[from]++
    model.due[from] = false
    const envelope = await sealed(model.by[from], model.session[from], i)
    model.letters.push({ from, i, envelope, chain: model.chain[from], read: false })
  },
  // A responder seals after its first open only.
  (model, from) => from === "a" || model.newest.b >= 0,
)

/** Whether the receiver still has, or can make, the key of a letter. */
function reachable(model: Network, { from, chain }: Letter): boolean {
  return model.newest[OTHER[from]] - chain <= 4
}

const deliver = move<Network, number>(
  "deliver",
  fc.nat(40),
  async (model, trial, which) => {
    const letter = pick(model.letters, which)
    const to = OTHER[letter.from]
    const args = opening(model.session[to], letter.envelope)
    const by = model.by[to]
    if (by !== trial) {
      const came = await trial.oracle.call("session.open", args)
      trial.check(!!came.ok === !letter.read, "the reference does not read what the driver sealed")
      if (came.ok) trial.equal(came.ok["contents"], [content(letter.i)], "contents")
    } else if (letter.read) await trial.reject("session.open", args, "session/replay", "unchanged")
    else await trial.ok("session.open", args, { contents: [content(letter.i)] })
    letter.read = true
    if (letter.chain <= model.newest[to]) return
    model.newest[to] = letter.chain
    model.due[to] = true
  },
  (model, which) => model.letters.length > 0 && reachable(model, pick(model.letters, which)),
)

const tamper = move<Network, { which: number; at: { at: number; bit: number } }>(
  "tamper",
  fc.record({ which: fc.nat(40), at: flip }),
  async (model, trial, { which, at }) => {
    const letter = pick(model.letters, which)
    const to = OTHER[letter.from]
    const size = letter.envelope.length / 2
    const from = size - readHeader(letter.envelope).ct.length / 2
    const bad = flipped(trial, letter.envelope, at, from, size)
    const code = letter.read ? "session/replay" : "envelope/open"
    await trial.reject("session.open", opening(model.session[to], bad), code, "unchanged")
  },
  (model, which) => {
    const letter = model.letters[which.which % Math.max(1, model.letters.length)]
    if (!letter || model.by[OTHER[letter.from]] === model.by[letter.from]) {
      return letter !== undefined && reachable(model, letter)
    }
    return reachable(model, letter) && !("verdict" in model.by[OTHER[letter.from]])
  },
)

const reflect = move<Network, number>(
  "reflect",
  fc.nat(40),
  async (model, trial, which) => {
    const { from, envelope } = pick(model.letters, which)
    const reply = await trial.either("session.open", opening(model.session[from], envelope))
    trial.check(reply.ok === undefined, "an envelope is accepted by its sender")
  },
  ({ letters, by }, which) => letters.length > 0 && !("verdict" in by[pick(letters, which).from]),
)

/** All letters that can be read are read, and a fresh one passes each way. */
async function settle(model: Network, trial: Trial): Promise<void> {
  const one = async (letter: Letter): Promise<void> => {
    const to = OTHER[letter.from]
    const args = opening(model.session[to], letter.envelope)
    const output = { contents: [content(letter.i)] }
    if (model.by[to] === trial) await trial.ok("session.open", args, output)
    else {
      const came = await trial.oracle.call("session.open", args)
      trial.check(came.ok !== undefined, "the reference cannot open what the driver sealed")
    }
  }
  for (const letter of model.letters)
    if (!letter.read && reachable(model, letter)) await one(letter)
  if (model.letters.length === 0) return
  const i = model.letters.length
  for (const from of ["a", "b"] as const) {
    const envelope = await sealed(model.by[from], model.session[from], i)
    await one({ from, i, envelope, chain: 0, read: false })
  }
}

const MOVES: readonly Move<Network>[] = [send, deliver, send, deliver, tamper, reflect]

interface Two {
  readonly trial: Trial
  readonly nets: readonly [Network, Network]
  count: number
}

const crosstalk: readonly Move<Two>[] = [
  move<Two, { net: number; from: End }>(
    "send",
    fc.record({ net: fc.nat(1), from: fc.constantFrom("a", "b") }),
    async ({ nets, trial }, _real, { net, from }) => {
      const model = nets[net as 0 | 1]
      const i = model.letters.length
      if (from === "b" && model.newest.b < 0) return
      const envelope = await sealed(trial, model.session[from], i)
      model.letters.push({ from, i, envelope, chain: 0, read: false })
    },
  ),
  move<Two, { net: number; which: number; wrong: number }>(
    "deliver",
    fc.record({ net: fc.nat(1), which: fc.nat(20), wrong: fc.nat(3) }),
    async ({ nets }, trial, { net, which, wrong }) => {
      const [model, other] = net === 0 ? nets : [nets[1], nets[0]]
      const letter = pick(model.letters, which)
      const to = OTHER[letter.from]
      const args = opening(other.session[to], letter.envelope)
      await trial.reject("session.open", args, "session/unknown", "unchanged")
      const { sid } = readHeader(other.letters[0]?.envelope ?? letter.envelope)
      const moved = letter.envelope.replace(readHeader(letter.envelope).sid, sid)
      if (wrong > 0 && moved !== letter.envelope) {
        const reply = await trial.either("session.open", opening(other.session[to], moved))
        trial.check(reply.ok === undefined, "an envelope of another session is accepted")
      }
      const right = opening(model.session[to], letter.envelope)
      if (letter.read) await trial.reject("session.open", right, "session/replay", "unchanged")
      else await trial.ok("session.open", right, { contents: [content(letter.i)] })
      letter.read = true
      model.newest[to] = 0
    },
    ({ nets }, { net }) => nets[net as 0 | 1].letters.length > 0,
  ),
  move<Two, { which: number; other: number }>(
    "splice",
    fc.record({ which: fc.nat(20), other: fc.nat(20) }),
    async ({ nets: [model] }, trial, { which, other }) => {
      const [one, two] = [pick(model.letters, which), pick(model.letters, other)]
      if (one.envelope === two.envelope) return
      const { ct } = readHeader(two.envelope)
      const spliced = one.envelope.slice(0, -readHeader(one.envelope).ct.length) + ct
      const to = OTHER[one.from]
      const reply = await trial.either("session.open", opening(model.session[to], spliced))
      trial.check(reply.ok === undefined, "the header of one opens the ciphertext of another")
    },
    ({ nets }) => nets[0].letters.length > 1,
  ),
]

export const NETWORK_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{ id: "session-p07", title: "over a bad network all that arrives is delivered, once" },
      ...{
        req: "SESSION-1 SESSION-9 SESSION-10 SESSION-13 SESSION-15 SESSION-19",
        tier: 2,
        runs: 15,
      },
    },
    {
      ...{ config: meeting, moves: MOVES, max: 30, finish: settle },
      setup: (trial, met) => network(trial, met, "both"),
    },
  ),
  modelProperty(
    {
      ...{ id: "session-p08", title: "driver and reference converse over a bad network" },
      ...{ req: "SESSION-1 SESSION-9 SESSION-10 SESSION-13 SESSION-15", tier: 2, runs: 15 },
    },
    {
      config: (setting) => fc.tuple(meeting(setting), fc.constantFrom("a", "b")),
      ...{ moves: MOVES, max: 30, finish: settle },
      setup: (trial, [met, end]) => network(trial, met, end),
    },
  ),
  modelProperty(
    {
      ...{ id: "session-p09", title: "nothing of one session passes in another, or in parts" },
      ...{ req: "SESSION-7 KEYSCHEDULE-2 ENVELOPE-13 SESSION-19", tier: 2, runs: 12 },
    },
    {
      config: ({ suites }) =>
        fc.tuple(
          fc.constantFrom(...suites),
          fc.uniqueArray(seed, { minLength: 3, maxLength: 3 }) as fc.Arbitrary<string[]>,
        ),
      ...{ moves: crosstalk, max: 16 },
      setup: async (trial, [suite, [a, b, c]]) => {
        const meet = (of: string) => network(trial, [suite, [of, b as string]], "both")
        const nets = [await meet(a as string), await meet(c as string)] as const
        return { trial, nets, count: 0 }
      },
    },
  ),
]
