// Black box, area 6: what a mailbox may hold (HUB-47, HUB-49).

import { letter, newMid } from "./actors.ts"
import { type Answer, type Link, T } from "./link.ts"
import { type Actor, type Draft, NotApplicable, same, type Trial } from "./trial.ts"

/** A limit that is small enough to be reached. */
export function reach(link: Link, index: number, most: number): number {
  const limit = link.limits[index] as number
  if (limit > most) throw new NotApplicable(`the hub announces ${limit}, a case goes to ${most}`)
  return limit
}

/** Sends many in one write; their answers, the errors with their retry-after. */
export async function pourInto(
  from: Link,
  to: string,
  count: number,
  size: number = 8,
): Promise<readonly Answer[]> {
  const rids: number[] = []
  for (let i = 0; i < count; i++) {
    rids.push(await from.post(T.send, to, newMid(), letter(`${i}`, size)))
  }
  const answers: Answer[] = []
  for (const rid of rids) answers.push(await from.answer(rid))
  return answers
}

const taken = (answers: readonly Answer[]): number => answers.filter((one) => "ok" in one).length
const FULL = { error: 9, retry: 60 }

/** A recipient who is away, so that nothing is acknowledged. */
async function away(t: Trial): Promise<Actor> {
  const one = await t.join()
  one.link.close()
  await one.link.ended("after its end was closed")
  return one
}

/** Cases of the area "mailbox". */
export const QUOTAS: readonly Draft[] = [
  {
    title: "one sender's messages in a mailbox: one more is error 9, and stores nothing",
    req: ["HUB-49"],
    async run(t) {
      const [a, c] = (await t.joinAll(2)) as [Actor, Actor]
      const b = await away(t)
      const most = reach(a.link, 2, 400)
      same(taken(await pourInto(a.link, b.who.name, most)), most, "taken")
      same(await a.link.ask(T.send, b.who.name, newMid(), letter("one more")), FULL, "one more")
      await t.mail(c, b.who, "of another sender")
      await t.mail(a, c.who, "to another mailbox")
      same((await t.login(b.who)).counts, [most + 1, [[1, 0]], 1], "READY")
    },
  },
  {
    title: "an ACK makes room for its sender again",
    req: ["HUB-49", "HUB-51"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const most = reach(a.link, 2, 400)
      same(taken(await pourInto(a.link, b.who.name, most)), most, "taken")
      await a.link.refused(9, 60, T.send, b.who.name, newMid(), letter("too many"))
      await b.link.ok(T.ack, [(await b.link.delivery()).mseq])
      await t.mail(a, b.who, "again")
      await a.link.refused(9, 60, T.send, b.who.name, newMid(), letter("too many"))
    },
  },
  {
    title: "a repetition is OK though the quota is spent",
    req: ["HUB-48"],
    async run(t) {
      const a = await t.join()
      const b = await away(t)
      const most = reach(a.link, 2, 400)
      const [mid, envelope] = [newMid(), letter("first")]
      await a.link.ok(T.send, b.who.name, mid, envelope)
      await pourInto(a.link, b.who.name, most - 1)
      await a.link.refused(9, 60, T.send, b.who.name, newMid(), envelope)
      same(await a.link.ok(T.send, b.who.name, mid, envelope), null, "repetition")
      same((await t.login(b.who)).counts, [most, [[1, 0]], 1], "READY")
    },
  },
  {
    title: "messages of a mailbox, of all senders together",
    req: ["HUB-49"],
    async run(t) {
      const b = await away(t)
      const first = await t.join()
      const [all, each] = [reach(first.link, 0, 3_000), first.link.limits[2] as number]
      let sum = 0
      while (sum < all) {
        const { link } = await t.join()
        sum += taken(await pourInto(link, b.who.name, Math.min(each, all - sum)))
      }
      same(sum, all, "taken")
      same(await first.link.ask(T.send, b.who.name, newMid(), letter("x")), FULL, "one more")
      same((await t.login(b.who)).counts, [all, [[1, 0]], 1], "READY")
    },
  },
  {
    title: "bytes of one sender in a mailbox, to the byte",
    req: ["HUB-49"],
    async run(t) {
      const a = await t.join()
      const b = await away(t)
      const [bytes, envelope] = [reach(a.link, 3, 33_554_432), a.link.limits[5] as number]
      let left = bytes
      while (left > 0) {
        const size = Math.min(left, envelope, 1_000_000)
        await a.link.ok(T.send, b.who.name, newMid(), new Uint8Array(size))
        left -= size
      }
      same(await a.link.ask(T.send, b.who.name, newMid(), letter("x")), FULL, "one byte more")
      await t.mail(await t.join(), b.who, "of another sender")
    },
  },
  {
    title: "bytes of a mailbox, of all senders together",
    req: ["HUB-49"],
    async run(t) {
      const b = await away(t)
      let { link } = await t.join()
      const [all, each] = [reach(link, 1, 67_108_864), link.limits[3] as number]
      const envelope = new Uint8Array(Math.min(1_000_000, link.limits[5] as number))
      let sum = 0
      let own = 0
      while (sum + envelope.length <= all) {
        if (own + envelope.length > each) {
          link = (await t.join()).link
          own = 0
        }
        await link.ok(T.send, b.who.name, newMid(), envelope)
        sum += envelope.length
        own += envelope.length
      }
      const { link: last } = await t.join()
      same(await last.ask(T.send, b.who.name, newMid(), envelope), FULL, "one envelope more")
      same(
        await last.ask(T.send, b.who.name, newMid(), new Uint8Array(all - sum)),
        { ok: null },
        "what is left",
      )
    },
  },
  {
    title: "an envelope of 0 bytes and one above the limit are error 10, at the limit it is taken",
    req: ["HUB-47"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const most = a.link.limits[5] as number
      await a.link.refused(10, 0, T.send, b.who.name, newMid(), new Uint8Array(0))
      await a.link.refused(10, 0, T.send, b.who.name, newMid(), new Uint8Array(most + 1))
      await a.link.ok(T.send, b.who.name, newMid(), new Uint8Array(most))
      same((await b.link.delivery()).envelope.length, most, "bytes")
      same(await b.link.ok(T.counts), [1, [[1, 0]], 1], "counts")
    },
  },
  {
    title: "size is judged before the recipient",
    req: ["HUB-47"],
    async run(t) {
      const { link } = await t.join()
      await link.refused(10, 0, T.send, t.name(), newMid(), new Uint8Array(0))
      await link.refused(6, 0, T.send, t.name(), newMid(), new Uint8Array(1))
    },
  },
]
