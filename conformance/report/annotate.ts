// Bytes for the eye: CBOR with comments, and where two byte strings differ.

import { type Item, readItem } from "../cbor.ts"
import { hex, unhex } from "../values.ts"

/** One line of annotated bytes. */
export interface Line {
  readonly depth: number
  readonly hex: string
  readonly note: string
}

/** A line of a comparison: in both, only expected, or only actual. */
export interface DiffLine extends Line {
  readonly side: "both" | "expected" | "actual"
}

const WIDTH = 16
/** Lines that are compared; what is longer is cut. */
const MOST = 300
const NAMES = ["", "", "byte string", "text", "array", "map"]

/** Hex as lines: CBOR items with comments if it is CBOR, else rows of 16 bytes. */
export function annotate(digits: string): readonly Line[] {
  const bytes = unhex(digits)
  const lines = cborLines(bytes, 0) ?? rows(bytes, 0)
  return lines.length <= MOST
    ? lines
    : [...lines.slice(0, MOST), { depth: 0, hex: "", note: `${lines.length - MOST} more lines` }]
}

function rows(bytes: Uint8Array, depth: number): Line[] {
  const lines: Line[] = []
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const part = bytes.subarray(at, at + WIDTH)
    lines.push({ depth, hex: hex(part), note: bytes.length > WIDTH ? `byte ${at}` : "" })
  }
  return lines
}

/** Lines of exactly one CBOR item; null if the bytes are not one. */
function cborLines(bytes: Uint8Array, depth: number): Line[] | null {
  const whole = wholeItem(bytes)
  return whole && [...itemLines(bytes, whole.item, depth)]
}

function* itemLines(bytes: Uint8Array, item: Item, depth: number): Generator<Line> {
  const { start, body, end, major, argument, items } = item
  const head = hex(bytes.subarray(start, body))
  if (major === 0 || major === 1) {
    yield { depth, hex: head, note: String(major === 0 ? argument : -1n - argument) }
  } else if (major === 7) {
    const simple: Readonly<Record<string, string>> = { f4: "false", f5: "true", f6: "null" }
    yield { depth, hex: head, note: simple[head] ?? "simple or float" }
  } else {
    yield { depth, hex: head, note: `${NAMES[major] ?? "tag"}, ${argument}` }
  }
  const content = bytes.subarray(body, end)
  if (major === 3) {
    yield { depth: depth + 1, hex: hex(content), note: JSON.stringify(decode(content)) }
  } else if (major === 2) {
    const inner = content.length > 8 ? cborLines(content, depth + 1) : null
    yield* inner ?? rows(content, depth + 1)
  }
  for (const part of items) yield* itemLines(bytes, part, depth + 1)
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** Two byte strings side by side, line by line. */
export function diff(expected: string, actual: string): readonly DiffLine[] {
  const [left, right] = [annotate(expected), annotate(actual)]
  const same = (i: number, j: number): boolean => {
    const [a, b] = [left[i] as Line, right[j] as Line]
    return a.hex === b.hex && a.depth === b.depth
  }
  // Longest common subsequence, from the ends.
  const [m, n] = [left.length, right.length]
  const best = Array.from({ length: m + 1 }, () => new Uint16Array(n + 1))
  for (let i = m - 1; i >= 0; i--) {
    const [row, next] = [best[i] as Uint16Array, best[i + 1] as Uint16Array]
    for (let j = n - 1; j >= 0; j--) {
      row[j] = same(i, j)
        ? (next[j + 1] as number) + 1
        : Math.max(next[j] as number, row[j + 1] as number)
    }
  }
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < m || j < n) {
    if (i < m && j < n && same(i, j)) {
      lines.push({ ...(left[i++] as Line), side: "both" })
      j++
    } else if (i < m && (j >= n || best[i + 1]![j]! >= best[i]![j + 1]!)) {
      lines.push({ ...(left[i++] as Line), side: "expected" })
    } else {
      lines.push({ ...(right[j++] as Line), side: "actual" })
    }
  }
  return lines
}

/** Where two items of CBOR differ first. */
export interface Place {
  /** Indices of arrays; `>` enters a byte string that holds CBOR. */
  readonly at: string
  readonly wanted: string
  readonly came: string
}

/** The first different item of two byte strings in hex; null if they are not both CBOR. */
export function firstDifference(expected: unknown, actual: unknown): Place | null {
  if (!isBytes(expected) || !isBytes(actual) || expected === actual) return null
  const [left, right] = [wholeItem(unhex(expected)), wholeItem(unhex(actual))]
  if (left === null || right === null || left.item.major < 4) return null
  return differ(left, right, "item ")
}

/** An item and the bytes that it stands in. */
interface Placed {
  readonly bytes: Uint8Array
  readonly item: Item
}

function wholeItem(bytes: Uint8Array): Placed | null {
  try {
    const item = readItem(bytes)
    return item.end === bytes.length ? { bytes, item } : null
  } catch {
    return null
  }
}

const digitsOf = ({ bytes, item }: Placed): string => hex(bytes.subarray(item.start, item.end))
const contentOf = ({ bytes, item }: Placed): Uint8Array => bytes.subarray(item.body, item.end)

function differ(left: Placed, right: Placed, at: string): Place {
  const [a, b] = [left.item, right.item]
  if (a.major === b.major && a.major >= 4 && a.items.length === b.items.length) {
    for (const [i, item] of a.items.entries()) {
      const [one, other] = [
        { ...left, item },
        { ...right, item: b.items[i] as Item },
      ]
      if (digitsOf(one) !== digitsOf(other)) return differ(one, other, `${at}[${i}]`)
    }
  }
  if (a.major === 2 && b.major === 2) {
    const [one, other] = [wholeItem(contentOf(left)), wholeItem(contentOf(right))]
    const inside = one !== null && other !== null && one.item.major >= 4
    if (inside) return differ(one, other, `${at}>`)
    const [wanted, came] = [contentOf(left), contentOf(right)]
    const same = wanted.findIndex((byte, i) => byte !== came[i])
    if (same > 0) {
      const from = (bytes: Uint8Array): string => `..${cut(hex(bytes.subarray(same)))}`
      return { at: `${at} byte ${same}`, wanted: from(wanted), came: from(came) }
    }
  }
  return { at, wanted: tell(left), came: tell(right) }
}

/** An item in a few words. */
function tell(placed: Placed): string {
  const { major, argument } = placed.item
  if (major === 0 || major === 1) return String(major === 0 ? argument : -1n - argument)
  if (major === 2) return `h'${cut(hex(contentOf(placed)))}'`
  if (major === 3) return JSON.stringify(decode(contentOf(placed)).slice(0, 64))
  if (major === 4) return `an array of ${argument}`
  const simple: Readonly<Record<string, string>> = { f4: "false", f5: "true", f6: "null" }
  return simple[digitsOf(placed)] ?? cut(digitsOf(placed))
}

const cut = (digits: string): string => (digits.length > 64 ? `${digits.slice(0, 60)}..` : digits)

/** Whether a value is hex that is worth a line of its own. */
export function isBytes(value: unknown): value is string {
  return typeof value === "string" && value.length >= 2 && /^(?:[0-9a-f]{2})+$/.test(value)
}
