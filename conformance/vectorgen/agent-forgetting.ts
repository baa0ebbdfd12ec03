// Vectors of SPEC §5 and §12: what an agent keeps when it forgets a name, whose ids and floors are
// whose, and what becomes of sessions that carried something.

import { fromHex, toHex } from "../../src/bytes.ts"
import { initiate } from "../../src/handshake.ts"
import { fingerprint } from "../../src/identity.ts"
import { createInitiator, seal } from "../../src/session.ts"
import type { JsonObject } from "../driver.ts"
import { type Add, bobAgent, Forger, item, made, pair, Script } from "./agent-script.ts"
import { deterministicDraw } from "./draws.ts"
import { context } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { bstr, uint } from "./raw.ts"

const DAY = 86_400
const MS = NOW * 1000
const AGAIN = "it may have been dispatched before"

/** Adds the cases. */
export function forgettingCases(add: Add): void {
  knownIds(add)
  dueReceipts(add)
  oldBundles(add)
  floors(add)
  exports(add)
  verifiedBySending(add)
  carried(add)
}

/** A content of alice, told apart by a number, with a time after MS. */
const content = (number: number, after: number = 0): string =>
  item({ 1: bstr(number.toString(16).padStart(32, "0")), 2: uint(MS + after) })

/** Bob, who knows carol. */
function bobWithCarol(): Script {
  const script = bobAgent().agent("c", "carol")
  script.trust("b", "c")
  return script
}

/** Lets bob live through days, with a commit on each that needs nobody else. */
function live(script: Script, days: readonly number[]): void {
  for (const day of days) {
    script.clock("b", NOW + day * DAY)
    script.verify("b", "carol")
  }
}

function knownIds(add: Add): void {
  for (const [i, who] of ["stranger", "peer"].entries()) {
    const script = bobAgent()
    script.receive("b", new Forger(1).seal(content(1)))
    if (who === "peer") script.send("b", "alice", "no stranger any more")
    script.forget("b", "alice")
    script.receive("b", new Forger(1, false, { again: true }).seal(content(1), content(2)))
    script.send("b", "alice", "with two receipts")
    const title = `a content again after its ${who} was forgotten: known, and receipted again`
    add(360 + i, "ok", "IDENTITY-14 AGENT-50", title, script.steps)
  }

  // A copy lives on behind the floor that a content of an earlier week has left.
  const behind = bobWithCarol()
  behind.receive("b", new Forger(1).seal(content(1, 5_000)))
  behind.send("b", "alice", "no stranger")
  live(behind, [6, 10])
  behind.receive("b", new Forger(1, false, { again: true }).seal(content(2)))
  live(behind, [16, 22, 23])
  behind.receive("b", new Forger(2).seal(content(2)))
  behind.send("b", "alice", "with its last status, and the one before")
  const title = "a known id behind the floor is receipted again, not refused"
  add(368, "ok", "AGENT-50 AGENT-51 AGENT-56", title, behind.steps)
}

function dueReceipts(add: Add): void {
  const script = pair([1])
  script.receive("b", script.send("a", "bob", "before"))
  script.forget("b", "alice")
  script.forget("a", "bob")
  script.trust("a", "b")
  script.receive("b", script.send("a", "bob", "after"))
  script.receive("a", script.send("b", "alice", "with the receipt of the second"))
  const title = "a receipt due to a name that was forgotten is not sent when it comes back"
  add(362, "ok", "IDENTITY-14", title, script.steps)
}

/** Bundles that were refused before are refused after forgetting too. */
function oldBundles(add: Add): void {
  const stale = (n: number, code: string, req: string, seq: number, title: string, why: string) => {
    const script = new Script().agent("a", "alice").agent("b", "bob")
    script.trust("a", "b")
    script.forget("a", "bob")
    const twin = script.trust("a", "b")
    script.forget("a", "bob")
    const put = toHex(new Person("bob").bundle({ seq, flags: 0, now: NOW - 5 }).bytes)
    const args: JsonObject = { agent: "$a", bundle: put }
    const mutation = context("bundle", put)
    const state = { state: code === "bundle/rollback" ? "unchanged" : "committed" } as const
    script.steps.push({ op: "agent.trust", args, expect: code, mutation, twin, ...state })
    add(n, code, `IDENTITY-14 ${req}`, title, script.steps, why)
  }
  stale(
    363,
    "bundle/rollback",
    "BUNDLE-22",
    NOW - 1,
    "after forgetting, a bundle with a lower seq than that of before",
    "it would bring old prekeys back",
  )
  stale(
    364,
    "bundle/equivocation",
    "BUNDLE-23",
    NOW,
    "after forgetting, another bundle with the seq of before",
    "one of them was signed to deceive",
  )
}

