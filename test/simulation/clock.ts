// Virtual time: a heap of timers, seeded randomness, and one environment for each process.

import type { Environment } from "../../src/environment.ts"

/** Milliseconds. */
export const SECOND = 1_000
export const MINUTE: number = 60 * SECOND
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

/** When every simulation begins, Unix milliseconds. */
export const START = 1_800_000_000_000

/** Timers in one minute of virtual time that are no longer a conversation. */
const STORM = 20_000

interface Timer {
  readonly at: number
  readonly order: number
  action: (() => void) | null
}

/** A seeded source of randomness (sfc32). */
export class Chance {
  #a: number
  #b = 0x9e3779b9
  #c = 0x243f6a88
  #d = 1

  constructor(seed: number) {
    this.#a = seed | 0
    for (let i = 0; i < 16; i++) this.word()
  }

  /** 32 random bits. */
  word(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0
    return t >>> 0
  }

  /** A number from 0 up to 1. */
  unit(): number {
    return this.word() / 0x1_0000_0000
  }

  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return probability > 0 && this.unit() < probability
  }

  /** A number from `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low)
  }

  /** An integer from 0 to `below` - 1. */
  integer(below: number): number {
    return Math.floor(this.unit() * below)
  }

  /** One of several. */
  pick<T>(from: readonly T[]): T {
    return from[this.integer(from.length)] as T
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i += 4) {
      const word = this.word()
      for (let j = 0; j < 4 && i + j < length; j++) out[i + j] = word >>> (8 * j)
    }
    return out
  }
}

/** The clock of a simulated world. Nothing in it waits for real time. */
export class VirtualClock {
  /** True time, Unix milliseconds; processes may read another one. */
  now: number = START
  /** Timers that have fired. */
  fired = 0
  readonly chance: Chance
  readonly #heap: Timer[] = []
  #order = 0
  #minute = 0
  #inMinute = 0

  constructor(seed: number) {
    this.chance = new Chance(seed)
  }

  /** Calls `action` after `ms`; the result cancels it. */
  after(ms: number, action: () => void): () => void {
    const wait = Math.min(Math.max(0, Math.ceil(ms)), 0x7fff_ffff) // what setTimeout can do
    const timer: Timer = { at: this.now + wait, order: this.#order++, action }
    this.#push(timer)
    return () => {
      timer.action = null
    }
  }

  /** Resolves after `ms` of virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Runs everything that happens in the next `ms`. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms
    await turn()
    for (;;) {
      const timer = this.#heap[0]
      if (timer === undefined || timer.at > end) break
      this.#pop()
      const { action } = timer
      if (action === null) continue
      this.now = Math.max(this.now, timer.at)
      this.fired++
      this.#watch()
      action()
      await turn()
    }
    this.now = end
  }

  /** An agent that wakes for ever without a pause is a fault of its own. */
  #watch(): void {
    const minute = Math.floor(this.now / MINUTE)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#inMinute = 0
    } else if (++this.#inMinute > STORM) {
      throw new Error(`${STORM} timers in one minute, at ${this.now - START} ms`)
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(timer, heap[parent] as Timer)) break
      heap[at] = heap[parent] as Timer
      at = parent
    }
    heap[at] = timer
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Timer
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right && before(right, heap[child] as Timer)) child++
      if (!before(heap[child] as Timer, last)) break
      heap[at] = heap[child] as Timer
      at = child
    }
    heap[at] = last
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** All that was promised happens: stores and hubs of a simulation use microtasks only. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The environment of one process; once it is dead its timers do nothing. */
export class ProcessEnvironment implements Environment {
  readonly #clock: VirtualClock
  /** Milliseconds that the process reads too much. */
  skew: number
  dead = false
  /** Timers of this process that have fired. */
  woken = 0

  constructor(clock: VirtualClock, skew: number = 0) {
    this.#clock = clock
    this.skew = skew
  }

  now(): number {
    return Math.max(0, Math.floor(this.#clock.now + this.skew))
  }

  after(ms: number, action: () => void): () => void {
    return this.#clock.after(ms, () => {
      if (this.dead) return
      this.woken++
      action()
    })
  }

  /** @see Environment.draw */
  readonly draw = (_name: string, length: number): Uint8Array => this.#clock.chance.bytes(length)
}
