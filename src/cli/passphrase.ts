// Passphrases: asked without echo, or read from a file or the environment; never an argument.

import { readFileSync } from "node:fs"
import { EXIT, Failure, usage } from "./failure.ts"

type Env = Readonly<Record<string, string | undefined>>

/** Where a passphrase comes from. */
export interface PassphraseSource {
  /** A file, or `-` for standard input. */
  readonly file?: string
  readonly env: Env
  /** Whether a typing error would be fatal: it is asked for twice. */
  readonly twice: boolean
}

const INTERRUPT = "\u0003"
const END = "\u0004"

function lineOf(text: string): string {
  const line = text.split(/\r?\n/, 1)[0] as string
  if (line === "") throw usage("the passphrase is empty")
  return line
}

/**
 * The passphrase: `--passphrase-file`, AGENTMESH_PASSPHRASE_FILE, AGENTMESH_PASSPHRASE, or typed.
 * Of a file it is the first line.
 */
export async function readPassphrase({ file, env, twice }: PassphraseSource): Promise<string> {
  const path = file ?? env["AGENTMESH_PASSPHRASE_FILE"]
  if (path) {
    try {
      return lineOf(readFileSync(path === "-" ? 0 : path, "utf8"))
    } catch (error) {
      if (error instanceof Failure) throw error
      throw usage(`the passphrase file cannot be read: ${(error as Error).message}`)
    }
  }
  const given = env["AGENTMESH_PASSPHRASE"]
  if (given) return given
  if (!process.stdin.isTTY) {
    const advice =
      "give --passphrase-file FILE, or - for standard input, or AGENTMESH_PASSPHRASE_FILE"
    throw usage("a passphrase is needed and there is no terminal to ask at", advice)
  }
  const first = lineOf(await ask("Passphrase: "))
  if (twice && (await ask("Again: ")) !== first) {
    throw new Failure(EXIT.failed, "the two passphrases differ", "nothing was written; try again")
  }
  return first
}

/** Asks at the terminal; what is typed is not shown. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process
  // First the terminal, then the question: what is typed in answer is never shown.
  stdin.setRawMode(true).setEncoding("utf8").resume()
  stderr.write(question)
  return new Promise((resolve, reject) => {
    let typed = ""
    const done = (action: () => void): void => {
      stdin.off("data", take).setRawMode(false).pause()
      stderr.write("\n")
      action()
    }
    const take = (chunk: string): void => {
      for (const character of chunk) {
        if (character === "\r" || character === "\n") {
          done(() => resolve(typed))
          break
        }
        if (character === INTERRUPT || character === END) {
          done(() => reject(new Failure(EXIT.failed, "given up; nothing was done")))
          break
        }
        if (character === "\u007f" || character === "\b") typed = [...typed].slice(0, -1).join("")
        else typed += character
      }
    }
    stdin.on("data", take)
  })
}
