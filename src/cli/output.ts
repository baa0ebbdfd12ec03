// Output of commands: results on standard output, everything else on standard error.

import { type Failure, failureOf } from "./failure.ts"
import { safeJson } from "./text.ts"

type Stream = NodeJS.WriteStream
type Style = "bold" | "dim" | "red" | "green" | "yellow"
const CODES: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 }

/** Seconds until a command that is silent says what it waits for. */
const PATIENCE = 1_000

/** Columns where nothing says how many there are. */
const WIDTH = 100

/** Lines of at most so many columns, broken between words. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else lines.push(word)
  }
  return lines
}

/** Writes for people, or (`--json`) for programs: one object a line. */
export class Output {
  readonly json: boolean
  readonly #out: Stream
  readonly #err: Stream
  readonly #env: Readonly<Record<string, string | undefined>>
  #erase: () => void = () => undefined

  constructor(
    json: boolean,
    out: Stream = process.stdout,
    err: Stream = process.stderr,
    env: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.json = json
    this.#out = out
    this.#err = err
    this.#env = env
  }

  #colours(stream: Stream): boolean {
    if (this.#env["NO_COLOR"] || this.#env["TERM"] === "dumb") return false
    return Boolean(stream.isTTY) || Boolean(this.#env["FORCE_COLOR"])
  }

  /** Text in a style, if standard output shows styles. */
  style(style: Style, text: string, stream: Stream = this.#out): string {
    return this.#colours(stream) ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
  }

  /** A result: `object` for programs, `text` for people. */
  result(object: unknown, text: string): void {
    this.#erase()
    const line = this.json ? safeJson(object) : text
    this.#out.write(`${line}\n`)
  }

  /** A line that belongs to the results, for people only. */
  line(text: string): void {
    if (!this.json) this.#out.write(`${text}\n`)
  }

  /** What a person should know and a program does not need. */
  note(text: string): void {
    if (!this.json) this.log(wrap(text, this.#err.columns || Number.POSITIVE_INFINITY).join("\n"))
  }

  /** What both may follow while a command runs. */
  log(text: string): void {
    this.#erase()
    this.#err.write(`${text}\n`)
  }

  /** What both should know beside the result. */
  warn(text: string): void {
    this.#erase()
    this.#err.write(`${this.style("yellow", "warning:", this.#err)} ${text}\n`)
  }

  /** Reports a failure; returns its exit code. */
  fail(error: unknown, command: string): number {
    this.#erase()
    const { message, advice, exit, code }: Failure = failureOf(error)
    if (this.json) {
      this.#out.write(`${safeJson({ error: { code: code ?? null, message, advice, exit } })}\n`)
      return exit
    }
    const name = code ? `${message} (${code})` : message
    this.#err.write(`${this.style("red", `${command}:`, this.#err)} ${name}\n`)
    if (advice) {
      const lines = wrap(advice, (this.#err.columns || WIDTH) - 2)
      for (const line of lines) this.#err.write(`  ${this.style("dim", line, this.#err)}\n`)
    }
    return exit
  }

  /** Runs something that may take long: after a second it says what is waited for. */
  async progress<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.json) return work()
    const tty = Boolean(this.#err.isTTY)
    const start = Date.now()
    let shown = false
    const show = (): void => {
      if (shown && !tty) return
      const seconds = Math.round((Date.now() - start) / 1_000)
      this.#err.write(tty ? `\r${what} ... ${seconds} s\u001b[K` : `${what} ...\n`)
      shown = true
    }
    const timer = setInterval(show, PATIENCE)
    this.#erase = () => {
      if (shown && tty) this.#err.write("\r\u001b[K")
      if (tty) shown = false
    }
    try {
      return await work()
    } finally {
      clearInterval(timer)
      this.#erase()
      this.#erase = () => undefined
    }
  }
}
