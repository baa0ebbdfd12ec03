// Vectors of SPEC §12 agent: agents that were copied, and envelopes that reach the wrong one.

import { toHex } from "../../src/bytes.ts"
import { type Add, pair, Script } from "./agent-script.ts"
import { context } from "./kit.ts"
import { NOW, SEEDS } from "./people.ts"

/** Adds envelopes of a clone, and such as are damaged or misdirected. */
export function clones(add: Add): void {
  const clone = pair()
  clone.receive("b", clone.send("a", "bob", "one"))
  clone.do("agent.snapshot", { agent: "$a" }, "s")
  clone.do(
    "agent.restore",
    { snapshot: "$s", name: "alice", seed: toHex(SEEDS.carol), now: NOW },
    "a2",
  )
  const [original, copy] = [
    clone.send("a", "bob", "from the original"),
    clone.send("a2", "bob", "from the clone"),
  ]
  const at = clone.receive("b", original)
  clone.refuseEnvelope("b", "session/replay", copy, context("envelope", copy), at)
  add(
    160,
    "session/replay",
    "KEYSCHEDULE-6 SESSION-9",
    "the clone's envelope of the same number",
    clone.steps,
    "a key opens one envelope",
  )

  const damaged = pair()
  const genuine = damaged.send("a", "bob", "hello")
  damaged.refuseEnvelope(
    "b",
    "envelope/open",
    genuine,
    { level: "bytes", field: "envelope", at: -1, xor: "01" },
    damaged.next + 1,
  )
  damaged.receive("b", genuine)
  add(
    161,
    "envelope/open",
    "AGENT-41 SESSION-19",
    "a damaged first envelope, then the genuine one",
    damaged.steps,
    "junk costs nothing",
  )

  const reflected = pair()
  const own = reflected.send("a", "bob", "hello")
  reflected.refuseEnvelope("a", "handshake/self", own, context("agent", "$a"), reflected.next + 1)
  reflected.receive("b", own)
  add(
    162,
    "handshake/self",
    "HANDSHAKE-16",
    "its own first envelope",
    reflected.steps,
    "a reflected session would authenticate nobody",
  )

  const passed = pair()
  passed.agent("c", "carol", { trust: { accept: "any" } })
  const forBob = passed.send("a", "bob", "for bob")
  passed.refuseEnvelope("c", "envelope/open", forBob, context("agent", "$c"), passed.next + 1)
  passed.receive("b", forBob)
  add(
    163,
    "envelope/open",
    "HANDSHAKE-17",
    "an envelope for another agent",
    passed.steps,
    "the init was made for somebody else",
  )
}

/** Adds exports and imports. */
export function exports(add: Add): void {
  const key = "6b".repeat(32)
  const script = new Script().agent("a", "alice").agent("b", "bob")
  script.trust("a", "b")
  script.do("agent.export", { agent: "$a", key }, "x")
  script.do("agent.import", { bytes: "$x.bytes", key })
  script.do(
    "agent.new",
    { name: "alice", seed: toHex(SEEDS.carol), now: NOW + 60, file: "$x.bytes", key },
    "a2",
  )
  script.trust("a2", "b")
  script.send("a2", "bob", "hello")
  add(
    170,
    "ok",
    "AGENT-38 AGENT-64 SUITE-6",
    "export and import: identity and pins, nothing else",
    script.steps,
  )

  const wrong = new Script().agent("a", "alice")
  wrong.do("agent.export", { agent: "$a", key }, "x")
  const into = { name: "alice", seed: toHex(SEEDS.carol), now: NOW, file: "$x.bytes" }
  const other = "6c".repeat(32)
  wrong.steps.push({
    op: "agent.new",
    args: { ...into, key: other },
    expect: "agent/store-corrupt",
    mutation: context("key", other),
    twin: 3,
    state: "unchanged",
  })
  wrong.do("agent.new", { ...into, key }, "a2")
  add(
    171,
    "agent/store-corrupt",
    "AGENT-63",
    "an import with another key",
    wrong.steps,
    "a wrong passphrase and a damaged file look alike",
  )
}
