// Vectors of SPEC §9: contents, each judged alone.

import type { Case, JsonObject, Mutation } from "../driver.ts"
import { type Book, filled, replaced, splice } from "./kit.ts"
import { NOW } from "./people.ts"
import { array, bstr, float, map, NULL, nest, tstr, uint } from "./raw.ts"

const ID = bstr(filled(0x1d, 16))
const SENT = uint(NOW * 1000)
const BODY = map([tstr("text"), tstr("hi")])

/** Fields of a content of kind 0, as encoded items. */
function content(fields: Readonly<Record<number, string>> = {}): string {
  const items = [uint(0), ID, SENT, NULL, uint(0), bstr(BODY)]
  for (const [i, item] of Object.entries(fields)) items[Number(i)] = item
  return array(...items)
}

const heal = content({ 0: uint(1), 5: bstr("") })
const receipts = (...statuses: readonly number[]): string =>
  array(...statuses.map((status, i) => array(bstr(filled(i, 16)), uint(status))))
const receipt = (...statuses: readonly number[]): string =>
  content({ 0: uint(2), 5: bstr(receipts(...statuses)) })

/** Adds the cases of `envelope.content`. */
export function contentCases(book: Book): void {
  const ok = (n: number, title: string, bytes: string): Case =>
    book.ok(n, title, "ENVELOPE-15 ENVELOPE-16", "envelope.content", { content: bytes })
  const one = ok(300, "an application content", content())
  const asked = ok(301, "one that asks for processed", content({ 4: uint(1) }))
  ok(302, "a reply", content({ 3: bstr(filled(0x2d, 16)) }))
  const quiet = ok(303, "a heal", heal)
  const told = ok(304, "receipts of every status", receipt(1, 2, 3))
  ok(
    305,
    "256 receipts",
    content({ 0: uint(2), 5: bstr(receipts(...new Array<number>(256).fill(1))) }),
  )
  const empty = ok(306, "an empty payload", content({ 5: bstr(map()) }))
  // 40 bytes of heads and fields beside the text: 1,000,000 bytes in all.
  const filler =
    1_000_000 -
    (content({ 5: bstr(map([tstr("t"), tstr("x".repeat(70_000))])) }).length / 2 - 70_000)
  const largest = ok(
    307,
    "1,000,000 bytes",
    content({ 5: bstr(map([tstr("t"), tstr("x".repeat(filler))])) }),
  )
  const base = { id: filled(0x1d, 16), sentMs: NOW * 1000, re: null, ask: 0, body: BODY }
  const written = (n: number, title: string, fields: JsonObject) =>
    book.ok(n, title, "ENVELOPE-1 ENVELOPE-2", "envelope.makeContent", {
      kind: 0,
      ...base,
      ...fields,
    })
  written(290, "write an application content", {})
  written(291, "write a heal", { kind: 1, body: "" })
  written(292, "write a reply that asks for processed", { re: filled(0x2d, 16), ask: 1 })
  written(293, "write receipts", { kind: 2, body: receipts(1, 3) })
  const make = (
    n: number,
    code: string,
    req: string,
    twin: Case,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, code, req, twin, mutation, title, why)
  const form = "only the whole shape has a meaning"
  const c = (n: number, item: number, put: string, title: string) =>
    make(
      n,
      "envelope/content",
      "ENVELOPE-15",
      one,
      replaced(one, "content", [item], put),
      title,
      form,
    )
  c(310, 0, tstr("0"), "kind as text")
  c(311, 1, bstr(filled(1, 15)), "id of 15 bytes")
  c(312, 1, bstr(filled(1, 17)), "id of 17 bytes")
  c(313, 1, NULL, "id null")
  c(314, 2, NULL, "sent-ms null")
  c(315, 2, float(1.5), "sent-ms as float")
  c(316, 2, uint(2n ** 53n), "sent-ms 2^53")
  c(317, 3, bstr(filled(1, 15)), "re of 15 bytes")
  c(318, 3, bstr(""), "empty re")
  c(319, 4, NULL, "ask null")
  c(320, 5, BODY, "body not wrapped")
  c(321, 5, NULL, "body null")
  const bytes = content()
  make(
    322,
    "envelope/content",
    "ENVELOPE-15",
    one,
    splice("content", 0, "86", "87f6"),
    "seven items",
    form,
  )
  make(
    323,
    "envelope/content",
    "ENVELOPE-15",
    one,
    splice("content", 0, bytes, array(uint(0), ID, SENT, NULL, uint(0))),
    "five items",
    form,
  )
  make(
    324,
    "envelope/content",
    "ENVELOPE-15",
    one,
    splice("content", 0, bytes, ""),
    "no bytes",
    form,
  )
  make(
    325,
    "envelope/content",
    "ENVELOPE-15",
    one,
    splice("content", bytes.length / 2, "", "00"),
    "a byte behind the content",
    form,
  )
  make(
    326,
    "envelope/content",
    "ENVELOPE-15",
    one,
    splice("content", 0, "8600", "861800"),
    "kind in two bytes",
    form,
  )
  make(
    327,
    "envelope/content",
    "ENVELOPE-15",
    largest,
    replaced(largest, "content", [5], bstr(map([tstr("t"), tstr("x".repeat(filler + 1))]))),
    "1,000,001 bytes",
    "size is the cheapest check",
  )
  const rule = "each kind has its rules"
  const k = (n: number, twin: Case, item: number, put: string, title: string) =>
    make(
      n,
      "envelope/content",
      "ENVELOPE-16",
      twin,
      replaced(twin, "content", [item], put),
      title,
      rule,
    )
  k(330, one, 0, uint(3), "kind 3")
  k(331, one, 0, uint(2n ** 53n - 1n), "largest kind")
  k(332, asked, 4, uint(2), "ask 2")
  k(333, quiet, 5, bstr(BODY), "a heal with a body")
  k(334, quiet, 4, uint(1), "a heal that asks")
  k(335, quiet, 3, ID, "a heal that answers")
  k(336, told, 5, bstr(receipts()), "no receipt")
  k(337, told, 5, bstr(receipts(0)), "receipt status 0")
  k(338, told, 5, bstr(receipts(1, 4)), "receipt status 4")
  k(339, told, 5, bstr(receipts(...new Array<number>(257).fill(1))), "257 receipts")
  k(340, told, 4, uint(1), "a receipt that asks")
  k(341, told, 3, ID, "a receipt that answers")
  k(342, told, 5, bstr(""), "a receipt without a body")
  k(343, told, 5, bstr(array(array(bstr(filled(1, 15)), uint(1)))), "receipt for an id of 15 bytes")
  k(344, told, 5, bstr(array(array(bstr(filled(1, 16))))), "receipt without a status")
  k(345, told, 5, bstr(BODY), "a receipt whose body is a payload")
  // Numbers that are good in their last byte, or in their last four.
  for (const [i, high] of [256, 2 ** 32].entries()) {
    k(370 + i, one, 0, uint(high), `kind ${high}`)
    k(372 + i, asked, 4, uint(high), `ask ${high}`)
    k(374 + i, asked, 4, uint(high + 1), `ask ${high + 1}`)
    k(376 + i, told, 5, bstr(receipts(high)), `receipt status ${high}`)
    k(378 + i, told, 5, bstr(receipts(high + 1)), `receipt status ${high + 1}`)
  }
  const p = (n: number, body: string, title: string) =>
    make(
      n,
      "agent/payload",
      "ENVELOPE-17 ENCODING-23",
      empty,
      replaced(empty, "content", [5], bstr(body)),
      title,
      "an application body is a payload",
    )
  p(350, "", "empty body")
  p(351, array(), "body is an array")
  p(352, tstr("hi"), "body is a text")
  p(353, `${map()}00`, "a byte behind the payload")
  p(354, map([uint(1), uint(1)]), "integer key")
  p(355, map([tstr("b"), uint(1)], [tstr("a"), uint(2)]), "keys not sorted")
  p(356, map([tstr("a"), uint(1)], [tstr("a"), uint(2)]), "one key twice")
  p(357, map([tstr("a"), "fb7ff8000000000000"]), "NaN")
  p(358, map([tstr("a"), float(1)]), "integer as float64")
  p(359, map([tstr("a"), nest(31, NULL)]), "depth 33")
  p(360, map([tstr("a"), "61ff"]), "text that is not UTF-8")
  p(361, map([tstr("a"), uint(2n ** 53n)]), "integer 2^53")
}
