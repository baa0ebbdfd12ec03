// Properties of SPEC §12 as command sequences: two agents without a hub, a bad network between
// them, restarts, crashes, clones, glare.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { type Agent, agentOf, bodyOf, receiving, restore, sending, snapshot } from "./agents.ts"
import type { Setting } from "./define.ts"
import { type Flip, flip, flipped, pick } from "./gen.ts"
import { readHeader } from "./insider.ts"
import { type Move, modelProperty, move } from "./model.ts"
import type { Trial } from "./trial.ts"

type End = 0 | 1
const end = fc.constantFrom<End>(0, 1)

/** An envelope on its way. */
export interface Letter {
  readonly from: End
  readonly id: string
  readonly body: string
  readonly envelope: string
  readonly sid: string
  readonly block: string
  read: boolean
}

/** Two agents, and what was sent between them. */
export interface Two {
  readonly agents: readonly [Agent, Agent]
  readonly letters: Letter[]
  /** Blocks that an end has accepted, by session, newest last. */
  readonly accepted: readonly [Map<string, string[]>, Map<string, string[]>]
  /** Chain positions and guards of all that was sealed. */
  readonly used: Set<string>
  readonly guards: Set<string>
  /** Contents handed to the application, and receipts, by end. */
  readonly got: readonly [Set<string>, Set<string>]
  readonly told: readonly [string[], string[]]
  /** Ends of which an envelope was lost, with the receipts in it. */
  readonly lost: Set<End>
}

/** Suite, and a number for seeds. */
export const pairs = ({ suites }: Setting): fc.Arbitrary<[1 | 2, number]> =>
  fc.tuple(fc.constantFrom(...suites), fc.nat(0xffff))

/** Two agents that know each other's bundles. */
export async function two(trial: Trial, suite: number, n: number): Promise<Two> {
  const options = { suites: [suite], trust: { accept: "any" } }
  const alice = await agentOf(trial, "alice", n, options)
  const bob = await agentOf(trial, "bob", n + 1, options)
  await trial.ok("agent.trust", { agent: alice.handle, bundle: bob.bundle })
  await trial.ok("agent.trust", { agent: bob.handle, bundle: alice.bundle })
  return {
    ...{ agents: [alice, bob], letters: [], accepted: [new Map(), new Map()] },
    ...{
      used: new Set(),
      guards: new Set(),
      got: [new Set(), new Set()],
      told: [[], []],
      lost: new Set(),
    },
  }
}

async function write(model: Two, trial: Trial, from: End): Promise<Letter> {
  const [agent, peer] = [model.agents[from], model.agents[from === 0 ? 1 : 0]]
  const body = bodyOf(model.letters.length)
  const made = await trial.ok("agent.send", sending(agent, peer.name, body))
  const { envelope, id } = made as Record<"envelope" | "id", string>
  const { sid, block, n, guard } = readHeader(envelope)
  trial.check(!model.guards.has(guard), "a guard is used twice")
  model.guards.add(guard)
  const place = `${block.x} ${n}`
  trial.check(!model.used.has(place), "a place in a chain is used twice")
  model.used.add(place)
  return { from, id, body, envelope, sid, block: block.x, read: false }
}

const send = move<Two, End>("send", end, async (model, trial, from) => {
  model.letters.push(await write(model, trial, from))
})

/** Whether the receiver still has, or can make, the key. */
function reachable(model: Two, { from, sid, block }: Letter): boolean {
  const chains = model.accepted[from === 0 ? 1 : 0].get(sid) ?? []
  const at = chains.indexOf(block)
  return at < 0 || at >= chains.length - 5
}

async function read(model: Two, trial: Trial, letter: Letter): Promise<void> {
  const to = letter.from === 0 ? 1 : 0
  const args = receiving(model.agents[to], letter.envelope)
  if (letter.read) {
    await trial.reject("agent.receive", args, "session/replay", "unchanged")
    return
  }
  const contents = [{ id: letter.id, body: letter.body }]
  const came = await trial.ok("agent.receive", args, { contents, refused: [] })
  const { name } = came["sender"] as { name: string }
  trial.equal(name, model.agents[letter.from].name, "sender")
  for (const { id, status } of came["receipts"] as unknown as { id: string; status: number }[]) {
    trial.equal(status, 1, "status of a receipt")
    model.told[to].push(id)
  }
  letter.read = true
  trial.check(!model.got[to].has(letter.id), "a content is handed over twice")
  model.got[to].add(letter.id)
  const chains = model.accepted[to].get(letter.sid) ?? []
  if (!chains.includes(letter.block)) model.accepted[to].set(letter.sid, [...chains, letter.block])
}

const some = (model: Two, which: number): boolean => {
  return model.letters.length > 0 && reachable(model, pick(model.letters, which))
}

const deliver = move<Two, number>(
  "deliver",
  fc.nat(30),
  (model, trial, which) => read(model, trial, pick(model.letters, which)),
  some,
)

