// hub: runs a hub, as agentmesh-hub does, that keeps what it accepts.

import { join } from "node:path"
import type { Command } from "commander"
import { explainHub, type HubFlags, hubOptions, runHub } from "../node/hub-command.ts"
import { EXIT, Failure, usage } from "./failure.ts"
import { Output } from "./output.ts"
import { homeOf, secureDirectory } from "./paths.ts"

interface Flags extends HubFlags {
  readonly memory?: boolean
  readonly home?: string
}

/** Adds the command. */
export function addHub(program: Command): void {
  hubOptions(program.command("hub"))
    .description("run a hub: directory and mailboxes for agents; it cannot read what they send")
    .option(
      "--memory",
      "keep everything in memory: agents refuse the hub's new key after a restart",
    )
    .action(async function run(this: Command): Promise<void> {
      const flags = this.optsWithGlobals<Flags>()
      try {
        if (flags.memory && (flags.data !== undefined || flags.store !== undefined)) {
          throw usage("--memory excludes --data and --store")
        }
        const home = homeOf(process.env, flags.home)
        const own = flags.memory || flags.data !== undefined || flags.store !== undefined
        if (!own) secureDirectory(home)
        await runHub(own ? flags : { ...flags, data: join(home, "hub") })
      } catch (error) {
        const { message } = error as Error
        const failure =
          error instanceof Failure || error instanceof TypeError || error instanceof RangeError
            ? error
            : new Failure(EXIT.failed, explainHub(error) || message)
        process.exit(new Output(flags.json ?? false).fail(failure, "agentmesh hub"))
      }
    })
}
