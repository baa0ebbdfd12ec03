// Interoperability: two implementations talk, the suite carries the envelopes (SPEC §12, no hub).

import type { Driver, Hello, Json, JsonObject, Reply } from "./driver.ts"
import { lacks } from "./runner.ts"
import { short } from "./values.ts"
import type { Verdict, WireEntry } from "./verdict.ts"

/** One side of a conversation. */
export interface Party {
  /** The name by which the command line calls it. */
  readonly name: string
  readonly driver: Driver
  readonly hello: Hello
}

/** What a party is asked to do in a script. */
interface Side {
  readonly name: string
  /** Sends a body (its index) and returns the envelope. */
  readonly send: (index: number) => Promise<string>
  /** Takes an envelope; checks that exactly these bodies arrive, by index. */
  readonly take: (envelope: string, ...indices: readonly number[]) => Promise<void>
  /** Takes an envelope that has to be refused with this code. */
  readonly refuse: (envelope: string, code: string) => Promise<void>
  /** Goes on from a copy of its store. */
  readonly restart: () => Promise<void>
}

/** One conversation: A speaks first. */
interface Script {
  readonly name: string
  readonly title: string
  readonly req: readonly string[]
  readonly play: (a: Side, b: Side) => Promise<void>
}

const range = (count: number, from: number = 0): readonly number[] =>
  Array.from({ length: count }, (_, i) => from + i)

/** All conversations. */
const SCRIPTS: readonly Script[] = [
  {
    name: "contact",
    title: "first contact and an answer",
    req: ["HANDSHAKE-32", "SESSION-14"],
    async play(a, b) {
      await b.take(await a.send(0), 0)
      await a.take(await b.send(1), 1)
      await b.take(await a.send(2), 2)
    },
  },
  {
    name: "turns",
    title: "forty turns: each answer steps the ratchet",
    req: ["SESSION-1", "KEYSCHEDULE-2"],
    async play(a, b) {
      for (const i of range(20)) {
        await b.take(await a.send(2 * i), 2 * i)
        await a.take(await b.send(2 * i + 1), 2 * i + 1)
      }
    },
  },
  {
    name: "burst",
    title: "sixty envelopes one way, backwards",
    req: ["SESSION-9", "SESSION-17"],
    async play(a, b) {
      await b.take(await a.send(0), 0)
      await a.take(await b.send(1), 1)
      const envelopes: string[] = []
      for (const i of range(60, 2)) envelopes.push(await a.send(i))
      for (const [i, envelope] of [...envelopes.entries()].reverse()) await b.take(envelope, i + 2)
    },
  },
  {
    name: "loss",
    title: "every third envelope is lost, both ways",
    req: ["SESSION-1", "SESSION-9"],
    async play(a, b) {
      await b.take(await a.send(0), 0)
      for (const i of range(30, 1)) {
        const [from, to] = i % 4 < 2 ? [b, a] : [a, b]
        const envelope = await from.send(i)
        if (i % 3 !== 0) await to.take(envelope, i)
      }
    },
  },
  {
    name: "glare",
    title: "both write first at the same time",
    req: ["HANDSHAKE-32", "SESSION-1"],
    async play(a, b) {
      const [first, second] = [await a.send(0), await b.send(1)]
      await b.take(first, 0)
      await a.take(second, 1)
      await b.take(await a.send(2), 2)
      await a.take(await b.send(3), 3)
    },
  },
  {
    name: "replay",
    title: "each envelope twice: once delivered, once refused",
    req: ["SESSION-9"],
    async play(a, b) {
      const first = await a.send(0)
      await b.take(first, 0)
      await a.take(await b.send(1), 1)
      const second = await a.send(2)
      await b.take(second, 2)
      await b.refuse(second, "session/replay")
      await b.take(await a.send(3), 3)
    },
  },
  {
    name: "restart",
    title: "each side goes on from its store",
    req: ["AGENT-2", "SESSION-1"],
    async play(a, b) {
      await b.take(await a.send(0), 0)
      await a.restart()
      await a.take(await b.send(1), 1)
      await b.restart()
      await b.take(await a.send(2), 2)
      await a.take(await b.send(3), 3)
    },
  },
]

/** A script came to another end. */
class Mismatch extends Error {
  override readonly name = "Mismatch"
}

const NOW = 1_767_225_600
const seedOf = (name: string, suite: number): string =>
  `${name === "a" ? "a1" : "b2"}${suite.toString(16).padStart(2, "0")}`.repeat(16)

/** The body with an index: `{"i": index}` in the payload profile. */
function bodyOf(index: number): string {
  const number = index < 24 ? [index] : [0x18, index]
  return ["a16169", ...number.map((byte) => byte.toString(16).padStart(2, "0"))].join("")
}

