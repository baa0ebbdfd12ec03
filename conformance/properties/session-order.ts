// Envelopes with several faults at once (SPEC §10.4): the first step that finds one decides.

import fc from "fast-check"
import { replaceItem } from "../cbor.ts"
import type { Property } from "../property.ts"
import { LOW_ORDER_U, NON_CANONICAL_U } from "../vectorgen/points.ts"
import { bstr, NULL, uint } from "../vectorgen/raw.ts"
import { content } from "./forge.ts"
import { pick } from "./gen.ts"
import { modelProperty, move } from "./model.ts"
import { meeting, opening } from "./session.ts"
import { RECEIVE_MOVES, type Receiver, receiver } from "./session-receive.ts"
import type { Trial } from "./trial.ts"

const BAD_X = [...NON_CANONICAL_U, ...LOW_ORDER_U].map(([, key]) => key)
/** Its first number is not below q. */
const BAD_EK = `ff0f00${"00".repeat(1_181)}`

/** What is wrong with a block; `x` tells which bad key stands in it. */
interface Faults {
  readonly form: "ek" | "kemCt" | null
  readonly key: "x" | "ek" | "kemCt" | "other x"
  readonly x: number
  readonly n: number
  readonly pn: number
  readonly chain: number
}

/** The verdict on an envelope whose block is no block of the peer, by steps 2 to 8. */
function verdict(model: Receiver, { form, key, n, pn }: Faults): string {
  if (form !== null) return "encoding/shape"
  if (n > 999 || pn > 1_000) return "session/chain-limit"
  if (!model.own || pn < model.nr || (model.current === null && pn !== 0)) return "envelope/open"
  if (key === "x" || (key === "ek" && model.suite === 2)) return "suite/bad-key"
  return "envelope/open"
}

/** The items of the block that give way: by number, and with what. */
function items(model: Receiver, { form, key, x }: Faults): readonly (readonly [number, string])[] {
  const whole = model.suite === 2
  // The last byte stays below 0x7f, so that another x is a key like any other.
  const wrong =
    key === "x" ? pick(BAD_X, x) : `09${(x % 100).toString(16).padStart(2, "0").repeat(31)}`
  const byKey: Record<Faults["key"], readonly [number, string]> = {
    x: [0, bstr(wrong)],
    "other x": [0, bstr(wrong)],
    // Suite 1 has no such key: there it is another x.
    ek: whole ? [1, bstr(BAD_EK)] : [0, bstr(wrong)],
    kemCt: whole ? [2, bstr("09".repeat(1_088))] : [0, bstr(wrong)],
  }
  const present = (length: number) => (whole ? NULL : bstr("01".repeat(length)))
  const byForm: readonly (readonly [number, string])[] =
    form === null ? [] : [form === "ek" ? [1, present(1_184)] : [2, present(1_088)]]
  return [byKey[key], ...byForm]
}

async function damaged(model: Receiver, trial: Trial, faults: Faults): Promise<void> {
  const chain = pick(model.chains, faults.chain)
  const making = { chain, n: 0, pn: 0, contents: [content(0)], deviation: {} }
  const genuine = await model.insider.envelope(making)
  const numbered = replaceItem(
    replaceItem(genuine, [0, 3], uint(faults.pn)),
    [0, 4],
    uint(faults.n),
  )
  const envelope = items(model, faults).reduce(
    (now, [i, put]) => replaceItem(now, [0, 2, i], put),
    numbered,
  )
  const args = opening(model.session, envelope, model.now)
  await trial.reject("session.open", args, verdict(model, faults), "unchanged")
}

const number = (beyond: number) =>
  fc.oneof(
    { arbitrary: fc.nat(4), weight: 5 },
    { arbitrary: fc.constantFrom(beyond - 1, beyond), weight: 2 },
  )

const faults: fc.Arbitrary<Faults> = fc.record({
  form: fc.constantFrom(null, null, null, "ek", "kemCt"),
  ...{ key: fc.constantFrom("x", "ek", "kemCt", "other x"), x: fc.nat(200) },
  ...{ n: number(1_000), pn: number(1_001), chain: fc.nat(12) },
})

/** Damage is most of what is done; the rest brings the receiver to where it can matter. */
const MOVES = [
  ...[0, 1, 2, 3].map(() => move<Receiver, Faults>("damage", faults, damaged)),
  ...RECEIVE_MOVES,
]

export const SESSION_ORDER_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{ id: "session-p13", title: "of several faults of an envelope the first one decides" },
      ...{ req: "SESSION-8 SESSION-9 SESSION-10 SESSION-11 SESSION-12 SESSION-13 SESSION-19" },
      ...{ tier: 2, runs: 15 },
    },
    { config: meeting, setup: receiver, moves: MOVES, max: 30 },
  ),
]
