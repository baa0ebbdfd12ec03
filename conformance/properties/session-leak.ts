// What a copy of a session's state opens: nothing from before, and nothing after it has healed
// (SPEC §15, T4 and T5). And what a sender's headers say, and never repeat.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Contact, sessionArgs } from "./flight.ts"
import { content } from "./forge.ts"
import { pick } from "./gen.ts"
import { readHeader } from "./insider.ts"
import { modelProperty, move } from "./model.ts"
import { meet, meeting, opening, pair, sealed } from "./session.ts"
import type { Trial } from "./trial.ts"

interface Leak {
  readonly alice: string
  readonly bob: string
  /** Copies of bob's state, kept in step with it until the leak. */
  readonly copies: readonly string[]
  leaked: boolean
  /** Bob has stepped with fresh keys since the leak; alice has answered these. */
  stepped: boolean
  healed: boolean
  due: { a: boolean; b: boolean }
  count: number
  readonly old: string[]
  met: boolean
}

/** One of the copies tries an envelope; each attempt uses up a copy that opens it. */
async function attack(model: Leak, trial: Trial, envelope: string): Promise<boolean> {
  const session = model.copies[0] as string
  const reply = await trial.either("session.open", opening(session, envelope))
  return reply.ok !== undefined
}

async function fromAlice(model: Leak, trial: Trial): Promise<void> {
  const i = model.count++
  model.due.a = false
  const envelope = await sealed(trial, model.alice, i)
  if (model.leaked) {
    // Before it has healed the attacker follows the conversation, so as to know all it can.
    const read = await attack(model, trial, envelope)
    const secret = !read || !model.healed
    trial.check(secret, "a state that leaked before two flights opens what came after them")
  }
  await trial.ok("session.open", opening(model.bob, envelope), { contents: [content(i)] })
  if (!model.leaked) {
    for (const copy of model.copies) await trial.ok("session.open", opening(copy, envelope))
  }
  if (!model.leaked) model.old.push(envelope)
  model.due.b = true
  model.met = true
}

const LEAK_MOVES = [
  move<Leak, null>("alice", fc.constant(null), (model, trial) => fromAlice(model, trial)),
  move<Leak, null>(
    "bob",
    fc.constant(null),
    async (model, trial) => {
      const i = model.count++
      const steps = model.due.b
      model.due.b = false
      const envelope = await sealed(trial, model.bob, i)
      if (!model.leaked) {
        for (const copy of model.copies) {
          const { envelope: same } = await trial.ok("session.seal", {
            ...{ session: copy, contents: [content(i)] },
          })
          trial.equal(same as string, envelope, "the copy of a session seals")
        }
      } else if (steps) model.stepped = true
      await trial.ok("session.open", opening(model.alice, envelope), { contents: [content(i)] })
      // Alice's next seal answers the fresh keys of bob.
      if (model.stepped) model.healed = true
      model.due.a = true
    },
    ({ met }) => met,
  ),
  move<Leak, null>("leak", fc.constant(null), async (model) => {
    model.leaked = true
  }),
  move<Leak, number>(
    "past",
    fc.nat(30),
    async (model, trial, which) => {
      const read = await attack(model, trial, pick(model.old, which))
      trial.check(!read, "a leaked state opens what was read before the leak")
    },
    ({ leaked, old }) => leaked && old.length > 0,
  ),
]

interface Sender {
  readonly it: Contact
  readonly own: string
  readonly peer: string
  readonly initiator: boolean
  readonly unread: string[]
  readonly waiting: string[]
  readonly keys: Set<string>
  readonly guards: Set<string>
  readonly blocks: Set<string>
  confirmed: boolean
  due: boolean
  block: string
  ns: number
  pn: number
  count: number
}