class Conversation {
  readonly log: WireEntry[] = []
  readonly #suite: number
  calls = 0

  constructor(suite: number) {
    this.#suite = suite
  }

  async call({ name, driver }: Party, op: string, args: JsonObject): Promise<Reply> {
    this.calls++
    const reply = await driver.call(op, args)
    this.log.push({ op, args, reply, why: name })
    return reply
  }

  async must(party: Party, op: string, args: JsonObject): Promise<JsonObject> {
    const reply = await this.call(party, op, args)
    if (reply.ok) return reply.ok
    throw new Mismatch(`${party.name} ${op}: expected ok; got ${short(reply as unknown as Json)}`)
  }

  async side(party: Party, name: string, peer: string): Promise<[Side, string, () => string]> {
    const made = { name, seed: seedOf(name, this.#suite), now: NOW, suites: [this.#suite] }
    const agent = await this.must(party, "agent.new", made)
    let handle = agent["handle"] as string
    const take = async (envelope: string, ...indices: readonly number[]): Promise<void> => {
      const { contents } = await this.must(party, "agent.receive", { agent: handle, envelope })
      const bodies = (contents as readonly JsonObject[]).map(({ body }) => body)
      if (JSON.stringify(bodies) === JSON.stringify(indices.map(bodyOf))) return
      throw new Mismatch(
        `${party.name} agent.receive: expected ${indices}, got ${short(bodies as Json)}`,
      )
    }
    const side: Side = {
      name: party.name,
      send: async (index) => {
        const args = { agent: handle, to: peer, body: bodyOf(index) }
        return (await this.must(party, "agent.send", args))["envelope"] as string
      },
      take,
      refuse: async (envelope, code) => {
        const reply = await this.call(party, "agent.receive", { agent: handle, envelope })
        if (reply.reject?.code === code) return
        const came = short(reply as unknown as Json)
        throw new Mismatch(`${party.name} agent.receive: expected ${code}; got ${came}`)
      },
      restart: async () => {
        const copy = await this.must(party, "agent.snapshot", { agent: handle })
        await this.call(party, "drop", { handle })
        const seed = seedOf(name, this.#suite + 16)
        const again = { ...made, seed, snapshot: copy["handle"] as string }
        handle = (await this.must(party, "agent.restore", again))["handle"] as string
        await this.call(party, "drop", { handle: copy["handle"] as string })
      },
    }
    return [side, agent["bundle"] as string, () => handle]
  }
}

/** What an interoperability run covers: every ordered pair, script and common suite. */
export function planInterop(parties: readonly Party[]): readonly {
  readonly id: string
  readonly title: string
  readonly req: readonly string[]
  readonly run: () => Promise<Verdict>
}[] {
  const pairs = parties.flatMap((a) => parties.filter((b) => b !== a).map((b) => [a, b] as const))
  return pairs.flatMap(([a, b]) =>
    [1, 2].flatMap((suite) =>
      SCRIPTS.map((script) => ({
        id: `interop-${a.name}-${b.name}-${script.name}-${suite}`,
        title: `${script.title}; ${a.name} begins, suite ${suite}`,
        req: script.req,
        run: () => judge(a, b, script, suite),
      })),
    ),
  )
}

async function judge(a: Party, b: Party, script: Script, suite: number): Promise<Verdict> {
  const id = `interop-${a.name}-${b.name}-${script.name}-${suite}`
  const title = `${script.title}; ${a.name} begins, suite ${suite}`
  const about = { id, kind: "interop", title, req: script.req } as const
  for (const { name, hello } of [a, b]) {
    const missing = lacks(hello, [`suite-${suite}`, "tier-2", "role-agent"])
    if (missing) {
      const message = `${name} lacks ${missing}`
      return { ...about, outcome: "UNSUPPORTED", message, calls: 0 }
    }
  }
  const talk = new Conversation(suite)
  const handles: [Party, () => string][] = []
  try {
    const [first, firstBundle, firstHandle] = await talk.side(a, "a", "b")
    handles.push([a, firstHandle])
    const [second, secondBundle, secondHandle] = await talk.side(b, "b", "a")
    handles.push([b, secondHandle])
    await talk.must(a, "agent.trust", { agent: firstHandle(), bundle: secondBundle })
    await talk.must(b, "agent.trust", { agent: secondHandle(), bundle: firstBundle })
    await script.play(first, second)
    return { ...about, outcome: "PASS", message: "", calls: talk.calls }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    const { log, calls } = talk
    return { ...about, outcome: "FAIL", message: error.message, calls, log: log.slice(-40) }
  } finally {
    for (const [party, handle] of handles) await party.driver.call("drop", { handle: handle() })
  }
}
