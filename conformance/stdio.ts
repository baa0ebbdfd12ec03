// A driver behind standard input and output (DRIVER.md): one JSON object a line.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import {
  type Breakdown,
  type Driver,
  HarnessError,
  type Json,
  type JsonObject,
  type Reply,
} from "./driver.ts"

/** How a driver behind a pipe is started. */
export interface StdioOptions {
  /** A command line for the shell. */
  readonly command: string
  /** Longest time for one operation, milliseconds; 5,000 by default. */
  readonly timeout?: number
  readonly tap?: StdioTap
}

/** Sees each object that is written (`>`) or read (`<`). */
export type StdioTap = (direction: ">" | "<", object: Json) => void

/** Breakdowns in a row after which the driver is given up. */
const MAX_BREAKDOWNS = 5
/** Time to start and to answer hello, milliseconds. */
const START = 20_000
/** Bytes of its standard error that are kept. */
const SHOWN = 4_096
/** Longest line, in characters. */
const MAX_LINE = 4 * 1_048_576
/** Time that a driver has to end after the end of its input, milliseconds. */
const END = 1_000

interface Waiting {
  readonly id: number
  readonly op: string
  readonly resolve: (reply: Reply) => void
  readonly timer: NodeJS.Timeout
}

/** A driver in a process of its own, which is started again after a breakdown. */
export class StdioDriver implements Driver {
  readonly #options: StdioOptions
  #process: ChildProcessWithoutNullStreams | null = null
  #parts: string[] = []
  #length = 0
  #log = ""
  #id = 0
  #breakdowns = 0
  #last = ""
  #waiting: Waiting | null = null

  /** @param options - Command, timeout. */
  constructor(options: StdioOptions) {
    this.#options = options
  }

  get log(): string {
    return this.#log
  }

  call(op: string, args: JsonObject): Promise<Reply> {
    if (this.#breakdowns >= MAX_BREAKDOWNS) {
      const what = `the driver broke down ${MAX_BREAKDOWNS} times in a row; it ${this.#last}`
      return Promise.reject(new HarnessError(what))
    }
    this.#process ??= this.#start()
    const child = this.#process
    const { timeout = 5_000, tap } = this.#options
    const allowed = op === "hello" ? Math.max(timeout, START) : timeout
    const request = { id: ++this.#id, op, args }
    return new Promise((resolve) => {
      const late = () => this.#break("timeout", `gave no reply to ${op} within ${allowed} ms`)
      this.#waiting = { id: request.id, op, resolve, timer: setTimeout(late, allowed) }
      tap?.(">", request)
      child.stdin.write(`${JSON.stringify(request)}\n`)
    })
  }

  async close(): Promise<void> {
    await this.end()
  }

  /** Ends its input, and kills it if that does not end it. Returns whether it ended by itself. */
  async end(): Promise<boolean> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null) return true
    const ended = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), END)
      child.once("exit", () => {
        clearTimeout(timer)
        resolve(true)
      })
    })
    child.stdin.end()
    const byItself = await ended
    kill(child)
    return byItself
  }

  /** Kills it at once. */
  kill(): void {
    if (this.#process) kill(this.#process)
    this.#process = null
  }

  #start(): ChildProcessWithoutNullStreams {
    // A group of its own: what the shell starts dies with it.
    const child = spawn(this.#options.command, { shell: true, detached: true })
    this.#parts = []
    this.#length = 0
    child.stdout.setEncoding("utf8")
    child.stdout.on("data", (text: string) => {
      if (this.#process === child) this.#read(text)
    })
    child.stderr.on("data", (text: Buffer) => {
      this.#log = (this.#log + text.toString()).slice(-SHOWN)
    })
    child.stdin.on("error", () => undefined)
    const gone = (how: string): void => {
      if (this.#process === child) this.#break("crash", how)
    }
    child.on("error", () => gone("could not be started"))
    // Not at `exit`: what it wrote last to its standard error has been read at `close`.
    child.on("close", (code, signal) => gone(`ended with ${signal ?? `code ${code}`}`))
    return child
  }

  #break(breakdown: Breakdown, how: string): void {
    if (this.#process) kill(this.#process)
    this.#process = null
    this.#breakdowns++
    this.#last = how
    this.#answer({ fault: { message: `the driver ${how}`, breakdown } })
  }

  #answer(reply: Reply): void {
    const waiting = this.#waiting
    if (waiting === null) return
    clearTimeout(waiting.timer)
    this.#waiting = null
    waiting.resolve(reply)
  }

  #read(text: string): void {
    let start = 0
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = this.#parts.join("") + text.slice(start, end)
      this.#parts = []
      this.#length = 0
      start = end + 1
      if (!this.#line(line)) return
    }
    this.#parts.push(start === 0 ? text : text.slice(start))
    this.#length += text.length - start
    if (this.#length > MAX_LINE) this.#break("harness", "wrote a line of more than 4 MiB")
  }

  /** Returns whether the driver is still to be read. */
  #line(line: string): boolean {
    let reply: Reply & { readonly id?: number }
    try {
      reply = JSON.parse(line)
    } catch {
      this.#break("harness", `wrote no JSON to its standard output: ${line.slice(0, 80)}`)
      return false
    }
    this.#options.tap?.("<", reply as unknown as Json)
    const { id, ...rest } = typeof reply === "object" && reply !== null ? reply : {}
    if (this.#waiting === null || id !== this.#waiting.id) {
      this.#break("harness", `answered request ${id} out of turn`)
      return false
    }
    this.#breakdowns = 0
    this.#answer(rest)
    return true
  }
}

function kill(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    // It has ended, or the platform has no process groups.
    child.kill("SIGKILL")
  }
}
