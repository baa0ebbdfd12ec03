// Vectors of SPEC §11 hub: who may not log in.

import { toHex } from "../../src/bytes.ts"
import { encodeHello } from "../../src/hub/frames.ts"
import { replaceItem } from "../cbor.ts"
import { hubKey } from "./hub-key.ts"
import { cbor, HubPlay } from "./hub-play.ts"
import { type Add, people, renamed } from "./hub-ready.ts"
import { SMALL_ORDER_KEYS } from "./points.ts"
import { bstr, tstr } from "./raw.ts"

/** Adds auths that prove nothing, and names that are taken. */
export function refusedAuths(add: Add): void {
  const names = people()
  const refuse = (
    n: number,
    code: string,
    req: string,
    title: string,
    why: string,
    make: (play: HubPlay, at: { hello: Uint8Array; welcome: Uint8Array }) => string,
    before?: (play: HubPlay) => void,
  ) => {
    const play = new HubPlay()
    before?.(play)
    const at = play.hello("x", names.alice)
    const frame = make(play, at)
    play.refuseFrame("x", code, frame, play.steps.length + 2)
    const again = play.hello("y", names.alice)
    play.frame("y", play.auth(names.alice, again))
    play.frame("x", cbor([16, 1]))
    add(n, code, req, title, play, why)
  }
  const proof = "only then is the sender known"
  refuse(220, "hub/auth-failed", "HUB-28", "auth with a changed signature", proof, (play, at) => {
    const auth = play.auth(names.alice, at)
    return auth.slice(0, -2) + (auth.endsWith("00") ? "01" : "00")
  })
  refuse(221, "hub/auth-failed", "HUB-28", "an auth replayed on another link", proof, (play, at) =>
    play.auth(names.alice, { ...at, welcome: new Uint8Array(at.welcome).fill(1, 60, 61) }),
  )
  refuse(
    222,
    "hub/auth-failed",
    "HUB-28",
    "a challenge relayed from another hub",
    proof,
    (play, at) => play.auth(names.alice, at, hubKey(new Uint8Array(32).fill(0x66)).ik),
  )
  refuse(223, "hub/auth-failed", "HUB-28", "auth for another hello", proof, (play, at) =>
    play.auth(names.alice, { ...at, hello: encodeHello([1], new Uint8Array(32)) }),
  )
  refuse(224, "hub/auth-failed", "HUB-28", "a name of the wrong form", proof, (play, at) =>
    play.auth(renamed(names.alice, "Alice"), at),
  )
  refuse(225, "hub/auth-failed", "HUB-28", "auth signed by another key", proof, (play, at) =>
    replaceItem(
      play.auth(renamed(names.mallory, "alice"), at),
      [3],
      bstr(toHex(names.alice.own.ik)),
    ),
  )
  refuse(226, "hub/auth-failed", "HUB-28", "another name than the signed one", proof, (play, at) =>
    replaceItem(play.auth(names.alice, at), [2], tstr("malice")),
  )
  refuse(227, "hub/auth-failed", "HUB-28 SUITE-9", "ik of small order", proof, (play, at) =>
    replaceItem(play.auth(names.alice, at), [3], bstr(SMALL_ORDER_KEYS[0] as string)),
  )
  refuse(239, "hub/auth-failed", "HUB-28 SUITE-9", "ik of small order, valid", proof, (play, at) =>
    replaceItem(
      replaceItem(play.auth(names.alice, at), [3], bstr(SMALL_ORDER_KEYS[0] as string)),
      [4],
      bstr(`${SMALL_ORDER_KEYS[0]}${"00".repeat(32)}`),
    ),
  )
  refuse(
    228,
    "hub/name-taken",
    "HUB-29",
    "a name bound to another key",
    "a name is never rebound",
    (play, at) => play.auth(renamed(names.mallory, "bob"), at),
    (play) => play.login("1", names.bob),
  )
  refuse(
    229,
    "hub/auth-failed",
    "HUB-30",
    "a second name for one key",
    "an identity has one name",
    (play, at) => play.auth(renamed(names.bob, "rob"), at),
    (play) => play.login("1", names.bob),
  )
  refuse(
    230,
    "hub/malformed",
    "HUB-25",
    "auth of another shape",
    "a frame has one shape",
    (play, at) => replaceItem(play.auth(names.alice, at), [4], bstr("00")),
  )

  const full = new HubPlay({}, { maxNames: 1 })
  full.login("1", names.alice)
  const at = full.hello("2", names.bob)
  const frame = full.auth(names.bob, at)
  full.refuseFrame("2", "hub/rate-limited", frame, 2)
  full.login("3", names.alice)
  add(
    231,
    "hub/rate-limited",
    "HUB-31",
    "a hub that accepts no further names",
    full,
    "a hub's memory is bounded",
  )

  const bound = new HubPlay()
  bound.login("1", names.alice)
  bound.restart()
  const next = bound.hello("2", names.mallory)
  const taken = bound.auth(renamed(names.mallory, "alice"), next)
  bound.refuseFrame("2", "hub/name-taken", taken, 2)
  add(
    232,
    "hub/name-taken",
    "HUB-32 HUB-52",
    "a name stays bound after a restart",
    bound,
    "nothing unbinds a name",
  )
}
