// listen: prints messages as they come.

import { spawn } from "node:child_process"
import type { Command } from "commander"
import type { Agent } from "../node/agent.ts"
import type { Access } from "./access.ts"
import { saveAttachment } from "./attachment.ts"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, Failure, usage } from "./failure.ts"
import type { MessageJson } from "./payload.ts"
import { printMessage } from "./print.ts"
import { safeJson, visibleLine } from "./text.ts"

interface Flags extends Globals {
  readonly keep?: boolean
  readonly count?: string
  readonly save?: string
  readonly exec?: string
}

/** Milliseconds of one question for messages. */
const WAIT = 60_000
/** Characters of an answer that `--exec` may print. */
const MAX_ANSWER = 1_000_000

/** Tells on standard error what happens to the link and to peers. */
function report(context: Context): (agent: Agent) => void {
  const { output } = context
  return (agent) => {
    agent.on("connected", ({ hub }) => output.note(`connected to ${hub}`))
    agent.on("disconnected", ({ error, willReconnect }) => {
      const next = willReconnect ? "; trying again" : ""
      output.warn(`no link to the hub${next}: ${visibleLine(error.message)}`)
    })
    agent.on("identity-changed", ({ name, pinned }) => {
      output.warn(
        `another key than ${pinned} answers to ${name}: nothing is taken from it or sent to it`,
      )
    })
    agent.on("rejected", ({ from, error }) => {
      output.warn(`something of ${visibleLine(from)} was refused: ${error.code}`)
    })
  }
}

/** Runs a program with the message on its standard input; what it prints is the answer. */
function runProgram(command: string, message: MessageJson, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      AGENTMESH_FROM: message.from,
      AGENTMESH_TRUST: message.trust,
      AGENTMESH_ID: message.id,
    }
    const child = spawn(command, { shell: true, env, signal, stdio: ["pipe", "pipe", "inherit"] })
    let answer = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      answer += chunk
      if (answer.length > MAX_ANSWER) child.kill()
    })
    child.stdin.on("error", () => undefined) // it need not read
    child.stdin.end(`${safeJson(message)}\n`)
    child.once("error", reject)
    child.once("close", (code) => {
      if (code === 0) resolve(answer.replace(/\n$/, ""))
      else reject(new Error(`the program ended with ${code ?? "a signal"}`))
    })
  })
}

async function handle(
  context: Context,
  access: Access,
  message: MessageJson,
  flags: Flags,
  signal: AbortSignal,
): Promise<void> {
  const saved = flags.save === undefined ? undefined : saveAttachment(message, flags.save)
  printMessage(context.output, message, saved)
  if (flags.exec === undefined) {
    if (!flags.keep) await access.call("ack", { ids: [message.id] })
    return
  }
  try {
    const text = await runProgram(flags.exec, message, signal)
    const to = `${message.from}#${message.fingerprint}`
    const answer = { to, payload: { text }, re: message.id, wait: "queued", timeout: 0 } as const
    if (text !== "") await access.call("send", answer)
    await access.call("ack", { ids: [message.id] })
  } catch (error) {
    context.output.warn(`message ${message.id} failed: ${visibleLine((error as Error).message)}`)
    if (!signal.aborted) await access.call("ack", { ids: [message.id], failed: true })
  }
}

/** Adds the command. */
export function addListen(program: Command): void {
  program
    .command("listen")
    .description("print messages as they come, until Ctrl-C; makes the identity if there is none")
    .option("--keep", "leave messages in the inbox, for agentmesh inbox and ack")
    .option("--count <n>", "end after so many messages")
    .option("--save <dir>", "write files that come into this directory")
    .option(
      "--exec <command>",
      "run this for each message, JSON on its input; it prints the answer",
    )
    .addHelpText("after", "\nExample: agentmesh listen --as echo --exec 'jq -r .text'")
    .action(
      action<Flags>(async (context, _args, flags) => {
        const { output, name } = context
        let left = flags.count === undefined ? Number.POSITIVE_INFINITY : Number(flags.count)
        if (!(left >= 1)) throw usage("--count expected a number from 1")
        if (flags.keep && flags.exec) throw usage("--keep and --exec exclude each other")
        const stop = new AbortController()
        const end = (): void => {
          if (stop.signal.aborted) process.exit(EXIT.failed)
          stop.abort()
        }
        process.on("SIGINT", end).on("SIGTERM", end).on("SIGHUP", end)
        const access = context.use({ create: true, events: report(context) })
        const { address } = await access.call("identity", {})
        const { connected } = (await output.progress(`connecting to ${context.hub}`, () =>
          access.call("status", {}),
        )) as { connected: boolean }
        if (!connected)
          output.warn(`no hub at ${context.hub} yet; trying again: agentmesh hub starts one`)
        const how = access.own ? "" : " (through the process that has it open)"
        output.log(`listening as ${address}${how}`)
        const others = context.home.nameFor(context.env) === name ? " --as SOMEBODY" : ""
        output.note(`to write to it: agentmesh send ${name} "hello"${others}`)
        let after: string | undefined
        while (left > 0 && !stop.signal.aborted) {
          const question = { timeout: WAIT, limit: 1, ...(after === undefined ? {} : { after }) }
          const messages = await interruptible(access.call("wait", question), stop.signal)
          for (const message of messages) {
            await handle(context, access, message, flags, stop.signal)
            after = message.place
            left--
          }
        }
      }),
    )
}

function interruptible<T>(work: Promise<readonly T[]>, signal: AbortSignal): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve([])
    if (signal.aborted) stop()
    signal.addEventListener("abort", stop, { once: true })
    work
      .finally(() => signal.removeEventListener("abort", stop)) // one for each message would pile up
      .then(resolve, (error: unknown) => {
        reject(error instanceof Error ? error : new Failure(EXIT.failed, String(error)))
      })
  })
}
