// Where the bytes to inspect come from: a file, standard input, hex, base64 or a card.

import { readFileSync, statSync } from "node:fs"
import { decodeCard } from "../../bundle.ts"
import { usage } from "../failure.ts"

/** One case of a vector file. */
export interface VectorCase {
  readonly id: string
  readonly title: string
  readonly req: readonly string[]
  readonly expect: string
  readonly input?: object
  readonly output?: object
}

/** Bytes, or a file of vectors. */
export type Source =
  | Uint8Array
  | { readonly section: string; readonly cases: readonly VectorCase[] }

const MAX_FILE = 67_108_864

/** Bytes from text: a card, hex (spaces allowed) or base64 of both alphabets. */
export function fromText(text: string): Uint8Array | null {
  const plain = text.trim()
  if (plain.startsWith("agentmesh1:")) return decodeCard(plain)
  const packed = plain.replace(/\s+/g, "")
  if (packed !== "" && packed.length % 2 === 0 && /^(0x)?[0-9a-fA-F]+$/.test(packed)) {
    return new Uint8Array(Buffer.from(packed.replace(/^0x/, ""), "hex"))
  }
  if (packed !== "" && /^[\w+/-]+={0,2}$/.test(packed)) {
    return new Uint8Array(Buffer.from(packed.replace(/-/g, "+").replace(/_/g, "/"), "base64"))
  }
  return null
}

function fromFile(bytes: Uint8Array): Source {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return bytes // not text: the bytes themselves
  }
  if (text.trimStart().startsWith("{")) {
    const vectors = JSON.parse(text) as { section?: string; cases?: readonly VectorCase[] }
    if (Array.isArray(vectors.cases)) {
      return { section: vectors.section ?? "", cases: vectors.cases }
    }
  }
  return fromText(text) ?? bytes
}

/** The size of a file; undefined for what is none, such as text that is too long for a path. */
function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path)
    return stat.isFile() ? stat.size : undefined
  } catch {
    return undefined
  }
}

/** Reads what the command line names. */
export function readSource(what: string): Source {
  if (what === "-") return fromFile(readFileSync(0))
  const size = sizeOf(what)
  if (size !== undefined) {
    if (size > MAX_FILE) throw usage(`${what} has ${size} bytes, at most ${MAX_FILE}`)
    return fromFile(readFileSync(what))
  }
  // A name of a file that is not there is easily taken for base64.
  const bytes = /[\s.]/.test(what) && !/^[\s0-9a-fA-F]*$/.test(what) ? null : fromText(what)
  if (bytes) return bytes
  throw usage(`${what} is no file, hex, base64 or card`, "agentmesh inspect - reads standard input")
}
