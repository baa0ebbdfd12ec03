// Black box, area 2: hello, welcome and auth; names and keys (SPEC §11.4 "Opening a link").

import { randomBytes } from "node:crypto"
import { encode, type Value } from "../../../src/encoding.ts"
import { frameHash } from "../../../src/hub/frames.ts"
import { sign } from "../../../src/suite.ts"
import { bundleOf, newcomer, type Who } from "./actors.ts"
import { type Link, sameBytes, T } from "./link.ts"
import { framed } from "./stream.ts"
import { area, check, type Draft, type HubCase, same, type Trial } from "./trial.ts"

/** A signature that is no proof: error 4, and the name stays free for its owner. */
function badProof(
  title: string,
  sig: (link: Link, who: Who, t: Trial) => Uint8Array | Promise<Uint8Array>,
): Draft {
  return {
    title,
    req: ["HUB-28"],
    async run(t) {
      const who = t.newcomer()
      const link = await t.greeted()
      await link.auth(who, await sig(link, who, t))
      await link.closedWith(4)
      const stranger = newcomer(who.name)
      same((await t.login(stranger)).counts, [0, [], null], "READY of another key for that name")
    },
  }
}

function early(title: string, state: "new" | "greeted", types: readonly number[]): Draft {
  return {
    title,
    req: ["HUB-21"],
    async run(t) {
      const witness = await t.login()
      for (const type of types) {
        const link = state === "new" ? await t.connect() : await t.greeted()
        await link.send([type, 1])
        await link.closedWith(3)
        same(await witness.ok(T.ping), null, "PING on another link")
      }
    },
  }
}

const REQUESTS = [10, 11, 12, 13, 14, 15, 16, 17]
const hello = (versions: Value): Uint8Array => encode([1, 0, versions, new Uint8Array(32)])

