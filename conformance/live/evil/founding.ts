// The hostile hub, fourth part: handshakes of an agent over time, answers, and whom it writes to.

import { openBundle } from "../../../src/bundle.ts"
import { compareBytes } from "../../../src/bytes.ts"
import { FRAME } from "../../../src/hub/frames.ts"
import { fingerprint } from "../../../src/identity.ts"
import { hex, unhex } from "../../values.ts"
import { check, same } from "../hub/trial.ts"
import { bodyOf } from "../party.ts"
import { type Got, Insider, type Line } from "./insider.ts"
import { away, meetInsider, pass, serveInsiders } from "./meeting.ts"
import { type Draft, deliver, heal, refusal, refuses } from "./post.ts"
import type { World } from "./world.ts"

type Held = readonly [from: string, envelope: Uint8Array]

/** The agent knows b by its card. */
async function trusting(w: World, b: Insider): Promise<void> {
  await w.ok("agent.trust", { agent: w.handle, bundle: hex(b.bundle.bytes) })
}

export const FOUNDING: readonly Draft[] = [
  {
    title: "sent to an address with a fingerprint while somebody else takes the name",
    req: ["IDENTITY-13", "AGENT-19"],
    async run(w) {
      const c = await w.meet("c")
      const right = new Insider(w, "b")
      const other = new Insider(w, "b")
      other.missing = 14
      serveInsiders(w, other)
      let secret = ""
      await away(w, async () => {
        secret = await w.submit(`b#${fingerprint(right.own.ik)}`, "for the right b alone")
        await w.submit("b", "for whoever is b")
      })
      const line = other.found()
      other.tell(line, "I am b now")
      const given = (): boolean => w.undelivered.some((one) => one["id"] === secret)
      await w.until(given, "the content for another fingerprint is given up")
      await w.until(() => other.texts.length > 0, "the other content leaves")
      await w.jump(2)
      await w.barrier(c)
      same(other.texts, ["for whoever is b"], "what the other b gets")
      same(w.undelivered.length, 1, "contents given up")
    },
  },
  {
    title: "a name is forgotten with its card: without a hub nobody can be written to by it",
    req: ["IDENTITY-14"],
    options: { offline: true, agent: { trust: { accept: "any", send: "any" } } },
    async run(w) {
      const b = new Insider(w, "b")
      const args = { agent: w.handle, to: "b", body: bodyOf("hello") }
      await trusting(w, b)
      await w.ok("agent.forget", { agent: w.handle, name: "b" })
      const mine = openBundle(unhex(w.bundle ?? ""))
      await w.ok("agent.receive", { agent: w.handle, envelope: hex(heal(w, b.own, mine)) })
      await w.ok("agent.send", args) // on the session that b has founded
      await w.move(22 * 86_400) // it is too old, the card that was forgotten would still be good
      await w.rejects("agent.send", args, "agent/no-hub")
      await trusting(w, b)
      await w.ok("agent.send", args)
      await w.move(1)
    },
  },
  {
    title: "a later handshake is made on the bundle that was fetched for it, not on the stored one",
    req: ["BUNDLE-25"],
    async run(w) {
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      await meetInsider(w, b)
      await w.jump(22 * 86_400) // the session is too old to write on, the bundle still good
      await pass(w, 100)
      const before = b.got.length
      const ref = hex(b.renew().ref)
      await w.submit("b", "three weeks later")
      await w.until(() => b.got.length > before, "a handshake leaves")
      same(hex(b.got[before]?.init?.bundleRef as Uint8Array), ref, "bundle of the handshake")
    },
  },
  {
    title: "a handshake accepted just before the end of the process is answered after it",
    req: ["HANDSHAKE-37", "HANDSHAKE-38", "AGENT-17"],
    async run(w) {
      await w.publishes()
      const b = new Insider(w, "b")
      b.takes = false
      serveInsiders(w, b)
      const acks = w.hub.link?.of(FRAME.ack).length ?? 0
      b.say(b.found(), b.heal())
      await w.until(() => (w.hub.link?.of(FRAME.ack).length ?? 0) > acks, "it is acknowledged")
      await w.crash()
      b.takes = true
      await w.connect()
      await w.until(() => b.got.length > 0, "the answer leaves after the restart")
      await pass(w, 100)
      same(b.got.length, 1, "answers")
      check(Insider.isHeal(b.got[0] as Got), "it is a heal alone")
    },
  },
  {
    title: "a handshake that loses against the agent's own is answered by a heal on its session",
    req: ["AGENT-17", "HANDSHAKE-38"],
    async run(w) {
      const c = await w.meet("c")
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      const mine = await meetInsider(w, b)
      let line = b.found()
      // Of two sessions of one minute the one with the smaller TH counts (glare).
      while (compareBytes(line.session.th, mine.session.th) < 0) line = b.found()
      b.say(line, b.heal())
      await w.submit("b", "on the session that counts")
      await w.barrier(c)
      await w.jump(1)
      const there = (): typeof b.got => b.got.filter((one) => one.line === line)
      await w.until(() => there().length > 0, "the answer leaves on its own session")
      check(Insider.isHeal(there()[0] as Got), "it is a heal alone")
      await w.submit("b", "and another")
      await w.until(() => b.texts.includes("and another"), "the texts leave")
      await pass(w, 100)
      same(there().length, 1, "envelopes on the session that does not count")
    },
  },
  {
    title: "a handshake with an ephemeral key of low order, its keys derived from zeros",
    req: ["KEYSCHEDULE-8", "HANDSHAKE-32"],
    async run(w) {
      const c = await w.meet("c")
      await w.jump(2)
      await w.barrier(c)
      const b = new Insider(w, "b")
      await refuses(w, "b", b.zeroes("e"), c, "suite/bad-key")
      await refuses(w, "b", b.zeroes("dk"), c, "suite/bad-key")
      const good = new Insider(w, "b")
      good.tell(good.found(), "with good keys")
      await w.hears("with good keys")
    },
  },
  {
    title:
      "too many skipped keys of strangers: theirs are erased, the oldest first, and only theirs",
    req: ["HANDSHAKE-40"],
    async run(w) {
      const c = await w.meet("c")
      const b = new Insider(w, "b")
      serveInsiders(w, b)
      const mine = await meetInsider(w, b)
      const late = (who: Insider, line: Line, words: string): Uint8Array => {
        who.say(line, who.heal())
        const envelope = who.seal(line, who.content(words))
        who.skip(line, 900 - line.session.ns)
        who.say(line, who.heal())
        return envelope
      }
      const ofPeer = late(b, mine, "late of the peer")
      const held: Held[] = []
      for (let i = 0; i < 24; i++) {
        const who = new Insider(w, `stranger-${i}`)
        held.push([who.name, late(who, who.found(), `late of ${i}`)])
        if (i % 8 === 7) await w.barrier(c)
      }
      const [oldest, newest] = [held[0], held.at(-1)] as [Held, Held]
      w.due.push("late of 23", "late of the peer")
      deliver(w, newest[0], newest[1])
      await w.hears("late of 23")
      deliver(w, "b", ofPeer)
      await w.hears("late of the peer")
      deliver(w, oldest[0], oldest[1])
      await refusal(w, oldest[0], c, "session/replay")
    },
  },
  {
    title: "a session that is confirmed lives on when the bundle that founded it has expired",
    req: ["BUNDLE-27"],
    async run(w) {
      const b = new Insider(w, "b", { lifetime: 86_400 })
      serveInsiders(w, b)
      const line = await meetInsider(w, b)
      await w.jump(3 * 86_400)
      await w.until(() => w.connected, "the agent connects again")
      await w.submit("b", "three days later")
      await w.until(() => b.texts.includes("three days later"), "the text leaves")
      same([b.lines.length, b.got.at(-1)?.line === line], [1, true], "sessions, and the first one")
    },
  },
]
