// Vectors of SPEC §10 session: headers that cannot be right.

import type { Suite } from "../../src/suite.ts"
import { replaceItem } from "../cbor.ts"
import { filled } from "./kit.ts"
import { Play } from "./play.ts"
import { LOW_ORDER_U, NON_CANONICAL_U } from "./points.ts"
import { bstr, NULL, uint } from "./raw.ts"
import type { Add } from "./session-add.ts"

/** Adds numbers beyond the limits, and headers of no session. */
export function limits(add: Add, suite: Suite): void {
  const work = "it bounds the work"
  const item = (
    n: number,
    code: string,
    req: string,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
  ) => {
    const play = new Play(suite)
    play.confirm()
    play.refuseItem("b", code, play.seal("a", ["genuine"]), path, put)
    add(n, code, req, title, play, why)
  }
  item(40, "session/chain-limit", "SESSION-8", [0, 4], uint(1000), "n = 1,000", work)
  item(41, "session/chain-limit", "SESSION-8", [0, 4], uint(2n ** 53n - 1n), "largest n", work)
  item(42, "session/chain-limit", "SESSION-8", [0, 3], uint(1001), "pn = 1,001", work)
  item(
    43,
    "session/unknown",
    "SESSION-7",
    [0, 1],
    bstr(filled(0x55, 16)),
    "a sid of no session",
    "there is no key for it",
  )
  const form = "KEM fields are null exactly in suite 1"
  if (suite === 1) {
    item(44, "encoding/shape", "SESSION-8", [0, 2, 1], bstr(filled(1, 1184)), "ek in a block", form)
    item(
      45,
      "encoding/shape",
      "SESSION-8",
      [0, 2, 2],
      bstr(filled(1, 1088)),
      "kem-ct in a block",
      form,
    )
  } else {
    item(44, "encoding/shape", "SESSION-8", [0, 2, 1], NULL, "no ek in a block", form)
    item(45, "encoding/shape", "SESSION-8", [0, 2, 2], NULL, "no kem-ct in a block", form)
  }
  item(
    46,
    "envelope/version",
    "ENVELOPE-11",
    [0, 0],
    uint(2),
    "version 2 in a session",
    "later versions may have any other shape",
  )
}

const AHEAD = "the peer cannot have stepped again before we did"

/** Adds new chains that the peer cannot have begun. */
export function blocks(add: Add, suite: Suite): void {
  const step = "the peer sent as many as we accepted"
  const due = new Play(suite)
  const [first, second] = [due.seal("a", ["one"]), due.seal("a", ["two"], 1)]
  due.open("b", first)
  due.refuseItem("b", "envelope/open", second, [0, 2, 0], bstr(filled(9, 32)))
  add(50, "envelope/open", "SESSION-11", "a new block while a step is due", due, AHEAD)

  const fewer = new Play(suite)
  fewer.open("b", fewer.seal("a", ["one"]))
  fewer.open("b", fewer.seal("a", ["two"], 1))
  fewer.open("a", fewer.seal("b", ["three"], 2))
  fewer.refuseItem("b", "envelope/open", fewer.seal("a", ["four"], 3), [0, 3], uint(1))
  add(51, "envelope/open", "SESSION-12", "pn below what was accepted", fewer, step)

  const before = new Play(suite)
  before.open("b", before.seal("a", ["one"]))
  before.refuseItem("a", "envelope/open", before.seal("b", ["two"], 1), [0, 3], uint(1))
  add(52, "envelope/open", "SESSION-12", "pn where no chain was before", before, step)

  const more = new Play(suite)
  more.confirm()
  more.refuseItem("b", "envelope/open", more.seal("a", ["three"], 2), [0, 3], uint(1000))
  add(
    53,
    "envelope/open",
    "SESSION-14 SESSION-19",
    "pn raised to 1,000",
    more,
    "the tag covers the header",
  )

  insiders(add, suite, step)
  badKeys(add, suite)
  junk(add, suite)
}

function insiders(add: Add, suite: Suite, step: string): void {
  // The same said by an insider, whose header is signed and sealed: only the rule refuses it.
  const insider = (n: number, title: string, pn: number, accepted: number) => {
    const begun = (): Play => {
      const one = new Play(suite, ["a"])
      for (let i = 0; i < accepted; i++) one.open("b", one.seal("a", [`${i}`], i))
      if (accepted > 0) one.open("a", one.seal("b", ["answer"]))
      return one
    }
    const [play, genuine] = [begun(), begun()]
    const right = genuine.seal("a", ["new chain"])
    play.seal("a", ["the step"])
    play.say("a", pn)
    const wrong = play.seal("a", ["new chain"])
    play.refuse(
      "b",
      "envelope/open",
      wrong,
      { level: "field", field: "envelope", put: title },
      play.steps.length + 1,
    )
    play.steps.push({
      op: "session.open",
      args: { session: "$b", envelope: right, now: play.now },
      state: "committed",
    })
    add(n, "envelope/open", "SESSION-12", title, play, step)
  }
  insider(67, "an insider's pn below what was accepted", 1, 2)
  insider(68, "an insider's pn where no chain was before", 1, 0)

  const twice = new Play(suite, ["a"])
  const opening = twice.open("b", twice.seal("a", ["first step"]))
  twice.restep("a")
  const put = "a second chain before the first was answered"
  twice.refuse(
    "b",
    "envelope/open",
    twice.seal("a", ["second step"]),
    { level: "field", field: "envelope", put },
    opening,
  )
  add(
    69,
    "envelope/open",
    "SESSION-11 SESSION-21",
    "two steps in a row by an insider",
    twice,
    "the key that it answers is gone",
  )
}

function badKeys(add: Add, suite: Suite): void {
  const bad = (n: number, path: readonly number[], put: string, title: string) => {
    const play = new Play(suite)
    play.confirm()
    play.refuseItem("b", "suite/bad-key", play.seal("a", ["genuine"]), path, put)
    add(
      n,
      "suite/bad-key",
      "SESSION-13 KEYSCHEDULE-7",
      title,
      play,
      "keys are judged before they are used",
    )
  }
  for (const [i, [title, key]] of NON_CANONICAL_U.entries())
    bad(54 + i, [0, 2, 0], bstr(key), `new block with ${title}`)
  for (const [i, [title, key]] of LOW_ORDER_U.entries())
    bad(60 + i, [0, 2, 0], bstr(key), `new block of low order, ${title}`)
  if (suite === 2) bad(65, [0, 2, 1], bstr(`ff0f00${filled(0, 1181)}`), "new block whose ek fails")
}

function junk(add: Add, suite: Suite): void {
  const most = new Play(suite)
  most.confirm()
  const genuine = most.seal("a", ["genuine"])
  const far = replaceItem(replaceItem(genuine, [0, 4], uint(999)), [0, 3], uint(1000))
  most.refuseOther("b", "envelope/open", far, genuine, "a new block with n 999 and pn 1,000")
  add(
    66,
    "envelope/open",
    "SESSION-19 HANDSHAKE-41",
    "junk that asks for most work",
    most,
    "nothing is stored for it",
  )
}
