// Vectors of SPEC §10 session: conversations.

import type { Suite } from "../../src/suite.ts"
import { Play } from "./play.ts"
import type { Add } from "./session-add.ts"

/** Adds conversations: whole, out of order, with losses and gaps. */
export function transcripts(add: Add, suite: Suite): void {
  const talk = new Play(suite)
  talk.full = true
  talk.open("b", talk.seal("a", ["hello"]))
  talk.open("b", talk.seal("a", ["are you there"], 1))
  talk.open("a", talk.seal("b", ["yes"], 2))
  talk.open("a", talk.seal("b", ["what is it", "tell me"], 3))
  talk.open("b", talk.seal("a", ["good news"], 5))
  talk.open("a", talk.seal("b", ["fine"], 6))
  const kem = suite === 2 ? " KEYSCHEDULE-3" : ""
  const req = `SESSION-1 SESSION-15 SUITE-6 KEYSCHEDULE-1 KEYSCHEDULE-2${kem}`
  add(1, "ok", req, "a whole conversation", talk)

  const order = new Play(suite)
  const sent = ["zero", "one", "two"].map((text, i) => order.seal("a", [text], i))
  for (const i of [2, 0, 1]) order.open("b", sent[i] as string)
  add(2, "ok", "SESSION-15", "out of order in one chain", order)

  const late = new Play(suite)
  late.open("b", late.seal("a", ["zero"]))
  const held = late.seal("a", ["held back"], 1)
  late.open("a", late.seal("b", ["answer"], 2))
  late.open("b", late.seal("a", ["new chain"], 3))
  late.open("b", held)
  add(3, "ok", "SESSION-10 SESSION-15", "an envelope of the chain before, pn tells", late)

  const cross = new Play(suite)
  cross.confirm()
  const [x, y] = [cross.seal("a", ["from a"]), cross.seal("b", ["from b"])]
  cross.open("a", y)
  cross.open("b", x)
  cross.open("a", cross.seal("b", ["again"], 1))
  add(4, "ok", "SESSION-1", "both ends send at once", cross)

  const lost = new Play(suite)
  lost.seal("a", ["lost"])
  lost.open("b", lost.seal("a", ["arrives first"], 1))
  lost.seal("b", ["lost too"])
  lost.open("a", lost.seal("b", ["arrives"], 1))
  lost.open("b", lost.seal("a", ["and on"], 2))
  add(
    5,
    "ok",
    "HANDSHAKE-7 HANDSHAKE-8",
    "lost envelopes; the init is repeated until the answer",
    lost,
  )

  const chains = new Play(suite)
  const old = chains.seal("a", ["first chain, held back"])
  chains.open("b", chains.seal("a", ["first chain"], 1))
  for (let i = 0; i < 4; i++) {
    chains.open("a", chains.seal("b", [`b ${i}`]))
    chains.open("b", chains.seal("a", [`a ${i}`]))
  }
  chains.open("b", old)
  add(6, "ok", "SESSION-10 SESSION-15", "an envelope of the fourth retired chain", chains)

  const gap = new Play(suite, ["a"])
  gap.seal("a", ["start"])
  gap.skip("a", 999)
  gap.open("b", gap.seal("a", ["last of its chain"]), { output: {} })
  add(7, "ok", "SESSION-8 SESSION-17", "a gap of 999", gap)
}
