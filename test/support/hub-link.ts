// A hub client written from SPEC §11 alone: it shares no codec and no signing code with src/.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto"
import { decode } from "cbor2"
import type { FrameLink, Hub } from "../../src/hub/hub.ts"
import { rawBytes } from "./raw-cbor.ts"

export const sha256 = (data: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(data).digest())

/** An Ed25519 key of 32 secret bytes. */
export interface RawKey {
  readonly name: string
  readonly secret: Uint8Array
  readonly ik: Uint8Array
}

function privateKey(secret: Uint8Array) {
  const jwk = { kty: "OKP", crv: "Ed25519", d: Buffer.from(secret).toString("base64url"), x: "" }
  return createPrivateKey({ key: jwk, format: "jwk" })
}

/** A key that depends on `seed` alone. */
export function rawKey(name: string, seed: string = name): RawKey {
  const secret = sha256(Buffer.from(seed))
  const { x } = createPublicKey(privateKey(secret)).export({ format: "jwk" })
  return { name, secret, ik: new Uint8Array(Buffer.from(x as string, "base64url")) }
}

/** `[body, signature]` */
export function signed(key: RawKey, body: Uint8Array): [Uint8Array, Uint8Array] {
  return [body, new Uint8Array(sign(null, body, privateKey(key.secret)))]
}

const frameHash = (frame: Uint8Array): Uint8Array => sha256(rawBytes(["AgentMesh/1 frame", frame]))

export type Frame = readonly unknown[]

/** One link, frame by frame. */
export class RawLink {
  #link!: FrameLink
  readonly #frames: Uint8Array[] = []
  #wake: (() => void) | null = null
  #rid = 0
  hello: Uint8Array = new Uint8Array(0)
  welcome: Uint8Array = new Uint8Array(0)
  hubIk: Uint8Array = new Uint8Array(0)
  /** Pushes that came while something else was waited for. */
  readonly pushes: Frame[] = []
  isClosed = false

  static async open(hub: Hub): Promise<RawLink> {
    const raw = new RawLink()
    raw.#link = await hub.open({
      frame: (bytes) => {
        raw.#frames.push(new Uint8Array(bytes))
        raw.#wake?.()
      },
      closed: () => {
        raw.isClosed = true
        raw.#wake?.()
      },
    })
    return raw
  }

  /** A link on which `key` has been authenticated. */
  static async login(hub: Hub, key: RawKey): Promise<RawLink> {
    const link = await RawLink.open(hub)
    await link.greet()
    link.auth(key)
    const ready = await link.next()
    if (ready[0] !== 4) throw new Error(`no READY but ${JSON.stringify(ready)}`)
    link.counts = ready[2] as Frame
    return link
  }

  /** The counts of READY. */
  counts: Frame = []

  send(value: unknown): void {
    this.#link.send(rawBytes(value))
  }

  sendBytes(bytes: Uint8Array): void {
    this.#link.send(bytes)
  }

  close(): void {
    this.#link.close()
  }

  /** The next frame of any kind; null once the link is closed and all is read. */
  async nextBytes(): Promise<Uint8Array | null> {
    while (this.#frames.length === 0) {
      if (this.isClosed) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = null
    }
    return this.#frames.shift() as Uint8Array
  }

  /** The next frame of any kind. */
  async next(): Promise<Frame> {
    const bytes = await this.nextBytes()
    if (bytes === null) throw new Error("the link is closed")
    return decode(bytes) as Frame
  }

  /** Waits until the hub has closed the link, and returns the frames before. */
  async end(): Promise<Frame[]> {
    const frames: Frame[] = []
    for (;;) {
      const bytes = await this.nextBytes()
      if (bytes === null) return frames
      frames.push(decode(bytes) as Frame)
    }
  }

  /** Sends hello, waits for welcome. */
  async greet(hello: unknown = [1, 0, [1], new Uint8Array(32).fill(7)]): Promise<Frame> {
    this.hello = rawBytes(hello)
    this.#link.send(this.hello)
    this.welcome = (await this.nextBytes()) ?? new Uint8Array([0x80])
    const welcome = decode(this.welcome) as Frame
    if (welcome[0] === 2) this.hubIk = welcome[3] as Uint8Array
    return welcome
  }

  /** What auth signs on this link. */
  authBody(key: RawKey, hubIk: Uint8Array = this.hubIk): Uint8Array {
    const hashes = [frameHash(this.hello), frameHash(this.welcome)]
    return rawBytes(["AgentMesh/1 hub-auth", ...hashes, hubIk, key.name, key.ik])
  }

  /** Sends auth. */
  auth(key: RawKey, sig: Uint8Array = signed(key, this.authBody(key))[1]): void {
    this.send([3, 0, key.name, key.ik, sig])
  }

  /** Sends a request and returns its answer; pushes are put aside. */
  async ask(type: number, ...rest: unknown[]): Promise<Frame> {
    const rid = ++this.#rid
    this.send([type, rid, ...rest])
    for (;;) {
      const frame = await this.next()
      if (frame[0] === 30 || frame[0] === 31) this.pushes.push(frame)
      else if (frame[1] === rid) return frame.slice(frame[0] === 20 ? 2 : 0)
      else throw new Error(`an answer to another request: ${JSON.stringify(frame)}`)
    }
  }

  /** The pushes that have come once a PING is answered. */
  async settled(): Promise<readonly Frame[]> {
    await this.ask(16)
    return this.pushes.splice(0)
  }
}

/** An error as a frame, the rid left out. */
export const err = (
  code: number,
  retryAfter: number = 0,
): { code: number; retryAfter: number } => ({
  code,
  retryAfter,
})

/** Code and retry-after of an error frame, or the frame itself. */
export function asError(frame: Frame): unknown {
  return frame[0] === 21 && frame.length === 4 ? err(frame[2] as number, frame[3] as number) : frame
}

// ---- signed objects of §6, from the text ----

const x25519 = (seed: string): Uint8Array => {
  const u = sha256(Buffer.from(`x25519 ${seed}`))
  u[31] = (u[31] as number) & 0x3f
  return u
}

export interface RawBundle {
  readonly seq: number
  readonly now: number
  readonly suites?: readonly number[]
  readonly name?: string
  readonly notAfter?: number
  readonly salt?: string
}

/** A bundle of suite 1 (and unknown suites) as `[body, sig]`. */
export function bundleOf(key: RawKey, options: RawBundle): [Uint8Array, Uint8Array] {
  const { seq, now, suites = [1], salt = "" } = options
  const prekeys = suites.map((suite) =>
    suite === 1 ? [1, x25519(`${key.name} prekey ${seq} ${salt}`), null] : [suite, "later"],
  )
  const body = rawBytes([
    "AgentMesh/1 bundle",
    options.name ?? key.name,
    key.ik,
    x25519(`${key.name} dk`),
    seq,
    now - 3600,
    options.notAfter ?? now + 86_400,
    0,
    prekeys,
  ])
  return signed(key, body)
}

/** A one-time key of suite 1 as `[body, sig]`. */
export function oneTimeOf(
  key: RawKey,
  number: number,
  notAfter: number,
  change: { name?: string; suite?: number } = {},
): [Uint8Array, Uint8Array] {
  const x = x25519(`${key.name} one-time ${number}`)
  const name = change.name ?? key.name
  return signed(
    key,
    rawBytes(["AgentMesh/1 one-time", name, key.ik, change.suite ?? 1, x, null, notAfter]),
  )
}
