// The hostile hub, eighth part: what an agent has committed when it says so, and its inbox. While a
// case polls with `handle` false no handler runs, so that contents wait (SPEC §12.3, §12.4).

import { encodePayload } from "../../../src/encoding.ts"
import { type Content, encodeContent } from "../../../src/envelope.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { osDraw } from "../../../src/suite.ts"
import { hex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import { Insider, type Line } from "./insider.ts"
import { away, meetInsider, pass, serveInsiders } from "./meeting.ts"
import type { Draft } from "./post.ts"
import type { World } from "./world.ts"

/** Contents of one envelope, at most (SPEC §9). */
const BATCH = 64
const INBOX = 10_000

const acks = (w: World): number =>
  w.hub.of(FRAME.ack).reduce((sum, frame) => sum + (frame[2] as readonly number[]).length, 0)

/** Polls without handlers until something holds; the end of patience is a failure. */
async function unhandled(w: World, condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await w.poll(20, { handle: false })
  check(condition(), `expected in time: ${what}`)
}

/** Lets the agent work for a while, without handlers. */
async function idle(w: World): Promise<void> {
  for (let i = 0; i < 10; i++) await w.poll(20, { handle: false })
}

/** Delivers many contents, in full envelopes; how many of these. */
function flood(who: Insider, line: Line, contents: number): number {
  let count = 0
  for (let left = contents; left > 0; left -= BATCH, count++) {
    const size = Math.min(BATCH, left)
    who.say(line, ...Array.from({ length: size }, () => who.content("one of many")))
  }
  return count
}

export const INBOX_CASES: readonly Draft[] = [
  {
    title: "what send has taken outlives the process, though the hub was away",
    req: ["AGENT-8"],
    async run(w) {
      const b = await w.meet("b")
      await away(w, async () => {
        await w.send("b", "taken and not yet sent")
        await w.send("b", "this too")
        await w.crash()
      })
      await w.until(() => b.texts.length === 3, "both messages arrive after the restart")
    },
  },
  {
    title: "an envelope that has left leaves again after the end of the process, the same bytes",
    req: ["AGENT-13", "AGENT-15"],
    async run(w) {
      const b = await w.meet("b")
      await w.jump(2)
      await w.barrier(b)
      await w.jump(2)
      const before = w.hub.sendsTo("b").length
      w.hub.attack = { up: (frame) => (frame[0] === FRAME.send && frame[2] === "b" ? null : frame) }
      await w.send("b", "on its way")
      await w.leaves("b", before)
      await w.crash()
      w.hub.attack = {}
      await w.connect()
      await w.send("b", "after the restart")
      await w.until(() => b.texts.length === 3, "both messages arrive")
      const [first, second] = w.hub.sendsTo("b").slice(before)
      same(second?.slice(2), first?.slice(2), "what leaves first after the restart")
    },
  },
  {
    title: "what was acknowledged and not handled is handed over after the end of the process",
    req: ["AGENT-40", "AGENT-46"],
    async run(w) {
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      const line = await meetInsider(w, b)
      await w.jump(2)
      const before = acks(w)
      const id = osDraw("content-id", 16)
      w.due.push("handled later")
      b.say(line, b.content("handled later", id))
      await unhandled(w, () => acks(w) > before, "the envelope is acknowledged")
      same(w.told("handled later"), false, "told without a handler")
      await w.crash()
      await w.connect()
      await w.hears("handled later")
      same(w.messages.at(-1)?.id, hex(id), "its id")
      await w.disconnect()
      await w.connect()
      await pass(w, 1)
    },
  },
  {
    title: "a handler that takes its time delays no mail, until the inbox is full: then no ACK",
    req: ["AGENT-43", "AGENT-44", "AGENT-40"],
    async run(w) {
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      const line = await meetInsider(w, b)
      await w.jump(2)
      const before = acks(w)
      for (let i = 0; i < 100; i++) b.say(line, b.content(`${i}`))
      await unhandled(
        w,
        () => acks(w) === before + 100,
        "mail is acknowledged, though none is handled",
      )
      await w.move(2)
      await unhandled(w, () => b.receipts.length >= 100, "and receipted")
      const full = Math.ceil((INBOX - 100) / BATCH)
      const sent = flood(b, line, INBOX + 10 * BATCH)
      check(sent > full + 5, "more is sent than the inbox holds")
      await unhandled(w, () => acks(w) >= before + 100 + full - 80, "mail is acknowledged")
      await idle(w)
      const taken = acks(w) - before - 100
      check(
        taken <= full,
        `with ${INBOX} contents in the inbox nothing is acknowledged, not ${taken}`,
      )
      await w.until(() => acks(w) > before + 100 + taken, "mail is acknowledged when there is room")
      await w.leave() // thousands of messages are not worth the wait
    },
  },
  {
    title: "contents of strangers fill a quarter of the inbox, and no more",
    req: ["AGENT-45"],
    async run(w) {
      const [b, stranger] = [new Insider(w, "b"), new Insider(w, "stranger")]
      serveInsiders(w, b, stranger)
      const line = await meetInsider(w, b)
      const other = stranger.found()
      stranger.tell(other, "a receipt for this makes nobody known")
      await w.hears("a receipt for this makes nobody known")
      await w.move(2)
      await w.until(() => stranger.receipts.length === 1, "it is receipted")
      await w.jump(2)
      const before = acks(w)
      const refused = w.refused.length
      const sent = flood(stranger, other, INBOX / 4 + 100)
      await unhandled(w, () => acks(w) >= before + sent, "all of it is acknowledged")
      same(w.refused.slice(refused), new Array(100).fill("envelope/content"), "refused contents")
      b.say(line, b.content("of a peer"))
      await w.move(2)
      await unhandled(w, () => b.receipts.length > 0, "the content of a peer is taken")
      await unhandled(w, () => stranger.receipts.length === INBOX / 4 + 101, "all get a receipt")
      const failed = stranger.receipts.filter(([, status]) => status === 3)
      same([failed.length, b.receipts.at(-1)?.[1]], [100, 1], "receipts of status 3, of the peer's")
      await w.leave() // thousands of messages are not worth the wait
    },
  },
  {
    title: "receipts of somebody else end nothing and are not told",
    req: ["AGENT-49", "AGENT-58"],
    async run(w) {
      const c = await w.meet("c")
      const [b, other] = [new Insider(w, "b"), new Insider(w, "d")]
      serveInsiders(w, b, other)
      const line = await meetInsider(w, b)
      const theirs = await meetInsider(w, other)
      const id = await w.submit("b", "for b alone")
      await w.until(() => b.texts.includes("for b alone"), "the text leaves")
      const about = (): number => w.receipts.filter((one) => one["id"] === id).length
      for (const status of [1, 2, 3]) other.say(theirs, other.receiptOf(id, status))
      await w.barrier(c)
      same(about(), 0, "receipts that are told")
      await pass(w, 70)
      const again = b.found() // the content is still kept: it is sealed again
      b.say(again, b.heal())
      const copies = (): number => b.texts.filter((one) => one === "for b alone").length
      await w.until(() => copies() === 2, "the content leaves again on a new session")
      b.say(line, b.receiptOf(id, 1))
      await w.until(() => about() === 1, "the receipt of the right peer is told")
      await pass(w, 70)
      const last = b.found()
      b.say(last, b.heal())
      await w.until(() => b.got.some((one) => one.line === last), "the last session is answered")
      await w.jump(2)
      same(copies(), 2, "copies of a content that was receipted")
    },
  },
  {
    title: "one payload to two peers: one id, one content",
    req: ["AGENT-10"],
    async run(w) {
      const [b, d] = [new Insider(w, "b"), new Insider(w, "d")]
      serveInsiders(w, b, d)
      await meetInsider(w, b)
      await meetInsider(w, d)
      const id = await w.submit(["b", "d"], "for both")
      const both = (): boolean => [b, d].every(({ texts }) => texts.includes("for both"))
      await w.until(both, "both get it")
      const bytes = [b, d].map(({ got }) => {
        const content = got.flatMap(({ contents }) => contents).find((one) => hex(one.id) === id)
        check(content !== undefined, "under the id that was told")
        return hex(encodeContent(content as Content))
      })
      same(bytes[0], bytes[1], "the content that each gets")
    },
  },
  {
    title: "what waits in the inbox when the process ends is handed over afterwards, in order",
    req: ["AGENT-46"],
    async run(w) {
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      const line = await meetInsider(w, b)
      await w.jump(2)
      const before = acks(w)
      const texts = Array.from({ length: 6 }, (_, i) => `waits ${i}`)
      for (const i of [0, 2, 4]) {
        b.say(line, ...texts.slice(i, i + 2).map((text) => b.content(text)))
      }
      w.due.push(...texts)
      await unhandled(w, () => acks(w) >= before + 3, "the envelopes are acknowledged")
      await w.crash()
      await w.connect()
      await w.until(() => texts.every((text) => w.told(text)), "all of it is told")
      same(
        w.messages.map(({ text }) => text),
        texts,
        "messages, in the order they are told",
      )
    },
  },
  {
    title:
      "a copy of what was processed gets the receipt that it was processed, not an earlier one",
    req: ["AGENT-50"],
    async run(w) {
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      const line = await meetInsider(w, b)
      const id = osDraw("content-id", 16)
      const body = encodePayload({ type: "message", text: "processed once" })
      const about = { kind: 0, id, sentMs: w.clock.now, re: null, ask: 1, body } as const
      const statuses = (): readonly number[] =>
        b.receipts.filter(([of]) => of === hex(id)).map(([, status]) => status)
      w.due.push("processed once")
      b.say(line, encodeContent(about))
      await w.until(() => statuses().includes(2), "it is processed")
      const before = statuses().length
      b.say(line, encodeContent(about))
      await w.until(() => statuses().length > before, "the copy gets a receipt")
      same(statuses().slice(before), [2], "its status")
    },
  },
]
