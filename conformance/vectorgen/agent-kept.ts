// Vectors of SPEC §2 and §10 at an agent: how `kept` follows the clock, and what stamps of sessions
// and ids are worth when the clock was away, behind or ahead.

import { toHex } from "../../src/bytes.ts"
import { type Add, bobAgent, Forger, item, made, pair, Script } from "./agent-script.ts"
import { context } from "./kit.ts"
import { NOW, SEEDS } from "./people.ts"
import { bstr, uint } from "./raw.ts"

const DAY = 86_400
const WEEK = 7 * DAY
const MONTH = 30 * DAY
const MS = NOW * 1000

/** Adds the cases. */
export function keptCases(add: Add): void {
  follows(add)
  awayFirst(add)
  ahead(add)
  glare(add)
}

/** Alice, who writes to bob, and carol, whom both know. */
function three(): Script {
  const script = pair([1])
  script.agent("c", "carol", { suites: [1] })
  for (const name of ["a", "b"]) script.trust(name, "c")
  return script
}

/** Sets a clock, with a commit afterwards that needs nobody else. */
function at(script: Script, agent: string, now: number): void {
  script.clock(agent, now)
  script.verify(agent, "carol")
}

/** Bob as he is now, once more, under another handle. */
function copyOf(script: Script, as: string): void {
  script.do("agent.snapshot", { agent: "$b" }, `s${as}`)
  const args = { snapshot: `$s${as}`, name: "bob", seed: toHex(SEEDS.mallory), now: NOW }
  script.do("agent.restore", { ...args, suites: [1], trust: { accept: "any" } }, as)
}

/** Bob, who has skipped a key at NOW; the envelope that it opens. */
function skipped(): { script: Script; held: string } {
  const script = three()
  const [held, first] = [script.send("a", "bob", "late"), script.send("a", "bob", "first")]
  script.receive("b", first)
  return { script, held }
}

/** A skipped key, which ends 7 days later by `kept`, tells where `kept` stands. */
function follows(add: Add): void {
  const why = "the key is too old"
  const refuse = (script: Script, held: string, twin: number): void => {
    const args = { agent: "$b", envelope: held }
    const put = context("agent", "$b")
    script.refuse("agent.receive", "session/replay", args, put, twin)
  }

  const week = skipped()
  for (const [as, after] of [
    ["b1", WEEK - 1],
    ["b2", WEEK + 1],
  ] as const) {
    copyOf(week.script, as)
    week.script.clock(as, NOW + after)
  }
  const young = week.script.receive("b1", week.held)
  week.script.receive("b2", week.held)
  week.script.clock("b", NOW + WEEK)
  refuse(week.script, week.held, young)
  const seven = "kept follows by 7 days to the second at once, and by no second more"
  add(376, "session/replay", "SESSION-16", seven, week.script.steps, why)

  const twice = skipped()
  copyOf(twice.script, "b1")
  for (const agent of ["b1", "b"]) {
    at(twice.script, agent, NOW + 100 * DAY)
    at(twice.script, agent, NOW + 20 * DAY)
  }
  twice.script.clock("b1", NOW + 21 * DAY - 1)
  const waits = twice.script.receive("b1", twice.held)
  twice.script.clock("b", NOW + 21 * DAY)
  refuse(twice.script, twice.held, waits)
  const nearer = "after a clock 100 days ahead one 20 days ahead: followed after 24 hours of it"
  add(377, "session/replay", "SESSION-16", nearer, twice.script.steps, why)

  const back = skipped()
  for (const day of [-8, 1, 2, 6]) at(back.script, "b", NOW + day * DAY)
  back.script.receive("b", back.held)
  const behind = "a clock 8 days back is not followed: a skipped key of then is no older for it"
  add(378, "ok", "SESSION-16", behind, back.script.steps)
}

/** `kept` lags for a day behind a clock that has moved by more than a week. */
function awayFirst(add: Add): void {
  const late = 8 * DAY + MONTH - 1
  const own = three()
  for (const agent of ["a", "b"]) own.clock(agent, NOW + 8 * DAY)
  own.receive("b", own.send("a", "bob", "after 8 days away"))
  const answer = own.send("b", "alice", "answer")
  for (const day of [9, 15, 21, 27, 33]) at(own, "a", NOW + day * DAY)
  own.clock("a", NOW + late)
  own.receive("a", answer)
  const founded = "a session founded after 8 days away lives for 30 days from then"
  add(374, "ok", "SESSION-22", founded, own.steps)

  const heard = three()
  heard.receive("b", heard.send("a", "bob", "before"))
  heard.receive("a", heard.send("b", "alice", "answer"))
  for (const agent of ["a", "b"]) heard.clock(agent, NOW + 8 * DAY)
  heard.receive("b", heard.send("a", "bob", "after 8 days away"))
  heard.clock("a", NOW + 8 * DAY + 1)
  const held = heard.send("a", "bob", "weeks on the way")
  for (const day of [9, 15, 21, 27, 33]) at(heard, "b", NOW + day * DAY)
  heard.clock("b", NOW + late)
  heard.receive("b", held)
  const used = "a session used after 8 days away lives for 30 days from then"
  add(375, "ok", "SESSION-22", used, heard.steps)
}