async function sends(model: Sender, trial: Trial): Promise<void> {
  if (model.due) {
    model.pn = model.ns
    model.ns = 0
  }
  const envelope = await sealed(trial, model.own, model.count++)
  const { sid, block, pn, n, guard, init } = readHeader(envelope)
  trial.equal(sid, model.it.sid, "sid")
  trial.equal([pn, n], [model.pn, model.ns], "pn and n")
  trial.equal(init, model.initiator && !model.confirmed, "whether the init is repeated")
  const fresh = !model.blocks.has(block.x)
  trial.equal(fresh, model.due, "whether the block is a new one")
  if (!fresh) trial.equal(block.x, model.block, "block")
  trial.check(!model.keys.has(`${block.x} ${n}`), "a message key is used twice")
  trial.check(!model.guards.has(guard), "a guard is used twice")
  model.keys.add(`${block.x} ${n}`)
  model.guards.add(guard)
  model.blocks.add(block.x)
  model.block = block.x
  model.ns++
  model.due = false
  model.unread.push(envelope)
}

const SENDER_MOVES = [
  move<Sender, null>(
    "send",
    fc.constant(null),
    sends,
    (model) => model.initiator || model.confirmed,
  ),
  move<Sender, null>(
    "answer",
    fc.constant(null),
    async (model, trial) => {
      const last = model.unread.splice(0).at(-1)
      if (last !== undefined) await trial.oracle.ok("session.open", opening(model.peer, last))
      model.waiting.push(await sealed(trial.oracle, model.peer, model.count++))
    },
    ({ initiator, unread, waiting, confirmed }) =>
      !initiator || unread.length > 0 || waiting.length > 0 || confirmed,
  ),
  move<Sender, number>(
    "read",
    fc.nat(9),
    async (model, trial, which) => {
      const at = which % model.waiting.length
      const [envelope] = model.waiting.splice(at, 1) as [string]
      const { block } = readHeader(envelope)
      await trial.ok("session.open", opening(model.own, envelope))
      model.confirmed = true
      if (!model.blocks.has(block.x)) model.due = true
      model.blocks.add(block.x)
    },
    ({ waiting }) => waiting.length > 0,
  ),
]

export const LEAK_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{
        id: "session-p11",
        title: "a leaked state opens nothing earlier, and nothing once healed",
      },
      ...{ req: "SESSION-21 SESSION-1 SESSION-9 KEYSCHEDULE-1", tier: 2, needs: ["deterministic"] },
      runs: 20,
    },
    {
      config: meeting,
      setup: async (trial, met) => {
        const it = await meet(trial, met)
        const { a: alice, b: bob } = await pair(it, trial, trial)
        // The copy draws what bob draws until it is let go; what it never shares is what comes later.
        const { handle } = await trial.ok("session.new", sessionArgs(it, "responder"))
        return {
          ...{ alice, bob, copies: [handle as string], leaked: false, stepped: false },
          ...{ healed: false, due: { a: true, b: false }, count: 0, old: [], met: false },
        }
      },
      ...{ moves: LEAK_MOVES, max: 16 },
    },
  ),
  modelProperty(
    {
      ...{
        id: "session-p12",
        title: "a sender repeats its init until it is answered, and no key ever",
      },
      ...{
        req: "HANDSHAKE-7 HANDSHAKE-8 SESSION-1 KEYSCHEDULE-1 KEYSCHEDULE-6",
        tier: 2,
        runs: 20,
      },
    },
    {
      config: (setting) => fc.tuple(meeting(setting), fc.boolean()),
      setup: async (trial, [met, initiator]): Promise<Sender> => {
        const it = await meet(trial, met)
        const [mine, other] = initiator ? [trial, trial.oracle] : [trial.oracle, trial]
        const { a, b } = await pair(it, mine, other)
        return {
          ...{ it, own: initiator ? a : b, peer: initiator ? b : a, initiator, unread: [] },
          ...{ waiting: [], keys: new Set(), guards: new Set(), blocks: new Set() },
          ...{ confirmed: false, due: true, block: "", ns: 0, pn: 0, count: 0 },
        }
      },
      ...{ moves: SENDER_MOVES, max: 24 },
    },
  ),
]
