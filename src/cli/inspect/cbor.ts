// CBOR as it lies there: every item with its place, also where the profile of SPEC §3 forbids it.

import { fromUtf8 } from "../../bytes.ts"
import { AgentMeshError } from "../../errors.ts"

/** What an item is. */
export type Kind = "uint" | "nint" | "bytes" | "text" | "array" | "map" | "tag" | "simple" | "float"

/** One item of CBOR. */
export interface Item {
  /** Where it begins, in the bytes it was read from. */
  readonly at: number
  /** Its head, and how many bytes it has with all that is in it. */
  readonly head: Uint8Array
  readonly size: number
  readonly kind: Kind
  /** Number, text, bytes, or the number of a tag or simple value; count of an array or map. */
  readonly value: number | bigint | string | Uint8Array
  /** Items of an array; keys and values of a map, in turn; what a tag stands before. */
  readonly items: readonly Item[]
}

const MAX_DEPTH = 64
const MAX_ITEMS = 100_000
const KINDS: readonly Kind[] = ["uint", "nint", "bytes", "text", "array", "map", "tag"]

function malformed(at: number, what: string): AgentMeshError {
  return new AgentMeshError("encoding/malformed", `${what} at byte ${at}`)
}

/** Reads items one after the other. */
class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get at(): number {
    return this.#at
  }

  #argument(info: number, start: number): number | bigint {
    if (info < 24) return info
    if (info > 27) throw malformed(start, info === 31 ? "indefinite length" : "reserved head")
    const size = 1 << (info - 24)
    const at = this.#at
    if (at + size > this.#bytes.length) throw malformed(start, "truncated head")
    this.#at += size
    if (size === 1) return this.#view.getUint8(at)
    if (size === 2) return this.#view.getUint16(at)
    if (size === 4) return this.#view.getUint32(at)
    const large = this.#view.getBigUint64(at)
    return large > BigInt(Number.MAX_SAFE_INTEGER) ? large : Number(large)
  }

  /** The next item. */
  item(depth = 0): Item {
    const at = this.#at
    if (at >= this.#bytes.length) throw malformed(at, "truncated item")
    const bounded = depth <= MAX_DEPTH && ++this.#count <= MAX_ITEMS
    if (!bounded) throw new AgentMeshError("encoding/limit", `too deep or too much at byte ${at}`)
    const initial = this.#bytes[this.#at++] as number
    const [major, info] = [initial >> 5, initial & 31]
    const argument = this.#argument(info, at)
    const head = this.#bytes.subarray(at, this.#at)
    const made = (kind: Kind, value: Item["value"], items: readonly Item[] = []): Item => {
      return { at, head, size: this.#at - at, kind, value, items }
    }
    if (major === 7) return info > 24 ? made("float", this.#float(head)) : made("simple", argument)
    const kind = KINDS[major] as Kind
    if (kind === "uint") return made(kind, argument)
    if (kind === "nint") return made(kind, -1n - BigInt(argument))
    const length = Number(argument)
    if (kind === "bytes" || kind === "text") {
      if (length > this.#bytes.length - this.#at) throw malformed(at, "truncated string")
      const string = this.#bytes.subarray(this.#at, this.#at + length)
      this.#at += length
      return made(kind, kind === "text" ? textOf(string) : string)
    }
    const count = kind === "tag" ? 1 : kind === "map" ? length * 2 : length
    if (count > this.#bytes.length - this.#at) throw malformed(at, "truncated item")
    const items: Item[] = []
    for (let i = 0; i < count; i++) items.push(this.item(depth + 1))
    return made(kind, argument, items)
  }

  #float(head: Uint8Array): number {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
    if (head.length === 9) return view.getFloat64(1)
    if (head.length === 5) return view.getFloat32(1)
    return Number.NaN // half precision: outside every profile, shown by its bytes
  }
}

/** A text that is not UTF-8 is shown by its bytes. */
function textOf(bytes: Uint8Array): string | Uint8Array {
  try {
    return fromUtf8(bytes)
  } catch {
    return bytes
  }
}

/**
 * Reads one item.
 *
 * @returns The item, and how many bytes follow it.
 * @throws {@link AgentMeshError} `encoding/malformed`, `encoding/limit`.
 */
export function readItem(bytes: Uint8Array): { readonly item: Item; readonly rest: number } {
  const reader = new Reader(bytes)
  const item = reader.item()
  return { item, rest: bytes.length - reader.at }
}

/** The item that a byte string holds; null if it holds none. */
export function readInside(item: Item): Item | null {
  if (!(item.value instanceof Uint8Array) || item.kind !== "bytes") return null
  try {
    const { item: inner, rest } = readItem(item.value)
    return rest === 0 ? inner : null
  } catch {
    return null
  }
}
