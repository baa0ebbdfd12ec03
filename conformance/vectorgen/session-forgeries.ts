// Vectors of SPEC §10 session: what only the seal shows.

import type { Suite } from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import { application, Flight, type Forgery, forge } from "./flight.ts"
import { filled, flip } from "./kit.ts"
import { Play } from "./play.ts"
import { bstr, uint } from "./raw.ts"
import type { Add } from "./session-add.ts"

/** Adds envelopes that were changed, moved, or signed by another. */
export function forgeries(add: Add, suite: Suite): void {
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

  misplaced(add, suite, sealed)
  signedWrongly(add, suite)
  damaged(add, suite)
}

/** Genuine envelopes, and halves of them, where they do not belong. */
function misplaced(add: Add, suite: Suite, sealed: string): void {
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
}

function signedWrongly(add: Add, suite: Suite): void {
  const forged = (n: number, title: string, forgery: Forgery) => {
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
}

function damaged(add: Add, suite: Suite): void {
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