export const AUTH_CASES: readonly HubCase[] = area(2, [
  {
    title: "welcome is signed for this hello, READY shows an empty mailbox",
    req: ["HUB-27", "HUB-32", "HUB-34"],
    async run(t) {
      const link = await t.login()
      same(link.counts, [0, [], null], "counts")
      same(await link.ok(T.counts), [0, [], null], "COUNTS")
    },
  },
  {
    title: "each welcome has another snonce and the same key",
    req: ["HUB-27"],
    async run(t) {
      const cnonce = randomBytes(32)
      const seen = new Set<string>()
      const keys = new Set<string>()
      for (let i = 0; i < 8; i++) {
        const link = await t.connect()
        const frame = await link.greet([1], cnonce)
        keys.add(Buffer.from(frame[3] as Uint8Array).toString("hex"))
        seen.add(Buffer.from(frame[4] as Uint8Array).toString("hex"))
      }
      same([seen.size, keys.size], [8, 1], "different snonces, keys")
    },
  },
  {
    title: "limits: none is 0, an envelope at most 1,114,112 bytes",
    req: ["HUB-27"],
    async run(t) {
      const { limits } = await t.login()
      check(
        limits.every((limit) => typeof limit === "number" && limit > 0),
        "no limit is 0",
      )
      check((limits[5] as number) <= 1_114_112, "the announced envelope is at most MAX_ENVELOPE")
    },
  },
  early("requests before hello", "new", [...REQUESTS, 99]),
  early("requests between hello and auth", "greeted", [...REQUESTS, 99]),
  early("auth before hello; a frame of the hub", "new", [3, 2, 4, 20, 21, 30]),
  {
    title: "a second hello in place of auth",
    req: ["HUB-21"],
    async run(t) {
      const link = await t.greeted()
      await link.stream.write(framed(hello([1])))
      await link.closedWith(3)
    },
  },
  badProof("a signature of zeros", () => new Uint8Array(64)),
  badProof("one bit of the signature", (link, who) => {
    const sig = sign(who.ikSecret, link.authBody(who))
    sig[20] = (sig[20] as number) ^ 1
    return sig
  }),
  badProof("the signature of another key", (link, who, t) =>
    sign(t.newcomer().ikSecret, link.authBody(who)),
  ),
  badProof("the auth of an earlier link", async (_link, who, t) => {
    const earlier = await t.greeted()
    return sign(who.ikSecret, earlier.authBody(who))
  }),
  badProof("a challenge relayed from another hub", (link, who) =>
    sign(who.ikSecret, link.authBody(who, { hubIk: newcomer("m").ik })),
  ),
  badProof("signed for another hello", (link, who) =>
    sign(who.ikSecret, link.authBody(who, { hello: frameHash(hello([1])) })),
  ),
  badProof("signed for another welcome", (link, who) => {
    const welcome = new Uint8Array(link.welcome)
    welcome[welcome.length - 1] = (welcome[welcome.length - 1] as number) ^ 1
    return sign(who.ikSecret, link.authBody(who, { welcome: frameHash(welcome) }))
  }),
  badProof("signed for another name", (link, who, t) =>
    sign(who.ikSecret, link.authBody({ ...who, name: t.name() })),
  ),
  {
    title: "the proof of a successful login does not serve a second link",
    req: ["HUB-28"],
    async run(t) {
      const who = t.newcomer()
      const first = await t.greeted()
      const sig = sign(who.ikSecret, first.authBody(who))
      await first.auth(who, sig)
      same((await first.next())[0], T.ready, "answer to a good auth")
      const second = await t.connect()
      await second.stream.write(framed(first.hello))
      check((await second.stream.next())?.[1] === T.welcome, "the same hello gets a welcome")
      await second.send([T.auth, 0, who.name, who.ik, sig])
      await second.closedWith(4)
      same(await first.ok(T.ping), null, "PING on the first link")
    },
  },
  {
    title: "names outside SPEC §5, rightly signed",
    req: ["HUB-28", "IDENTITY-1"],
    async run(t) {
      const me = t.newcomer()
      await t.login(me)
      for (const name of ["", "A", "-a", "a b", "a|b", "é", "a".repeat(65), "a\0"]) {
        const link = await t.greeted()
        await link.auth({ ...me, name })
        await link.closedWith(4)
      }
    },
  },
  {
    title: "identity keys of small order",
    req: ["HUB-28", "SUITE-9"],
    async run(t) {
      for (const start of [0, 1]) {
        const who = t.newcomer()
        const ik = new Uint8Array(32)
        ik[0] = start
        const link = await t.greeted()
        await link.auth({ ...who, ik })
        await link.closedWith(4)
        same((await t.login(who)).counts, [0, [], null], "READY of the right key")
      }
    },
  },
  {
    title: "a name that is bound to another key",
    req: ["HUB-29", "HUB-32"],
    async run(t) {
      const owner = t.newcomer()
      const link = await t.login(owner)
      const thief = await t.greeted()
      await thief.auth(newcomer(owner.name))
      await thief.closedWith(5)
      same(await link.ok(T.ping), null, "PING of the owner")
      same((await t.login(owner)).counts, [0, [], null], "READY of the owner")
    },
  },
  {
    title: "a name stays bound after its link, also without a bundle",
    req: ["HUB-32"],
    async run(t) {
      const owner = t.newcomer()
      const link = await t.login(owner)
      link.close()
      await link.ended("after its end was closed")
      const thief = await t.greeted()
      await thief.auth(newcomer(owner.name))
      await thief.closedWith(5)
    },
  },
  {
    title: "a second name for one key",
    req: ["HUB-30"],
    async run(t) {
      const who = t.newcomer()
      await t.login(who)
      const other = t.name()
      const link = await t.greeted()
      await link.auth({ ...who, name: other })
      await link.closedWith(4)
      same((await t.login(newcomer(other))).counts, [0, [], null], "READY of another key there")
    },
  },
  {
    title: "a proof that fails is error 4 also for a name that is taken",
    req: ["HUB-28", "HUB-29"],
    async run(t) {
      const owner = t.newcomer()
      await t.login(owner)
      const link = await t.greeted()
      await link.auth(newcomer(owner.name), new Uint8Array(64))
      await link.closedWith(4)
    },
  },
  {
    title: "name taken and key bound: the name is judged first",
    req: ["HUB-29", "HUB-30"],
    async run(t) {
      const [one, two] = [t.newcomer(), t.newcomer()]
      for (const who of [one, two]) await t.login(who)
      const link = await t.greeted()
      await link.auth({ ...two, name: one.name })
      await link.closedWith(5)
    },
  },
  {
    title: "a second link of a name puts the first one out with error 12",
    req: ["HUB-33"],
    async run(t) {
      const { who, link } = await t.join()
      const second = await t.login(who)
      await link.closedWith(12)
      same(await second.ok(T.counts), [0, [[1, 0]], 1], "COUNTS on the second link")
      await second.ok(T.putBundle, bundleOf(who, { seq: 2 }) as Value)
    },
  },
  {
    title: "an auth that fails puts nobody out",
    req: ["HUB-28", "HUB-33"],
    async run(t) {
      const { who, link } = await t.join()
      const thief = await t.greeted()
      await thief.auth(who, new Uint8Array(64))
      await thief.closedWith(4)
      const half = await t.greeted()
      check(sameBytes(half.hubIk, link.hubIk), "the hub has one key")
      same(await link.ok(T.ping), null, "PING of the owner")
    },
  },
])
