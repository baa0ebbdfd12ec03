// Vectors of SPEC §12 agent: time passes.

import { type Add, bobAgent, Forger, item, pair, type Script } from "./agent-script.ts"
import { context } from "./kit.ts"
import { NOW } from "./people.ts"
import { bstr } from "./raw.ts"

/** Time passes for an agent: `kept` follows in steps, at commits. */
function wait(script: Script, agent: string, seconds: number): void {
  for (const day of [6, 12, 18, 24, 29].filter((one) => one * 86_400 < seconds)) {
    script.clock(agent, NOW + day * 86_400)
    script.send(agent, "carol", `day ${day}`)
  }
  script.clock(agent, NOW + seconds)
  script.verify(agent, "carol")
}

/** Adds idle sessions, clocks that jump, receipts that wait. */
export function times(add: Add): void {
  const idle = (seconds: number): { script: Script; late: string; first: number } => {
    const script = pair()
    script.agent("c", "carol", { now: NOW })
    script.trust("b", "c")
    const first = script.receive("b", script.send("a", "bob", "hello"))
    script.receive("a", script.send("b", "alice", "hello back"))
    // One second later: behind the floor that the first content leaves, it could not be accepted.
    script.clock("a", NOW + 1)
    const late = script.send("a", "bob", "a month on the way")
    wait(script, "b", seconds)
    return { script, late, first }
  }
  const alive = idle(30 * 86_400 - 1)
  alive.script.receive("b", alive.late)
  add(180, "ok", "SESSION-22", "a second less than 30 days without a receive", alive.script.steps)
  const dead = idle(30 * 86_400)
  dead.script.refuseEnvelope(
    "b",
    "session/unknown",
    dead.late,
    context("envelope", dead.late),
    dead.first,
  )
  add(
    181,
    "session/unknown",
    "SESSION-22",
    "30 days without a receive",
    dead.script.steps,
    "an idle session is erased",
  )

  jumps(add)
  away(add)
}

/** Readings of a clock that jumps. */
function jumps(add: Add): void {
  const jump = pair()
  jump.receive("b", jump.send("a", "bob", "hello"))
  jump.receive("a", jump.send("b", "alice", "hello back"))
  const sent = jump.send("a", "bob", "while the clock is wrong")
  jump.clock("b", NOW + 3650 * 86_400)
  jump.receive("b", sent)
  jump.clock("b", NOW + 60)
  jump.receive("a", jump.send("b", "alice", "nothing was lost"))
  add(
    182,
    "ok",
    "SESSION-22 AGENT-1",
    "one clock reading ten years ahead erases nothing",
    jump.steps,
  )

  const jumped = (n: number, code: string, seconds: number, title: string) => {
    const script = pair()
    script.agent("c", "carol")
    script.trust("b", "c")
    const first = script.receive("b", script.send("a", "bob", "hello"))
    script.receive("a", script.send("b", "alice", "hello back"))
    script.clock("a", NOW + 1)
    const late = script.send("a", "bob", "after a month")
    for (const now of [NOW + 31 * 86_400, NOW + 31 * 86_400 + seconds]) {
      script.do("agent.clock", { agent: "$b", now })
      script.verify("b", "carol")
    }
    if (code === "ok") script.receive("b", late)
    else script.refuseEnvelope("b", code, late, context("envelope", late), first)
    add(
      n,
      code,
      "SESSION-22",
      title,
      script.steps,
      code === "ok" ? undefined : "an idle session is erased",
    )
  }
  jumped(183, "ok", 86_399, "a clock 31 days ahead is not followed for 24 hours")
  jumped(184, "session/unknown", 86_400, "a clock 31 days ahead for 24 hours is followed")
}

function away(add: Add): void {
  const back = pair([1])
  back.receive("b", back.send("a", "bob", "hello"))
  back.receive("a", back.send("b", "alice", "hello back"))
  for (const agent of ["a", "b"]) back.clock(agent, NOW + 22 * 86_400)
  back.receive("b", back.send("a", "bob", "back after 22 days"))
  const title = "after 22 days away a new session, though kept stays behind"
  add(281, "ok", "SESSION-5", title, back.steps)

  const slow = new Forger()
  const due = bobAgent()
  const ids = (from: number): readonly string[] =>
    Array.from({ length: 64 }, (_, i) =>
      item({ 1: bstr((from + i).toString(16).padStart(32, "0")) }),
    )
  for (let from = 1; from <= 257; from += 64) due.receive("b", slow.seal(...ids(from)))
  due.send("b", "alice", "with 256 receipts")
  due.send("b", "alice", "with the other 64")
  add(282, "ok", "AGENT-37 AGENT-29", "320 due receipts leave in two envelopes", due.steps)
}
