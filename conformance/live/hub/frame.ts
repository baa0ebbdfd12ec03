// Black box, area 1: frames on a stream of bytes (SPEC §11.2, §11.4 "Frames").

import { encode, type Value } from "../../../src/encoding.ts"
import { MAX_FRAME } from "../../../src/limits.ts"
import { newMid } from "./actors.ts"
import { type Link, T } from "./link.ts"
import { framed, head } from "./stream.ts"
import { area, check, type Draft, type HubCase, same, type Trial } from "./trial.ts"

/** A link on which PING was answered: what is refused on it afterwards is refused for itself. */
async function proven(t: Trial): Promise<Link> {
  const link = await t.login()
  same(await link.ok(T.ping), null, "result of PING")
  return link
}

/** Sends bytes of a frame on each of these links in turn, and expects the error and the end. */
function broken(
  title: string,
  req: readonly string[],
  code: number,
  bytes: () => Uint8Array,
  on: readonly ("new" | "greeted" | "ready")[] = ["ready"],
): Draft {
  return {
    title,
    req,
    async run(t) {
      const witness = await proven(t)
      for (const state of on) {
        const link = await {
          new: () => t.connect(),
          greeted: () => t.greeted(),
          ready: () => proven(t),
        }[state]()
        await link.stream.write(bytes())
        await link.closedWith(code)
        same(await witness.ok(T.ping), null, "PING on another link")
      }
    },
  }
}

const ALL = ["new", "greeted", "ready"] as const
const hex = (digits: string) => () => framed(Buffer.from(digits, "hex"))

/** A request that gets error 1 and whose link stays. */
function wrongShape(
  title: string,
  requests: () => readonly (readonly [number, ...Value[]])[],
): Draft {
  return {
    title,
    req: ["HUB-25"],
    async run(t) {
      const link = await proven(t)
      for (const [type, ...rest] of requests()) {
        await link.refused(1, 0, type, ...rest)
        same(await link.ok(T.ping), null, "PING after it")
      }
    },
  }
}

