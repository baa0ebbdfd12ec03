// Vectors of SPEC §11 hub: bundles and one-time keys, put and fetched.

import { fromHex } from "../../src/bytes.ts"
import { custom } from "./bundle-made.ts"
import { HubPlay, words } from "./hub-play.ts"
import { type Add, asking, people, publishing, ready, renamed, stocking } from "./hub-ready.ts"
import { context } from "./kit.ts"
import { NOW, type Person } from "./people.ts"

/** Adds what PUT_BUNDLE takes. */
export function bundles(add: Add): void {
  const bad = (n: number, title: string, make: (alice: Person) => Uint8Array) => {
    const { play, alice } = ready()
    const good = alice.bundle({ suites: [1], seq: NOW + 9 })
    play.deny("1", "hub/bad-bundle", publishing(make(alice)), words(title))
    play.ask("1", publishing(good.bytes))
    add(n, "hub/bad-bundle", "HUB-36", title, play, "the hub serves only what verifies")
  }
  bad(270, "a bundle with a bad signature", (alice) => {
    const { bytes } = alice.bundle({ suites: [1], seq: NOW + 5 })
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
    return bytes
  })
  bad(271, "a bundle of another agent", () => people().mallory.bundle({ suites: [1] }).bytes)
  bad(
    272,
    "a bundle of the name by another key",
    () => renamed(people().mallory, "alice").bundle({ suites: [1] }).bytes,
  )
  bad(
    273,
    "a bundle of the key under another name",
    (alice) => renamed(alice, "malice").bundle({ suites: [1] }).bytes,
  )
  bad(
    274,
    "an expired bundle",
    (alice) => alice.bundle({ suites: [1], now: NOW - 60 * 86_400, seq: NOW + 5 }).bytes,
  )
  bad(
    275,
    "a bundle of tomorrow",
    (alice) => alice.bundle({ suites: [1], now: NOW + 86_400, seq: NOW + 5 }).bytes,
  )
  bad(
    276,
    "no bundle at all",
    () => new Uint8Array([0x82, 0x41, 0x00, 0x58, 0x40, ...new Uint8Array(64)]),
  )

  const stale = (n: number, title: string, seq: number) => {
    const { play, alice } = ready()
    const old = alice.bundle({ suites: [1], seq })
    play.deny("1", "hub/bundle-stale", publishing(old.bytes), words(title))
    play.ask("1", publishing(alice.bundle({ suites: [1], seq: NOW + 1 }).bytes))
    add(
      n,
      "hub/bundle-stale",
      "HUB-37",
      title,
      play,
      "an older bundle would bring old prekeys back",
    )
  }
  stale(277, "a lower seq than the stored one", NOW - 1)
  stale(278, "the stored seq with another body", NOW)

  const { alice, bob } = people()
  const same = new HubPlay()
  same.login("1", alice)
  const request = publishing(alice.bundle({ suites: [1] }).bytes)
  same.ask("1", request)
  same.ask("1", request, { state: "unchanged" })
  add(279, "ok", "HUB-37", "the same bundle again", same)

  const failing = new HubPlay()
  failing.login("1", bob)
  const frame = failing.encode("1", publishing(bob.bundle({ suites: [1] }).bytes))
  failing.refuse("1", "hub/internal", frame, context("fail", true), failing.steps.length + 1, {
    fail: true,
  })
  failing.frame("1", frame)
  add(
    280,
    "hub/internal",
    "HUB-14 HUB-15",
    "a store that fails: nothing changes, the link stays",
    failing,
    "no OK without a durable write",
  )
}

/** Adds what PUT_ONE_TIME takes. */
export function oneTime(add: Add): void {
  const bad = (n: number, title: string, make: (alice: Person) => readonly Uint8Array[]) => {
    const { play, alice } = ready()
    play.deny("1", "hub/bad-bundle", stocking(make(alice)), words(title))
    play.keys("1", alice, 1)
    play.ask("1", { type: "counts" })
    add(n, "hub/bad-bundle", "HUB-38", title, play, "all keys are accepted or none")
  }
  bad(290, "one key of two has a bad signature", (alice) => {
    const keys = [alice.oneTime(1).bytes, alice.oneTime(1).bytes]
    const last = keys[1] as Uint8Array
    last[last.length - 1] = (last[last.length - 1] as number) ^ 1
    return keys
  })
  bad(291, "a key of another agent", () => [people().mallory.oneTime(1).bytes])
  bad(292, "a key of the name by another ik", () => [
    renamed(people().mallory, "alice").oneTime(1).bytes,
  ])
  bad(293, "one key twice in the list", (alice) => {
    const { bytes } = alice.oneTime(1)
    return [bytes, bytes]
  })
  bad(294, "an expired key", (alice) => [alice.oneTime(1, NOW - 60 * 86_400).bytes])

  const { play, alice } = ready()
  const keys = play.keys("1", alice, 1)
  play.deny("1", "hub/bad-bundle", stocking(keys), words("a key seen before"))
  play.keys("1", alice, 1)
  add(
    295,
    "hub/bad-bundle",
    "HUB-38",
    "a key that was published before",
    play,
    "a used key must not come back",
  )

  const dropped = ready()
  dropped.play.keys("1", dropped.alice, 3)
  dropped.play.keys("1", dropped.alice, 1, true)
  dropped.play.ask("1", { type: "counts" })
  dropped.play.ask("2", asking("alice"))
  dropped.play.ask("2", { type: "counts" })
  add(296, "ok", "HUB-40", "drop deletes the pool first", dropped.play)

  const pool = ready()
  for (let i = 0; i < 5; i++) pool.play.keys("1", pool.alice, 100)
  const over = pool.alice.oneTime(1).bytes
  const request = stocking([over])
  pool.play.deny("1", "hub/too-large", request, words("without drop"))
  pool.play.ask("1", stocking([over], true))
  add(
    297,
    "hub/too-large",
    "HUB-39",
    "the 501st one-time key of a pool",
    pool.play,
    "a pool is bounded",
  )
}

