// Vectors of SPEC §3 encoding.

import type { Case, Json } from "../driver.ts"
import { Book, context, filled, splice } from "./kit.ts"
import { array, bstr, float, head, map, NULL, nest, nint, tstr, uint, utf8 } from "./raw.ts"

const ZERO_KEY = tstr("a")

/** Writes all cases of this section. */
export function createEncodingBook(): Book {
  const book = new Book("encoding")
  acceptedProtocol(book)
  acceptedPayload(book)
  encoded(book)
  malformed(book)
  outsideProtocol(book)
  outsidePayload(book)
  limits(book)
  return book
}

function decode(profile: string, bytes: string): { profile: string; bytes: string } {
  return { profile, bytes }
}

function acceptedProtocol(book: Book): void {
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
    book.ok(n, title, req, "encoding.decode", decode("protocol", bytes))
  }
}

function acceptedPayload(book: Book): void {
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
    book.ok(n, title, req, "encoding.decode", decode("payload", bytes))
  }
}

function encoded(book: Book): void {
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

function malformed(book: Book): void {
  const one = book.ok(
    100,
    "an array of one integer",
    "ENCODING-1",
    "encoding.decode",
    decode("protocol", "8101"),
  )
  const all = book.ok(
    101,
    "two integers and a text",
    "ENCODING-1",
    "encoding.decode",
    decode("protocol", array(uint(300), tstr("abc"), bstr("0102"))),
  )
  const m = (
    n: number,
    req: string,
    twin: Case,
    at: number,
    cut: string,
    put: string,
    title: string,
    why: string,
  ) => book.reject(n, "encoding/malformed", req, twin, splice("bytes", at, cut, put), title, why)
  m(102, "ENCODING-21", one, 2, "", "00", "one byte behind the item", "it would be unsigned")
  m(103, "ENCODING-21", one, 2, "", "8101", "a second item", "one object is one item")
  m(104, "ENCODING-11", one, 0, "8101", "", "empty input", "there is no item")
  const whole = all.input?.["bytes"] as string
  for (let length = 1; length < whole.length / 2; length++) {
    m(
      110 + length,
      length === 2 || length === 3 ? "ENCODING-12" : "ENCODING-17",
      all,
      length,
      whole.slice(2 * length),
      "",
      `cut after ${length} bytes`,
      "a part is not the whole",
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
  for (const [n, put, title, req] of heads)
    m(n, req, one, 1, "01", put, title, "well-formedness comes first")
  const pay = book.ok(
    160,
    "two entries",
    "ENCODING-6",
    "encoding.decode",
    decode("payload", map([tstr("a"), uint(1)], [tstr("b"), uint(2)])),
  )
  const p = (n: number, req: string, at: number, cut: string, put: string, title: string) =>
    book.reject(
      n,
      "encoding/malformed",
      req,
      pay,
      splice("bytes", at, cut, put),
      title,
      "a part is not the whole",
    )
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

function outsideProtocol(book: Book): void {
  const one = book.ok(
    200,
    "an array of one integer",
    "ENCODING-1",
    "encoding.decode",
    decode("protocol", "8105"),
  )
  const r = (n: number, req: string, put: string, title: string, why: string) =>
    book.reject(n, "encoding/profile", req, one, splice("bytes", 1, "05", put), title, why)
  const short = "hashes need one encoding per value"
  r(201, "ENCODING-14", uint(5, 1), "integer in two bytes", short)
  r(202, "ENCODING-14", uint(5, 2), "integer in three bytes", short)
  r(203, "ENCODING-14", uint(5, 4), "integer in five bytes", short)
  r(204, "ENCODING-14", uint(5, 8), "integer in nine bytes", short)
  r(205, "ENCODING-14", uint(255, 2), "255 in three bytes", short)
  r(206, "ENCODING-14", uint(65535, 4), "65,535 in five bytes", short)
  r(207, "ENCODING-14", uint(2 ** 32 - 1, 8), "2^32-1 in nine bytes", short)
  r(208, "ENCODING-14", bstr("00", 1), "byte string length in two bytes", short)
  r(209, "ENCODING-14", bstr("00", 8), "byte string length in nine bytes", short)
  r(210, "ENCODING-14", tstr("a", 2), "text length in three bytes", short)
  r(211, "ENCODING-14", head(4, 0, 1), "array count in two bytes", short)
  r(212, "ENCODING-14", `${head(4, 1, 4)}00`, "array count in five bytes", short)
  const second = "one value has one form"
  r(213, "ENCODING-13", "9fff", "indefinite array", second)
  r(214, "ENCODING-13", "5f4100ff", "indefinite byte string", second)
  r(215, "ENCODING-13", "7f6161ff", "indefinite text", second)
  r(216, "ENCODING-13", "bfff", "indefinite map", second)
  r(217, "ENCODING-13", "c000", "tag 0", second)
  r(218, "ENCODING-13", "c11a5f5e1000", "tagged time", second)
  r(219, "ENCODING-13", "d9d9f700", "self-described CBOR", second)
  r(220, "ENCODING-13", "c24105", "big integer", second)
  r(221, "ENCODING-13", float(1767225600), "time as float64", second)
  r(222, "ENCODING-13", "f94500", "integer as float16", second)
  r(223, "ENCODING-13", "fa40a00000", "integer as float32", second)
  r(224, "ENCODING-13", "a0", "map", second)
  r(225, "ENCODING-13", map([uint(0), uint(5)]), "map for an array", second)
  r(226, "ENCODING-13", "f7", "undefined for null", second)
  r(227, "ENCODING-13", "f4", "false", second)
  r(228, "ENCODING-13", "f5", "true", second)
  r(229, "ENCODING-13", "20", "negative integer", second)
  r(230, "ENCODING-13", "e0", "simple value 0", second)
  r(231, "ENCODING-13", "f820", "simple value 32", second)
  r(232, "ENCODING-13", "f8ff", "simple value 255", second)
  const text = book.ok(
    240,
    "text of four bytes",
    "ENCODING-18",
    "encoding.decode",
    decode("protocol", array(tstr("abcd"))),
  )
  const bad: readonly (readonly [number, string, string])[] = [
    [241, "61c3a9ff", "a byte that never occurs in UTF-8"],
    [242, "61626380", "continuation without a start"],
    [243, "616263c3", "start without a continuation"],
    [244, "6162c080", "overlong NUL"],
    [245, "61c1bf62", "overlong ASCII"],
    [246, "61eda080", "surrogate"],
    [247, "f4908080", "above U+10FFFF"],
    [248, "e0808061", "overlong in three bytes"],
    [249, "f0808080", "overlong in four bytes"],
    [250, "f8888080", "five-byte form"],
  ]
  for (const [n, put, title] of bad) {
    book.reject(
      n,
      "encoding/profile",
      "ENCODING-18",
      text,
      splice("bytes", 2, utf8("abcd"), put),
      `not UTF-8: ${title}`,
      "it is no text",
    )
  }
}

function outsidePayload(book: Book): void {
  const a = tstr("a")
  const twin = book.ok(
    300,
    "a fraction and an integer",
    "ENCODING-8",
    "encoding.decode",
    decode("payload", map([a, float(0.5)], [tstr("b"), uint(1)])),
  )
  const r = (n: number, req: string, put: string, title: string, why: string) =>
    book.reject(n, "encoding/profile", req, twin, splice("bytes", 3, float(0.5), put), title, why)
  const no = "it is no number"
  r(301, "ENCODING-19", "fb7ff8000000000000", "NaN", no)
  r(302, "ENCODING-19", "fb7ff0000000000001", "NaN with another payload", no)
  r(303, "ENCODING-19", float(Number.POSITIVE_INFINITY), "infinity", no)
  r(304, "ENCODING-19", float(Number.NEGATIVE_INFINITY), "negative infinity", no)
  const other = "an integer has another encoding"
  r(305, "ENCODING-19", float(5), "integer as float64", other)
  r(306, "ENCODING-19", float(-0), "minus zero", other)
  r(307, "ENCODING-19", float(0), "zero as float64", other)
  r(308, "ENCODING-19", float(2 ** 53 - 1), "2^53-1 as float64", other)
  r(309, "ENCODING-19", float(-(2 ** 53) + 1), "-(2^53-1) as float64", other)
  const form = "one value has one form"
  r(310, "ENCODING-13", "fa3f000000", "float32", form)
  r(311, "ENCODING-13", "f93800", "float16", form)
  r(312, "ENCODING-13", "f7", "undefined", form)
  r(313, "ENCODING-13", "c1fb3fe0000000000000", "tagged float", form)
  r(314, "ENCODING-13", "bfff", "indefinite map", form)
  r(315, "ENCODING-14", "3800", "-1 in two bytes", form)
  r(316, "ENCODING-14", "b800", "map count in two bytes", form)
  r(317, "ENCODING-13", "f820", "simple value", form)
  const two = book.ok(
    330,
    "two keys in order",
    "ENCODING-20",
    "encoding.decode",
    decode("payload", map([a, uint(1)], [tstr("b"), uint(2)])),
  )
  const k = (n: number, at: number, cut: string, put: string, title: string) =>
    book.reject(
      n,
      "encoding/profile",
      "ENCODING-20",
      two,
      splice("bytes", at, cut, put),
      title,
      "keys are unique and sorted",
    )
  k(331, 1, `${a}01${tstr("b")}02`, `${tstr("b")}02${a}01`, "keys in the wrong order")
  k(332, 4, tstr("b"), a, "one key twice")
  k(333, 1, a, tstr("aa"), "longer key first")
  k(334, 1, a, uint(1), "integer key")
  k(335, 1, a, bstr("61"), "byte string key")
  k(336, 1, a, NULL, "null key")
  k(337, 4, tstr("b"), uint(7), "integer as second key")
  k(338, 1, a, "f4", "boolean key")
  const utf = book.ok(
    345,
    "keys compared as UTF-8",
    "ENCODING-20",
    "encoding.decode",
    decode("payload", map([tstr("\ufffd"), uint(1)], [tstr("\u{1f600}"), uint(2)])),
  )
  book.reject(
    346,
    "encoding/profile",
    "ENCODING-20",
    utf,
    splice(
      "bytes",
      1,
      `${tstr("\ufffd")}01${tstr("\u{1f600}")}02`,
      `${tstr("\u{1f600}")}02${tstr("\ufffd")}01`,
    ),
    "keys in UTF-16 order",
    "order is that of the bytes",
  )
  const top = book.ok(350, "a map", "ENCODING-23", "encoding.decode", decode("payload", "a0"))
  const s = (n: number, put: string, title: string) =>
    book.reject(
      n,
      "encoding/shape",
      "ENCODING-23",
      top,
      splice("bytes", 0, "a0", put),
      title,
      "a payload is a map",
    )
  s(351, "80", "an array as payload")
  s(352, "01", "an integer as payload")
  s(353, tstr("hello"), "a text as payload")
  s(354, NULL, "null as payload")
  s(355, bstr("a0"), "a byte string as payload")
}

function limits(book: Book): void {
  const deep = book.ok(
    400,
    "depth 8",
    "ENCODING-16",
    "encoding.decode",
    decode("protocol", nest(7, uint(9))),
  )
  book.reject(
    401,
    "encoding/limit",
    "ENCODING-16",
    deep,
    splice("bytes", 0, "", "81"),
    "an integer at depth 9",
    "recursion needs a bound",
  )
  const eight = book.ok(
    402,
    "depth 8, an empty array",
    "ENCODING-16",
    "encoding.decode",
    decode("protocol", nest(7, array())),
  )
  book.reject(
    403,
    "encoding/limit",
    "ENCODING-16",
    eight,
    splice("bytes", 7, "80", "8180"),
    "an empty array at depth 9",
    "recursion needs a bound",
  )
  book.reject(
    404,
    "encoding/limit",
    "ENCODING-16",
    eight,
    splice("bytes", 7, "80", `${"81".repeat(50000)}80`),
    "50,000 arrays",
    "no stack may overflow",
  )
  const bare = book.ok(
    405,
    "null at depth 8",
    "ENCODING-16",
    "encoding.decode",
    decode("protocol", nest(7, NULL)),
  )
  book.reject(
    406,
    "encoding/limit",
    "ENCODING-16",
    bare,
    splice("bytes", 0, "", "81"),
    "null at depth 9",
    "recursion needs a bound",
  )
  const whether = book.ok(
    407,
    "true at depth 32",
    "ENCODING-16",
    "encoding.decode",
    decode("payload", map([ZERO_KEY, nest(30, "f5")])),
  )
  book.reject(
    408,
    "encoding/limit",
    "ENCODING-16",
    whether,
    splice("bytes", 2 + ZERO_KEY.length / 2 - 1, "", "81"),
    "true at depth 33",
    "recursion needs a bound",
  )
  const big = book.ok(
    410,
    "2^53-1",
    "ENCODING-15",
    "encoding.decode",
    decode("protocol", array(uint(2n ** 53n - 1n))),
  )
  const i = (n: number, put: bigint, title: string) =>
    book.reject(
      n,
      "encoding/limit",
      "ENCODING-15",
      big,
      splice("bytes", 1, uint(2n ** 53n - 1n), uint(put)),
      title,
      "not every language holds it exactly",
    )
  i(411, 2n ** 53n, "2^53")
  i(412, 2n ** 53n + 1n, "2^53+1")
  i(413, 2n ** 63n, "2^63")
  i(414, 2n ** 64n - 1n, "2^64-1")
  const pay = book.ok(
    420,
    "depth 32",
    "ENCODING-16",
    "encoding.decode",
    decode("payload", map([ZERO_KEY, nest(30, uint(1))])),
  )
  book.reject(
    421,
    "encoding/limit",
    "ENCODING-16",
    pay,
    splice("bytes", 3, "", "81"),
    "depth 33",
    "recursion needs a bound",
  )
  const maps = book.ok(
    422,
    "32 maps",
    "ENCODING-16",
    "encoding.decode",
    decode("payload", `${"a16161".repeat(31)}a0`),
  )
  book.reject(
    423,
    "encoding/limit",
    "ENCODING-16",
    maps,
    splice("bytes", 0, "", "a16161"),
    "33 maps",
    "recursion needs a bound",
  )
  const negative = book.ok(
    424,
    "-(2^53-1)",
    "ENCODING-15",
    "encoding.decode",
    decode("payload", map([ZERO_KEY, nint(2n ** 53n - 2n)])),
  )
  book.reject(
    425,
    "encoding/limit",
    "ENCODING-15",
    negative,
    splice("bytes", 3, nint(2n ** 53n - 2n), nint(2n ** 53n - 1n)),
    "-(2^53)",
    "not every language holds it exactly",
  )
  book.reject(
    426,
    "encoding/limit",
    "ENCODING-15",
    negative,
    splice("bytes", 3, nint(2n ** 53n - 2n), nint(2n ** 64n - 1n)),
    "-(2^64)",
    "not every language holds it exactly",
  )
  const largest = book.ok(
    430,
    "object of 1,114,112 bytes",
    "ENCODING-10",
    "encoding.decode",
    decode("protocol", bstr(filled(0, 1114107))),
  )
  const more = `5a${(1114108).toString(16).padStart(8, "0")}`
  book.reject(
    431,
    "encoding/limit",
    "ENCODING-10",
    largest,
    { ...splice("bytes", 0, bstr(filled(0, 1114107)).slice(0, 10), `${more}00`) },
    "object of 1,114,113 bytes",
    "size is the cheapest check",
  )
  book.reject(
    432,
    "encoding/limit",
    "ENCODING-10",
    largest,
    splice("bytes", 1114112, "", "ff"),
    "too large before anything else",
    "size is checked before the scan",
  )
}
