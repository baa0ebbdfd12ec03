// Vectors of SPEC §8 handshake: of two reasons to refuse, the first in the order of §8.4 decides.

import { toHex } from "../../src/bytes.ts"
import { replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import { type Base, type Bases, including, inHeader, inInit, other } from "./handshake-base.ts"
import type { Book, Change } from "./kit.ts"
import { bundleJson, NOW, Person } from "./people.ts"
import { NON_CANONICAL_U } from "./points.ts"
import { bstr, NULL, tstr, uint } from "./raw.ts"

/** Two items of the header are replaced; nothing else. */
function twice(
  base: Base,
  [first, put]: readonly [readonly number[], string],
  [second, also]: readonly [readonly number[], string],
): Change {
  const one = replaceItem(base.envelope, [0, ...first], put)
  const both = replaceItem(one, [0, ...second], also)
  return other(base, both, put, [0, ...first], [[0, ...second]])
}

/** Adds inits with two defects of neighbouring steps; `required` asks for a one-time key. */
export function order(book: Book, bases: Bases, required: Base): void {
  const decides = "the first failure wins"
  const r = (n: number, code: string, req: string, base: Base, change: Change, title: string) =>
    book.reject(n, code, req, base.item, change, title, decides)
  early(r, bases)
  late(r, bases, required)
}

type Ordered = (
  n: number,
  code: string,
  req: string,
  base: Base,
  change: Change,
  title: string,
) => void

/** Steps 1 to 4. */
function early(r: Ordered, { one }: Bases): void {
  const PN = [3]
  const N = [4]
  const form = (n: number) => twice(one, [PN, uint(1)], [N, uint(n)])
  const shape = "encoding/shape"
  const suite = twice(one, [[6, 0], uint(3)], [PN, uint(1)])
  r(310, "suite/unsupported", "HANDSHAKE-12 HANDSHAKE-13", one, suite, "init of suite 3, pn 1")
  r(311, shape, "HANDSHAKE-13", one, form(1), "pn 1 at n = 1")
  r(312, shape, "HANDSHAKE-13", one, form(999), "pn 1 at n = 999")
  r(313, shape, "HANDSHAKE-13 HANDSHAKE-14", one, form(1000), "pn 1 at n = 1,000")
  const named = twice(one, [N, uint(1000)], [[6, 3], tstr("Alice")])
  const far = "session/chain-limit"
  r(314, far, "HANDSHAKE-14 HANDSHAKE-15", one, named, "n = 1,000, name-a of the wrong form")
  const { bob, handshake } = one.flight
  const own = twice(one, [[6, 3], tstr("Alice")], [[6, 4], bstr(toHex(bob.own.ik))])
  r(315, "identity/name", "HANDSHAKE-15 HANDSHAKE-16", one, own, "own ik under a bad name")
  const th = toHex(handshake.th)
  const sid = including(inHeader(one, [1], bstr("00".repeat(16))), { replayed: [th] })
  const open = "envelope/open"
  r(316, open, "HANDSHAKE-17 HANDSHAKE-19", one, sid, "the init again under another sid")
  const gone = with2(one, { sids: [th.slice(0, 32)] }, { bundles: [] })
  r(317, open, "HANDSHAKE-20 HANDSHAKE-21", one, gone, "a sid in use, and no live bundle")
}

/** The input with two other arguments. */
function with2(base: Base, first: JsonObject, second: JsonObject): Change {
  const [[field, put]] = Object.entries(first) as [[string, JsonObject]]
  const input = { ...base.input, ...first, ...second }
  return { level: "context", field, put, with: second, input }
}

/** Steps 5 to 7. */
function late(r: Ordered, { one, oneTime }: Bases, required: Base): void {
  const unknown = "handshake/unknown-prekey"
  const unheard = with2(one, { bundles: [] }, { remembered: 2 })
  r(318, unknown, "HANDSHAKE-21 HANDSHAKE-23", one, unheard, "no live bundle, suite 1 after 2")
  const high = new Person("bob").bundle({ suites: [2], seq: NOW + 8 })
  const moved = inInit(one, 1, bstr(toHex(high.ref)))
  const lacking = including(moved, { bundles: [bundleJson(high)], remembered: 2 })
  const unsupported = "a bundle of suite 2 alone, suite 1 after suite 2"
  r(319, "suite/unsupported", "HANDSHAKE-22 HANDSHAKE-23", one, lacking, unsupported)
  const bare = inInit(required, 2, NULL)
  const down = "suite/downgrade"
  const both = including(bare, { remembered: 2 })
  const asked = "suite 1 after suite 2, no one-time key where it is required"
  r(320, down, "HANDSHAKE-23 HANDSHAKE-24", required, both, asked)
  const used = with2(oneTime, { remembered: 2 }, { oneTimes: [] })
  r(321, down, "HANDSHAKE-23 HANDSHAKE-25", oneTime, used, "suite 1 after 2, its key was used")
  const from = { from: "mallory" }
  const duty = "no one-time key where it is required, from another name"
  const need = "handshake/one-time-required"
  r(322, need, "HANDSHAKE-24 HANDSHAKE-26", required, including(bare, from), duty)
  const spent = with2(oneTime, { oneTimes: [] }, from)
  r(323, unknown, "HANDSHAKE-25 HANDSHAKE-26", oneTime, spent, "a used key, from another name")

  const pins = { pins: { alice: toHex(one.flight.mallory.own.ik) } }
  const [untrusted, full] = [{ trusted: false }, { room: false }]
  const [refused, changed] = ["identity/untrusted", "identity/changed"]
  const claimed = "from another name, and another key is pinned"
  r(324, refused, "HANDSHAKE-26 HANDSHAKE-27", one, with2(one, from, pins), claimed)
  const silent = "another key is pinned, and the trust policy refuses"
  r(325, changed, "HANDSHAKE-27 HANDSHAKE-29", one, with2(one, pins, untrusted), silent)
  const flood = "another key is pinned, too many handshakes"
  r(326, changed, "HANDSHAKE-27 HANDSHAKE-30", one, with2(one, pins, full), flood)
  const many = "the trust policy refuses, too many handshakes"
  r(327, refused, "HANDSHAKE-29 HANDSHAKE-30", one, with2(one, untrusted, full), many)
  const key = inInit(one, 5, bstr(NON_CANONICAL_U[0]?.[1] as string))
  const pinned = "another key is pinned, dk-a is not canonical"
  r(328, changed, "HANDSHAKE-27 HANDSHAKE-31", one, including(key, pins), pinned)
  const bad = "too many handshakes, dk-a is not canonical"
  r(329, "handshake/limit", "HANDSHAKE-30 HANDSHAKE-31", one, including(key, full), bad)
  const stranger = "the trust policy refuses, dk-a is not canonical"
  r(330, refused, "HANDSHAKE-29 HANDSHAKE-31", one, including(key, untrusted), stranger)
}
