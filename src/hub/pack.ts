// SPEC §11 hub: a short way to C(value) for what a hub writes all day: rows and frames.
//
// The same bytes as `encode` of §3 (a test compares them), without its checks: the values come from
// the hub itself or have been decoded strictly.

import { toUtf8 } from "../bytes.ts"
import type { Value } from "../encoding.ts"

function headSize(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : 9
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function sizeOf(value: Value): number {
  if (value === null) return 1
  if (typeof value === "number") return headSize(value)
  if (typeof value === "string") {
    const size = isAscii(value) ? value.length : toUtf8(value).length
    return headSize(size) + size
  }
  if (value instanceof Uint8Array) return headSize(value.length) + value.length
  let size = headSize(value.length)
  for (const item of value) size += sizeOf(item)
  return size
}

function writeHead(out: Uint8Array, at: number, major: number, argument: number): number {
  const initial = major << 5
  if (argument < 24) {
    out[at] = initial | argument
    return at + 1
  }
  const size = headSize(argument) - 1
  out[at] = initial | (size === 1 ? 24 : size === 2 ? 25 : size === 4 ? 26 : 27)
  let rest = argument
  for (let i = at + size; i > at; i--) {
    out[i] = rest % 0x100
    rest = Math.floor(rest / 0x100)
  }
  return at + 1 + size
}

function write(out: Uint8Array, start: number, value: Value): number {
  let at = start
  if (value === null) {
    out[at] = 0xf6
    return at + 1
  }
  if (typeof value === "number") return writeHead(out, at, 0, value)
  if (typeof value === "string") {
    if (!isAscii(value)) {
      const bytes = toUtf8(value)
      at = writeHead(out, at, 3, bytes.length)
      out.set(bytes, at)
      return at + bytes.length
    }
    at = writeHead(out, at, 3, value.length)
    for (let i = 0; i < value.length; i++) out[at++] = value.charCodeAt(i)
    return at
  }
  if (value instanceof Uint8Array) {
    at = writeHead(out, at, 2, value.length)
    out.set(value, at)
    return at + value.length
  }
  at = writeHead(out, at, 4, value.length)
  for (const item of value) at = write(out, at, item)
  return at
}

/** C(value) of integers from 0 to 2^53-1, byte strings, well-formed text, null and arrays. */
export function pack(value: Value): Uint8Array {
  const out = new Uint8Array(sizeOf(value))
  write(out, 0, value)
  return out
}
