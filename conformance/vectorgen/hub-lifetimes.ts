// Vectors of SPEC §11 hub: what ends with its time, what does not, and a clock that was set back.

import { HubPlay, words } from "./hub-play.ts"
import { asking, people, publishing, ready, sending, stocking } from "./hub-ready.ts"
import { type Book, context } from "./kit.ts"
import { NOW, type Person } from "./people.ts"

const DAY = 86_400
const NEEDS = ["deterministic", "role-hub"]

/** A one-time key of suite 1 with this not-after. */
const ending = (who: Person, notAfter: number): Uint8Array =>
  who.oneTime(1, notAfter - 59 * DAY).bytes

/** Adds the cases. */
export function lifetimeCases(book: Book): void {
  bundlesAndKeys(book)
  clocksSetBack(book)
}

function bundlesAndKeys(book: Book): void {
  const { alice } = people()
  const old = new HubPlay()
  old.login("1", alice)
  // Its not-after is NOW - 200, which counts until 300 s later (BUNDLE-18).
  const request = publishing(alice.bundle({ suites: [1], now: NOW - 900, lifetime: 700 }).bytes)
  old.ask("1", request)
  old.now = NOW + 100
  old.ask("1", request, { state: "unchanged" })
  old.now = NOW + 101
  old.deny("1", "hub/bad-bundle", request, words("after its time"))
  old.ask("1", publishing(alice.bundle({ suites: [1], seq: NOW + 1 }).bytes))
  const again = "the same bundle again is OK until it is expired"
  const whyAgain = "the checks come in the order written"
  book.steps(357, "hub/bad-bundle", "HUB-36 HUB-37", again, old.steps, {
    ...{ needs: NEEDS, why: whyAgain },
  })

  const full = ready()
  const many = (count: number) => Array.from({ length: count }, () => full.alice.oneTime(1).bytes)
  for (let i = 0; i < 4; i++) full.play.ask("1", stocking(many(100)))
  full.play.ask("1", stocking([ending(full.alice, NOW + 100), ...many(99)]))
  full.play.now = NOW + 100
  const frame = full.play.encode("1", stocking(many(1)))
  const there = context("now", full.play.now) // at exactly its not-after it is still there
  full.play.refuse("1", "hub/too-large", frame, there, full.play.steps.length + 1)
  full.play.now += 1
  full.play.frame("1", frame)
  full.play.ask("1", { type: "counts" })
  const room = "a key past its not-after makes room in a full pool"
  const whyRoom = "a pool is bounded"
  book.steps(358, "hub/too-large", "HUB-39", room, full.play.steps, { needs: NEEDS, why: whyRoom })

  const empty = ready()
  empty.play.keys("2", empty.bob, 1)
  empty.play.ask("1", asking("bob"))
  empty.play.ask("2", stocking([], true))
  empty.play.ask("1", asking("bob"))
  empty.play.keys("2", empty.bob, 1)
  empty.play.ask("1", asking("bob"))
  const drop = "drop deletes reservations, also when the pools are empty"
  book.steps(359, "ok", "HUB-40 HUB-43", drop, empty.play.steps, { needs: NEEDS })

  const late = ready()
  late.play.ask("2", stocking([ending(late.bob, NOW + 100)]))
  late.play.keys("2", late.bob, 1)
  late.play.now = NOW + 100
  late.play.ask("1", asking("bob"))
  late.play.now = NOW + 160
  late.play.ask("1", asking("bob"))
  late.play.now = NOW + 161
  late.play.ask("1", asking("bob"))
  const kept = "a reserved key is served again past its not-after"
  book.steps(360, "ok", "HUB-43", kept, late.play.steps, { needs: NEEDS })

  const repeated = ready()
  repeated.play.keys("2", repeated.bob, 7)
  for (let i = 0; i < 6; i++) {
    repeated.play.ask("1", asking("bob"))
    repeated.play.ask("1", asking("bob"))
    repeated.play.now += 61
  }
  repeated.play.ask("1", asking("bob"))
  const anew = "of six keys an hour only those served anew are counted"
  book.steps(361, "ok", "HUB-43 HUB-44", anew, repeated.play.steps, { needs: NEEDS })

  const seen = ready()
  const used = ending(seen.alice, NOW - 200) // it counts until 300 s later (BUNDLE-28)
  const other = ending(seen.alice, NOW - 200)
  seen.play.ask("1", stocking([used]))
  seen.play.now = NOW + 100
  seen.play.deny("1", "hub/bad-bundle", stocking([used]), words("a key seen before"))
  seen.play.ask("1", stocking([other]))
  const known = "a key that was published before is refused as long as it could be published"
  book.steps(368, "hub/bad-bundle", "HUB-38", known, seen.play.steps, {
    ...{ needs: NEEDS, why: "a used key must not come back" },
  })

  const counted = ready()
  counted.play.ask("2", stocking([ending(counted.bob, NOW + 100)]))
  for (const seconds of [100, 101]) {
    counted.play.now = NOW + seconds
    counted.play.ask("2", { type: "counts" })
  }
  const until = "counts have a one-time key until its not-after"
  book.steps(370, "ok", "HUB-13", until, counted.play.steps, { needs: NEEDS })

  const fewer = ready()
  fewer.play.publish("2", fewer.bob, { suites: [1, 2], seq: NOW + 1 })
  fewer.play.ask("2", stocking([fewer.bob.oneTime(1).bytes, fewer.bob.oneTime(2).bytes]))
  fewer.play.ask("2", { type: "counts" })
  fewer.play.publish("2", fewer.bob, { suites: [1], seq: NOW + 2 })
  fewer.play.ask("2", { type: "counts" })
  fewer.play.login("3", fewer.bob)
  const suites = "counts have an entry for each suite of the stored bundle, and for no other"
  book.steps(362, "ok", "HUB-13 HUB-34", suites, fewer.play.steps, { needs: NEEDS })
}

