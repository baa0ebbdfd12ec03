#!/usr/bin/env node
// agentmesh-hub: runs a hub on TCP (SPEC §11).

import { Command } from "commander"
import { explainHub, type HubFlags, hubOptions, runHub } from "./hub-command.ts"

async function main(): Promise<void> {
  const command = hubOptions(new Command("agentmesh-hub"))
    .description("Runs a hub: directory and mailboxes for agents. It cannot read what they send.")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  await runHub(command.parse(process.argv).opts<HubFlags>())
}

main().catch((error: unknown) => {
  process.stderr.write(`agentmesh-hub: ${explainHub(error)}\n`)
  process.exit(error instanceof TypeError || error instanceof RangeError ? 2 : 1)
})
