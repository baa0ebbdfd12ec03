// The hostile hub, third part: mail that is replayed, reordered, forged, misrouted, junk. The agent
// tells what was sent, once; a refusal has its code and makes the agent send nothing.

import { randomBytes } from "node:crypto"
import { type Bundle, openBundle } from "../../../src/bundle.ts"
import { decode, encode, encodePayload, type Value } from "../../../src/encoding.ts"
import { encodeContent } from "../../../src/envelope.ts"
import { initiate } from "../../../src/handshake.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { createIdentity, type OwnIdentity } from "../../../src/identity.ts"
import { createInitiator, seal } from "../../../src/session.ts"
import { osDraw } from "../../../src/suite.ts"
import { check, same } from "../hub/trial.ts"
import type { AgentLink, Frame } from "./hub.ts"
import type { EvilCase, Peer, World } from "./world.ts"

type Draft = Omit<EvilCase, "id">

let mseq = 1_000_000_000

/** Delivers an envelope, as the hub can. */
function deliver(w: World, from: string, envelope: Uint8Array, number: number = mseq++): void {
  w.hub.link?.inject([FRAME.deliver, 0, number, from, envelope])
}

/** Keeps all mail from the agent; what was kept. */
function hold(w: World): Frame[] {
  const held: Frame[] = []
  w.hub.attack = {
    down: (frame) => {
      if (frame[0] !== FRAME.deliver) return frame
      held.push(frame)
      return null
    },
  }
  return held
}

/** One envelope of a peer, which the hub keeps for itself. */
async function kept(w: World, from: Peer, text: string): Promise<Uint8Array> {
  const held = hold(w)
  await w.tell(from, text)
  await w.until(() => held.length > 0, "the hub has the envelope")
  w.hub.attack = {}
  return held[0]?.[4] as Uint8Array
}

/** The refusal of something that was delivered, with one of these codes; nothing was sent for it. */
async function refusal(
  w: World,
  to: string,
  witness: Peer,
  ...codes: readonly string[]
): Promise<void> {
  const before = w.refused.length
  const sends = w.hub.sendsTo(to).length
  await w.barrier(witness)
  const told = w.refused.slice(before)
  check(told.length > 0, `it is refused with ${codes.join(" or ")}; nothing was told`)
  check(
    told.every((code) => codes.includes(code)),
    `it is refused with ${codes.join(" or ")}, not ${told.join()}`,
  )
  same(w.hub.sendsTo(to).length, sends, `envelopes to ${to} because of it`)
}

/** Two peers that the agent knows: the subject, and the witness of barriers. */
async function pair(w: World): Promise<readonly [Peer, Peer]> {
  const b = await w.meet("b")
  const c = await w.meet("c")
  // Receipts that are under way would look like reactions.
  await w.jump(2)
  await w.barrier(c)
  return [b, c]
}

/** The newest bundle that the agent has published. */
function published(w: World): Bundle {
  const put = w.hub.sent.filter((frame) => frame[0] === FRAME.putBundle).at(-1) as Frame
  return openBundle(encode(put[2] as Value))
}

/** A first message for a bundle, from whoever holds `who`. */
function first(w: World, who: OwnIdentity, to: Bundle, kind: number, body: Uint8Array): Uint8Array {
  const handshake = initiate(who, to, null, 1, osDraw)
  const id = osDraw("content-id", 16)
  const content = encodeContent({ kind, id, sentMs: w.clock.now, re: null, ask: 0, body })
  return seal(createInitiator(handshake, to), who, [content], osDraw).envelope
}

const heal = (w: World, who: OwnIdentity, to: Bundle): Uint8Array =>
  first(w, who, to, 1, new Uint8Array(0))

/** A first message to the agent. */
const firstMessage = (w: World, who: OwnIdentity, text: string): Uint8Array =>
  first(w, who, published(w), 0, encodePayload({ type: "message", text }))

/** An envelope with one bit of its ciphertext or header changed. */
function flipped(envelope: Uint8Array, part: 0 | 1, at: number): Uint8Array {
  const parts = (decode(envelope) as readonly Uint8Array[]).map((bytes) => new Uint8Array(bytes))
  const bytes = parts[part] as Uint8Array
  const place = at < 0 ? bytes.length + at : at
  bytes[place] = (bytes[place] as number) ^ 1
  return encode(parts)
}

