// Vectors of SPEC §3 encoding: what is no CBOR item.

import { decoded, refusing } from "./encoding-decode.ts"
import type { Book } from "./kit.ts"
import { array, bstr, map, tstr, uint } from "./raw.ts"

/** Adds what fails at the scan, before any profile is looked at. */
export function malformed(book: Book): void {
  const one = decoded(book, 100, "an array of one integer", "ENCODING-1", "protocol", "8101")
  const all = decoded(
    book,
    101,
    "two integers and a text",
    "ENCODING-1",
    "protocol",
    array(uint(300), tstr("abc"), bstr("0102")),
  )
  const part = "a part is not the whole"
  const m = refusing(book, "encoding/malformed", one, "well-formedness comes first")
  m(102, "ENCODING-21", 2, "", "00", "one byte behind the item", "it would be unsigned")
  m(103, "ENCODING-21", 2, "", "8101", "a second item", "one object is one item")
  m(104, "ENCODING-11", 0, "8101", "", "empty input", "there is no item")
  const whole = all.input?.["bytes"] as string
  const cutOff = refusing(book, "encoding/malformed", all, part)
  for (let length = 1; length < whole.length / 2; length++) {
    cutOff(
      110 + length,
      length === 2 || length === 3 ? "ENCODING-12" : "ENCODING-17",
      length,
      whole.slice(2 * length),
      "",
      `cut after ${length} bytes`,
    )
  }
  const heads: readonly (readonly [number, string, string, string])[] = [
    [130, "1c", "additional information 28", "ENCODING-11"],
    [131, "1d", "additional information 29", "ENCODING-11"],
    [132, "1e", "additional information 30", "ENCODING-11"],
    [133, "1f", "indefinite integer", "ENCODING-11"],
    [134, "3f", "indefinite negative integer", "ENCODING-11"],
    [135, "df", "indefinite tag", "ENCODING-11"],
    [136, "ff", "break without a begin", "ENCODING-11"],
    [137, "5c", "reserved length of a byte string", "ENCODING-11"],
    [138, "7e", "reserved length of a text", "ENCODING-11"],
    [139, "9d", "reserved count of an array", "ENCODING-11"],
    [140, "bc", "reserved count of a map", "ENCODING-11"],
    [141, "fc", "reserved simple value", "ENCODING-11"],
    [142, "18", "integer without its byte", "ENCODING-12"],
    [143, "1901", "integer with half its bytes", "ENCODING-12"],
    [144, "1b00000000000000", "integer with seven of eight bytes", "ENCODING-12"],
    [145, "fb3ff8", "float that ends early", "ENCODING-12"],
    [146, "f800", "two-byte simple value 0", "ENCODING-12"],
    [147, "f816", "two-byte null", "ENCODING-12"],
    [148, "f81f", "two-byte simple value 31", "ENCODING-12"],
    [149, "5affffffff", "byte string of 2^32-1 absent bytes", "ENCODING-17"],
    [150, "9affffffff", "array of 2^32-1 absent items", "ENCODING-17"],
    [151, "5b7fffffffffffffff", "byte string of 2^63-1 absent bytes", "ENCODING-17"],
    [152, "9b001fffffffffffff", "array of 2^53-1 absent items", "ENCODING-17"],
    [153, "7b001fffffffffffff", "text of 2^53-1 absent bytes", "ENCODING-17"],
    [154, "4200", "byte string one byte short", "ENCODING-17"],
    [155, "8200", "array one item short", "ENCODING-17"],
    [
      156,
      "83f7f7",
      "array of three items in two bytes, another fault behind its head",
      "ENCODING-17",
    ],
    [157, "45f7f7", "byte string of five bytes in two", "ENCODING-17"],
  ]
  for (const [n, put, title, req] of heads) m(n, req, 1, "01", put, title)
  const pay = decoded(
    book,
    160,
    "two entries",
    "ENCODING-6",
    "payload",
    map([tstr("a"), uint(1)], [tstr("b"), uint(2)]),
  )
  const p = refusing(book, "encoding/malformed", pay, part)
  p(161, "ENCODING-17", 0, "a2", "a4", "map of more pairs than bytes allow")
  p(162, "ENCODING-17", 0, "a2", "baffffffff", "map of 2^32-1 absent pairs")
  p(163, "ENCODING-11", -1, "02", "", "map without its last value")
  const entries = `${tstr("a")}01${tstr("b")}02`
  p(
    165,
    "ENCODING-17",
    0,
    `a2${entries}`,
    "a3f7f7f7f7f7",
    "map of three pairs in five bytes, other faults behind its head",
  )
  p(164, "ENCODING-21", 7, "", "a0", "a second map")
}
