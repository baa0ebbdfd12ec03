// status: what an identity has and what waits.

import type { Command } from "commander"
import type { AgentStatus } from "../agent/options.ts"
import { ownerOf } from "./access.ts"
import { action, type Globals } from "./context.ts"

/** Adds the command. */
export function addStatus(program: Command): void {
  program
    .command("status")
    .description("show the identity, its hub, sessions, and what waits")
    .action(
      action<Globals>(async (context) => {
        const { output, home, name, hub } = context
        const access = context.use()
        const status = (await output.progress(`connecting to ${hub}`, () =>
          access.call("status", {}),
        )) as AgentStatus & { address: string }
        const owner = access.own ? null : ownerOf(home, name)
        const policy = home.profile(name).policy ?? "first-use"
        const used = owner?.hub ?? hub
        const rows: readonly (readonly [string, string])[] = [
          ["identity", status.address],
          ["store", home.store(name)],
          ["open in", owner ? `agentmesh ${owner.command}, process ${owner.pid}` : "this command"],
          ["hub", `${used} ${status.connected ? "(connected)" : "(not reachable)"}`],
          ["policy", policy],
          ["peers", status.knownPeers.join(", ") || "none"],
          ["sessions", `${status.sessions.length}`],
          ["inbox", `${status.inbox} to be taken (agentmesh inbox)`],
          ["outgoing", `${status.pending} without a receipt`],
        ]
        const width = Math.max(...rows.map(([key]) => key.length))
        const text = rows.map(([key, value]) => `${key.padEnd(width)}  ${value}`).join("\n")
        const { handlers: _handlers, ...rest } = status
        output.result({ ...rest, store: home.store(name), hub: used, policy, owner }, text)
      }),
    )
}
