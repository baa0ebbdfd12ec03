// A cluster of hubs on nats-server, all on this machine: what a message costs, and what dies.
//
//   node dist/bench/cluster.js [--hubs 1,2,3] [--servers 1|3] [--messages N] [--agents N]
//   node dist/bench/cluster.js --chaos [--agents 1000] [--seconds 120]
//   node dist/bench/cluster.js --memory [--agents 300]
//
// Needs nats-server. Raw load without encryption, as of the group "hub"; --chaos runs real agents.

import { readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { createBundle } from "../src/bundle.ts"
import { systemEnvironment } from "../src/environment.ts"
import { HubClient } from "../src/hub/client.ts"
import { createIdentity } from "../src/identity.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { osDraw } from "../src/suite.ts"
import { addressOf, HubProcess } from "../test/support/hub-process.ts"
import { NatsCluster } from "../test/support/nats.ts"
import { runChaos } from "./chaos.ts"
import { memoryPerAgent } from "./cluster-memory.ts"
import { Program, WIDE } from "./processes.ts"

const { values: options } = parseArgs({
  options: {
    hubs: { type: "string", default: "1,2,3" },
    servers: { type: "string", default: "3" },
    messages: { type: "string", default: "30000" },
    agents: { type: "string" },
    seconds: { type: "string", default: "120" },
    chaos: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
  },
})
const SERVERS = options.servers === "1" ? 1 : 3
const script = fileURLToPath(new URL("../src/node/hub-cli.js", import.meta.url))

/** User and system time of a process so far, in microseconds. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

function sum(processes: readonly { readonly pid: number }[], of: (pid: number) => number): number {
  return processes.reduce((total, { pid }) => total + of(pid), 0)
}

async function cluster(
  count: number,
  args: readonly string[],
): Promise<{ store: NatsCluster; hubs: HubProcess[] }> {
  const store = await NatsCluster.start(SERVERS)
  const all = ["--store", store.url, "--replicas", String(SERVERS), ...args]
  const hubs = Array.from({ length: count }, () => new HubProcess(script, all))
  await Promise.all(hubs.map((hub) => hub.start()))
  await new Promise((resolve) => setTimeout(resolve, 5_000)) // until each has its share
  return { store, hubs }
}

interface LoadResult {
  /** Messages a second. */
  readonly delivered: number
}

/** Throughput: one load at each hub, all at the same time. */
async function throughput(count: number): Promise<void> {
  const { store, hubs } = await cluster(count, WIDE)
  const messages = Math.floor(Number(options.messages) / count)
  const agents = Math.ceil(Number(options.agents ?? 60) / count)
  const loads = hubs.map(({ port }, i) => {
    const args = [`127.0.0.1:${port}`, String(agents), "16", String(messages), "600", `load${i}`]
    return new Program("./load.js", args)
  })
  for (const load of loads) await load.line()
  const before = [sum(hubs, cpuOf), sum(store.servers, cpuOf)] as const
  for (const load of loads) load.tell("")
  const results = await Promise.all(loads.map((load) => load.result<LoadResult>()))
  const total = messages * count
  const cpu = [sum(hubs, cpuOf) - before[0], sum(store.servers, cpuOf) - before[1]] as const
  for (const load of loads) await load.ended()
  const idle = await latency(hubs)
  console.log(
    JSON.stringify({
      ...{ hubs: count, servers: SERVERS, messages: total, agents: agents * count },
      delivered: Math.round(results.reduce((all, one) => all + one.delivered, 0)),
      ...{ hubCpu: Math.round(cpu[0] / total), serverCpu: Math.round(cpu[1] / total) },
      ...{ hubMiB: Math.round(sum(hubs, memoryOf)) },
      ...{ serverMiB: Math.round(sum(store.servers, memoryOf)), ...idle },
      load: loadavg()[0],
    }),
  )
  for (const hub of hubs) await hub.kill("SIGTERM")
  await store.stop()
}

function middle(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length * part)] ?? 0) * 10) / 10
}

/** Milliseconds until OK and until delivery, one message at a time, from one hub to the next. */
async function latency(hubs: readonly HubProcess[]): Promise<object> {
  let arrived = (): void => undefined
  const clients = await Promise.all(
    ["from", "to"].map(async (name, i) => {
      const identity = createIdentity(name, osDraw)
      const client: HubClient = new HubClient({
        hub: new NetworkHub((hubs[i % hubs.length] as HubProcess).url),
        ...{ identity, environment: systemEnvironment, pinnedHub: null },
        events: {
          ready: () => {},
          deliver: (mseq) => {
            arrived()
            client.ack([mseq]).catch(() => undefined) // the last one, when all is over
          },
          low: () => {},
          closed: () => {},
        },
      })
      await client.start()
      const now = Math.floor(Date.now() / 1000)
      await client.putBundle(createBundle(identity, { seq: now, now, suites: [1] }, osDraw).bytes)
      return client
    }),
  )
  const [from] = clients as [HubClient]
  const accepted: number[] = []
  const delivered: number[] = []
  for (let i = 0; i < 200; i++) {
    const begun = performance.now()
    const came = new Promise<void>((resolve) => {
      arrived = () => {
        delivered.push(performance.now() - begun)
        resolve()
      }
    })
    await from.send("to", osDraw("cnonce", 16), new Uint8Array(600))
    accepted.push(performance.now() - begun)
    await came
  }
  for (const client of clients) await client.close()
  return {
    okMs: [middle(accepted, 0.5), middle(accepted, 0.99)],
    deliveredMs: [middle(delivered, 0.5), middle(delivered, 0.99)],
  }
}

async function chaos(): Promise<void> {
  const { store, hubs } = await cluster(3, [])
  const victims = [...hubs, ...store.servers].map((item, i) => ({
    name: i < 3 ? `hub ${i}` : `store server ${i - 3}`,
    kill: () => item.kill(),
    start: async () => {
      await item.start()
      // A server that has not caught up is none that may be counted on: the next waits for it.
      if (i >= 3) await store.current()
    },
  }))
  const result = await runChaos({
    ...{ address: addressOf(hubs), victims, random: Math.random, say: console.log },
    program: fileURLToPath(new URL("../test/programs/chaos-agents.js", import.meta.url)),
    agents: Number(options.agents ?? 1_000),
    seconds: Number(options.seconds),
  })
  console.log(JSON.stringify(result))
  for (const hub of hubs) await hub.kill("SIGTERM")
  await store.stop()
  const { lost, twice, keysTwice, namesTwice } = result
  process.exitCode = lost + twice + keysTwice + namesTwice === 0 ? 0 : 1
}

/** Memory of an agent with a bundle, at the owner of its rows. */
async function memory(): Promise<void> {
  const agents = Number(options.agents ?? 300)
  for (const [keys, suite] of [
    [0, 1],
    [100, 1],
    [100, 2],
  ] as const) {
    const bytesPerAgent = await memoryPerAgent(agents, keys, suite)
    console.log(JSON.stringify({ agents, keys, suite, bytesPerAgent }))
  }
}

if (options.chaos) await chaos()
else if (options.memory) await memory()
else for (const count of options.hubs.split(",")) await throughput(Number(count))
