// From one agent to another over TCP: sender, hub and receiver in a process each, receipts on.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Group, progress } from "./group.ts"
import { type Pace, spread } from "./measure.ts"
import { Program, startHub } from "./processes.ts"
import { Sheet } from "./sheet.ts"

interface Sent {
  readonly wall: number
  readonly cpu: number
  readonly memory: number
}

interface Came extends Sent {
  readonly latencies: readonly number[]
}

/** The three processes, connected. */
class Chain {
  readonly hub: Program
  readonly sender: Program
  readonly receiver: Program

  private constructor(hub: Program, sender: Program, receiver: Program) {
    this.hub = hub
    this.sender = sender
    this.receiver = receiver
  }

  static async start(suite: number, folder: string | null): Promise<Chain> {
    const at = (name: string): string[] => (folder === null ? [] : [join(folder, name)])
    const { hub, url } = await startHub(...(folder === null ? [] : ["--data", ...at("hub")]))
    const receiver = new Program("./agent.js", ["receive", url, String(suite), ...at("receive")])
    await receiver.line()
    const sender = new Program("./agent.js", ["send", url, String(suite), ...at("send")])
    await sender.line()
    return new Chain(hub, sender, receiver)
  }

  /** Runs a command at both agents. */
  async run(command: string, count: number, other: number): Promise<[Sent, Came, number]> {
    const cpu = this.hub.cpu
    this.receiver.tell(`${command} ${count}`)
    await this.receiver.line() // it is armed
    this.sender.tell(`${command} ${count} ${other}`)
    const came = this.receiver.result<Came>()
    const sent = await this.sender.result<Sent>()
    return [sent, await came, this.hub.cpu - cpu]
  }

  async stop(): Promise<void> {
    for (const agent of [this.sender, this.receiver]) {
      agent.tell("quit")
      await agent.ended()
    }
    await this.hub.stop()
  }
}

interface Variant {
  readonly id: string
  readonly what: string
  readonly suite: number
  readonly durable: boolean
  readonly size: number
}

const VARIANTS: readonly Variant[] = [
  { id: "memory", what: "memory stores, 256 B", suite: 1, durable: false, size: 256 },
  { id: "memory-2", what: "memory stores, 256 B, suite 2", suite: 2, durable: false, size: 256 },
  { id: "durable", what: "durable stores, 256 B", suite: 1, durable: true, size: 256 },
  { id: "large", what: "memory stores, 64 KiB", suite: 1, durable: false, size: 65_400 },
]

async function measure(variant: Variant, pace: Pace, sheet: Sheet): Promise<void> {
  const { id, what, suite, durable, size } = variant
  const count = pace.quick ? 200 : Math.floor((durable ? 5_000 : 10_000) / (size > 1_000 ? 40 : 1))
  const lone = pace.quick ? 20 : 300
  const folder = durable ? mkdtempSync(join(tmpdir(), "agentmesh-bench-")) : null
  const chain = await Chain.start(suite, folder)
  try {
    await chain.run("backlog", Math.ceil(count / 4), size) // to warm up
    for (let round = 0; round < pace.rounds; round++) {
      progress(`${what}, round ${round + 1}`)
      const [sent, came, hub] = await chain.run("backlog", count, size)
      const key = `end-to-end/${id}`
      sheet.note(`${key}/rate`, `${what}: backlog`, "/s", (count / sent.wall) * 1e6)
      sheet.note(`${key}/sender`, `${what}: CPU of the sender`, "µs", sent.cpu / count)
      sheet.note(`${key}/hub`, `${what}: CPU of the hub`, "µs", hub / count)
      sheet.note(`${key}/receiver`, `${what}: CPU of the receiver`, "µs", came.cpu / count)
      sheet.note(`${key}/memory-sender`, `${what}: memory of the sender`, "MiB", sent.memory / 1024)
      sheet.note(`${key}/memory-hub`, `${what}: memory of the hub`, "MiB", chain.hub.memory / 1024)
      sheet.note(
        ...([`${key}/memory-receiver`, `${what}: memory of the receiver`, "MiB"] as const),
        came.memory / 1024,
      )
      if (size > 1_000) continue
      const [, { latencies }] = await chain.run("pace", lone, 100)
      const sorted = [...latencies].sort((a, b) => a - b)
      const p99 = sorted[Math.floor(sorted.length * 0.99)] as number
      sheet.note(`${key}/p50`, `${what}: lone message, p50`, "ms", spread(latencies).median / 1000)
      sheet.note(`${key}/p99`, `${what}: lone message, p99`, "ms", p99 / 1000)
    }
  } finally {
    await chain.stop()
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
  }
}

/** The group. */
export const endToEnd: Group = {
  name: "end-to-end",
  what: "two agents over a hub on TCP, three processes",
  portable: false,
  async run(pace) {
    const sheet = new Sheet()
    for (const variant of pace.quick ? VARIANTS.slice(0, 1) : VARIANTS) {
      await measure(variant, pace, sheet)
    }
    return sheet.figures
  },
}
