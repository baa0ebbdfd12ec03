// The hostile hub, third part: mail that is replayed, reordered, changed, lost, junk. The agent
// tells what was sent, once; a refusal has its code and makes the agent send nothing.

import { randomBytes } from "node:crypto"
import { decode, encode, type Value } from "../../../src/encoding.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { same } from "../hub/trial.ts"
import type { AgentLink } from "./hub.ts"
import { type Draft, deliver, flipped, hold, kept, pair, refusal, refuses } from "./post.ts"

export const MAIL: readonly Draft[] = [
  {
    title: "an envelope again under a new mseq",
    req: ["SESSION-9", "SESSION-20", "HUB-61", "ENVELOPE-19"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "once")
      deliver(w, "b", envelope)
      await w.hears("once")
      await w.jump(2)
      await w.barrier(c)
      for (let i = 0; i < 3; i++) await refuses(w, "b", envelope, c, "session/replay")
    },
  },
  {
    title: "an envelope again after its ACK, under its mseq: it is acknowledged again",
    req: ["HUB-61", "AGENT-41"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "once")
      const acks = (): number =>
        (w.hub.link as AgentLink)
          .of(FRAME.ack)
          .filter((frame) => (frame[2] as readonly number[]).includes(777_777)).length
      deliver(w, "b", envelope, 777_777)
      await w.until(() => w.told("once") && acks() === 1, "the message is told and acknowledged")
      await w.jump(2)
      await w.barrier(c)
      deliver(w, "b", envelope, 777_777)
      await refusal(w, "b", c, "session/replay")
      await w.until(() => acks() === 2, "it is acknowledged again")
    },
  },
  {
    title: "mail in the reverse order, then all of it again",
    req: ["SESSION-9", "SESSION-15"],
    async run(w) {
      const [b, c] = await pair(w)
      const held = hold(w)
      for (let i = 0; i < 6; i++) await w.tell(b, `message ${i}`)
      await w.until(() => held.length === 6, "the hub has six envelopes")
      w.hub.attack = {}
      for (const frame of [...held].reverse()) w.hub.link?.inject(frame)
      await w.hears("message 0")
      await w.jump(2)
      await w.barrier(c)
      for (const frame of held) w.hub.link?.inject(frame)
      await refusal(w, "b", c, "session/replay")
    },
  },
  {
    title: "every message three times",
    req: ["SESSION-9", "HUB-61"],
    async run(w) {
      const [b] = await pair(w)
      w.hub.attack = {
        down: (frame) => (frame[0] === FRAME.deliver ? [frame, frame, frame] : frame),
      }
      for (let i = 0; i < 5; i++) await w.tell(b, `thrice ${i}`)
      await w.hears("thrice 4")
    },
  },
  {
    title: "mail that the hub loses: it comes by the sender's own recovery",
    req: ["SESSION-15", "AGENT-54"],
    async run(w) {
      const [b] = await pair(w)
      const held = hold(w)
      await w.tell(b, "lost on the way")
      await w.until(() => held.length > 0, "the hub has the envelope")
      w.hub.attack = {}
      await w.tell(b, "the next one")
      await w.hears("the next one")
      await w.jump(700) // b probes
      await w.hears("lost on the way")
    },
  },
  {
    title: "the copy that was lost comes after its content came on another session",
    req: ["AGENT-50"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "twice on the wire")
      await w.jump(700)
      await w.hears("twice on the wire")
      deliver(w, "b", envelope)
      await w.barrier(c)
    },
  },
  {
    title: "a bit of the ciphertext, then the genuine envelope",
    req: ["ENVELOPE-13", "SESSION-19"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "genuine")
      for (const at of [0, 40, -1]) {
        await refuses(w, "b", flipped(envelope, 1, at), c, "envelope/open")
      }
      deliver(w, "b", envelope)
      await w.hears("genuine")
    },
  },
  {
    title: "a bit of the guard, then the genuine envelope",
    req: ["ENVELOPE-13", "SESSION-19"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "genuine")
      await refuses(w, "b", flipped(envelope, 0, -2), c, "envelope/open")
      deliver(w, "b", envelope)
      await w.hears("genuine")
    },
  },
  {
    title: "a thousand pieces of junk under a peer's name",
    req: ["ENVELOPE-19", "SESSION-20", "AGENT-41"],
    async run(w) {
      const [, c] = await pair(w)
      const codes = ["encoding/malformed", "encoding/profile", "encoding/shape", "encoding/limit"]
      for (let i = 0; i < 1_000; i++)
        await refuses(w, "b", new Uint8Array(randomBytes(1 + (i % 400))), c, ...codes)
      same(w.refused.length, 1_000, "refusals")
    },
  },
  {
    title: "an envelope of a session that nobody has",
    req: ["SESSION-7"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "genuine")
      deliver(w, "b", flipped(envelope, 0, 3)) // within sid
      await refusal(w, "b", c, "session/unknown")
      deliver(w, "b", envelope)
      await w.hears("genuine")
    },
  },
  {
    title: "version 2 in the header",
    req: ["ENVELOPE-11"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "genuine")
      const [header, ct] = decode(envelope) as readonly [Uint8Array, Uint8Array]
      const items = decode(header) as readonly Value[]
      await refuses(w, "b", encode([encode([2, ...items.slice(1)]), ct]), c, "envelope/version")
      deliver(w, "b", envelope)
      await w.hears("genuine")
    },
  },
]
