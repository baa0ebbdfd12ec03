// Vectors of SPEC §2 and §12 at an agent whose clock was away, or ahead: what is stamped, and what a
// stamp keeps alive.

import { toHex } from "../../src/bytes.ts"
import { fingerprint } from "../../src/identity.ts"
import type { Mutation } from "../driver.ts"
import { type Add, pair, Script } from "./agent-script.ts"
import { NOW, Person, SEEDS } from "./people.ts"

const DAY = 86_400

/** Adds the cases. */
export function stampCases(add: Add): void {
  awayForDays(add)
  aheadForDays(add)
  verifiedForGood(add)
}

const addressOf = (name: "bob" | "carol"): string =>
  `${name}#${fingerprint(new Person(name).own.ik)}`

/** Alice, who writes to bob, and carol, whom bob knows. */
function three(): Script {
  const script = pair([1])
  script.agent("c", "carol", { suites: [1] })
  script.trust("b", "c")
  return script
}

/** Moves a clock, with a commit afterwards that needs nobody else. */
function at(script: Script, agent: string, now: number): void {
  script.do("agent.clock", { agent: `$${agent}`, now })
  script.do("agent.verify", { agent: `$${agent}`, address: addressOf("carol") })
}

/** `kept` lags for a day behind a clock that has moved by more than a week. */
function awayForDays(add: Add): void {
  const late = (n: number, title: string, play: (script: Script) => readonly string[]): void => {
    const script = three()
    const [first, held] = play(script) as readonly [string, string]
    at(script, "b", NOW + 8 * DAY)
    script.receive("b", first)
    at(script, "b", NOW + 9 * DAY)
    script.receive("b", held)
    add(n, "ok", "SESSION-16 SESSION-15", `after 8 days away: ${title}`, script.steps)
  }
  late(290, "a key skipped in a new chain lives on when kept follows", (script) => {
    const [held, first] = [script.send("a", "bob", "late"), script.send("a", "bob", "first")]
    return [first, held]
  })
  late(291, "a key skipped in a gap lives on when kept follows", (script) => {
    script.receive("b", script.send("a", "bob", "before"))
    const [held, first] = [script.send("a", "bob", "late"), script.send("a", "bob", "first")]
    return [first, held]
  })
  late(292, "a key skipped at the end of a chain lives on when kept follows", (script) => {
    script.receive("b", script.send("a", "bob", "before"))
    const held = script.send("a", "bob", "late")
    script.receive("a", script.send("b", "alice", "answer"))
    return [script.send("a", "bob", "on a new chain"), held]
  })
}

/** A stamp of a clock that was ahead is replaced once the clock is right. */
function aheadForDays(add: Add): void {
  const script = three()
  const [held, first] = [script.send("a", "bob", "late"), script.send("a", "bob", "first")]
  at(script, "b", NOW + 6 * DAY)
  script.receive("b", first)
  for (const day of [0, 1, 2, 6]) at(script, "b", NOW + day * DAY)
  script.do("agent.snapshot", { agent: "$b" }, "s")
  const args = { snapshot: "$s", name: "bob", seed: toHex(SEEDS.mallory), now: NOW + 6 * DAY }
  script.do("agent.restore", { ...args, suites: [1], trust: { accept: "any" } }, "b2")
  const twin = script.receive("b2", held)
  at(script, "b", NOW + 9 * DAY)
  const put: Mutation = { level: "context", field: "agent", put: "$b" } // three days later
  script.refuse("agent.receive", "session/replay", { agent: "$b", envelope: held }, put, twin)
  add(
    293,
    "session/replay",
    "AGENT-1 SESSION-16",
    "a key skipped while the clock was 6 days ahead: gone 7 days after the clock was set right",
    script.steps,
    "a wrong clock keeps nothing alive for ever",
  )
}

/** Three weeks later the session is too old to send on: another handshake. */
function verifiedForGood(add: Add): void {
  const script = new Script()
    .agent("a", "alice", { suites: [1], trust: { send: "verified" } })
    .agent("b", "bob", { suites: [1], trust: { accept: "any" } })
    .agent("c", "carol", { suites: [1] })
  script.trust("a", "c")
  script.trust("a", "b", { fingerprint: fingerprint(new Person("bob").own.ik) })
  script.receive("b", script.send("a", "bob", "hello"))
  script.receive("a", script.send("b", "alice", "hello back"))
  for (let day = 0; day < 22; day += 5.5) at(script, "a", NOW + (day + 5.5) * DAY)
  script.do("agent.clock", { agent: "$b", now: NOW + 22 * DAY })
  script.receive("b", script.send("a", "bob", "on a new session"))
  script.receive("b", script.send("a", "bob", "and still to whom it is verified"))
  script.receive("a", script.send("b", "alice", "from whom it is verified"))
  const title = "a later handshake by name alone: a verified peer stays verified"
  add(294, "ok", "AGENT-61", title, script.steps)

  const again = pair([1])
  again.trust("a", "b", { fingerprint: fingerprint(new Person("bob").own.ik) })
  again.trust("a", "b")
  const plain = "the same bundle again, without a fingerprint: a verified peer stays verified"
  add(295, "ok", "AGENT-61", plain, again.steps)
}
