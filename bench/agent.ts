// One agent of the end-to-end measurement, in a process of its own.
//
//   node dist/bench/agent.js receive URL SUITE [STORE]
//   node dist/bench/agent.js send URL SUITE [STORE]
//
// Reads commands, one a line: "backlog COUNT SIZE" or "pace COUNT RATE". The receiver counts every
// message once and says when it is armed and prints JSON when the last has come; the
// sender when the last receipt has.

import { createInterface } from "node:readline"
import { Agent, type Message, NetworkHub } from "../src/node/index.ts"
import type { Suite } from "../src/suite.ts"

const [role = "", url = "", suite = "1", store] = process.argv.slice(2)

/** Contents that an application has under way at most. */
const UNDER_WAY = 4_096

const agent = new Agent(role, {
  hub: new NetworkHub(url),
  suites: [Number(suite) as Suite],
  ...(store === undefined ? {} : { path: store }),
})
await agent.ready

/** Nanoseconds of the one clock that all processes of a machine share. */
const clock = (): number => Number(process.hrtime.bigint())

function since(cpu: NodeJS.CpuUsage): { cpu: number; memory: number } {
  const { user, system } = process.cpuUsage(cpu)
  return { cpu: user + system, memory: process.memoryUsage().rss / 1024 }
}

const print = (result: object): boolean => process.stdout.write(`${JSON.stringify(result)}\n`)

async function backlog(count: number, size: number): Promise<void> {
  const text = "x".repeat(size)
  const cpu = process.cpuUsage()
  const begun = clock()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const n = next++
      const delivery = await agent.sendPayload("receive", { n, text })
      if (n % UNDER_WAY === UNDER_WAY - 1 || n >= count - UNDER_WAY)
        await delivery.wait("delivered")
    }
  }
  await Promise.all(Array.from({ length: Math.min(UNDER_WAY, count) }, worker))
  print({ wall: (clock() - begun) / 1000, ...since(cpu) })
}

async function pace(count: number, rate: number): Promise<void> {
  const cpu = process.cpuUsage()
  for (let n = 0; n < count; n++) {
    const delivery = await agent.sendPayload("receive", { n, at: clock() })
    await new Promise((resolve) => setTimeout(resolve, 1000 / rate))
    if (n === count - 1) await delivery.wait("delivered")
  }
  print(since(cpu))
}

/** Messages of the command that is under way, seen once each. */
let seen = new Uint8Array(0)
let left = 0
let came: (() => void) | null = null
let latencies: number[] = []

/** Both have heard of each other: an inbox holds more of peers than of strangers (AGENT-45). */
let met = (): void => undefined
const meeting = new Promise<void>((resolve) => {
  met = resolve
})

function take({ payload }: Message): void {
  if (payload["hello"] === true) {
    if (role === "receive") void agent.sendPayload("send", { hello: true })
    met()
    return
  }
  const n = payload["n"] as number
  const at = payload["at"]
  if (seen[n] !== 0) throw new Error(`message ${n} came twice, or was never sent`)
  seen[n] = 1
  if (typeof at === "number") latencies.push((clock() - at) / 1000)
  if (--left === 0) came?.()
}

async function receive(count: number): Promise<void> {
  const cpu = process.cpuUsage()
  const begun = clock()
  seen = new Uint8Array(count)
  latencies = []
  left = count
  await new Promise<void>((resolve) => {
    came = resolve
    console.log("armed")
  })
  print({ wall: (clock() - begun) / 1000, ...since(cpu), latencies })
}

agent.onMessage(take)
agent.on("handler-error", ({ error }) => {
  console.error(error)
  process.exit(1)
})
if (role === "send") {
  await agent.sendPayload("receive", { hello: true })
  await meeting
}
console.log("ready")
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count = "0", other = "0"] = line.split(" ")
  if (command === "quit") break
  if (role === "receive") await receive(Number(count))
  else if (command === "backlog") await backlog(Number(count), Number(other))
  else await pace(Number(count), Number(other))
}
await agent.close()
process.exit(0) // standard input stays open
