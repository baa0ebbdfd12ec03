// Vectors of SPEC §6 and §12 at an agent: how long keys, bundles and sessions live.

import { createBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { initiate } from "../../src/handshake.ts"
import { createInitiator, seal } from "../../src/session.ts"
import type { JsonObject } from "../driver.ts"
import { type Add, body, Forger, pair, Script } from "./agent-script.ts"
import { deterministicDraw } from "./draws.ts"
import { application } from "./flight.ts"
import { context } from "./kit.ts"
import { NOW, Person, SEEDS } from "./people.ts"

const DAY = 86_400
const WEEK = 7 * DAY
/** not-after of a bundle made at NOW. */
const UNTIL = NOW - 3_600 + 30 * DAY
/** How long private keys outlive it. */
const GRACE = 8 * DAY
const ONE_TIME = 59 * DAY

/** Adds the cases. */
export function keyCases(add: Add): void {
  prekeys(add)
  oneTimeKeys(add)
  rotation(add)
  cards(add)
  rates(add)
  sending(add)
}

/** Lets `kept` of an agent follow the clock, a commit in each step of at most a week. */
function live(script: Script, agent: string, from: number, to: number): void {
  for (let now = from; now < to; ) {
    now = Math.min(now + 6 * DAY, to)
    script.clock(agent, now)
    script.verify(agent, "carol")
  }
}

/** Alice, bob, and carol whom both know. */
function three(): Script {
  const script = pair([1])
  script.agent("c", "carol", { suites: [1] })
  script.trust("b", "c")
  return script
}

function again(script: Script, snapshot: string, as: string, now: number): void {
  const args = { snapshot, name: "bob", seed: toHex(SEEDS.mallory), now }
  script.do("agent.restore", { ...args, suites: [1], trust: { accept: "any" } }, as)
}

function prekeys(add: Add): void {
  const late = (n: number, code: string, now: number, title: string): void => {
    const script = three()
    script.trust("c", "b")
    const first = script.receive("b", script.send("c", "bob", "early"))
    // A second later than what is dropped meanwhile, or the floor would refuse it.
    script.clock("a", NOW + 1)
    const held = script.send("a", "bob", "weeks on the way")
    live(script, "b", NOW, now)
    if (code === "ok") script.receive("b", held)
    else {
      script.refuseEnvelope("b", code, held, context("envelope", held), first)
    }
    const why = code === "ok" ? undefined : "private keys do not live for ever"
    add(n, code, "BUNDLE-3 HANDSHAKE-21", title, script.steps, why)
  }
  const limit = UNTIL + GRACE
  late(240, "ok", limit, "a first message opens until 8 days after the bundle's end")
  late(241, "handshake/unknown-prekey", limit + 1, "and not a second later")
}

/** One-time keys outlive bundles: the init is made on a later bundle. */
function oneTimeKeys(add: Add): void {
  const late = (n: number, code: string, now: number, title: string): void => {
    const script = three()
    script.do("agent.oneTime", { agent: "$b", suite: 1 })
    // Bob's draws and rotations, and what alice then makes of them.
    const bob = new Person("bob")
    const oneTime = bob.oneTime(1)
    const about = { suites: [1] as const, flags: 0 }
    let bundle = bob.bundle({ ...about })
    for (let at = NOW; at < now; ) {
      at = Math.min(at + WEEK, now)
      script.clock("b", at)
      script.verify("b", "carol")
      if (at - bundle.seq >= WEEK) bundle = bob.bundle({ ...about, seq: at, now: at })
    }
    const alice = new Person("alice")
    const draw = deterministicDraw(alice.seed)
    const envelope = (key: typeof oneTime | null): string => {
      const made = initiate(alice.own, bundle, key, 1, draw)
      const contents = [application(key === null ? "without" : "with a one-time key", key ? 1 : 0)]
      return toHex(seal(createInitiator(made, bundle), alice.own, contents, draw).envelope)
    }
    const [bare, held] = [envelope(null), envelope(oneTime)]
    const twin = script.receive("b", bare)
    if (code === "ok") script.receive("b", held)
    else {
      script.refuseEnvelope("b", code, held, context("envelope", held), twin)
    }
    const why = code === "ok" ? undefined : "private keys do not live for ever"
    add(n, code, "BUNDLE-2 BUNDLE-3 HANDSHAKE-25", title, script.steps, why)
  }
  const limit = NOW + ONE_TIME + GRACE
  late(242, "ok", limit, "a one-time key opens until 8 days after its end, on a newer bundle")
  late(243, "handshake/unknown-prekey", limit + 1, "a one-time key a second later")
}

function rotation(add: Add): void {
  const after = (n: number, seconds: number, title: string): void => {
    const script = three()
    const old = script.send("a", "bob", "on the first bundle")
    live(script, "b", NOW, NOW + 5 * DAY)
    live(script, "b", NOW + 5 * DAY, NOW + seconds)
    script.do("agent.snapshot", { agent: "$b" }, "s")
    again(script, "$s", "b2", NOW + seconds)
    script.forget("a", "bob")
    script.clock("a", NOW + seconds)
    script.trust("a", "$b2.bundle")
    script.receive("b2", script.send("a", "bob", "on the last bundle"))
    script.receive("b2", old)
    add(n, "ok", "BUNDLE-1 BUNDLE-2 BUNDLE-3", title, script.steps)
  }
  after(244, WEEK - 1, "no new bundle a second before 7 days")
  after(245, WEEK, "a new bundle after 7 days; the prekeys of the old one live on")

  const back = three()
  back.do("agent.snapshot", { agent: "$b" }, "s")
  again(back, "$s", "b2", NOW - DAY)
  back.agent("d", "alice", { now: NOW - DAY, suites: [1] })
  back.trust("d", "$b2.bundle")
  back.receive("b2", back.send("d", "bob", "yesterday"))
  add(246, "ok", "BUNDLE-1 BUNDLE-2", "a clock set back: a new bundle, its seq above the last", [
    ...back.steps,
  ])

  const key = "6b".repeat(32)
  const moved = new Script().agent("b", "bob", { suites: [1] })
  moved.do("agent.export", { agent: "$b", key }, "x")
  const into = { name: "bob", seed: toHex(SEEDS.mallory), now: NOW, file: "$x.bytes", key }
  moved.do("agent.new", { ...into, suites: [1] }, "b2")
  const title = "an import in the second of the export: its bundle has a higher seq"
  add(247, "ok", "AGENT-64 BUNDLE-1", title, moved.steps)
}

/** Stored bundles, without a hub. */
function cards(add: Add): void {
  const ends = "a stored bundle is judged at the time of use"
  const script = pair([1])
  script.agent("c", "carol", { suites: [1], now: NOW + 20 * DAY })
  script.clock("a", UNTIL + 301)
  script.trust("a", "c")
  const args = (to: string): JsonObject => ({ agent: "$a", to, body: body("late") })
  const twin = script.do("agent.send", args("carol"))
  script.refuse("agent.send", "bundle/expired", args("bob"), context("to", "bob"), twin)
  const late = "sending on a stored bundle 301 s after its end"
  add(248, "bundle/expired", "BUNDLE-26 BUNDLE-18", late, script.steps, ends)

  const early = pair([1])
  early.clock("a", UNTIL + 300)
  early.send("a", "bob", "just in time")
  add(249, "ok", "BUNDLE-26 BUNDLE-18", "sending on a stored bundle 300 s after its end", [
    ...early.steps,
  ])

  const gone = new Script().agent("a", "alice").agent("b", "bob").agent("c", "carol")
  for (const name of ["b", "c"]) gone.trust("a", name)
  gone.send("a", "bob", "before")
  gone.forget("a", "bob")
  const known = gone.do("agent.send", args("carol"))
  gone.refuse("agent.send", "agent/no-hub", args("bob"), context("to", "bob"), known)
  add(
    250,
    "agent/no-hub",
    "IDENTITY-14 AGENT-36",
    "sending to a name that was forgotten",
    gone.steps,
    "pin, sessions and stored bundle are gone",
  )

  const single = toHex(
    createBundle(new Person("bob").own, { seq: NOW + 1, now: NOW, suites: [1] }, () =>
      new Uint8Array(32).fill(9),
    ).bytes,
  )
  const weaker = new Script().agent("a", "alice").agent("b", "bob")
  weaker.trust("a", "b")
  weaker.send("a", "bob", "in suite 2")
  weaker.forget("a", "bob")
  weaker.do("agent.trust", { agent: "$a", bundle: single })
  weaker.send("a", "bob", "in suite 1")
  const forgot = "after forgetting, only suite 1 is no downgrade"
  add(251, "ok", "AGENT-62 HANDSHAKE-11 IDENTITY-14", forgot, weaker.steps)

  const learnt = new Script().agent("b", "bob", { trust: { accept: "any" } })
  learnt.agent("b2", "bob", { trust: { accept: "any" } })
  const inSuite1 = new Forger(1).seal(application("one", 1))
  learnt.receive("b", new Forger(2).seal(application("two", 2)))
  learnt.refuseEnvelope("b", "suite/downgrade", inSuite1, context("agent", "$b"), learnt.next + 1)
  learnt.receive("b2", inSuite1)
  add(
    252,
    "suite/downgrade",
    "HANDSHAKE-23 HANDSHAKE-34",
    "an init of suite 1 from a peer that has used suite 2",
    learnt.steps,
    "suite 2 was used with this peer before",
  )
}

/** MAX_INITS. */
function rates(add: Add): void {
  const many = (n: number, code: string, from: JsonObject, last: number, title: string): void => {
    const script = pair([1])
    let twin = 0
    for (let i = 0; i < 20; i++) {
      if (i > 0) {
        script.forget("a", "bob")
        script.trust("a", "b")
      }
      twin = script.receive("b", script.send("a", "bob", `session ${i}`), {}, from)
    }
    script.forget("a", "bob")
    script.trust("a", "b")
    const envelope = script.send("a", "bob", "one more")
    script.clock("b", NOW + last)
    if (code === "ok") script.receive("b", envelope, {}, from)
    else {
      const args = { agent: "$b", envelope, ...from }
      script.refuse("agent.receive", code, args, context("envelope", envelope), twin)
    }
    const why = code === "ok" ? undefined : "a peer that founds sessions all the time is a flood"
    add(n, code, "HANDSHAKE-30", title, script.steps, why)
  }
  const hub = { from: "alice" }
  many(253, "handshake/limit", hub, 3_599, "the 21st init of a peer within an hour, from a hub")
  many(254, "ok", hub, 3_600, "the 21st init of a peer an hour later, from a hub")
  many(255, "ok", {}, 0, "21 inits of a peer without a hub")

  const young = pair([1], { accept: "any", maxAge: 60 })
  young.clock("b", NOW + 60)
  const carried = young.send("a", "bob", "dispatched")
  const next = young.send("a", "bob", "later on the session that has carried")
  const twin = young.receive("b", carried)
  for (let i = 0; i < 4; i++) {
    young.forget("a", "bob")
    young.trust("a", "b")
    young.clock("a", NOW - 1)
    const old = young.send("a", "bob", `too old ${i}`)
    const refused = "identity/untrusted"
    young.refuseEnvelope("b", refused, old, context("envelope", old), twin, "committed")
  }
  young.receive("b", next)
  add(
    256,
    "identity/untrusted",
    "HANDSHAKE-39",
    "of five sessions the one that has carried content stays",
    young.steps,
    "a peer must not push a conversation out with empty sessions",
  )
}

/** On which session is sent, and for how long. */
function sending(add: Add): void {
  const talk = (n: number, seconds: number, title: string): void => {
    const script = pair([1])
    script.agent("c", "carol", { suites: [1] })
    script.trust("a", "c")
    script.receive("b", script.send("a", "bob", "hello"))
    script.receive("a", script.send("b", "alice", "hello back"))
    live(script, "a", NOW, NOW + seconds)
    script.clock("b", NOW + seconds)
    script.receive("b", script.send("a", "bob", "three weeks later"))
    add(n, "ok", "SESSION-5", title, script.steps)
  }
  talk(257, 21 * DAY, "21 days after the last receive: the same session")
  talk(258, 21 * DAY + 1, "a second later: a new session")
  const alone = (n: number, now: number, title: string): void => {
    const script = pair([1])
    script.agent("c", "carol", { suites: [1] })
    script.trust("a", "c")
    script.send("a", "bob", "never answered")
    live(script, "a", NOW, now)
    script.clock("b", now)
    script.receive("b", script.send("a", "bob", "still there?"))
    add(n, "ok", "SESSION-5 BUNDLE-27", title, script.steps)
  }
  alone(259, UNTIL, "an unconfirmed session at the end of its bundle: still sent on")
  alone(260, UNTIL + 1, "an unconfirmed session a second later: a new one")
}
