// Vectors of SPEC §3 encoding: CBOR outside the two profiles.

import { decoded, refusing } from "./encoding-decode.ts"
import { type Book, splice } from "./kit.ts"
import { array, bstr, float, head, map, NULL, tstr, uint, utf8 } from "./raw.ts"

/** Adds what the protocol profile forbids. */
export function outsideProtocol(book: Book): void {
  const one = decoded(book, 200, "an array of one integer", "ENCODING-1", "protocol", "8105")
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
  const text = decoded(
    book,
    240,
    "text of four bytes",
    "ENCODING-18",
    "protocol",
    array(tstr("abcd")),
  )
  const refuse = refusing(book, "encoding/profile", text, "it is no text")
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
    refuse(n, "ENCODING-18", 2, utf8("abcd"), put, `not UTF-8: ${title}`)
  }
}

/** Adds what payloads may not hold. */
export function outsidePayload(book: Book): void {
  const a = tstr("a")
  const twin = decoded(
    book,
    300,
    "a fraction and an integer",
    "ENCODING-8",
    "payload",
    map([a, float(0.5)], [tstr("b"), uint(1)]),
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
  const two = decoded(
    book,
    330,
    "two keys in order",
    "ENCODING-20",
    "payload",
    map([a, uint(1)], [tstr("b"), uint(2)]),
  )
  const refuse = refusing(book, "encoding/profile", two, "keys are unique and sorted")
  const k = (n: number, at: number, cut: string, put: string, title: string) =>
    refuse(n, "ENCODING-20", at, cut, put, title)
  k(331, 1, `${a}01${tstr("b")}02`, `${tstr("b")}02${a}01`, "keys in the wrong order")
  k(332, 4, tstr("b"), a, "one key twice")
  k(333, 1, a, tstr("aa"), "longer key first")
  k(334, 1, a, uint(1), "integer key")
  k(335, 1, a, bstr("61"), "byte string key")
  k(336, 1, a, NULL, "null key")
  k(337, 4, tstr("b"), uint(7), "integer as second key")
  k(338, 1, a, "f4", "boolean key")
  const utf = decoded(
    book,
    345,
    "keys compared as UTF-8",
    "ENCODING-20",
    "payload",
    map([tstr("\ufffd"), uint(1)], [tstr("\u{1f600}"), uint(2)]),
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
  const top = decoded(book, 350, "a map", "ENCODING-23", "payload", "a0")
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
