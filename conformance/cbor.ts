// A small CBOR reader of the suite's own, for lint and worked examples. It shares nothing with src.

import { hex, unhex } from "./values.ts"

/** One CBOR item and where it stands. Only definite lengths and the types of SPEC §3. */
export interface Item {
  readonly start: number
  /** Where the content of the item begins, behind its head. */
  readonly body: number
  readonly end: number
  readonly major: number
  /** Argument of the head. */
  readonly argument: bigint
  /** Items of an array; keys and values of a map. */
  readonly items: readonly Item[]
}

/** Reads the item at `start`; throws if it is not one this reader knows. */
export function readItem(bytes: Uint8Array, start: number = 0): Item {
  const initial = byteAt(bytes, start)
  const [major, info] = [initial >> 5, initial & 31]
  if (info > 27) throw new Error(`unreadable item at ${start}`)
  const size = info < 24 ? 0 : 1 << (info - 24)
  let argument = info < 24 ? BigInt(info) : 0n
  for (let i = 1; i <= size; i++) argument = (argument << 8n) | BigInt(byteAt(bytes, start + i))
  const body = start + 1 + size
  const items: Item[] = []
  let end = body
  if (major === 2 || major === 3) end += Number(argument)
  const count = major === 4 ? Number(argument) : major === 5 ? 2 * Number(argument) : 0
  for (let i = 0; i < count; i++) {
    const item = readItem(bytes, end)
    items.push(item)
    end = item.end
  }
  if (end > bytes.length) throw new Error(`truncated item at ${start}`)
  return { start, body, end, major, argument, items }
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new Error(`truncated at ${at}`)
  return byte
}

/** Hex of a head in shortest form. */
export function head(major: number, argument: number): string {
  const size = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : 4
  if (size === 0) return (major * 32 + argument).toString(16).padStart(2, "0")
  const first = major * 32 + 24 + Math.log2(size)
  return first.toString(16).padStart(2, "0") + argument.toString(16).padStart(2 * size, "0")
}

/**
 * The item at a path of indices; a byte string on the way is opened as CBOR.
 *
 * @param data - Hex of one item.
 * @returns Hex of the item there.
 */
export function itemAt(data: string, path: readonly number[]): string {
  const bytes = unhex(data)
  const item = readItem(bytes)
  if (path.length === 0) return data
  if (item.major === 2) return itemAt(hex(bytes.subarray(item.body, item.end)), path)
  const next = item.items[path[0] as number]
  if (next === undefined) throw new Error(`no item at ${path.join(".")}`)
  return itemAt(hex(bytes.subarray(next.start, next.end)), path.slice(1))
}

/** Hex of `data` with the item at `path` replaced by `put`; heads of strings on the way follow. */
export function replaceItem(data: string, path: readonly number[], put: string): string {
  if (path.length === 0) return put
  const bytes = unhex(data)
  const item = readItem(bytes)
  if (item.major === 2) {
    const inner = replaceItem(hex(bytes.subarray(item.body, item.end)), path, put)
    return head(2, inner.length / 2) + inner
  }
  const [index, ...rest] = path
  const parts = item.items.map((part, i) => {
    const old = hex(bytes.subarray(part.start, part.end))
    return i === index ? replaceItem(old, rest, put) : old
  })
  if (item.items[index as number] === undefined) throw new Error(`no item at ${path.join(".")}`)
  return hex(bytes.subarray(item.start, item.body)) + parts.join("")
}
