// One link to a hub, frame by frame, over the pure codec: not the client of an agent, and it can
// send what no agent sends.

import { randomBytes } from "node:crypto"
import { equalBytes } from "../../../src/bytes.ts"
import { decode, encode, type Value } from "../../../src/encoding.ts"
import { FRAME, frameHash, HUB_ERRORS, isSignedBy } from "../../../src/hub/frames.ts"
import { labelled, sign } from "../../../src/suite.ts"
import type { Who } from "./actors.ts"
import { type Endpoint, Failure, framed, Stream } from "./stream.ts"

/** A decoded frame. */
export type Frame = readonly [type: number, ...Value[]]

/** Types of requests, in words. */
export const T: typeof FRAME = FRAME

/** An answer: the result, or code and retry-after of an ERR. */
export type Answer = { readonly ok: Value } | { readonly error: number; readonly retry: number }

/** A message as it was delivered. */
export interface Mail {
  readonly mseq: number
  readonly from: string
  readonly envelope: Uint8Array
}

/** Hub errors in words. */
export function errorName(code: number): string {
  return HUB_ERRORS[code - 1] ?? `error ${code}`
}

/** An answer in words. */
export function told(answer: Answer): string {
  if ("error" in answer) return `${errorName(answer.error)} (retry after ${answer.retry} s)`
  return "OK"
}

/** Reads a frame of the hub; whatever is not canonical is a failure (HUB-1). */
export function parse(bytes: Uint8Array): Frame {
  let value: Value
  try {
    value = decode(bytes, 1_179_648)
  } catch (error) {
    throw new Failure(`the hub sent a frame that is no canonical CBOR: ${(error as Error).message}`)
  }
  if (Array.isArray(value) && typeof value[0] === "number") return value as unknown as Frame
  throw new Failure("the hub sent a frame that does not begin with a type")
}

/** One link. */
export class Link {
  readonly stream: Stream
  /** Mail and LOW_ONE_TIME that came while something else was waited for. */
  readonly mail: Mail[] = []
  readonly low: (readonly [suite: number, left: number])[] = []
  #rid = 0
  hello: Uint8Array = new Uint8Array(0)
  welcome: Uint8Array = new Uint8Array(0)
  hubIk: Uint8Array = new Uint8Array(32)
  limits: readonly number[] = []
  counts: Value = null

  private constructor(stream: Stream) {
    this.stream = stream
  }

  static async open(endpoint: Endpoint): Promise<Link> {
    return new Link(await Stream.open(endpoint))
  }

  /** Sends a value as a frame. */
  send(value: Value): Promise<void> {
    return this.stream.write(framed(encode(value)))
  }

  /** The next frame of any kind; the end of the link is a failure. */
  async next(): Promise<Frame> {
    const bytes = await this.stream.next()
    if (bytes === null) throw new Failure("the hub closed the link instead of answering")
    return parse(bytes)
  }

  /** Sends hello and reads what comes back. */
  async greet(versions: Value = [1], cnonce: Uint8Array = randomBytes(32)): Promise<Frame> {
    this.hello = encode([T.hello, 0, versions, new Uint8Array(cnonce)])
    await this.stream.write(framed(this.hello))
    const bytes = await this.stream.next()
    if (bytes === null) throw new Failure("the hub closed the link instead of a welcome")
    this.welcome = bytes
    const frame = parse(bytes)
    if (frame[0] !== T.welcome) return frame
    const [, zero, version, hubIk, snonce, limits, sig] = frame
    const shaped =
      frame.length === 7 &&
      zero === 0 &&
      isBytes(hubIk, 32) &&
      isBytes(snonce, 32) &&
      isBytes(sig, 64) &&
      Array.isArray(limits) &&
      limits.length === 8
    if (!shaped) throw new Failure("the welcome has another shape than SPEC §11.2")
    const body = labelled(
      "hub-welcome",
      frameHash(this.hello),
      version as Value,
      hubIk,
      snonce,
      limits as Value,
    )
    if (!isSignedBy(hubIk, body, sig))
      throw new Failure("the signature of the welcome does not verify")
    this.hubIk = hubIk
    this.limits = limits as readonly number[]
    return frame
  }

  /** What auth signs on this link, or with another part. */
  authBody(
    who: Who,
    other: Partial<Record<"hello" | "welcome" | "hubIk", Uint8Array>> = {},
  ): Uint8Array {
    const {
      hello = frameHash(this.hello),
      welcome = frameHash(this.welcome),
      hubIk = this.hubIk,
    } = other
    return labelled("hub-auth", hello, welcome, hubIk, who.name, who.ik)
  }

  /** Sends auth. */
  auth(who: Who, sig: Uint8Array = sign(who.ikSecret, this.authBody(who))): Promise<void> {
    return this.send([T.auth, 0, who.name, who.ik, sig])
  }

