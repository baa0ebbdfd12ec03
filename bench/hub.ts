// What a hub costs: CPU of its process per message, against a raw TCP echo measured in the same run.
//
//   npm run bench            all, about two minutes
//   npm run bench -- quick   a tenth of it
//
// Each figure is the median of the rounds, with the range. CPU is user and system time of the hub's
// process alone, from /proc; clients run here. Delivered messages are counted before they count.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { createBundle } from "../src/bundle.ts"
import { systemEnvironment } from "../src/environment.ts"
import { HubClient } from "../src/hub/client.ts"
import { createIdentity } from "../src/identity.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { osDraw } from "../src/suite.ts"

const quick = process.argv.includes("quick")
const ROUNDS = quick ? 1 : 5
const MESSAGES = quick ? 10_000 : 60_000
const IDLE = quick ? 1_000 : 9_000
const SIZE = 600
const cli = fileURLToPath(new URL("../src/node/hub-cli.js", import.meta.url))

/** CPU time of a process in microseconds. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Resident memory of a process in KiB. */
function memoryOf({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
}

async function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const match = pattern.exec(line)
    if (match) return match[1] as string
  }
  throw new Error("the program ended before it said where it listens")
}

const OPEN = "1000000000"
const WIDE = ["--requests-per-second", "1000000", "--per-sender", OPEN, "--mailbox-messages", OPEN]
const LARGE = ["--per-sender-bytes", OPEN, "--mailbox-bytes", OPEN, "--max-connections", "30000"]

async function startHub(
  ...flags: readonly string[]
): Promise<{ child: ChildProcess; url: string }> {
  const args = [cli, "--port", "0", ...WIDE, ...LARGE, ...flags]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] })
  return { child, url: await firstMatch(child, /listening on (\S+)/) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve))
  child.kill("SIGTERM")
  await ended
}

const ECHO = `require("node:net").createServer({ noDelay: true }, (s) => s.on("data", (d) => s.write(d))
  .on("error", () => {})).listen(0, "127.0.0.1", function () { console.log("port " + this.address().port) })`

/** A relay that only copies bytes: the floor. */
async function measureEcho(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ECHO], { stdio: ["ignore", "pipe", "ignore"] })
  const socket = connect(Number(await firstMatch(child, /port (\d+)/)), "127.0.0.1")
  const total = MESSAGES * 5 * (SIZE + 50)
  const block = Buffer.alloc(64 * (SIZE + 50))
  let sent = 0
  let came = 0
  const before = cpuOf(child)
  await new Promise<void>((resolve) => {
    const fill = (): void => {
      while (sent < total && sent - came < 8 * block.length) {
        socket.write(block)
        sent += block.length
      }
    }
    socket.on("data", (chunk: Buffer) => {
      came += chunk.length
      fill()
      if (came >= total) resolve()
    })
    fill()
  })
  const cpu = (cpuOf(child) - before) / (MESSAGES * 5)
  socket.destroy()
  await stop(child)
  return cpu
}

async function enrol(
  url: string,
  name: string,
  deliver: (client: HubClient, mseq: number) => void,
) {
  const identity = createIdentity(name, osDraw)
  const client: HubClient = new HubClient({
    ...{ hub: new NetworkHub(url), identity, environment: systemEnvironment, pinnedHub: null },
    events: {
      ready: () => undefined,
      deliver: (mseq) => deliver(client, mseq),
      low: () => undefined,
      closed: (error) => console.error(`${name}: ${error.message}`),
    },
  })
  await client.start()
  const now = Math.floor(Date.now() / 1000)
  await client.putBundle(createBundle(identity, { seq: now, now, suites: [1] }, osDraw).bytes)
  return client
}

interface Traffic {
  /** CPU of the hub per message, in microseconds. */
  readonly cpu: number
  /** Accepted and delivered messages per second of wall time. */
  readonly accepted: number
  readonly delivered: number
}

