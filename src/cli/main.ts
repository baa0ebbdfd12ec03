#!/usr/bin/env node
// agentmesh: identities, messages, trust, and a hub on the command line.

import { Command } from "commander"
import { packageVersion } from "../node/version.ts"
import { addBackup } from "./backup.ts"
import { addCompletion } from "./completion.ts"
import { addDemo } from "./demo.ts"
import { addDoctor } from "./doctor.ts"
import { EXIT } from "./failure.ts"
import { addHub } from "./hub.ts"
import { addIdentity } from "./identity.ts"
import { addInbox } from "./inbox.ts"
import { addInspect } from "./inspect.ts"
import { addListen } from "./listen.ts"
import { addMcp } from "./mcp.ts"
import { addPeers } from "./peers.ts"
import { addSend } from "./send.ts"
import { addStatus } from "./status.ts"

process.umask(0o077) // whatever is written is its owner's alone

// Whoever reads the output has enough of it, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed)
})

const program = new Command("agentmesh")
  .description("End-to-end encrypted messages between agents.")
  .version(packageVersion())
  .option("--as <name>", "identity to use (AGENTMESH_AS; else the chosen one, else your user name)")
  .option("--hub <address>", "agentmesh://host:port#fingerprint (AGENTMESH_HUB; 127.0.0.1:7700)")
  .option("--tls", "the link to the hub is TLS (AGENTMESH_TLS=1)")
  .option("--home <dir>", "where identities are kept (AGENTMESH_HOME)")
  .option("--json", "results as JSON, one object a line")
  .showHelpAfterError("agentmesh --help lists commands, agentmesh COMMAND --help explains one")
  .showSuggestionAfterError()

addIdentity(program)
addHub(program)
addListen(program)
addSend(program)
addInbox(program)
addStatus(program)
addPeers(program)
addMcp(program)
addInspect(program)
addBackup(program)
addDoctor(program)
addDemo(program)
addCompletion(program)

function quitOnUsage(command: Command): void {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage))
  command.commands.forEach(quitOnUsage)
}
quitOnUsage(program)
program.addHelpText(
  "after",
  `
Two terminals:
  agentmesh hub
  agentmesh listen --as bob
and a third:
  agentmesh send bob "hello"

Exit codes: 0 ok, 1 failed or not delivered, 2 wrong usage, 3 refused for security.`,
)
if (process.argv.length <= 2) program.help()
await program.parseAsync(process.argv)
