#!/usr/bin/env node
// agentmesh-hub: runs a hub on TCP (SPEC §11).

import { Command } from "commander"
import { explainHub, type HubFlags, hubOptions, runHub } from "./hub-command.ts"
import { addMigrate } from "./migrate-command.ts"
import { packageVersion } from "./version.ts"

// A hub outlives those who read what it says, and --help may end in head.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

async function main(): Promise<void> {
  const command = hubOptions(new Command("agentmesh-hub"))
    .description("Runs a hub: directory and mailboxes for agents. It cannot read what they send.")
    .version(packageVersion())
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .enablePositionalOptions()
    .action((flags: HubFlags) => runHub(flags))
  addMigrate(command)
  await command.parseAsync(process.argv)
}

main().catch((error: unknown) => {
  process.stderr.write(`agentmesh-hub: ${explainHub(error)}\n`)
  process.exit(error instanceof TypeError || error instanceof RangeError ? 2 : 1)
})
