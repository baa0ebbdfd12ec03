// A hub that lies, loses and plays back, around an honest LocalHub: it works on frames.

import { SIGNED } from "../../src/bundle.ts"
import { decode, encode, type Value } from "../../src/encoding.ts"
import type { FrameLink, Hub, LinkEvents } from "../../src/hub/hub.ts"
import { LocalHub } from "../../src/hub/local-hub.ts"
import { signReceipt } from "../../src/hub/receipts.ts"
import { DatabaseStore } from "../../src/hub/store.ts"
import { ed25519Public, sha256 } from "../../src/suite.ts"
import { ProcessEnvironment, type VirtualClock } from "./clock.ts"
import { Disk, type Image } from "./disk.ts"
import { type Faults, type Held, noFaults } from "./faults.ts"
import { SendWatch } from "./send-watch.ts"
import { Wire } from "./wire.ts"

/** A frame of an agent. */
export interface Logged {
  readonly at: number
  readonly name: string
  readonly type: number
  /** Items of the frame after the request id. */
  readonly rest: readonly Value[]
}

/** Bundles served by a name, in the order they were published. */
type Bundles = Map<string, Value[]>

/** A hub between agents. */
export class LyingHub {
  readonly faults: Faults = noFaults()
  /** Copies of everything that was ever sent, and of what was thrown away. */
  readonly held: Held[] = []
  /** Frames of agents by type. */
  readonly frames: Map<string, number> = new Map()
  /** Frames of agents, while it is wanted. */
  log: Logged[] | null = null
  readonly watch: SendWatch = new SendWatch()
  readonly bundles: Bundles = new Map()
  readonly #clock: VirtualClock
  readonly #secret: Uint8Array
  readonly #wires = new Set<Wire>()
  #disk = new Disk()
  #inner: LocalHub
  #mseq = 2 ** 40

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.#secret = clock.chance.bytes(32)
    this.#inner = this.#start()
  }

  #start(): LocalHub {
    const environment = new ProcessEnvironment(this.#clock)
    const store = new DatabaseStore(this.#disk.open() as never)
    return new LocalHub({ store, secret: this.#secret, environment })
  }

  /** Rows at the hub. */
  get rows(): number {
    return this.#disk.rows()
  }

  /** A copy of all that the hub knows. */
  snapshot(): Image {
    return this.#disk.snapshot()
  }

  /** The hub loses all it knows, or goes back to an older state; its key stays. */
  restart(image: Image = new Map()): void {
    for (const wire of [...this.#wires]) wire.cut()
    this.#disk.kill()
    this.#disk = new Disk()
    this.#disk.restore(image)
    this.#inner = this.#start()
  }

  /** The hub as a name reaches it. */
  as(name: string): Hub {
    return {
      address: "the-hub",
      inProcess: true,
      open: (events) => this.#open(name, events),
    }
  }

  async #open(name: string, events: LinkEvents): Promise<FrameLink> {
    if (this.faults.offline.has(name)) throw new Error("there is no network")
    const wire = new Wire(this, this.#clock, events)
    const inner = await this.#inner.open(wire.fromHub)
    wire.connect(inner)
    this.#wires.add(wire)
    return wire
  }

  /** Ends the links of a name. */
  cut(name: string): void {
    for (const wire of [...this.#wires]) if (wire.name === name) wire.cut()
  }

  /** Puts an envelope before its recipient once more; false if it is not there. */
  replay(held: Held): boolean {
    const wire = [...this.#wires].find(({ name, ready }) => name === held.to && ready)
    wire?.inject(encode([30, 0, this.#mseq++, held.from, held.envelope]))
    return wire !== undefined
  }

  /** Says that few one-time keys of suite 1 are left. */
  low(name: string, left: number): void {
    const wire = [...this.#wires].find((one) => one.name === name && one.ready)
    wire?.inject(encode([31, 0, 1, left]))
  }

  /** @internal */
  forget(wire: Wire): void {
    this.#wires.delete(wire)
  }

  /** @internal */
  count(name: string, type: number, rest: readonly Value[]): void {
    const key = `${name} ${type}`
    this.frames.set(key, (this.frames.get(key) ?? 0) + 1)
    this.log?.push({ at: this.#clock.now, name, type, rest })
  }

  /** Frames of these types that agents have sent. */
  sent(...types: number[]): number {
    let sum = 0
    for (const [key, count] of this.frames) {
      if (types.includes(Number(key.split(" ")[1]))) sum += count
    }
    return sum
  }

  /** All frames of agents. */
  get total(): number {
    return [...this.frames.values()].reduce((sum, count) => sum + count, 0)
  }

  /** @internal A reply to GET_BUNDLE as this hub gives it. */
  found(name: string, result: Value): Value {
    const [bundle, oneTime, receipt] = result as [Value, Value, Value]
    const { withhold, oldBundles } = this.faults
    const first = this.bundles.get(name)?.[0]
    if (!oldBundles || first === undefined) return [bundle, withhold ? null : oneTime, receipt]
    const [body] = SIGNED(first)
    const [, , ik, , seq] = decode(body) as [string, string, Uint8Array, Uint8Array, number]
    const key = { ik: ed25519Public(this.#secret), secret: this.#secret }
    const time = Math.floor(this.#clock.now / 1000)
    const signed = signReceipt(key, { name, ik, bundleRef: sha256(body), seq, time })
    return [first, null, [...signed]]
  }
}
