// Vectors of SPEC §9 envelope: what is refused before any key is used.

import { itemAt } from "../cbor.ts"
import { type Base, type Bases, changed } from "./envelope-base.ts"
import { type Book, type Change, filled, splice } from "./kit.ts"
import { array, bstr, map, NULL, nest, tstr, uint } from "./raw.ts"
import { refusing } from "./refusing.ts"

/** Adds what is refused around header and ciphertext. */
export function outer(book: Book, one: Base): void {
  const whole = one.envelope
  const end = whole.slice(-2)
  const r = (
    req: string,
    code: string,
    why: string,
  ): ((n: number, c: Change, t: string) => void) => {
    const refuse = refusing(book, code, req, why)
    return (n, change, title) => refuse(n, one, change, title)
  }
  const form = r("ENVELOPE-8", "encoding/shape", "an envelope is two byte strings")
  form(100, changed(one, [0], tstr("header")), "header as text")
  form(101, changed(one, [1], NULL), "ct null")
  form(102, splice("envelope", 0, "82", "83f6"), "three items")
  form(103, splice("envelope", 0, whole, array(bstr("00"))), "one item")
  form(104, splice("envelope", 0, whole, "00"), "an integer")

  const more = r("ENVELOPE-8 ENCODING-21", "encoding/malformed", "it would be unsigned")
  more(105, splice("envelope", -1, end, `${end}00`), "a byte behind the envelope")
  const less = r("ENVELOPE-8 ENCODING-17", "encoding/malformed", "a part is not the whole")
  less(106, splice("envelope", -1, end, ""), "last byte missing")
  const none = r("ENVELOPE-8 ENCODING-11", "encoding/malformed", "there is no item")
  none(107, splice("envelope", 0, whole, ""), "no bytes")
  const open = r("ENVELOPE-8 ENCODING-13", "encoding/profile", "one value has one form")
  open(108, splice("envelope", 0, whole, `9f${whole.slice(2)}ff`), "indefinite array")
  const long = r("ENVELOPE-8 ENCODING-14", "encoding/profile", "one value has one form")
  long(109, splice("envelope", 0, "82", "9802"), "count in two bytes")

  const header = itemAt(whole, [0])
  const large = `82${header}${bstr(filled(0, 1_114_112))}`
  const cheap = r("ENVELOPE-8 ENCODING-10", "encoding/limit", "size is the cheapest check")
  cheap(110, splice("envelope", 0, whole, large), "more than 1,114,112 bytes")
  const size = r("ENVELOPE-9", "encoding/limit", "no sender makes one")
  size(111, changed(one, [0], bstr(filled(0, 8193))), "header of 8,193 bytes")
  size(112, changed(one, [1], bstr(filled(0, 271))), "ct of 271 bytes")
  size(113, changed(one, [1], bstr("")), "empty ct")
  size(114, changed(one, [1], bstr(filled(0, 1_081_361))), "ct of 1,081,361 bytes")
  const passes = "the size passes, the tag does not"
  const tag = r("ENVELOPE-9 ENVELOPE-13", "envelope/open", passes)
  tag(115, changed(one, [1], bstr(filled(0, 272))), "ct of 272 zeros")
  tag(116, changed(one, [1], bstr(filled(0, 1_081_360))), "ct of 1,081,360 zeros")
  const scan = r("ENVELOPE-10", "encoding/malformed", "the size passes, the scan does not")
  scan(117, changed(one, [0], bstr(filled(0, 8192))), "header of 8,192 zeros")
}

