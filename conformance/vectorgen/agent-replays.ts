// Vectors of SPEC §12 agent: inits, envelopes and bundles that come again.

import { toHex } from "../../src/bytes.ts"
import { type Add, pair, Script, state } from "./agent-script.ts"
import { context } from "./kit.ts"
import { NOW, Person, SEEDS } from "./people.ts"

/** Adds what was accepted before. */
export function replays(add: Add): void {
  const once = "each init is accepted once"
  const erased = pair()
  const envelope = erased.send("a", "bob", "hello")
  const at = erased.receive("b", envelope)
  erased.forget("b", "alice")
  erased.refuseEnvelope("b", "handshake/replay", envelope, state("its session was erased"), at)
  add(
    130,
    "handshake/replay",
    "HANDSHAKE-19 HANDSHAKE-35 IDENTITY-14",
    "an init again after its session was erased",
    erased.steps,
    once,
  )

  const restart = pair()
  const sent = restart.send("a", "bob", "hello")
  const before = restart.receive("b", sent)
  restart.forget("b", "alice")
  restart.do("agent.snapshot", { agent: "$b" }, "s")
  const reopened = {
    snapshot: "$s",
    name: "bob",
    seed: toHex(SEEDS.carol),
    now: NOW,
    trust: { accept: "any" },
  }
  restart.do("agent.restore", reopened, "b2")
  restart.refuseEnvelope("b2", "handshake/replay", sent, context("agent", "$b2"), before)
  add(131, "handshake/replay", "HANDSHAKE-35", "the same after a restart", restart.steps, once)

  const twice = pair()
  const m = twice.send("a", "bob", "hello")
  const first = twice.receive("b", m)
  twice.refuseEnvelope("b", "session/replay", m, state("after the same envelope"), first)
  add(
    132,
    "session/replay",
    "HANDSHAKE-18 SESSION-9",
    "an init again while its session lives",
    twice.steps,
    once,
  )

  const second = pair()
  const [one, two] = [second.send("a", "bob", "one"), second.send("a", "bob", "two")]
  second.receive("b", two)
  second.receive("b", one)
  add(
    133,
    "ok",
    "HANDSHAKE-18",
    "two envelopes of the first flight, the second first",
    second.steps,
  )

  exported(add)
  older(add)
  fifth(add, once)
}

/** Bob's export, and an agent made from it. */
function moved(script: Script): void {
  const key = "6b".repeat(32)
  script.do("agent.export", { agent: "$b", key }, "x")
  const file = { name: "bob", seed: toHex(SEEDS.carol), now: NOW, file: "$x.bytes", key }
  script.do("agent.new", { ...file, trust: { accept: "any" } }, "b2")
}

function exported(add: Add): void {
  const traffic = "an export opens no traffic"
  const restored = pair()
  const early = restored.send("a", "bob", "to the old state")
  const accepted = restored.receive("b", early)
  moved(restored)
  restored.refuseEnvelope(
    "b2",
    "handshake/unknown-prekey",
    early,
    context("agent", "$b2"),
    accepted,
  )
  add(
    134,
    "handshake/unknown-prekey",
    "HANDSHAKE-21 AGENT-38",
    "an old init at an agent restored from an export",
    restored.steps,
    traffic,
  )

  const gone = pair()
  gone.receive("b", gone.send("a", "bob", "one"))
  gone.receive("a", gone.send("b", "alice", "two"))
  const third = gone.send("a", "bob", "three")
  const opened = gone.receive("b", third)
  moved(gone)
  gone.refuseEnvelope("b2", "session/unknown", third, context("agent", "$b2"), opened)
  add(
    135,
    "session/unknown",
    "SESSION-7 AGENT-38",
    "an envelope of a session that was not exported",
    gone.steps,
    traffic,
  )
}

function bundleOf(who: Person, options: Parameters<Person["bundle"]>[0]): string {
  return toHex(who.bundle(options).bytes)
}

/** Bundles older or weaker than what is known. */
function older(add: Add): void {
  const suites = new Script().agent("a", "alice").agent("b", "bob")
  const both = suites.trust("a", "b")
  suites.send("a", "bob", "in suite 2")
  const single = bundleOf(new Person("bob"), { suites: [1], seq: NOW + 1 })
  suites.refuse(
    "agent.trust",
    "suite/downgrade",
    { agent: "$a", bundle: single },
    context("bundle", single),
    both,
  )
  add(
    136,
    "suite/downgrade",
    "HANDSHAKE-3 HANDSHAKE-11",
    "only suite 1 after suite 2 was used",
    suites.steps,
    "an older bundle may have been served to weaken the session",
  )

  const stale = (
    n: number,
    code: string,
    req: string,
    title: string,
    seq: number,
    why: string,
    state?: "committed",
  ) => {
    const script = new Script().agent("a", "alice").agent("b", "bob")
    const twin = script.trust("a", "b")
    const put = bundleOf(new Person("bob"), { seq, flags: 0, now: NOW - 5 })
    script.refuse(
      "agent.trust",
      code,
      { agent: "$a", bundle: put },
      { level: "context", field: "bundle", put },
      twin,
      state,
    )
    add(n, code, req, title, script.steps, why)
  }
  stale(
    137,
    "bundle/rollback",
    "BUNDLE-22 BUNDLE-24",
    "a bundle with a lower seq than the pinned one",
    NOW - 1,
    "it would bring old prekeys back",
  )
  stale(
    138,
    "bundle/equivocation",
    "BUNDLE-23",
    "another bundle with the pinned seq; both are kept as evidence",
    NOW,
    "one of them was signed to deceive",
    "committed",
  )
}

function fifth(add: Add, once: string): void {
  const five = pair()
  const first5 = five.send("a", "bob", "on the first session")
  const taken = five.receive("b", first5)
  for (let i = 0; i < 4; i++) {
    five.forget("a", "bob")
    five.trust("a", "b")
    five.receive("b", five.send("a", "bob", `on session ${i + 2}`))
  }
  five.refuseEnvelope("b", "handshake/replay", first5, state("five sessions later"), taken)
  add(
    139,
    "handshake/replay",
    "HANDSHAKE-39 KEYSCHEDULE-1",
    "a fifth session is not refused, it puts the oldest one out",
    five.steps,
    once,
  )
}