const tamper = move<Two, { which: number; at: Flip }>(
  "tamper",
  fc.record({ which: fc.nat(30), at: flip }),
  async (model, trial, { which, at }) => {
    const letter = pick(model.letters, which)
    const size = letter.envelope.length / 2
    const from = size - readHeader(letter.envelope).ct.length / 2
    const bad = flipped(trial, letter.envelope, at, from, size)
    const args = receiving(model.agents[letter.from === 0 ? 1 : 0], bad)
    await trial.reject(
      "agent.receive",
      args,
      letter.read ? "session/replay" : "envelope/open",
      "unchanged",
    )
  },
  (model, { which }) => some(model, which),
)

const restart = move<Two, End>("restart", end, async ({ agents }, _trial, which) => {
  await restore(agents[which], await snapshot(agents[which]))
})

/** All is read; each end was told of each of its contents that arrived, once. */
async function settle(model: Two, trial: Trial): Promise<void> {
  for (const letter of model.letters) {
    if (!letter.read && reachable(model, letter)) await read(model, trial, letter)
  }
  for (const from of [0, 1, 0, 1] as const)
    await read(model, trial, await write(model, trial, from))
  for (const to of [0, 1] as const) {
    const told = model.told[to]
    trial.equal(new Set(told).size, told.length, "receipts, each once")
    const known = model.got[to === 0 ? 1 : 0]
    trial.check(
      told.every((id) => known.has(id)),
      "a receipt for what never arrived",
    )
    if (model.lost.has(to === 0 ? 1 : 0)) continue
    const arrived = model.letters.filter(({ from, read: was }) => from === to && was)
    trial.check(
      arrived.every(({ id }) => told.includes(id)),
      "a content that arrived has no receipt",
    )
  }
}

const NETWORK: readonly Move<Two>[] = [send, deliver, send, deliver, tamper, restart]

/** The process dies inside an operation, before or after its commit; the reply is lost either way. */
const CRASHES: readonly Move<Two>[] = [
  send,
  deliver,
  move<Two, End>("crash after the commit of a send", end, async (model, trial, from) => {
    await write(model, trial, from)
    model.lost.add(from)
    await restore(model.agents[from], await snapshot(model.agents[from]))
  }),
  move<Two, number>(
    "crash before the commit of a receive",
    fc.nat(30),
    async (model, trial, which) => {
      const letter = pick(model.letters, which)
      const agent = model.agents[letter.from === 0 ? 1 : 0]
      const before = await snapshot(agent)
      await trial.either("agent.receive", receiving(agent, letter.envelope))
      await restore(agent, before)
      await read(model, trial, letter)
    },
    some,
  ),
  move<Two, number>(
    "crash after the commit of a receive",
    fc.nat(30),
    async (model, trial, which) => {
      const letter = pick(model.letters, which)
      const agent = model.agents[letter.from === 0 ? 1 : 0]
      await read(model, trial, letter)
      await restore(agent, await snapshot(agent))
      await read(model, trial, letter)
    },
    some,
  ),
]

async function glared(model: Two, trial: Trial): Promise<void> {
  for (const letter of model.letters) if (!letter.read) await read(model, trial, letter)
  const both = [0, 1].every((from) => model.letters.some((letter) => letter.from === from))
  // Each end hears the other on the session that the other chose; then both have delivered.
  for (let round = 0; round < 2; round++) {
    const fresh = [await write(model, trial, 0), await write(model, trial, 1)] as const
    for (const letter of fresh) await read(model, trial, letter)
  }
  const last = [await write(model, trial, 0), await write(model, trial, 1)] as const
  if (both) trial.equal(last[0].sid, last[1].sid, "the session on which the second end sends")
}

export const AGENT_NETWORK_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{
        id: "agent-p03",
        title: "over a bad network each content is handed over and receipted once",
      },
      ...{ req: "AGENT-37 AGENT-47 AGENT-54 SESSION-5 SESSION-19", tier: 2, runs: 12 },
    },
    {
      ...{ config: pairs, moves: NETWORK, max: 20, finish: settle },
      setup: (trial, [suite, n]) => two(trial, suite, n),
    },
  ),
  modelProperty(
    {
      ...{ id: "agent-p04", title: "a crash before or after any commit loses and repeats nothing" },
      ...{ req: "AGENT-2 AGENT-5 SESSION-3 AGENT-54", tier: 2, runs: 12 },
    },
    {
      ...{ config: pairs, moves: CRASHES, max: 16, finish: settle },
      setup: (trial, [suite, n]) => two(trial, suite, n),
    },
  ),
  modelProperty(
    {
      ...{ id: "agent-p06", title: "two sessions founded at once end in one choice at both ends" },
      ...{ req: "SESSION-5 SESSION-6", tier: 2, runs: 12 },
    },
    {
      ...{ config: pairs, moves: [send, deliver], max: 8, finish: glared },
      setup: (trial, [suite, n]) => two(trial, suite, n),
    },
  ),
]
