// What the figures are held against with --check.

import { type Figure, spread } from "./measure.ts"

interface Target {
  readonly id: string
  readonly what: string
  /** Whether the ratio to the floor counts, not the value. */
  readonly ratio?: boolean
  /** The value counts over that of this figure. */
  readonly over?: string
  readonly most?: number
  readonly least?: number
}

// The absolute figures of the hub were set on a machine where a raw TCP echo of a message took
// 0.60 µs of CPU; 6 µs and 1/26,000 s are 10 and 64 times that. The ratios carry over.
const TARGETS: readonly Target[] = [
  { id: "envelope/1/600x1", what: "one 600 B message over its floor", ratio: true, most: 1.25 },
  { id: "envelope/1/600x32", what: "32 × 600 B over their floor", ratio: true, most: 1.5 },
  { id: "envelope/1/way32", what: "32 × 600 B all the way, µs each", most: 12 },
  { id: "peers/ratio", what: "libsignal's cost over that of a batch", least: 8 },
  { id: "handshake/1", what: "handshake over its floor, suite 1", ratio: true, most: 1.3 },
  { id: "handshake/2", what: "handshake over its floor, suite 2", ratio: true, most: 1.3 },
  { id: "portable/envelope/1/600x1", what: "portable: one message", ratio: true, most: 1.3 },
  { id: "portable/envelope/1/600x32", what: "portable: 32 × 600 B", ratio: true, most: 1.3 },
  { id: "portable/handshake/1", what: "portable: handshake", ratio: true, most: 1.3 },
  { id: "end-to-end/memory/rate", what: "three processes, messages per second", least: 35_580 },
  { id: "end-to-end/memory/p50", what: "lone message, p50, ms", most: 0.5 },
  { id: "hub/frame", what: "hub, µs of CPU per frame", most: 6 },
  { id: "hub/frame-echo", what: "the same over a raw TCP echo", most: 10 },
  { id: "hub/durable", what: "durable SEND per second", least: 26_000 },
  { id: "hub/durable-echo", what: "time of a durable SEND over a raw TCP echo", most: 64 },
  { id: "hub/idle", what: "idle connection, KiB", most: 20 },
  { id: "hub/flat", what: "1,000 agents at a hub against 10", most: 1.15 },
  { id: "scale/10000", over: "scale/10", what: "10,000 agents against 10", most: 1.15 },
  { id: "length/1000000", over: "length/10000", what: "the millionth message", most: 1.15 },
  { id: "library/import", what: "import of the library, ms", most: 60 },
  { id: "library/gzip", what: "browser bundle, gzip, kB", most: 60 },
]

/** How a target came out. */
export interface Verdict {
  readonly what: string
  readonly target: string
  readonly value: number
  readonly met: boolean
}

/** The verdicts on all targets that were measured. */
export function judge(figures: readonly Figure[]): Verdict[] {
  const byId = new Map(figures.map((figure) => [figure.id, figure]))
  return TARGETS.flatMap(({ id, what, ratio, over, most, least }) => {
    const figure = byId.get(id)
    const base = over === undefined ? undefined : byId.get(over)
    const values = ratio ? figure?.ratio : figure?.values
    if (values === undefined || (over !== undefined && base === undefined)) return []
    const value = spread(values).median / (base ? spread(base.values).median : 1)
    const met = most === undefined ? value >= (least ?? 0) : value <= most
    const target = most === undefined ? `≥ ${least?.toLocaleString("en")}` : `≤ ${most}`
    return [{ what, target, value, met }]
  })
}
