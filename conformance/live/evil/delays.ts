// The hostile hub, fifth part: what an agent sends by itself, on time and once: receipts, answers,
// probes, and what waits for the window (SPEC §8, §12.2).

import { decode, type Value } from "../../../src/encoding.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { createIdentity } from "../../../src/identity.ts"
import { osDraw } from "../../../src/suite.ts"
import { check, same } from "../hub/trial.ts"
import type { Frame } from "./hub.ts"
import { type Draft, deliver, heal, pair, published, settled } from "./post.ts"
import type { World } from "./world.ts"

/** Says OK to SENDs to a name and discards them, as long as `wanted`. */
export function discard(
  w: World,
  to: string,
  wanted: (frame: Frame) => boolean = () => true,
): void {
  w.hub.attack = {
    ...w.hub.attack,
    up: (frame, link) => {
      if (frame[0] !== FRAME.send || frame[2] !== to || !wanted(frame)) return frame
      link.inject([FRAME.reply, frame[1] as Value, null])
      return null
    },
  }
}

/** Keeps mail of one name from the agent; what was kept. */
export function holdFrom(w: World, name: string): Frame[] {
  const held: Frame[] = []
  w.hub.attack = {
    ...w.hub.attack,
    down: (frame) => {
      if (frame[0] !== FRAME.deliver || frame[3] !== name) return frame
      held.push(frame)
      return null
    },
  }
  return held
}

/** The init in the header of a SEND, null if there is none. */
export function initOf(frame: Frame | undefined): readonly Value[] | null {
  const [header] = decode(frame?.[4] as Uint8Array) as readonly [Uint8Array]
  return (decode(header) as readonly Value[])[6] as readonly Value[] | null
}

/** GET_BUNDLEs of the agent for a name. */
export function fetches(w: World, name: string): readonly Frame[] {
  return w.hub.of(FRAME.getBundle).filter((frame) => frame[2] === name)
}