/** Adds headers that are refused: for the scan, for their version, for their shape. */
export function headers(book: Book, bases: Bases): void {
  const { one } = bases
  const r = (
    n: number,
    code: string,
    req: string,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
  ) => book.reject(n, code, req, one.item, changed(one, path, put), title, why)
  const begin = "the version says how to read the rest"
  r(120, "encoding/shape", "ENVELOPE-10", [0], bstr(uint(1)), "header is an integer", begin)
  r(121, "encoding/shape", "ENVELOPE-10", [0], bstr(array()), "header is an empty array", begin)
  r(122, "encoding/shape", "ENVELOPE-10", [0, 0], tstr("1"), "version as text", begin)
  r(123, "encoding/shape", "ENVELOPE-10", [0, 0], NULL, "version null", begin)
  r(124, "encoding/malformed", "ENVELOPE-10 ENCODING-11", [0], bstr(""), "empty header", begin)
  const later: readonly (readonly [number, readonly number[], string, string])[] = [
    [125, [0, 0], uint(2), "version 2"],
    [126, [0, 0], uint(0), "version 0"],
    [127, [0, 0], uint(2n ** 53n - 1n), "version 2^53-1"],
    [128, [0], bstr(array(uint(2))), "version 2 and nothing else"],
    [129, [0], bstr(array(uint(2), tstr("other"), array(NULL))), "version 2 of another shape"],
  ]
  const any = "later versions may have any other shape"
  for (const [n, path, put, title] of later)
    r(n, "envelope/version", "ENVELOPE-11", path, put, title, any)
  for (const [i, version] of [257, 2 ** 32 + 1].entries())
    r(161 + i, "envelope/version", "ENVELOPE-11", [0, 0], uint(version), `version ${version}`, any)
  headerShapes(book, bases)
  const scan = "hashes need one encoding per value"
  r(155, "encoding/profile", "ENVELOPE-10 ENCODING-14", [0, 4], uint(0, 1), "n in two bytes", scan)
  r(156, "encoding/profile", "ENVELOPE-10 ENCODING-13", [0, 2], map(), "block as map", scan)
  r(157, "encoding/limit", "ENVELOPE-10 ENCODING-15", [0, 4], uint(2n ** 53n), "n = 2^53", scan)
  const [deep, bound] = ["ENVELOPE-10 ENCODING-16", "recursion needs a bound"]
  r(158, "encoding/limit", deep, [0, 6], nest(8, NULL), "init at depth 9", bound)
  const first = "the scan comes before the version"
  const behind = bstr(`${array(uint(2))}00`)
  const behindReq = "ENVELOPE-10 ENCODING-21"
  r(159, "encoding/malformed", behindReq, [0], behind, "version 2 with a byte behind it", first)
  const other = bstr(array(uint(2), "a0"))
  r(160, "encoding/profile", "ENVELOPE-10 ENCODING-13", [0], other, "version 2 with a map", first)
}

function headerShapes(book: Book, { one, two }: Bases): void {
  const refuse = refusing(book, "encoding/shape", "ENVELOPE-12", "a header has one form")
  const shape = (n: number, path: readonly number[], put: string, title: string, base = one) =>
    refuse(n, base, changed(base, path, put), title)
  shape(130, [0], bstr(array(uint(1))), "version 1 and nothing else")
  shape(131, [0, 1], bstr(filled(0, 15)), "sid of 15 bytes")
  shape(132, [0, 1], bstr(filled(0, 17)), "sid of 17 bytes")
  shape(133, [0, 1], NULL, "sid null")
  shape(134, [0, 2], NULL, "block null")
  shape(135, [0, 2], array(bstr(filled(9, 32))), "block of one item")
  shape(136, [0, 2, 0], bstr(filled(9, 31)), "x of 31 bytes")
  shape(137, [0, 2, 0], bstr(filled(9, 33)), "x of 33 bytes")
  shape(138, [0, 2, 1], bstr(filled(9, 1183)), "ek of 1,183 bytes", two)
  shape(139, [0, 2, 1], bstr(filled(9, 1185)), "ek of 1,185 bytes", two)
  shape(140, [0, 2, 2], bstr(filled(9, 1087)), "kem-ct of 1,087 bytes", two)
  shape(141, [0, 2, 2], bstr(filled(9, 1089)), "kem-ct of 1,089 bytes", two)
  shape(142, [0, 3], bstr("00"), "pn as byte string")
  shape(143, [0, 4], NULL, "n null")
  shape(144, [0, 5], bstr(filled(0, 15)), "guard of 15 bytes")
  shape(145, [0, 5], bstr(filled(0, 17)), "guard of 17 bytes")
  shape(146, [0, 6], array(), "init is an empty array")
  shape(147, [0, 6, 0], tstr("1"), "suite as text")
  shape(148, [0, 6, 1], bstr(filled(0, 31)), "bundle-ref of 31 bytes")
  shape(149, [0, 6, 2], bstr(""), "empty otk-ref")
  shape(150, [0, 6, 3], bstr("61"), "name-a as byte string")
  shape(151, [0, 6, 4], bstr(filled(0, 33)), "ik-a of 33 bytes")
  shape(152, [0, 6, 5], NULL, "dk-a null")
  shape(153, [0, 6, 6], bstr(""), "empty e")
  shape(154, [0, 6, 7], bstr(filled(0, 1087)), "kem-ct of the init of 1,087 bytes", two)
}
