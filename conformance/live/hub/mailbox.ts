// Black box, area 6: durable mail, repetition, acknowledgement (SPEC §11.4 SEND, ACK).

import type { Value } from "../../../src/encoding.ts"
import { bundleOf, letter, newMid } from "./actors.ts"
import { type Link, T } from "./link.ts"
import { pourInto, QUOTAS, reach } from "./quota.ts"
import { type Actor, area, check, type HubCase, same, type Trial } from "./trial.ts"

const text = ({ envelope }: { envelope: Uint8Array }): string => Buffer.from(envelope).toString()

async function pair(t: Trial): Promise<readonly [Actor, Actor]> {
  const [a, b] = await t.joinAll(2)
  return [a as Actor, b as Actor]
}

/** Stored envelopes, delivered or not. */
async function stored(link: Link): Promise<Value> {
  return ((await link.ok(T.counts)) as readonly Value[])[0] as Value
}

export const MAILBOX_CASES: readonly HubCase[] = area(6, [
  {
    title: "SEND again with the same mid: OK, delivered once",
    req: ["HUB-48"],
    async run(t) {
      const [a, b] = await pair(t)
      const [mid, envelope] = [newMid(), letter("once")]
      for (let i = 0; i < 3; i++) {
        same(await a.link.ok(T.send, b.who.name, mid, envelope), null, "result of SEND")
      }
      same(await t.drain(a, b), ["once"], "mail")
      same(await stored(b.link), 2, "stored, the mark included")
    },
  },
  {
    title: "the same mid with other bytes: the first stays",
    req: ["HUB-48"],
    async run(t) {
      const [a, b] = await pair(t)
      const mid = newMid()
      await a.link.ok(T.send, b.who.name, mid, letter("first"))
      await a.link.ok(T.send, b.who.name, mid, letter("second"))
      same(await t.drain(a, b), ["first"], "mail")
    },
  },
  {
    title: "SEND again after the ACK: OK, not delivered again",
    req: ["HUB-48"],
    async run(t) {
      const [a, b] = await pair(t)
      const [mid, envelope] = [newMid(), letter("once")]
      await a.link.ok(T.send, b.who.name, mid, envelope)
      await b.link.ok(T.ack, [(await b.link.delivery()).mseq])
      same(await a.link.ok(T.send, b.who.name, mid, envelope), null, "result of SEND")
      same(await t.drain(a, b), [], "mail after the ACK")
    },
  },
  {
    title: "SEND again on the sender's next link, as after a lost answer",
    req: ["HUB-48"],
    async run(t) {
      const [a, b] = await pair(t)
      const [mid, envelope] = [newMid(), letter("once")]
      await a.link.ok(T.send, b.who.name, mid, envelope)
      const again = { who: a.who, link: await t.login(a.who) }
      same(await again.link.ok(T.send, b.who.name, mid, envelope), null, "result of SEND")
      same(await t.drain(again, b), ["once"], "mail")
    },
  },
  {
    title: "ACK deletes: not counted, not delivered again",
    req: ["HUB-51"],
    async run(t) {
      const [a, b] = await pair(t)
      await t.mail(a, b.who, "gone")
      const { mseq } = await b.link.delivery()
      same(await stored(b.link), 1, "stored before the ACK")
      same(await b.link.ok(T.ack, [mseq]), null, "result of ACK")
      same(await stored(b.link), 0, "stored after it")
      const again = { who: b.who, link: await t.login(b.who) }
      same(await t.drain(a, again), [], "mail on the next link")
    },
  },
  {
    title: "ACK of another agent's mseq has no effect",
    req: ["HUB-51"],
    async run(t) {
      const [a, b] = await pair(t)
      const c = await t.join()
      await t.mail(a, b.who, "for b")
      const { mseq } = await b.link.delivery()
      same(await c.link.ok(T.ack, [mseq, mseq + 1]), null, "result of ACK")
      same(await a.link.ok(T.ack, [mseq]), null, "result of ACK by the sender")
      same(await stored(b.link), 1, "stored for b")
      const again = { who: b.who, link: await t.login(b.who) }
      same(await t.drain(a, again), ["for b"], "mail of b")
    },
  },
  {
    title: "ACK of what is not there, not yet there, and twice the same",
    req: ["HUB-51"],
    async run(t) {
      const [a, b] = await pair(t)
      same(await b.link.ok(T.ack, [1, 2, 3, 4, Number.MAX_SAFE_INTEGER]), null, "result of ACK")
      await t.mail(a, b.who, "x")
      const { mseq } = await b.link.delivery()
      same(await b.link.ok(T.ack, [mseq, mseq]), null, "result of ACK")
      same(await b.link.ok(T.ack, [mseq]), null, "result of ACK again")
      same(await t.drain(a, b), [], "more mail")
    },
  },
  {
    title: "an ACK lists 1 to 256 mseqs",
    req: ["HUB-25", "HUB-51"],
    async run(t) {
      const { link } = await t.join()
      const many = Array.from({ length: 257 }, (_, i) => i + 1)
      await link.refused(1, 0, T.ack, [])
      await link.refused(1, 0, T.ack, many)
      same(await link.ok(T.ack, many.slice(1)), null, "result for 256")
    },
  },
  {
    title: "at most `unacked` are out; each ACK lets the next one come, in order",
    req: ["HUB-34", "HUB-51"],
    async run(t) {
      const [a, b] = await pair(t)
      const window = reach(b.link, 7, 190)
      await pourInto(a.link, b.who.name, window + 3)
      const out = await b.link.deliveries(window)
      await b.link.ok(T.ping) // nothing else is due now
      same(b.link.mail.length, 0, "mail beyond the window")
      await b.link.ok(T.ack, [out[5]?.mseq as number])
      same(text(await b.link.delivery()).replaceAll("\0", ""), `${window}`, "next after one ACK")
      await b.link.ok(T.ping)
      same(b.link.mail.length, 0, "mail beyond the window")
      await b.link.ok(T.ack, [out[0]?.mseq as number, out[1]?.mseq as number])
      const two = (await b.link.deliveries(2)).map((one) => text(one).replaceAll("\0", ""))
      same(two, [`${window + 1}`, `${window + 2}`], "next after two")
    },
  },
  {
    title: "the window counts on each link anew",
    req: ["HUB-33", "HUB-34"],
    async run(t) {
      const [a, b] = await pair(t)
      const window = reach(b.link, 7, 190)
      await pourInto(a.link, b.who.name, window + 2)
      const first = await b.link.deliveries(window)
      const second = await t.login(b.who)
      const again = await second.deliveries(window)
      same(
        again.map((one) => one.mseq),
        first.map((one) => one.mseq),
        "mseqs",
      )
      await second.ok(
        T.ack,
        again.map((one) => one.mseq),
      )
      same((await second.deliveries(2)).length, 2, "the rest")
    },
  },
  {
    title: "an mseq never comes back, not after ACK and a new link",
    req: ["HUB-50"],
    async run(t) {
      const [a, b] = await pair(t)
      const seen: number[] = []
      let { link } = b
      for (let round = 0; round < 3; round++) {
        await t.mail(a, b.who, "x")
        const { mseq } = await link.delivery()
        await link.ok(T.ack, [mseq])
        seen.push(mseq)
        link = await t.login(b.who)
      }
      same(seen, [1, 2, 3], "mseqs")
    },
  },
  ...QUOTAS,
  {
    title: "COUNTS counts what is out and what waits, and refused SENDs leave nothing",
    req: ["HUB-49", "HUB-13"],
    async run(t) {
      const [a, b] = await pair(t)
      await pourInto(a.link, b.who.name, 70)
      same(await stored(b.link), 70, "stored")
      await a.link.refused(10, 0, T.send, b.who.name, newMid(), new Uint8Array(0))
      await a.link.refused(1, 0, T.send, b.who.name, new Uint8Array(3), letter("x"))
      same(await stored(b.link), 70, "stored after refused ones")
    },
  },
  {
    title: "mail outlives a new bundle of its recipient, and many links",
    req: ["HUB-52", "HUB-34"],
    async run(t) {
      const [a, b] = await pair(t)
      await t.mail(a, b.who, "kept")
      await b.link.ok(T.putBundle, bundleOf(b.who, { seq: 2 }) as Value)
      let again = b
      for (let i = 0; i < 5; i++) again = { who: b.who, link: await t.login(b.who) }
      check(JSON.stringify(again.link.counts) === "[1,[[1,0]],2]", "READY counts the message")
      same(await t.drain(a, again), ["kept"], "mail")
    },
  },
])
