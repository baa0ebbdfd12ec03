// A command in a terminal of its own: a pseudo-terminal, opened by script(1) of util-linux.

import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { command, type Machine } from "./cli.ts"

const quote = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`

/** A command that believes that a person sits in front of it. */
export class Terminal {
  /** Whether this machine has one. */
  static readonly available: boolean =
    process.platform === "linux" && spawnSync("script", ["--version"]).status === 0

  readonly exited: Promise<number>
  readonly #child: ChildProcess
  /** Everything that was shown, control sequences included. */
  text = ""
  #wake: (() => void) | null = null

  constructor(
    machine: Machine,
    words: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ) {
    // exec: a shell that waits would take the Ctrl-C as well, and some then answer 130 for it.
    const line = `exec ${[process.execPath, command(), ...words].map(quote).join(" ")}`
    const shell = { SHELL: "/bin/sh", TERM: "xterm" }
    const env = { ...process.env, ...machine.env, ...shell, NO_COLOR: "", ...extra }
    this.#child = spawn("script", ["-qec", line, "/dev/null"], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    })
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.text += chunk
      this.#wake?.()
    })
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (code) => {
        this.#wake?.()
        resolve(code ?? -1)
      })
    })
  }

  /** Waits until the pattern is on the screen. */
  async shows(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Types something. */
  types(text: string): void {
    this.#child.stdin?.write(text)
  }
}
