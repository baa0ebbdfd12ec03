// Vectors of SPEC §6 bundle: what is created and what is accepted.

import type { OwnBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { fingerprint } from "../../src/identity.ts"
import type { JsonObject } from "../driver.ts"
import { accepting, acceptingBytes, custom, DAY } from "./bundle-made.ts"
import type { Book } from "./kit.ts"
import { NOW, Person } from "./people.ts"

/** A person whose draws begin again, for each `bundle.create`. */
export function created(book: Book, bob: Person): void {
  const base = { identity: bob.identity, seed: toHex(bob.seed), seq: NOW, now: NOW }
  const of = (
    n: number,
    title: string,
    req: string,
    extra: JsonObject,
    needs = ["deterministic"],
  ) => book.ok(n, title, req, "bundle.create", { ...base, ...extra }, { needs })
  of(20, "create a bundle of suite 1", "BUNDLE-1 BUNDLE-15 SUITE-4 SUITE-6", { suites: [1] })
  of(
    21,
    "create a bundle of both suites",
    "BUNDLE-1 BUNDLE-15 SUITE-4 SUITE-6",
    { suites: [1, 2] },
    ["deterministic", "suite-2"],
  )
  of(22, "create one that asks for one-time keys", "BUNDLE-13", { suites: [1], flags: 1 })
  of(23, "create a bundle for a day", "BUNDLE-16", { suites: [1], lifetime: DAY })
  of(24, "create a bundle of suite 2 alone", "SUITE-6", { suites: [2] }, [
    "deterministic",
    "suite-2",
  ])
  of(25, "create a bundle near the epoch", "BUNDLE-16", { suites: [1], now: 100, seq: 1 })
  of(28, "create a bundle of suites named out of order", "BUNDLE-14 SUITE-6", { suites: [2, 1] }, [
    "deterministic",
    "suite-2",
  ])
  for (const suite of [1, 2]) {
    const needs = suite === 1 ? ["deterministic"] : ["deterministic", "suite-2"]
    const input = { identity: bob.identity, seed: toHex(bob.seed), suite, now: NOW }
    book.ok(
      25 + suite,
      `create a one-time key of suite ${suite}`,
      "BUNDLE-28 SUITE-4 SUITE-6",
      "bundle.createOneTime",
      input,
      { needs },
    )
  }
}

/** Adds bundles that are accepted, also such as SPEC §6.3 does not make. */
export function accepted(book: Book, one: OwnBundle, both: OwnBundle): void {
  const bob = new Person("bob")
  const x = (i: number) => new Uint8Array(32).fill(i)
  const ok = (n: number, title: string, req: string, value: JsonObject) =>
    book.ok(n, title, req, "bundle.accept", value)
  ok(
    3,
    "prekeys of unknown suites are skipped",
    "BUNDLE-14",
    acceptingBytes(custom(bob, {}, [[1, x(9), null], [3, x(8)], [0xfeff]])),
  )
  ok(
    4,
    "only unknown suites",
    "BUNDLE-14 ENCODING-5",
    acceptingBytes(custom(bob, {}, [[7, "text", [1, 2]]])),
  )
  ok(
    5,
    "four prekeys",
    "BUNDLE-14",
    acceptingBytes(custom(bob, {}, [[1, x(9), null], [3], [4, null], [5, 5, 5]])),
  )
  ok(
    6,
    "an unknown suite may repeat a key",
    "BUNDLE-14",
    acceptingBytes(
      custom(bob, {}, [
        [1, x(9), null],
        [3, x(9)],
      ]),
    ),
  )
  ok(
    7,
    "a prekey of low order is canonical",
    "BUNDLE-12 SUITE-8",
    acceptingBytes(custom(bob, {}, [[1, x(0), null]])),
  )
  ok(8, "flag ONE_TIME_REQUIRED", "BUNDLE-13", accepting(bob.bundle({ suites: [1], flags: 1 })))
  ok(
    9,
    "lifetime of one second",
    "BUNDLE-16",
    acceptingBytes(custom(bob, { 5: NOW, 6: NOW + 1 }, [[1, x(9), null]])),
  )
  const print = fingerprint(bob.own.ik)
  const ref = toHex(one.ref)
  ok(10, "the name that was asked for", "BUNDLE-19", accepting(one, { name: "bob" }))
  ok(11, "the fingerprint of the address", "BUNDLE-20", accepting(one, { fingerprint: print }))
  ok(12, "the pinned key", "BUNDLE-21", accepting(one, { pinned: toHex(bob.own.ik) }))
  ok(13, "a higher seq than before", "BUNDLE-22", accepting(both, { known: { seq: NOW, ref } }))
  ok(14, "the same bundle again", "BUNDLE-23", accepting(one, { known: { seq: NOW, ref } }))
  ok(
    15,
    "the same seq, reference unknown",
    "BUNDLE-23",
    accepting(one, { known: { seq: NOW, ref: null } }),
  )
  ok(
    16,
    "seq 0 and 2^53-1",
    "BUNDLE-22",
    acceptingBytes(custom(bob, { 4: 2 ** 53 - 1 }, [[1, x(9), null]]), {
      known: { seq: 0, ref: null },
    }),
  )
  ok(
    17,
    "everything that can be held against it",
    "BUNDLE-24",
    accepting(one, {
      name: "bob",
      fingerprint: print,
      pinned: toHex(bob.own.ik),
      known: { seq: NOW - 1, ref },
    }),
  )
  ok(
    18,
    "longest name",
    "BUNDLE-11",
    accepting(new Person("bob", "b".repeat(64)).bundle({ suites: [1] })),
  )
  // not-before - 300 is below 0: no unsigned difference.
  for (const [i, notBefore] of [0, 299, 300].entries()) {
    const bytes = custom(bob, { 4: 1, 5: notBefore, 6: notBefore + DAY }, [[1, x(9), null]])
    ok(30 + i, `not-before ${notBefore}, near the epoch`, "BUNDLE-17", {
      bytes,
      context: { now: 1000 },
    })
  }
}
