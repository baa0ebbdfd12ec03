// send, request: a text, fields, or a file to another agent.

import { readFileSync } from "node:fs"
import { type Command, Option } from "commander"
import { parseAddress } from "../identity.ts"
import { readAttachment } from "./attachment.ts"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, usage } from "./failure.ts"
import type { Goal, Sent } from "./operations.ts"
import { type Json, parsePayload, toJson } from "./payload.ts"
import { printMessage } from "./print.ts"

interface Flags extends Globals {
  readonly payload?: string
  readonly file?: string
  readonly type?: string
  readonly re?: string
  readonly wait?: Goal
  readonly timeout: string
}

type Fields = { readonly [key: string]: Json }

/** Text of a file, `-` for standard input. */
function readText(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8")
  } catch (error) {
    throw usage(`${path} cannot be read: ${(error as Error).message}`)
  }
}

/** The payload that arguments and options ask for. */
function payloadOf(text: string | undefined, flags: Flags): Fields {
  let payload: Fields = {}
  if (flags.file !== undefined) payload = { ...payload, ...readAttachment(flags.file) }
  if (flags.payload !== undefined) {
    const { payload: given } = flags
    const json = given.startsWith("@") || given === "-" ? readText(given.replace(/^@/, "")) : given
    payload = { ...payload, ...(toJson(parsePayload(json)) as Fields) }
  }
  const fromInput = text === "-" || (text === undefined && Object.keys(payload).length === 0)
  if (fromInput && text === undefined && process.stdin.isTTY) {
    throw usage("there is nothing to send", 'agentmesh send NAME "text", or --payload, or --file')
  }
  const content = fromInput ? readText("-").replace(/\n$/, "") : text
  if (content !== undefined) payload = { ...payload, text: content }
  return flags.type === undefined ? payload : { ...payload, type: flags.type }
}

function timeoutOf({ timeout }: Flags): number {
  const seconds = Number(timeout)
  if (!(seconds > 0 && seconds <= 86_400)) throw usage("--timeout expected seconds, up to 86400")
  return seconds * 1_000
}

function checkRecipient(context: Context, to: string): void {
  const { name } = parseAddress(to)
  if (name !== context.name) return
  const advice = `use another identity, e.g. agentmesh ${context.command} ${name} "hello" --as other`
  throw usage(`you are ${name} yourself, and an agent has no session with itself`, advice)
}

const STATES: Record<Sent["state"], (to: string) => string> = {
  queued: (to) => `queued here; it goes to ${to} when the hub can be reached`,
  stored: (to) => `stored at the hub for ${to}`,
  delivered: (to) => `delivered to ${to}`,
  processed: (to) => `processed by ${to}`,
  failed: (to) => `delivered to ${to}, which refused it or failed at it`,
  undelivered: (to) => `given up; it may have arrived at ${to}`,
}

function options(command: Command, timeout: string): Command {
  return command
    .argument("<to>", "name, or name#fingerprint, which no other key can answer to")
    .argument("[text]", "what to say; - or nothing reads standard input")
    .option("--payload <json>", "fields of the message as JSON, @FILE or - to read them")
    .option("--file <path>", "a file of up to 999,000 bytes as the payload")
    .option("--type <type>", "type of the message, for the program at the other end")
    .option("--re <id>", "id of the message that this one answers")
    .option("--timeout <s>", "seconds to wait", timeout)
}

/** Adds the commands. */
export function addSend(program: Command): void {
  const states = ["queued", "stored", "delivered", "processed"]
  options(program.command("send"), "30")
    .description("send a message; makes the identity if there is none")
    .addOption(
      new Option("--wait <state>", "how far it has to come").choices(states).default("stored"),
    )
    .action(
      action<Flags>(async (context, [to = "", text], flags) => {
        checkRecipient(context, to)
        const { wait = "stored" } = flags
        const timeout = timeoutOf(flags)
        const payload = payloadOf(text, flags)
        const access = context.use({ create: true })
        const { re } = flags
        const sent = await context.output.progress(`sending to ${parseAddress(to).name}`, () =>
          access.call("send", { to, payload, wait, timeout, ...(re === undefined ? {} : { re }) }),
        )
        context.output.result(
          sent,
          `${STATES[sent.state](sent.to)}  ${context.output.style("dim", sent.id)}`,
        )
        if (sent.reached) return EXIT.ok
        if (sent.state === "queued") {
          context.output.note(
            `no hub at ${context.hub}: start one with agentmesh hub, or name another with --hub; then agentmesh listen or any other command as ${context.name} sends it`,
          )
        } else context.output.note(`it has not come as far as "${wait}" within ${flags.timeout} s`)
        return EXIT.failed
      }),
    )
  options(program.command("request"), "30")
    .description("send a message, wait for the answer to it, and print that")
    .action(
      action<Flags>(async (context, [to = "", text], flags) => {
        checkRecipient(context, to)
        const timeout = timeoutOf(flags)
        const payload = payloadOf(text, flags)
        const access = context.use({ create: true })
        const { re } = flags
        const answer = await context.output.progress(`waiting for ${parseAddress(to).name}`, () =>
          access.call("request", { to, payload, timeout, ...(re === undefined ? {} : { re }) }),
        )
        printMessage(context.output, answer)
      }),
    )
}
