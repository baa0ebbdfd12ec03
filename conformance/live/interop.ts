// Two implementations talk through a hub over TCP: pairs of drivers, scripts, suites (SPEC §12).

import { randomBytes } from "node:crypto"
import { NetworkHubServer } from "../../src/node/network-hub-server.ts"
import type { Driver, Hello } from "../driver.ts"
import { hex } from "../values.ts"
import type { Verdict } from "../verdict.ts"
import { newcomer } from "./hub/actors.ts"
import { Link, T } from "./hub/link.ts"
import { Failure } from "./hub/stream.ts"
import { check, same } from "./hub/trial.ts"
import { Party } from "./party.ts"

/** Two agents at one hub. */
class Pair {
  readonly a: Party
  readonly b: Party
  readonly #port: number

  constructor(a: Party, b: Party, port: number) {
    this.a = a
    this.b = b
    this.#port = port
  }

  async connect(party: Party): Promise<void> {
    await party.ok("agent.connect", { agent: party.handle, host: "127.0.0.1", port: this.#port })
  }

  async disconnect(party: Party): Promise<void> {
    await party.ok("agent.disconnect", { agent: party.handle })
  }

  /** Lets both work until something holds. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const { a, b } = this
    await a.until(condition, what, () => b.poll(20))
  }

  /** Both have told exactly these texts, and all are receipted. Order is promised in a chain only. */
  async exchanged(toA: readonly string[], toB: readonly string[]): Promise<void> {
    const { a, b } = this
    const delivered = (party: Party): number =>
      new Set(party.receipts.map(({ id }) => String(id))).size
    const done = (): boolean =>
      a.messages.length >= toA.length &&
      b.messages.length >= toB.length &&
      delivered(a) >= toB.length &&
      delivered(b) >= toA.length
    await this.until(done, "all messages are told, and all are receipted")
    same(a.messages.map(({ text }) => text).sort(), [...toA].sort(), "messages of a")
    same(b.messages.map(({ text }) => text).sort(), [...toB].sort(), "messages of b")
    for (const [one, other, name] of [
      [a, b, "b"],
      [b, a, "a"],
    ] as const) {
      const right = one.messages.every(
        (m) => m.from === name && m.fingerprint === other.fingerprint,
      )
      check(right, `messages name ${name} and its fingerprint as their sender`)
      same([...one.refused, ...one.undelivered], [], "refusals and contents given up")
    }
  }
}

const numbers = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`)

interface Script {
  readonly name: string
  readonly req: readonly string[]
  run(p: Pair): Promise<void>
}

const SCRIPTS: readonly Script[] = [
  {
    name: "first contact",
    req: ["HANDSHAKE-1", "AGENT-54", "AGENT-58"],
    async run(p) {
      await p.a.submit("b", "hello")
      await p.exchanged([], ["hello"])
    },
  },
  {
    name: "ping-pong",
    req: ["SESSION-1", "SESSION-15"],
    async run(p) {
      for (let i = 0; i < 6; i++) {
        await p.a.submit("b", `ping ${i}`)
        await p.until(() => p.b.told(`ping ${i}`), "the ping is told")
        await p.b.submit("a", `pong ${i}`)
        await p.until(() => p.a.told(`pong ${i}`), "the pong is told")
      }
      await p.exchanged(numbers("pong", 6), numbers("ping", 6))
    },
  },
  {
    name: "100 messages each way",
    req: ["SESSION-1", "SESSION-15", "AGENT-14"],
    async run(p) {
      await p.a.submit("b", "a 0")
      await p.until(() => p.b.told("a 0"), "the first message is told")
      for (let i = 0; i < 100; i++) {
        if (i > 0) await p.a.submit("b", `a ${i}`)
        await p.b.submit("a", `b ${i}`)
      }
      await p.exchanged(numbers("b", 100), numbers("a", 100))
    },
  },
  {
    name: "reply, and what was asked for",
    req: ["AGENT-12", "AGENT-58"],
    async run(p) {
      const id = await p.a.submit("b", "question", { ask: 1 })
      await p.until(() => p.b.told("question"), "the question is told")
      same(p.b.messages[0]?.id, id, "id of the question")
      await p.b.submit("a", "answer", { re: id })
      await p.until(() => p.a.told("answer"), "the answer is told")
      same(p.a.messages[0]?.re, id, "what the answer names")
      const processed = (): boolean => p.a.receipts.some((one) => one["state"] === "processed")
      await p.until(processed, "the question is receipted as processed")
      await p.exchanged(["answer"], ["question"])
    },
  },
  {
    name: "mail for an agent that is away; restarts of both",
    req: ["AGENT-15", "AGENT-28", "HUB-34"],
    async run(p) {
      await p.a.submit("b", "before")
      await p.until(() => p.b.told("before"), "the first message is told")
      await p.disconnect(p.b)
      await p.a.submit("b", "while away")
      await p.a.poll(200)
      await p.disconnect(p.a)
      await p.connect(p.b)
      await p.b.submit("a", "you are away")
      await p.connect(p.a)
      await p.a.submit("b", "after")
      await p.exchanged(["you are away"], ["before", "while away", "after"])
    },
  },
]

/** How two drivers are tried with each other. */
export interface InteropOptions {
  readonly onVerdict?: (verdict: Verdict) => void
  /** Longest time until something due happens, milliseconds; 20,000 by default. */
  readonly patience?: number
}

/** Ids and titles of what {@link runInterop} does: scripts times suites. */
export const INTEROP_CASES: readonly {
  readonly id: string
  readonly title: string
  readonly req: readonly string[]
  readonly suite: 1 | 2
}[] = SCRIPTS.flatMap(({ name, req }, i) =>
  ([1, 2] as const).map((suite) => ({
    ...{ id: `agent-interop-${i + 1}${suite}`, title: `${name}, suite ${suite}`, req, suite },
  })),
)

/** Waits until the bundle of b is at the hub: it may follow READY. */
async function published(b: Party, port: number): Promise<void> {
  const deadline = Date.now() + 10_000
  const reader = await Link.open({ host: "127.0.0.1", port, patience: 10_000 })
  try {
    await reader.login(newcomer("reader"))
    for (;;) {
      const answer = await reader.ask(T.getBundle, "b", [])
      if ("ok" in answer) return
      if (Date.now() > deadline)
        throw new Failure("expected in time: the bundle of b is at the hub")
      await b.poll(50)
    }
  } finally {
    reader.stream.destroy()
  }
}

async function attempt(a: Party, b: Party, suite: 1 | 2, script: Script): Promise<string> {
  const server = new NetworkHubServer({ port: 0 })
  const { port } = await server.start()
  try {
    const pair = new Pair(a, b, port)
    const now = Math.floor(Date.now() / 1000)
    for (const [party, name] of [
      [a, "a"],
      [b, "b"],
    ] as const) {
      const seed = hex(new Uint8Array(randomBytes(32)))
      await party.create({ name, seed, now, suites: [suite] })
      await pair.connect(party)
    }
    await pair.until(() => a.connected && b.connected, "both are connected")
    await published(b, port)
    await script.run(pair)
    return ""
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  } finally {
    for (const { driver, handle } of [a, b])
      if (handle !== "") await driver.call("drop", { handle })
    await server.stop()
  }
}

/**
 * Lets two drivers of tier 3 talk through the hub of this package.
 *
 * @param a - The one that begins.
 */
export async function runInterop(
  a: Driver,
  b: Driver,
  options: InteropOptions = {},
): Promise<readonly Verdict[]> {
  const { onVerdict, patience = 20_000 } = options
  const hellos = await Promise.all(
    [a, b].map(async (driver) => {
      const reply = await driver.call("hello", { driver: 1, spec: ["AgentMesh/1"] })
      return reply.ok as Hello | undefined
    }),
  )
  const verdicts: Verdict[] = []
  for (const { id, title, req, suite } of INTEROP_CASES) {
    const able = hellos.every((hello) => (hello?.tier ?? 0) >= 3 && hello?.suites.includes(suite))
    const about = { id, title, req, kind: "interop" as const }
    let verdict: Verdict
    if (!able) {
      const message = `needs tier 3 and suite ${suite} on both sides`
      verdict = { ...about, outcome: "UNSUPPORTED", message, calls: 0 }
    } else {
      const parties = [new Party(a, patience), new Party(b, patience)] as const
      const script = SCRIPTS.find(({ name }) => title.startsWith(`${name}, suite`)) as Script
      const message = await attempt(...parties, suite, script)
      const calls = parties[0].calls + parties[1].calls
      const log = parties.flatMap((party) => party.log.slice(-20))
      verdict = { ...about, outcome: message === "" ? "PASS" : "FAIL", message, calls }
      if (message !== "") verdict = { ...verdict, log }
    }
    verdicts.push(verdict)
    onVerdict?.(verdict)
  }
  return verdicts
}
