// Vectors of SPEC §10 session: what was opened before, or is kept no longer.

import type { Suite } from "../../src/suite.ts"
import { context } from "./kit.ts"
import { SEEDS } from "./people.ts"
import { Play } from "./play.ts"
import type { Add } from "./session-add.ts"

/** Adds envelopes that come again. */
export function replays(add: Add, suite: Suite): void {
  const once = "a key opens one envelope"
  const again = context("state", "after the same envelope")
  const twice = new Play(suite)
  const first = twice.seal("a", ["hello"])
  twice.refuse("b", "session/replay", first, again, twice.open("b", first))
  add(20, "session/replay", "SESSION-9", "the same envelope again", twice, once)

  const retired = new Play(suite)
  const m = retired.seal("a", ["hello"])
  const at = retired.open("b", m)
  retired.open("a", retired.seal("b", ["answer"], 1))
  retired.open("b", retired.seal("a", ["new chain"], 2))
  retired.refuse("b", "session/replay", m, again, at)
  add(21, "session/replay", "SESSION-10", "again after its chain was retired", retired, once)

  const used = new Play(suite)
  const held = used.seal("a", ["held back"])
  used.open("b", used.seal("a", ["first to arrive"], 1))
  used.refuse("b", "session/replay", held, again, used.open("b", held))
  add(
    22,
    "session/replay",
    "SESSION-9 SESSION-21",
    "again after its stored key was used",
    used,
    once,
  )

  const old = new Play(suite)
  const waits = old.seal("a", ["a week late"])
  old.open("b", old.seal("a", ["in time"], 1))
  const late = old.now + 604_800
  old.now = late - 1
  old.refuse("b", "session/replay", waits, context("now", late), old.steps.length + 1, late)
  old.open("b", waits)
  add(
    23,
    "session/replay",
    "SESSION-16",
    "a stored key after 7 days",
    old,
    "stored keys are a risk",
  )

  cloned(add, suite, once)
  forgotten(add, suite)
}

/** An agent that was copied: both copies use the same numbers. */
function cloned(add: Add, suite: Suite, once: string): void {
  const clone = new Play(suite, ["a"])
  const other = clone.clone("a", "from the clone", SEEDS.carol)
  const genuine = clone.seal("a", ["from the original"])
  const original = clone.open("b", genuine)
  if (suite === 1) {
    // Another draw makes another block as well: the clone is of the time after the first seal.
    const second = new Play(suite, ["a"])
    second.open("b", second.seal("a", ["hello"]))
    const copy = second.clone("a", "from the clone", SEEDS.carol)
    const index = second.open("b", second.seal("a", ["from the original"], 1))
    const put = "the envelope of a clone with the same number"
    second.refuse("b", "session/replay", copy, { level: "field", field: "envelope", put }, index)
    add(
      24,
      "session/replay",
      "SESSION-9 KEYSCHEDULE-6",
      "the second envelope of one number, from a clone",
      second,
      once,
    )
  }
  clone.refuse(
    "b",
    "envelope/open",
    other,
    { level: "field", field: "envelope", put: "another first chain" },
    original,
  )
  add(
    25,
    "envelope/open",
    "SESSION-11",
    "a clone's first chain after the original's",
    clone,
    "the peer cannot have stepped again before we did",
  )
}

/** What a receiver keeps is bounded. */
function forgotten(add: Add, suite: Suite): void {
  const many = new Play(suite, ["a"])
  const early = [0, 1, 2, 3].map((i) => many.seal("a", [`early ${i}`], i))
  for (let chain = 0; chain < 2; chain++) {
    if (chain > 0) many.seal("a", ["x"])
    many.skip("a", 999)
    many.open("b", many.seal("a", ["last"]))
    many.open("a", many.seal("b", ["answer"]))
  }
  for (let i = 0; i < 5; i++) many.seal("a", [`skipped ${i}`])
  many.open("b", many.seal("a", ["after the third gap"]))
  many.refuse(
    "b",
    "session/replay",
    early[2] as string,
    context("envelope", early[2] as string),
    many.steps.length + 1,
  )
  many.open("b", early[3] as string)
  add(
    26,
    "session/replay",
    "SESSION-17",
    "the oldest of more than 2,000 skipped keys",
    many,
    "memory is bounded",
  )

  const gone = new Play(suite)
  const oldest = gone.seal("a", ["held back"])
  gone.open("b", gone.seal("a", ["first chain"], 1))
  for (let i = 0; i < 5; i++) {
    gone.open("a", gone.seal("b", [`b ${i}`]))
    gone.open("b", gone.seal("a", [`a ${i}`]))
  }
  gone.refuse("b", "envelope/open", oldest, context("envelope", oldest), gone.steps.length - 1)
  add(
    27,
    "envelope/open",
    "SESSION-10 SESSION-11",
    "an envelope of a chain older than four retired",
    gone,
    "it looks like a new chain",
  )
}
