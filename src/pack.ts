// SPEC §3 encoding: the bytes of a protocol value, written in two passes: size and checks, bytes.
// Those of a payload are written in one: its values are the application's, and may be other ones
// when they are looked at again.

import { compareBytes, toUtf8, writeUtf8 } from "./bytes.ts"
import { AgentMeshError } from "./errors.ts"
import { MAX_DEPTH, MAX_PAYLOAD_DEPTH } from "./limits.ts"

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

// ---- payloads ----

/** Texts up to this length are written here: a call into the runtime costs more. */
const SHORT = 48
/** A longer buffer is not kept for the next payload. */
const KEPT = 65_536

/** Writes one payload after the other into a buffer of its own. */
class Writer {
  #out = new Uint8Array(4_096)
  #at = 0

  /** C(payload), valid until the next call. */
  write(payload: object): Uint8Array {
    if (this.#out.length > KEPT) this.#out = new Uint8Array(KEPT)
    this.#at = 0
    this.#map(payload, 1)
    return this.#out.subarray(0, this.#at)
  }

  /** Makes room for `size` more bytes. */
  #need(size: number): void {
    const least = this.#at + size
    if (least <= this.#out.length) return
    const larger = new Uint8Array(Math.max(least, 2 * this.#out.length))
    larger.set(this.#out.subarray(0, this.#at))
    this.#out = larger
  }

  #head(major: number, argument: number): void {
    this.#need(9)
    this.#at = writeHead(this.#out, this.#at, major, argument)
  }

  #byte(byte: number): void {
    this.#need(1)
    this.#out[this.#at++] = byte
  }

  #value(value: unknown, depth: number): void {
    if (depth > MAX_PAYLOAD_DEPTH) throw new RangeError("nested too deep") // ENCODING-4
    if (typeof value === "string") this.#text(value)
    else if (typeof value === "number") this.#number(value)
    else if (typeof value === "boolean") this.#byte(value ? 0xf5 : 0xf4)
    else if (value === null) this.#byte(0xf6)
    else if (value instanceof Uint8Array) this.#bytes(value)
    else if (Array.isArray(value)) this.#array(value, depth)
    else if (typeof value === "object") this.#map(value, depth)
    else throw new TypeError(`a ${typeof value} cannot be encoded`)
  }

  #number(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`expected a finite number, got ${value}`)
    if (Number.isSafeInteger(value)) {
      if (value >= 0) this.#head(0, value)
      else this.#head(1, -1 - value) // ENCODING-7
      return
    }
    this.#need(9) // always nine bytes: ENCODING-8
    this.#out[this.#at] = 0xfb
    new DataView(this.#out.buffer).setFloat64(this.#at + 1, value)
    this.#at += 9
  }

  #bytes(value: Uint8Array): void {
    this.#need(9 + value.length)
    this.#head(2, value.length)
    this.#out.set(value, this.#at)
    this.#at += value.length
  }

  /** As it is: ENCODING-2. */
  #text(value: string): void {
    const { length } = value
    this.#need(9 + 3 * length)
    if (length <= SHORT && this.#ascii(value)) return
    const start = this.#at + headSize(length)
    const size = writeUtf8(value, this.#out.subarray(start))
    if (size !== length && !value.isWellFormed()) {
      throw new TypeError("text has a lone surrogate") // ENCODING-3
    }
    const at = this.#at + headSize(size)
    if (at !== start) this.#out.copyWithin(at, start, start + size)
    writeHead(this.#out, this.#at, 3, size)
    this.#at = at + size
  }

  #ascii(value: string): boolean {
    let at = writeHead(this.#out, this.#at, 3, value.length)
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      this.#out[at++] = code
    }
    this.#at = at
    return true
  }

  #array(items: readonly unknown[], depth: number): void {
    this.#head(4, items.length)
    // By index: what an array lacks is undefined, and refused.
    for (let i = 0; i < items.length; i++) this.#value(items[i], depth + 1)
  }

  #map(value: object, depth: number): void {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype) {
      throw new TypeError("only plain objects can be encoded")
    }
    const keys = sortedKeys(value)
    this.#head(5, keys.length)
    for (const key of keys) {
      this.#text(key)
      this.#value((value as Record<string, unknown>)[key], depth + 1)
    }
  }
}

// Printable ASCII, for which the order of texts is that of their bytes.
const PLAIN = /^[ -~]*$/

/** Text keys by encoding: shorter UTF-8 first, then bytewise (ENCODING-6). */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value)
  if (keys.every((key) => PLAIN.test(key))) {
    return keys.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  }
  const encoded = keys.map((key) => {
    if (!key.isWellFormed()) throw new TypeError("a key has a lone surrogate")
    return { key, bytes: toUtf8(key) }
  })
  encoded.sort((a, b) => a.bytes.length - b.bytes.length || compareBytes(a.bytes, b.bytes))
  return encoded.map(({ key }) => key)
}

/** Writers that write nothing now: one, unless a getter of a payload encodes another. */
const idle: Writer[] = []

/**
 * Encodes a payload and passes on the bytes, for a copy that is made at once: they are overwritten.
 *
 * @param payload - A plain object.
 * @throws {@link AgentMeshError} `agent/payload` if a value cannot be encoded.
 */
export function writePayload<T>(payload: object, use: (bytes: Uint8Array) => T): T {
  const writer = idle.pop() ?? new Writer()
  try {
    return use(encoded(writer, payload))
  } finally {
    idle.push(writer)
  }
}

function encoded(writer: Writer, payload: object): Uint8Array {
  try {
    return writer.write(payload)
  } catch (error) {
    throw new AgentMeshError("agent/payload", (error as Error).message, error)
  }
}
