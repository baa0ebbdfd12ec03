// Reference driver: the clock of an agent. In hand, or running from where it stands (DRIVER.md).

/** Longest time of a timer, milliseconds. */
const LONGEST = 0x7fff_ffff

interface Waiting {
  at: number
  readonly action: () => void
  timer?: NodeJS.Timeout
}

/** A clock that a driver moves, with timers; it can be let run. */
export class DriverClock {
  /** Milliseconds at the last move, and when that was by the clock of the system. */
  #base: number
  #since: number | null = null
  readonly #waiting = new Set<Waiting>()

  /** @param now - Unix seconds. */
  constructor(now: number) {
    this.#base = now * 1000
  }

  /** Unix milliseconds. */
  get now(): number {
    return this.#since === null ? this.#base : this.#base + Date.now() - this.#since
  }

  readonly after = (ms: number, action: () => void): (() => void) => {
    const one: Waiting = { at: this.now + ms, action }
    this.#waiting.add(one)
    this.#arm(one)
    return () => {
      clearTimeout(one.timer)
      this.#waiting.delete(one)
    }
  }

  /** Lets it run at the speed of real time. */
  run(): void {
    this.#since ??= Date.now()
    for (const one of this.#waiting) this.#arm(one)
  }

  /** Sets it, and runs the timers that are past by then. */
  move(now: number): void {
    const back = Math.max(0, this.now - now * 1000)
    this.#base = now * 1000
    if (this.#since !== null) this.#since = Date.now()
    // A timer runs for as long as it was set for, also if the clock is set back meanwhile.
    for (const one of this.#waiting) one.at -= back
    for (const one of [...this.#waiting].sort((a, b) => a.at - b.at)) {
      if (one.at <= now * 1000) this.#fire(one)
      else this.#arm(one)
    }
  }

  #arm(one: Waiting): void {
    if (this.#since === null) return
    clearTimeout(one.timer)
    const left = Math.min(Math.max(0, one.at - this.now), LONGEST)
    one.timer = setTimeout(() => {
      if (one.at <= this.now) this.#fire(one)
      else this.#arm(one)
    }, left)
    one.timer.unref() // the driver's input keeps its process, not its agents
  }

  #fire(one: Waiting): void {
    clearTimeout(one.timer)
    if (this.#waiting.delete(one)) one.action()
  }
}
