// Vectors of SPEC §3 encoding: what is accepted.

import { decoded } from "./encoding-decode.ts"
import { type Book, filled } from "./kit.ts"
import { array, bstr, float, map, NULL, nest, nint, tstr, uint } from "./raw.ts"

const ZERO_KEY = tstr("a")

/** Adds items of the protocol profile. */
export function acceptedProtocol(book: Book): void {
  const items: readonly (readonly [number, string, string, string])[] = [
    [
      1,
      "an array of every type",
      "ENCODING-1",
      array(uint(1), uint(500), bstr("c0ffee"), tstr("agent"), NULL, array()),
    ],
    [2, "zero", "ENCODING-1", uint(0)],
    [3, "largest integer in the initial byte", "ENCODING-14", uint(23)],
    [4, "smallest integer in two bytes", "ENCODING-14", uint(24)],
    [5, "largest integer in two bytes", "ENCODING-14", uint(255)],
    [6, "smallest integer in three bytes", "ENCODING-14", uint(256)],
    [7, "largest integer in three bytes", "ENCODING-14", uint(65535)],
    [8, "smallest integer in five bytes", "ENCODING-14", uint(65536)],
    [9, "largest integer in five bytes", "ENCODING-14", uint(0xffffffff)],
    [10, "smallest integer in nine bytes", "ENCODING-14", uint(2n ** 32n)],
    [11, "largest integer", "ENCODING-15", uint(2n ** 53n - 1n)],
    [12, "empty byte string", "ENCODING-1", bstr("")],
    [13, "byte string of 23 bytes", "ENCODING-14", bstr(filled(7, 23))],
    [14, "byte string of 24 bytes", "ENCODING-14", bstr(filled(7, 24))],
    [15, "byte string of 255 bytes", "ENCODING-14", bstr(filled(7, 255))],
    [16, "byte string of 256 bytes", "ENCODING-14", bstr(filled(7, 256))],
    [17, "byte string of 65,536 bytes", "ENCODING-14", bstr(filled(7, 65536))],
    [18, "empty text", "ENCODING-1", tstr("")],
    [19, "text in two, three and four byte forms", "ENCODING-18", tstr("zß水𝄞")],
    [20, "text with a byte order mark", "ENCODING-2", tstr("\ufeffa")],
    [21, "text that is not normalised", "ENCODING-2", array(tstr("e\u0301"), tstr("\u00e9"))],
    [22, "text with NUL and line feed", "ENCODING-18", tstr("a\u0000b\n")],
    [23, "last code point", "ENCODING-18", tstr("\u{10ffff}")],
    [24, "text of 24 bytes", "ENCODING-14", tstr("x".repeat(24))],
    [25, "null", "ENCODING-1", NULL],
    [26, "empty array", "ENCODING-1", array()],
    [
      27,
      "array of 24 items",
      "ENCODING-14",
      array(...Array.from({ length: 24 }, (_, i) => uint(i))),
    ],
    [28, "array of 256 items", "ENCODING-14", array(...Array.from({ length: 256 }, () => NULL))],
    [29, "depth 8", "ENCODING-16", nest(7, uint(1))],
    [30, "depth 8, an empty array", "ENCODING-16", nest(7, array())],
    [31, "nested byte string that holds no CBOR", "ENCODING-24", array(bstr("ff"))],
    [32, "byte string that holds nine arrays", "ENCODING-24", array(bstr(nest(8, uint(1))))],
    [33, "long text with a byte order mark", "ENCODING-2", tstr(`\ufeff${"long ".repeat(40)}`)],
  ]
  for (const [n, title, req, bytes] of items) {
    decoded(book, n, title, req, "protocol", bytes)
  }
}

/** Adds payloads. */
export function acceptedPayload(book: Book): void {
  const items: readonly (readonly [number, string, string, string])[] = [
    [41, "empty map", "ENCODING-6", map()],
    [
      42,
      "a message",
      "ENCODING-6",
      map([tstr("text"), tstr("hello")], [tstr("type"), tstr("message")]),
    ],
    [
      43,
      "keys sorted by encoding: shorter first",
      "ENCODING-20",
      map([tstr("b"), uint(1)], [tstr("aa"), uint(2)]),
    ],
    [44, "one empty key", "ENCODING-6", map([tstr(""), NULL])],
    [45, "booleans", "ENCODING-13", map([tstr("f"), "f4"], [tstr("t"), "f5"])],
    [46, "minus one", "ENCODING-13", map([ZERO_KEY, nint(0)])],
    [47, "most negative integer", "ENCODING-15", map([ZERO_KEY, nint(2n ** 53n - 2n)])],
    [48, "a fraction", "ENCODING-8", map([ZERO_KEY, float(1.5)])],
    [49, "smallest float", "ENCODING-8", map([ZERO_KEY, float(Number.MIN_VALUE)])],
    [50, "an integer above 2^53-1, as float", "ENCODING-19", map([ZERO_KEY, float(2 ** 53)])],
    [51, "largest float", "ENCODING-8", map([ZERO_KEY, float(Number.MAX_VALUE)])],
    [52, "negative float", "ENCODING-8", map([ZERO_KEY, float(-0.1)])],
    [
      53,
      "map in array in map",
      "ENCODING-13",
      map([ZERO_KEY, array(map([ZERO_KEY, uint(1)]), bstr("00"))]),
    ],
    [54, "depth 32", "ENCODING-16", map([ZERO_KEY, nest(30, uint(1))])],
    [55, "key that the language might inherit", "ENCODING-25", map([tstr("__proto__"), uint(1)])],
    [
      56,
      "keys that differ in the last byte",
      "ENCODING-20",
      map([tstr("ka"), uint(1)], [tstr("kb"), uint(2)]),
    ],
    [
      57,
      "keys compared as bytes, not as UTF-16",
      "ENCODING-20",
      map([tstr("\uff5e"), uint(1)], [tstr("\u{10000}"), uint(2)]),
    ],
    [
      58,
      "24 entries",
      "ENCODING-14",
      map(
        ...Array.from(
          { length: 24 },
          (_, i) => [tstr(String.fromCharCode(97 + i)), uint(i)] as const,
        ),
      ),
    ],
    [
      59,
      "the numbers around 2^32",
      "ENCODING-14",
      map([ZERO_KEY, array(uint(2 ** 32 - 1), uint(2 ** 32), nint(2n ** 32n))]),
    ],
  ]
  for (const [n, title, req, bytes] of items) {
    decoded(book, n, title, req, "payload", bytes)
  }
}
