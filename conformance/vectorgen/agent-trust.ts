// Vectors of SPEC §12 agent: whom an agent trusts.

import { type Add, body, pair, Script, state } from "./agent-script.ts"
import { context } from "./kit.ts"
import { NOW } from "./people.ts"

/** Adds what the policy and the pins refuse. */
export function trusting(add: Add): void {
  const policy = "it is the owner's choice"
  const unknown = new Script().agent("a", "alice").agent("b", "bob")
  unknown.trust("a", "b")
  const first = unknown.send("a", "bob", "hello")
  unknown.refuseEnvelope(
    "b",
    "identity/untrusted",
    first,
    state("alice is not pinned yet"),
    unknown.next + 2,
  )
  unknown.trust("b", "a")
  unknown.receive("b", first)
  add(
    110,
    "identity/untrusted",
    "HANDSHAKE-29 AGENT-59",
    "without a hub first use pins nobody",
    unknown.steps,
    policy,
  )

  for (const [i, accept] of ["pinned", "verified"].entries()) {
    const script = new Script().agent("a", "alice").agent("b", "bob", { trust: { accept } })
    script.trust("a", "b")
    const envelope = script.send("a", "bob", "hello")
    if (accept === "verified") script.trust("b", "a")
    script.refuseEnvelope(
      "b",
      "identity/untrusted",
      envelope,
      state(`alice is not ${accept} yet`),
      script.next + 2,
    )
    if (accept === "pinned") script.trust("b", "a")
    else script.verify("b", "alice")
    script.receive("b", envelope)
    add(
      111 + i,
      "identity/untrusted",
      "HANDSHAKE-29 AGENT-59 AGENT-61",
      `policy ${accept}, accepting`,
      script.steps,
      policy,
    )
  }
  const sending = new Script()
    .agent("a", "alice", { trust: { send: "verified" } })
    .agent("b", "bob")
  sending.trust("a", "b")
  const args = { agent: "$a", to: "bob", body: body("hello") }
  sending.refuse(
    "agent.send",
    "identity/untrusted",
    args,
    state("bob is not verified yet"),
    sending.next + 2,
  )
  sending.verify("a", "bob")
  sending.steps.push({ op: "agent.send", args })
  add(
    113,
    "identity/untrusted",
    "AGENT-19 AGENT-61",
    "policy verified, sending",
    sending.steps,
    policy,
  )

  changedKeys(add)
  claims(add)
}

function changedKeys(add: Add): void {
  const silent = "a silent change is the classic attack"
  const changed = new Script()
    .agent("a", "alice")
    .agent("b", "bob", { trust: { accept: "any" } })
    .agent("m", "mallory", { name: "alice" })
  changed.trust("a", "b")
  changed.trust("m", "b")
  const genuine = changed.receive("b", changed.send("a", "bob", "hello"))
  const forged = changed.send("m", "bob", "hello too")
  changed.refuseEnvelope("b", "identity/changed", forged, context("envelope", forged), genuine)
  add(
    114,
    "identity/changed",
    "HANDSHAKE-27 IDENTITY-9 AGENT-60",
    "an init of another key for a pinned name",
    changed.steps,
    silent,
  )

  const bundle = new Script()
    .agent("a", "alice")
    .agent("b", "bob")
    .agent("m", "mallory", { name: "bob" })
  const good = bundle.trust("a", "b")
  bundle.refuse(
    "agent.trust",
    "identity/changed",
    { agent: "$a", bundle: "$m.bundle" },
    context("bundle", "$m.bundle"),
    good,
  )
  add(
    115,
    "identity/changed",
    "IDENTITY-9 BUNDLE-21",
    "a bundle of another key for a pinned name",
    bundle.steps,
    silent,
  )

  const again = new Script()
    .agent("a", "alice")
    .agent("b", "bob")
    .agent("m", "mallory", { name: "bob" })
  again.trust("a", "b")
  again.send("a", "bob", "to the first")
  again.forget("a", "bob")
  again.trust("a", "m")
  again.send("a", "bob", "to the second")
  add(
    116,
    "ok",
    "IDENTITY-12 IDENTITY-14 AGENT-62",
    "after forgetting, another key is accepted for the name",
    again.steps,
  )
}

/** What the caller says beside an envelope: from whom, and when. */
function claims(add: Add): void {
  const claim = pair()
  const envelope = claim.send("a", "bob", "hello")
  claim.refuse(
    "agent.receive",
    "identity/untrusted",
    { agent: "$b", envelope, from: "mallory" },
    context("from", "mallory"),
    claim.next + 1,
  )
  claim.receive("b", envelope, {}, { from: "alice" })
  add(
    117,
    "identity/untrusted",
    "HANDSHAKE-26 HUB-57",
    "an init under the from-name of another agent",
    claim.steps,
    "an honest hub authenticates that name",
  )

  const old = pair([1, 2], { accept: "any", maxAge: 60 })
  const [late, fresh] = [old.send("a", "bob", "late"), old.send("a", "bob", "late too")]
  old.clock("b", NOW + 60)
  old.receive("b", fresh)
  old.clock("b", NOW + 61)
  old.refuseEnvelope(
    "b",
    "identity/untrusted",
    late,
    context("envelope", late),
    old.next - 2,
    "committed",
  )
  add(
    118,
    "identity/untrusted",
    "AGENT-52",
    "a content older than maxAge: the session goes on",
    old.steps,
    "an old order is not to be carried out",
  )
}
