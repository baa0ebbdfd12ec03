// Vectors of SPEC §11 hub: frames as bytes.

import type { Case, Mutation } from "../driver.ts"
import { type Book, filled, replaced, splice } from "./kit.ts"
import { NOW } from "./people.ts"
import { array, bstr, NULL, tstr, uint } from "./raw.ts"

/** Items of every frame, as encoded. */
const FRAMES: Readonly<Record<string, readonly string[]>> = {
  hello: [uint(1), uint(0), array(uint(1)), bstr(filled(0x0c, 32))],
  welcome: [
    uint(2),
    uint(0),
    uint(1),
    bstr(filled(1, 32)),
    bstr(filled(2, 32)),
    array(...[1000, 67108864, 200, 8388608, 604800, 1114112, 1000, 64].map((n) => uint(n))),
    bstr(filled(3, 64)),
  ],
  auth: [uint(3), uint(0), tstr("alice"), bstr(filled(1, 32)), bstr(filled(3, 64))],
  ready: [uint(4), uint(0), array(uint(3), array(array(uint(1), uint(20))), uint(NOW))],
  "put-bundle": [uint(10), uint(1), array(bstr("00"), bstr(filled(3, 64)))],
  "put-one-time": [uint(11), uint(2), uint(1), array(array(bstr("00"), bstr(filled(3, 64))))],
  "get-bundle": [uint(12), uint(3), tstr("bob"), array(uint(2), uint(1))],
  send: [uint(13), uint(4), tstr("bob"), bstr(filled(0x1d, 16)), bstr("82")],
  ack: [uint(14), uint(5), array(uint(1), uint(2))],
  list: [uint(15), uint(6), tstr("")],
  ping: [uint(16), uint(7)],
  "get-counts": [uint(17), uint(8)],
  ok: [uint(20), uint(7), NULL],
  err: [uint(21), uint(0), uint(12), uint(0)],
  deliver: [uint(30), uint(0), uint(1), tstr("alice"), bstr("82")],
  "low-one-time": [uint(31), uint(0), uint(1), uint(20)],
}

/** Adds frames that are decoded. */
export function frames(book: Book): void {
  const cases = new Map<string, Case>()
  for (const [i, [name, items]] of Object.entries(FRAMES).entries()) {
    cases.set(
      name,
      book.ok(1 + i, `frame ${name}`, "HUB-1", "hub.decode", { bytes: array(...items) }),
    )
  }
  const r = (
    n: number,
    name: string,
    path: readonly number[],
    put: string,
    title: string,
    req = "HUB-25",
  ) => {
    const twin = cases.get(name) as Case
    book.reject(
      n,
      "hub/malformed",
      req,
      twin,
      replaced(twin, "bytes", path, put),
      `${name}: ${title}`,
      "a frame has one shape",
    )
  }
  r(30, "hello", [1], uint(1), "rid 1")
  r(31, "hello", [2], array(), "no version")
  r(32, "hello", [2], array(...Array.from({ length: 9 }, (_, i) => uint(i))), "nine versions")
  r(33, "hello", [3], bstr(filled(1, 31)), "cnonce of 31 bytes")
  r(34, "hello", [3], bstr(filled(1, 33)), "cnonce of 33 bytes")
  r(35, "hello", [2, 0], tstr("1"), "version as text")
  r(36, "welcome", [5], array(uint(1)), "one limit", "HUB-53 HUB-54")
  r(37, "welcome", [6], bstr(filled(3, 63)), "signature of 63 bytes", "HUB-53 HUB-54")
  r(38, "welcome", [4], NULL, "snonce null", "HUB-53 HUB-54")
  r(39, "auth", [2], bstr("61"), "name as byte string")
  r(40, "auth", [3], bstr(filled(1, 33)), "ik of 33 bytes")
  r(41, "auth", [4], bstr(""), "empty signature")
  r(42, "ready", [2], uint(3), "counts as integer", "HUB-54")
  r(43, "ready", [2, 1, 0], array(uint(1)), "count without a number", "HUB-54")
  r(44, "put-bundle", [2], bstr("00"), "bundle not signed")
  r(45, "put-bundle", [2, 1], bstr(filled(3, 65)), "signature of 65 bytes")
  r(46, "put-one-time", [2], uint(2), "drop 2")
  r(
    47,
    "put-one-time",
    [3],
    array(...Array.from({ length: 101 }, () => array(bstr("00"), bstr(filled(3, 64))))),
    "101 keys",
  )
  r(48, "put-one-time", [3, 0], NULL, "key null")
  r(49, "get-bundle", [3], array(...Array.from({ length: 5 }, (_, i) => uint(i))), "five suites")
  r(50, "get-bundle", [2], NULL, "name null")
  r(51, "send", [3], bstr(filled(1, 15)), "mid of 15 bytes")
  r(52, "send", [3], bstr(filled(1, 17)), "mid of 17 bytes")
  r(53, "send", [4], tstr("x"), "envelope as text")
  r(54, "ack", [2], array(), "no mseq")
  r(55, "ack", [2], array(...Array.from({ length: 257 }, (_, i) => uint(i))), "257 mseqs")
  r(56, "ack", [2, 0], bstr("01"), "mseq as byte string")
  r(57, "list", [2], uint(0), "after as integer")
  r(58, "err", [2], tstr("12"), "code as text", "HUB-54")
  r(59, "deliver", [1], uint(1), "rid 1", "HUB-54")
  r(60, "deliver", [3], bstr("61"), "from as byte string", "HUB-54")
  r(61, "low-one-time", [3], NULL, "left null", "HUB-54")
  r(62, "ping", [1], uint(0), "rid 0", "HUB-24")
  r(63, "ping", [1], uint(2 ** 32), "rid 2^32", "HUB-24")
  r(64, "ping", [1], tstr("7"), "rid as text", "HUB-24")
  const ping = cases.get("ping") as Case
  const b = (n: number, mutation: Mutation, title: string) =>
    book.reject(
      n,
      "hub/malformed",
      "HUB-20",
      ping,
      mutation,
      title,
      "nothing after it can be trusted to be a frame",
    )
  b(70, splice("bytes", 0, "821007", ""), "no bytes")
  b(71, splice("bytes", 3, "", "00"), "a byte behind the frame")
  b(72, splice("bytes", 0, "821007", "8210"), "frame cut")
  b(73, splice("bytes", 0, "821007", "80"), "empty array")
  b(74, splice("bytes", 0, "821007", "10"), "an integer")
  b(75, splice("bytes", 0, "821007", "9f1007ff"), "indefinite array")
  b(76, splice("bytes", 1, "10", "1810"), "type in two bytes")
  b(77, splice("bytes", 1, "10", "6110"), "type as text")
  b(78, splice("bytes", 0, "821007", "a0"), "a map")
  b(79, splice("bytes", 0, "82", "83f6"), "ping of three items")
  book.ok(80, "rid 2^32-1", "HUB-4", "hub.decode", { bytes: array(uint(16), uint(2 ** 32 - 1)) })
  book.ok(81, "get-bundle without suites", "HUB-6", "hub.decode", {
    bytes: array(uint(12), uint(3), tstr("bob"), array()),
  })
  book.ok(82, "100 one-time keys", "HUB-25", "hub.decode", {
    bytes: array(
      uint(11),
      uint(2),
      uint(0),
      array(...Array.from({ length: 100 }, () => array(bstr("00"), bstr(filled(3, 64))))),
    ),
  })
}
