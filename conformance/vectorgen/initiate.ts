// Vectors of SPEC §8.3: the initiator.

import type { OwnBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { label, type Suite, sign } from "../../src/suite.ts"
import type { Case, JsonObject, Mutation } from "../driver.ts"
import { unhex } from "../values.ts"
import { type Book, context, flip } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { LOW_ORDER_U } from "./points.ts"

/** A bundle of bob with unusual fields, signed. */
function special(fields: { dk?: Uint8Array; prekeys?: readonly Value[] }): string {
  const bob = new Person("bob")
  const { name, ik, dk, ikSecret } = bob.own
  const x = bob.bundle({ suites: [1] }).prekeys[0]?.x as Uint8Array
  const parts = [
    label("bundle"),
    name,
    ik,
    fields.dk ?? dk,
    NOW,
    NOW - 3600,
    NOW + 86_400,
    0,
    fields.prekeys ?? [[1, x, null]],
  ]
  const body = encode(parts)
  return toHex(encode([body, sign(ikSecret, body)]))
}

/** A one-time key of bob with another x, signed. */
function specialKey(x: Uint8Array): string {
  const { name, ik, ikSecret } = new Person("bob").own
  const body = encode([label("one-time"), name, ik, 1, x, null, NOW + 86_400])
  return toHex(encode([body, sign(ikSecret, body)]))
}

/** Adds the cases of `handshake.initiate`. */
export function initiations(book: Book): void {
  const alice = new Person("alice")
  const bob = new Person("bob")
  const both = bob.bundle()
  const single = bob.bundle({ suites: [1], seq: NOW + 1 })
  const flagged = bob.bundle({ suites: [1], seq: NOW + 2, flags: 1 })
  const keys = { 1: toHex(bob.oneTime(1).bytes), 2: toHex(bob.oneTime(2).bytes) }
  const input = (
    bundle: OwnBundle | string,
    suites: readonly Suite[],
    oneTime: string | null,
    extra: JsonObject = {},
  ): JsonObject => ({
    ...{
      identity: alice.identity,
      seed: toHex(alice.seed),
      bundle: typeof bundle === "string" ? bundle : toHex(bundle.bytes),
    },
    ...{ oneTime, suites, remembered: 0, now: NOW, ...extra },
  })
  const plain = ["deterministic"]
  const ok = (n: number, title: string, req: string, value: JsonObject, needs = plain): Case =>
    book.ok(n, title, req, "handshake.initiate", value, { needs })
  const second = ["deterministic", "suite-2"]
  const one = ok(1, "an init of suite 1", "HANDSHAKE-6 SUITE-6", input(single, [1], null))
  const timed = ok(
    2,
    "an init of suite 1 with a one-time key",
    "HANDSHAKE-4",
    input(single, [1], keys[1]),
  )
  ok(3, "an init of suite 2", "KEYSCHEDULE-3 SUITE-6", input(both, [1, 2], null), second)
  ok(
    4,
    "an init of suite 2 with a one-time key",
    "HANDSHAKE-4",
    input(both, [1, 2], keys[2]),
    second,
  )
  ok(5, "the highest common suite is 1", "HANDSHAKE-2", input(both, [1], null))
  ok(6, "suite 1 again", "HANDSHAKE-3", input(single, [1, 2], null, { remembered: 1 }))
  ok(
    7,
    "suite 2 remembered by an agent that lost it",
    "HANDSHAKE-3",
    input(both, [1], null, { remembered: 2 }),
  )
  const required = ok(
    8,
    "a one-time key where it is required",
    "HANDSHAKE-5",
    input(flagged, [1], keys[1]),
  )
  ok(9, "suite 2 again", "HANDSHAKE-3", input(both, [1, 2], null, { remembered: 2 }), second)
  const r = (
    n: number,
    code: string,
    req: string,
    twin: Case,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, code, req, twin, mutation, title, why)
  r(
    20,
    "handshake/self",
    "HANDSHAKE-1",
    one,
    context("identity", bob.identity),
    "own bundle",
    "a reflected session would authenticate nobody",
  )
  const renamed = new Person("bob", "rob")
  r(
    21,
    "handshake/self",
    "HANDSHAKE-1",
    one,
    context("identity", renamed.identity),
    "own key under another name",
    "a reflected session would authenticate nobody",
  )
  r(
    22,
    "suite/unsupported",
    "HANDSHAKE-2",
    one,
    context("suites", [2]),
    "no suite in common",
    "there is nothing to compute",
  )
  r(
    23,
    "suite/unsupported",
    "HANDSHAKE-2",
    one,
    context("bundle", special({ prekeys: [[7, 1, 2]] })),
    "a bundle of unknown suites alone",
    "there is nothing to compute",
  )
  const again = ok(
    24,
    "suite 2 with an agent known to have it",
    "HANDSHAKE-3",
    input(both, [1, 2], null, { remembered: 2 }),
    second,
  )
  r(
    25,
    "suite/downgrade",
    "HANDSHAKE-3",
    again,
    context("bundle", toHex(single.bytes)),
    "only suite 1 after suite 2",
    "an older bundle may have been served to weaken the session",
  )
  r(
    26,
    "handshake/one-time-required",
    "HANDSHAKE-5",
    required,
    context("oneTime", null),
    "the required one-time key was withheld",
    "the owner would refuse",
  )
  r(
    27,
    "bundle/one-time",
    "HANDSHAKE-4",
    timed,
    flip("oneTime", -1, "10"),
    "a one-time key with a bad signature",
    "a bad key never counts as none",
  )
  r(
    28,
    "bundle/one-time",
    "HANDSHAKE-4",
    timed,
    context("oneTime", keys[2]),
    "a one-time key of another suite",
    "algorithms of suites are not combined",
  )
  r(
    29,
    "bundle/signature",
    "HANDSHAKE-6 BUNDLE-15",
    one,
    flip("bundle", -1, "10"),
    "a bundle with a bad signature",
    "no key of it is genuine",
  )
  r(
    30,
    "bundle/expired",
    "BUNDLE-18 BUNDLE-26",
    one,
    context("now", NOW + 31 * 86_400),
    "an expired bundle",
    "stored bundles pass all checks again",
  )
  const low = "it would fix the shared secret"
  for (const [i, [title, key]] of LOW_ORDER_U.entries()) {
    const bytes = unhex(key)
    r(
      40 + i,
      "suite/bad-key",
      "KEYSCHEDULE-8 SUITE-12",
      one,
      context("bundle", special({ dk: bytes })),
      `dk of low order, ${title}`,
      low,
    )
    r(
      45 + i,
      "suite/bad-key",
      "KEYSCHEDULE-8 SUITE-12",
      one,
      context("bundle", special({ prekeys: [[1, bytes, null]] })),
      `prekey of low order, ${title}`,
      low,
    )
    r(
      50 + i,
      "suite/bad-key",
      "KEYSCHEDULE-8 SUITE-12",
      timed,
      context("oneTime", specialKey(bytes)),
      `one-time key of low order, ${title}`,
      low,
    )
  }
}
