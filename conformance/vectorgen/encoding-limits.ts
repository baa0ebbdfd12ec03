// Vectors of SPEC §3 encoding: depth, integers and size.

import { decoded, type Profile, refusing } from "./encoding-decode.ts"
import { type Book, filled } from "./kit.ts"
import { array, bstr, map, NULL, nest, nint, tstr, uint } from "./raw.ts"

/** Adds what is just within a limit, and what is beyond it. */
export function limitCases(book: Book): void {
  depths(book)
  numbers(book)
  const largest = decoded(
    book,
    430,
    "object of 1,114,112 bytes",
    "ENCODING-10",
    "protocol",
    bstr(filled(0, 1_114_107)),
  )
  const size = refusing(book, "encoding/limit", largest, "size is the cheapest check")
  const start = bstr(filled(0, 1_114_107)).slice(0, 10)
  const more = bstr(filled(0, 1_114_108)).slice(0, 10)
  size(431, "ENCODING-10", 0, start, `${more}00`, "object of 1,114,113 bytes")
  const first = "size is checked before the scan"
  size(432, "ENCODING-10", 1_114_112, "", "ff", "too large before anything else", first)
}

type Deeper = readonly [
  n: number,
  at: number,
  cut: string,
  put: string,
  title: string,
  why?: string,
]

function depths(book: Book): void {
  const [one, key] = ["81", tstr("a")]
  const below = 2 + key.length / 2 - 1
  const deepest: readonly (readonly [number, string, Profile, string, ...Deeper[]])[] = [
    [400, "depth 8", "protocol", nest(7, uint(9)), [401, 0, "", one, "an integer at depth 9"]],
    [
      402,
      "depth 8, an empty array",
      "protocol",
      nest(7, array()),
      [403, 7, "80", "8180", "an empty array at depth 9"],
      [404, 7, "80", nest(50_000, "80"), "50,000 arrays", "no stack may overflow"],
    ],
    [405, "null at depth 8", "protocol", nest(7, NULL), [406, 0, "", one, "null at depth 9"]],
    [
      407,
      "true at depth 32",
      "payload",
      map([key, nest(30, "f5")]),
      [408, below, "", one, "true at depth 33"],
    ],
    [420, "depth 32", "payload", map([key, nest(30, uint(1))]), [421, below, "", one, "depth 33"]],
    [422, "32 maps", "payload", `${"a16161".repeat(31)}a0`, [423, 0, "", "a16161", "33 maps"]],
  ]
  for (const [n, title, profile, bytes, ...deeper] of deepest) {
    const twin = decoded(book, n, title, "ENCODING-16", profile, bytes)
    const refuse = refusing(book, "encoding/limit", twin, "recursion needs a bound")
    for (const [m, ...rest] of deeper) refuse(m, "ENCODING-16", ...rest)
  }
}

function numbers(book: Book): void {
  const exact = "not every language holds it exactly"
  const largest = uint(2n ** 53n - 1n)
  const positive = decoded(book, 410, "2^53-1", "ENCODING-15", "protocol", array(largest))
  const above = refusing(book, "encoding/limit", positive, exact)
  const larger: readonly (readonly [number, bigint, string])[] = [
    [411, 2n ** 53n, "2^53"],
    [412, 2n ** 53n + 1n, "2^53+1"],
    [413, 2n ** 63n, "2^63"],
    [414, 2n ** 64n - 1n, "2^64-1"],
  ]
  for (const [n, put, title] of larger) above(n, "ENCODING-15", 1, largest, uint(put), title)

  const least = nint(2n ** 53n - 2n)
  const bytes = map([tstr("a"), least])
  const negative = decoded(book, 424, "-(2^53-1)", "ENCODING-15", "payload", bytes)
  const below = refusing(book, "encoding/limit", negative, exact)
  below(425, "ENCODING-15", 3, least, nint(2n ** 53n - 1n), "-(2^53)")
  below(426, "ENCODING-15", 3, least, nint(2n ** 64n - 1n), "-(2^64)")
}
