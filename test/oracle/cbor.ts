// A CBOR writer of the oracle's own, and the few words it needs. It shares nothing with src.

type Item = number | string | null | Uint8Array | readonly Item[]

function head(major: number, n: number): Uint8Array {
  if (n < 24) return Uint8Array.of(major * 32 + n)
  if (n < 256) return Uint8Array.of(major * 32 + 24, n)
  if (n < 65_536) return Uint8Array.of(major * 32 + 25, n >> 8, n & 255)
  const size = n < 2 ** 32 ? 4 : 8
  const out = Buffer.alloc(1 + size)
  out[0] = major * 32 + (size === 4 ? 26 : 27)
  if (size === 4) out.writeUInt32BE(n, 1)
  else out.writeBigUInt64BE(BigInt(n), 1)
  return out
}

/** C(x). */
export function C(item: Item): Buffer {
  if (item === null) return Buffer.of(0xf6)
  if (typeof item === "number") return Buffer.from(head(0, item))
  if (typeof item === "string") {
    const text = Buffer.from(item, "utf8")
    return Buffer.concat([head(3, text.length), text])
  }
  if (item instanceof Uint8Array) return Buffer.concat([head(2, item.length), item])
  return Buffer.concat([head(4, item.length), ...item.map(C)])
}

/** Bytes of hex. */
export function x(hex: unknown): Buffer {
  return Buffer.from(String(hex), "hex")
}

/** Bytes of hex, or null. */
export function n(hex: unknown): Buffer | null {
  return hex === null || hex === undefined ? null : x(hex)
}

/** The item of a tagged value: `["uint","1"]`, `["bytes","00"]`. */
export function untag(value: unknown): Item {
  const [kind, item] = value as [string, string]
  if (kind === "uint") return Number(item)
  return kind === "bytes" ? x(item) : item
}
