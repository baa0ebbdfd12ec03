// Vectors of SPEC §11 hub: links are opened.

import { toHex } from "../../src/bytes.ts"
import { encodeHello } from "../../src/hub/frames.ts"
import { replaceItem } from "../cbor.ts"
import { cbor, HubPlay } from "./hub-play.ts"
import { type Add, people } from "./hub-ready.ts"

/** Adds hellos, and what is asked before a link is ready. */
export function openings(add: Add): void {
  const { alice } = people()
  const one = new HubPlay()
  one.login("1", alice)
  one.ping("1")
  one.ask("1", { type: "counts" })
  add(200, "ok", "HUB-26 HUB-27 HUB-32 HUB-34", "a link is opened", one)

  const later = new HubPlay()
  later.frame("1", toHex(encodeHello([7, 1], new Uint8Array(32))))
  add(201, "ok", "HUB-26", "a hello that also lists a later version", later)

  const again = new HubPlay()
  again.login("1", alice)
  again.login("2", alice)
  again.ping("1")
  again.ping("2")
  add(202, "ok", "HUB-33", "a second link of a name replaces the first, which is told", again)

  const restart = new HubPlay()
  restart.login("1", alice)
  restart.publish("1", alice)
  restart.restart()
  restart.login("2", alice)
  restart.ask("2", { type: "counts" })
  add(203, "ok", "HUB-52", "bundle and name after a restart", restart)

  const none = new HubPlay()
  const hello = toHex(encodeHello([1], new Uint8Array(32)))
  none.refuseFrame("1", "hub/version", replaceItem(hello, [2], "8102"), 2)
  none.frame("2", hello)
  none.frame("1", hello)
  add(
    204,
    "hub/version",
    "HUB-26",
    "no common version, then the link is closed",
    none,
    "nothing could be said",
  )

  const failing = new HubPlay()
  const auth = failing.auth(alice, failing.hello("1", alice))
  const fault = {
    level: "context",
    field: "frame",
    put: auth,
    with: { link: "1", fail: true },
  } as const
  failing.refuse("1", "hub/internal", auth, fault, failing.steps.length + 2, { fail: true })
  const bob = failing.hello("2", people().bob)
  failing.frame("2", failing.auth(people().bob, bob))
  failing.ping("1")
  failing.login("3", alice)
  failing.ping("3")
  add(
    369,
    "hub/internal",
    "HUB-15 HUB-32",
    "a store that fails at an auth: nothing is bound, and the link is closed",
    failing,
    "no READY without a durable write",
  )

  const early = (n: number, title: string, frame: string, greeted: boolean) => {
    const play = new HubPlay()
    const who = people().alice
    if (greeted) play.hello("1", who)
    const ready = play.steps.length + 1
    play.refuseFrame("1", "hub/auth-required", frame, ready + 1)
    const at = play.hello("2", who)
    play.frame("2", play.auth(who, at))
    play.frame("1", cbor([16, 1]))
    add(n, "hub/auth-required", "HUB-3 HUB-21", title, play, "nobody is authenticated")
  }
  early(205, "a request first, then the link is closed", cbor([16, 1]), false)
  early(206, "a request after the welcome", cbor([16, 1]), true)
  early(
    207,
    "auth without a hello",
    cbor([3, 0, "alice", new Uint8Array(32), new Uint8Array(64)]),
    false,
  )
  early(208, "a second hello", hello, true)
  early(209, "a type of hubs before auth", cbor([4, 0, [0, [], null]]), false)
  early(210, "an unknown type before auth", cbor([99, 1]), true)

  const shape = (n: number, title: string, frame: string) => {
    const play = new HubPlay()
    play.refuseFrame("1", "hub/malformed", frame, 2)
    play.frame("2", hello)
    play.frame("1", hello)
    add(n, "hub/malformed", "HUB-20 HUB-25", title, play, "a link that is not ready is closed")
  }
  shape(211, "a hello without a version", replaceItem(hello, [2], "80"))
  shape(212, "a hello of another rid", replaceItem(hello, [1], "01"))
  shape(213, "garbage as hello", "ff")
  shape(214, "an empty frame", "")
}
