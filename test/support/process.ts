// Child processes of tests: started, read line by line, ended by their own id.

import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** A running program. */
export class Program {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly errors: string[] = []
  readonly exited: Promise<number | string>
  #wake: (() => void) | null = null
  readonly #read = { at: 0 }
  readonly #readErrors = { at: 0 }
  #ended = false

  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    })
    const { stdout, stderr } = this.child
    createInterface({ input: stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(line)
      this.#wake?.()
    })
    createInterface({ input: stderr as NodeJS.ReadableStream }).on("line", (line) => {
      this.errors.push(line)
      this.#wake?.()
    })
    this.exited = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        this.#ended = true
        this.#wake?.()
        resolve(code ?? signal ?? "unknown")
      })
    })
  }

  /** The next line that matches; throws when the program ends without it. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#next(pattern, this.lines, this.#read)
  }

  /** The same of standard error. */
  error(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#next(pattern, this.errors, this.#readErrors)
  }

  async #next(
    pattern: RegExp,
    lines: readonly string[],
    place: { at: number },
  ): Promise<RegExpExecArray> {
    for (;;) {
      while (place.at < lines.length) {
        const match = pattern.exec(lines[place.at++] as string)
        if (match !== null) return match
      }
      if (this.#ended) throw new Error(`the program ended: ${this.errors.join("\n")}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Ends the program and waits for that. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<number | string> {
    if (!this.#ended) this.child.kill(signal)
    return this.exited
  }
}
