// A hostile hub against an agent behind a driver of tier 3 (SPEC §11, §12, §15).

import { claims, type Driver, type Hello } from "../driver.ts"
import type { Verdict } from "../verdict.ts"
import { Again, unstableMessage } from "./again.ts"
import { AGAIN } from "./evil/again.ts"
import { DELAYS } from "./evil/delays.ts"
import { DIRECTORY } from "./evil/directory.ts"
import { FORGED } from "./evil/forged.ts"
import { FOUNDING } from "./evil/founding.ts"
import { INBOX_CASES } from "./evil/inbox.ts"
import { MAIL } from "./evil/mail.ts"
import { OPENING } from "./evil/opening.ts"
import { OWN_BUNDLE } from "./evil/own-bundle.ts"
import { PUBLISHING } from "./evil/publishing.ts"
import { READY } from "./evil/ready.ts"
import { SENDING } from "./evil/sending.ts"
import { WEEKS } from "./evil/weeks.ts"
import { type EvilCase, World } from "./evil/world.ts"
import { Failure } from "./hub/stream.ts"

export type { EvilCase } from "./evil/world.ts"

function numbered(first: number, drafts: readonly Omit<EvilCase, "id">[]): readonly EvilCase[] {
  return drafts.map((draft, i) => {
    const id = `agent-evil-${String(first + i + 1).padStart(3, "0")}`
    return { id, ...draft }
  })
}

/**
 * All cases: opening from 001, directory 101, mail 201, sending 301, founding and inbox 401, delays
 * 601, publishing 701.
 */
export const EVIL_CASES: readonly EvilCase[] = [
  ...numbered(0, [...OPENING, ...READY]),
  ...numbered(100, DIRECTORY),
  ...numbered(200, [...MAIL, ...FORGED]),
  ...numbered(300, [...SENDING, ...AGAIN]),
  ...numbered(400, [...FOUNDING, ...INBOX_CASES]),
  ...numbered(600, [...DELAYS, ...WEEKS]),
  ...numbered(700, [...PUBLISHING, ...OWN_BUNDLE]),
]

/** Operations without which an agent cannot be examined. */
const NEEDED = [
  ...["agent.new", "agent.clock", "agent.trust", "agent.forget"],
  ...["agent.snapshot", "agent.restore", "agent.export", "agent.send", "agent.receive"],
  ...["agent.connect", "agent.disconnect", "agent.submit", "agent.poll", "agent.receipts"],
]

/** How an agent is examined. */
export interface EvilRunOptions {
  /** Only cases whose id begins with one of these. */
  readonly only?: readonly string[]
  readonly onVerdict?: (verdict: Verdict) => void
  /** Longest time until something due happens, milliseconds; 8,000 by default. */
  readonly patience?: number
  /** Whether a case that fails is repeated; true by default. */
  readonly repeat?: boolean
}

/** Worlds that fail in a row with an honest hub before the rest is given up. */
const GIVE_UP = 2

/** Runs something in a world of its own; what was wrong. */
async function attempt(world: World, run: (w: World) => Promise<void>): Promise<Failure | null> {
  try {
    await world.start()
    await run(world)
    await world.finish()
    return null
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  } finally {
    await world.end()
  }
}

/**
 * Examines an agent. An honest hub comes first, and again after each case that fails: an agent that
 * does not work at all passes nothing.
 *
 * @param driver - Of tier 3.
 * @param hello - Its introduction.
 */
export async function runEvilHub(
  driver: Driver,
  hello: Hello,
  options: EvilRunOptions = {},
): Promise<readonly Verdict[]> {
  const { only, onVerdict, patience = 8_000 } = options
  const planned = EVIL_CASES.filter(
    ({ id }) => !only || only.some((prefix) => id.startsWith(prefix)),
  )
  const lacking =
    hello.tier < 3 || !hello.roles.includes("agent")
      ? "tier 3 as an agent"
      : NEEDED.find((op) => !claims(hello, op))
  const good = (): Promise<Failure | null> =>
    attempt(new World(driver, patience), async (w) => void (await w.meet("b")))
  let dead = 0
  let reason = ""
  const verdicts: Verdict[] = []
  const again = new Again(options.repeat)
  const probe = async (): Promise<void> => {
    const error = await good()
    dead = error === null ? 0 : dead + 1
    reason = error?.message ?? ""
  }
  if (lacking === undefined && planned.length > 0) await probe()
  for (const item of planned) {
    const { id, title, req } = item
    const about = { id, title, req, kind: "agent", calls: 0 } as const
    let verdict: Verdict
    if (lacking !== undefined) {
      verdict = { ...about, outcome: "UNSUPPORTED", message: `needs ${lacking}` }
    } else {
      if (dead > 0 && dead < GIVE_UP) await probe()
      if (dead > 0) {
        const message = `the agent does not work with an honest hub: ${reason}`
        verdict = { ...about, outcome: "BLOCKED", message }
      } else {
        let world!: World
        const { error, unstable } = await again.judge((times) => {
          world = new World(driver, patience * times, item.options)
          return attempt(world, (w) => item.run(w))
        })
        const { calls, log } = world
        if (error !== null) {
          verdict = { ...about, calls, outcome: "FAIL", message: error.message, log }
          await probe()
        } else if (unstable !== undefined) {
          verdict = { ...about, calls, outcome: "WARN", message: unstableMessage(unstable) }
        } else verdict = { ...about, calls, outcome: "PASS", message: "" }
      }
    }
    verdicts.push(verdict)
    onVerdict?.(verdict)
  }
  return verdicts
}
