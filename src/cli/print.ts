// Messages and peers for people.

import { Buffer } from "node:buffer"
import type { Output } from "./output.ts"
import type { Json, MessageJson } from "./payload.ts"
import { safeJson, visible, visibleLine } from "./text.ts"

/** Prints a message: who, how sure, when, what. `saved` is where its file was written. */
export function printMessage(output: Output, message: MessageJson, saved?: string): void {
  const object = saved === undefined ? message : { ...message, saved }
  output.result(object, formatMessage(output, message, saved))
}

function formatMessage(output: Output, message: MessageJson, saved?: string): string {
  const { from, trust, sent, id, re, type, text, payload } = message
  const colour = trust === "verified" ? "green" : trust === "pinned" ? "yellow" : "red"
  const who = `${output.style("bold", from)} ${output.style(colour, `(${trust})`)}`
  const details = [sent, id, ...(re === null ? [] : [`answers ${re}`])].join("  ")
  const kind = type === "message" ? "" : ` ${visibleLine(type)}`
  const lines = [`${who}${kind}  ${output.style("dim", details)}`]
  if (text !== "") lines.push(...visible(text).split("\n"))
  const { text: _text, type: _type, ...rest } = payload
  if (Object.keys(rest).length > 0) lines.push(safeJson(shorten(rest)))
  if (saved !== undefined) lines.push(`saved as ${saved}`)
  return `${lines[0]}\n${lines
    .slice(1)
    .map((line) => `  ${line}`)
    .join("\n")}`
}

/** Long byte strings only by their length: a person cannot read them. */
export function shorten(value: Json): Json {
  if (Array.isArray(value)) return value.map(shorten)
  if (typeof value !== "object" || value === null) return value
  const { $base64: base64 } = value as { $base64?: Json }
  if (typeof base64 === "string" && base64.length > 64) {
    return `(${Buffer.from(base64, "base64").length} bytes)`
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shorten(item as Json)]),
  )
}