export const FRAME_CASES: readonly HubCase[] = area(1, [
  {
    title: "hello cut in two at every byte",
    req: ["HUB-1"],
    async run(t) {
      const witness = await proven(t)
      const hello = framed(encode([T.hello, 0, [1], new Uint8Array(32)]))
      for (let cut = 1; cut < hello.length; cut++) {
        const { stream } = await t.connect()
        await stream.write(hello.subarray(0, cut))
        await witness.ok(T.ping) // a round trip: the second part is a segment of its own
        await stream.write(hello.subarray(cut))
        const welcome = await stream.next()
        check(welcome?.[1] === T.welcome, `a hello cut after ${cut} bytes is answered`)
        stream.destroy()
      }
    },
  },
  {
    title: "a request byte by byte",
    req: ["HUB-1"],
    async run(t) {
      const [witness, link] = [await proven(t), await proven(t)]
      for (const byte of framed(encode([T.ping, 77]))) {
        await link.stream.write(Uint8Array.of(byte))
        await witness.ok(T.ping)
      }
      same(await link.answer(77), { ok: null }, "answer to PING")
    },
  },
  {
    title: "a large frame in pieces of 1,000 bytes",
    req: ["HUB-1"],
    async run(t) {
      const [a, b] = await t.joinAll(2)
      const envelope = new Uint8Array(200_000).fill(7)
      const bytes = framed(encode([T.send, 1_000, b!.who.name, newMid(), envelope]))
      for (let at = 0; at < bytes.length; at += 1_000) {
        await a!.link.stream.write(bytes.subarray(at, at + 1_000))
      }
      same(await a!.link.answer(1_000), { ok: null }, "answer to SEND")
      same((await b!.link.delivery()).envelope, envelope, "envelope")
    },
  },
  {
    title: "100 requests in one write, each answered once, in order",
    req: ["HUB-1", "HUB-13"],
    async run(t) {
      const link = await proven(t)
      const all = Array.from({ length: 100 }, (_, i) => framed(encode([T.ping, 500 + i])))
      await link.stream.write(Buffer.concat(all))
      for (let i = 0; i < 100; i++) same(await link.answer(500 + i), { ok: null }, "answer")
      same(await link.ok(T.ping), null, "PING after them")
    },
  },
  {
    title: "different requests in one write, one refused among them, answered in order",
    req: ["HUB-13"],
    async run(t) {
      const { who, link } = await t.join()
      const requests: Value[] = [
        [T.counts, 11],
        [T.getBundle, 12, t.name(), []],
        [T.send, 13, who.name, newMid(), new Uint8Array(9)],
        [99, 14],
        [T.list, 15, "zzzz"],
        [T.ack, 16, [9_999]],
        [T.ping, 17],
      ]
      await link.stream.write(Buffer.concat(requests.map((one) => framed(encode(one)))))
      const answers = []
      for (let rid = 11; rid <= 17; rid++) answers.push(await link.answer(rid))
      same(
        answers.map((one) => ("error" in one ? one.error : "ok")),
        ["ok", 6, "ok", 13, "ok", "ok", "ok"],
        "answers",
      )
    },
  },
  {
    title: "the length of the second frame comes in two pieces",
    req: ["HUB-1"],
    async run(t) {
      const [witness, link] = [await proven(t), await proven(t)]
      const [first, second] = [framed(encode([T.ping, 21])), framed(encode([T.ping, 22]))]
      for (let cut = 1; cut < 4; cut++) {
        await link.stream.write(Buffer.concat([first, second.subarray(0, cut)]))
        same(await link.answer(21), { ok: null }, "first answer")
        await witness.ok(T.ping)
        await link.stream.write(second.subarray(cut))
        same(await link.answer(22), { ok: null }, "second answer")
      }
    },
  },
  broken("length 0", ["HUB-18"], 1, () => head(0), ALL),
  broken("length 2^32-1, body unread", ["HUB-19"], 10, () => head(0xffff_ffff), ALL),
  broken("length 2^31", ["HUB-19"], 10, () => head(0x8000_0000), ALL),
  broken("one byte more than MAX_FRAME", ["HUB-19"], 10, () => head(MAX_FRAME + 1), ALL),
  broken("a line of HTTP", ["HUB-19"], 10, () => Buffer.from("GET / HTTP/1.1\r\n\r\n"), ["new"]),
  {
    title: "a frame of exactly MAX_FRAME bytes is a frame",
    req: ["HUB-19", "HUB-23"],
    async run(t) {
      const link = await proven(t)
      const filler = MAX_FRAME - encode([99, 31, new Uint8Array(70_000)]).length + 70_000
      const frame = encode([99, 31, new Uint8Array(filler)])
      same(frame.length, MAX_FRAME, "bytes of the frame")
      await link.stream.write(framed(frame))
      same(await link.answer(31), { error: 13, retry: 0 }, "answer")
      same(await link.ok(T.ping), null, "PING after it")
    },
  },
  broken("bytes that are no CBOR", ["HUB-20"], 1, hex("ff".repeat(40)), ALL),
  broken("a byte after the array", ["HUB-20"], 1, hex("82100100")),
  broken("a head that is not the shortest", ["HUB-20"], 1, hex("8218100a")),
  broken("a head of 2^32-1 absent items", ["HUB-20"], 1, hex("9affffffff10"), ALL),
  broken("an array of indefinite length", ["HUB-20"], 1, hex("9f1001ff")),
  broken("deeper than MAX_DEPTH", ["HUB-20"], 1, () =>
    framed(Buffer.from(`${"81".repeat(8)}10`, "hex")),
  ),
  broken("no array", ["HUB-20"], 1, hex("10"), ALL),
  broken("a map", ["HUB-20"], 1, hex("a0")),
  broken("an empty array", ["HUB-20"], 1, hex("80"), ALL),
  broken("a type that is text", ["HUB-20"], 1, hex("82627a7a01")),
  broken("a tagged item in a request", ["HUB-20"], 1, hex("8310c00a01")),
  broken("rid 0 in a known request", ["HUB-24"], 1, () => framed(encode([T.ping, 0]))),
  broken("rid 2^32 in a known request", ["HUB-24"], 1, () => framed(encode([T.ping, 2 ** 32]))),
  broken("a rid that is no number", ["HUB-24"], 1, () => framed(encode([T.counts, "1"]))),
  broken("a known request without rid", ["HUB-24"], 1, () => framed(encode([T.ping]))),
  {
    title: "rid 2^32-1 is a rid, and one that is free may be used again",
    req: ["HUB-4", "HUB-13"],
    async run(t) {
      const link = await proven(t)
      for (const rid of [0xffff_ffff, 1, 0xffff_ffff]) {
        await link.send([T.ping, rid])
        same(await link.answer(rid), { ok: null }, "answer")
      }
    },
  },
  {
    title: "types that are no requests are error 13 with their rid, and the link stays",
    req: ["HUB-23"],
    async run(t) {
      const link = await proven(t)
      for (const type of [0, 1, 2, 3, 4, 9, 18, 20, 21, 30, 31, 99, Number.MAX_SAFE_INTEGER]) {
        await link.refused(13, 0, type, "anything")
      }
      await link.send([99, "no rid"])
      same(await link.answer(0), { error: 13, retry: 0 }, "answer to an unknown type without rid")
      same(await link.ok(T.ping), null, "PING after them")
    },
  },
  wrongShape("an item too many in each request", () => [
    [T.ping, 1],
    [T.counts, 1],
    [T.list, "", 1],
    [T.ack, [1], 1],
    [T.getBundle, "a", [], 1],
    [T.send, "a", newMid(), new Uint8Array(1), 1],
  ]),
  wrongShape("items of another kind or size", () => [
    [T.list, 1],
    [T.ack, ["1"]],
    [T.getBundle, "a", [1, 2, 3, 4, 5]],
    [T.getBundle, new Uint8Array(1), []],
    [T.send, "a", new Uint8Array(15), new Uint8Array(1)],
    [T.send, "a", new Uint8Array(17), new Uint8Array(1)],
    [T.send, "a", newMid(), "text"],
    [T.putBundle, [new Uint8Array(9)]],
    [T.putOneTime, 2, []],
  ]),
  {
    title: "hello and auth of another shape: error 1, and the link is closed",
    req: ["HUB-25"],
    async run(t) {
      await proven(t)
      for (const hello of [
        [1, 0, [1]],
        [1, 1, [1], new Uint8Array(32)],
        [1, 0, [1], new Uint8Array(31)],
      ]) {
        const link = await t.connect()
        await link.send(hello)
        await link.closedWith(1)
      }
      for (const auth of [
        [3, 0, "a", new Uint8Array(32)],
        [3, 0, "a", new Uint8Array(31), new Uint8Array(64)],
      ]) {
        const link = await t.greeted()
        await link.send(auth)
        await link.closedWith(1)
      }
    },
  },
  {
    title: "the length stands before a frame in 4 bytes, big-endian",
    req: ["HUB-1"],
    basic: true,
    async run(t) {
      const { stream } = await t.connect()
      await stream.write(framed(encode([T.hello, 0, [1], new Uint8Array(32)])))
      const [length, digits] = await stream.head()
      check(length > 0 && length <= 1_000, `the length of a welcome, big-endian, not ${digits}`)
      same((await stream.next())?.[1], T.welcome, "type of the frame after it")
    },
  },
])
