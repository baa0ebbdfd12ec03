// Programs that take part in a measurement, each in a process of its own: started, spoken to by
// lines, watched from outside, stopped.

import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** A program that was started. */
export class Program {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** @param file - A program of this project, below `dist/`. */
  constructor(file: string, args: readonly string[] = [], flags: readonly string[] = []) {
    const path = fileURLToPath(new URL(file, import.meta.url))
    this.#child = spawn(process.execPath, [...flags, path, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    })
    const input = this.#child.stdout as NodeJS.ReadableStream
    this.#lines = createInterface({ input })[Symbol.asyncIterator]()
  }

  /** The next line of its output. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error("a program of the benchmark ended early")
    return value as string
  }

  /** The next line, which is JSON. */
  async result<T>(): Promise<T> {
    return JSON.parse(await this.line()) as T
  }

  /** Writes a line to it. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** User and system time so far in microseconds, as the system counts it: in steps of 10 ms. */
  get cpu(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  }

  /** Resident memory in KiB. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8")
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  }

  /** Ends it, and waits until it has ended. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise((resolve) => this.#child.once("exit", resolve))
    this.#child.kill("SIGTERM")
    await ended
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<void> {
    if (this.#child.exitCode !== null) return
    await new Promise((resolve) => this.#child.once("exit", resolve))
  }
}

/** Limits so high that they do not limit what is measured. */
const OPEN = "1000000000"
/** Options of a hub for loads that no agent would be allowed. */
export const WIDE: readonly string[] = [
  ...["--requests-per-second", "1000000", "--max-connections", "30000"],
  ...["--per-sender", OPEN, "--mailbox-messages", OPEN],
  ...["--per-sender-bytes", OPEN, "--mailbox-bytes", OPEN],
]

/** A hub on a free port of this machine. */
export async function startHub(
  ...options: readonly string[]
): Promise<{ hub: Program; url: string; address: string }> {
  const hub = new Program("../src/node/hub-cli.js", ["--port", "0", ...options])
  for (;;) {
    const url = /listening on (\S+)/.exec(await hub.line())?.[1]
    if (url) return { hub, url, address: /127\.0\.0\.1:\d+/.exec(url)?.[0] ?? "" }
  }
}
