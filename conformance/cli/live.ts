// hub and agent: live implementations, a hub as a black box and an agent at a hostile hub.

import { connect } from "node:net"
import { join } from "node:path"
import { HarnessError, type Hello, packageFolder } from "../driver.ts"
import { EVIL_CASES, runEvilHub } from "../live/evil.ts"
import { HUB_CASES, type HubTarget, runHubCases, spawnHub } from "../live/hub.ts"
import { greet, summarize } from "../runner.ts"
import type { Report, Verdict } from "../verdict.ts"
import { loadRequirements, matcher, openDriver, UsageError } from "./context.ts"
import { type FinishFlags, finish, Watch } from "./finish.ts"

/** What `list` says about live cases. */
export const LIVE_CASES: readonly {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly req: readonly string[]
  readonly tier: number
}[] = [
  ...HUB_CASES.map((item) => ({ ...item, kind: "hub", tier: 3 })),
  ...EVIL_CASES.map((item) => ({ ...item, kind: "agent", tier: 3 })),
]

/** Options of `hub`. */
export interface HubFlags extends FinishFlags {
  readonly only: readonly string[]
}

/** Examines a hub; the exit code. Without an address or a command: the hub of this package. */
export async function runHub(flags: HubFlags): Promise<number> {
  const { only, strict, timeoutScale = 1 } = flags
  if (flags.connect !== undefined && flags.spawn !== undefined) {
    throw new UsageError("either --connect or --spawn")
  }
  const matches = matcher(only)
  const chosen = HUB_CASES.filter(matches).map(({ id }) => id)
  const watch = new Watch(chosen.length, flags)
  const verdicts: Verdict[] = []
  let aborted: string | undefined
  const opened = chosen.length === 0 ? null : await open(flags)
  if (typeof opened === "string") aborted = opened
  else if (opened !== null) {
    try {
      await runHubCases(opened.target, {
        ...{ only: chosen, strict, patience: 5_000 * timeoutScale, names: "conformance" },
        onVerdict: (verdict) => {
          verdicts.push(verdict)
          watch.see(verdict)
        },
      })
    } finally {
      await opened.stop()
    }
  }
  const report: Report = summarize({
    ...{ hello: null, verdicts, planned: chosen.length, broken: [], strict },
    // A hub that fails the good exchange was asked something too.
    ...{ executed: verdicts.some(({ outcome }) => outcome !== "UNSUPPORTED") },
    ...(aborted !== undefined && { aborted }),
  })
  const target = flags.connect ?? flags.spawn ?? null
  return finish(report, watch, flags, loadRequirements(), {
    ...{ mode: "hub", target, only, tier: null, seed: null, runs: null, strict },
  })
}

interface Opened {
  readonly target: HubTarget
  readonly stop: () => Promise<void>
}

/** The hub under test, or why there is none. */
async function open({
  connect: address,
  spawn,
  timeoutScale = 1,
}: HubFlags): Promise<Opened | string> {
  if (address !== undefined) {
    const target = parseAddress(address)
    const problem = await unreachable(target)
    return problem ?? { target, stop: async () => undefined }
  }
  const own = `node ${JSON.stringify(join(packageFolder(), "dist/src/node/hub-cli.js"))}`
  const command = spawn ?? `${own} --port {port} --data {data}`
  if (!command.includes("{port}")) throw new UsageError("--spawn needs {port} in the command")
  try {
    const hub = await spawnHub(command, { patience: 20_000 * timeoutScale })
    return { target: hub, stop: hub.stop }
  } catch (error) {
    return (error as Error).message
  }
}

function parseAddress(address: string): HubTarget {
  const [, host, port] =
    /^(?:agentmesh:\/\/)?(\[[0-9a-f:.]+\]|[^:[\]]+):(\d+)$/i.exec(address) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(`--connect: expected HOST:PORT, got ${address}`)
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) }
}

function unreachable({ host, port }: HubTarget): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5_000 })
    const end = (problem: string | null): void => {
      socket.destroy()
      resolve(problem)
    }
    socket.once("connect", () => end(null))
    socket.once("timeout", () => end(`no hub at ${host}:${port}: no answer`))
    socket.once("error", (error) => end(`no hub at ${host}:${port}: ${error.message}`))
  })
}

/** Options of `agent`. */
export interface AgentFlags extends FinishFlags {
  readonly only: readonly string[]
}

/** Sets a hostile hub against an agent; the exit code. Without a driver: the reference. */
export async function runAgent(flags: AgentFlags): Promise<number> {
  const { only, strict, timeoutScale = 1 } = flags
  const chosen = EVIL_CASES.filter(matcher(only)).map(({ id }) => id)
  const watch = new Watch(chosen.length, flags)
  const driver = openDriver(flags)
  const verdicts: Verdict[] = []
  let aborted: string | undefined
  let hello: Hello | null = null
  try {
    const greeting = await greet(driver)
    hello = greeting.hello
    if (greeting.hello === null) aborted = greeting.problem
    else if (chosen.length > 0) {
      await runEvilHub(driver, greeting.hello, {
        ...{ only: chosen, patience: 8_000 * timeoutScale },
        onVerdict: (verdict) => {
          verdicts.push(verdict)
          watch.see(verdict)
        },
      })
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error
    aborted = error.message
  } finally {
    await driver.close?.()
  }
  const report = summarize({
    ...{ hello, verdicts, planned: chosen.length, broken: [], strict },
    ...{ executed: verdicts.some(({ outcome }) => outcome !== "UNSUPPORTED") },
    ...(aborted !== undefined && { aborted }),
  })
  const target = flags.driver ?? null
  return finish(report, watch, flags, loadRequirements(), {
    ...{ mode: "agent", target, only, tier: null, seed: null, runs: null, strict },
  })
}