function clocksSetBack(book: Book): void {
  const bucket = new HubPlay({ "requests-per-s": 1 })
  bucket.login("1", people().alice)
  bucket.now -= 10
  for (let i = 0; i < 2; i++) bucket.ping("1")
  const ping = bucket.encode("1", { type: "ping" })
  bucket.refuse("1", "hub/rate-limited", ping, context("now", bucket.now), bucket.steps.length + 1)
  bucket.now += 1
  bucket.frame("1", ping)
  const tokens = "a clock set back: tokens come again from then on"
  const whyTokens = "one agent must not starve the others"
  book.steps(363, "hub/rate-limited", "HUB-22", tokens, bucket.steps, {
    ...{ needs: NEEDS, why: whyTokens },
  })

  const post = ready({ "ttl-s": 60 }).play
  post.now = NOW + 100
  post.ask("1", sending("bob", 1))
  post.now = NOW
  post.ask("1", sending("bob", 2))
  for (const seconds of [60, 61, 160, 161]) {
    post.now = NOW + seconds
    post.ask("2", { type: "counts" })
  }
  const behind = "a clock set back: mail goes with its time, also before mail of a lower mseq"
  book.steps(364, "ok", "HUB-62", behind, post.steps, { needs: NEEDS })

  const first = ready({ "ttl-s": 60 }).play
  first.now = NOW + 100
  first.ask("1", sending("bob", 1))
  first.now = NOW
  first.ask("1", sending("bob", 2))
  first.ask("2", { type: "ack", mseqs: [1] })
  for (const seconds of [60, 61]) {
    first.now = NOW + seconds
    first.ask("2", { type: "counts" })
  }
  const alone = "a clock set back: mail goes with its time, after an ACK of what was later"
  book.steps(365, "ok", "HUB-62 HUB-51", alone, first.steps, { needs: NEEDS })

  const fresh = ready()
  for (let i = 0; i < 6; i++) {
    fresh.play.keys("2", fresh.bob, 1, true) // ends the reservation
    fresh.play.ask("1", asking("bob"))
  }
  fresh.play.now -= 10
  fresh.play.ask("1", asking("bob"))
  fresh.play.keys("2", fresh.bob, 1, true)
  fresh.play.ask("1", asking("bob"))
  const served = "a clock set back: keys served anew still count, reservations still hold"
  book.steps(366, "ok", "HUB-43 HUB-44", served, fresh.play.steps, { needs: NEEDS })
}
