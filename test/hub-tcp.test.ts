// SPEC §11 over TCP: what only a socket can do to a hub. After each attack the hub still works.

import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { decode } from "cbor2"
import { afterEach, describe, expect, test } from "vitest"
import { FrameReader } from "../src/node/framing.ts"
import { NetworkHub, parseHubAddress } from "../src/node/network-hub.ts"
import { NetworkHubServer, type NetworkHubServerOptions } from "../src/node/network-hub-server.ts"
import { settle, TestClock } from "./support/clock.ts"
import { asError, bundleOf, err, type Frame, RawLink, rawKey } from "./support/hub-link.ts"
import { rawBytes } from "./support/raw-cbor.ts"

const ALICE = rawKey("alice")
const BOB = rawKey("bob")
const CAROL = rawKey("carol")
const HELLO = rawBytes([1, 0, [1], new Uint8Array(32)])

const framed = (frame: Uint8Array): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(frame.length)
  return Buffer.concat([head, frame])
}

/** Frames of a stream, and whether it has ended. */
class Stream {
  readonly socket: Socket
  #data = Buffer.alloc(0)
  #wake: (() => void) | null = null
  ended = false

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true })
    this.socket.on("data", (chunk) => {
      this.#data = Buffer.concat([this.#data, chunk])
      this.#wake?.()
    })
    this.socket.on("error", () => undefined)
    for (const event of ["end", "close"]) {
      this.socket.on(event, () => {
        this.ended = true
        this.#wake?.()
      })
    }
  }

  /** The next frame; null at the end of the stream. */
  async next(): Promise<Frame | null> {
    for (;;) {
      if (this.#data.length >= 4) {
        const length = this.#data.readUInt32BE()
        if (this.#data.length >= 4 + length) {
          const frame = this.#data.subarray(4, 4 + length)
          this.#data = this.#data.subarray(4 + length)
          return decode(frame) as Frame
        }
      }
      if (this.ended) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

interface Running {
  readonly server: NetworkHubServer
  readonly clock: TestClock
  readonly port: number
  readonly hub: NetworkHub
}

let servers: NetworkHubServer[] = []
let sockets: Socket[] = []

async function start(options: NetworkHubServerOptions = {}): Promise<Running> {
  const clock = new TestClock()
  const server = new NetworkHubServer({ port: 0, environment: clock, ...options })
  servers.push(server)
  const { port, url } = await server.start()
  return { server, clock, port, hub: new NetworkHub(url) }
}

function open(running: Running): Stream {
  const stream = new Stream(running.port)
  sockets.push(stream.socket)
  return stream
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) await server.stop()
  servers = []
  sockets = []
})

