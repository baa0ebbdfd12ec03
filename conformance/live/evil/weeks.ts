// The hostile hub, sixth part: hours and weeks of an agent's life. What is given up, what a withheld
// key may carry, how long old keys live (SPEC §6, §8, §12.2).

import { encode, encodePayload, type Value } from "../../../src/encoding.ts"
import { encodeContent } from "../../../src/envelope.ts"
import { initiate } from "../../../src/handshake.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { createIdentity, type OwnIdentity } from "../../../src/identity.ts"
import { createInitiator, seal } from "../../../src/session.ts"
import { osDraw } from "../../../src/suite.ts"
import { hex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import { discard, fetches, holdFrom, initOf } from "./delays.ts"
import type { Frame } from "./hub.ts"
import { pass, slowly } from "./meeting.ts"
import { type Draft, deliver, firstMessage, pair, published, settled } from "./post.ts"
import type { World } from "./world.ts"

const DAY = 86_400

/** Lets weeks pass, a few days at a time, on a link that is new afterwards. */
async function weeks(w: World, days: number): Promise<void> {
  for (let day = 0; day < days; day += 5) await w.jump(5 * DAY)
  await w.disconnect()
  await w.connect()
}

/** The hub does not answer for days; then it announces mail which it holds back. */
async function away(w: World, days: number, mail: number = 9): Promise<void> {
  w.hub.attack = { up: () => null, down: () => null }
  await w.cut()
  for (let day = 0; day < days; day += 5) await w.jump(5 * DAY)
  w.hub.attack = {
    down: (frame) => {
      if (frame[0] !== FRAME.ready) return frame
      const [, ...counts] = frame[2] as readonly Value[]
      return [FRAME.ready, 0, [mail, ...counts]]
    },
  }
  for (const link of w.hub.links) link.cut()
  await w.back(70)
  await w.jump(700)
  await w.back()
}

/** A first message that waited for too long is refused: the keys that open it are gone. */
async function tooLate(w: World, envelope: Uint8Array): Promise<void> {
  const before = w.refused.length
  deliver(w, "slow", envelope)
  await w.until(() => w.refused.length > before, "the envelope is refused")
  same(w.refused.at(-1), "handshake/unknown-prekey", "code")
}

/** A session that somebody founds with the agent: makes its envelopes. */
function insider(w: World, who: OwnIdentity): (text: string) => Uint8Array {
  const bundle = published(w)
  let session = createInitiator(initiate(who, bundle, null, 1, osDraw), bundle)
  return (text) => {
    const [id, body] = [osDraw("content-id", 16), encodePayload({ type: "message", text })]
    const content = encodeContent({ kind: 0, id, sentMs: w.clock.now, re: null, ask: 0, body })
    const sealed = seal(session, who, [content], osDraw)
    session = sealed.session
    return sealed.envelope
  }
}

export const WEEKS: readonly Draft[] = [
  {
    title: "a content without a receipt is given up after 14 days, and not before",
    req: ["AGENT-25", "AGENT-11"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      discard(w, "b")
      const id = await w.send("b", "never receipted")
      w.dueAt.set("b", ["hello b"])
      await w.leaves("b", 1)
      for (let day = 0; day < 12; day += 4) await w.jump(4 * DAY)
      await w.jump(DAY)
      for (let i = 0; i < 3; i++) await w.poll()
      same(w.undelivered, [], "contents given up within 13 days")
      await w.jump(DAY)
      await w.jump(700)
      await w.until(() => w.undelivered.length > 0, "the content is given up after 14 days")
      same(w.undelivered[0]?.["id"], id, "which content")
    },
  },
  {
    title: "after unanswered probes and a receipt the probe clock begins anew",
    req: ["AGENT-23"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      const before = fetches(w, "b").length
      discard(w, "b")
      await w.send("b", "discarded for an hour")
      await w.leaves("b", 1)
      await w.jump(100)
      for (const [i, seconds] of [610, 1_250, 2_450].entries()) {
        if (i === 2) w.hub.attack = {}
        await w.jump(seconds)
        await w.until(() => fetches(w, "b").length === before + i + 1, `probe ${i + 1}`)
      }
      await w.until(() => b.texts.includes("discarded for an hour"), "the content arrives")
      await settled(w, b, c)
      let count = 0
      discard(w, "b", () => ++count === 1)
      const sent = w.hub.sendsTo("b").length
      await w.send("b", "discarded again")
      await w.leaves("b", sent)
      await w.jump(700)
      await w.until(() => fetches(w, "b").length > before + 3, "a probe after 600 s")
      await w.until(() => b.texts.includes("discarded again"), "the content arrives")
    },
  },
  {
    title: "a hub that withholds one-time keys from a running conversation gets a heal only",
    req: ["HANDSHAKE-9"],
    async run(w) {
      const [b, c] = await pair(w)
      await settled(w, b, c)
      await weeks(w, 25)
      await w.barrier(c)
      const held = holdFrom(w, "b")
      const keep = w.hub.attack.down
      w.hub.attack = {
        down(frame, asked, link) {
          const served = asked?.[0] === FRAME.getBundle && asked[2] === "b"
          if (!served || frame[0] !== FRAME.reply) return keep?.(frame, asked, link) ?? null
          const [bundle, , receipt] = frame[2] as readonly Value[]
          return [frame[0], frame[1] as Value, [bundle as Value, null, receipt as Value]]
        },
      }
      const before = w.hub.sendsTo("b").length
      await w.send("b", "after weeks")
      await w.leaves("b", before)
      check(initOf(w.hub.sendsTo("b").at(-1)) !== null, "it is a handshake")
      await w.barrier(c)
      await w.jump(2)
      await w.barrier(c)
      same(b.texts.includes("after weeks"), false, "whether the content left before b's answer")
      w.hub.attack = {}
      for (const frame of held) w.hub.link?.inject(frame)
      await w.until(() => b.texts.includes("after weeks"), "the content follows b's answer")
    },
  },
  {
    title: "a first message that waited at the hub for weeks opens: prekeys live until the drain",
    req: ["BUNDLE-4"],
    async run(w) {
      await pair(w)
      const envelope = firstMessage(w, createIdentity("slow", osDraw), "weeks on the way")
      await away(w, 40)
      w.due.push("weeks on the way")
      deliver(w, "slow", envelope)
      await w.hears("weeks on the way")
    },
  },
  {
    title: "announced mail that never comes: after an hour old prekeys are erased",
    req: ["AGENT-30"],
    async run(w) {
      await pair(w)
      const envelope = firstMessage(w, createIdentity("slow", osDraw), "too late")
      await away(w, 40)
      await w.jump(3_700)
      await w.jump(700)
      if (!w.connected) await w.until(() => w.connected, "the agent connects again")
      await tooLate(w, envelope)
    },
  },
  {
    title: "a fifth session with a peer: the one that was silent longest goes, not the sending one",
    req: ["HANDSHAKE-39"],
    async run(w) {
      const [, c] = await pair(w)
      discard(w, "m")
      const m = createIdentity("m", osDraw)
      const founded = Array.from({ length: 5 }, () => insider(w, m))
      const tell = async (i: number, text: string): Promise<void> => {
        w.due.push(text)
        deliver(w, "m", founded[i]?.(text) as Uint8Array)
        await w.hears(text)
        await w.jump(5)
      }
      for (let i = 0; i < 4; i++) await tell(i, `session ${i}`)
      await tell(0, "session 0, which is the last heard of now")
      await tell(4, "session 4, the fifth")
      for (const i of [0, 2, 3, 4]) await tell(i, `session ${i} lives`)
      deliver(w, "m", founded[1]?.("session 1 does not") as Uint8Array)
      await w.barrier(c)
      same(w.refused, ["handshake/replay"], "codes")
    },
  },
  {
    title: "a PUT_BUNDLE after a rotation is lost with its link and sent again, the same bytes",
    req: ["AGENT-31", "BUNDLE-2"],
    async run(w) {
      const b = await w.meet("b")
      const puts = (): readonly Frame[] => w.hub.of(FRAME.putBundle)
      const before = puts().length
      w.hub.attack = {
        up(frame, link) {
          if (frame[0] !== FRAME.putBundle || puts().length > before + 1) return frame
          link.cut()
          return null
        },
      }
      for (const days of [4, 4]) await w.jump(days * DAY)
      await w.until(
        () => puts().length > before,
        "a new bundle leaves",
        () => w.jump(600),
      )
      await w.until(
        () => puts().length > before + 1,
        "a bundle leaves again",
        () => w.jump(2),
      )
      const [lost, again] = puts().slice(before)
      same(hex(encode(again?.[2] as Value)), hex(encode(lost?.[2] as Value)), "its bytes")
      await w.barrier(b)
    },
  },
  {
    title: "announced mail that never comes, on links that come and go: it is one hour over all",
    req: ["AGENT-30"],
    async run(w) {
      await pair(w)
      const envelope = firstMessage(w, createIdentity("slow", osDraw), "too late")
      await away(w, 40)
      for (let i = 0; i < 4; i++) {
        await pass(w, 500)
        await w.cut()
        await w.back()
      }
      await slowly(w, 2_000) // the hour has begun at the first of these links, 2,770 s before
      await tooLate(w, envelope)
    },
  },
  {
    title: "a hub that announces more mail than a mailbox holds: 1,000 envelopes are all of it",
    req: ["AGENT-30"],
    async run(w) {
      const [, c] = await pair(w)
      const envelope = firstMessage(w, createIdentity("slow", osDraw), "too late")
      await away(w, 40, 1_000_000)
      const before = w.refused.length
      for (let i = 0; i < 1_000; i++) deliver(w, "nobody", new Uint8Array(1))
      await w.until(() => w.refused.length >= before + 1_000, "each envelope is refused")
      await w.barrier(c)
      await slowly(w, 1_000) // less than an hour since the link was made
      await tooLate(w, envelope)
    },
  },
]
