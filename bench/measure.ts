// How everything here is timed: CPU time of this process beside wall time, the cases of a round one
// after the other, subject and floor back to back, a round to warm up, then the median of the rounds.

/** Which part of a run this is. */
export interface Pace {
  readonly rounds: number
  /** Milliseconds of CPU that a case gets in a round. */
  readonly slice: number
  readonly quick: boolean
}

/** The pace of a full run, and of one that only shows that everything works. */
export const FULL: Pace = { rounds: 5, slice: 60, quick: false }
export const QUICK: Pace = { rounds: 2, slice: 4, quick: true }

/** What one measurement came to, in all its rounds. */
export interface Figure {
  /** Unique in a run: `group/case`. */
  readonly id: string
  readonly what: string
  readonly unit: "µs" | "ms" | "/s" | "KiB" | "MiB" | "kB" | "B" | "×"
  readonly values: readonly number[]
  /** Wall time of the same rounds, where the values are CPU time. */
  readonly wall?: readonly number[]
  /** Value over floor, by round; the floor itself is the sum of the primitives. */
  readonly floor?: readonly number[]
  readonly ratio?: readonly number[]
}

/** Median, smallest and largest of some values. */
export function spread(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  const median = sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

/** User and system time of this process so far, in microseconds. */
export function cpuNow(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Subject and floor change places so often within a round: load from elsewhere meets both. */
const TURNS = 6

/** What one side of a comparison has used in a round, in microseconds. */
class Clock {
  readonly #action: () => void
  readonly #times: number
  #cpu = 0
  #wall = 0
  #runs = 0

  /** @param slice - Milliseconds of a whole round. */
  constructor(action: () => void, slice: number) {
    this.#action = action
    let wall = 0
    for (let times = 1; wall < slice * 250; times *= 2) {
      this.reset()
      this.#run(times)
      wall = this.#wall
    }
    this.#times = Math.max(1, Math.round((slice * 1000) / TURNS / (wall / this.#runs)))
    this.reset()
  }

  reset(): void {
    this.#cpu = 0
    this.#wall = 0
    this.#runs = 0
  }

  run(): void {
    this.#run(this.#times)
  }

  #run(times: number): void {
    const cpu = cpuNow()
    const wall = performance.now()
    for (let i = 0; i < times; i++) this.#action()
    this.#cpu += cpuNow() - cpu
    this.#wall += (performance.now() - wall) * 1000
    this.#runs += times
  }

  /** CPU and wall time of one run since the last reset. */
  get each(): { cpu: number; wall: number } {
    return { cpu: this.#cpu / this.#runs, wall: this.#wall / this.#runs }
  }
}

/** One thing to time. */
export interface Case {
  readonly id: string
  readonly what: string
  /** The operation, which verifies its own result. */
  readonly run: () => void
  /** The sum of the primitives that it cannot avoid, if it has a floor. */
  readonly floor?: () => void
  /** Messages of one operation; figures are per message. By default 1. */
  readonly per?: number
}

/** Times synchronous cases; the values are microseconds of CPU. */
export function timeCases(cases: readonly Case[], pace: Pace): Figure[] {
  const plans = cases.map((one) => ({
    one,
    subject: new Clock(one.run, pace.slice),
    least: one.floor && new Clock(one.floor, pace.slice),
    values: [] as number[],
    wall: [] as number[],
    floor: [] as number[],
  }))
  for (let round = 0; round <= pace.rounds; round++) {
    for (const { one, subject, least, values, wall, floor } of plans) {
      const per = one.per ?? 1
      subject.reset()
      least?.reset()
      for (let turn = 0; turn < TURNS; turn++) {
        subject.run()
        least?.run()
      }
      if (round === 0) continue // to warm up
      values.push(subject.each.cpu / per)
      wall.push(subject.each.wall / per)
      if (least) floor.push(least.each.cpu / per)
    }
  }
  return plans.map(({ one, values, wall, floor }) => {
    const figure: Figure = { id: one.id, what: one.what, unit: "µs", values, wall }
    if (!one.floor) return figure
    return { ...figure, floor, ratio: values.map((value, i) => value / (floor[i] as number)) }
  })
}
