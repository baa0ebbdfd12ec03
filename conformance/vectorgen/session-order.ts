// Vectors of SPEC §10 session: which of two faults decides, and what the end of a chain leaves.

import type { Suite } from "../../src/suite.ts"
import { replaceItem } from "../cbor.ts"
import { filled } from "./kit.ts"
import { Play } from "./play.ts"
import { LOW_ORDER_U, NON_CANONICAL_U } from "./points.ts"
import { bstr, NULL, uint } from "./raw.ts"
import type { Add } from "./session-add.ts"

type Named = readonly [readonly [title: string, key: string]]
const [[, LOW]] = LOW_ORDER_U as unknown as Named
const [[, LARGE]] = NON_CANONICAL_U as unknown as Named
/** Not the encoding of any key: its first number is not below q. */
const BAD_EK = `ff0f00${filled(0, 1181)}`
const FORM = "the shape is judged before the numbers"
const FREE = "no exchange is spent on a chain that cannot be"

type Put = readonly [path: readonly number[], item: string]

/** Adds envelopes with two faults: the first of §10.4 decides. */
export function order(add: Add, suite: Suite): void {
  shapes(add, suite)
  claims(add, suite)
  if (suite === 2) names(add)

  const exact = new Play(suite, ["a"])
  exact.open("b", exact.seal("a", ["one"]))
  exact.skip("a", 1_000)
  exact.open("a", exact.seal("b", ["answer"]))
  const most = exact.seal("a", ["after a full chain"])
  exact.refuseItem("b", "session/chain-limit", most, [0, 3], uint(1_001))
  const why = "a chain holds 1,000, and no more can be missing"
  add(47, "session/chain-limit", "SESSION-8", "pn = 1,001 where 1,000 is right", exact, why)
}

function change(envelope: string, puts: readonly Put[]): string {
  return puts.reduce((now, [path, item]) => replaceItem(now, path, item), envelope)
}

/** Step 2 before its second half, and before the block is looked at. */
function shapes(add: Add, suite: Suite): void {
  const ek: Put = [[0, 2, 1], suite === 1 ? bstr(filled(1, 1184)) : NULL]
  const ct: Put = [[0, 2, 2], suite === 1 ? bstr(filled(1, 1088)) : NULL]
  const said = suite === 1 ? "a KEM field" : "a KEM field missing"
  const shape = (n: number, title: string, ...puts: readonly Put[]) => {
    const play = new Play(suite)
    play.confirm()
    const genuine = play.seal("a", ["genuine"])
    play.refuseOther("b", "encoding/shape", change(genuine, puts), genuine, title)
    add(n, "encoding/shape", "SESSION-8", title, play, FORM)
  }
  shape(28, `${said}, and n = 1,000`, ek, [[0, 4], uint(1_000)])
  shape(29, `${said}, and pn = 1,001`, ct, [[0, 3], uint(1_001)])
  shape(30, `${said}, and a block of low order`, ek, [[0, 2, 0], bstr(LOW)])
}

/** Steps 5 and 6 before step 7. */
function claims(add: Add, suite: Suite): void {
  const bad: readonly (readonly [string, Put])[] = [
    ["of low order", [[0, 2, 0], bstr(LOW)]],
    suite === 1
      ? ["that is not canonical", [[0, 2, 0], bstr(LARGE)]]
      : ["whose ek fails", [[0, 2, 1], bstr(BAD_EK)]],
  ]
  for (const [i, [title, put]] of bad.entries()) {
    const due = new Play(suite)
    const [first, second] = [due.seal("a", ["one"]), due.seal("a", ["two"], 1)]
    due.open("b", first)
    due.refuseItem("b", "envelope/open", second, ...put)
    const early = `a new block ${title} while a step is due`
    add(31 + i, "envelope/open", "SESSION-11 SESSION-13", early, due, FREE)

    const fewer = new Play(suite)
    fewer.open("b", fewer.seal("a", ["one"]))
    fewer.open("b", fewer.seal("a", ["two"], 1))
    fewer.open("a", fewer.seal("b", ["three"], 2))
    const four = fewer.seal("a", ["four"], 3)
    const low = `a new block ${title}, and pn below what was accepted`
    fewer.refuseOther("b", "envelope/open", change(four, [put, [[0, 3], uint(1)]]), four, low)
    add(33 + i, "envelope/open", "SESSION-12 SESSION-13", low, fewer, FREE)

    const before = new Play(suite)
    before.open("b", before.seal("a", ["one"]))
    const two = before.seal("b", ["two"], 1)
    const none = `a new block ${title}, and pn where no chain was before`
    before.refuseOther("a", "envelope/open", change(two, [put, [[0, 3], uint(1)]]), two, none)
    add(35 + i, "envelope/open", "SESSION-12 SESSION-13", none, before, FREE)
  }

  const far = new Play(suite)
  far.confirm()
  const genuine = far.seal("a", ["genuine"])
  const both = change(genuine, [
    [[0, 2, 0], bstr(LOW)],
    [[0, 4], uint(1_000)],
  ])
  const title = "a new block of low order, and n = 1,000"
  far.refuseOther("b", "session/chain-limit", both, genuine, title)
  add(37, "session/chain-limit", "SESSION-8 SESSION-13", title, far, "numbers before keys")
}

/** A block is another one as soon as any of its three items is: its hash tells. */
function names(add: Add): void {
  const whole = "a chain is named by the hash of the whole block"
  const items = [
    ["ek", [[0, 2, 1], bstr(filled(0, 1184))]],
    ["kem-ct", [[0, 2, 2], bstr(filled(9, 1088))]],
  ] as const
  for (const [i, [item, put]] of items.entries()) {
    const due = new Play(2)
    const first = due.seal("a", ["one"])
    const at = due.open("b", first)
    const same = `the x of the current block with another ${item}, while a step is due`
    const [path, value] = put
    const mutation = { level: "field", field: "envelope", path, put: value } as const
    due.refuse("b", "envelope/open", change(first, [put]), mutation, at)
    add(91 + i, "envelope/open", "SESSION-9 SESSION-11", same, due, whole)

    const old = new Play(2)
    const zero = old.seal("a", ["one"])
    const opened = old.open("b", zero)
    old.open("a", old.seal("b", ["answer"], 1))
    old.open("b", old.seal("a", ["new chain"], 2))
    const retired = `the x of a retired block with another ${item}, while a step is due`
    old.refuse("b", "envelope/open", change(zero, [put]), mutation, opened)
    add(93 + i, "envelope/open", "SESSION-10 SESSION-11", retired, old, whole)
  }
}

/** Adds what a chain says of the one before it: pn, also of a full one. */
export function longChains(add: Add): void {
  const uneven = new Play(1)
  for (const sent of [3, 1, 1]) {
    for (let i = 0; i < sent; i++) uneven.open("b", uneven.seal("a", [`${i}`], i), { output: {} })
    uneven.open("a", uneven.seal("b", ["answer"]))
  }
  add(8, "ok", "SESSION-1", "chains of 3, 1 and 1: pn is that of the last", uneven)

  const play = new Play(1)
  play.open("b", play.seal("a", ["one"]))
  const answer = play.seal("b", ["answer"])
  play.repeat("a", "again", 999)
  play.open("a", answer)
  const next = play.seal("a", ["first of a new chain"])
  play.open("b", next, { output: {} })
  const req = "SESSION-1 SESSION-2 SESSION-8"
  add(9, "ok", req, "a full chain, then a new block of the peer: a new chain begins", play)
}
