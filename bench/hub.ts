// What a hub costs, without agents: bench/load.ts sends from a process of its own, and the CPU time
// of the hub's process is read from the system. A raw TCP echo of the same bytes stands beside it.

import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Group, progress } from "./group.ts"
import type { Pace } from "./measure.ts"
import { Program, startHub, WIDE } from "./processes.ts"
import { Sheet } from "./sheet.ts"

const SIZE = 600
/** SEND with its OK, DELIVER; the ACK and its OK are shared by many. */
const FRAMES = 3

interface Load {
  /** CPU of the hub, in microseconds per message. */
  readonly cpu: number
  readonly accepted: number
  readonly delivered: number
}

/** CPU of the hub in microseconds per message, and what the load saw. */
async function load(
  hub: Program,
  address: string,
  agents: number,
  window: number,
  messages: number,
  prefix: string,
): Promise<Load> {
  const args = [address, agents, window, messages, SIZE, prefix].map(String)
  const program = new Program("./load.js", args)
  await program.line()
  const before = hub.cpu
  program.tell("go")
  const result = await program.result<Omit<Load, "cpu">>()
  const cpu = (hub.cpu - before) / messages
  await program.ended()
  return { ...result, cpu }
}

/** A process that only copies bytes, fed from here. */
async function echo(messages: number): Promise<number> {
  const program = new Program("./echo.js")
  const socket = connect(Number(await program.line()), "127.0.0.1")
  const total = messages * (SIZE + 50)
  const block = Buffer.alloc(64 * (SIZE + 50))
  let sent = 0
  let came = 0
  const before = program.cpu
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
  const cpu = (program.cpu - before) / messages
  socket.destroy()
  await program.stop()
  return cpu
}

/** One round on a hub in memory, and one on a hub on disk. */
async function round(index: number, messages: number, many: number, sheet: Sheet): Promise<void> {
  const raw = await echo(messages * 5)
  sheet.note("hub/echo", "raw TCP echo, CPU per message", "µs", raw)
  const memory = await startHub(...WIDE)
  // A hub runs for weeks: what its first seconds cost, while its code is compiled, is left out.
  await load(memory.hub, memory.address, 10, 32, messages, `warm-${index}`)
  /** Both loads meet the same hub, one after the other, in turns. */
  const both = async (window: number): Promise<readonly [small: Load, large: Load]> => {
    const run = (agents: number) =>
      load(memory.hub, memory.address, agents, window, messages, `${agents}-${window}-${index}`)
    const order = index % 2 === 0 ? [10, many] : [many, 10]
    const first = await run(order[0] as number)
    const second = await run(order[1] as number)
    return index % 2 === 0 ? [first, second] : [second, first]
  }
  const [small, large] = await both(32)
  const [one, each] = await both(1)
  await memory.hub.stop()
  sheet.note("hub/memory", "in memory, 10 agents, CPU per message", "µs", small.cpu)
  sheet.note("hub/frame", "in memory, CPU per frame, 3 a message", "µs", small.cpu / FRAMES)
  sheet.note("hub/frame-echo", "the same over a raw TCP echo", "×", small.cpu / FRAMES / raw)
  sheet.note("hub/rate", "in memory, 10 agents, delivered", "/s", small.delivered)
  sheet.note("hub/single", "in memory, 10 agents, one message on the way each, CPU", "µs", one.cpu)
  sheet.note(
    "hub/flat",
    `${many} agents against 10, one on the way each, CPU`,
    "×",
    each.cpu / one.cpu,
  )
  sheet.note(
    "hub/flood",
    `${many} agents against 10, 32 on the way each, CPU`,
    "×",
    large.cpu / small.cpu,
  )
  const folder = mkdtempSync(join(tmpdir(), "agentmesh-bench-"))
  try {
    const disk = await startHub(...WIDE, "--data", folder)
    await load(disk.hub, disk.address, 10, 128, messages, "warm")
    const durable = await load(disk.hub, disk.address, 10, 128, messages, "disk")
    await disk.hub.stop()
    sheet.note("hub/disk", "on disk, CPU per message", "µs", durable.cpu)
    sheet.note("hub/durable", "on disk, SEND accepted after fsync", "/s", durable.accepted)
    const time = 1_000_000 / durable.accepted
    sheet.note("hub/durable-echo", "on disk, wall time of a SEND over a raw echo", "×", time / raw)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Memory of a connection that has authenticated and does nothing. */
async function idle(connections: number, sheet: Sheet): Promise<void> {
  const { hub, address } = await startHub(...WIDE)
  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_000))
  const open = async (count: number, prefix: string): Promise<Program> => {
    const program = new Program("./load.js", [address, String(count), "0", "0", "0", prefix])
    await program.line()
    await rest()
    return program
  }
  const first = await open(500, "first")
  const before = hub.memory
  const second = await open(connections, "idle")
  const value = (hub.memory - before) / connections
  sheet.note("hub/idle", `memory of one of ${connections} idle connections`, "KiB", value)
  for (const program of [first, second]) await program.stop()
  await hub.stop()
}

/** The group. */
export const hubs: Group = {
  name: "hub",
  what: "the hub over TCP, without agents",
  portable: false,
  async run(pace: Pace) {
    const sheet = new Sheet()
    for (let index = 0; index < Math.min(pace.rounds, 5); index++) {
      progress(`hub, round ${index + 1}`)
      await round(index, pace.quick ? 3_000 : 60_000, pace.quick ? 30 : 1_000, sheet)
    }
    await idle(pace.quick ? 100 : 9_000, sheet)
    return sheet.figures
  },
}
