// SPEC §3 encoding: the bytes of a protocol value, written in two passes: size and checks, bytes.

import { toUtf8 } from "./bytes.ts"
import { MAX_DEPTH } from "./limits.ts"

/** What a protocol structure is made of (SPEC §3.2). Integers are 0 to 2^53-1. */
export type Value = number | Uint8Array | string | null | readonly Value[]

/** Bytes of a head with this argument, in its shortest form. */
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

/** Size of C(value); throws if there is no such encoding. */
function sizeOf(value: Value, depth: number): number {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deep") // ENCODING-4
  if (value instanceof Uint8Array) return headSize(value.length) + value.length
  if (value === null) return 1
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`expected an integer from 0 to 2^53-1, got ${value}`)
    }
    return headSize(value)
  }
  if (typeof value === "string") {
    if (isAscii(value)) return headSize(value.length) + value.length
    if (!value.isWellFormed()) throw new TypeError("text has a lone surrogate") // ENCODING-3
    const { length } = toUtf8(value)
    return headSize(length) + length
  }
  if (!Array.isArray(value)) throw new TypeError(`a ${typeof value} cannot be encoded`)
  let size = headSize(value.length)
  // By index: what an array lacks is undefined, and refused.
  for (let i = 0; i < value.length; i++) size += sizeOf(value[i] as Value, depth + 1)
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

function writeBytes(out: Uint8Array, start: number, major: number, bytes: Uint8Array): number {
  const at = writeHead(out, start, major, bytes.length)
  out.set(bytes, at)
  return at + bytes.length
}

function write(out: Uint8Array, start: number, value: Value): number {
  if (value instanceof Uint8Array) return writeBytes(out, start, 2, value)
  if (value === null) {
    out[start] = 0xf6
    return start + 1
  }
  if (typeof value === "number") return writeHead(out, start, 0, value)
  if (typeof value === "string") {
    if (!isAscii(value)) return writeBytes(out, start, 3, toUtf8(value)) // as it is: ENCODING-2
    let at = writeHead(out, start, 3, value.length)
    for (let i = 0; i < value.length; i++) out[at++] = value.charCodeAt(i)
    return at
  }
  let at = writeHead(out, start, 4, value.length)
  for (let i = 0; i < value.length; i++) at = write(out, at, value[i] as Value)
  return at
}

/**
 * C(value), the one encoding of a protocol value (SPEC §3.3, ENCODING-1).
 *
 * @param value - Integers from 0 to 2^53-1, byte strings, well-formed text, null, arrays.
 * @throws TypeError or RangeError for any other value, or deeper than {@link MAX_DEPTH}.
 */
export function encode(value: Value): Uint8Array {
  const out = new Uint8Array(sizeOf(value, 1))
  write(out, 0, value)
  return out
}

/** Writes C(value) at the beginning of `out`, which has room for it; returns where it ends. */
export function encodeInto(out: Uint8Array, value: Value): number {
  const size = sizeOf(value, 1)
  if (size > out.length) throw new RangeError(`${size} bytes do not fit ${out.length}`)
  return write(out, 0, value)
}

const scratch = new Uint8Array(65_536)

/**
 * C(value) for a hash, a signature or a seal that is made at once: the next call overwrites it.
 */
export function encodeView(value: Value): Uint8Array {
  const size = sizeOf(value, 1)
  const out = size <= scratch.length ? scratch : new Uint8Array(size)
  return out.subarray(0, write(out, 0, value))
}
