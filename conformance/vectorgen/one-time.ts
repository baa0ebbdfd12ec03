// Vectors of SPEC §6: one-time keys.

import { toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { sign } from "../../src/suite.ts"
import type { Case, JsonObject } from "../driver.ts"
import { type Book, context, filled, flip, replaced, resigned, splice } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { NON_CANONICAL_U, SMALL_ORDER_KEYS, withLargeS } from "./points.ts"
import { array, bstr, NULL, tstr, uint } from "./raw.ts"

const DAY = 86_400

/** Adds the cases of `bundle.acceptOneTime`. */
export function oneTimeCases(book: Book): void {
  const bob = new Person("bob")
  const bundle = toHex(bob.bundle().bytes)
  const input = (suite: 1 | 2): JsonObject => ({
    ...{ key: toHex(bob.oneTime(suite).bytes), bundle, suite, now: NOW },
  })
  const first = input(1)
  const one = book.ok(300, "a one-time key of suite 1", "BUNDLE-28", "bundle.acceptOneTime", first)
  const two = book.ok(
    301,
    "a one-time key of suite 2",
    "BUNDLE-28",
    "bundle.acceptOneTime",
    input(2),
    { needs: ["suite-2"] },
  )
  const reject = (
    n: number,
    mutation: Parameters<Book["reject"]>[4],
    title: string,
    why: string,
    twin: Case = one,
  ) => book.reject(n, "bundle/one-time", "BUNDLE-28", twin, mutation, title, why)
  const end = NOW + 59 * DAY
  const late = book.ok(302, "300 s after its end", "BUNDLE-28", "bundle.acceptOneTime", {
    ...one.input,
    now: end + 300,
  })
  reject(303, context("now", end + 301), "301 s after its end", "it is past its time", late)
  const long = book.ok(304, "60 days and 300 s ahead", "BUNDLE-28", "bundle.acceptOneTime", {
    ...one.input,
    now: end - 60 * DAY - 300,
  })
  reject(
    305,
    context("now", end - 60 * DAY - 301),
    "60 days and 301 s ahead",
    "a key must not live for ever",
    long,
  )
  const secret = bob.own.ikSecret
  const f = (n: number, path: readonly number[], put: string, title: string, twin: Case = one) =>
    reject(
      n,
      resigned(twin, "key", path, put, secret),
      title,
      "any fault is one code, and never counts as none",
      twin,
    )
  f(310, [0], tstr("AgentMesh/1 bundle"), "label of a bundle")
  f(311, [1], tstr("rob"), "for another name")
  f(312, [1], tstr("Bob"), "name of the wrong form")
  f(313, [3], uint(2), "suite 2 without ek")
  f(314, [3], uint(0), "suite 0")
  f(315, [3], uint(3), "suite 3")
  f(316, [4], bstr(filled(9, 31)), "x of 31 bytes")
  f(317, [5], bstr(filled(9, 1184)), "ek in suite 1")
  f(318, [6], NULL, "not-after null")
  f(319, [6], uint(NOW + 61 * DAY), "valid for 61 days")
  f(320, [6], uint(NOW - 301), "expired")
  f(321, [6], uint(2n ** 53n - 1n), "without an end")
  for (const [i, [title, key]] of NON_CANONICAL_U.entries())
    f(322 + i, [4], bstr(key), `x with ${title}`)
  f(328, [4], bstr(toHex(bob.own.dk)), "x equal to dk")
  const keys = new Person("bob").bundle().prekeys.map((prekey) => toHex(prekey.x))
  f(329, [4], bstr(keys[0] as string), "x of the prekey of suite 1")
  f(330, [4], bstr(keys[1] as string), "x of the prekey of suite 2")
  f(331, [5], NULL, "ek null in suite 2", two)
  f(332, [5], bstr(`ff0f00${filled(0, 1181)}`), "ek with a coefficient of 4,095", two)
  f(333, [5], bstr(filled(0, 1183)), "ek of 1,183 bytes", two)
  const sig = (first["key"] as string).slice(-128)
  const s = (n: number, mutation: Parameters<Book["reject"]>[4], title: string) =>
    reject(n, mutation, title, "unsigned keys could be swapped by the hub")
  s(340, splice("key", -64, sig, filled(0, 64)), "signature of zeros")
  s(341, flip("key", -1, "10"), "S changed")
  s(342, splice("key", -64, sig, withLargeS(sig)), "S + L")
  const mallory = new Person("mallory")
  s(343, replaced(one, "key", [0, 4], bstr(toHex(mallory.own.dk))), "x swapped by the hub")
  s(344, splice("key", -1, (first["key"] as string).slice(-2), ""), "last byte missing")
  s(345, splice("key", 0, "82", "83f6"), "three items in signed")
  const foreign = toHex(mallory.oneTime(1).bytes)
  s(346, context("key", foreign), "key of another agent")
  const named = new Person("mallory", "bob").oneTime(1)
  s(347, context("key", toHex(named.bytes)), "signed by another ik under the name")
  const body = encode([
    "AgentMesh/1 one-time",
    "bob",
    bob.own.ik,
    1,
    new Uint8Array(32).fill(9),
    null,
    end,
  ])
  const wrong = toHex(encode([body, sign(mallory.own.ikSecret, body)]))
  s(348, context("key", wrong), "body of the owner, signature of another")
  reject(
    349,
    context("suite", 2),
    "of suite 1 in a handshake of suite 2",
    "algorithms of suites are not combined",
  )
  reject(
    350,
    context("suite", 1),
    "of suite 2 in a handshake of suite 1",
    "algorithms of suites are not combined",
    two,
  )
  for (const [i, key] of SMALL_ORDER_KEYS.slice(0, 2).entries())
    f(351 + i, [2], bstr(key), `ik of small order ${i}`)
  s(
    353,
    splice("key", 0, first["key"] as string, array(bstr(""), bstr(filled(0, 64)))),
    "empty body",
  )
  s(354, context("key", `82${bstr(filled(0, 8123))}${bstr(filled(0, 64))}`), "8,193 bytes or more")
}
