// The black-box suite for hubs: real sockets, nothing known of the hub but its port (SPEC §11).

import type { Verdict } from "../verdict.ts"
import { Again, unstableMessage } from "./again.ts"
import { AUTH_CASES } from "./hub/auth.ts"
import { BLIND_CASES } from "./hub/blind.ts"
import { BUNDLE_CASES } from "./hub/bundle.ts"
import { FRAME_CASES } from "./hub/frame.ts"
import { LIMIT_CASES } from "./hub/limit.ts"
import { MAILBOX_CASES } from "./hub/mailbox.ts"
import { ONE_TIME_CASES } from "./hub/one-time.ts"
import { RESTART_CASES } from "./hub/restart.ts"
import { ROUTE_CASES } from "./hub/route.ts"
import { Failure } from "./hub/stream.ts"
import { type HubCase, type HubTarget, type Need, NotApplicable, Trial } from "./hub/trial.ts"
import { VERSION_CASES } from "./hub/version.ts"

export { type SpawnedHub, type SpawnOptions, spawnHub } from "./hub/spawn.ts"
export type { HubCase, HubTarget } from "./hub/trial.ts"

/** All cases, in the order in which they run: frame, auth, bundle, one-time, route, mailbox, ... */
export const HUB_CASES: readonly HubCase[] = [
  ...FRAME_CASES,
  ...AUTH_CASES,
  ...BUNDLE_CASES,
  ...ONE_TIME_CASES,
  ...ROUTE_CASES,
  ...MAILBOX_CASES,
  ...LIMIT_CASES,
  ...BLIND_CASES,
  ...VERSION_CASES,
  ...RESTART_CASES,
]

/** How a hub is examined. */
export interface HubRunOptions {
  /** Only cases whose id begins with one of these. */
  readonly only?: readonly string[]
  readonly onVerdict?: (verdict: Verdict) => void
  /** Longest time for one frame, milliseconds; 5,000 by default. */
  readonly patience?: number
  /** A SHOULD that is not kept fails. */
  readonly strict?: boolean
  /** Whether a case that fails is repeated; true by default. */
  readonly repeat?: boolean
  /** Begins all names; random characters follow, so that runs at a hub that keeps names do not meet. */
  readonly names?: string
}

/** Good exchanges that fail in a row before the rest is given up. */
const GIVE_UP = 2

class Runner {
  readonly #target: HubTarget
  readonly #patience: number
  readonly #names: string
  readonly #strict: boolean
  readonly #again: Again
  #dead = 0

  constructor(target: HubTarget, options: HubRunOptions) {
    this.#again = new Again(options.repeat)
    this.#target = target
    this.#patience = options.patience ?? 5_000
    this.#strict = options.strict ?? false
    this.#names = `${options.names ?? "t"}${Math.random().toString(36).slice(2, 10)}`
  }

  /** Whether two agents can work with the hub now; what is wrong if not. */
  async good(): Promise<string | null> {
    if (this.#dead >= GIVE_UP) return "the good exchange failed again and again"
    const finding = await this.#attempt((trial) => trial.good())
    this.#dead = finding === null ? 0 : this.#dead + 1
    return finding === null ? null : finding.message
  }

  /** The verdict on one case: the good exchange, then the case, then the good exchange. */
  async verdict(item: HubCase): Promise<Verdict> {
    const { id, title, req, needs = [], should, basic } = item
    const about = { id, title, req, kind: "hub", calls: 1 } as const
    const missing = needs.find((need) => !has(this.#target, need))
    if (missing !== undefined) {
      return { ...about, outcome: "UNSUPPORTED", message: WHY[missing], calls: 0 }
    }
    if (this.#dead > 0 && !basic) {
      const message = await this.good()
      if (message !== null) return { ...about, outcome: "BLOCKED", message, calls: 0 }
    }
    const { error, unstable } = await this.#again.judge((times) =>
      this.#attempt((trial) => item.run(trial), times),
    )
    if (error instanceof NotApplicable) {
      return { ...about, outcome: "UNSUPPORTED", message: error.message }
    }
    const after = item.slow || basic ? null : await this.good()
    const failed = should && !this.#strict ? "WARN" : "FAIL"
    if (error !== null) return { ...about, outcome: failed, message: error.message }
    if (after !== null) {
      return { ...about, outcome: "FAIL", message: `the hub did not work afterwards: ${after}` }
    }
    if (unstable !== undefined) {
      return { ...about, outcome: "WARN", message: unstableMessage(unstable) }
    }
    return { ...about, outcome: "PASS", message: "" }
  }

  async #attempt(work: (trial: Trial) => Promise<void>, times: number = 1): Promise<Error | null> {
    const trial = new Trial(this.#target, this.#patience * times, this.#names)
    try {
      await work(trial)
      return null
    } catch (error) {
      if (error instanceof Failure || error instanceof NotApplicable) return error
      throw error
    } finally {
      trial.end()
    }
  }
}

const WHY: Readonly<Record<Need, string>> = {
  restart: "needs a hub that this run has started",
  output: "needs the output of the hub: one that this run has started",
  data: "needs the folder in which the hub stores",
}

function has(target: HubTarget, need: Need): boolean {
  return target[need] !== undefined
}

/**
 * Examines a hub. The good exchange comes first, after each case, and last; without it nothing
 * counts, so that a hub that refuses everything passes nothing.
 *
 * @param target - Where the hub is, and what else is known of it.
 */
export async function runHubCases(
  target: HubTarget,
  options: HubRunOptions = {},
): Promise<readonly Verdict[]> {
  const { only, onVerdict } = options
  const planned = HUB_CASES.filter(
    ({ id }) => !only || only.some((prefix) => id.startsWith(prefix)),
  )
  const runner = new Runner(target, options)
  await runner.good()
  // A case that restarts the hub would end what the slow ones wait for: those are joined before.
  const slow = new Map<string, Promise<Verdict>>()
  for (const item of planned) if (item.slow) slow.set(item.id, runner.verdict(item))
  const verdicts: Verdict[] = []
  for (const item of planned) {
    if (item.needs?.includes("restart")) await Promise.all(slow.values())
    const verdict = await (slow.get(item.id) ?? runner.verdict(item))
    verdicts.push(verdict)
    onVerdict?.(verdict)
  }
  return verdicts
}
