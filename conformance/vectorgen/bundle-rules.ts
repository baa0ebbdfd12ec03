// Vectors of SPEC §6 bundle: names, flags, prekeys and lifetimes.

import { toHex } from "../../src/bytes.ts"
import type { Case } from "../driver.ts"
import { DAY } from "./bundle-made.ts"
import { type Book, filled, resigned } from "./kit.ts"
import { NOW, type Person } from "./people.ts"
import { array, bstr, NULL, tstr, uint } from "./raw.ts"

/** Adds bodies of the right shape that break a rule. */
export function rules(book: Book, bob: Person, one: Case, two: Case): void {
  const secret = bob.own.ikSecret
  const r = (
    n: number,
    code: string,
    req: string,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
    twin: Case = one,
  ) => book.reject(n, code, req, twin, resigned(twin, "bytes", path, put, secret), title, why)
  const names: readonly (readonly [number, string, string])[] = [
    [140, "", "empty name"],
    [141, "b".repeat(65), "name of 65 bytes"],
    [142, "Bob", "upper case"],
    [143, "b|b", "vertical bar"],
    [144, "bob\u0000", "NUL"],
    [145, "bоb", "look-alike"],
    [146, "-bob", "hyphen first"],
  ]
  for (const [n, name, title] of names)
    r(n, "identity/name", "BUNDLE-11", [1], tstr(name), title, "names are compared byte by byte")
  const duty = "it may carry a duty that this version does not know"
  r(150, "bundle/flags", "BUNDLE-13", [7], uint(2), "flag bit 1", duty)
  r(151, "bundle/flags", "BUNDLE-13", [7], uint(4), "flag bit 2", duty)
  r(152, "bundle/flags", "BUNDLE-13", [7], uint(3), "flag bits 0 and 1", duty)
  r(153, "bundle/flags", "BUNDLE-13", [7], uint(2n ** 32n), "flag bit 32", duty)
  r(154, "bundle/flags", "BUNDLE-13", [7], uint(2n ** 32n + 1n), "flag bits 0 and 32", duty)
  const role = "each key has one role"
  const [x, y] = [bstr(filled(9, 32)), bstr(filled(8, 32))]
  const p = (n: number, path: readonly number[], put: string, title: string, twin: Case = one) =>
    r(n, "bundle/prekeys", "BUNDLE-14", path, put, title, role, twin)
  p(160, [8], array(), "no prekey")
  p(
    161,
    [8],
    array(array(uint(1), x, NULL), array(uint(3)), array(uint(4)), array(uint(5)), array(uint(6))),
    "five prekeys",
  )
  p(162, [8], array(array(uint(3)), array(uint(1), x, NULL)), "suites not sorted")
  p(163, [8], array(array(uint(1), x, NULL), array(uint(1), y, NULL)), "suite 1 twice")
  p(164, [8], array(array(uint(3)), array(uint(3))), "an unknown suite twice")
  p(165, [8], array(array(uint(0)), array(uint(1), x, NULL)), "suite 0")
  p(166, [8], array(array(uint(1), x, NULL), array(uint(0xff00))), "suite 0xFF00")
  p(167, [8], array(array(uint(1), x, NULL), array(uint(0xffff))), "suite 0xFFFF")
  p(168, [8], array(array(uint(1), x, NULL), array(uint(0x10000))), "suite 0x10000")
  p(169, [8, 0, 1], bstr(toHex(bob.own.dk)), "prekey equal to dk")
  const bytes = two.input?.["bytes"] as string
  const start = bytes.indexOf("8301") + 8
  p(170, [8, 1, 1], bstr(bytes.slice(start, start + 64)), "one x in both suites", two)
  const lived = "an old bundle must not live for ever"
  const t = (n: number, title: string, notAfter: number) =>
    r(n, "bundle/lifetime", "BUNDLE-16", [6], uint(notAfter), title, lived)
  t(180, "30 days and a second", NOW - 3600 + 30 * DAY + 1)
  t(181, "not-after equal to not-before", NOW - 3600)
  t(182, "not-after before not-before", NOW - 3601)
  t(183, "no end", 2 ** 53 - 1)
}
