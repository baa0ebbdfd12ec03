// Vectors of SPEC §12.4: contents judged in order, against policies, ids and floors.

import { toHex } from "../../src/bytes.ts"
import { fingerprint } from "../../src/identity.ts"
import type { JsonObject } from "../driver.ts"
import { type Add, bobAgent, body, Forger, item, made, pair, Script } from "./agent-script.ts"
import { context } from "./kit.ts"
import { NOW, Person, SEEDS } from "./people.ts"
import { bstr, map, tstr, uint } from "./raw.ts"

const DAY = 86_400
const MS = NOW * 1000
const print = (who: ConstructorParameters<typeof Person>[0]): string =>
  fingerprint(new Person(who).own.ik)

/** Adds the cases. */
export function judgingCases(add: Add): void {
  addresses(add)
  policies(add)
  refusals(add)
  ids(add)
  exported(add)
}

/** Addresses are judged before payloads: the form alone decides. */
function addresses(add: Add): void {
  const bad = map([tstr("n"), "fb7ff8000000000000"])
  const form = (n: number, fingerprint: string, title: string): void => {
    const script = pair()
    const put = `bob#${fingerprint}`
    const args = (to: string, payload: string): JsonObject => ({ agent: "$a", to, body: payload })
    const twin = script.do("agent.send", args("bob", body("hello")))
    const mutation = { ...context("to", put), with: { body: bad } }
    script.refuse("agent.send", "identity/fingerprint", args(put, bad), mutation, twin)
    add(n, "identity/fingerprint", "IDENTITY-7", title, script.steps, "it is read in one form")
  }
  form(261, print("bob").toUpperCase(), "a fingerprint in upper case, before the payload")
  form(262, print("bob").slice(0, 9), "two groups of a fingerprint, before the payload")
  form(263, "", "no fingerprint after the sign, before the payload")
}

function policies(add: Add): void {
  const stricter = pair([1])
  stricter.receive("b", stricter.send("a", "bob", "hello"))
  stricter.do("agent.snapshot", { agent: "$b" }, "s")
  const args = { snapshot: "$s", name: "bob", seed: toHex(SEEDS.mallory), now: NOW, suites: [1] }
  stricter.do("agent.restore", { ...args, trust: { accept: "verified" } }, "b2")
  const next = stricter.send("a", "bob", "hello again")
  stricter.refuseEnvelope(
    "b2",
    "identity/untrusted",
    next,
    context("envelope", next),
    stricter.next + 3,
    "committed",
  )
  stricter.verify("b2", "alice")
  stricter.receive("b2", stricter.send("a", "bob", "now verified"))
  const owner = "it is the owner's choice"
  const title = "a session lives on, its contents are refused by a stricter policy"
  add(264, "identity/untrusted", "AGENT-52 AGENT-59", title, stricter.steps, owner)

  const script = new Script().agent("b", "bob", { trust: { accept: "any", maxAge: 60 } })
  const forger = new Forger()
  const old = forger.seal(item({ 2: uint(MS - 60_001), 5: bstr("80") }))
  script.refuseEnvelope(
    "b",
    "identity/untrusted",
    old,
    made("too old, and no payload"),
    script.next + 1,
    "committed",
  )
  script.receive("b", forger.seal(item({ 2: uint(MS - 60_000) })))
  const order = "policy and age are judged before the body"
  add(265, "identity/untrusted", "AGENT-52 AGENT-53", order, script.steps, owner)
}

/** Refused contents with a readable id get a receipt. */
function refusals(add: Add): void {
  const refuse = (n: number, bad: string, title: string): void => {
    const forger = new Forger()
    const script = bobAgent()
    script.refuseEnvelope(
      "b",
      "envelope/content",
      forger.seal(bad),
      made(title),
      script.next + 1,
      "committed",
    )
    script.receive("b", forger.seal(item({ 1: bstr("2d".repeat(16)) })))
    script.send("b", "alice", "with what is due")
    const req = "ENVELOPE-16 ENVELOPE-17 ENVELOPE-18 AGENT-48"
    add(n, "envelope/content", req, title, script.steps, "each content is judged alone")
  }
  refuse(266, item({ 4: uint(2) }), "ask 2: refused with a receipt")
  refuse(267, item({ 3: bstr("00") }), "re of one byte: refused with a receipt")
  refuse(268, item({ 0: uint(1), 5: bstr("00") }), "a heal with a body: no receipt")
  refuse(269, `861800${item().slice(4)}`, "kind not in the shortest form: no receipt")
}

/** Ids and floors over time. */
function ids(add: Add): void {
  const live = (script: Script, days: readonly number[]): void => {
    for (const day of days) {
      script.clock("b", NOW + day * DAY)
      script.verify("b", "carol")
    }
  }
  const known = bobAgent().agent("c", "carol")
  known.trust("b", "c")
  known.receive("b", new Forger(1).seal(item()))
  live(known, [6, 12, 18, 21])
  known.receive("b", new Forger(2).seal(item()))
  known.send("b", "alice", "with its last status")
  const week = "a copy three weeks later is known, and receipted again"
  add(270, "ok", "AGENT-50 AGENT-55", week, known.steps)

  const strangers = new Script().agent("a", "alice", { suites: [1] })
  strangers.agent("b", "bob", { suites: [1], trust: { accept: "any" } })
  strangers.agent("c", "carol", { suites: [1] })
  for (const name of ["a", "c"]) strangers.trust(name, "b")
  strangers.trust("b", "c")
  strangers.receive("b", strangers.send("c", "bob", "of a stranger"))
  const [one, two] = ["one", "two"].map((text) => strangers.send("a", "bob", text))
  strangers.clock("a", NOW + 1)
  const above = strangers.send("a", "bob", "a second later")
  live(strangers, [6, 12, 18, 23])
  const refused = (envelope: string, twin: number): void => {
    const mutation = context("envelope", envelope)
    strangers.refuseEnvelope("b", "envelope/content", envelope, mutation, twin, "committed")
  }
  refused(one as string, strangers.next + 1)
  strangers.receive("b", above)
  strangers.send("b", "alice", "from now on no stranger")
  refused(two as string, strangers.next - 2)
  add(
    271,
    "envelope/content",
    "AGENT-51 AGENT-56 AGENT-57",
    "the floor of all strangers, also for one that is none any more",
    strangers.steps,
    "it may have been dispatched before",
  )
}

function exported(add: Add): void {
  const key = "6b".repeat(32)
  const script = new Script().agent("a", "alice").agent("b", "bob").agent("c", "carol")
  for (const name of ["b", "c"]) script.trust("a", name)
  script.verify("a", "bob")
  script.send("a", "bob", "in suite 2")
  script.do("agent.export", { agent: "$a", key }, "x")
  script.do("agent.import", { bytes: "$x.bytes", key })
  add(272, "ok", "AGENT-38", "an export with a verified and a pinned peer", script.steps)
}
