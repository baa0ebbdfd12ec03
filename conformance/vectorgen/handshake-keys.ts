// Vectors of SPEC §8 handshake: keys.

import { type Base, type Bases, inHeader, inInit } from "./handshake-base.ts"
import { type Book, type Change, filled } from "./kit.ts"
import {
  LOW_ORDER_U,
  NON_CANONICAL_KEYS,
  NON_CANONICAL_U,
  OFF_CURVE_KEYS,
  SMALL_ORDER_KEYS,
} from "./points.ts"
import { bstr } from "./raw.ts"
import { refusing } from "./refusing.ts"

/** Adds inits whose keys are refused (step 7 of §8.4). */
export function stepSeven(book: Book, { one, two }: Bases): void {
  const judged = "keys are judged before they are used"
  const key = refusing(book, "suite/bad-key", "HANDSHAKE-31", judged)
  const r = (n: number, change: Change, title: string, base: Base = one) =>
    key(n, base, change, title)
  for (const [i, key] of SMALL_ORDER_KEYS.entries())
    r(200 + i, inInit(one, 4, bstr(key)), `ik-a of small order ${i}`)
  for (const [i, key] of NON_CANONICAL_KEYS.slice(0, 4).entries())
    r(208 + i, inInit(one, 4, bstr(key)), `ik-a with a second encoding ${i}`)
  for (const [i, key] of OFF_CURVE_KEYS.slice(0, 2).entries())
    r(212 + i, inInit(one, 4, bstr(key)), `ik-a off the curve ${i}`)
  for (const [i, [title, key]] of NON_CANONICAL_U.entries()) {
    r(214 + i, inInit(one, 5, bstr(key)), `dk-a with ${title}`)
    r(220 + i, inInit(one, 6, bstr(key)), `e with ${title}`)
    r(226 + i, inHeader(one, [2, 0], bstr(key)), `block with ${title}`)
  }
  r(
    232,
    inHeader(two, [2, 1], bstr(`ff0f00${filled(0, 1181)}`)),
    "ek of the block with a coefficient of 4,095",
    two,
  )
  const fixed = "it would fix the shared secret"
  const exchange = refusing(book, "suite/bad-key", "HANDSHAKE-32 SUITE-12", fixed)
  const zero = (n: number, change: Change, title: string, base: Base = one) =>
    exchange(n, base, change, title)
  for (const [i, [title, key]] of LOW_ORDER_U.entries()) {
    zero(240 + i, inInit(one, 5, bstr(key)), `dk-a of low order, ${title}`)
    zero(245 + i, inInit(one, 6, bstr(key)), `e of low order, ${title}`)
    zero(250 + i, inHeader(one, [2, 0], bstr(key)), `block of low order, ${title}`)
    zero(255 + i, inInit(two, 6, bstr(key)), `e of low order in suite 2, ${title}`, two)
  }
}
