// One link through the lying hub: what happens to each frame.

import { decode, encode, type Value } from "../../src/encoding.ts"
import type { FrameLink, LinkEvents } from "../../src/hub/hub.ts"
import type { VirtualClock } from "./clock.ts"
import type { Faults } from "./faults.ts"
import type { LyingHub } from "./lying-hub.ts"

/** One link through the lying hub. */
export class Wire implements FrameLink {
  readonly #hub: LyingHub
  readonly #clock: VirtualClock
  readonly #events: LinkEvents
  readonly #asked = new Map<number, { type: number; name: string; mid: string }>()
  readonly #lastAt = { up: 0, down: 0 }
  #inner: FrameLink | null = null
  #open = true
  name: string = ""
  ready: boolean = false

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
    this.#hub.count(this.name, type, rest)
    if (faults.silent.has(this.name)) return
    if (type === 10) this.#published(rest[0] as Value)
    const asked = { type, name: rest[0] as string, mid: "" }
    this.#asked.set(rid, asked)
    const stores = type === 13 || type === 10 || type === 11
    if (stores && chance.happens(faults.fail)) {
      if (type === 13) asked.mid = this.#hub.watch.sent(this.name, rest)
      this.#later("down", encode([21, rid, 14, 1]))
      return
    }
    if (type === 13) {
      const [to, , envelope] = rest as [string, Uint8Array, Uint8Array]
      asked.mid = this.#hub.watch.sent(this.name, rest)
      const mail = { at: this.#clock.now, from: this.name, to, envelope }
      held.push(mail)
      if (faults.throwAway(mail) || chance.happens(faults.discard)) {
        this.#hub.watch.accepted(this.name, asked.name, asked.mid)
        this.#later("down", encode([20, rid, null]))
        return
      }
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
    if (type === 30) {
      this.#deliver(result, bytes)
      return
    }
    if (type === 20 && asked?.type === 13) {
      if (chance.happens(faults.loseOk)) return
      this.#hub.watch.accepted(this.name, asked.name, asked.mid)
    }
    let frame = bytes
    if (type === 20 && asked?.type === 12) {
      frame = encode([20, rid, this.#hub.found(asked.name, result)])
    }
    if (type === 4) frame = encode([4, 0, lied(result, faults)])
    if (type === 20 && asked?.type === 17) frame = encode([20, rid, lied(result, faults)])
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

/** Counts as this hub gives them. */
function lied(counts: Value, { bundleSeq, moreMail, noKeysLeft }: Faults): Value {
  const [mail, oneTime, seq] = counts as [number, [number, number][], Value]
  const left = oneTime.map(([suite, count]): Value => [suite, noKeysLeft ? 0 : count])
  return [mail + moreMail, left, bundleSeq ?? seq]
}
