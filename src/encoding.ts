// SPEC §3 encoding: deterministic CBOR, in two profiles.
//
// Protocol values are written by pack.ts. Payloads, whose values are many, are written by cbor-x,
// which is neither strict nor deterministic: they are put into canonical form before. One strict
// pass over the bytes decodes both without it: its decoder would drop the byte order mark of a long
// text, and with it make two keys of a map one.

import { Encoder } from "cbor-x/encode"
import { compareBytes, fromUtf8, shortText, toUtf8 } from "./bytes.ts"
import { AgentMeshError, type ErrorCode, require } from "./errors.ts"
import { MAX_DEPTH, MAX_OBJECT, MAX_PAYLOAD_DEPTH } from "./limits.ts"
import type { Value } from "./pack.ts"

export { encode, type Value } from "./pack.ts"

/** What an application payload is made of (SPEC §3.2). Decoded maps have no prototype. */
export type PayloadValue =
  | number
  | boolean
  | Uint8Array
  | string
  | null
  | readonly PayloadValue[]
  | { readonly [key: string]: PayloadValue }

/** An application payload: a map with text keys. */
export type Payload = { readonly [key: string]: PayloadValue }

/** Which values are allowed: protocol structures or application payloads. */
export type Profile = "protocol" | "payload"

const encoder = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false })

// ---- decode: one pass over the bytes, the first fault decides (ENCODING receiver rules) ----

interface Scan {
  readonly bytes: Uint8Array
  readonly payload: boolean
  readonly maxDepth: number
  /** Byte strings longer than this share the memory of `bytes`. */
  readonly copied: number
  at: number
}

function fail(code: ErrorCode, at: number, what: string): never {
  throw new AgentMeshError(code, `${what} at byte ${at}`)
}

/** Reads the argument of a head whose initial byte is already behind `s.at`. */
function readArgument(s: Scan, info: number, start: number): number {
  if (info < 24) return info
  const size = 1 << (info - 24)
  if (s.at + size > s.bytes.length) fail("encoding/malformed", start, "truncated head") // ENCODING-12
  let argument = 0
  for (const end = s.at + size; s.at < end; s.at++) {
    argument = argument * 0x100 + (s.bytes[s.at] as number)
  }
  return argument
}

const SMALLEST: readonly number[] = [24, 0x100, 0x1_0000, 0x1_0000_0000]

function readItem(s: Scan, depth: number): PayloadValue {
  const start = s.at
  if (start >= s.bytes.length) fail("encoding/malformed", start, "truncated item") // ENCODING-11
  const initial = s.bytes[s.at++] as number
  const major = initial >> 5
  const info = initial & 0x1f
  const indefinite = info === 31
  if ((info >= 28 && info <= 30) || (indefinite && (major < 2 || major > 5))) {
    fail("encoding/malformed", start, "reserved head")
  }
  const argument = indefinite ? 0 : readArgument(s, info, start)
  if (major === 7) return readSimple(s, start, info, argument, depth)
  if (indefinite) fail("encoding/profile", start, "indefinite length") // ENCODING-13
  if (major === 6 || (!s.payload && (major === 1 || major === 5))) {
    fail("encoding/profile", start, "type outside the profile")
  }
  if (info >= 24 && argument < (SMALLEST[info - 24] as number)) {
    fail("encoding/profile", start, "head not in shortest form") // ENCODING-14
  }
  const magnitude = major === 1 ? argument + 1 : argument
  if (major < 2 && magnitude > Number.MAX_SAFE_INTEGER) {
    fail("encoding/limit", start, "integer beyond 2^53-1") // ENCODING-15
  }
  checkDepth(s, depth, start)
  if (major === 0) return argument
  if (major === 1) return -1 - argument
  // Every item has at least one byte: a head that claims more allocates nothing (ENCODING-17).
  const least = major === 5 ? argument * 2 : argument
  if (least > s.bytes.length - s.at) fail("encoding/malformed", start, "truncated item")
  if (major === 4) return readArray(s, argument, depth)
  if (major === 5) return readMap(s, argument, depth)
  const from = s.at
  s.at += argument
  if (major === 3) return readText(s.bytes, from, s.at, start)
  // A byte string is not looked into: whoever opens it judges it, at depth 1 (ENCODING-24).
  if (argument > s.copied) return s.bytes.subarray(from, s.at)
  // The slice of a Buffer would share its memory.
  const plain = s.bytes.constructor === Uint8Array
  return plain ? s.bytes.slice(from, s.at) : new Uint8Array(s.bytes.subarray(from, s.at))
}

