// inbox, ack: looks at messages without taking them, and takes them.

import type { Command } from "commander"
import { saveAttachment } from "./attachment.ts"
import { action, type Globals } from "./context.ts"
import { EXIT, usage } from "./failure.ts"
import { printMessage } from "./print.ts"

interface Flags extends Globals {
  readonly after?: string
  readonly limit: string
  readonly save?: string
  readonly all?: boolean
  readonly failed?: boolean
}

/** Adds the commands. */
export function addInbox(program: Command): void {
  program
    .command("inbox")
    .description("show the messages that wait; they stay until agentmesh ack")
    .option("--after <place>", "only what came after the message at this place (see --json)")
    .option("--limit <n>", "show at most so many", "100")
    .option("--save <dir>", "write files that came into this directory")
    .action(
      action<Flags>(async (context, _args, flags) => {
        const { output } = context
        const limit = Number(flags.limit)
        if (!(Number.isInteger(limit) && limit > 0)) throw usage("--limit expected a number from 1")
        const access = context.use()
        let { after = "" } = flags
        let shown = 0
        // Page by page: large messages come in small pages.
        while (shown < limit) {
          const page = await output.progress(`asking ${context.hub} for mail`, () =>
            access.call("inbox", { limit: limit - shown, after }),
          )
          if (page.length === 0) break
          for (const message of page) {
            const saved = flags.save === undefined ? undefined : saveAttachment(message, flags.save)
            printMessage(output, message, saved)
            after = message.place
          }
          shown += page.length
        }
        const { connected } = (await access.call("status", {})) as { connected: boolean }
        if (!connected) output.warn(`no hub at ${context.hub}: there may be more mail`)
        if (shown === 0) output.note("no messages wait")
        else output.note(`take them with agentmesh ack ID, or agentmesh ack --all`)
      }),
    )
  program
    .command("ack")
    .description("take messages out of the inbox; senders that asked hear of it")
    .argument("[ids...]", "ids of the messages, or the first 4 or more characters of them")
    .option("--all", "all messages that wait")
    .option("--failed", "say that they were refused or could not be handled")
    .action(
      action<Flags>(async (context, ids, flags) => {
        const { output } = context
        if ((ids.length === 0) === !flags.all) throw usage("name the ids, or give --all")
        const access = context.use()
        const known = await access.call("ids", {})
        const wanted = flags.all ? known : ids.map((id) => complete(id, known))
        const { failed = false } = flags
        const acked = await access.call("ack", { ids: wanted, failed })
        output.result({ acked }, `${acked.length} of ${wanted.length} taken`)
        return acked.length === wanted.length ? EXIT.ok : EXIT.failed
      }),
    )
}

function complete(id: string, known: readonly string[]): string {
  const found = known.filter((one) => one === id || (id.length >= 4 && one.startsWith(id)))
  if (found.length > 1) throw usage(`${id} is the beginning of ${found.length} ids`)
  return found[0] ?? id
}
