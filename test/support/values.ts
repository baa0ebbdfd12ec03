// Values for codec properties: structures whose sizes sit at the limits of CBOR heads.

import fc from "fast-check"

const LENGTHS = [0, 1, 15, 16, 22, 23, 24, 25, 31, 32, 63, 64, 65, 139, 140, 254, 255, 256, 257]
const LONG = [4095, 4096, 65_534, 65_535, 65_536, 65_537]
const WIDTHS = [22, 23, 24, 25, 255, 256]
const UNITS = ["a", "\0", "é", "€", "\u{1f600}", "\ufeff", "\ud7ff", "\uffff"]
const EDGES = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1]
const FLOATS = [0.1, -0.5, 1.5, 2 ** 53, -(2 ** 53), 2 ** 64, 1e300, 5e-324, -1.1, 2 ** 31 + 0.5]

/** `size` UTF-8 bytes: `lead` if it fits, `unit` as often as it fits, then letters. */
export function textOf(size: number, unit: string, lead: string = ""): string {
  const first = Buffer.byteLength(lead) <= size ? lead : ""
  const rest = size - Buffer.byteLength(first)
  const count = Math.floor(rest / Buffer.byteLength(unit))
  return first + unit.repeat(count) + "z".repeat(rest - count * Buffer.byteLength(unit))
}

const short = fc.oneof(fc.constantFrom(0, 1, 2, 3, 22, 23, 24, 25, 32), fc.nat(12))
const edge = fc.oneof(fc.constantFrom(...LENGTHS), fc.nat(300))

/** A text whose length in bytes is drawn from `size`. */
function textWith(size: fc.Arbitrary<number>): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...UNITS)
  const lead = fc.constantFrom("", ...UNITS)
  return fc.record({ size, unit, lead }).map((text) => textOf(text.size, text.unit, text.lead))
}

function bytesWith(size: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> {
  return fc
    .record({ size, fill: fc.nat(255) })
    .map(({ size, fill }) => new Uint8Array(size).fill(fill))
}

const uint = fc.oneof(
  fc.constantFrom(...EDGES, 2 ** 52, 2 ** 53 - 2, 2 ** 53 - 1),
  fc.nat(1000),
  fc.maxSafeNat(),
)

const key = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "0", "10", "9", "", "type"),
  textWith(short),
  textWith(edge),
)

const scalar = {
  protocol: fc.oneof(uint, fc.constant(null)),
  payload: fc.oneof(
    uint,
    uint.map((n) => (n === 0 ? 0 : -n)),
    fc.oneof(fc.constantFrom(...FLOATS), fc.double({ noNaN: true, noDefaultInfinity: true })),
    fc.constantFrom(null, true, false),
  ),
}

/** Own properties all, also `__proto__`. */
const toMap = (entries: readonly (readonly [string, unknown])[]): object =>
  Object.fromEntries(entries)

const smallMap = (item: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  fc.array(fc.tuple(key, item), { maxLength: 4 }).map(toMap)

type Kind = "protocol" | "payload"

/** An array or, in payloads, also a map of a few items. */
function small(kind: Kind, item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const array = fc.array(item, { maxLength: 4 })
  return kind === "protocol" ? array : fc.oneof(array, smallMap(item))
}

/** An array or a map whose count sits at a limit. */
function wide(kind: Kind, item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const array = fc
    .record({ size: fc.constantFrom(...WIDTHS), item })
    .map(({ size, item }) => new Array<unknown>(size).fill(item))
  if (kind === "protocol") return array
  return fc.oneof(
    array,
    array.map((items) => toMap(items.map((value, i) => [`key ${i}`, value]))),
  )
}

function nested(kind: Kind, levels: number, sizes: fc.Arbitrary<number>): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(scalar[kind], textWith(sizes), bytesWith(sizes))
  let item = fc.oneof({ weight: 4, arbitrary: leaf }, { weight: 1, arbitrary: small(kind, leaf) })
  for (let i = 2; i < levels; i++) {
    const inner = item
    item = fc.oneof(
      { weight: 2, arbitrary: inner },
      { weight: 2, arbitrary: small(kind, inner) },
      { weight: 1, arbitrary: wide(kind, scalar[kind]) },
    )
  }
  return item
}

const long = fc.constantFrom(...LONG)

/** What `encode` accepts, within depth 8. */
export const protocolValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: nested("protocol", 7, edge) },
  { weight: 1, arbitrary: fc.array(fc.oneof(textWith(long), bytesWith(long)), { maxLength: 3 }) },
)

/** The same, at most a few thousand bytes. */
export const smallProtocolValue: fc.Arbitrary<unknown> = small(
  "protocol",
  nested("protocol", 3, short),
)

/** A payload within depth 32. */
export const payload: fc.Arbitrary<object> = fc.oneof(
  { weight: 6, arbitrary: smallMap(nested("payload", 5, edge)) },
  { weight: 1, arbitrary: smallMap(fc.oneof(textWith(long), bytesWith(long))) },
)

/** The same, at most a few thousand bytes. */
export const smallPayload: fc.Arbitrary<object> = smallMap(nested("payload", 3, short))
