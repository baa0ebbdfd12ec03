// The hostile hub, third part: first messages, senders and directions that are not what they seem.

import { randomBytes } from "node:crypto"
import { openBundle } from "../../../src/bundle.ts"
import { createIdentity } from "../../../src/identity.ts"
import { osDraw } from "../../../src/suite.ts"
import { check, same } from "../hub/trial.ts"
import {
  type Draft,
  deliver,
  firstMessage,
  heal,
  hold,
  kept,
  pair,
  published,
  refusal,
  refuses,
} from "./post.ts"

export const FORGED: readonly Draft[] = [
  {
    title: "a first message to somebody else given to the agent",
    req: ["HANDSHAKE-17"],
    async run(w) {
      const [, c] = await pair(w)
      const d = await w.peer("d")
      const m = createIdentity("m", osDraw)
      await refuses(w, "m", heal(w, m, openBundle(d.agent.publicBundle)), c, "envelope/open")
    },
  },
  {
    title: "a first message under another name than its own",
    req: ["HUB-57", "HANDSHAKE-26"],
    async run(w) {
      const [, c] = await pair(w)
      const m = createIdentity("m", osDraw)
      const envelope = await firstMessage(w, m, "from m")
      await refuses(w, "z", envelope, c, "identity/untrusted")
      await refuses(w, "b", envelope, c, "identity/untrusted")
      same(w.changed, [], "changes of identity that were reported")
      w.due.push("from m")
      deliver(w, "m", envelope)
      await w.hears("from m")
      same(w.messages.at(-1)?.from, "m", "sender")
    },
  },
  {
    title: "a ghost under the name of a peer that is pinned",
    req: ["AGENT-60", "HANDSHAKE-27", "IDENTITY-9"],
    async run(w) {
      const [b, c] = await pair(w)
      await refuses(
        w,
        "b",
        await firstMessage(w, createIdentity("b", osDraw), "I am b"),
        c,
        "identity/changed",
      )
      await w.tell(b, "I am still b")
      await w.hears("I am still b")
      same(w.messages.at(-1)?.fingerprint, b.agent.fingerprint, "fingerprint")
    },
  },
  {
    title: "the from-name of an envelope on a session decides nothing",
    req: ["HUB-57", "AGENT-47"],
    async run(w) {
      const [b] = await pair(w)
      const envelope = await kept(w, b, "of b")
      deliver(w, "c", envelope)
      await w.hears("of b")
      const last = w.messages.at(-1)
      same([last?.from, last?.fingerprint], ["b", b.agent.fingerprint], "sender")
    },
  },
  {
    title: "a first message again, with its session live and after it was forgotten",
    req: ["HANDSHAKE-19", "SESSION-9"],
    async run(w) {
      const [, c] = await pair(w)
      const m = createIdentity("m", osDraw)
      const envelope = await firstMessage(w, m, "first of m")
      w.due.push("first of m")
      deliver(w, "m", envelope)
      await w.hears("first of m")
      await w.jump(2)
      await w.barrier(c)
      await refuses(w, "m", envelope, c, "session/replay")
      await w.ok("agent.forget", { agent: w.handle, name: "m" })
      await refuses(w, "m", envelope, c, "handshake/replay")
      await w.disconnect()
      await w.connect()
      await refuses(w, "m", envelope, c, "handshake/replay")
    },
  },
  {
    title: "a first message with a one-time key again, after its session is gone",
    req: ["HANDSHAKE-25"],
    async run(w) {
      const c = await w.meet("c")
      const held = hold(w)
      const b = await w.peer("b")
      await w.tell(b, "with a one-time key")
      await w.until(() => held.some((frame) => frame[3] === "b"), "the hub has the envelope")
      w.hub.attack = {}
      const envelope = held.find((frame) => frame[3] === "b")?.[4] as Uint8Array
      for (const frame of held) w.hub.link?.inject(frame)
      await w.hears("with a one-time key")
      await w.jump(2)
      await w.barrier(c)
      await w.ok("agent.forget", { agent: w.handle, name: "b" })
      await refuses(w, "b", envelope, c, "handshake/unknown-prekey")
    },
  },
  {
    title: "the agent's own first message comes back to it",
    req: ["HANDSHAKE-16"],
    async run(w) {
      const [, c] = await pair(w)
      await w.peer("d")
      await w.send("d", "to d")
      await w.leaves("d", 0)
      const own = w.hub.sendsTo("d")[0]?.[4] as Uint8Array
      deliver(w, w.name, own)
      deliver(w, "d", own)
      await refusal(w, "z", c, "handshake/self")
    },
  },
  {
    title: "the agent's own envelope of a session comes back to it",
    req: ["SESSION-11", "ENVELOPE-13"],
    async run(w) {
      const [b, c] = await pair(w)
      await w.send("b", "to b")
      await w.until(() => b.texts.length === 2, "b gets it")
      const own = w.hub.sendsTo("b").at(-1)?.[4] as Uint8Array
      await w.jump(2)
      await w.barrier(c)
      const before = w.refused.length
      deliver(w, "b", own)
      await w.barrier(c)
      const code = w.refused[before]
      check(
        code === "envelope/open" || code === "session/replay",
        `it is refused, not ${code ?? "taken"}`,
      )
    },
  },
  {
    title: "a first message for a bundle that the agent never made",
    req: ["HANDSHAKE-21"],
    async run(w) {
      const [, c] = await pair(w)
      const ref = new Uint8Array(randomBytes(32))
      await refuses(
        w,
        "m",
        heal(w, createIdentity("m", osDraw), { ...published(w), ref }),
        c,
        "handshake/unknown-prekey",
      )
    },
  },
]
