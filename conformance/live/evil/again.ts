// The hostile hub, ninth part: contents without a receipt, which leave again: on which sessions, in
// which order, by which clock (SPEC §12.3).

import type { Value } from "../../../src/encoding.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { check, same } from "../hub/trial.ts"
import { Insider, type Line } from "./insider.ts"
import { meetInsider, serveInsiders, slowly } from "./meeting.ts"
import { type Draft, deliver } from "./post.ts"
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

/** Handshakes that the insider has got. */
const handshakes = (b: Insider): number => b.got.filter(({ init }) => init !== null).length

/** Lets time pass until the agent makes a probe. */
async function probed(w: World, b: Insider, seconds: number): Promise<void> {
  const before = handshakes(b)
  for (let rest = seconds; rest > 0 && handshakes(b) === before; rest -= 20) await slowly(w, 20)
  check(handshakes(b) > before, `a probe within ${seconds} s`)
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
      await slowly(w, 70)
      await founds(w, b)
      await slowly(w, 130)
      await left(w, b, "stamped ahead", 2)
    },
  }
}

export const AGAIN: readonly Draft[] = [
  {
    title: "sealed again once on each session, also when the agent returns to an earlier one",
    req: ["AGENT-21", "AGENT-17"],
    async run(w) {
      const c = await w.meet("c")
      const [b] = await known(w)
      await leaves(w, b, "never receipted")
      await slowly(w, 70) // its OK is more than 60 s ago, and sessions of both ends are apart
      const second = await founds(w, b)
      await left(w, b, "never receipted", 2)
      await slowly(w, 70)
      const there = b.got.filter(({ line }) => line === second)
      same(there.length, 1, "envelopes on the second session: the content is the answer")
      await founds(w, b)
      await left(w, b, "never receipted", 3)
      await slowly(w, 70)
      b.say(second, b.heal())
      await w.barrier(c)
      await leaves(w, b, "on the second session")
      check(b.got.at(-1)?.line === second, "the agent writes on it again")
      await slowly(w, 70)
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
      await slowly(w, 45)
      // Several: an agent without an order of its own would have this one by chance too often.
      const later = ["second", "third", "fourth", "fifth", "sixth"]
      for (const text of later) await leaves(w, b, text)
      await slowly(w, 20)
      await founds(w, b) // takes the first, whose latest copy is the newer one now
      await left(w, b, "first", 2)
      for (const text of later) {
        same(copies(b, text), 1, "copies of what the hub has for less than a minute")
      }
      await founds(w, b)
      await w.barrier(c) // all OKs have been handled
      await w.disconnect()
      await w.move(70)
      await w.connect()
      for (const text of later) await left(w, b, text, 2)
      await left(w, b, "first", 3)
      const last = b.got.filter(({ texts }) => texts.length > 0).at(-1)
      same(last?.texts, ["first", ...later], "the contents of the last envelope")
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
      await slowly(w, 10)
      b.takes = true
      for (let i = 0; i < 4 && copies(b, "after it") === 0; i++) await slowly(w, 20)
      await left(w, b, "after it", 1)
      await probed(w, b, 1_000) // the last one would allow the next after 2,400 s
    },
  },
  ahead("500 s", 500),
  ahead("9 days", 9 * 86_400),
  {
    title: "one reading of a clock 15 days ahead: nothing is given up",
    req: ["AGENT-25"],
    async run(w) {
      const c = await w.meet("c")
      const [b, line] = await known(w)
      const id = await leaves(w, b, "of today")
      await w.disconnect()
      await w.ok("agent.clock", { agent: w.handle, now: w.seconds + 15 * 86_400 })
      await w.connect()
      await leaves(w, b, "in 15 days") // what is due for b is looked at
      await w.barrier(c)
      await w.crash()
      await w.connect()
      same(w.undelivered, [], "contents given up")
      b.say(line, b.receiptOf(id, 1))
      await w.until(() => w.receipts.some((one) => one["id"] === id), "its receipt counts")
    },
  },
  {
    title: "an envelope with receipts alone is lost with its link: the same bytes on the next one",
    req: ["AGENT-15"],
    async run(w) {
      await w.meet("c")
      const [b, line] = await known(w)
      await w.jump(2)
      b.takes = false
      const before = w.hub.sendsTo("b").length
      b.tell(line, "to be receipted")
      await w.hears("to be receipted")
      await w.leaves("b", before)
      await w.cut()
      b.takes = true
      await w.back()
      await w.until(() => b.receipts.some(([, status]) => status === 1), "the receipt arrives")
      const [lost, again] = w.hub.sendsTo("b").slice(before)
      same(again?.slice(2), lost?.slice(2), "what leaves first on the next link")
    },
  },
  {
    title: "an ERR to a SEND asks for 300 s: on the same link nothing leaves for that peer before",
    req: ["AGENT-16"],
    async run(w) {
      await w.meet("c")
      const [b] = await known(w)
      await w.jump(2)
      const [links, before] = [w.hub.links.length, w.hub.sendsTo("b").length]
      const { up } = w.hub.attack
      w.hub.attack = {
        up: (frame, link) => {
          if (frame[0] !== FRAME.send || frame[2] !== "b") return up?.(frame, link) ?? frame
          link.inject([FRAME.error, frame[1] as number, 9, 300])
          w.hub.attack = up ? { up } : {}
          return null
        },
      }
      await w.submit("b", "later")
      await w.leaves("b", before)
      await slowly(w, 240)
      // The next link would have had it at once.
      if (w.hub.links.length === links) same(w.hub.sendsTo("b").length, before + 1, "SENDs")
      await slowly(w, 120)
      await left(w, b, "later", 1)
    },
  },
  {
    title: "mail that is announced and held back: no probe before the link is drained",
    req: ["AGENT-22"],
    async run(w) {
      await w.meet("c")
      const [b] = await known(w)
      await leaves(w, b, "never receipted")
      await w.disconnect()
      const { up } = w.hub.attack
      const serve = up ? { up } : {}
      w.hub.attack = {
        ...serve,
        down: (frame) => {
          if (frame[0] !== FRAME.ready) return frame
          const [, ...counts] = frame[2] as readonly Value[]
          return [FRAME.ready, 0, [9, ...counts]]
        },
      }
      await w.connect()
      const [asked, refused] = [b.asked.length, w.refused.length]
      await slowly(w, 1_500)
      same(b.asked.length, asked, "probes while mail is held back")
      w.hub.attack = serve
      for (let i = 0; i < 9; i++) deliver(w, "nobody", new Uint8Array(1))
      await w.until(() => w.refused.length >= refused + 9, "the link is drained")
      await probed(w, b, 900)
    },
  },
  {
    title: "probes without an answer: each waits twice as long, a day at most",
    req: ["AGENT-22"],
    async run(w) {
      await w.meet("c")
      const [b] = await known(w)
      await leaves(w, b, "never receipted")
      await probed(w, b, 800)
      for (let wait = 600; wait < 86_400; wait *= 2) {
        await w.move(wait - 100)
        await probed(w, b, 500)
      }
      await w.move(86_400 - 100)
      await probed(w, b, 500)
    },
  },
  {
    title: "a probe while the clock is 280 s ahead: the next one 600 s after it is set right",
    req: ["AGENT-1", "AGENT-22"],
    async run(w) {
      await w.meet("c")
      const [b] = await known(w)
      await leaves(w, b, "never receipted")
      await slowly(w, 400)
      const before = handshakes(b)
      for (let ahead = 20; ahead <= 280; ahead += 20) {
        await w.ok("agent.clock", { agent: w.handle, now: w.seconds + ahead })
        await w.poll(30)
      }
      await w.until(() => handshakes(b) > before, "a probe")
      await w.crash()
      await w.connect()
      await probed(w, b, 760)
    },
  },
]
