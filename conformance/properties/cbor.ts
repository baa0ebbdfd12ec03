// Values of both profiles as generated trees, and a writer that can go wrong at any node.

import fc from "fast-check"
import type { Json } from "../driver.ts"
import { head, utf8 } from "../vectorgen/raw.ts"
import { bytes, lengths, uint53 } from "./gen.ts"

/** A tagged value of `vectors/README.md`. */
export type Tagged = readonly [string, ...Json[]]

/** A node as the writer meets it, before its content. */
export interface Node {
  readonly index: number
  readonly major: number
  readonly argument: bigint
  /** Writes what follows the head. */
  readonly rest: () => string
}

/** Writes `null` to leave a node as it is. */
export type Alter = (node: Node) => string | null

/** Hex of the encoding of SPEC §3.3, written by hand; `alter` may replace nodes, in scan order. */
export function write(value: Tagged, alter: Alter = () => null): string {
  let index = 0
  const node = (major: number, argument: bigint, rest: () => string, whole?: string): string => {
    const here = index++
    const altered = alter({ index: here, major, argument, rest })
    return altered ?? whole ?? head(major, argument) + rest()
  }
  const item = ([kind, first, ...more]: Tagged): string => {
    if (kind === "uint") return node(0, BigInt(first as string), () => "")
    if (kind === "nint") return node(1, -1n - BigInt(first as string), () => "")
    if (kind === "bytes")
      return node(2, BigInt((first as string).length / 2), () => first as string)
    if (kind === "text") {
      const data = utf8(first as string)
      return node(3, BigInt(data.length / 2), () => data)
    }
    if (kind === "bool") return node(7, 0n, () => "", first === true ? "f5" : "f4")
    if (kind === "float") return node(7, 0n, () => "", `fb${first}`)
    if (kind === "null") return node(7, 0n, () => "", "f6")
    const parts = first === undefined ? [] : [first, ...more]
    if (kind === "array") {
      return node(4, BigInt(parts.length), () => parts.map((part) => item(part as never)).join(""))
    }
    const pairs = (parts as unknown as [string, Tagged][]).map(([key, held]) => ({
      ...{ key, held, sort: write(["text", key]) },
    }))
    pairs.sort((a, b) => (a.sort < b.sort ? -1 : 1))
    return node(5, BigInt(pairs.length), () =>
      pairs.map(({ key, held }) => item(["text", key]) + item(held)).join(""),
    )
  }
  return item(value)
}

/** Number of nodes of a value, keys included. */
export function countNodes(value: Tagged): number {
  let count = 0
  write(value, () => {
    count++
    return null
  })
  return count
}

const UNITS = ["a", "e\u0301", "\u00e9", "\ufeff", "\u{1f600}", "\u0000", "\uffff", "\u2028"]

const text: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...UNITS), lengths(300), fc.constantFrom("", ...UNITS))
  .map(([unit, times, last]) => unit.repeat(times) + last)

const leaf: fc.Arbitrary<Tagged> = fc.oneof(
  uint53.map((n): Tagged => ["uint", String(n)]),
  bytes(
    fc.oneof({ arbitrary: lengths(300), weight: 12 }, { arbitrary: lengths(66_000), weight: 1 }),
  ).map((data): Tagged => ["bytes", data]),
  text.map((s): Tagged => ["text", s]),
  fc.constant<Tagged>(["null"]),
)

function float(value: number): Tagged {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return ["float", view.getBigUint64(0).toString(16).padStart(16, "0")]
}

const payloadLeaf: fc.Arbitrary<Tagged> = fc.oneof(
  leaf,
  uint53.map((n): Tagged => ["nint", String(-1 - Math.min(n, 2 ** 53 - 2))]),
  fc.boolean().map((b): Tagged => ["bool", b]),
  fc.constantFrom(0.5, -0.5, 1.1, 1e300, 5e-324, 2 ** 53, -(2 ** 60)).map(float),
)

/** Arrays: a few items, or one item many times. */
function arrays(item: fc.Arbitrary<Tagged>): fc.Arbitrary<Tagged> {
  const few = fc.array(item, { maxLength: 4 }).map((list): Tagged => ["array", ...(list as Json[])])
  const many = fc
    .tuple(fc.constantFrom(23, 24, 25, 255, 256), uint53)
    .map(([n, v]): Tagged => ["array", ...Array.from({ length: n }, (): Json => ["uint", `${v}`])])
  return fc.oneof({ arbitrary: few, weight: 5 }, { arbitrary: many, weight: 1 })
}

const KEYS = ["", "a", "b", "ab", "z", "__proto__", "constructor", "toString", "\u00e9", "0", "10"]

const key: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...KEYS),
  fc.tuple(fc.constantFrom("k", "\u{1f600}"), lengths(300)).map(([unit, n]) => unit.repeat(n)),
)

function maps(item: fc.Arbitrary<Tagged>, maxLength: number): fc.Arbitrary<Tagged> {
  const pairs = fc.uniqueArray(fc.tuple(key, item), { maxLength, selector: ([k]) => k })
  return pairs.map((list): Tagged => ["map", ...(list as unknown as Json[])])
}

/** Values of the protocol profile, at most `depth` deep. */
export function protocolValue(depth: number): fc.Arbitrary<Tagged> {
  return depth <= 1 ? leaf : fc.oneof(leaf, arrays(protocolValue(depth - 1)))
}

function payloadItem(depth: number): fc.Arbitrary<Tagged> {
  if (depth <= 1) return payloadLeaf
  const inner = payloadItem(depth - 1)
  return fc.oneof(payloadLeaf, arrays(inner), maps(inner, 4))
}

/** Payloads, at most `depth` deep. */
export function payload(depth: number): fc.Arbitrary<Tagged> {
  return maps(payloadItem(depth - 1), 6)
}