/** Waits until sockets have done what they do in their own time. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(condition()).toBe(true)
}

async function works({ hub }: Running): Promise<void> {
  const link = await RawLink.login(hub, rawKey("witness"))
  expect(await link.ask(16)).toEqual([null])
  link.close()
}

async function join({ hub, clock }: Running, key: typeof ALICE): Promise<RawLink> {
  const link = await RawLink.login(hub, key)
  await link.ask(10, bundleOf(key, { seq: 1, now: clock.seconds }))
  return link
}

describe("framing", () => {
  test("length 0 is error 1, then the end (HUB-18)", async () => {
    const running = await start()
    const stream = open(running)
    stream.socket.write(Buffer.alloc(4))
    expect(await stream.next()).toEqual([21, 0, 1, 0])
    expect(await stream.next()).toBeNull()
    await works(running)
  })

  test("lengths above the limit are error 10, then the end, body unread (HUB-19)", async () => {
    const running = await start()
    for (const length of [0xffff_ffff, 0x8000_0000, 1_179_649]) {
      const stream = open(running)
      const head = Buffer.alloc(4)
      head.writeUInt32BE(length)
      stream.socket.write(head)
      expect(await stream.next()).toEqual([21, 0, 10, 0])
      expect(await stream.next()).toBeNull()
      expect(running.server.statistics.held).toBe(0)
    }
    await works(running)
  })

  test("a claimed length allocates nothing (HUB-19)", async () => {
    const running = await start()
    const stream = open(running)
    const head = Buffer.alloc(4)
    head.writeUInt32BE(1_179_648)
    stream.socket.write(head)
    stream.socket.write(Buffer.alloc(100))
    await works(running)
    expect(running.server.statistics.held).toBeGreaterThan(0)
    expect(running.server.statistics.held).toBeLessThan(1000)
  })

  test("a frame may come in any pieces, several in one (HUB-1)", async () => {
    const running = await start()
    const bytes = framed(HELLO)
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const stream = open(running)
      stream.socket.setNoDelay(true)
      stream.socket.write(bytes.subarray(0, cut))
      await settle(2)
      stream.socket.write(bytes.subarray(cut))
      expect((await stream.next())?.[0]).toBe(2)
      stream.socket.destroy()
    }
    const bytewise = open(running)
    bytewise.socket.setNoDelay(true)
    for (const byte of bytes) {
      bytewise.socket.write(Uint8Array.of(byte))
      await settle(1)
    }
    expect((await bytewise.next())?.[0]).toBe(2)
    const both = open(running)
    both.socket.write(Buffer.concat([bytes, framed(rawBytes([16, 1]))]))
    expect((await both.next())?.[0]).toBe(2)
    expect(asError((await both.next()) as Frame)).toEqual(err(3))
    expect(await both.next()).toBeNull()
  })

  test("garbage closes its own link only (HUB-16)", async () => {
    const running = await start()
    const bob = await join(running, BOB)
    const garbage = [
      Buffer.from("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"),
      Buffer.from('{"type":"hello"}\n'),
      Buffer.alloc(100_000, 0xff),
      framed(Buffer.alloc(500, 0x9f)),
      framed(Buffer.from("8080", "hex")),
    ]
    for (const bytes of garbage) {
      const stream = open(running)
      stream.socket.write(bytes)
      const frame = await stream.next()
      expect(frame?.[0]).toBe(21)
      expect(await stream.next()).toBeNull()
    }
    expect(await bob.ask(16)).toEqual([null])
    await works(running)
  })

  test("what was asked before a broken frame is still answered, in order (HUB-13)", async () => {
    const running = await start()
    const link = await join(running, ALICE)
    link.send([16, 1001])
    link.send([13, 1002, "alice", new Uint8Array(16), new Uint8Array(50)])
    link.sendBytes(new Uint8Array([0xff]))
    const frames = await link.end()
    expect(frames.filter((frame) => frame[0] !== 30)).toEqual([
      [20, 1001, null],
      [20, 1002, null],
      [21, 0, 1, 0],
    ])
  })
})

describe("time", () => {
  test("a link that does not authenticate is closed after 10 s (HUB-35)", async () => {
    const running = await start()
    const silent = open(running)
    const slow = open(running) // a byte now and then
    const greeted = open(running)
    greeted.socket.write(framed(HELLO))
    await greeted.next()
    const ready = await RawLink.login(running.hub, ALICE)
    for (let i = 0; i < 5; i++) {
      slow.socket.write(Uint8Array.of([0, 0, 1, 0, 0x84][i] as number))
      await running.clock.advance(1)
    }
    expect([silent.ended, slow.ended, greeted.ended]).toEqual([false, false, false])
    await running.clock.advance(10)
    for (const stream of [silent, slow, greeted]) expect(await stream.next()).toBeNull()
    expect(await ready.ask(16)).toEqual([null])
  })

  test("a silent link is closed after 180 s, one that asks is not (HUB-35)", async () => {
    const running = await start()
    const silent = await RawLink.login(running.hub, ALICE)
    const alive = await RawLink.login(running.hub, BOB)
    for (let i = 0; i < 12; i++) {
      await running.clock.advance(20)
      expect(await alive.ask(16)).toEqual([null])
      if (i === 7) expect(silent.isClosed).toBe(false)
    }
    expect(await silent.nextBytes()).toBeNull()
    for (let i = 0; i < 30; i++) {
      await running.clock.advance(60)
      expect(await alive.ask(16)).toEqual([null])
    }
  })

  test("the end of the other side's stream is answered with the rest", async () => {
    const running = await start()
    const stream = open(running)
    stream.socket.end(framed(HELLO))
    expect((await stream.next())?.[0]).toBe(2)
    expect(await stream.next()).toBeNull()
  })

  test("connections that vanish leave nothing behind", async () => {
    const running = await start()
    for (let i = 0; i < 20; i++) {
      const link = await RawLink.login(running.hub, rawKey(`ghost-${i}`))
      expect(link.isClosed).toBe(false)
      const stream = open(running)
      stream.socket.write(Buffer.from([0, 0, 1]))
      await once(stream.socket, "connect")
      stream.socket.resetAndDestroy()
      link.close()
    }
    await until(() => running.server.statistics.links === 0)
    expect(running.server.statistics).toMatchObject({ links: 0, ready: 0, held: 0 })
  })
})

describe("back-pressure", () => {
  test("a reader that takes nothing bounds what the hub holds, and delays nobody", async () => {
    const size = 250_000
    const limits = { perSenderBytes: 64 * size, mailboxBytes: 64 * size }
    const running = await start({ limits })
    await join(running, BOB)
    const carol = await join(running, CAROL)
    const alice = await join(running, ALICE)
    const bob = open(running)
    const { clock, server } = running
    // Bob authenticates on a socket that is then never read.
    const raw = await RawLink.open({
      address: "",
      open: async (events) => {
        bob.socket.removeAllListeners("data")
        bob.socket.on("data", (chunk: Buffer) => events.frame(chunk.subarray(4)))
        return {
          send: (frame) => bob.socket.write(framed(frame)),
          close: () => bob.socket.destroy(),
        }
      },
    })
    await raw.greet()
    raw.auth(BOB)
    expect((await raw.next())[0]).toBe(4)
    bob.socket.pause()
    const before = server.statistics.delivered
    for (let i = 0; i < 60; i++) {
      const mid = new Uint8Array(16).fill(i)
      expect(await alice.ask(13, "bob", mid, new Uint8Array(size))).toEqual([null])
    }
    const stuck = server.statistics.delivered - before
    expect(stuck).toBeLessThan(60) // the window of 64 alone would let 15 MB into memory
    expect(await alice.ask(13, "carol", new Uint8Array(16), new Uint8Array(size))).toEqual([null])
    expect(await carol.settled()).toHaveLength(1)
    expect(await alice.ask(17)).toEqual([[0, [[1, 0]], 1]])
    // A reader that goes on reading gets the rest.
    bob.socket.resume()
    await until(() => server.statistics.delivered === before + 61)
    expect(clock.seconds).toBe(1_800_000_000)
  })

  test("a reader that takes nothing for a minute is closed", async () => {
    const size = 500_000
    const limits = { perSenderBytes: 64 * size, mailboxBytes: 64 * size }
    const running = await start({ limits, idleTimeout: 0 })
    const alice = await join(running, ALICE)
    const link = await join(running, BOB)
    const stuck = open(running)
    const raw = await RawLink.open({
      address: "",
      open: async (events) => {
        stuck.socket.removeAllListeners("data")
        stuck.socket.on("data", (chunk: Buffer) => events.frame(chunk.subarray(4)))
        return { send: (frame) => stuck.socket.write(framed(frame)), close: () => undefined }
      },
    })
    await raw.greet()
    raw.auth(BOB)
    await raw.next()
    expect(await link.end()).toEqual([[21, 0, 12, 0]])
    stuck.socket.pause()
    for (let i = 0; i < 30; i++) {
      await alice.ask(13, "bob", new Uint8Array(16).fill(i), new Uint8Array(size))
    }
    expect(running.server.statistics.ready).toBe(2)
    await running.clock.advance(300)
    await until(() => running.server.statistics.ready === 1)
    expect(await alice.ask(16)).toEqual([null])
  })

  test("who asks without reading answers is read no further, and loses none", async () => {
    const running = await start({ limits: { requestsPerSecond: 10_000_000 } })
    const link = await RawLink.login(running.hub, ALICE)
    for (let i = 0; i < 256; i++) {
      const padded = await RawLink.login(running.hub, rawKey(`${"n".repeat(50)}-${i}`))
      await padded.ask(
        10,
        bundleOf(rawKey(`${"n".repeat(50)}-${i}`), { seq: 1, now: running.clock.seconds }),
      )
      padded.close()
    }
    link.close()
    const stream = open(running)
    const raw = await RawLink.open({
      address: "",
      open: async (events) => {
        stream.socket.removeAllListeners("data")
        stream.socket.on("data", (chunk: Buffer) => events.frame(chunk.subarray(4)))
        return { send: (frame) => stream.socket.write(framed(frame)), close: () => undefined }
      },
    })
    await raw.greet()
    raw.auth(BOB)
    await raw.next()
    stream.socket.removeAllListeners("data").pause()
    const total = 1500 // pages of 14 KB: 21 MB of answers
    const frames = Array.from({ length: total }, (_, i) => framed(rawBytes([15, i + 1, ""])))
    stream.socket.write(Buffer.concat(frames))
    const { frames: before } = running.server.statistics
    for (let i = 0; i < 200; i++) await settle(1)
    expect(running.server.statistics.frames - before).toBeLessThan(total)
    let answers = 0
    const reader = new FrameReader()
    stream.socket.on("data", (chunk: Buffer) => {
      reader.push(chunk, (frame) => {
        expect((decode(frame) as Frame).slice(0, 2)).toEqual([20, ++answers])
        return true
      })
    })
    stream.socket.resume()
    await until(() => answers === total)
  })

  test("bytes held for incomplete frames are bounded over all connections", async () => {
    const running = await start({ maxHeld: 100_000 })
    const alice = await RawLink.login(running.hub, ALICE)
    const streams: Stream[] = []
    for (let i = 0; i < 10; i++) {
      const stream = open(running)
      const head = Buffer.alloc(4)
      head.writeUInt32BE(1_000_000)
      stream.socket.write(head)
      stream.socket.write(Buffer.alloc(30_000))
      streams.push(stream)
      await settle()
      expect(running.server.statistics.held).toBeLessThanOrEqual(100_000)
    }
    await until(() => streams.filter((stream) => stream.ended).length >= 6)
    expect(await alice.ask(16)).toEqual([null])
  })
})

describe("many", () => {
  test("a thousand idle connections, and the hub works", async () => {
    const running = await start({ idleTimeout: 0 })
    const links: RawLink[] = []
    for (let i = 0; i < 1000; i += 50) {
      const some = Array.from({ length: 50 }, (_, j) =>
        RawLink.login(running.hub, rawKey(`idle-${i + j}`)),
      )
      links.push(...(await Promise.all(some)))
    }
    expect(running.server.statistics.ready).toBe(1000)
    await works(running)
    await running.clock.advance(3600)
    expect(running.server.statistics.ready).toBe(1000)
    for (const link of [links[0], links[999]]) expect(await link?.ask(16)).toEqual([null])
    for (const link of links) link.close()
  })

  test("no more connections than allowed", async () => {
    const running = await start({ maxConnections: 3 })
    const streams = [open(running), open(running), open(running)]
    for (const stream of streams) {
      stream.socket.write(framed(HELLO))
      expect((await stream.next())?.[0]).toBe(2)
    }
    const fourth = open(running)
    expect(await fourth.next()).toBeNull()
    streams[0]?.socket.destroy()
    await until(() => running.server.statistics.links === 2)
    await works(running)
  })
})

describe("stopping", () => {
  test("what was asked is answered before the end, and nothing is lost", async () => {
    const running = await start()
    const alice = await join(running, ALICE)
    for (let i = 1; i <= 50; i++) {
      alice.send([13, i + 100, "alice", new Uint8Array(16).fill(i), new Uint8Array(100)])
    }
    await alice.next() // the hub has them
    await running.server.stop()
    servers = []
    const frames = await alice.end()
    const answers = frames.filter((frame) => frame[0] === 20)
    expect(answers.length).toBeGreaterThanOrEqual(1)
    expect(answers.every((frame) => frame[2] === null)).toBe(true)
  })

  test("a port in use is an error, and leaves nothing open", async () => {
    const running = await start()
    const second = new NetworkHubServer({ port: running.port, environment: running.clock })
    await expect(second.start()).rejects.toMatchObject({ code: "EADDRINUSE" })
    await works(running)
  })
})

describe("TLS and addresses", () => {
  const pem = (name: string): Buffer =>
    readFileSync(new URL(`support/tls/localhost.${name}.pem`, import.meta.url))

  test("with a certificate the link is TLS, and nothing else is accepted", async () => {
    const running = await start({ tls: { cert: pem("cert"), key: pem("key") }, loginTimeout: 1 })
    const { port } = running
    const trusted = new NetworkHub({ host: "127.0.0.1", port, tls: { ca: pem("cert") } })
    const link = await RawLink.login(trusted, ALICE)
    expect(await link.ask(16)).toEqual([null])
    const doubtful = new NetworkHub({ host: "127.0.0.1", port, tls: true })
    const events = { frame: () => undefined, closed: () => undefined }
    await expect(doubtful.open(events)).rejects.toThrow(/self.signed/)
    const plain = open(running)
    plain.socket.write(framed(HELLO))
    for (;;) {
      const frame = await plain.next().catch(() => null)
      if (frame === null) break
      expect(frame[0]).not.toBe(2)
    }
    link.close()
  })

  test("addresses", () => {
    const print = "0011:2233:4455:6677:8899:aabb:ccdd:eeff"
    expect(parseHubAddress("agentmesh://hub.example:7701")).toEqual({
      host: "hub.example",
      port: 7701,
    })
    expect(parseHubAddress("hub.example")).toEqual({ host: "hub.example", port: 7700 })
    expect(parseHubAddress(`agentmesh://[::1]:80#${print}`)).toEqual({
      ...{ host: "::1", port: 80, fingerprint: print },
    })
    expect(new NetworkHub({ host: "::1", port: 80 }).address).toBe("[::1]:80")
    for (const bad of [
      "",
      "agentmesh://",
      "http://hub",
      "hub:0",
      "hub:65536",
      "hub:77x",
      "a@b",
      "hub#",
      `hub#${print.toUpperCase()}`,
      `hub#${print}0`,
    ]) {
      expect(() => parseHubAddress(bad), bad).toThrow(TypeError)
    }
    expect(() => new NetworkHub({ host: "hub", fingerprint: "00" })).toThrow(TypeError)
  })

  test("a hub with another fingerprint is refused by the client, one that is not there too", async () => {
    const running = await start()
    const events = { frame: () => undefined, closed: () => undefined }
    await running.server.stop()
    servers = []
    await expect(running.hub.open(events)).rejects.toThrow(/ECONNREFUSED/)
  })

  test("of a list of hubs one that is there is found at once, whichever is tried first", async () => {
    const [gone, there] = [await start(), await start()]
    await gone.server.stop()
    servers = [there.server]
    const address = `${gone.hub.address},${there.hub.address},${gone.hub.address}`
    const events = { frame: () => undefined, closed: () => undefined }
    const hub = new NetworkHub(address)
    for (let i = 0; i < 6; i++) (await hub.open(events)).close()
    await there.server.stop()
    servers = []
    await expect(hub.open(events)).rejects.toThrow(/ECONNREFUSED/)
  })
})
