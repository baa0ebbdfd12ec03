// Vectors of SPEC §12 agent: to whom and what an agent may send.

import { fingerprint } from "../../src/identity.ts"
import type { JsonObject } from "../driver.ts"
import { type Add, body, pair, Script } from "./agent-script.ts"
import { context } from "./kit.ts"
import { Person } from "./people.ts"
import { map, tstr } from "./raw.ts"

/** Adds addresses, payloads and bundles that are taken or refused. */
export function addresses(add: Add): void {
  const print = fingerprint(new Person("bob").own.ik)
  const other = fingerprint(new Person("mallory").own.ik)
  const verified = new Script().agent("a", "alice").agent("b", "bob")
  verified.trust("a", "b", { fingerprint: print })
  verified.send("a", `bob#${print}`, "hello")
  add(120, "ok", "IDENTITY-10 AGENT-61", "an address with fingerprint verifies", verified.steps)

  const policy = new Script().agent("a", "alice", { trust: { send: "verified" } }).agent("b", "bob")
  policy.trust("a", "b")
  policy.send("a", `bob#${print}`, "hello")
  add(
    119,
    "ok",
    "AGENT-61",
    "policy verified, sending to an address with the fingerprint",
    policy.steps,
  )

  const meant = "the address says which key is meant"
  const connect = new Script().agent("a", "alice").agent("b", "bob")
  connect.refuse(
    "agent.trust",
    "identity/fingerprint",
    { agent: "$a", bundle: "$b.bundle", fingerprint: other },
    context("fingerprint", other),
    connect.next + 1,
  )
  connect.trust("a", "b", { fingerprint: print })
  add(
    121,
    "identity/fingerprint",
    "IDENTITY-8 BUNDLE-20",
    "a bundle of another fingerprint",
    connect.steps,
    meant,
  )

  const to = (
    n: number,
    code: string,
    req: string,
    address: string,
    title: string,
    why: string,
  ) => {
    const script = pair()
    const args = (name: string): JsonObject => ({ agent: "$a", to: name, body: body("hello") })
    // The accepted call comes first: whether a refused one has drawn an id is nobody's business.
    const twin = script.do("agent.send", args("bob"))
    const mutation = context("to", address)
    script.refuse("agent.send", code, args(address), mutation, twin)
    add(n, code, req, title, script.steps, why)
  }
  to(
    122,
    "identity/fingerprint",
    "IDENTITY-8",
    `bob#${other}`,
    "sending to a name with another fingerprint",
    meant,
  )
  to(
    123,
    "identity/fingerprint",
    "IDENTITY-7",
    `bob#${print.toUpperCase()}`,
    "a fingerprint in upper case",
    "a fingerprint is read in one form",
  )
  to(
    124,
    "identity/name",
    "IDENTITY-6",
    "Bob",
    "sending to a name of the wrong form",
    "names are compared byte by byte",
  )
  to(
    125,
    "agent/no-hub",
    "AGENT-36",
    "carol",
    "sending to a name without a bundle",
    "there is nobody to seal for",
  )

  payloads(add)
  bundles(add)
}

function payloads(add: Add): void {
  const payload = pair()
  const bad = map([tstr("n"), "fb7ff8000000000000"])
  payload.refuse(
    "agent.send",
    "agent/payload",
    { agent: "$a", to: "bob", body: bad },
    context("body", bad),
    payload.next + 1,
  )
  payload.do("agent.send", { agent: "$a", to: "bob", body: body("hello") })
  add(
    126,
    "agent/payload",
    "ENCODING-9 AGENT-7",
    "a payload outside the profile",
    payload.steps,
    "nothing outside the profile is sealed",
  )

  const size = pair()
  const filler = (length: number): string => map([tstr("t"), tstr("x".repeat(length))])
  const large = { agent: "$a", to: "bob", body: filler(999_945) }
  size.refuse(
    "agent.send",
    "agent/payload",
    { ...large, body: filler(999_990) },
    context("body", filler(999_990)),
    size.next + 1,
  )
  size.steps.push({ op: "agent.send", args: large, output: {} })
  add(
    129,
    "agent/payload",
    "ENVELOPE-3 ENVELOPE-4",
    "a content of more than 1,000,000 bytes",
    size.steps,
    "no envelope would take it",
  )
}

/** Bundles that no handshake is made with. */
function bundles(add: Add): void {
  const self = new Script().agent("a", "alice").agent("b", "bob")
  self.refuse(
    "agent.trust",
    "handshake/self",
    { agent: "$a", bundle: "$a.bundle" },
    context("bundle", "$a.bundle"),
    self.next + 1,
  )
  self.trust("a", "b")
  add(
    127,
    "handshake/self",
    "HANDSHAKE-1",
    "its own bundle",
    self.steps,
    "a reflected session would authenticate nobody",
  )

  const required = new Script()
    .agent("a", "alice")
    .agent("b", "bob")
    .agent("c", "carol", { requireOneTime: true })
  required.trust("a", "b")
  required.trust("a", "c")
  const flagged = (to: string): JsonObject => ({ agent: "$a", to, body: body("hello") })
  const flag = context("to", "carol")
  const unflagged = required.do("agent.send", flagged("bob"))
  required.refuse("agent.send", "handshake/one-time-required", flagged("carol"), flag, unflagged)
  add(
    128,
    "handshake/one-time-required",
    "HANDSHAKE-5",
    "a bundle that asks for one-time keys, without a hub",
    required.steps,
    "the owner would refuse",
  )
}
