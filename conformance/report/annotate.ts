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
  try {
    const item = readItem(bytes)
    if (item.end !== bytes.length) return null
    return [...itemLines(bytes, item, depth)]
  } catch {
    return null
  }
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

/** Whether a value is hex that is worth a line of its own. */
export function isBytes(value: unknown): value is string {
  return typeof value === "string" && value.length >= 2 && /^(?:[0-9a-f]{2})+$/.test(value)
}