function checkDepth(s: Scan, depth: number, start: number): void {
  if (depth > s.maxDepth) fail("encoding/limit", start, "nested too deep") // ENCODING-16
}

function readText(bytes: Uint8Array, from: number, to: number, start: number): string {
  const short = shortText(bytes, from, to)
  if (short !== null) return short
  try {
    return fromUtf8(bytes.subarray(from, to))
  } catch {
    return fail("encoding/profile", start, "text is not UTF-8") // ENCODING-18
  }
}

function readArray(s: Scan, length: number, depth: number): PayloadValue[] {
  const items: PayloadValue[] = []
  for (let i = 0; i < length; i++) items.push(readItem(s, depth + 1))
  return items
}

function readMap(s: Scan, pairs: number, depth: number): Payload {
  const map: Record<string, PayloadValue> = Object.create(null) // ENCODING-25
  // Where the key before begins and ends.
  let previous = 0
  let before = 0
  for (let i = 0; i < pairs; i++) {
    const start = s.at
    const name = readItem(s, depth + 1)
    if (typeof name !== "string") fail("encoding/profile", start, "key is not text")
    if (i > 0 && !rises(s.bytes, previous, before, start, s.at)) {
      fail("encoding/profile", start, "keys not sorted or repeated") // ENCODING-20
    }
    previous = start
    before = s.at
    map[name] = readItem(s, depth + 1)
  }
  return map
}

/** Whether the bytes from `a` to `b` are before those from `c` to `d`, bytewise. */
function rises(bytes: Uint8Array, a: number, b: number, c: number, d: number): boolean {
  const length = Math.min(b - a, d - c)
  for (let i = 0; i < length; i++) {
    const difference = (bytes[a + i] as number) - (bytes[c + i] as number)
    if (difference !== 0) return difference < 0
  }
  return b - a < d - c
}

function readSimple(
  s: Scan,
  start: number,
  info: number,
  argument: number,
  depth: number,
): PayloadValue {
  if (info === 24 && argument < 32) fail("encoding/malformed", start, "reserved simple value")
  const allowed = info === 22 || (s.payload && (info === 20 || info === 21 || info === 27))
  if (!allowed) fail("encoding/profile", start, "simple value or float outside the profile")
  checkDepth(s, depth, start)
  if (info === 22) return null
  if (info !== 27) return info === 21
  const view = new DataView(s.bytes.buffer, s.bytes.byteOffset)
  const number = view.getFloat64(s.at - 8)
  if (!Number.isFinite(number) || Number.isSafeInteger(number)) {
    fail("encoding/profile", start, "float that is no number or an integer") // ENCODING-19
  }
  return number
}

function decodeItem(
  bytes: Uint8Array,
  profile: Profile,
  limit: number,
  copied: number = Number.POSITIVE_INFINITY,
): PayloadValue {
  // ENCODING-10
  require(bytes.length <= limit, "encoding/limit", `${bytes.length} bytes, at most ${limit}`)
  const payload = profile === "payload"
  const maxDepth = payload ? MAX_PAYLOAD_DEPTH : MAX_DEPTH
  const s: Scan = { bytes, payload, maxDepth, copied, at: 0 }
  const item = readItem(s, 1)
  if (s.at !== bytes.length) fail("encoding/malformed", s.at, "trailing bytes") // ENCODING-21
  return item
}

