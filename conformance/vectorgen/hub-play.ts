// Frames to a hub, written down as steps.

import { fromHex, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { DEFAULT_LIMITS } from "../../src/hub/decision.ts"
import {
  encodeHello,
  frameHash,
  type HubLimits,
  signAuth,
  signWelcome,
} from "../../src/hub/frames.ts"
import { encodeRequest, type Request } from "../../src/hub/requests.ts"
import type { Signed } from "../../src/hub/wire.ts"
import type { Draw } from "../../src/suite.ts"
import { itemAt } from "../cbor.ts"
import type { JsonObject, Mutation, Step } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"
import { HUB_SEED, hubKey } from "./hub-key.ts"
import { NOW, type Person } from "./people.ts"

const NAMES: Readonly<Record<string, keyof HubLimits>> = {
  "mailbox-messages": "mailboxMessages",
  "mailbox-bytes": "mailboxBytes",
  "per-sender": "perSender",
  "per-sender-bytes": "perSenderBytes",
  "ttl-s": "ttl",
  envelope: "envelope",
  "requests-per-s": "requestsPerSecond",
  unacked: "unacked",
}

/** The two items of an encoded signed structure. */
export function signedParts(bytes: Uint8Array): Signed {
  const whole = toHex(bytes)
  const part = (i: number): Uint8Array => {
    const item = itemAt(whole, [i])
    const info = Number.parseInt(item.slice(0, 2), 16) & 31
    return fromHex(item.slice(info < 24 ? 2 : 2 + 2 * (1 << (info - 24))))
  }
  return [part(0), part(1)]
}

/** Builds the steps of one hub case. */
export class HubPlay {
  readonly steps: Step[] = []
  now: number = NOW
  readonly #limits: HubLimits
  readonly #snonce: Draw = deterministicDraw(HUB_SEED)
  readonly #rids = new Map<string, number>()

  /** @param limits - Limits of the hub by their names in SPEC §11.2. */
  constructor(limits: Readonly<Record<string, number>> = {}, extra: JsonObject = {}) {
    const own: Record<string, number> = { ...DEFAULT_LIMITS }
    for (const [name, value] of Object.entries(limits)) own[NAMES[name] as string] = value
    this.#limits = own as unknown as HubLimits
    const args = { seed: toHex(HUB_SEED), limits, ...extra }
    this.steps.push({ as: "h", op: "hub.new", args })
  }

  /** A frame on a link; the driver's answer is filled in. Returns the index of the step. */
  frame(link: string, frame: string, extra: Partial<Step> = {}, args: JsonObject = {}): number {
    const all = { hub: "$h", link, frame, now: this.now, ...args }
    return this.steps.push({ op: "hub.frame", args: all, output: {}, ...extra }) - 1
  }

  /** A frame that is refused. */
  refuse(
    link: string,
    code: string,
    frame: string,
    mutation: Mutation,
    twin: number,
    args: JsonObject = {},
  ): void {
    const all = { hub: "$h", link, frame, now: this.now, ...args }
    this.steps.push({
      op: "hub.frame",
      args: all,
      expect: code,
      mutation,
      twin,
      state: "unchanged",
    })
  }

  /** A frame that is refused for itself, on a link where the twin's is answered. */
  refuseFrame(link: string, code: string, frame: string, twin: number): void {
    const mutation = { level: "context", field: "frame", put: frame, with: { link } } as const
    this.refuse(link, code, frame, mutation, twin)
  }

  /** Ends a link from outside. */
  close(link: string): void {
    this.steps.push({ op: "hub.close", args: { hub: "$h", link } })
  }

  /** Says hello; returns what an auth has to sign. */
  hello(link: string, who: Person): { hello: Uint8Array; welcome: Uint8Array } {
    const hello = encodeHello([1], deterministicDraw(who.seed)("cnonce", 32))
    const welcome = signWelcome(
      hubKey(),
      frameHash(hello),
      this.#snonce("snonce", 32),
      this.#limits,
    )
    this.frame(link, toHex(hello), { output: { frames: [[link, toHex(welcome)]] } })
    return { hello, welcome }
  }

  /** The auth of an agent for a hello and a welcome. */
  auth(
    who: Person,
    at: { hello: Uint8Array; welcome: Uint8Array },
    hubIk: Uint8Array = hubKey().ik,
  ): string {
    const context = { helloHash: frameHash(at.hello), welcomeHash: frameHash(at.welcome), hubIk }
    return toHex(signAuth(who.own, context))
  }

  /** Opens a link of an agent. */
  login(link: string, who: Person): void {
    const at = this.hello(link, who)
    this.frame(link, this.auth(who, at))
  }

  /** The next rid of a link. */
  rid(link: string): number {
    const rid = (this.#rids.get(link) ?? 0) + 1
    this.#rids.set(link, rid)
    return rid
  }

  /** The encoded request with the next rid. */
  encode(link: string, request: Request): string {
    return toHex(encodeRequest(this.rid(link), request))
  }

  /** A request that is answered with OK. */
  ask(link: string, request: Request, extra: Partial<Step> = {}): number {
    return this.frame(link, this.encode(link, request), extra)
  }

  /** A request that is refused; the twin is the next step, which the caller adds. */
  deny(
    link: string,
    code: string,
    request: Request,
    mutation: Mutation,
    args: JsonObject = {},
  ): void {
    this.refuse(link, code, this.encode(link, request), mutation, this.steps.length + 1, args)
  }

  /** PING, to see that a link lives or is closed. */
  ping(link: string): void {
    this.ask(link, { type: "ping" })
  }

  restart(): void {
    this.steps.push({ op: "hub.restart", args: { hub: "$h" } })
  }

  /** Publishes a bundle. */
  publish(link: string, who: Person, options: Parameters<Person["bundle"]>[0] = {}): void {
    const bundle = who.bundle({ suites: [1], ...options })
    this.ask(link, { type: "putBundle", bundle: signedParts(bundle.bytes) })
  }

  /** Publishes one-time keys of suite 1; returns them. */
  keys(link: string, who: Person, count: number, drop: boolean = false): readonly Uint8Array[] {
    const made = Array.from({ length: count }, () => who.oneTime(1).bytes)
    this.ask(link, { type: "putOneTime", drop, keys: made.map(signedParts) })
    return made
  }
}

/** Words for a mutation that is made anew from valid parts. */
export function words(put: string): Mutation {
  return { level: "field", field: "frame", put }
}

/** Another state of the hub, the same frame but for its rid. */
export function state(put: string): Mutation {
  return { level: "field", field: "frame", put }
}

/** An encoded CBOR value in hex. */
export function cbor(value: Parameters<typeof encode>[0]): string {
  return toHex(encode(value))
}
