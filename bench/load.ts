// A load on a hub, in a process of its own: raw sockets, frames made in advance, answers read by
// hand, so that the hub is what the figures are about. Not an agent: nothing here is encrypted.
//
//   node dist/bench/load.js HOST:PORT AGENTS WINDOW MESSAGES [SIZE] [PREFIX]
//
// Prints "ready", waits for a line on standard input, sends, and prints one line of JSON once every
// message has come, once each.

import { connect, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { createBundle } from "../src/bundle.ts"
import type { Value } from "../src/encoding.ts"
import { decode } from "../src/encoding.ts"
import { decodeFrame, encodeHello, frameHash, signAuth, verifyWelcome } from "../src/hub/frames.ts"
import { encodeRequest } from "../src/hub/requests.ts"
import { createIdentity } from "../src/identity.ts"
import { FrameReader, FrameWriter } from "../src/node/framing.ts"
import { encode as pack } from "../src/pack.ts"
import { osDraw } from "../src/suite.ts"

const [target = "", agentCount = "10", windowSize = "32", messageCount = "10000"] =
  process.argv.slice(2)
const SIZE = Number(process.argv[6] ?? 600)
const PREFIX = process.argv[7] ?? "load"
const AGENTS = Number(agentCount)
const WINDOW = Number(windowSize)
const MESSAGES = Number(messageCount)

const envelope = new Uint8Array(SIZE).fill(7)
let sent = 0
let answered = 0
let delivered = 0
let begun = 0
let accepted = 0
let finish = (): void => undefined
const all = new Promise<void>((resolve) => {
  finish = resolve
})

/** The integer that begins at `at`, and where it ends. */
function readUint(frame: Uint8Array, at: number): readonly [value: number, end: number] {
  const info = (frame[at] as number) & 31
  if (info < 24) return [info, at + 1]
  const size = 1 << (info - 24)
  let value = 0
  for (let i = 1; i <= size; i++) value = value * 256 + (frame[at + i] as number)
  return [value, at + 1 + size]
}

const DELIVER = 30
const REPLY = 20

/** One connection that sends to all others. */
class Agent {
  readonly name: string
  #socket!: Socket
  #writer!: FrameWriter
  readonly #reader = new FrameReader()
  #rid = 1
  #due: number[] = []
  readonly #seen = new Set<number>()
  #handshake: ((frame: Uint8Array) => void) | null = null

  constructor(name: string) {
    this.name = name
  }

  #connect(): void {
    const [host = "127.0.0.1", port = ""] = target.split(":")
    this.#socket = connect({ host, port: Number(port), noDelay: true })
    this.#writer = new FrameWriter(this.#socket)
    this.#socket.on("data", (chunk: Uint8Array) => {
      this.#reader.push(chunk, (frame) => {
        this.#take(frame)
        return true
      })
    })
    this.#socket.on("error", (error) => {
      console.error(error.message)
      process.exit(1)
    })
  }

  #ask(frame: Uint8Array): Promise<readonly [number, ...Value[]]> {
    return new Promise((resolve) => {
      this.#handshake = (answer) => resolve(decodeFrame(answer))
      this.#writer.send(frame)
    })
  }

  /** Authenticates and puts a bundle. */
  async enrol(): Promise<void> {
    this.#connect() // not before: a hub gives a connection 10 s to authenticate
    const identity = createIdentity(this.name, osDraw)
    const hello = encodeHello([1], osDraw("cnonce", 32))
    const helloHash = frameHash(hello)
    const welcome = await this.#ask(hello)
    const { hubIk } = verifyWelcome(welcome, { helloHash, pinned: null })
    const welcomeHash = frameHash(pack(welcome as Value))
    const ready = await this.#ask(signAuth(identity, { helloHash, welcomeHash, hubIk }))
    if (ready[0] !== 4) throw new Error(`the hub answered ${ready[0]} to auth`)
    const now = Math.floor(Date.now() / 1000)
    const { bytes } = createBundle(identity, { seq: now, now, suites: [1] }, osDraw)
    const bundle = decode(bytes) as unknown as [Uint8Array, Uint8Array]
    const stored = await this.#ask(encodeRequest(this.#rid++, { type: "putBundle", bundle }))
    if (stored[0] !== REPLY) throw new Error(`the hub answered ${stored} to PUT_BUNDLE`)
    this.#handshake = null
  }

  #take(frame: Uint8Array): void {
    if (this.#handshake !== null) {
      this.#handshake(frame)
      return
    }
    const [type, at] = readUint(frame, 1)
    if (type === DELIVER) {
      const [mseq] = readUint(frame, at + 1)
      if (this.#seen.has(mseq)) throw new Error("a message came twice on one connection")
      this.#seen.add(mseq)
      delivered++
      if (this.#due.push(mseq) === 1) setImmediate(this.#ack)
      if (delivered === MESSAGES) finish()
      return
    }
    if (type !== REPLY) throw new Error(`the hub sent ${decode(frame)}`)
    const [rid] = readUint(frame, at)
    if (rid % 2 === 1) return // of an ACK
    if (++answered === MESSAGES) accepted = performance.now()
    this.send()
  }

  readonly #ack = (): void => {
    if (this.#socket.writableEnded) return
    const mseqs = this.#due
    this.#due = []
    for (let i = 0; i < mseqs.length; i += 64) {
      this.#rid += 2
      this.#writer.send(pack([14, this.#rid | 1, mseqs.slice(i, i + 64)]))
    }
  }

  /** Sends one more, to anybody. */
  send(): void {
    if (sent >= MESSAGES) return
    const mid = new Uint8Array(16)
    new DataView(mid.buffer).setUint32(0, ++sent)
    this.#rid += 2
    const to = `${PREFIX}-${Math.floor(Math.random() * AGENTS)}`
    this.#writer.send(pack([13, this.#rid & ~1, to, mid, envelope]))
  }

  close(): void {
    this.#socket.end()
  }
}

const agents = Array.from({ length: AGENTS }, (_, i) => new Agent(`${PREFIX}-${i}`))
for (let i = 0; i < AGENTS; i += 50) {
  await Promise.all(agents.slice(i, i + 50).map((agent) => agent.enrol()))
}
console.log("ready")
for await (const _line of createInterface({ input: process.stdin })) break
const cpu = process.cpuUsage()
begun = performance.now()
for (let i = 0; i < WINDOW; i++) for (const agent of agents) agent.send()
await all
const ended = performance.now()
const { user, system } = process.cpuUsage(cpu)
console.log(
  JSON.stringify({
    cpu: (user + system) / MESSAGES,
    accepted: (MESSAGES / (accepted - begun)) * 1000,
    delivered: (MESSAGES / (ended - begun)) * 1000,
  }),
)
for (const agent of agents) agent.close()
process.stdin.destroy() // or it keeps this process
