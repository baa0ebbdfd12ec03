// Vectors of SPEC §6 bundle: the shape.

import type { Case } from "../driver.ts"
import { type Book, type Change, filled, replaced, resigned, splice } from "./kit.ts"
import type { Person } from "./people.ts"
import { array, bstr, NULL, tstr, uint, utf8 } from "./raw.ts"

/** Adds bodies and bundles of another shape. */
export function shapes(book: Book, bob: Person, one: Case, two: Case): void {
  const secret = bob.own.ikSecret
  const s = (n: number, path: readonly number[], put: string, title: string, twin: Case = one) =>
    book.reject(
      n,
      "encoding/shape",
      "BUNDLE-10 ENCODING-22",
      twin,
      resigned(twin, "bytes", path, put, secret),
      title,
      "only the whole shape has a meaning",
    )
  s(40, [0], tstr("AgentMesh/1 one-time"), "label of a one-time key")
  s(41, [0], tstr("AgentMesh/2 bundle"), "label of another version")
  s(42, [0], bstr(utf8("AgentMesh/1 bundle")), "label as byte string")
  s(43, [1], bstr(utf8("bob")), "name as byte string")
  s(44, [2], bstr(filled(1, 31)), "ik of 31 bytes")
  s(45, [2], bstr(filled(1, 33)), "ik of 33 bytes")
  s(46, [3], bstr(filled(1, 31)), "dk of 31 bytes")
  s(47, [3], NULL, "dk null")
  s(48, [4], tstr("1"), "seq as text")
  s(49, [4], NULL, "seq null")
  s(50, [5], bstr("00"), "not-before as byte string")
  s(51, [6], NULL, "not-after null")
  s(52, [7], NULL, "flags null")
  s(53, [8], NULL, "prekeys null")
  s(54, [8, 0], uint(1), "prekey is no array")
  s(55, [8, 0], array(), "prekey without a suite")
  s(56, [8, 0], array(uint(1)), "prekey of suite 1 with a suite alone")
  s(57, [8, 0, 1], bstr(filled(1, 31)), "x of 31 bytes")
  s(58, [8, 0, 1], bstr(filled(1, 33)), "x of 33 bytes")
  s(59, [8, 0, 2], bstr(filled(1, 1184)), "ek in suite 1")
  s(60, [8, 1, 2], NULL, "no ek in suite 2", two)
  s(61, [8, 1, 2], bstr(filled(1, 1183)), "ek of 1,183 bytes", two)
  s(62, [8, 1, 2], bstr(filled(1, 1185)), "ek of 1,185 bytes", two)
  s(63, [8, 0, 0], tstr("1"), "suite as text")
  s(64, [8, 0], array(uint(1), bstr(filled(9, 32)), NULL, NULL), "prekey of four items")
  outside(book, one)
}

/** What stands around the body: two items, a signature of 64 bytes, nothing behind them. */
function outside(book: Book, one: Case): void {
  const bytes = one.input?.["bytes"] as string
  const form = "only the whole shape has a meaning"
  const item = (n: number, path: readonly number[], put: string, title: string) => {
    const mutation = replaced(one, "bytes", path, put)
    book.reject(n, "encoding/shape", "BUNDLE-10 ENCODING-22", one, mutation, title, form)
  }
  item(70, [1], bstr(filled(1, 63)), "signature of 63 bytes")
  item(71, [1], bstr(filled(1, 65)), "signature of 65 bytes")
  item(72, [1], NULL, "signature null")
  item(73, [0], tstr("body"), "body as text")
  const r = (n: number, code: string, req: string, mutation: Change, title: string, why: string) =>
    book.reject(n, `encoding/${code}`, `BUNDLE-10 ${req}`, one, mutation, title, why)
  const empty = replaced(one, "bytes", [0], bstr(""))
  r(74, "malformed", "ENCODING-11", empty, "empty body", "there is no item")
  const end = bytes.slice(-2)
  const [more, less] = [splice("bytes", -1, end, `${end}00`), splice("bytes", -1, end, "")]
  r(75, "malformed", "ENCODING-21", more, "one byte behind the bundle", "it would be unsigned")
  const part = "a part is not the whole"
  r(76, "malformed", "ENCODING-17", less, "bundle without its last byte", part)
  const third = splice("bytes", 0, "82", "83f6")
  r(77, "shape", "ENCODING-22", third, "three items in signed", form)
  const open = splice("bytes", 0, bytes, `9f${bytes.slice(2)}ff`)
  r(78, "profile", "ENCODING-13", open, "signed as indefinite array", "one value has one form")
  const large = splice("bytes", 0, bytes, `82${bstr(filled(0, 8123))}${bstr(filled(0, 64))}`)
  const size = "size is the cheapest check"
  r(79, "limit", "ENCODING-10", large, "bundle of 8,193 bytes or more", size)
}