/** Agents that send to each other at random, each with `window` SENDs under way. */
async function measureTraffic(
  agents: number,
  window: number,
  messages: number,
  ...flags: readonly string[]
): Promise<Traffic> {
  const { child, url } = await startHub(...flags)
  let count = 0
  let finish = (): void => undefined
  const all = new Promise<void>((resolve) => {
    finish = resolve
  })
  const clients: HubClient[] = []
  const due = new Map<HubClient, number[]>()
  const deliver = (client: HubClient, mseq: number): void => {
    if (++count === messages) finish()
    const waiting = due.get(client)
    if (waiting) {
      waiting.push(mseq)
      return
    }
    const fresh = [mseq]
    due.set(client, fresh)
    setImmediate(() => {
      due.delete(client)
      client.ack(fresh).catch(() => undefined)
    })
  }
  for (let i = 0; i < agents; i++) clients.push(await enrol(url, `agent-${i}`, deliver))
  const envelope = new Uint8Array(SIZE)
  let sent = 0
  const worker = async (client: HubClient): Promise<void> => {
    while (sent < messages) {
      const mid = new Uint8Array(16)
      new DataView(mid.buffer).setUint32(0, ++sent)
      await client.send(`agent-${Math.floor(Math.random() * agents)}`, mid, envelope)
    }
  }
  const cpu = cpuOf(child)
  const start = performance.now()
  const workers = clients.flatMap((client) => Array.from({ length: window }, () => worker(client)))
  // Workers that start together may pass the count by a few; those arrive too.
  await Promise.all(workers)
  const accepted = performance.now() - start
  await all
  const delivered = performance.now() - start
  const used = cpuOf(child) - cpu
  for (const client of clients) await client.close()
  await stop(child)
  return {
    cpu: used / messages,
    accepted: (messages / accepted) * 1000,
    delivered: (messages / delivered) * 1000,
  }
}

async function measureIdle(): Promise<number> {
  const { child, url } = await startHub()
  const clients: HubClient[] = []
  const add = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i += 50) {
      const some = Array.from({ length: 50 }, (_, j) =>
        enrol(url, `idle-${i + j}`, () => undefined),
      )
      clients.push(...(await Promise.all(some)))
    }
  }
  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5_000))
  await add(0, 500)
  await rest()
  const before = memoryOf(child)
  await add(500, IDLE + 500)
  await rest()
  const perConnection = (memoryOf(child) - before) / IDLE
  for (const client of clients) await client.close()
  await stop(child)
  return perConnection
}

function show(what: string, values: readonly number[], unit: string, target: string): void {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] as number
  const digits = median < 100 ? 2 : 0
  const range = `${sorted[0]?.toFixed(digits)} to ${sorted.at(-1)?.toFixed(digits)}`
  console.log(
    `${what.padEnd(46)} ${median.toFixed(digits).padStart(9)} ${unit} (${range}) ${target}`,
  )
}

const folder = mkdtempSync(join(tmpdir(), "agentmesh-bench-"))
const rows: Record<string, number[]> = {}
const note = (key: string, value: number): void => {
  const values = rows[key] ?? []
  rows[key] = [...values, value]
}
for (let round = 0; round < ROUNDS; round++) {
  const echo = await measureEcho()
  const few = await measureTraffic(10, 48, MESSAGES)
  const many = await measureTraffic(1_000, 48, MESSAGES)
  const data = join(folder, String(round))
  const disk = await measureTraffic(10, 128, MESSAGES, "--data", data)
  note("echo", echo)
  note("memory", few.cpu)
  // A message is three frames at least: SEND and OK, DELIVER; the ACK and its OK are shared.
  note("frame", few.cpu / 3)
  note("ratio", few.cpu / echo)
  note("flat", many.cpu / few.cpu)
  note("disk", disk.cpu)
  note("accepted", disk.accepted)
}
rmSync(folder, { recursive: true, force: true })
const idle = await measureIdle()

show("raw TCP echo, CPU per message", rows["echo"] ?? [], "µs", "")
show("hub in memory, 10 agents, CPU per message", rows["memory"] ?? [], "µs", "")
show("  per frame", rows["frame"] ?? [], "µs", "target 6")
show("  ratio to the echo", rows["ratio"] ?? [], "", "")
show("1,000 agents, cost against 10", rows["flat"] ?? [], "", "target 1.15")
show("hub on disk, CPU per message", rows["disk"] ?? [], "µs", "")
show("  durable SEND", rows["accepted"] ?? [], "msg/s", "target 26,000")
show("memory of an idle connection", [idle], "KiB", "target 20")
console.log(JSON.stringify({ rounds: ROUNDS, messages: MESSAGES, idle, ...rows }))
