// Vectors of SPEC §10 session.

import { toHex } from "../../src/bytes.ts"
import type { Suite } from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import type { Case } from "../driver.ts"
import { application, Flight, forge } from "./flight.ts"
import { Book, filled, flip } from "./kit.ts"
import { SEEDS } from "./people.ts"
import { Play } from "./play.ts"
import { LOW_ORDER_U, NON_CANONICAL_U } from "./points.ts"
import { bstr, NULL, uint } from "./raw.ts"

type Add = (n: number, code: string, req: string, title: string, play: Play, why?: string) => Case

/** Writes all cases of this section. */
export function createSessionBook(): Book {
  const book = new Book("session")
  for (const suite of [1, 2] as const) {
    const needs = suite === 1 ? ["deterministic"] : ["deterministic", "suite-2"]
    const add: Add = (n, code, req, title, play, why) =>
      book.steps(n + 100 * (suite - 1), code, req, `${title}, suite ${suite}`, play.steps, {
        needs,
        ...(why ? { why } : {}),
      })
    transcripts(add, suite)
    replays(add, suite)
    limits(add, suite)
    blocks(add, suite)
    forgeries(add, suite)
  }
  chainEnd(book)
  return book
}

function transcripts(add: Add, suite: Suite): void {
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

function replays(add: Add, suite: Suite): void {
  const once = "a key opens one envelope"
  const again = { level: "context", field: "state", put: "after the same envelope" } as const
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
  old.refuse(
    "b",
    "session/replay",
    waits,
    { level: "context", field: "now", put: late },
    old.steps.length + 1,
    late,
  )
  old.open("b", waits)
  add(
    23,
    "session/replay",
    "SESSION-16",
    "a stored key after 7 days",
    old,
    "stored keys are a risk",
  )

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
    { level: "context", field: "envelope", put: early[2] as string },
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
  gone.refuse(
    "b",
    "envelope/open",
    oldest,
    { level: "context", field: "envelope", put: oldest },
    gone.steps.length - 1,
  )
  add(
    27,
    "envelope/open",
    "SESSION-10 SESSION-11",
    "an envelope of a chain older than four retired",
    gone,
    "it looks like a new chain",
  )
}

function limits(add: Add, suite: Suite): void {
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

function blocks(add: Add, suite: Suite): void {
  const step = "the peer sent as many as we accepted"
  const due = new Play(suite)
  const [first, second] = [due.seal("a", ["one"]), due.seal("a", ["two"], 1)]
  due.open("b", first)
  due.refuseItem("b", "envelope/open", second, [0, 2, 0], bstr(filled(9, 32)))
  add(
    50,
    "envelope/open",
    "SESSION-11",
    "a new block while a step is due",
    due,
    "the peer cannot have stepped again before we did",
  )

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

  // The same said by an insider, whose header is signed and sealed: only the rule refuses it.
  const insider = (n: number, title: string, pn: number, accepted: number) => {
    const play = new Play(suite, ["a"])
    for (let i = 0; i < accepted; i++) play.open("b", play.seal("a", [`${i}`], i))
    if (accepted > 0) play.open("a", play.seal("b", ["answer"]))
    const genuine = new Play(suite, ["a"])
    for (let i = 0; i < accepted; i++) genuine.open("b", genuine.seal("a", [`${i}`], i))
    if (accepted > 0) genuine.open("a", genuine.seal("b", ["answer"]))
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

  const junk = new Play(suite)
  junk.confirm()
  const genuine = junk.seal("a", ["genuine"])
  const far = replaceItem(replaceItem(genuine, [0, 4], uint(999)), [0, 3], uint(1000))
  junk.refuseOther("b", "envelope/open", far, genuine, "a new block with n 999 and pn 1,000")
  add(
    66,
    "envelope/open",
    "SESSION-19 HANDSHAKE-41",
    "junk that asks for most work",
    junk,
    "nothing is stored for it",
  )
}

function forgeries(add: Add, suite: Suite): void {
  const sealed = "the tag covers header and plaintext"
  const confirmed = (): { play: Play; genuine: string } => {
    const play = new Play(suite)
    play.confirm()
    return { play, genuine: play.seal("a", ["genuine"]) }
  }
  const bytes = (n: number, offset: number, title: string) => {
    const { play, genuine } = confirmed()
    play.refuseBytes("b", "envelope/open", genuine, flip("envelope", offset))
    add(n, "envelope/open", "SESSION-14 SESSION-19", title, play, sealed)
  }
  bytes(70, -1, "last byte of the tag")
  bytes(71, -17, "last byte of the ciphertext")
  bytes(72, -272, "first byte of the ciphertext")
  const items = (n: number, path: readonly number[], put: string, title: string) => {
    const { play, genuine } = confirmed()
    play.refuseItem("b", "envelope/open", genuine, path, put)
    add(n, "envelope/open", "SESSION-14 SESSION-19", title, play, sealed)
  }
  items(73, [0, 5], bstr(filled(1, 16)), "another guard")
  items(74, [0, 4], uint(1), "another n")
  items(75, [0, 2, 0], bstr(filled(9, 32)), "another block")
  items(76, [1], bstr(filled(0, 272)), "ciphertext of zeros")
  if (suite === 2) items(77, [0, 2, 2], bstr(filled(9, 1088)), "another kem-ct in the block")
  if (suite === 2) items(78, [0, 2, 1], bstr(filled(0, 1184)), "another ek in the block")

  const reflected = new Play(suite)
  reflected.confirm()
  const own = reflected.seal("a", ["to b"])
  const theirs = reflected.seal("b", ["to a"], 1)
  reflected.refuseOther("a", "envelope/open", own, theirs, "its own envelope")
  add(
    80,
    "envelope/open",
    "SESSION-14",
    "an envelope reflected to its sender",
    reflected,
    "names and direction are signed",
  )

  const moved = new Play(suite)
  moved.confirm()
  const here = moved.seal("a", ["in this session"], 1)
  const there = new Flight(suite, false, { again: true }).seal([application("in another session")])
  const swapped = replaceItem(here, [1], itemAt(there.envelope, [1]))
  moved.refuseOther(
    "b",
    "envelope/open",
    swapped,
    here,
    "the ciphertext of another session of the pair",
  )
  add(
    79,
    "envelope/open",
    "SESSION-14 KEYSCHEDULE-2",
    "moved to another session of the same pair",
    moved,
    "TH is in key, tag and signature",
  )

  const mixed = new Play(suite)
  mixed.confirm()
  const [one, two] = [mixed.seal("a", ["one"], 1), mixed.seal("a", ["two"], 2)]
  mixed.refuseOther(
    "b",
    "envelope/open",
    replaceItem(one, [1], itemAt(two, [1])),
    one,
    "header of one, ciphertext of the next",
  )
  mixed.open("b", two)
  add(
    81,
    "envelope/open",
    "SESSION-14",
    "header of one envelope, ciphertext of another",
    mixed,
    sealed,
  )

  const forged = (n: number, title: string, forgery: Parameters<typeof forge>[1]) => {
    const play = new Play(suite, ["a"])
    const genuine = play.seal("a", ["genuine"])
    const parts = play.flight.parts([application("genuine")])
    play.refuseOther("b", "envelope/open", forge(parts, forgery), genuine, title)
    add(
      n,
      "envelope/open",
      "ENVELOPE-13 SESSION-19",
      title,
      play,
      "who knows the session keys cannot sign",
    )
  }
  const { mallory, bob } = new Play(suite).flight
  forged(82, "sealed with the right key, signed by another", { ikSecret: mallory.own.ikSecret })
  forged(83, "sealed with the right key, signed by the recipient", { ikSecret: bob.own.ikSecret })
  forged(84, "signature over another content", { signed: { contents: [application("other")] } })
  forged(85, "signature for another session", { signed: { th: new Uint8Array(32) } })
  forged(86, "signature for another recipient", { signed: { recipient: "carol" } })
  forged(87, "signature over another header", { signed: { header: new Uint8Array(1) } })

  const wrong = new Play(suite)
  const m = wrong.seal("a", ["hello"])
  wrong.refuseBytes("b", "envelope/open", m, flip("envelope", -1))
  wrong.open("a", wrong.seal("b", ["answer"], 1))
  add(
    88,
    "envelope/open",
    "SESSION-19",
    "a damaged first envelope, then the genuine one",
    wrong,
    "junk costs nothing",
  )

  const stored = new Play(suite)
  const held = stored.seal("a", ["held back"])
  stored.open("b", stored.seal("a", ["first"], 1))
  stored.refuseBytes("b", "envelope/open", held, flip("envelope", -1))
  add(
    89,
    "envelope/open",
    "SESSION-19",
    "a damaged envelope with a stored key: the key stays",
    stored,
    "junk costs nothing",
  )
}

/** 1,000 envelopes in one chain, and no more. */
function chainEnd(book: Book): void {
  const play = new Play(1, ["b"])
  const contents = [toHex(application("again"))]
  const args = { session: "$a", contents }
  play.steps.push({ op: "session.seal", args, times: 1000, state: "committed" })
  const put = "after 1,000 envelopes"
  play.steps.push({
    op: "session.seal",
    args,
    expect: "session/chain-limit",
    mutation: { level: "context", field: "state", put },
    twin: 1,
    state: "unchanged",
  })
  book.steps(
    90,
    "session/chain-limit",
    "SESSION-2",
    "the 1,001st envelope of a chain",
    play.steps,
    { needs: ["deterministic"], why: "a chain ends, a new session begins" },
  )
}