export const DELAYS: readonly Draft[] = [
  {
    title: "a receipt leaves by itself within a second, once, and gets no receipt",
    req: ["AGENT-28", "AGENT-29"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      const before = w.hub.sendsTo("b").length
      await w.tell(b, "to be receipted")
      await w.hears("to be receipted")
      await w.jump(1)
      await w.leaves("b", before)
      for (const seconds of [2, 60]) await w.jump(seconds)
      await w.barrier(c)
      same(w.hub.sendsTo("b").length, before + 1, "envelopes to b because of one message")
    },
  },
  {
    title:
      "an accepted first message is answered within a second, once, though nothing else is due",
    req: ["AGENT-17", "HANDSHAKE-37", "HANDSHAKE-38"],
    async run(w) {
      const [, c] = await pair(w)
      discard(w, "ghost")
      deliver(w, "ghost", heal(w, createIdentity("ghost", osDraw), published(w)))
      await w.barrier(c)
      await w.jump(1)
      await w.leaves("ghost", 0)
      same(initOf(w.hub.sendsTo("ghost")[0]), null, "init in the answer")
      for (const seconds of [2, 60, 700]) await w.jump(seconds)
      await w.barrier(c)
      same(w.hub.sendsTo("ghost").length, 1, "answers")
    },
  },
  {
    title: "another key under a pinned name is told only if it proves itself, and once an hour",
    req: ["HANDSHAKE-28", "IDENTITY-11"],
    async run(w) {
      const [, c] = await pair(w)
      const ghost = createIdentity("b", osDraw)
      const unproven = new Uint8Array(heal(w, ghost, published(w)))
      unproven[unproven.length - 1] = (unproven.at(-1) as number) ^ 1
      deliver(w, "b", unproven)
      await w.barrier(c)
      same(w.changed, [], "changes of identity told of an envelope that does not open")
      for (let i = 0; i < 3; i++) deliver(w, "b", heal(w, ghost, published(w)))
      await w.barrier(c)
      same(w.changed, ["b"], "changes of identity told within the hour")
      await w.jump(3_600)
      await w.barrier(c) // the link may be another one after an hour of silence
      deliver(w, "b", heal(w, ghost, published(w)))
      await w.barrier(c)
      same(w.changed, ["b", "b"], "changes of identity told after an hour")
    },
  },
  {
    title: "128 envelopes without a receipt: the next content waits, a receipt does not",
    req: ["AGENT-26", "AGENT-27"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      const held = holdFrom(w, "b")
      const before = w.hub.sendsTo("b").length
      for (let i = 0; i < 128; i++) {
        await w.send("b", `in the window ${i}`)
        await w.until(() => w.hub.sendsTo("b").length === before + i + 1, `envelope ${i} leaves`)
        // Its OK comes before the next one is queued: each content has an envelope of its own.
        await w.until(() => b.texts.length === i + 2, `b gets envelope ${i}`)
        await w.poll(0)
      }
      await w.send("b", "beyond the window")
      await w.barrier(c)
      await w.jump(2)
      await w.barrier(c)
      same(w.hub.sendsTo("b").length, before + 128, "envelopes with contents and no receipt")
      const told = b.agent.send(w.name, "a message meanwhile")
      w.due.push("a message meanwhile")
      await told
      await w.until(() => held.length > 0, "the hub has mail of b")
      w.hub.link?.inject(held.at(-1) as Frame)
      held.pop()
      await w.hears("a message meanwhile")
      await w.jump(1)
      await w.until(() => w.hub.sendsTo("b").length > before + 128, "its receipt leaves")
      w.hub.attack = {}
      for (const frame of held) w.hub.link?.inject(frame)
      await w.until(() => b.texts.includes("beyond the window"), "what waited arrives")
    },
  },
  {
    title: "a probe asks for a fresh bundle and no one-time key; its content follows the answer",
    req: ["BUNDLE-25", "AGENT-24", "AGENT-22"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      let count = 0
      discard(w, "b", () => ++count === 1)
      const [before, asked] = [w.hub.sendsTo("b").length, fetches(w, "b").length]
      await w.send("b", "discarded")
      await w.leaves("b", before)
      await w.jump(100)
      await w.jump(400)
      await w.barrier(c)
      same(w.hub.sendsTo("b").length, before + 1, "envelopes within 600 s of the OK")
      await w.jump(200)
      const probed = (): boolean => w.hub.sendsTo("b").length > before + 1
      await w.until(probed, "the probe leaves", () => w.jump(70))
      check(initOf(w.hub.sendsTo("b")[before + 1]) !== null, "the probe is a handshake")
      same(
        fetches(w, "b")
          .slice(asked)
          .map((frame) => frame[3]),
        [[]],
        "suites for which the probe asks a one-time key",
      )
      await w.until(() => b.texts.includes("discarded"), "the content arrives")
    },
  },
  {
    title: "an old receipt again: the application hears of each state once",
    req: ["AGENT-58", "AGENT-11"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      const held = holdFrom(w, "b")
      const id = await w.send("b", "receipted twice", { ask: 1 })
      await w.until(() => held.length > 0, "the hub has the receipt")
      w.hub.attack = {}
      await w.jump(100)
      await w.jump(700) // a probe: the content goes out again, and is receipted again
      const of = (): readonly unknown[] =>
        w.receipts.filter((one) => one["id"] === id).map((one) => one["state"])
      await w.until(() => of().length > 0, "a receipt is told")
      for (const frame of held) w.hub.link?.inject(frame)
      await settled(w, b, c)
      const states = of()
      check(new Set(states).size === states.length, `each state once, and not ${states.join()}`)
      check(states.includes("processed"), `the content was processed: ${states.join()}`)
    },
  },
  {
    title: "the peer founds a new session: a content is sealed again on it after 60 s, not before",
    req: ["AGENT-21", "AGENT-27"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      await w.jump(70) // later than the first session by more than a minute: no glare
      await w.until(() => w.connected, "the agent is connected")
      await w.barrier(c)
      const held = holdFrom(w, "b")
      const before = w.hub.sendsTo("b").length
      await w.send("b", "sealed again")
      await w.until(() => b.texts.includes("sealed again"), "b gets the content")
      await w.barrier(c) // the OK has been handled
      await b.agent.forget(w.name)
      const kept = held.length
      await w.tell(b, "on a new session")
      await w.until(() => held.length > kept, "the hub has the handshake")
      w.hub.attack = {}
      w.hub.link?.inject(held.at(-1) as Frame)
      await w.hears("on a new session")
      for (const seconds of [2, 20, 20]) {
        await w.jump(seconds)
        await w.barrier(c)
      }
      same(w.hub.sendsTo("b").length, before + 2, "envelopes: the content, the receipt")
      await w.jump(25)
      await w.until(() => w.hub.sendsTo("b").length === before + 3, "the content leaves again")
    },
  },
  {
    title: "two answers about one name: the first and the latest receipt are kept",
    req: ["HUB-60"],
    async run(w) {
      await w.meet("c")
      const b = await w.peer("b")
      await w.send("b", "the first")
      await w.until(() => b.texts.length === 1, "b gets the first message")
      const receipts = async (): Promise<readonly unknown[]> =>
        (await w.ok("agent.receipts", { agent: w.handle, name: "b" }))["receipts"] as unknown[]
      const [first] = await receipts()
      await w.jump(20)
      await w.ok("agent.forget", { agent: w.handle, name: "b" })
      await w.send("b", "the second")
      await w.until(() => b.texts.length === 2, "b gets the second message")
      const all = await receipts()
      same(all.length, 2, "receipts that are kept")
      check(all.includes(first), "the first receipt is kept")
    },
  },
]
