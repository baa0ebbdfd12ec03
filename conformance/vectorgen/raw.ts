// A raw CBOR writer: it writes whatever it is told, also what SPEC §3 forbids. All in hex.

function number(value: bigint | number, bytes: number): string {
  return BigInt(value)
    .toString(16)
    .padStart(2 * bytes, "0")
}

/** A head with an argument in `size` bytes: 0 (in the initial byte), 1, 2, 4, 8; shortest if absent. */
export function head(major: number, argument: bigint | number, size?: 0 | 1 | 2 | 4 | 8): string {
  const value = BigInt(argument)
  const least =
    value < 24n ? 0 : value < 0x100n ? 1 : value < 0x1_0000n ? 2 : value < 1n << 32n ? 4 : 8
  const bytes = size ?? least
  if (bytes === 0) return number(major * 32 + Number(value), 1)
  return number(major * 32 + 24 + Math.log2(bytes), 1) + number(value, bytes)
}

/** An unsigned integer. */
export function uint(value: bigint | number, size?: 1 | 2 | 4 | 8): string {
  return head(0, value, size)
}

/** The negative integer -1 - value. */
export function nint(value: bigint | number): string {
  return head(1, value)
}

/** A byte string that holds `data` (hex). */
export function bstr(data: string, size?: 1 | 2 | 4 | 8): string {
  return head(2, data.length / 2, size) + data
}

/** Hex of the UTF-8 form of a text. */
export function utf8(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => number(byte, 1)).join("")
}

/** A text string. */
export function tstr(text: string, size?: 1 | 2 | 4 | 8): string {
  const data = utf8(text)
  return head(3, data.length / 2, size) + data
}

/** An array of encoded items. */
export function array(...items: readonly string[]): string {
  return head(4, items.length) + items.join("")
}

/** A map of encoded keys and values, in the order given. */
export function map(...entries: readonly (readonly [string, string])[]): string {
  return head(5, entries.length) + entries.map(([key, value]) => key + value).join("")
}

/** A float64. */
export function float(value: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return `fb${number(view.getBigUint64(0), 8)}`
}

/** null. */
export const NULL = "f6"

/** `depth` arrays of one item inside each other around `item`. */
export function nest(depth: number, item: string): string {
  return "81".repeat(depth) + item
}
