// A hub of which a test plays every frame: for what an honest hub never does.

import { createPrivateKey, sign } from "node:crypto"
import { decode } from "cbor2"
import type { FrameLink, Hub, LinkEvents } from "../../src/hub/hub.ts"
import { type Frame, type RawKey, rawKey, sha256 } from "./hub-link.ts"
import { rawBytes } from "./raw-cbor.ts"

export const HUB_KEY: RawKey = rawKey("hub", "scripted hub")
export const LIMITS: readonly number[] = [
  1000, 67_108_864, 200, 8_388_608, 604_800, 1_114_112, 1000, 64,
]

const frameHash = (frame: Uint8Array): Uint8Array => sha256(rawBytes(["AgentMesh/1 frame", frame]))

function signWith(key: RawKey, body: Uint8Array): Uint8Array {
  const d = Buffer.from(key.secret).toString("base64url")
  const jwk = { kty: "OKP", crv: "Ed25519", d, x: "" }
  return new Uint8Array(sign(null, body, createPrivateKey({ key: jwk, format: "jwk" })))
}

/** What a scripted welcome says; each part can be another than an honest hub's. */
export interface WelcomeScript {
  readonly version?: number
  readonly key?: RawKey
  readonly limits?: readonly unknown[]
  /** Signs these limits instead of the announced ones. */
  readonly signedLimits?: readonly unknown[]
  readonly signedVersion?: number
  /** Signs for this hello instead of the one that came. */
  readonly hello?: Uint8Array
}

/** One link at a scripted hub. */
export class ScriptedLink implements FrameLink {
  readonly events: LinkEvents
  readonly received: Uint8Array[] = []
  #wake: (() => void) | null = null
  closedByAgent = false
  /** Answers frames by themselves; by default nothing does. */
  onFrame: (frame: Frame, bytes: Uint8Array) => boolean = () => false

  constructor(events: LinkEvents) {
    this.events = events
  }

  send(bytes: Uint8Array): void {
    if (this.onFrame(decode(bytes) as Frame, bytes)) return
    this.received.push(bytes)
    this.#wake?.()
  }

  close(): void {
    this.closedByAgent = true
  }

  /** Sends a frame to the agent. */
  push(frame: unknown): void {
    this.events.frame(rawBytes(frame))
  }

  async nextBytes(): Promise<Uint8Array> {
    while (this.received.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.received.shift() as Uint8Array
  }

  async next(): Promise<Frame> {
    return decode(await this.nextBytes()) as Frame
  }

  /** Answers hello. */
  async welcome(script: WelcomeScript = {}): Promise<void> {
    const came = await this.nextBytes()
    const hello = script.hello ?? came
    const { version = 1, key = HUB_KEY, limits = LIMITS } = script
    const snonce = new Uint8Array(32).fill(9)
    const signedLimits = script.signedLimits ?? limits
    const body = rawBytes([
      "AgentMesh/1 hub-welcome",
      frameHash(hello),
      script.signedVersion ?? version,
      key.ik,
      snonce,
      signedLimits,
    ])
    this.push([2, 0, version, key.ik, snonce, limits, signWith(key, body)])
  }

  /** Answers hello and auth. */
  async accept(counts: Frame = [0, [], null], script: WelcomeScript = {}): Promise<void> {
    await this.welcome(script)
    const auth = await this.next()
    if (auth[0] !== 3) throw new Error("no auth")
    this.push([4, 0, counts])
  }
}

/** A hub whose links a test takes one by one. */
export class ScriptedHub implements Hub {
  readonly address = "scripted"
  readonly inProcess: boolean
  readonly fingerprint: string | undefined
  readonly links: ScriptedLink[] = []
  /** Attempts to open a link, the refused ones included. */
  attempts = 0
  reachable = true
  #wake: (() => void) | null = null

  constructor(options: { fingerprint?: string; inProcess?: boolean } = {}) {
    this.fingerprint = options.fingerprint
    this.inProcess = options.inProcess ?? false
  }

  async open(events: LinkEvents): Promise<FrameLink> {
    this.attempts++
    if (!this.reachable) throw new Error("connection refused")
    const link = new ScriptedLink(events)
    this.links.push(link)
    this.#wake?.()
    return link
  }

  /** The next link that the agent opens. */
  async next(): Promise<ScriptedLink> {
    while (this.links.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.links.shift() as ScriptedLink
  }
}
