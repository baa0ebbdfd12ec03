// What a case of the black-box suite works with: links that end with the case, fresh names, the
// good exchange, and plain checks.

import type { Value } from "../../../src/encoding.ts"
import { bundleOf, letter, newcomer, newMid, oneTimes, type Who } from "./actors.ts"
import { Link, sameBytes, T } from "./link.ts"
import { type Endpoint, Failure } from "./stream.ts"

/** The hub under test. */
export interface HubTarget {
  readonly host: string
  readonly port: number
  /** Kills the hub without notice and starts it again on the same storage and port. */
  readonly restart?: () => Promise<void>
  /** Everything that the hub has written to its standard streams. */
  readonly output?: () => string
  /** Folder in which the hub stores. */
  readonly data?: string
}

/** What a case needs of the target beyond a port. */
export type Need = "restart" | "output" | "data"

/** One case of the black-box suite. */
export interface HubCase {
  readonly id: string
  readonly title: string
  readonly req: readonly string[]
  readonly needs?: readonly Need[]
  /** Checks a SHOULD. */
  readonly should?: true
  /** Says why nothing works: runs whether or not the good exchange does. */
  readonly basic?: true
  /** Mostly waits; runs beside the others. */
  readonly slow?: true
  readonly run: (t: Trial) => Promise<void>
}

/** A case does not apply to this hub, because of limits that it announces. */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable"
}

/** Throws what was expected. */
export function check(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new Failure(expected)
}

/** Throws unless both print the same. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, due] = [print(actual), print(expected)]
  if (is !== due) throw new Failure(`${what}: expected ${cut(due)}, got ${cut(is)}`)
}

const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 96)}...` : text)

const print = (value: unknown): string =>
  JSON.stringify(value, (_key, item) =>
    item instanceof Uint8Array ? Buffer.from(item).toString("hex") : item,
  ) ?? "nothing"

/** Somebody who is logged in. */
export interface Actor {
  readonly who: Who
  readonly link: Link
}

let run = 0

/** One run of one case. */
export class Trial {
  readonly target: HubTarget
  readonly endpoint: Endpoint
  readonly #prefix: string
  readonly #links: Link[] = []
  #names = 0

  constructor(target: HubTarget, patience: number, seed: string) {
    this.target = target
    this.endpoint = { host: target.host, port: target.port, patience }
    this.#prefix = `${seed}-${(++run).toString(36)}`
  }

  /** A name that nobody has used at this hub. */
  name(): string {
    return `${this.#prefix}-${++this.#names}`
  }

  /** An identity under a fresh name. */
  newcomer(name: string = this.name()): Who {
    return newcomer(name)
  }

  /** A connection on which nothing was sent yet. */
  async connect(): Promise<Link> {
    const link = await Link.open(this.endpoint)
    this.#links.push(link)
    return link
  }

  /** A connection on which hello and welcome were exchanged. */
  async greeted(): Promise<Link> {
    const link = await this.connect()
    const frame = await link.greet()
    check(frame[0] === T.welcome, "hello is answered with a welcome")
    return link
  }

  /** A link on which `who` is ready. */
  async login(who: Who = this.newcomer()): Promise<Link> {
    return (await this.connect()).login(who)
  }

  /** Somebody with a bundle at the hub, and perhaps one-time keys. */
  async join(options: { suites?: readonly number[]; keys?: number } = {}): Promise<Actor> {
    const who = this.newcomer()
    const link = await this.login(who)
    const { suites = [1], keys = 0 } = options
    await link.ok(T.putBundle, bundleOf(who, { suites }) as Value)
    if (keys > 0) await link.ok(T.putOneTime, 0, oneTimes(who, keys) as Value)
    return { who, link }
  }

  /** Several of them. */
  async joinAll(count: number): Promise<readonly Actor[]> {
    const all: Actor[] = []
    for (let i = 0; i < count; i++) all.push(await this.join())
    return all
  }

  /** SEND, which has to be taken. */
  async mail(from: Actor, to: Who, text: string, size?: number): Promise<Uint8Array> {
    const envelope = letter(text, size)
    same(await from.link.ok(T.send, to.name, newMid(), envelope), null, "result of SEND")
    return envelope
  }

  /**
   * Barrier: `from` sends a mark, and everything that the hub has for `to` comes before it, in the
   * order of mseq. Returns what came before; nothing is acknowledged.
   */
  async drain(from: Actor, to: Actor): Promise<readonly string[]> {
    const mark = await this.mail(from, to.who, `mark ${this.name()}`)
    const texts: string[] = []
    for (;;) {
      const { envelope } = await to.link.delivery()
      if (sameBytes(envelope, mark)) return texts
      texts.push(Buffer.from(envelope).toString())
    }
  }

  /** The good exchange: two agents, a bundle, one message there, its ACK. What each does in full
   * is the matter of cases: a fault there has to be found by the one that cites it. */
  async good(): Promise<void> {
    const [a, b] = [await this.join({ keys: 1 }), await this.join()]
    const found = await b.link.ok(T.getBundle, a.who.name, [1])
    check(Array.isArray(found) && found.length === 3 && found[1] !== null, "GET_BUNDLE finds all")
    const envelope = await this.mail(b, a.who, "good")
    const { mseq, from, envelope: came } = await a.link.delivery()
    same([from, came], [b.who.name, envelope], "the message that was delivered")
    same(await a.link.ok(T.ack, [mseq]), null, "result of ACK")
    for (const { link } of [a, b]) link.close()
  }

  /** Ends all links of the case. */
  end(): void {
    for (const link of this.#links) link.stream.destroy()
    this.#links.length = 0
  }
}

/** What a list of cases says of each. */
export type Draft = Omit<HubCase, "id">

/** Numbers the cases of an area: `hub-live-0307` is the seventh of area 3. */
export function area(number: number, drafts: readonly Draft[]): readonly HubCase[] {
  const two = (n: number): string => String(n).padStart(2, "0")
  return drafts.map((draft, i) => ({ id: `hub-live-${two(number)}${two(i + 1)}`, ...draft }))
}
