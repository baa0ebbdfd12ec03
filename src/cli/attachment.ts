// Files as payloads: {"type": "file", "name": ..., "data": bytes}.

import { readFileSync, statSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { usage } from "./failure.ts"
import { secureDirectory } from "./paths.ts"
import type { Json, MessageJson } from "./payload.ts"

/** Bytes of a file at most: with name and type it has to fit one content (SPEC §9). */
const MAX_FILE = 999_000

/** A file as fields of a payload. */
export function readAttachment(path: string): { readonly [key: string]: Json } {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: -1 }
  if (size < 0) throw usage(`there is no file ${path}`)
  if (size > MAX_FILE) throw usage(`${path} has ${size} bytes, a message holds at most ${MAX_FILE}`)
  const data = { $base64: readFileSync(path).toString("base64") }
  return { type: "file", name: basename(path), data }
}

/**
 * Writes the file of a message into a directory, under a name of this side: what the sender calls
 * it is only a suggestion, and nothing is ever replaced.
 *
 * @returns The path, or undefined if the message has no file.
 */
export function saveAttachment(message: MessageJson, directory: string): string | undefined {
  const { name, data } = message.payload as { name?: Json; data?: Json }
  const { $base64: base64 } = (typeof data === "object" && data !== null ? data : {}) as {
    readonly $base64?: Json
  }
  if (message.type !== "file" || typeof base64 !== "string") return undefined
  const plain = typeof name === "string" ? name.replace(/[^\w.-]/g, "_").replace(/^\.+/, "") : ""
  secureDirectoryIfNew(directory)
  const path = join(directory, `${message.id.slice(0, 8)}-${plain.slice(-80) || "file"}`)
  const bytes = Buffer.from(base64, "base64")
  try {
    writeFileSync(path, bytes, { mode: 0o600, flag: "wx" })
  } catch (error) {
    const saved = (error as NodeJS.ErrnoException).code === "EEXIST" && readFileSync(path)
    if (!saved || !bytes.equals(saved)) throw error // saved before, unless it is something else
  }
  return path
}

function secureDirectoryIfNew(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) secureDirectory(directory)
}
