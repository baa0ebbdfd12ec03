// The hostile hub, ninth part: contents without a receipt, which leave again: on which sessions, in
// which order, by which clock (SPEC §12.3).

import { check, same } from "../hub/trial.ts"
import { Insider, type Line } from "./insider.ts"
import { meetInsider, pass, serveInsiders } from "./meeting.ts"
import type { Draft } from "./post.ts"
import type { World } from "./world.ts"

/** An insider that has a session with the agent, and says OK to everything. */
async function known(w: World): Promise<readonly [Insider, Line]> {
  const b = new Insider(w, "b")
  serveInsiders(w, b)
  return [b, await meetInsider(w, b)]
}

/** The insider founds a session, on which the agent has answered and writes from now on. */
async function founds(w: World, b: Insider): Promise<Line> {
  const line = b.found()
  b.say(line, b.heal())
  await w.until(() => b.got.some((one) => one.line === line), "the new session is answered")
  return line
}

/** How often a text has left. */
const copies = (b: Insider, text: string): number => b.texts.filter((one) => one === text).length

/** Sends a text; its OK has been handled afterwards. */
async function leaves(w: World, b: Insider, text: string): Promise<string> {
  const id = await w.submit(b.name, text)
  await w.until(() => copies(b, text) === 1, `"${text}" leaves`)
  await w.poll()
  return id
}

/** Waits until a text has left so many times. */
async function left(w: World, b: Insider, text: string, times: number): Promise<void> {
  await w.until(() => copies(b, text) === times, `"${text}" has left ${times} times`)
}

/** Lets time pass until the agent makes a probe. */
async function probed(w: World, b: Insider, seconds: number): Promise<void> {
  const before = b.asked.length
  for (let rest = seconds; rest > 0 && b.asked.length === before; rest -= 50) await pass(w, 50)
  check(b.asked.length > before, `a probe within ${seconds} s`)
}

/** An OK is stamped by a clock that is ahead; the next process has the right one. */
function ahead(title: string, seconds: number): Draft {
  return {
    title: `the clock was ${title} ahead at the OK and is set right: sealed again a minute later`,
    req: ["AGENT-1", "AGENT-21"],
    async run(w) {
      const c = await w.meet("c")
      const [b] = await known(w)
      await w.disconnect()
      await w.ok("agent.clock", { agent: w.handle, now: w.seconds + seconds })
      await w.connect()
      await leaves(w, b, "stamped ahead")
      await w.barrier(c) // the OK has been handled
      await w.crash()
      await w.connect()
      await pass(w, 70)
      await founds(w, b)
      await pass(w, 130)
      await left(w, b, "stamped ahead", 2)
    },
  }
}

export const AGAIN: readonly Draft[] = [
  {
    title: "sealed again once on each session, also when the agent returns to an earlier one",
    req: ["AGENT-21"],
    async run(w) {
      const c = await w.meet("c")
      const [b] = await known(w)
      await leaves(w, b, "never receipted")
      await pass(w, 70) // its OK is more than 60 s ago, and sessions of both ends are apart
      const second = await founds(w, b)
      await left(w, b, "never receipted", 2)
      await pass(w, 70)
      await founds(w, b)
      await left(w, b, "never receipted", 3)
      await pass(w, 70)
      b.say(second, b.heal())
      await w.barrier(c)
      await leaves(w, b, "on the second session")
      check(b.got.at(-1)?.line === second, "the agent writes on it again")
      await pass(w, 70)
      await w.barrier(c)
      same(copies(b, "never receipted"), 3, "copies on three sessions")
    },
  },
  {
    title: "contents sealed again in one envelope: in the order they were sent",
    req: ["AGENT-21"],
    async run(w) {
      const c = await w.meet("c")
      const [b] = await known(w)
      await leaves(w, b, "first")
      await pass(w, 45)
      await leaves(w, b, "second")
      await pass(w, 20)
      await founds(w, b) // takes the first, whose latest copy is the newer one now
      await left(w, b, "first", 2)
      same(copies(b, "second"), 1, "copies of what the hub has for less than a minute")
      await founds(w, b)
      await w.barrier(c) // all OKs have been handled
      await w.disconnect()
      await w.move(70)
      await w.connect()
      await left(w, b, "second", 2)
      await left(w, b, "first", 3)
      const last = b.got.filter(({ texts }) => texts.length > 0).at(-1)
      same(last?.texts, ["first", "second"], "the contents of the last envelope")
    },
  },
  {
    title: "nothing that the hub has is un-receipted, though something is on its way: probes rest",
    req: ["AGENT-23", "AGENT-22"],
    async run(w) {
      await w.meet("c")
      const [b, line] = await known(w)
      const id = await leaves(w, b, "receipted late")
      for (const seconds of [800, 800, 1_400]) await probed(w, b, seconds)
      b.takes = false
      const sends = w.hub.sendsTo("b").length
      await w.submit("b", "after it")
      await w.leaves("b", sends)
      b.say(line, b.receiptOf(id, 1))
      await w.until(() => w.receipts.some((one) => one["id"] === id), "the receipt is told")
      await pass(w, 10)
      b.takes = true
      for (let i = 0; i < 4 && copies(b, "after it") === 0; i++) await pass(w, 20)
      await left(w, b, "after it", 1)
      await probed(w, b, 1_000) // the last one would allow the next after 2,400 s
    },
  },
  ahead("500 s", 500),
  ahead("9 days", 9 * 86_400),
]
