// Vectors of SPEC §10 session: which stored keys are left, and when.

import { context } from "./kit.ts"
import { Play } from "./play.ts"
import type { Add } from "./session-add.ts"

const LIFETIME = 604_800
const DAY = 86_400
/** The view tells how many stored keys are left. */
const SHOWN = { output: {} }

/** Adds stored keys of two ages, of two clocks, and of chains that are let go. */
export function stored(add: Add): void {
  /** Bob, with a stored key of now and one of a day later; the envelopes that they open. */
  const two = (): { play: Play; old: string; young: string } => {
    const play = new Play(1)
    const old = play.seal("a", ["first to wait"])
    play.open("b", play.seal("a", ["in time"], 1))
    const young = play.seal("a", ["second to wait"], 2)
    play.now += DAY
    play.open("b", play.seal("a", ["in time again"], 3), SHOWN)
    play.now += LIFETIME - DAY
    return { play, old, young }
  }
  const used = two()
  used.play.open("b", used.young, SHOWN)
  add(10, "ok", "SESSION-16", "a stored key is used, one past its time is erased", used.play)

  const swept = two()
  const expire = (play: Play) =>
    play.steps.push({ op: "session.expire", args: { session: "$b", now: play.now }, ...SHOWN })
  swept.play.now -= 1
  expire(swept.play)
  swept.play.now += 1
  expire(swept.play)
  swept.play.open("b", swept.young, SHOWN)
  add(11, "ok", "SESSION-16", "a clean-up erases the older of two stored keys", swept.play)

  const ahead = new Play(1)
  const [zero, one] = [ahead.seal("a", ["zero"]), ahead.seal("a", ["one"], 1)]
  ahead.now += DAY
  ahead.open("b", ahead.seal("a", ["two"], 2))
  ahead.now -= DAY
  ahead.open("b", zero, SHOWN)
  ahead.open("b", one, SHOWN)
  add(12, "ok", "SESSION-16", "stored keys whose time is ahead of the clock", ahead)

  const gone = new Play(1)
  const waits = [0, 1, 2].map((i) => gone.seal("a", [`waits ${i}`], i))
  gone.open("b", gone.seal("a", ["first chain"], 3))
  for (let i = 0; i < 5; i++) {
    gone.open("a", gone.seal("b", [`b ${i}`]))
    gone.open("b", gone.seal("a", [`a ${i}`]), i < 3 ? {} : SHOWN)
  }
  const last = waits[2] as string
  gone.refuse("b", "envelope/open", last, context("envelope", last), gone.steps.length - 1)
  const why = "without its chain a key is of no use"
  const title = "all stored keys of the fifth chain before are let go"
  add(38, "envelope/open", "SESSION-10 SESSION-15", title, gone, why)
}

/** Adds more stored keys than may be kept. */
export function manyStored(add: Add): void {
  // 999 of the first chain and 999 of the second are stored at once; 5 more drive out 3.
  const cut = new Play(1, ["a"])
  cut.open("b", cut.seal("a", ["first chain"]))
  const tail = [1, 2, 3, 4].map((i) => cut.seal("a", [`tail ${i}`], i))
  cut.skip("a", 1_000)
  cut.open("a", cut.seal("b", ["answer"]))
  const gap = [0, 1].map((i) => cut.seal("a", [`gap ${i}`], i))
  cut.skip("a", 999)
  cut.open("b", cut.seal("a", ["last of the second chain"]), SHOWN)
  cut.open("a", cut.seal("b", ["answer"]))
  for (let i = 0; i < 5; i++) cut.seal("a", [`skipped ${i}`])
  cut.open("b", cut.seal("a", ["third chain"]), SHOWN)
  const [lost, kept] = [tail[2] as string, tail[3] as string]
  const mutation = context("envelope", lost)
  cut.refuse("b", "session/replay", lost, mutation, cut.steps.length + 1)
  cut.open("b", kept)
  for (const envelope of gap) cut.open("b", envelope)
  const older = "the rest of the old chain is stored before the gap of the new one"
  const which = "a key of the old chain, driven out before those of the new chain's gap"
  add(39, "session/replay", "SESSION-15 SESSION-17", which, cut, older)

  // The clock was 6 days ahead for the first chain: the keys of the second end before.
  const clocks = new Play(1, ["a"])
  const first = clocks.seal("a", ["zero"])
  clocks.skip("a", 999)
  clocks.now += 6 * DAY
  clocks.open("b", clocks.seal("a", ["last of the first chain"]))
  clocks.open("a", clocks.seal("b", ["answer"]))
  clocks.now -= 6 * DAY
  clocks.seal("a", ["one"])
  clocks.skip("a", 999)
  clocks.open("b", clocks.seal("a", ["last of the second chain"]), SHOWN)
  clocks.open("a", clocks.seal("b", ["answer"]))
  clocks.now += LIFETIME
  for (let i = 0; i < 5; i++) clocks.seal("a", [`skipped ${i}`])
  clocks.open("b", clocks.seal("a", ["third chain"]), SHOWN)
  clocks.open("b", first, SHOWN)
  const title = "keys past their time make room before any other is driven out"
  add(13, "ok", "SESSION-16 SESSION-17", title, clocks)
}
