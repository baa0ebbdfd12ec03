// doctor: looks at everything that can be in the way, and says what to do about it.

import { existsSync, readdirSync, statSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import type { Command } from "commander"
import type { AgentStatus } from "../agent/options.ts"
import { NetworkHub, parseHubAddress } from "../node/network-hub.ts"
import { controlPath, ownerOf } from "./access.ts"
import { action, type Context, type Globals } from "./context.ts"
import { isControlPath } from "./control.ts"
import { EXIT, failureOf } from "./failure.ts"

type State = "ok" | "warn" | "bad"

interface Finding {
  readonly check: string
  readonly state: State
  readonly what: string
  readonly advice?: string
}

const found = (check: string, state: State, what: string, advice?: string): Finding => {
  return { check, state, what, ...(advice === undefined ? {} : { advice }) }
}

const NODE = [20, 19] as const

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  const fine = major > NODE[0] || (major === NODE[0] && minor >= NODE[1])
  return fine
    ? found("node", "ok", `Node ${process.versions.node}`)
    : found(
        "node",
        "bad",
        `Node ${process.versions.node} is too old`,
        "install Node 20.19 or later",
      )
}

/** Whether anybody else can read the path. */
function open(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0
}

function checkHome({ home }: Context): readonly Finding[] {
  if (!existsSync(home.path)) {
    const advice = "agentmesh init NAME makes the first identity"
    return [found("home", "warn", `${home.path} does not exist yet`, advice)]
  }
  const names = home.names()
  const paths = [home.path, ...names.map((name) => home.agent(name)), join(home.path, "hub")]
  const wide = paths.filter((path) => existsSync(path) && open(path))
  const list = names.length === 0 ? "no identities" : names.join(", ")
  return [
    found("home", "ok", `${home.path}: ${list}`),
    wide.length === 0
      ? found("permissions", "ok", "for this user alone")
      : found("permissions", "bad", `others can enter ${wide.join(", ")}`, "chmod 700 them"),
  ]
}

function checkStore({ home, name }: Context): readonly Finding[] {
  if (!home.has(name)) {
    return [found("identity", "warn", `there is no ${name}`, `agentmesh init ${name} makes it`)]
  }
  const bytes = readdirSync(home.store(name))
    .map((file) => statSync(join(home.store(name), file)).size)
    .reduce((sum, size) => sum + size, 0)
  const owner = ownerOf(home, name)
  const who = owner ? `open in agentmesh ${owner.command}, process ${owner.pid}` : "not open"
  const path = controlPath(home, name)
  const control = isControlPath(path)
    ? []
    : [
        found(
          "control socket",
          "warn",
          `${path} is too long for a socket`,
          "while one process has the identity open, others cannot use it; a shorter AGENTMESH_HOME helps",
        ),
      ]
  return [found("identity", "ok", `${name}: ${bytes} bytes, ${who}`), ...control]
}

/** Whether anything listens there at all. */
function reach(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5_000 })
    const end = (what: string | null) => () => {
      socket.destroy()
      resolve(what)
    }
    socket.once("connect", end(null)).once("timeout", end("no answer within 5 s"))
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message)())
  })
}

async function checkHub(context: Context): Promise<readonly Finding[]> {
  const { hub, home, name } = context
  const { host, port = 0, fingerprint } = parseHubAddress(hub)
  const fault = await reach(host, port)
  if (fault !== null) {
    const advice = "agentmesh hub starts one here; --hub or AGENTMESH_HUB names another"
    return [found("hub", "bad", `nobody answers at ${hub}: ${fault}`, advice)]
  }
  const reached = found("hub", "ok", `${new NetworkHub(hub).address} answers`)
  const pinned = fingerprint
    ? found("hub key", "ok", `must have the fingerprint ${fingerprint}`)
    : found(
        "hub key",
        "warn",
        "the first key seen is pinned",
        "use the address that the hub prints, with its fingerprint",
      )
  if (!home.has(name)) return [reached, pinned]
  const access = context.use()
  try {
    const status = (await access.call("status", {})) as AgentStatus
    const { connected, inbox, pending } = status
    const what = `${connected ? "logged in" : "not logged in"}; ${inbox} in the inbox, ${pending} without a receipt`
    return [reached, pinned, found("login", connected ? "ok" : "bad", what)]
  } catch (error) {
    const { message, advice, code } = failureOf(error)
    return [reached, pinned, found("login", "bad", `${message}${code ? ` (${code})` : ""}`, advice)]
  }
}

async function checkMcp(): Promise<Finding> {
  try {
    await import("./mcp/server.ts")
    return found("mcp", "ok", "agentmesh mcp can run")
  } catch {
    const advice = "only agentmesh mcp needs it: npm install @modelcontextprotocol/server"
    return found("mcp", "ok", "its package is not installed", advice)
  }
}

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("look at everything that can be in the way, and say what to do")
    .action(
      action<Globals>(async (context) => {
        const { output } = context
        const findings = [checkNode(), ...checkHome(context), ...checkStore(context)]
        const hub = await output.progress(`asking ${context.hub}`, () => checkHub(context))
        findings.push(...hub, await checkMcp())
        const colours = { ok: "green", warn: "yellow", bad: "red" } as const
        for (const finding of findings) {
          const { check, state, what, advice } = finding
          const mark = output.style(colours[state], state.padEnd(4))
          const next = advice ? `\n       ${output.style("dim", advice)}` : ""
          output.result(finding, `${mark}  ${check}: ${what}${next}`)
        }
        return findings.some(({ state }) => state === "bad") ? EXIT.failed : EXIT.ok
      }),
    )
}
