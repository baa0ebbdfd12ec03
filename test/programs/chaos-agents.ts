// Some of the agents of a chaos run, in a process of their own: they send to each other and to those
// of other processes, and tell what they sent and what came.
//
//   node chaos-agents.js ADDRESS FIRST COUNT TOTAL
//
// Reads lines: "go SECONDS", "where NAME ID", "end". Writes one JSON value a line.

import { createInterface } from "node:readline"
import { Agent } from "../../src/agent/agent.ts"
import type { Delivery } from "../../src/agent/tracker.ts"
import { AgentMeshError } from "../../src/errors.ts"
import { NetworkHub } from "../../src/node/network-hub.ts"

/** What the process tells. Times are milliseconds of the machine's clock. */
export type ChaosEvent =
  | { readonly kind: "there" }
  | {
      readonly kind: "sent"
      readonly id: string
      readonly by: string
      readonly to: string
      readonly at: number
    }
  | { readonly kind: "got"; readonly id: string; readonly at: number }
  | { readonly kind: "said"; readonly line: string }
  /** All was sent; the longest time that this process did not come to its timers. */
  | { readonly kind: "done"; readonly lag: number }
  | { readonly kind: "where"; readonly line: string }

/** Agents in all that send at full pace; more of them send less often. */
const FULL_PACE = 25
const PEERS = 5
const FEW_PEERS = 2
/** One of so many agents has the suites of a default agent; the others are cheap to compute. */
const FULL_SUITES = 20

const [address = "", first = "0", count = "1", all = "1"] = process.argv.slice(2)
const [FIRST, TOTAL] = [Number(first), Number(all)]
const agents = new Map<string, Agent>()
const deliveries = new Map<string, Delivery>()
let begun = 0

function tell(event: ChaosEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function makeAgent(number: number): Agent {
  const name = `agent-${number}`
  const agent = new Agent(name, {
    hub: new NetworkHub(address),
    ...(number % FULL_SUITES === 0 ? {} : { suites: [1], oneTimeKeys: 20 }),
  })
  agent.onMessage(({ payload }) => {
    tell({ kind: "got", id: (payload as { id: string }).id, at: Date.now() })
  })
  agent.on("undelivered", ({ to, reason }) =>
    tell({ kind: "said", line: `${name} gave up a message to ${to}: ${reason}` }),
  )
  agent.on("rejected", ({ from, error }) =>
    tell({ kind: "said", line: `${name} refused from ${from}: ${error.code}` }),
  )
  agent.on("disconnected", ({ error, willReconnect }) => {
    if (!willReconnect) tell({ kind: "said", line: `${name} has left for good: ${error.message}` })
  })
  agents.set(name, agent)
  return agent
}

/** A few peers each: first contacts as well as long sessions. */
async function send(agent: Agent, number: number, until: number): Promise<void> {
  const peers = TOTAL > FULL_PACE ? FEW_PEERS : PEERS
  while (Date.now() < until) {
    await pause((200 + Math.random() * 800) * Math.max(1, TOTAL / FULL_PACE))
    const to = `agent-${(number + 1 + Math.floor(Math.random() * peers)) % TOTAL}`
    const [id, at] = [`${FIRST}-${++begun}`, Date.now()]
    try {
      deliveries.set(id, await agent.send(to, { id }))
      tell({ kind: "sent", id, by: agent.name, to, at })
    } catch (error) {
      // Not accepted: nothing was promised. It is counted if it arrives all the same.
      if (!(error instanceof AgentMeshError)) throw error
    }
  }
}

async function go(seconds: number): Promise<void> {
  let [last, lag] = [performance.now(), 0]
  const timer = setInterval(() => {
    const now = performance.now()
    lag = Math.max(lag, now - last - 100)
    last = now
  }, 100)
  const until = Date.now() + seconds * 1_000
  await Promise.all([...agents.values()].map((agent, i) => send(agent, FIRST + i, until)))
  clearInterval(timer)
  tell({ kind: "done", lag: Math.round(lag) })
}

/** What an agent of this process knows of a message: its sender, or who should have got it. */
function where(name: string, id: string): void {
  const agent = agents.get(name)
  if (agent === undefined) return
  const { sessions, ...status } = agent.status()
  const state = deliveries.get(id)?.state
  const line = `${name}: ${JSON.stringify({ id, state, ...status, sessions: sessions.length })}`
  tell({ kind: "where", line })
}

for (let i = 0; i < Number(count); i += 25) {
  const some = Array.from({ length: Math.min(25, Number(count) - i) }, (_, j) =>
    makeAgent(FIRST + i + j),
  )
  await Promise.all(some.map((agent) => agent.ready))
}
tell({ kind: "there" })
for await (const line of createInterface({ input: process.stdin })) {
  const [word, a = "", b = ""] = line.split(" ")
  if (word === "go") void go(Number(a))
  else if (word === "where") where(a, b)
  else break
}
await Promise.all([...agents.values()].map((agent) => agent.close()))
process.exit()
