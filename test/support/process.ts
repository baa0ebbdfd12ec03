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
  #read = 0
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
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      while (this.#read < this.lines.length) {
        const match = pattern.exec(this.lines[this.#read++] as string)
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