function floors(add: Add): void {
  const script = bobWithCarol()
  script.receive("b", new Forger(1).seal(content(1)))
  script.send("b", "alice", "no stranger any more")
  script.agent("m", "mallory", { now: NOW + 5 })
  script.trust("m", "b")
  script.receive("b", script.send("m", "bob", "of a stranger, five seconds later"))
  live(script, [6, 12, 18, 23])
  script.forget("b", "alice")
  const forger = new Forger(1, false, { again: true })
  const old = forger.seal(content(2))
  const later = forger.seal(content(3, 1))
  script.refuseEnvelope("b", "envelope/content", old, made(old), script.next + 1, "committed")
  script.receive("b", later)
  script.send("b", "alice", "with two receipts")
  const keeps = "a peer that was forgotten keeps its own floor, and is no stranger again"
  add(365, "envelope/content", "IDENTITY-14 AGENT-56 AGENT-57", keeps, script.steps, AGAIN)

  // Alice leaves the strangers: her ids and what becomes of them are no affair of theirs.
  const leaves = bobWithCarol()
  leaves.receive("b", new Forger(1).seal(content(1, 5_000)))
  leaves.send("b", "alice", "no stranger any more")
  leaves.agent("m", "mallory")
  leaves.trust("m", "b")
  leaves.receive("b", leaves.send("m", "bob", "of a stranger, five seconds earlier"))
  leaves.clock("m", NOW + 1)
  const late = leaves.send("m", "bob", "and four")
  live(leaves, [6, 12, 18, 23])
  leaves.receive("b", late)
  const title = "ids of one who is no stranger any more leave the floor of strangers alone"
  add(366, "ok", "AGENT-56 AGENT-57", title, leaves.steps)
}

function exports(add: Add): void {
  const key = "6b".repeat(32)
  const script = new Script().agent("a", "alice").agent("b", "bob").agent("c", "carol")
  for (const name of ["b", "c"]) script.trust("a", name)
  script.send("a", "bob", "before")
  script.forget("a", "bob")
  script.do("agent.export", { agent: "$a", key }, "x")
  script.do("agent.import", { bytes: "$x.bytes", key })
  const title = "an export does not name a peer that was forgotten"
  add(367, "ok", "AGENT-38 IDENTITY-12", title, script.steps)
}

function verifiedBySending(add: Add): void {
  const key = "6b".repeat(32)
  const script = pair([1])
  script.receive("b", script.send("a", `bob#${fingerprint(new Person("bob").own.ik)}`, "hello"))
  script.receive("a", script.send("b", "alice", "from whom it is verified"))
  script.do("agent.export", { agent: "$a", key }, "x")
  script.do("agent.import", { bytes: "$x.bytes", key })
  const title = "sending to an address with the fingerprint of the pin verifies the peer"
  add(369, "ok", "IDENTITY-10 AGENT-61", title, script.steps)
}

/** Of five sessions one goes, and none that carried something. */
function carried(add: Add): void {
  const heal = item({ 0: uint(1), 5: bstr("") })
  const gone = (n: number, title: string, begin: (script: Script, all: Seals) => void) => {
    const seals = founders()
    const script = bobWithCarol()
    begin(script, seals)
    for (const [i, found] of seals.slice(2).entries()) {
      script.clock("b", NOW + 60 * (i + 2))
      script.receive("b", found(heal))
    }
    const twin = script.receive("b", seals[0](content(101)))
    const late = seals[1](content(102))
    script.refuseEnvelope("b", "handshake/replay", late, made(late), twin)
    add(n, "handshake/replay", "HANDSHAKE-39", title, script.steps, "it carried no content")
  }
  const sent = "of five sessions the second goes, not the oldest, on which a content was sent"
  gone(370, sent, (script, [first, second]) => {
    script.receive("b", first(heal))
    script.send("b", "alice", "on the first session")
    script.clock("b", NOW + 60)
    script.receive("b", second(heal))
  })
  const known = "of five sessions the second goes, on which only a known content came"
  gone(371, known, (script, [first, second]) => {
    script.receive("b", first(content(1)))
    script.clock("b", NOW + 60)
    script.receive("b", second(content(1)))
  })
}

type Seal = (content: string) => string
type Seals = readonly [Seal, Seal, Seal, Seal, Seal]

/** Five sessions that alice founds with bob, in suite 1. */
function founders(): Seals {
  const { own, seed } = new Person("alice")
  const bundle = new Person("bob").bundle({ flags: 0 })
  const draw = deterministicDraw(seed)
  const found = (): Seal => {
    let session = createInitiator(initiate(own, bundle, null, 1, draw), bundle)
    return (content) => {
      const sealed = seal(session, own, [fromHex(content)], draw)
      session = sealed.session
      return toHex(sealed.envelope)
    }
  }
  return [found(), found(), found(), found(), found()]
}
