// JSON values of vectors: bulk bytes, references to earlier outputs, mutations, comparison.

import type { Json, JsonObject, Mutation } from "./driver.ts"

/** Largest output string, in hex digits, that a vector spells out. */
export const BULK = 20_000

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isHex(value: Json | undefined): value is string {
  return typeof value === "string" && /^(?:[0-9a-f]{2})*$/.test(value)
}

/** Many times as fast as JavaScript, where there is one. */
const Native: typeof Buffer | undefined = globalThis.Buffer
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Bytes of lower-case hex; throws for any other text. */
export function unhex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) throw new TypeError("not lower-case hex")
  if (Native !== undefined) return new Uint8Array(Native.from(hex, "hex"))
  const byteAt = (i: number): number => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => byteAt(i))
}

/** Lower-case hex of bytes. */
export function hex(bytes: Uint8Array): string {
  if (Native === undefined) return Array.from(bytes, (byte) => PAIRS[byte]).join("")
  return Native.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
}

/** Lower-case hex of the SHA-256 of bytes given in hex. */
export async function sha256Hex(data: string): Promise<string> {
  return hex(
    new Uint8Array(
      await globalThis.crypto.subtle.digest("SHA-256", unhex(data).buffer as ArrayBuffer),
    ),
  )
}

/** Writes out `{"repeat","times"}` and `{"concat"}`, at any depth. */
export function expandBulk(value: Json): Json {
  if (Array.isArray(value)) return value.map(expandBulk)
  if (!isObject(value)) return value
  const { repeat, times, concat } = value
  if (typeof repeat === "string" && typeof times === "number") return repeat.repeat(times)
  if (Array.isArray(concat)) return concat.map((part) => expandBulk(part as Json)).join("")
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expandBulk(item)]))
}

/** The part of `value` at a dotted path; undefined if there is none. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let part = value
  for (const key of path === "" ? [] : path.split(".")) {
    if (Array.isArray(part)) part = part[Number(key)] as Json | undefined
    else if (isObject(part)) part = Object.hasOwn(part, key) ? part[key] : undefined
    else return undefined
  }
  return part
}

/** A copy of `value` in which the part at a dotted path is `part`; undefined removes it. */
export function withAt(value: Json, path: string, part: Json | undefined): Json {
  const [key, ...rest] = path.split(".")
  if (key === undefined || path === "") return part as Json
  const inner = (old: Json | undefined): Json | undefined =>
    rest.length === 0 ? part : withAt(old ?? {}, rest.join("."), part)
  if (Array.isArray(value)) {
    return value.map((item, i) => (String(i) === key ? (inner(item as Json) as Json) : item))
  }
  const entries = Object.entries(value as JsonObject).filter(([name]) => name !== key)
  const changed = inner((value as JsonObject)[key])
  if (changed !== undefined) entries.push([key, changed])
  return Object.fromEntries(entries)
}

/** Replaces `$name` and `$name.path` by what earlier steps put out; `$name` alone: its handle. */
export function resolve(value: Json, outputs: ReadonlyMap<string, Json>): Json {
  if (Array.isArray(value)) return value.map((item) => resolve(item as Json, outputs))
  if (isObject(value)) {
    const entries = Object.entries(value)
    return Object.fromEntries(entries.map(([key, item]) => [key, resolve(item, outputs)]))
  }
  if (typeof value !== "string" || !value.startsWith("$")) return value
  const [name, ...path] = value.slice(1).split(".")
  const part = at(outputs.get(name as string), path.length === 0 ? "handle" : path.join("."))
  if (part === undefined) throw new Error(`${value} refers to nothing`)
  return part
}

/** Applies a mutation of level `bytes` to hex; throws if it does not fit. */
export function mutateBytes(value: string, mutation: Mutation): string {
  const { at: offset = 0, cut = "", put = "", xor } = mutation
  const start = offset < 0 ? value.length + 2 * offset : 2 * offset
  if (start < 0 || start > value.length) throw new Error("mutation lies outside the bytes")
  const [before, rest] = [value.slice(0, start), value.slice(start)]
  if (xor !== undefined) {
    const mask = unhex(xor)
    const changed = unhex(rest.slice(0, xor.length)).map((byte, i) => byte ^ (mask[i] as number))
    if (rest.length < xor.length || hex(changed) === rest.slice(0, xor.length)) {
      throw new Error("mutation changes nothing")
    }
    return before + hex(changed) + rest.slice(xor.length)
  }
  const insert = expandBulk(put)
  if (!rest.startsWith(cut) || !isHex(insert)) throw new Error("mutation does not fit the bytes")
  return before + insert + rest.slice(cut.length)
}

/** Applies a mutation of level `bytes` or `context` to arguments; `field` only adds a new value. */
export function mutate(args: JsonObject, mutation: Mutation): JsonObject {
  const { level, field, put } = mutation
  if (level === "context") return withAt(args, field, put) as JsonObject
  const value = at(args, field)
  if (typeof value !== "string") throw new Error(`"${field}" holds no bytes`)
  return withAt(args, field, mutateBytes(value, mutation)) as JsonObject
}

/** Where a result lacks what is expected. */
export interface Difference {
  /** Dotted path; empty: the whole. */
  readonly path: string
  readonly expected: Json
  readonly actual: Json | undefined
  /** In words, if the two values do not say it. */
  readonly note?: string
}

/**
 * Where `actual` lacks what `expected` has; null if nowhere. Objects may have more keys, lists may
 * not have more items. `{"sha256","length"}` stands for bulk bytes.
 */
export async function findDifference(
  expected: Json,
  actual: Json | undefined,
  path: string = "",
): Promise<Difference | null> {
  const inner = (key: string): string => (path === "" ? key : `${path}.${key}`)
  if (isObject(expected)) {
    const { sha256, length } = expected
    if (typeof sha256 === "string" && typeof length === "number" && typeof actual === "string") {
      const same = actual.length === 2 * length && (await sha256Hex(actual)) === sha256
      const note = `other bulk bytes (${actual.length / 2} bytes)`
      return same ? null : { path, expected, actual, note }
    }
    if (!isObject(actual)) return { path, expected, actual, note: "expected an object" }
    for (const [key, item] of Object.entries(expected)) {
      const found = await findDifference(item, actual[key], inner(key))
      if (found !== null) return found
    }
    return null
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return { path, expected, actual, note: "expected a list" }
    if (actual.length !== expected.length) {
      const note = `expected ${expected.length} items, got ${actual.length}`
      return { path, expected, actual, note }
    }
    for (const [i, item] of expected.entries()) {
      const found = await findDifference(item as Json, actual[i] as Json, inner(String(i)))
      if (found !== null) return found
    }
    return null
  }
  return expected === actual ? null : { path, expected, actual }
}

/** {@link findDifference} in words. */
export async function difference(
  expected: Json,
  actual: Json | undefined,
  path: string = "",
): Promise<string | null> {
  const found = await findDifference(expected, actual, path)
  return found && describeDifference(found)
}

/** A difference in a line. */
export function describeDifference({ path, expected, actual, note }: Difference): string {
  const what = note ?? `expected ${short(expected)}, got ${short(actual)}`
  return `${path === "" ? "output" : path}: ${what}`
}

/** JSON of a value, cut after 80 characters. */
export function short(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 80 ? `${text.slice(0, 76)}...` : text
}