export const MAIL: readonly Draft[] = [
  {
    title: "an envelope again under a new mseq",
    req: ["SESSION-9", "HUB-61", "ENVELOPE-19"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "once")
      deliver(w, "b", envelope)
      await w.until(() => w.told("once"), "the message is told")
      await w.jump(2)
      await w.barrier(c)
      for (let i = 0; i < 3; i++) deliver(w, "b", envelope)
      await refusal(w, "b", c, "session/replay")
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
      await w.until(() => w.told("message 0"), "the first message, delivered last, is told")
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
      await w.until(() => w.told("thrice 4"), "the last message is told")
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
      await w.until(() => w.told("the next one"), "the next message is told")
      await w.jump(700) // b probes
      await w.until(() => w.told("lost on the way"), "the lost message is told after all")
    },
  },
  {
    title: "the copy that was lost comes after its content came on another session",
    req: ["AGENT-50"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "twice on the wire")
      await w.jump(700)
      await w.until(() => w.told("twice on the wire"), "the message is told on the new session")
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
        deliver(w, "b", flipped(envelope, 1, at))
        await refusal(w, "b", c, "envelope/open")
      }
      deliver(w, "b", envelope)
      await w.until(() => w.told("genuine"), "the genuine envelope is told")
    },
  },
  {
    title: "a bit of the guard, then the genuine envelope",
    req: ["ENVELOPE-13", "SESSION-19"],
    async run(w) {
      const [b, c] = await pair(w)
      const envelope = await kept(w, b, "genuine")
      deliver(w, "b", flipped(envelope, 0, -2))
      await refusal(w, "b", c, "envelope/open")
      deliver(w, "b", envelope)
      await w.until(() => w.told("genuine"), "the genuine envelope is told")
    },
  },
  {
    title: "a thousand pieces of junk under a peer's name",
    req: ["ENVELOPE-19", "SESSION-20", "AGENT-41"],
    async run(w) {
      const [, c] = await pair(w)
      const codes = ["encoding/malformed", "encoding/profile", "encoding/shape", "encoding/limit"]
      for (let i = 0; i < 1_000; i++) deliver(w, "b", new Uint8Array(randomBytes(1 + (i % 400))))
      await refusal(w, "b", c, ...codes)
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
      await w.until(() => w.told("genuine"), "the genuine envelope is told")
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
      deliver(w, "b", encode([encode([2, ...items.slice(1)]), ct]))
      await refusal(w, "b", c, "envelope/version")
      deliver(w, "b", envelope)
      await w.until(() => w.told("genuine"), "the genuine envelope is told")
    },
  },
  {
    title: "a first message to somebody else given to the agent",
    req: ["HANDSHAKE-17"],
    async run(w) {
      const [, c] = await pair(w)
      const d = await w.peer("d")
      const m = createIdentity("m", osDraw)
      deliver(w, "m", heal(w, m, openBundle(d.agent.publicBundle)))
      await refusal(w, "m", c, "envelope/open")
    },
  },
  {
    title: "a first message under another name than its own",
    req: ["HUB-57", "HANDSHAKE-26"],
    async run(w) {
      const [, c] = await pair(w)
      const m = createIdentity("m", osDraw)
      const envelope = await firstMessage(w, m, "from m")
      deliver(w, "z", envelope)
      await refusal(w, "z", c, "identity/untrusted")
      deliver(w, "b", envelope)
      await refusal(w, "b", c, "identity/untrusted")
      same(w.changed, [], "changes of identity that were reported")
      w.due.push("from m")
      deliver(w, "m", envelope)
      await w.until(() => w.told("from m"), "the message is told under its own name")
      same(w.messages.at(-1)?.from, "m", "sender")
    },
  },
  {
    title: "a ghost under the name of a peer that is pinned",
    req: ["AGENT-60", "HANDSHAKE-27", "IDENTITY-9"],
    async run(w) {
      const [b, c] = await pair(w)
      deliver(w, "b", await firstMessage(w, createIdentity("b", osDraw), "I am b"))
      await refusal(w, "b", c, "identity/changed")
      await w.tell(b, "I am still b")
      await w.until(() => w.told("I am still b"), "a message of the real b is told")
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
      await w.until(() => w.told("of b"), "the message is told")
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
      await w.until(() => w.told("first of m"), "the message is told")
      await w.jump(2)
      await w.barrier(c)
      deliver(w, "m", envelope)
      await refusal(w, "m", c, "session/replay")
      await w.ok("agent.forget", { agent: w.handle, name: "m" })
      deliver(w, "m", envelope)
      await refusal(w, "m", c, "handshake/replay")
      await w.disconnect()
      await w.connect()
      deliver(w, "m", envelope)
      await refusal(w, "m", c, "handshake/replay")
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
      await w.until(() => w.told("with a one-time key"), "the message is told")
      await w.jump(2)
      await w.barrier(c)
      await w.ok("agent.forget", { agent: w.handle, name: "b" })
      deliver(w, "b", envelope)
      await refusal(w, "b", c, "handshake/unknown-prekey")
    },
  },
  {
    title: "the agent's own first message comes back to it",
    req: ["HANDSHAKE-16"],
    async run(w) {
      const [, c] = await pair(w)
      await w.peer("d")
      await w.send("d", "to d")
      await w.until(() => w.hub.sendsTo("d").length > 0, "the envelope leaves")
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
      deliver(w, "m", heal(w, createIdentity("m", osDraw), { ...published(w), ref }))
      await refusal(w, "m", c, "handshake/unknown-prekey")
    },
  },
]
