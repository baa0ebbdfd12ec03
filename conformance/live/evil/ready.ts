// The hostile hub, first part: frames that no hub sends, limits and counts that are lies.

import type { Value } from "../../../src/encoding.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { framed, head } from "../hub/stream.ts"
import { check, same } from "../hub/trial.ts"
import type { AgentLink, Frame } from "./hub.ts"
import type { EvilCase, World } from "./world.ts"

type Draft = Omit<EvilCase, "id">

/** Frames that end a ready link with `hub/malformed`; the agent comes back by itself. */
function broken(title: string, send: (link: AgentLink) => void): Draft {
  return {
    title,
    req: ["HUB-54", "HUB-9"],
    async run(w) {
      const peer = await w.meet("b")
      const before = w.hub.links.length
      send(w.hub.link as AgentLink)
      await w.until(() => w.lost.includes("hub/malformed"), "the link is lost with hub/malformed")
      await w.jump(2)
      await w.until(() => w.hub.links.length > before && w.connected, "the agent connects again")
      await w.barrier(peer)
    },
  }
}

/** Frames that change nothing. */
function ignored(title: string, req: string, frames: (w: World) => readonly Frame[]): Draft {
  return {
    title,
    req: [req],
    async run(w) {
      const peer = await w.meet("b")
      for (const frame of frames(w)) w.hub.link?.inject(frame)
      await w.barrier(peer)
      same([w.lost, w.hub.links.length], [[], 1], "lost links, connections")
    },
  }
}

export const READY: readonly Draft[] = [
  broken("a frame that is no CBOR", (link) => link.write(framed(Buffer.from("ffff", "hex")))),
  broken("a frame with a byte too many", (link) =>
    link.write(framed(Buffer.from("84181f00010000", "hex"))),
  ),
  broken("a length of 2^32-1", (link) => link.write(head(0xffff_ffff))),
  broken("a length of 0", (link) => link.write(head(0))),
  broken("a frame of an agent", (link) => link.inject([FRAME.ping, 1])),
  broken("a second READY", (link) => link.inject([FRAME.ready, 0, [0, [], null]])),
  broken("an unknown type", (link) => link.inject([99, 0])),
  broken("mail with an mseq that is text", (link) =>
    link.inject([FRAME.deliver, 0, "1", "b", new Uint8Array(9)]),
  ),
  broken("the result of another request", (link) => {
    // The agent has one request open whenever it sends: the next one gets names for null.
    link.inject([FRAME.reply, 0, null])
  }),
  ignored("answers to requests that nobody made", "HUB-54", () => [
    [FRAME.reply, 4_000_000_000, null],
    [FRAME.reply, 4_000_000_001, ["names"]],
    [FRAME.error, 4_000_000_002, 9, 60],
  ]),
  ignored("two thousand LOW_ONE_TIME", "BUNDLE-6", () =>
    Array.from({ length: 2_000 }, (): Frame => [FRAME.lowOneTime, 0, 1, 0]),
  ),
  {
    title: "LOW_ONE_TIME for hours, and counts that are always 0: 200 keys an hour, 500 are held",
    req: ["BUNDLE-6"],
    async run(w) {
      const peer = await w.meet("b")
      w.hub.attack = {
        down: (frame, asked) =>
          asked?.[0] === FRAME.counts ? [FRAME.reply, frame[1] as Value, [0, [[1, 0]], 1]] : frame,
      }
      const made = (): number => {
        const lists = w.hub.sent.filter((frame) => frame[0] === FRAME.putOneTime)
        return lists.reduce((sum, frame) => sum + (frame[3] as readonly Value[]).length, 0)
      }
      for (let hour = 0; hour < 4; hour++) {
        for (let i = 0; i < 40; i++) {
          w.hub.link?.inject([FRAME.lowOneTime, 0, 1, 0])
          await w.move(20)
          await w.poll(5)
        }
        const most = Math.min(500, 200 * (hour + 1))
        check(made() <= most, `at most ${most} one-time keys after hour ${hour + 1}, not ${made()}`)
        await w.jump(3_000)
        await w.until(() => w.connected, "the agent connects again")
      }
      await w.barrier(peer)
    },
  },
  {
    title: "the link is replaced: the agent does not come back by itself",
    req: ["HUB-10"],
    async run(w) {
      await w.meet("b")
      w.hub.link?.inject([FRAME.error, 0, 12, 0])
      w.hub.link?.socket.end()
      await w.until(() => w.lost.includes("hub/replaced"), "the link is lost with hub/replaced")
      const before = w.hub.links.length
      for (const seconds of [2, 70, 600]) {
        await w.jump(seconds)
        for (let i = 0; i < 3; i++) await w.poll()
      }
      same(w.hub.links.length, before, "connections after hub/replaced")
      check(!w.connected, "the agent says that it is not connected")
    },
  },
  {
    title: "a hub that cuts every link after READY: the agent comes back again and again",
    req: ["HUB-9"],
    async run(w) {
      await w.meet("b")
      for (let i = 0; i < 3; i++) {
        const before = w.hub.links.length
        w.hub.link?.cut()
        await w.until(() => !w.connected, "the link is lost")
        await w.jump(2)
        await w.until(() => w.hub.links.length > before && w.connected, "the agent connects again")
      }
    },
  },
  {
    title: "a hub that takes small envelopes only: what never fits is refused at once",
    req: ["AGENT-9", "HUB-56"],
    options: { limits: { envelope: 4_096 } },
    async run(w) {
      await w.meet("b")
      await w.refusesToSend("b", "x".repeat(10_000), "agent/payload")
      const sizes = w.hub.sendsTo("b").map((frame) => (frame[4] as Uint8Array).length)
      check(
        sizes.every((size) => size <= 4_096),
        "no envelope is larger than the hub takes",
      )
    },
  },
  {
    title: "bundle-seq 2^53-1 in READY and COUNTS does not end publishing",
    req: ["BUNDLE-8", "AGENT-32"],
    options: { offline: true },
    async run(w) {
      const lie = (counts: Value): Value => {
        const [mail, keys] = counts as readonly Value[]
        return [mail as Value, keys as Value, Number.MAX_SAFE_INTEGER]
      }
      w.hub.attack = {
        down(frame, asked) {
          if (frame[0] === FRAME.ready) return [FRAME.ready, 0, lie(frame[2] as Value)]
          if (asked?.[0] !== FRAME.counts || frame[0] !== FRAME.reply) return frame
          return [FRAME.reply, frame[1] as Value, lie(frame[2] as Value)]
        },
      }
      await w.connect()
      const put = (): Frame | undefined => w.hub.sent.find((frame) => frame[0] === FRAME.putBundle)
      await w.until(() => put() !== undefined, "the agent publishes a bundle")
      await w.meet("b")
    },
  },
]