/**
 * Decodes a protocol value in canonical form (SPEC §3.4).
 *
 * @param bytes - Any bytes; nothing in the result shares memory with them.
 * @param limit - Largest size in bytes.
 * @throws {@link AgentMeshError} `encoding/limit`, `encoding/malformed`, `encoding/profile`.
 */
export function decode(bytes: Uint8Array, limit: number = MAX_OBJECT): Value {
  return decodeItem(bytes, "protocol", limit) as Value
}

/** Keys, hashes and ids are kept, and must not keep alive what they came in. */
const SMALL = 64

/**
 * Decodes like {@link decode}, but byte strings of more than 64 bytes share the memory of `bytes`:
 * for bytes that belong to nobody else, as a plaintext that was just opened.
 *
 * @throws {@link AgentMeshError} `encoding/limit`, `encoding/malformed`, `encoding/profile`.
 */
export function decodeShared(bytes: Uint8Array, limit: number = MAX_OBJECT): Value {
  return decodeItem(bytes, "protocol", limit, SMALL) as Value
}

/**
 * Decodes an application payload in canonical form (SPEC §3.4).
 *
 * @param bytes - Any bytes; nothing in the result shares memory with them.
 * @throws {@link AgentMeshError} `encoding/*`; `encoding/shape` if it is not a map.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  const payload = decodeItem(bytes, "payload", MAX_OBJECT)
  require((bytes[0] as number) >> 5 === 5, "encoding/shape", "a payload is a map") // ENCODING-23
  return payload as Payload
}

// ---- encode payloads ----

function canonicalNumber(value: number): number | bigint {
  if (!Number.isFinite(value)) throw new RangeError(`expected a finite number, got ${value}`)
  // cbor-x writes integers from 2^32 on as floats, but big integers as integers (ENCODING-7).
  if (!Number.isSafeInteger(value)) return value // always nine bytes: ENCODING-8
  return value >= 0x1_0000_0000 || value < -0x1_0000_0000 ? BigInt(value) : value
}

function canonical(value: unknown, depth: number): unknown {
  if (depth > MAX_PAYLOAD_DEPTH) throw new RangeError("nested too deep") // ENCODING-4
  if (value === null || typeof value === "boolean" || value instanceof Uint8Array) return value
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("text has a lone surrogate") // ENCODING-3
    return value // as it is: ENCODING-2
  }
  if (typeof value === "number") return canonicalNumber(value)
  // A plain array without holes, whatever came in: cbor-x writes others in other ways.
  if (Array.isArray(value)) return Array.from(value, (item) => canonical(item, depth + 1))
  if (typeof value === "object") return canonicalMap(value, depth)
  throw new TypeError(`a ${typeof value} cannot be encoded`)
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

function canonicalMap(value: object, depth: number): Map<string, unknown> {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    throw new TypeError("only plain objects can be encoded")
  }
  const map = new Map<string, unknown>()
  for (const key of sortedKeys(value)) {
    map.set(key, canonical((value as Record<string, unknown>)[key], depth + 1))
  }
  return map
}

function encoded(payload: object): Uint8Array {
  try {
    return encoder.encode(canonicalMap(payload, 1))
  } catch (error) {
    throw new AgentMeshError("agent/payload", (error as Error).message, error)
  }
}

/**
 * Encodes a payload and passes on the bytes, for a copy that is made at once: they share memory.
 *
 * @param payload - A plain object.
 * @throws {@link AgentMeshError} `agent/payload` if a value cannot be encoded.
 */
export function writePayload<T>(payload: object, use: (bytes: Uint8Array) => T): T {
  return use(encoded(payload))
}

/**
 * Encodes an application payload in canonical form (SPEC §3.3, ENCODING-9).
 *
 * @param payload - A plain object; values as {@link PayloadValue}.
 * @throws {@link AgentMeshError} `agent/payload` if a value cannot be encoded.
 */
export function encodePayload(payload: Payload): Uint8Array {
  return new Uint8Array(encoded(payload))
}
