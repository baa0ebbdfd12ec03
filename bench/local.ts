// Agents in one process over a LocalHub: end to end, many agents, and long conversations.

import { Agent, LocalHub } from "../src/index.ts"
import type { Suite } from "../src/suite.ts"
import { type Group, progress } from "./group.ts"
import { cpuNow, type Figure, type Pace } from "./measure.ts"
import { Sheet } from "./sheet.ts"

/** Contents that are under way at once between two agents. */
const UNDER_WAY = 256

/** An agent, and how many messages came to it. */
interface Member {
  readonly agent: Agent
  came: number
}

async function join(hub: LocalHub, name: string, suite: Suite): Promise<Member> {
  const agent = new Agent(name, { hub, suites: [suite], oneTimeKeys: 2 })
  const member: Member = { agent, came: 0 }
  agent.onMessage(() => {
    member.came++
  })
  await agent.ready
  return member
}

/** Sends `count` messages round the pairs and waits for every receipt; CPU per message. */
async function exchange(pairs: readonly (readonly [Member, Member])[], count: number) {
  const before = pairs.map(([, to]) => to.came)
  const text = "x".repeat(256)
  const cpu = cpuNow()
  const wall = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) {
      const [from, to] = pairs[n % pairs.length] as readonly [Member, Member]
      const delivery = await from.agent.sendPayload(to.agent.name, { n, text })
      if (n >= count - UNDER_WAY || n % UNDER_WAY === 0) await delivery.wait("delivered")
    }
  }
  await Promise.all(Array.from({ length: Math.min(UNDER_WAY, count) }, worker))
  const used = { cpu: (cpuNow() - cpu) / count, wall: performance.now() - wall }
  // Handlers run after the receipt that says "delivered".
  const came = () => pairs.reduce((sum, [, to], i) => sum + to.came - (before[i] as number), 0)
  while (came() < count) await new Promise((resolve) => setTimeout(resolve, 1))
  if (came() !== count) throw new Error(`${came()} messages came, ${count} were sent`)
  return used
}

async function pairOf(suite: Suite): Promise<{ hub: LocalHub; pair: [Member, Member] }> {
  const hub = new LocalHub()
  const pair: [Member, Member] = [await join(hub, "alice", suite), await join(hub, "bob", suite)]
  // Both have written: an inbox holds more of peers than of strangers (AGENT-45).
  await exchange([pair], 1)
  await exchange([[pair[1], pair[0]]], 1)
  return { hub, pair }
}

/** The group: two agents in one process. */
export const local: Group = {
  name: "local",
  what: "two agents and a LocalHub in one process, receipts on, 256 B",
  portable: true,
  async run(pace) {
    const sheet = new Sheet()
    const count = pace.quick ? 300 : 1_500
    for (const suite of [1, 2] as const) {
      const { pair } = await pairOf(suite)
      await exchange([pair], count)
      for (let round = 0; round < pace.rounds; round++) {
        const { cpu, wall } = await exchange([pair], count)
        sheet.note(`local/${suite}/cpu`, `suite ${suite}: CPU per message, all parts`, "µs", cpu)
        sheet.note(`local/${suite}/rate`, `suite ${suite}: backlog`, "/s", (count / wall) * 1000)
      }
      for (const { agent } of pair) await agent.close()
    }
    return sheet.figures
  },
}

/** The group: the same number of messages among more and more agents. */
export const scale: Group = {
  name: "scale",
  what: "cost per message among 10 to 10,000 agents, after set-up",
  portable: false,
  async run(pace: Pace): Promise<Figure[]> {
    const sheet = new Sheet()
    const sizes = pace.quick ? [4, 10] : [10, 100, 1_000, 10_000]
    const count = pace.quick ? 200 : 10_000
    const hub = new LocalHub()
    const members: Member[] = []
    for (const size of sizes) {
      progress(`${size} agents`)
      while (members.length < size) members.push(await join(hub, `agent-${members.length}`, 1))
      // Every agent writes to its neighbour: after a message each way nothing is set up any more.
      const all = members.map((from, i) => [from, members[(i + 1) % size] as Member] as const)
      await exchange(all, size)
      // As many pairs as in the smallest mesh, taken from everywhere: the batches are the same.
      const few = sizes[0] as number
      for (let round = 0; round < pace.rounds; round++) {
        const active = Array.from({ length: few }, (_, i) => {
          const from = Math.floor((i * size) / few + round) % size
          return [members[from], members[(from + 1) % size]] as const
        }) as (readonly [Member, Member])[]
        const { cpu } = await exchange(active, count)
        sheet.note(`scale/${size}`, `among ${size} agents, CPU per message`, "µs", cpu)
      }
    }
    return sheet.figures
  },
}

/** The group: one conversation that does not end. */
export const length: Group = {
  name: "length",
  what: "cost and memory from the 10th to the last message of a pair",
  portable: false,
  async run(pace) {
    const total = pace.quick ? 1_000 : 1_000_000
    const figures: Figure[] = []
    const { pair } = await pairOf(1)
    await exchange([pair], 10)
    let done = 10
    for (const mark of pace.quick
      ? [total / 2, total]
      : [total / 100, total / 10, total / 2, total]) {
      progress(`message ${mark}`)
      // The last part before each mark, in rounds, is what is reported.
      const part = Math.min(4_000, Math.floor((mark - done) / (pace.rounds + 1)))
      await exchange([pair], mark - done - part * pace.rounds)
      const values: number[] = []
      for (let round = 0; round < pace.rounds; round++) {
        values.push((await exchange([pair], part)).cpu)
      }
      done = mark
      const id = `length/${mark}`
      figures.push({ id, what: `around message ${mark}, CPU per message`, unit: "µs", values })
      globalThis.gc?.()
      const rss = process.memoryUsage().rss / 1_048_576
      const heap = { id: `${id}/memory`, what: `memory after message ${mark}` }
      figures.push({ ...heap, unit: "MiB", values: [rss] })
    }
    return figures
  },
}
