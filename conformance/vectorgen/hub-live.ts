// Vectors of SPEC §11 hub: the state machine.

import { toHex } from "../../src/bytes.ts"
import { encodeHello } from "../../src/hub/frames.ts"
import type { Request } from "../../src/hub/requests.ts"
import { replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import { hubKey } from "./hub-key.ts"
import { cbor, HubPlay, signedParts, words } from "./hub-play.ts"
import type { Book } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { SMALL_ORDER_KEYS } from "./points.ts"
import { bstr, tstr } from "./raw.ts"

type Add = (
  n: number,
  code: string,
  req: string,
  title: string,
  play: HubPlay,
  why?: string,
) => void

const mid = (i: number): Uint8Array => new Uint8Array(16).fill(i)
const sending = (to: string, i: number, size = 40): Request => ({
  type: "send",
  to,
  mid: mid(i),
  envelope: new Uint8Array(size).fill(i),
})
const asking = (name: string, suites: readonly number[] = [1]): Request => ({
  type: "getBundle",
  name,
  suites,
})

/** Adds the cases of `hub.new` and `hub.frame`. */
export function liveCases(book: Book): void {
  const add: Add = (n, code, req, title, play, why) => {
    book.steps(n, code, req, title, play.steps, {
      needs: ["deterministic", "role-hub"],
      ...(why ? { why } : {}),
    })
  }
  openings(add)
  refusedAuths(add)
  frames(add)
  bundles(add)
  oneTime(add)
  fetches(add)
  mail(add)
  limits(add)
}

function people(): { alice: Person; bob: Person; mallory: Person; carol: Person } {
  return {
    alice: new Person("alice"),
    bob: new Person("bob"),
    mallory: new Person("mallory"),
    carol: new Person("carol"),
  }
}

function openings(add: Add): void {
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
  none.refuse(
    "1",
    "hub/version",
    replaceItem(hello, [2], "8102"),
    { level: "context", field: "frame", put: replaceItem(hello, [2], "8102"), with: { link: "1" } },
    2,
  )
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

  const early = (n: number, title: string, frame: string, greeted: boolean) => {
    const play = new HubPlay()
    const who = people().alice
    if (greeted) play.hello("1", who)
    const ready = play.steps.length + 1
    play.refuse(
      "1",
      "hub/auth-required",
      frame,
      { level: "context", field: "frame", put: frame, with: { link: "1" } },
      ready + 1,
    )
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
    play.refuse(
      "1",
      "hub/malformed",
      frame,
      { level: "context", field: "frame", put: frame, with: { link: "1" } },
      2,
    )
    play.frame("2", hello)
    play.frame("1", hello)
    add(n, "hub/malformed", "HUB-20 HUB-25", title, play, "a link that is not ready is closed")
  }
  shape(211, "a hello without a version", replaceItem(hello, [2], "80"))
  shape(212, "a hello of another rid", replaceItem(hello, [1], "01"))
  shape(213, "garbage as hello", "ff")
  shape(214, "an empty frame", "")
}

function refusedAuths(add: Add): void {
  const names = people()
  const refuse = (
    n: number,
    code: string,
    req: string,
    title: string,
    why: string,
    make: (play: HubPlay, at: { hello: Uint8Array; welcome: Uint8Array }) => string,
    before?: (play: HubPlay) => void,
    extra: JsonObject = {},
    genuine: Person = names.alice,
  ) => {
    const play = new HubPlay({}, extra)
    before?.(play)
    const at = play.hello("x", genuine)
    const frame = make(play, at)
    const put = frame
    play.refuse(
      "x",
      code,
      frame,
      { level: "context", field: "frame", put, with: { link: "x" } },
      play.steps.length + 2,
    )
    const again = play.hello("y", genuine)
    play.frame("y", play.auth(genuine, again))
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
    {},
    names.alice,
  )
  refuse(
    229,
    "hub/auth-failed",
    "HUB-30",
    "a second name for one key",
    "an identity has one name",
    (play, at) => play.auth(renamed(names.bob, "rob"), at),
    (play) => play.login("1", names.bob),
    {},
    names.alice,
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
  full.refuse(
    "2",
    "hub/rate-limited",
    frame,
    { level: "context", field: "frame", put: frame, with: { link: "2" } },
    2,
  )
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
  bound.refuse(
    "2",
    "hub/name-taken",
    taken,
    { level: "context", field: "frame", put: taken, with: { link: "2" } },
    2,
  )
  add(
    232,
    "hub/name-taken",
    "HUB-32 HUB-52",
    "a name stays bound after a restart",
    bound,
    "nothing unbinds a name",
  )
}

function renamed(who: Person, name: string): Person {
  const copy = Object.create(Object.getPrototypeOf(who)) as Person
  return Object.assign(copy, who, { own: { ...who.own, name } })
}

/** A hub with alice on link 1 and bob on link 2, both with a bundle. */
function ready(limits: Readonly<Record<string, number>> = {}): {
  play: HubPlay
  alice: Person
  bob: Person
} {
  const { alice, bob } = people()
  const play = new HubPlay(limits)
  play.login("1", alice)
  play.publish("1", alice)
  play.login("2", bob)
  play.publish("2", bob)
  return { play, alice, bob }
}

function frames(add: Add): void {
  const closing = (n: number, req: string, title: string, frame: string) => {
    const { play } = ready()
    const twin = play.steps.length - 1
    play.refuse(
      "1",
      "hub/malformed",
      frame,
      { level: "context", field: "frame", put: frame, with: { link: "1" } },
      twin,
    )
    play.ping("1")
    play.ping("2")
    add(
      n,
      "hub/malformed",
      req,
      `${title}: closed, other links live`,
      play,
      "nothing after it can be trusted to be a frame",
    )
  }
  closing(240, "HUB-16 HUB-20", "garbage on a ready link", "ff")
  closing(241, "HUB-20", "a frame cut off", "8210")
  closing(242, "HUB-20", "no array", "10")
  closing(243, "HUB-20", "an array that begins with text", cbor(["ping", 1]))
  closing(244, "HUB-24", "rid 0", cbor([16, 0]))
  closing(245, "HUB-24", "rid 2^32", cbor([16, 2 ** 32]))
  closing(246, "HUB-24", "rid as text", cbor([16, "1"]))

  const staying = (
    n: number,
    code: string,
    req: string,
    title: string,
    frame: string,
    why: string,
  ) => {
    const { play } = ready()
    play.refuse(
      "1",
      code,
      frame,
      { level: "context", field: "frame", put: frame, with: { link: "1" } },
      play.steps.length + 1,
    )
    play.ping("1")
    add(n, code, req, `${title}: the link stays`, play, why)
  }
  const open = "later versions can ask for more"
  staying(250, "hub/unknown-request", "HUB-23", "type 99", cbor([99, 1]), open)
  staying(251, "hub/unknown-request", "HUB-23", "type 18", cbor([18, 1, "x"]), open)
  staying(
    252,
    "hub/unknown-request",
    "HUB-23",
    "a second auth",
    cbor([3, 0, "alice", new Uint8Array(32), new Uint8Array(64)]),
    open,
  )
  staying(253, "hub/unknown-request", "HUB-23", "an OK from an agent", cbor([20, 1, null]), open)
  staying(254, "hub/unknown-request", "HUB-23", "type 99 with rid 0", cbor([99, 0]), open)
  const form = "a frame has one shape"
  staying(255, "hub/malformed", "HUB-25", "ping of three items", cbor([16, 9, null]), form)
  staying(
    256,
    "hub/malformed",
    "HUB-25",
    "send with a mid of 15 bytes",
    cbor([13, 9, "bob", new Uint8Array(15), new Uint8Array(3)]),
    form,
  )
  staying(257, "hub/malformed", "HUB-25", "ack of nothing", cbor([14, 9, []]), form)
  staying(
    258,
    "hub/malformed",
    "HUB-25",
    "get-bundle with five suites",
    cbor([12, 9, "bob", [1, 2, 3, 4, 5]]),
    form,
  )
  staying(259, "hub/malformed", "HUB-25", "put-one-time with drop 2", cbor([11, 9, 2, []]), form)
  staying(260, "hub/malformed", "HUB-25", "put-bundle of a text", cbor([10, 9, "bundle"]), form)
}

function bundles(add: Add): void {
  const bad = (n: number, title: string, make: (alice: Person) => Uint8Array) => {
    const { play, alice } = ready()
    const good = alice.bundle({ suites: [1], seq: NOW + 9 })
    play.deny(
      "1",
      "hub/bad-bundle",
      { type: "putBundle", bundle: signedParts(make(alice)) },
      words(title),
    )
    play.ask("1", { type: "putBundle", bundle: signedParts(good.bytes) })
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
    play.deny(
      "1",
      "hub/bundle-stale",
      { type: "putBundle", bundle: signedParts(old.bytes) },
      words(title),
    )
    play.ask("1", {
      type: "putBundle",
      bundle: signedParts(alice.bundle({ suites: [1], seq: NOW + 1 }).bytes),
    })
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
  const bundle = signedParts(alice.bundle({ suites: [1] }).bytes)
  same.ask("1", { type: "putBundle", bundle })
  same.ask("1", { type: "putBundle", bundle }, { state: "unchanged" })
  add(279, "ok", "HUB-37", "the same bundle again", same)

  const failing = new HubPlay()
  failing.login("1", bob)
  const put: Request = { type: "putBundle", bundle: signedParts(bob.bundle({ suites: [1] }).bytes) }
  const frame = failing.encode("1", put)
  failing.refuse(
    "1",
    "hub/internal",
    frame,
    { level: "context", field: "fail", put: true },
    failing.steps.length + 1,
    { fail: true },
  )
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

function oneTime(add: Add): void {
  const bad = (n: number, title: string, make: (alice: Person) => readonly Uint8Array[]) => {
    const { play, alice } = ready()
    play.deny(
      "1",
      "hub/bad-bundle",
      { type: "putOneTime", drop: false, keys: make(alice).map(signedParts) },
      words(title),
    )
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
  play.deny(
    "1",
    "hub/bad-bundle",
    { type: "putOneTime", drop: false, keys: keys.map(signedParts) },
    words("a key seen before"),
  )
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
  const request: Request = { type: "putOneTime", drop: false, keys: [signedParts(over)] }
  pool.play.deny("1", "hub/too-large", request, words("without drop"))
  pool.play.ask("1", { ...request, drop: true })
  add(
    297,
    "hub/too-large",
    "HUB-39",
    "the 501st one-time key of a pool",
    pool.play,
    "a pool is bounded",
  )
}

function fetches(add: Add): void {
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
  ending.play.ask("2", {
    type: "putOneTime",
    drop: false,
    keys: [kept, gone].map((key) => signedParts(key.bytes)),
  })
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

function mail(add: Add): void {
  const { play } = ready()
  play.ask("1", sending("bob", 1))
  play.ask("1", sending("bob", 2))
  play.ask("2", { type: "ack", mseqs: [1, 2] })
  play.ask("2", { type: "counts" })
  add(310, "ok", "HUB-50 HUB-51", "sent, delivered in order, acknowledged", play)

  const again = ready()
  again.play.ask("1", sending("bob", 1))
  again.play.ask("1", sending("bob", 1))
  again.play.ask("2", { type: "ack", mseqs: [1] })
  again.play.now += 600
  again.play.ask("1", sending("bob", 1))
  again.play.now += 1
  again.play.ask("1", sending("bob", 1))
  add(311, "ok", "HUB-48 HUB-51", "one mid is one delivery, until 600 s after the ACK", again.play)

  const other = ready()
  other.play.ask("1", sending("bob", 1))
  other.play.ask("1", { type: "ack", mseqs: [1] }, { state: "unchanged" })
  other.play.ask("2", { type: "counts" })
  other.play.ask("2", { type: "ack", mseqs: [7] }, { state: "unchanged" })
  add(312, "ok", "HUB-51", "an ACK of another's mail has no effect", other.play)

  const offline = ready()
  offline.play.steps.push({ op: "hub.close", args: { hub: "$h", link: "2" } })
  offline.play.ask("1", sending("bob", 1))
  offline.play.ask("1", sending("bob", 2))
  offline.play.restart()
  offline.play.login("3", offline.bob)
  offline.play.steps.push({ op: "hub.close", args: { hub: "$h", link: "3" } })
  offline.play.login("4", offline.bob)
  offline.play.ask("4", { type: "ack", mseqs: [1, 2] })
  add(
    313,
    "ok",
    "HUB-34 HUB-50 HUB-52",
    "mail waits through a restart and comes again until its ACK",
    offline.play,
  )

  const done = ready()
  done.play.ask("1", sending("bob", 1))
  done.play.ask("1", sending("bob", 2))
  done.play.ask("2", { type: "ack", mseqs: [1] })
  done.play.steps.push({ op: "hub.close", args: { hub: "$h", link: "2" } })
  done.play.login("3", done.bob)
  add(340, "ok", "HUB-34 HUB-51", "what was acknowledged does not come again", done.play)

  const window = ready({ unacked: 1 })
  window.play.ask("1", sending("bob", 1))
  window.play.ask("1", sending("bob", 2))
  window.play.ask("2", { type: "ack", mseqs: [1] })
  add(
    314,
    "ok",
    "HUB-34 HUB-51",
    "no more unacknowledged mail than the window has room for",
    window.play,
  )

  const late = ready({ "ttl-s": 60 })
  late.play.steps.push({ op: "hub.close", args: { hub: "$h", link: "2" } })
  late.play.ask("1", sending("bob", 1))
  late.play.now += 60
  late.play.login("3", late.bob)
  late.play.now += 1
  late.play.login("4", late.bob)
  add(315, "ok", "HUB-34", "mail past its time is not delivered", late.play)

  const unknown = ready()
  unknown.play.deny(
    "1",
    "hub/no-such-agent",
    sending("carol", 1),
    words("to a name without a bundle"),
  )
  unknown.play.ask("1", sending("bob", 1))
  add(
    316,
    "hub/no-such-agent",
    "HUB-47",
    "mail to an unknown name",
    unknown.play,
    "there is no mailbox",
  )

  const failing = ready()
  const frame = failing.play.encode("1", sending("bob", 1))
  failing.play.refuse(
    "1",
    "hub/internal",
    frame,
    { level: "context", field: "fail", put: true },
    failing.play.steps.length + 1,
    { fail: true },
  )
  failing.play.frame("1", frame)
  add(
    317,
    "hub/internal",
    "HUB-14 HUB-15",
    "mail that could not be stored gets no OK",
    failing.play,
    "no OK without a durable write",
  )

  const moved = ready()
  moved.play.ask("1", sending("bob", 1))
  moved.play.login("3", moved.bob)
  moved.play.ask("3", { type: "ack", mseqs: [1] })
  moved.play.ping("2")
  add(
    318,
    "ok",
    "HUB-33",
    "what the replaced link had not acknowledged comes on the new one",
    moved.play,
  )
}

function limits(add: Add): void {
  const size = ready({ envelope: 300 })
  size.play.deny(
    "1",
    "hub/too-large",
    sending("bob", 1, 301),
    words("301 bytes where 300 are allowed"),
  )
  size.play.ask("1", sending("bob", 2, 300))
  add(
    330,
    "hub/too-large",
    "HUB-47",
    "an envelope above the announced limit",
    size.play,
    "a hub's memory is bounded",
  )

  const empty = ready()
  empty.play.deny("1", "hub/too-large", sending("bob", 1, 0), words("an envelope of no bytes"))
  empty.play.ask("1", sending("bob", 2, 1))
  add(
    331,
    "hub/too-large",
    "HUB-47",
    "an envelope of no bytes",
    empty.play,
    "there is no such envelope",
  )

  const full = (
    n: number,
    title: string,
    bounds: Readonly<Record<string, number>>,
    first: readonly Request[],
    refused: Request,
    then: (play: HubPlay) => void,
  ) => {
    const { play } = ready(bounds)
    for (const request of first) play.ask("1", request)
    const frame = play.encode("1", refused)
    const mutation = { level: "context", field: "state", put: title } as const
    play.refuse("1", "hub/mailbox-full", frame, mutation, play.steps.length + 2)
    then(play)
    play.frame("1", frame)
    add(n, "hub/mailbox-full", "HUB-49", title, play, "a mailbox is bounded")
  }
  const freed = (play: HubPlay): void => {
    play.ask("2", { type: "ack", mseqs: [1] })
  }
  full(
    332,
    "more messages of one sender than allowed",
    { "per-sender": 2 },
    [sending("bob", 1), sending("bob", 2)],
    sending("bob", 3),
    freed,
  )
  full(
    333,
    "more messages than a mailbox takes",
    { "mailbox-messages": 1 },
    [sending("bob", 1)],
    sending("bob", 3),
    freed,
  )
  full(
    334,
    "more bytes of one sender than allowed",
    { "per-sender-bytes": 100 },
    [sending("bob", 1, 60)],
    sending("bob", 3, 41),
    freed,
  )
  full(
    335,
    "more bytes than a mailbox takes",
    { "mailbox-bytes": 100 },
    [sending("bob", 1, 60)],
    sending("bob", 3, 41),
    freed,
  )

  const exact = ready({ "per-sender": 1 })
  exact.play.ask("1", sending("bob", 1))
  exact.play.ask("1", sending("bob", 1))
  add(336, "ok", "HUB-48 HUB-49", "a repetition is judged before the quota", exact.play)

  const rate = new HubPlay({ "requests-per-s": 2 })
  const { alice } = people()
  rate.login("1", alice)
  for (let i = 0; i < 4; i++) rate.ping("1")
  const frame = rate.encode("1", { type: "ping" })
  rate.refuse(
    "1",
    "hub/rate-limited",
    frame,
    { level: "context", field: "now", put: rate.now },
    rate.steps.length + 1,
  )
  rate.now += 1
  rate.frame("1", frame)
  rate.ping("1")
  add(
    337,
    "hub/rate-limited",
    "HUB-22",
    "the burst is spent, a second later there is more",
    rate,
    "one agent must not starve the others",
  )

  const late = new HubPlay({ "requests-per-s": 1 })
  late.login("1", alice)
  late.now += 1000
  for (let i = 0; i < 2; i++) late.ping("1")
  const third = late.encode("1", { type: "ping" })
  late.refuse(
    "1",
    "hub/rate-limited",
    third,
    { level: "context", field: "now", put: late.now },
    late.steps.length + 1,
  )
  late.now += 1
  late.frame("1", third)
  add(
    338,
    "hub/rate-limited",
    "HUB-22",
    "tokens are capped at twice the rate",
    late,
    "a burst is bounded",
  )
}
