// The hostile hub, first part: frames that no hub sends, limits and counts that are lies.

import { encode, type Value } from "../../../src/encoding.ts"
import { FRAME, frameHash, type HubLimits, signWelcome } from "../../../src/hub/frames.ts"
import { osDraw } from "../../../src/suite.ts"
import { framed, head } from "../hub/stream.ts"
import { check, same } from "../hub/trial.ts"
import type { AgentLink, Frame } from "./hub.ts"
import { Insider } from "./insider.ts"
import { meetInsider } from "./meeting.ts"
import type { Draft } from "./post.ts"
import { emptyPools } from "./served.ts"
import type { World } from "./world.ts"

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

/** One-time keys that the agent has published. */
function made(w: World): number {
  const lists = w.hub.of(FRAME.putOneTime)
  return lists.reduce((sum, frame) => sum + (frame[3] as readonly Value[]).length, 0)
}

/** Limits of which none is more than 0. */
const NOTHING: HubLimits = {
  ...{ mailboxMessages: 0, mailboxBytes: 0, perSender: 0, perSenderBytes: 0, ttl: 0 },
  ...{ envelope: 65_536, requestsPerSecond: 0, unacked: 0 },
}

/** What a hub answers that announces such limits and takes everything; null: not to this frame. */
function generous(w: World, [type, rid, ...rest]: Frame, link: AgentLink): Uint8Array | null {
  const key = { ik: w.hub.hubIk, secret: w.hub.secret }
  const counts: Value = [0, [[1, 100]], null]
  const reply = (result: Value): Uint8Array => encode([FRAME.reply, rid as Value, result])
  switch (type) {
    case FRAME.hello: {
      const hello = frameHash(link.bytes[0] as Uint8Array)
      return signWelcome(key, hello, osDraw("snonce", 32), NOTHING)
    }
    case FRAME.auth:
      return encode([FRAME.ready, 0, counts])
    case FRAME.putOneTime:
      return reply((rest[1] as readonly Value[]).length)
    case FRAME.counts:
      return reply(counts)
    case FRAME.putBundle:
    case FRAME.ack:
    case FRAME.ping:
      return reply(null)
    default:
      return null
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
      emptyPools(w, 1)
      for (let hour = 0; hour < 4; hour++) {
        for (let i = 0; i < 40; i++) {
          w.hub.link?.inject([FRAME.lowOneTime, 0, 1, 0])
          await w.move(20)
          await w.poll(5)
        }
        const most = Math.min(500, 200 * (hour + 1))
        check(
          made(w) <= most,
          `at most ${most} one-time keys after hour ${hour + 1}, not ${made(w)}`,
        )
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
        await w.cut()
        await w.jump(2)
        await w.until(() => w.hub.links.length > before && w.connected, "the agent connects again")
      }
    },
  },
  {
    title: "a hub that takes small envelopes only: what never fits is refused at once",
    req: ["AGENT-9", "HUB-56"],
    // 8,192 bytes may be reckoned for what is not known yet.
    options: { limits: { envelope: 12_288 } },
    async run(w) {
      await w.meet("b")
      await w.refusesToSend("b", "x".repeat(12_288), "agent/payload")
      await w.send("b", "x".repeat(3_000))
      const sizes = w.hub.sendsTo("b").map((frame) => (frame[4] as Uint8Array).length)
      check(
        sizes.every((size) => size <= 12_288),
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
      await w.publishes()
      await w.meet("b")
    },
  },
  {
    title: "two suites, counts that are always 0, and the process ends: 200 keys an hour in all",
    req: ["BUNDLE-6"],
    options: { agent: { suites: [1, 2] } },
    async run(w) {
      const peer = await w.meet("b")
      await w.until(
        () => made(w) >= 200,
        "100 keys of each suite leave",
        () => w.jump(1), // they may leave a few at a time
      )
      emptyPools(w, 1, 2)
      const low = async (): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          for (const suite of [1, 2]) w.hub.link?.inject([FRAME.lowOneTime, 0, suite, 0])
          await w.move(20)
          await w.poll(5)
        }
      }
      await low()
      await w.crash()
      await w.connect()
      await low()
      await w.barrier(peer)
      same(made(w), 200, "one-time keys within the hour")
      await w.jump(3_600)
      await w.back()
      await low()
      check(made(w) > 200 && made(w) <= 400, `more keys an hour later, not ${made(w)}`)
    },
  },
  {
    title: "a hub that announces limits of 0: the agent reads 1 and works on",
    req: ["HUB-56"],
    options: { offline: true },
    async run(w) {
      const b = new Insider(w, "b")
      w.hub.attack = {
        up(frame, link) {
          const answer = generous(w, frame, link)
          if (answer !== null) link.write(framed(answer))
          return answer === null ? b.up(frame) : null
        },
      }
      await w.connect()
      for (let i = 0; i < 10; i++) await w.jump(2)
      await meetInsider(w, b)
      await w.leave()
    },
  },
  {
    title: "what the agent asks for in GET_BUNDLE: suites of its own, the higher one first",
    req: ["HUB-6"],
    options: { agent: { suites: [1, 2] } },
    async run(w) {
      for (const [name, suites] of [
        ["b", [1, 2]],
        ["c", [1]],
      ] as const) {
        await w.peer(name, { suites })
        await w.meet(name)
        const lists = w.hub.sent
          .filter((frame) => frame[0] === FRAME.getBundle && frame[2] === name)
          .map((frame) => frame[3] as readonly number[])
        check(lists.length > 0, `the bundle of ${name} is asked for`)
        for (const list of lists) {
          const right = list.every((suite, i) => suite === 1 || (suite === 2 && i === 0))
          check(right && new Set(list).size === list.length, `suites in ${JSON.stringify(list)}`)
        }
      }
    },
  },
  {
    title: "an ERR that answers nothing ends the link, whatever its code; the agent comes back",
    req: ["HUB-54", "HUB-55"],
    async run(w) {
      const peer = await w.meet("b")
      for (const [number, code] of [
        [6, "hub/no-such-agent"],
        [9, "hub/mailbox-full"],
        [11, "hub/rate-limited"],
        [14, "hub/internal"],
        [77, "hub/internal"],
      ] as const) {
        const [links, lost] = [w.hub.links.length, w.lost.length]
        w.hub.link?.inject([FRAME.error, 0, number, 0])
        const told = (): boolean => w.lost.slice(lost).includes(code)
        await w.until(told, `the link is lost with ${code}`)
        await w.until(
          () => w.hub.links.length > links && w.connected,
          "the agent connects again",
          () => w.jump(2),
        )
        await w.barrier(peer)
      }
    },
  },
]
