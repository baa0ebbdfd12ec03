// The hostile hub, seventh part: what an agent publishes when the hub loses, refuses or forgets it,
// after an import too (SPEC §6, §12.2).

import { acceptOneTimeKey, type OneTimeKey } from "../../../src/bundle.ts"
import { encode, encodePayload, type Value } from "../../../src/encoding.ts"
import { encodeContent } from "../../../src/envelope.ts"
import { initiate } from "../../../src/handshake.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { createIdentity } from "../../../src/identity.ts"
import { createInitiator, seal } from "../../../src/session.ts"
import { osDraw } from "../../../src/suite.ts"
import { hex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import { fetches } from "./delays.ts"
import type { Frame } from "./hub.ts"
import { type Draft, deliver, published } from "./post.ts"
import { emptyPools } from "./served.ts"
import type { World } from "./world.ts"

const keysOf = (frame: Frame): readonly string[] =>
  (frame[3] as readonly Value[]).map((signed) => hex(encode(signed)))

/** The suites of a GET_BUNDLE. */
const suitesOf = (frame: Frame | undefined): readonly Value[] =>
  (frame?.[3] ?? []) as readonly Value[]

/** No one-time key leaves twice, whatever became of its PUT_ONE_TIME. */
function neverAgain(w: World): void {
  const keys = w.hub.of(FRAME.putOneTime).flatMap(keysOf)
  same(new Set(keys).size, keys.length, "one-time keys that were published, each once")
}

/** A first message with one of the agent's one-time keys. */
function firstWith(w: World, signed: Value, text: string): Uint8Array {
  const bundle = published(w)
  const key: OneTimeKey = acceptOneTimeKey(encode(signed), bundle, 1, w.seconds)
  const who = createIdentity("m", osDraw)
  const made = initiate(who, bundle, key, 1, osDraw)
  const [id, body] = [osDraw("content-id", 16), encodePayload({ type: "message", text })]
  const content = encodeContent({ kind: 0, id, sentMs: w.clock.now, re: null, ask: 0, body })
  return seal(createInitiator(made, bundle), who, [content], osDraw).envelope
}

/** The first frame of a type is lost with its link; the next link is honest. */
async function lostOnce(w: World, type: number): Promise<Frame> {
  let lost: Frame | null = null
  w.hub.attack = {
    up(frame, link) {
      if (frame[0] !== type || lost !== null) return frame
      lost = frame
      link.cut()
      return null
    },
  }
  if (!w.connected) await w.connect()
  await w.until(() => lost !== null, "the frame leaves")
  w.hub.attack = {}
  await w.until(
    () => w.connected && w.hub.links.length > 1,
    "the agent connects again",
    () => w.jump(2),
  )
  return lost as unknown as Frame
}

/** The agent under test is opened anew from its export. */
export async function reborn(w: World): Promise<void> {
  const key = hex(osDraw("identity", 32))
  await w.disconnect()
  const { bytes } = await w.ok("agent.export", { agent: w.handle, key })
  await w.ok("drop", { handle: w.handle })
  const seed = hex(osDraw("identity", 32))
  await w.create({ name: w.name, seed, now: w.seconds, suites: [1], file: bytes as string, key })
}

export const PUBLISHING: readonly Draft[] = [
  {
    title: "a PUT_BUNDLE that is lost with its link is sent again, the same bytes",
    req: ["AGENT-31"],
    options: { offline: true },
    async run(w) {
      const lost = await lostOnce(w, FRAME.putBundle)
      await w.until(() => w.hub.of(FRAME.putBundle).length > 1, "a bundle leaves on the next link")
      const again = w.hub.of(FRAME.putBundle)[1] as Frame
      same(hex(encode(again[2] as Value)), hex(encode(lost[2] as Value)), "its bytes")
      await w.meet("b")
    },
  },
  {
    title: "a PUT_BUNDLE that is refused is sent again after 60 s",
    req: ["AGENT-31"],
    options: { offline: true },
    async run(w) {
      w.hub.attack = {
        up(frame, link) {
          if (frame[0] !== FRAME.putBundle) return frame
          link.inject([FRAME.error, frame[1] as Value, 14, 0])
          return null
        },
      }
      await w.connect()
      await w.until(() => w.hub.of(FRAME.putBundle).length === 1, "the bundle leaves")
      await w.jump(40)
      for (let i = 0; i < 3; i++) await w.poll()
      same(w.hub.of(FRAME.putBundle).length, 1, "bundles within 60 s of the error")
      w.hub.attack = {}
      await w.jump(25)
      await w.until(() => w.hub.of(FRAME.putBundle).length === 2, "the bundle leaves again")
      await w.meet("b")
    },
  },
  {
    title: "one-time keys whose reply was lost are not sent again, and stay live",
    req: ["HUB-7", "AGENT-35"],
    options: { offline: true },
    async run(w) {
      const lost = await lostOnce(w, FRAME.putOneTime)
      await w.until(() => w.hub.of(FRAME.putOneTime).length > 1, "other keys leave")
      const b = await w.meet("b")
      await w.jump(20)
      await w.barrier(b)
      neverAgain(w)
      w.due.push("with a key without a reply")
      const [signed] = lost[3] as readonly Value[]
      deliver(w, "m", firstWith(w, signed as Value, "with a key without a reply"))
      await w.hears("with a key without a reply")
    },
  },
  {
    title: "one-time keys that the hub refuses are erased",
    req: ["AGENT-35"],
    options: { offline: true },
    async run(w) {
      let refused: Frame | null = null
      w.hub.attack = {
        up(frame, link) {
          if (frame[0] !== FRAME.putOneTime || refused !== null) return frame
          refused = frame
          link.inject([FRAME.error, frame[1] as Value, 14, 0])
          return null
        },
      }
      await w.connect()
      await w.until(() => refused !== null, "keys leave")
      await w.meet("b") // the refusal has been handled
      await w.jump(65)
      await w.cut()
      await w.back() // after READY it asks how many there are
      await w.until(() => w.hub.of(FRAME.putOneTime).length > 1, "other keys leave")
      neverAgain(w)
      const [signed] = (refused as unknown as Frame)[3] as readonly Value[]
      deliver(w, "m", firstWith(w, signed as Value, "with a key that was refused"))
      await w.until(() => w.refused.length > 0, "the message is refused")
      same(w.refused, ["handshake/unknown-prekey"], "codes")
    },
  },
  {
    title: "after an import the first one-time keys have drop 1, again until it is acknowledged",
    req: ["AGENT-32", "AGENT-33", "HUB-7"],
    async run(w) {
      await w.until(() => w.hub.of(FRAME.putOneTime).length > 0, "keys leave")
      const before = w.hub.of(FRAME.putOneTime).length
      await reborn(w)
      const lost = await lostOnce(w, FRAME.putOneTime)
      same(lost[2], 1, "drop after an import")
      await w.until(() => w.hub.of(FRAME.putOneTime).length > before + 1, "other keys leave")
      same(w.hub.of(FRAME.putOneTime)[before + 1]?.[2], 1, "drop, which was not acknowledged")
      emptyPools(w, 1)
      await w.jump(3_600) // the keys of an hour are made
      await w.back()
      w.hub.link?.inject([FRAME.lowOneTime, 0, 1, 0])
      await w.until(() => w.hub.of(FRAME.putOneTime).length > before + 2, "more keys leave")
      same(w.hub.of(FRAME.putOneTime)[before + 2]?.[2], 0, "drop, once it was acknowledged")
      neverAgain(w)
      await w.meet("b")
    },
  },
  {
    title: "for a minute after an import no one-time key is asked for",
    req: ["AGENT-65"],
    async run(w) {
      await reborn(w)
      await w.connect()
      await w.meet("b")
      same(
        fetches(w, "b").map((frame) => frame[3]),
        [[]],
        "suites asked for in the first minute",
      )
      await w.jump(62)
      await w.meet("c")
      check(suitesOf(fetches(w, "c")[0]).length > 0, "later there are suites")
    },
  },
  {
    title: "a handshake that fails: its content stays queued, tried after 60 s, then 120 s",
    req: ["AGENT-18"],
    async run(w) {
      const c = await w.meet("c")
      const b = await w.peer("b")
      w.hub.attack = {
        up: (frame, link) => {
          if (frame[0] !== FRAME.getBundle || frame[2] !== "b") return frame
          link.inject([FRAME.error, frame[1] as Value, 14, 0])
          return null
        },
      }
      await w.cut()
      await w.send("b", "queued without a link")
      await w.back()
      const tries = (): number => fetches(w, "b").length
      await w.until(() => tries() === 1, "b's bundle is asked for")
      // What came was handled, and no request is open: a jump would end the link.
      const quiet = async (): Promise<void> => {
        await w.barrier(c)
        for (let i = 0; i < 3; i++) await w.poll(50)
      }
      await quiet()
      for (const [waits, then, count] of [
        [50, 15, 2],
        [100, 25, 3],
      ] as const) {
        await w.jump(waits)
        await quiet()
        same(tries(), count - 1, `tries ${waits} s after the last`)
        await w.jump(then)
        await w.until(() => tries() === count, `try ${count}`)
        await quiet()
      }
      w.hub.attack = {}
      await w.jump(245)
      await w.until(() => b.texts.length === 1, "the content arrives")
      same(w.undelivered, [], "contents given up")
    },
  },
]