  /** Hello and auth up to READY. */
  async login(who: Who): Promise<this> {
    const welcome = await this.greet()
    if (welcome[0] !== T.welcome) throw new Failure(`hello was answered with ${describe(welcome)}`)
    await this.auth(who)
    const ready = await this.next()
    if (ready[0] !== T.ready || ready.length !== 3) {
      throw new Failure(`auth was answered with ${describe(ready)}`)
    }
    this.counts = ready[2] as Value
    return this
  }

  /** Sends a request; its rid. */
  async post(type: number, ...rest: Value[]): Promise<number> {
    await this.send([type, ++this.#rid, ...rest])
    return this.#rid
  }

  /** Asks and reads the answer; pushes are put aside. */
  async ask(type: number, ...rest: Value[]): Promise<Answer> {
    return this.answer(await this.post(type, ...rest))
  }

  /** The answer to the request `rid`, which has to be the next one (HUB-13). */
  async answer(rid: number): Promise<Answer> {
    for (;;) {
      const frame = await this.next()
      if (this.#push(frame)) continue
      if (frame[1] !== rid)
        throw new Failure(`an answer to ${rid} was due, ${describe(frame)} came`)
      if (frame[0] === T.reply && frame.length === 3) return { ok: frame[2] as Value }
      if (frame[0] === T.error && frame.length === 4) {
        return { error: frame[2] as number, retry: frame[3] as number }
      }
      throw new Failure(`an answer was due, ${describe(frame)} came`)
    }
  }

  /** Asks; the answer has to be OK. */
  async ok(type: number, ...rest: Value[]): Promise<Value> {
    const answer = await this.ask(type, ...rest)
    if ("ok" in answer) return answer.ok
    throw new Failure(`expected OK to ${nameOf(type)}, got ${told(answer)}`)
  }

  /** Asks; the answer has to be this error, and the link stays. */
  async refused(code: number, retry: number, type: number, ...rest: Value[]): Promise<void> {
    const answer = await this.ask(type, ...rest)
    if ("error" in answer && answer.error === code && answer.retry === retry) return
    throw new Failure(
      `expected ${told({ error: code, retry })} to ${nameOf(type)}, got ${told(answer)}`,
    )
  }

  /** The next message. */
  async delivery(): Promise<Mail> {
    while (this.mail.length === 0) {
      const frame = await this.next()
      if (!this.#push(frame)) throw new Failure(`mail was due, ${describe(frame)} came`)
    }
    return this.mail.shift() as Mail
  }

  /** The next `count` messages. */
  async deliveries(count: number): Promise<readonly Mail[]> {
    const all: Mail[] = []
    while (all.length < count) all.push(await this.delivery())
    return all
  }

  /** The next frame has to be an ERR with rid 0 and this code, and then the link ends. */
  async closedWith(code: number, retry: number = 0): Promise<void> {
    for (;;) {
      const bytes = await this.stream.next()
      if (bytes === null) throw new Failure(`the hub closed the link without ${errorName(code)}`)
      const frame = parse(bytes)
      if (this.#push(frame)) continue
      const right =
        frame.length === 4 &&
        frame[0] === T.error &&
        frame[1] === 0 &&
        frame[2] === code &&
        frame[3] === retry
      if (!right) throw new Failure(`expected ${errorName(code)} (rid 0), got ${describe(frame)}`)
      break
    }
    await this.ended(`after ${errorName(code)}`)
  }

  /** Nothing more comes: the hub closes the link. */
  async ended(when: string): Promise<void> {
    const more = await this.stream.next().catch((error: Failure) => {
      throw new Failure(`the hub does not close the link ${when}: ${error.message}`)
    })
    if (more !== null) throw new Failure(`${describe(parse(more))} came ${when}`)
  }

  /** Leaves. */
  close(): void {
    this.stream.socket.end()
    this.stream.socket.resume()
  }

  #push(frame: Frame): boolean {
    if (frame[0] === T.deliver) {
      const [, zero, mseq, from, envelope] = frame
      const shaped =
        frame.length === 5 &&
        zero === 0 &&
        typeof mseq === "number" &&
        typeof from === "string" &&
        envelope instanceof Uint8Array
      if (!shaped) throw new Failure("a DELIVER has another shape than SPEC §11.2")
      this.mail.push({ mseq, from, envelope })
      return true
    }
    if (frame[0] !== T.lowOneTime) return false
    this.low.push([frame[2] as number, frame[3] as number])
    return true
  }
}

function isBytes(value: Value | undefined, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

/** Whether two values are the same bytes. */
export function sameBytes(a: Value | undefined, b: Value | undefined): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b)
}

function nameOf(type: number): string {
  const known = Object.entries(T).find(([, number]) => number === type)
  return known?.[0] ?? `a request of type ${type}`
}

/** A frame in words, without content. */
export function describe(frame: Frame): string {
  if (frame[0] === T.error) return `${errorName(frame[2] as number)} with rid ${String(frame[1])}`
  return nameOf(frame[0]).toUpperCase()
}
