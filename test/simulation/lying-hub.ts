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

/** What a hub does wrong. Probabilities are per frame; all are 0 or empty at an honest hub. */
export interface Faults {
  /** Milliseconds that a frame travels at least and at most; frames of a link keep their order. */
  latency: readonly [number, number]
  /** SENDs that get an OK and are thrown away. */
  discard: number
  /** DELIVERs that are thrown away, as if they had been acknowledged. */
  lose: number
  /** DELIVERs that come twice, and how much later the second comes at most, milliseconds. */
  duplicate: number
  duplicateWithin: number
  /** DELIVERs that overtake each other, and by how much at most, milliseconds. */
  delay: number
  delayWithin: number
  /** OKs of SENDs that do not arrive. */
  loseOk: number
  /** Whether one-time keys are withheld. */
  withhold: boolean
  /** Whether the first bundle that a name published is served for ever. */
  oldBundles: boolean
  /** bundle-seq in READY and COUNTS, if it is not the true one. */
  bundleSeq: number | null
  /** Names that cannot reach the hub. */
  offline: Set<string>
  /** Names whose frames vanish in both directions while the link stays. */
  silent: Set<string>
  /** SENDs that are answered with `internal`. */
  fail: number
}

/** An honest hub with some latency. */
export function noFaults(): Faults {
  return {
    ...{ latency: [1, 20], discard: 0, lose: 0, duplicate: 0, duplicateWithin: 60_000 },
    ...{ delay: 0, delayWithin: 60_000, loseOk: 0, withhold: false, oldBundles: false },
    ...{ bundleSeq: null, offline: new Set(), silent: new Set(), fail: 0 },
  }
}

/** An envelope that the hub has seen. */
export interface Held {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly envelope: Uint8Array
}

/** Bundles served by a name, in the order they were published. */
type Bundles = Map<string, Value[]>

/** A hub between agents. */
export class LyingHub {
  readonly faults: Faults = noFaults()
  /** Copies of everything that was ever sent, and of what was thrown away. */
  readonly held: Held[] = []
  /** Frames of agents by type, and frames to agents. */
  readonly frames: Map<string, number> = new Map()
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

  /** @internal */
  forget(wire: Wire): void {
    this.#wires.delete(wire)
  }

  /** @internal */
  count(name: string, direction: "up" | "down", type: number): void {
    const key = `${name} ${direction} ${type}`
    this.frames.set(key, (this.frames.get(key) ?? 0) + 1)
  }

  /** Frames of these types that agents have sent. */
  sent(...types: number[]): number {
    let sum = 0
    for (const [key, count] of this.frames) {
      const [, direction, type] = key.split(" ")
      if (direction === "up" && types.includes(Number(type))) sum += count
    }
    return sum
  }

  /** All frames of agents. */
  get total(): number {
    let sum = 0
    for (const [key, count] of this.frames) if (key.includes(" up ")) sum += count
    return sum
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

/** One link through the lying hub. */
class Wire implements FrameLink {
  readonly #hub: LyingHub
  readonly #clock: VirtualClock
  readonly #events: LinkEvents
  readonly #asked = new Map<number, { type: number; name: string }>()
  readonly #lastAt = { up: 0, down: 0 }
  #inner: FrameLink | null = null
  #open = true
  name = ""
  ready = false

  constructor(hub: LyingHub, clock: VirtualClock, events: LinkEvents) {
    this.#hub = hub
    this.#clock = clock
    this.#events = events
  }

  connect(inner: FrameLink): void {
    this.#inner = inner
  }

  /** What the honest hub says. */
  readonly fromHub: LinkEvents = {
    frame: (bytes) => this.#down(bytes),
    closed: () => void this.#clock.after(this.#lastAt.down - this.#clock.now, () => this.cut()),
  }

  /** Ends the link; the agent hears of it. */
  cut(): void {
    if (!this.#open) return
    this.close()
    this.#events.closed()
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#inner?.close()
    this.#hub.forget(this)
  }

  send(frame: Uint8Array): void {
    const [type, rid, ...rest] = decode(frame, 2_000_000) as [number, number, ...Value[]]
    const { faults, held } = this.#hub
    const { chance } = this.#clock
    if (type === 3) this.name = rest[0] as string
    this.#hub.count(this.name, "up", type)
    if (faults.silent.has(this.name)) return
    if (type === 10) this.#published(rest[0] as Value)
    this.#asked.set(rid, { type, name: rest[0] as string })
    if (type === 13) {
      const [to, , envelope] = rest as [string, Uint8Array, Uint8Array]
      held.push({ at: this.#clock.now, from: this.name, to, envelope })
      if (chance.happens(faults.fail)) return this.#later("down", encode([21, rid, 14, 1]))
      if (chance.happens(faults.discard)) return this.#later("down", encode([20, rid, null]))
    }
    this.#later("up", frame)
  }

  #published(bundle: Value): void {
    const before = this.#hub.bundles.get(this.name) ?? []
    this.#hub.bundles.set(this.name, [...before, bundle])
  }

  #down(bytes: Uint8Array): void {
    const [type, rid, result] = decode(bytes, 2_000_000) as [number, number, Value]
    const { faults } = this.#hub
    const { chance } = this.#clock
    if (type === 4) this.ready = true
    if (faults.silent.has(this.name)) return
    const asked = this.#asked.get(rid)
    if (type >= 20 && type <= 21) this.#asked.delete(rid)
    if (type === 30) return this.#deliver(result, bytes)
    if (type === 20 && asked?.type === 13 && chance.happens(faults.loseOk)) return
    let frame = bytes
    if (type === 20 && asked?.type === 12) {
      frame = encode([20, rid, this.#hub.found(asked.name, result)])
    }
    if (faults.bundleSeq !== null && type === 4) {
      frame = encode([4, 0, lied(result, faults.bundleSeq)])
    } else if (faults.bundleSeq !== null && type === 20 && asked?.type === 17) {
      frame = encode([20, rid, lied(result, faults.bundleSeq)])
    }
    this.#later("down", frame)
  }

  #deliver(mseq: Value, bytes: Uint8Array): void {
    const { faults } = this.#hub
    const { chance } = this.#clock
    if (chance.happens(faults.lose)) {
      // The honest hub behind gets an ACK, its answer goes to nobody.
      this.#inner?.send(encode([14, 0xffff_ffff, [mseq]]))
      return
    }
    if (chance.happens(faults.duplicate)) {
      this.#clock.after(chance.between(1, faults.duplicateWithin), () => this.inject(bytes))
    }
    if (chance.happens(faults.delay)) {
      this.#clock.after(chance.between(1, faults.delayWithin), () => this.inject(bytes))
    } else this.#later("down", bytes)
  }

  /** Shows a frame to the agent at once. */
  inject(frame: Uint8Array): void {
    if (!this.#open) return
    this.#events.frame(frame)
  }

  #later(direction: "up" | "down", frame: Uint8Array): void {
    const { latency } = this.#hub.faults
    const { now, chance } = this.#clock
    const at = Math.max(this.#lastAt[direction], now + chance.between(...latency))
    this.#lastAt[direction] = at
    this.#clock.after(at - now, () => {
      if (!this.#open) return
      if (direction === "up") this.#inner?.send(frame)
      else this.#events.frame(frame)
    })
  }
}

/** Counts with another bundle-seq. */
function lied(counts: Value, seq: number): Value {
  const [mail, oneTime] = counts as [Value, Value, Value]
  return [mail, oneTime, seq]
}
