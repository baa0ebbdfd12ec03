// Vectors of SPEC §12 agent: conversations.

import { toHex } from "../../src/bytes.ts"
import { type Add, pair, Script } from "./agent-script.ts"
import { NOW, SEEDS } from "./people.ts"

/** Adds conversations of two agents without a hub. */
export function conversations(add: Add): void {
  for (const suites of [[1], [1, 2]]) {
    const suite = suites.length
    const talk = pair(suites)
    talk.receive("b", talk.send("a", "bob", "hello"))
    talk.receive("a", talk.send("b", "alice", "hello back"))
    talk.receive("b", talk.send("a", "bob", "and again"))
    talk.receive("a", talk.send("b", "alice", "fine"))
    add(
      99 + suite,
      "ok",
      "AGENT-36 AGENT-37 AGENT-47 HANDSHAKE-7 SUITE-6",
      `a conversation without a hub, suite ${suite}`,
      talk.steps,
    )
  }
  const order = pair()
  const sent = ["zero", "one", "two"].map((text) => order.send("a", "bob", text))
  for (const i of [2, 0, 1]) order.receive("b", sent[i] as string)
  order.receive("a", order.send("b", "alice", "three receipts with this"))
  add(
    102,
    "ok",
    "AGENT-37 SESSION-15",
    "receipts of contents out of order travel in the next seal",
    order.steps,
  )

  founded(add)
  restarted(add)
}

/** Pairs whose keys stand in either order. */
const FOUNDERS = [
  ["alice", "bob"],
  ["carol", "bob"],
  ["mallory", "bob"],
  ["alice", "carol"],
] as const

/** Sessions that both found, and such that one founds twice. */
function founded(add: Add): void {
  let at = 190
  for (const [one, two] of FOUNDERS) {
    for (const gap of [0, 60, 61]) {
      const extra = { suites: [1], trust: { accept: "any" } }
      const script = new Script().agent("a", one, extra).agent("b", two, extra)
      script.trust("a", "b")
      script.trust("b", "a")
      const [x, y] = [
        script.send("a", two, "from the first"),
        script.send("b", one, "from the second"),
      ]
      if (gap > 0) script.clock("b", NOW + gap)
      script.receive("b", x)
      script.receive("a", y)
      script.receive("b", script.send("a", two, "on the confirmed one"))
      script.receive("a", script.send("b", one, "on the one that both choose"))
      const title = `${one} and ${two} found a session at once, ${gap} s apart at ${two}`
      add(at++, "ok", "SESSION-5 SESSION-6", title, script.steps)
    }
  }

  at = 230
  for (const [one, two] of FOUNDERS) {
    const extra = { suites: [1], trust: { accept: "any" } }
    const script = new Script().agent("a", one, extra).agent("b", two, extra)
    script.trust("a", "b")
    script.receive("b", script.send("a", two, "on the first session"))
    script.forget("a", two)
    script.trust("a", "b")
    script.receive("b", script.send("a", two, "on the second session"))
    script.receive("a", script.send("b", one, "on the second session too"))
    add(
      at++,
      "ok",
      "SESSION-5",
      `${one} founds two sessions with ${two}: no glare, the second counts`,
      script.steps,
    )
  }
}

function restarted(add: Add): void {
  const reply = pair()
  reply.receive("b", reply.send("a", "bob", "question"))
  const question = reply.steps.length - 2
  const name = reply.steps[question]?.as
  reply.receive("a", reply.send("b", "alice", "answer", { re: `$${name}.id` }))
  add(104, "ok", "AGENT-12", "an answer names what it answers", reply.steps)

  const restart = pair()
  restart.receive("b", restart.send("a", "bob", "before"))
  restart.do("agent.snapshot", { agent: "$b" }, "s")
  restart.do(
    "agent.restore",
    {
      snapshot: "$s",
      name: "bob",
      seed: toHex(SEEDS.carol),
      now: NOW + 60,
      trust: { accept: "any" },
    },
    "b2",
  )
  restart.receive("b2", restart.send("a", "bob", "after"))
  restart.receive("a", restart.send("b2", "alice", "here again"))
  add(105, "ok", "AGENT-2 AGENT-5", "sessions survive a restart", restart.steps)
}
