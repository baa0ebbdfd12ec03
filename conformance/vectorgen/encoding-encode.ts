// Vectors of SPEC §3 encoding: values that are encoded.

import type { Case, Json } from "../driver.ts"
import { type Book, context } from "./kit.ts"

/** Adds the cases of `encoding.encode`. */
export function encoded(book: Book): void {
  const items: readonly (readonly [number, string, string, string, Json])[] = [
    [
      71,
      "protocol integers",
      "ENCODING-1",
      "protocol",
      [
        "array",
        ["uint", "0"],
        ["uint", "24"],
        ["uint", "65536"],
        ["uint", "4294967296"],
        ["uint", "9007199254740991"],
      ],
    ],
    [72, "byte order mark stays", "ENCODING-2", "protocol", ["text", "\ufeffx"]],
    [73, "nothing is normalised", "ENCODING-2", "protocol", ["text", "e\u0301"]],
    [
      74,
      "keys are sorted by encoding",
      "ENCODING-6",
      "payload",
      ["map", ["aa", ["uint", "1"]], ["b", ["uint", "2"]], ["", ["uint", "3"]]],
    ],
    [
      75,
      "keys are sorted as UTF-8",
      "ENCODING-6",
      "payload",
      ["map", ["\u{10000}", ["uint", "1"]], ["\uff5e", ["uint", "2"]]],
    ],
    [
      76,
      "minus zero becomes zero",
      "ENCODING-7",
      "payload",
      ["map", ["a", ["float", "8000000000000000"]]],
    ],
    [
      77,
      "integer given as float becomes an integer",
      "ENCODING-7",
      "payload",
      ["map", ["a", ["float", "40c3880000000000"]]],
    ],
    [
      78,
      "2^53 stays a float",
      "ENCODING-8",
      "payload",
      ["map", ["a", ["float", "4340000000000000"]]],
    ],
    [79, "a fraction", "ENCODING-8", "payload", ["map", ["a", ["float", "3fb999999999999a"]]]],
    [
      80,
      "negative integers",
      "ENCODING-7",
      "payload",
      [
        "map",
        ["a", ["array", ["nint", "-1"], ["nint", "-4294967297"], ["nint", "-9007199254740991"]]],
      ],
    ],
    [
      81,
      "integers from 2^32 on",
      "ENCODING-7",
      "payload",
      [
        "map",
        [
          "a",
          ["array", ["uint", "4294967295"], ["uint", "4294967296"], ["uint", "9007199254740991"]],
        ],
      ],
    ],
  ]
  const cases = new Map<number, Case>()
  for (const [n, title, req, profile, value] of items) {
    cases.set(n, book.ok(n, title, req, "encoding.encode", { profile, value }))
  }
  const fraction = cases.get(79) as Case
  const bad: readonly (readonly [number, string, Json])[] = [
    [82, "NaN", ["float", "7ff8000000000000"]],
    [83, "infinity", ["float", "7ff0000000000000"]],
    [84, "negative infinity", ["float", "fff0000000000000"]],
  ]
  for (const [n, title, value] of bad) {
    const put = ["map", ["a", value]]
    book.reject(
      n,
      "agent/payload",
      "ENCODING-9",
      fraction,
      context("value", put),
      title,
      "no number travels without a value",
    )
  }
  book.reject(
    85,
    "agent/payload",
    "ENCODING-3 ENCODING-9",
    fraction,
    context("value", ["map", ["a", ["text", "\ud800"]]]),
    "lone surrogate",
    "a replacement character would be signed in its place",
  )
  const nested = (depth: number): Json =>
    depth === 0 ? ["uint", "1"] : ["array", nested(depth - 1)]
  const deep = book.ok(86, "a payload of depth 32", "ENCODING-4", "encoding.encode", {
    ...{ profile: "payload", value: ["map", ["a", nested(30)]] },
  })
  const put = ["map", ["a", nested(31)]]
  book.reject(
    87,
    "agent/payload",
    "ENCODING-4 ENCODING-9",
    deep,
    context("value", put),
    "a payload of depth 33",
    "recursion needs a bound",
  )
}
