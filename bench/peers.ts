// Other protocols beside this one, in the same rounds of one process. Their guarantees differ: these
// are anchors, not a ranking. They are installed apart: npm install --prefix bench/peers

import { existsSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Group } from "./group.ts"
import { cpuNow, type Figure, type Pace } from "./measure.ts"
import { contentsOf, introduce, meet, pass, publish } from "./pair.ts"
import { Sheet } from "./sheet.ts"

type Operation = () => unknown

/** What a module of bench/peers offers. */
interface Peer {
  readonly name: string
  setUp(): Promise<Operation> | Operation
  oneWay(size: number): Promise<Operation> | Operation
}

const folder = fileURLToPath(new URL("../../bench/peers/", import.meta.url))
const SIZES = [
  [256, "256 B"],
  [1024, "1 KiB"],
  [65_536, "64 KiB"],
] as const

/** This protocol, in the same clothes. */
const ours: Peer = {
  name: "agentmesh",
  setUp() {
    const keys = publish(1)
    const [content] = contentsOf(256, 1) as [Uint8Array]
    return () => introduce(keys, content)
  },
  oneWay(size) {
    return chain(size, 1)
  },
}

/** Both sides go back to where they were before a chain ends. */
function chain(size: number, count: number): Operation {
  const [alice, bob] = meet(1)
  const start = [alice.session, bob.session] as const
  const contents = contentsOf(size, count)
  let sent = 0
  return () => {
    if (++sent % 900 === 0) [alice.session, bob.session] = start
    pass(alice, bob, contents)
  }
}

/** CPU of one operation in microseconds. */
async function time(operation: Operation, slice: number): Promise<number> {
  const begun = performance.now()
  const cpu = cpuNow()
  let times = 0
  do {
    const result = operation()
    if (result instanceof Promise) await result
    times++
  } while (performance.now() - begun < slice)
  return (cpuNow() - cpu) / times
}

async function load(): Promise<Peer[]> {
  const peers: Peer[] = [ours]
  for (const name of ["libsignal", "olm"]) {
    if (!existsSync(`${folder}node_modules`)) continue
    peers.push((await import(pathToFileURL(`${folder}${name}.mjs`).href)) as Peer)
  }
  return peers
}

async function measure(pace: Pace): Promise<Figure[]> {
  const peers = await load()
  if (peers.length === 1) {
    process.stderr.write("  no peers: npm install --prefix bench/peers\n")
    return []
  }
  const cases: { id: string; what: string; run: Operation; per: number }[] = []
  for (const peer of peers) {
    const run = await peer.setUp()
    const what = `${peer.name}: set-up, both sides, and the first message`
    cases.push({ id: `peers/${peer.name}/set-up`, what, run, per: 1 })
    for (const [size, words] of SIZES) {
      const what = `${peer.name}: encrypt + decrypt ${words}`
      const run = await peer.oneWay(size)
      cases.push({ id: `peers/${peer.name}/${size}`, what, run, per: 1 })
    }
  }
  const what = "agentmesh: 32 × 256 B in an envelope, each"
  cases.push({ id: "peers/agentmesh/256x32", what, run: chain(256, 32), per: 32 })
  const sheet = new Sheet()
  for (let round = 0; round <= pace.rounds; round++) {
    const values = new Map<string, number>()
    for (const { id, what, run, per } of cases) {
      const value = (await time(run, pace.slice)) / per
      values.set(id, value)
      if (round > 0) sheet.note(id, what, "µs", value) // the first one warms up
    }
    const ratio =
      (values.get("peers/libsignal/256") ?? 0) / (values.get("peers/agentmesh/256x32") ?? 1)
    const words = "libsignal 256 B over agentmesh 32 × 256 B, per message"
    if (round > 0) sheet.note("peers/ratio", words, "×", ratio)
  }
  return sheet.figures
}

/** The group. */
export const peers: Group = {
  name: "peers",
  what: "libsignal and olm beside this protocol, signed single messages and batches",
  portable: false,
  run: measure,
}