/** Adds what GET_BUNDLE and LIST give. */
export function fetches(add: Add): void {
  const { play, bob } = ready()
  play.keys("2", bob, 3)
  play.ask("1", asking("bob"))
  play.ask("1", asking("bob"))
  play.ask("1", asking("bob", []))
  play.ask("1", asking("alice"))
  play.ask("1", asking("bob", [2]))
  play.now += 60
  play.ask("1", asking("bob"))
  play.now += 1
  play.ask("1", asking("bob"))
  add(
    300,
    "ok",
    "HUB-41 HUB-42 HUB-43 HUB-44 HUB-46",
    "bundle, reserved key, receipt; a fresh key after 60 s",
    play,
  )

  const two = ready()
  const { carol } = people()
  two.play.keys("2", two.bob, 2)
  two.play.login("3", carol)
  two.play.ask("1", asking("bob"))
  two.play.ask("3", asking("bob"))
  two.play.restart()
  two.play.login("4", two.alice)
  two.play.ask("4", asking("bob"))
  add(
    301,
    "ok",
    "HUB-45 HUB-52",
    "no key is served to two agents, not even after a restart",
    two.play,
  )

  const many = ready()
  many.play.keys("2", many.bob, 8)
  for (let i = 0; i < 7; i++) {
    many.play.ask("1", asking("bob"))
    many.play.now += 61
  }
  for (const seconds of [3600, 3601]) {
    many.play.now = NOW + seconds
    many.play.ask("1", asking("bob"))
  }
  add(302, "ok", "HUB-44", "the seventh fresh key within an hour is none", many.play)

  const ending = ready()
  const [kept, gone] = [
    ending.bob.oneTime(1, NOW + 100 - 59 * 86_400),
    ending.bob.oneTime(1, NOW + 100 - 59 * 86_400),
  ]
  ending.play.ask("2", stocking([kept.bytes, gone.bytes]))
  ending.play.now = NOW + 100
  ending.play.ask("1", asking("bob"))
  ending.play.now = NOW + 161
  ending.play.ask("1", asking("bob"))
  ending.play.ask("2", { type: "counts" })
  add(306, "ok", "HUB-42 HUB-44", "a key in the pool is served until its not-after", ending.play)

  const other = ready()
  other.play.publish("2", other.bob, { suites: [1, 2], seq: NOW + 1 })
  other.play.keys("2", other.bob, 1)
  other.play.ask("1", asking("bob", [2, 1]))
  other.play.ask("1", asking("bob", [3, 1]))
  add(341, "ok", "HUB-42", "the first suite that is offered, and no other in its place", other.play)

  const later = ready()
  const x = (i: number): Uint8Array => new Uint8Array(32).fill(i)
  const prekeys = [
    [1, x(9), null],
    [3, x(8)],
  ]
  later.play.ask("2", publishing(fromHex(custom(later.bob, { 4: NOW + 1 }, prekeys))))
  later.play.keys("2", later.bob, 1)
  later.play.ask("2", { type: "counts" })
  later.play.ask("1", asking("bob", [3, 1]))
  later.play.ask("1", asking("bob", [4, 2, 1]))
  add(371, "ok", "HUB-42 HUB-13", "a suite that only a later version knows", later.play)

  const suites = ready()
  suites.play.publish("2", suites.bob, { suites: [1, 2], seq: NOW + 1 })
  suites.play.ask("2", stocking([suites.bob.oneTime(1).bytes, suites.bob.oneTime(2).bytes]))
  for (const wanted of [[1], [2, 1], [1], [2]]) suites.play.ask("1", asking("bob", wanted))
  add(372, "ok", "HUB-43 HUB-44", "a reservation of each suite", suites.play)

  const none = ready()
  none.play.deny("1", "hub/no-such-agent", asking("carol"), words("a name without a bundle"))
  none.play.ask("1", asking("bob"))
  add(
    303,
    "hub/no-such-agent",
    "HUB-41",
    "the bundle of an unknown name",
    none.play,
    "there is nothing to serve",
  )

  const low = ready()
  low.play.keys("2", low.bob, 21)
  low.play.ask("1", asking("bob"))
  add(304, "ok", "HUB-44", "the owner is told when 20 keys are left", low.play)

  const listed = ready()
  listed.play.ask("1", { type: "list", after: "" })
  listed.play.ask("1", { type: "list", after: "alice" })
  listed.play.ask("1", { type: "list", after: "zoe" })
  add(305, "ok", "HUB-13", "names in order, each greater than after", listed.play)
}
