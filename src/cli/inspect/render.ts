// Annotated CBOR: bytes on the left, their meaning on the right.

import { toHex } from "../../bytes.ts"
import type { Output } from "../output.ts"
import { visibleLine } from "../text.ts"
import { type Item, readInside } from "./cbor.ts"
import type { Finding } from "./identify.ts"
import type { Part } from "./parts.ts"

const COLUMN = 26
const ROW = 32
const MAX_ROWS = 4
const SIMPLE: Readonly<Record<number, string>> = {
  20: "false",
  21: "true",
  22: "null",
  23: "undefined",
}

/** What an item is, in words. */
function describe(item: Item): string {
  const { kind, value } = item
  if (value instanceof Uint8Array) {
    return kind === "text"
      ? `text, ${value.length} bytes that are not UTF-8`
      : `${value.length} bytes`
  }
  if (kind === "text") return `"${visibleLine(shorten(`${value}`))}"`
  if (kind === "array") return `array of ${value}`
  if (kind === "map") return `map of ${value}`
  if (kind === "tag") return `tag ${value}`
  if (kind === "simple") return SIMPLE[Number(value)] ?? `simple value ${value}`
  return `${value}`
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}... (${text.length} characters)` : text
}

/** The part of the item in this place. */
function partAt(part: Part | undefined, i: number): Part | undefined {
  return part?.items?.[i] ?? part?.each
}

function insideOf(item: Item, part: Part | undefined): readonly [Item, Part | undefined] | null {
  const inside = part?.inside
  const inner = inside === undefined ? null : readInside(item)
  if (inner === null || inside === undefined) return null
  const found = typeof inside === "function" ? inside(inner) : inside
  return found === null ? null : [inner, found]
}

/** The lines of a finding. */
export function render({ item, part }: Finding, output: Output, full: boolean): string {
  const lines: string[] = []
  const write = (bytes: Uint8Array, depth: number, text: string, one?: Part): void => {
    const left = `${"  ".repeat(depth)}${toHex(bytes)}`
    const name = one ? `  ${output.style("bold", one.name)}` : ""
    const req = one?.req ? `  ${output.style("dim", `[${one.req}]`)}` : ""
    lines.push(`${left.padEnd(COLUMN)} ; ${text}${name}${req}`)
  }
  const visit = (at: Item, depth: number, one: Part | undefined): void => {
    const meaning = at.kind === "simple" ? "" : (one?.say?.(at) ?? "")
    write(at.head, depth, meaning ? `${describe(at)} = ${meaning}` : describe(at), one)
    const inner = insideOf(at, one)
    if (inner) visit(inner[0], depth + 1, inner[1])
    else if (at.kind === "bytes" || at.kind === "text") {
      const bytes = typeof at.value === "string" ? new TextEncoder().encode(at.value) : at.value
      lines.push(...rows(bytes as Uint8Array, depth + 1, full))
    }
    at.items.forEach((child, i) => {
      visit(child, depth + 1, partAt(one, i))
    })
  }
  visit(item, 0, part)
  return lines.join("\n")
}

function rows(bytes: Uint8Array, depth: number, full: boolean): readonly string[] {
  const indent = "  ".repeat(depth)
  const count = Math.ceil(bytes.length / ROW)
  const shown = full ? count : Math.min(count, MAX_ROWS)
  const lines = Array.from({ length: shown }, (_, i) => {
    return `${indent}${toHex(bytes.subarray(i * ROW, (i + 1) * ROW))}`
  })
  const left = bytes.length - shown * ROW
  return left > 0 ? [...lines, `${indent}... ${left} more bytes (--full)`] : lines
}

/** A finding as JSON. */
export function toObject(item: Item, part: Part | undefined): object {
  const { at, head, size, kind, value } = item
  const inner = insideOf(item, part)
  const shown =
    value instanceof Uint8Array ? toHex(value) : typeof value === "bigint" ? `${value}` : value
  const meaning = item.kind === "simple" ? "" : (part?.say?.(item) ?? "")
  return {
    ...{ at, size, head: toHex(head), kind, value: kind === "simple" ? describe(item) : shown },
    ...(part ? { name: part.name } : {}),
    ...(part?.req ? { req: part.req.split(", ") } : {}),
    ...(meaning ? { meaning } : {}),
    ...(inner ? { inside: toObject(...inner) } : {}),
    ...(item.items.length > 0
      ? { items: item.items.map((one, i) => toObject(one, partAt(part, i))) }
      : {}),
  }
}
