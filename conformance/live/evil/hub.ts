// A hostile hub on TCP: an honest hub in process, and between it and the agent whatever a case
// wants. After auth nothing protects the link (SPEC §11.1), and the hub's key is known here.

import type { AddressInfo } from "node:net"
import { createServer, type Server, type Socket } from "node:net"
import { decode, encode, type Value } from "../../../src/encoding.ts"
import type { Environment } from "../../../src/environment.ts"
import { FRAME, type HubLimits } from "../../../src/hub/frames.ts"
import type { FrameLink } from "../../../src/hub/hub.ts"
import { LocalHub } from "../../../src/hub/local-hub.ts"
import { MAX_FRAME } from "../../../src/limits.ts"
import { FrameReader } from "../../../src/node/framing.ts"
import { ed25519Public, osDraw } from "../../../src/suite.ts"
import { framed } from "../hub/stream.ts"

/** A decoded frame. */
export type Frame = readonly [type: number, ...Value[]]

/** What becomes of a frame: itself, another one, several, none. */
export type Fate = Frame | readonly Frame[] | null

/** What the hub does to frames. */
export interface Attack {
  /** To a frame of the agent. */
  readonly up?: (frame: Frame, link: AgentLink) => Fate
  /** To a frame of the honest hub; `asked` is the request that it answers. */
  readonly down?: (frame: Frame, asked: Frame | undefined, link: AgentLink) => Fate
}

function several(fate: Fate): readonly Frame[] {
  if (fate === null) return []
  return typeof fate[0] === "number" ? [fate as Frame] : (fate as readonly Frame[])
}

/** One connection of the agent. */
export class AgentLink {
  readonly socket: Socket
  readonly #hub: EvilHub
  /** All frames of the agent, and their bytes. */
  readonly sent: Frame[] = []
  readonly bytes: Uint8Array[] = []
  readonly #asked = new Map<number, Frame>()
  #local: FrameLink | null = null
  #waiting: Uint8Array[] = []
  isOpen = true

  constructor(socket: Socket, hub: EvilHub) {
    this.socket = socket
    this.#hub = hub
    socket.setNoDelay(true)
    const reader = new FrameReader()
    socket.on("data", (chunk: Uint8Array) => {
      reader.push(chunk, (bytes) => {
        this.#up(new Uint8Array(bytes))
        return true
      })
    })
    socket.on("error", () => undefined)
    socket.on("close", () => {
      this.isOpen = false
      this.#local?.close()
    })
    const events = {
      frame: (bytes: Uint8Array) => this.#down(bytes),
      closed: () => void socket.end(),
    }
    hub.local.open(events).then(
      (local) => {
        this.#local = local
        for (const bytes of this.#waiting.splice(0)) local.send(bytes)
        if (!this.isOpen) local.close()
      },
      () => socket.destroy(),
    )
  }

  #up(bytes: Uint8Array): void {
    const hub = this.#hub
    const frame = decode(bytes, MAX_FRAME) as unknown as Frame
    hub.onFrame("agent", frame)
    this.sent.push(frame)
    this.bytes.push(bytes)
    if (typeof frame[1] === "number") this.#asked.set(frame[1], frame)
    const fate = hub.attack.up?.(frame, this)
    const passed = fate === undefined ? [bytes] : several(fate).map((one) => encode(one))
    for (const one of passed) {
      if (this.#local) this.#local.send(one)
      else this.#waiting.push(one)
    }
  }

  #down(bytes: Uint8Array): void {
    const { onFrame, attack } = this.#hub
    const frame = decode(bytes, MAX_FRAME) as unknown as Frame
    const { down } = attack
    if (down === undefined) {
      onFrame("hub", frame)
      this.write(framed(bytes))
      return
    }
    const answers = frame[0] === FRAME.reply || frame[0] === FRAME.error
    const asked = answers ? this.#asked.get(frame[1] as number) : undefined
    for (const one of several(down(frame, asked, this))) this.inject(one)
  }

  /** Requests of a type that the agent has made on this link. */
  of(type: number): readonly Frame[] {
    return this.sent.filter((frame) => frame[0] === type)
  }

  /** Sends the agent a frame. */
  inject(frame: Frame): void {
    this.#hub.onFrame("hub", frame)
    this.write(framed(encode(frame as Value)))
  }

  /** Sends the agent bytes as they are. */
  write(bytes: Uint8Array): void {
    if (this.isOpen && this.socket.writable) this.socket.write(bytes)
  }

  /** Cuts the connection. */
  cut(): void {
    this.socket.destroy()
  }
}

/** The hub of one case. */
export class EvilHub {
  readonly local: LocalHub
  readonly secret: Uint8Array
  attack: Attack = {}
  /** Sees each frame as it came from the agent, and as it leaves for it. */
  onFrame: (from: "agent" | "hub", frame: Frame) => void = () => undefined
  readonly links: AgentLink[] = []
  readonly #server: Server
  port = 0

  constructor(environment: Environment, limits: Partial<HubLimits> = {}) {
    this.secret = osDraw("identity", 32)
    this.local = new LocalHub({ secret: this.secret, environment, limits })
    this.#server = createServer((socket) => {
      this.links.push(new AgentLink(socket, this))
    })
  }

  get hubIk(): Uint8Array {
    return ed25519Public(this.secret)
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** The newest connection of the agent. */
  get link(): AgentLink | undefined {
    return this.links.at(-1)
  }

  /** Everything that the agent has sent, on all connections. */
  get sent(): readonly Frame[] {
    return this.links.flatMap((link) => link.sent)
  }

  /** What the agent has sent of one type. */
  of(type: number): readonly Frame[] {
    return this.sent.filter((frame) => frame[0] === type)
  }

  /** SENDs of the agent to a name. */
  sendsTo(name: string): readonly Frame[] {
    return this.of(FRAME.send).filter((frame) => frame[2] === name)
  }

  async stop(): Promise<void> {
    for (const link of this.links) link.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await this.local.close()
  }
}
