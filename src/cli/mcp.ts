// mcp: the MCP server; its package is loaded only here.

import type { Command } from "commander"
import { action, type Globals } from "./context.ts"
import { EXIT, Failure } from "./failure.ts"

const PACKAGE = "@modelcontextprotocol/server"

/** Adds the command. */
export function addMcp(program: Command): void {
  program
    .command("mcp")
    .description("serve a mailbox to a language model: MCP on standard input and output")
    .action(
      action<Globals>(async (context) => {
        const { serveMcp } = await load()
        await serveMcp(context.lazy(), () => context.hub)
      }),
    )
}

async function load(): Promise<typeof import("./mcp/server.ts")> {
  try {
    return await import("./mcp/server.ts")
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(PACKAGE)) throw error
    const advice = `npm install ${PACKAGE}, beside agentmesh; or: npx -y -p agentmesh -p ${PACKAGE} agentmesh mcp`
    throw new Failure(EXIT.failed, `the package ${PACKAGE} is not installed`, advice)
  }
}