/** Stamps of a clock that was 6 days ahead are replaced once the clock is right. */
function ahead(add: Add): void {
  const wrong = "a wrong clock keeps nothing alive for ever"
  const right = [0, 1, 2, 8, 14, 20, 26]

  const heard = three()
  heard.clock("b", NOW + 6 * DAY)
  const twin = heard.receive("b", heard.send("a", "bob", "early"))
  heard.clock("a", NOW + 1)
  const held = heard.send("a", "bob", "weeks on the way")
  for (const day of [...right, 32, 33]) at(heard, "b", NOW + day * DAY)
  heard.refuseEnvelope("b", "handshake/replay", held, made(held), twin)
  const used =
    "a session used while the clock was 6 days ahead: gone 30 days after it was set right"
  add(379, "handshake/replay", "AGENT-1 SESSION-22", used, heard.steps, wrong)

  const own = three()
  for (const agent of ["a", "b"]) own.clock(agent, NOW + 6 * DAY)
  own.receive("b", own.send("a", "bob", "early"))
  const answer = own.send("b", "alice", "weeks on the way")
  own.do("agent.snapshot", { agent: "$a" }, "s")
  const args = { snapshot: "$s", name: "alice", seed: toHex(SEEDS.mallory), now: NOW + 6 * DAY }
  own.do("agent.restore", { ...args, suites: [1] }, "a2")
  const alive = own.receive("a2", answer)
  for (const day of [...right, 32, 33]) at(own, "a", NOW + day * DAY)
  const there = context("agent", "$a")
  own.refuse("agent.receive", "session/unknown", { agent: "$a", envelope: answer }, there, alive)
  const founded = "a session founded while the clock was 6 days ahead, never answered: gone too"
  add(380, "session/unknown", "AGENT-1 SESSION-22", founded, own.steps, wrong)

  const ids = bobAgent().agent("c", "carol")
  ids.trust("b", "c")
  ids.clock("b", NOW + 6 * DAY)
  ids.receive("b", new Forger(1).seal(item()))
  for (const day of [...right.slice(0, -1), 25]) at(ids, "b", NOW + day * DAY)
  const forger = new Forger(1, false, { again: true })
  const [copy, other] = [
    forger.seal(item()),
    forger.seal(item({ 1: bstr("2d".repeat(16)), 2: uint(MS + 1) })),
  ]
  ids.refuseEnvelope("b", "envelope/content", copy, made(copy), ids.next + 1, "committed")
  ids.receive("b", other)
  const known = "an id of a clock 6 days ahead: dropped 22 days after it was set right"
  add(381, "envelope/content", "AGENT-1 AGENT-55 AGENT-56", known, ids.steps, wrong)
}

/** Two sessions, founded from both ends: bob's comes first and has the smaller TH. */
function glare(add: Add): void {
  const play = (
    n: number,
    title: string,
    first: number,
    second: number,
    sees: "a" | "a2" | null,
  ): void => {
    const extra = { suites: [1], trust: { accept: "any" } }
    const script = new Script().agent("a", "alice", extra).agent("b", "bob", extra)
    script.trust("a", "b")
    script.trust("b", "a")
    if (first > NOW + WEEK) {
      script.clock("b", NOW + 8 * DAY)
      script.verify("b", "alice")
    }
    for (const agent of ["a", "b"]) script.clock(agent, first)
    script.receive("a", script.send("b", "alice", "on the session of bob"))
    script.receive("b", script.send("a", "bob", "it is confirmed"))
    if (sees === "a2") {
      script.do("agent.snapshot", { agent: "$a" }, "s")
      const args = { snapshot: "$s", name: "alice", seed: toHex(SEEDS.mallory), now: first }
      script.do("agent.restore", { ...args, ...extra }, "a2")
    }
    script.forget("a", "bob") // her copy knows the session of bob, she does not
    script.trust("a", "b")
    const other = script.send("a", "bob", "on the session of alice")
    script.clock("b", second)
    script.receive("b", other)
    const chosen = script.send("b", "alice", "on the one that is chosen")
    if (sees !== null) script.receive(sees, chosen)
    add(n, "ok", "SESSION-5", title, script.steps)
  }
  const founded = "a session founded"
  play(372, `${founded} 60 s before the other side's last one: glare`, NOW, NOW + 60, "a2")
  play(373, `${founded} 61 s before the other side's last one: no glare`, NOW, NOW + 61, "a")
  const day = NOW + 9 * DAY
  const away = `${founded} while kept was 9 days behind, a second before the other one: glare`
  play(382, away, day - 1, day, null)
}
