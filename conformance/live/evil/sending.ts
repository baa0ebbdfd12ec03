// The hostile hub, fourth part: what it does to what the agent sends (AGENT-13 to AGENT-22).

import { createBundle } from "../../../src/bundle.ts"
import { decode, type Value } from "../../../src/encoding.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { createIdentity } from "../../../src/identity.ts"
import { osDraw } from "../../../src/suite.ts"
import { hex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import type { Fate, Frame } from "./hub.ts"
import { Insider } from "./insider.ts"
import { meetInsider, pass, serveInsiders } from "./meeting.ts"
import { type Draft, settled } from "./post.ts"
import { serve, whole } from "./served.ts"
import type { World } from "./world.ts"

/** The first SENDs to a name get another fate; the rest is honest. */
function intercept(w: World, to: string, fate: (frame: Frame, count: number) => Fate): void {
  let count = 0
  w.hub.attack = {
    up: (frame) => (frame[0] === FRAME.send && frame[2] === to ? fate(frame, ++count) : frame),
  }
}

/** The guard in the header of a SEND's envelope. */
function guardOf(frame: Frame): Uint8Array {
  const [header] = decode(frame[4] as Uint8Array) as readonly [Uint8Array]
  return (decode(header) as readonly Value[])[5] as Uint8Array
}

/** The SENDs to a name that hold the same envelope under the same mid as the first after `from`. */
function copies(w: World, to: string, from: number): readonly Frame[] {
  const [first, ...rest] = w.hub.sendsTo(to).slice(from)
  if (first === undefined) return []
  const print = (frame: Frame): string =>
    `${hex(frame[3] as Uint8Array)} ${hex(frame[4] as Uint8Array)}`
  return [first, ...rest.filter((frame) => print(frame) === print(first))]
}

/** Sends a text whose SEND is not answered as it should be; when it was repeated, it arrives once. */
function repeated(
  title: string,
  req: readonly string[],
  fate: (w: World, frame: Frame, count: number) => Fate,
  meanwhile: (w: World) => Promise<void>,
): Draft {
  return {
    title,
    req,
    async run(w) {
      const b = await w.meet("b")
      await settled(w, b)
      const before = w.hub.sendsTo("b").length
      intercept(w, "b", (frame, count) => fate(w, frame, count))
      await w.send("b", "said once")
      await w.leaves("b", before)
      await w.send("b", "said later")
      await meanwhile(w)
      await w.until(
        () => copies(w, "b", before).length > 1,
        "the same bytes leave again, under the same mid",
      )
      const second = w.hub.sendsTo("b")[before + 1] as Frame
      same(hex(second[3] as Uint8Array), hex(guardOf(second)), "mid and guard")
      same(second.slice(3), w.hub.sendsTo("b")[before]?.slice(3), "what leaves next for this peer")
      await w.until(() => b.texts.length === 3, "both messages arrive")
    },
  }
}

function answer(w: World, frame: Frame, code: number, retryAfter: number): null {
  w.hub.link?.inject([FRAME.error, frame[1] as number, code, retryAfter])
  return null
}

export const SENDING: readonly Draft[] = [
  repeated(
    "a SEND that gets no answer is repeated after 30 s",
    ["AGENT-15", "HUB-5"],
    (_w, frame, count) => (count === 1 ? null : frame),
    (w) => w.jump(31),
  ),
  repeated(
    "a SEND whose OK is lost with the link is repeated on the next link, before anything newer",
    ["AGENT-15", "HUB-5"],
    (_w, frame, count) => (count === 1 ? null : frame),
    async (w) => {
      const before = w.hub.links.length
      await w.cut()
      await w.jump(2)
      await w.until(() => w.hub.links.length > before && w.connected, "the agent connects again")
    },
  ),
  repeated(
    "a full mailbox: the same bytes again after 60 s",
    ["AGENT-16", "HUB-5"],
    (w, frame, count) => (count === 1 ? answer(w, frame, 9, 60) : frame),
    async (w) => {
      const before = w.hub.sendsTo("b").length
      await w.jump(40)
      await w.poll()
      same(w.hub.sendsTo("b").length, before, "SENDs within 60 s of the error")
      await w.jump(25)
    },
  ),
  repeated(
    "an absurd retry-after is read as an hour",
    ["HUB-55", "AGENT-16"],
    (w, frame, count) => (count === 1 ? answer(w, frame, 11, 2 ** 40) : frame),
    async (w) => {
      await w.jump(3_000)
      await w.jump(700)
      if (!w.connected) await w.jump(2)
    },
  ),
  repeated(
    "an error that nobody knows is none that ends a content",
    ["HUB-55", "AGENT-16"],
    (w, frame, count) => (count === 1 ? answer(w, frame, 77, 0) : frame),
    async (w) => {
      const before = w.hub.sendsTo("b").length
      await w.jump(40)
      await w.poll()
      same(w.hub.sendsTo("b").length, before, "SENDs within 60 s of the error")
      await w.jump(25)
    },
  ),
  {
    title: "too large: the envelope is dropped, its content is reported as undelivered",
    req: ["AGENT-16", "AGENT-11"],
    async run(w) {
      const b = await w.meet("b")
      await settled(w, b)
      intercept(w, "b", (frame, count) => (count === 1 ? answer(w, frame, 10, 0) : frame))
      const id = await w.send("b", "too large")
      w.dueAt.set("b", ["hello b"])
      await w.until(
        () => w.undelivered.some((one) => one["id"] === id),
        "the content is reported as undelivered",
      )
      await w.send("b", "small")
      await w.until(() => b.texts.length === 2, "what is sent later arrives")
      same(w.undelivered.length, 1, "reports")
    },
  },
  {
    title: "OK for what is discarded: a probe brings a new session, and the content arrives once",
    req: ["AGENT-21", "AGENT-22"],
    async run(w) {
      const b = await w.meet("b")
      await settled(w, b)
      intercept(w, "b", (frame, count) => {
        if (count > 1) return frame
        w.hub.link?.inject([FRAME.reply, frame[1] as number, null])
        return null
      })
      const before = w.hub.sendsTo("b").length
      await w.send("b", "said OK and discarded")
      await w.leaves("b", before)
      await w.barrier(b) // the OK has been handled
      await w.jump(100)
      await w.jump(700)
      await w.until(
        () => b.texts.includes("said OK and discarded"),
        "the content arrives after the probe",
      )
    },
  },
  {
    title: "every SEND passed on three times",
    req: ["AGENT-14", "HUB-54"],
    async run(w) {
      const b = await w.meet("b")
      w.hub.attack = { up: (frame) => (frame[0] === FRAME.send ? [frame, frame, frame] : frame) }
      for (let i = 0; i < 5; i++) await w.send("b", `tripled ${i}`)
      await w.until(() => b.texts.length === 6, "each arrives")
      check(w.lost.length === 0, "answers that nobody waits for are ignored")
    },
  },
  {
    title: "SENDs given to another agent: the right one gets them by the agent's own recovery",
    req: ["AGENT-20", "AGENT-22"],
    async run(w) {
      const b = await w.meet("b")
      await settled(w, b)
      await w.peer("d")
      intercept(w, "b", (frame, count) =>
        count > 1 ? frame : ([frame[0], frame[1], "d", ...frame.slice(3)] as unknown as Frame),
      )
      const before = w.hub.sendsTo("b").length
      await w.send("b", "for b, given to d")
      await w.leaves("b", before)
      await w.barrier(b) // the OK has been handled
      await w.jump(100)
      await w.jump(700)
      await w.until(() => b.texts.includes("for b, given to d"), "b gets it after all")
    },
  },
  {
    title: "only one envelope for a peer awaits its OK",
    req: ["AGENT-14"],
    async run(w) {
      const b = await w.meet("b")
      const c = await w.meet("c")
      await settled(w, b)
      const before = w.hub.sendsTo("b").length
      const held: Frame[] = []
      intercept(w, "b", (frame) => {
        held.push(frame)
        return null
      })
      for (let i = 0; i < 5; i++) await w.send("b", `queued ${i}`)
      await w.barrier(c)
      same(w.hub.sendsTo("b").length, before + 1, "SENDs without an OK")
      w.hub.attack = {}
      await w.jump(31)
      await w.until(() => b.texts.length === 6, "all arrive")
    },
  },
  {
    title:
      "a content for an address, queued as the link was lost: no impostor gets it, restarted or not",
    req: ["IDENTITY-13", "AGENT-19"],
    async run(w) {
      const b = await w.peer("b")
      w.hub.attack = {
        up(frame) {
          if (frame[0] !== FRAME.getBundle || frame[2] !== "b") return frame
          w.hub.link?.cut()
          return null
        },
      }
      const id = await w.submit(b.agent.address, "for b alone")
      await w.disconnect()
      const about = { seq: 4_000_000_000, now: w.seconds, suites: [1], flags: 0 } as const
      const { bytes } = createBundle(createIdentity("b", osDraw), about, osDraw)
      const bundle = decode(bytes) as unknown as readonly [Uint8Array, Uint8Array]
      serve(w, "b", () => whole(w, bundle))
      await w.connect()
      await w.until(
        () => w.undelivered.some((one) => one["id"] === id),
        "the content is reported as undelivered",
      )
      same(w.hub.sendsTo("b").length, 0, "envelopes to b")
      w.hub.attack = {}
      await w.send("b", "for anyone")
      await w.until(() => b.texts.length > 0, "b gets what is sent afterwards")
    },
  },
  {
    title: "a hundred contents behind one envelope: the next one holds 64, in order",
    req: ["ENVELOPE-5"],
    async run(w) {
      const c = await w.meet("c")
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      await meetInsider(w, b)
      await pass(w, 3)
      b.takes = false
      const texts = Array.from({ length: 101 }, (_, i) => `text ${i}`)
      const [sends, before] = [w.hub.sendsTo("b").length, b.got.length]
      for (const [i, text] of texts.entries()) {
        await w.submit("b", text)
        if (i === 0) await w.leaves("b", sends)
      }
      await w.barrier(c)
      b.takes = true
      await pass(w, 40)
      await w.until(() => b.texts.includes("text 100"), "all texts leave")
      const sizes = b.got.slice(before).map((one) => one.texts.length)
      same(sizes, [1, 64, 36], "contents in the envelopes")
      same(b.texts.slice(-101), texts, "the texts, in order")
    },
  },
]
