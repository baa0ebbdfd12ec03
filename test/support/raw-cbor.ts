// An encoder that shares nothing with src/: text of hex digits, BigInt heads, keys sorted as text.

const INITIAL = ["18", "19", "1a", "1b"]

/** Head of `major` with `argument`, in `width` bytes after the initial byte, or the shortest. */
export function rawHead(
  major: number,
  argument: number | bigint,
  width?: 0 | 1 | 2 | 4 | 8,
): string {
  const value = BigInt(argument)
  const fits = [23n, 0xffn, 0xffffn, 0xffff_ffffn, (1n << 64n) - 1n].findIndex(
    (top) => value <= top,
  )
  const step = width === undefined ? fits : [0, 1, 2, 4, 8].indexOf(width)
  const initial = step === 0 ? Number(value) : Number.parseInt(INITIAL[step - 1] as string, 16)
  const digits = step === 0 ? "" : value.toString(16).padStart(2 ** step, "0")
  return ((major << 5) | initial).toString(16).padStart(2, "0") + digits
}

/** Hex digits of bytes. */
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** The canonical encoding of a value, as hex digits. */
export function rawHex(value: unknown): string {
  if (value === null) return "f6"
  if (value === true) return "f5"
  if (value === false) return "f4"
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(value)
      return `fb${hexOf(bytes)}`
    }
    return value >= 0 ? rawHead(0, value) : rawHead(1, -1n - BigInt(value))
  }
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8")
    return rawHead(3, bytes.length) + hexOf(bytes)
  }
  if (value instanceof Uint8Array) return rawHead(2, value.length) + hexOf(value)
  if (Array.isArray(value)) return rawHead(4, value.length) + value.map(rawHex).join("")
  const entries = Object.entries(value as object).map(([key, item]) => [rawHex(key), rawHex(item)])
  entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))
  return rawHead(5, entries.length) + entries.flat().join("")
}

/** The canonical encoding of a value. */
export function rawBytes(value: unknown): Uint8Array {
  return unhex(rawHex(value))
}

/** Bytes of hex digits; spaces are ignored. */
export function unhex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"))
}
