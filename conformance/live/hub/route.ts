// Black box, area 5: who gets what, and in which order (SPEC §11.4 SEND).

import type { Value } from "../../../src/encoding.ts"
import { bundleOf, letter, newMid } from "./actors.ts"
import { T } from "./link.ts"
import { type Actor, area, check, type HubCase, same, type Trial } from "./trial.ts"

const text = ({ envelope }: { envelope: Uint8Array }): string => Buffer.from(envelope).toString()

/** SENDs in one write, then their answers: nobody waits between them. */
async function pour(
  from: Actor,
  to: readonly Actor[],
  texts: (i: number) => string,
  count: number,
): Promise<void> {
  const rids: number[] = []
  for (let i = 0; i < count; i++) {
    const { name } = (to[i % to.length] as Actor).who
    rids.push(await from.link.post(T.send, name, newMid(), letter(texts(i))))
  }
  for (const rid of rids) same(await from.link.answer(rid), { ok: null }, "answer to SEND")
}

/** Takes `count` messages and acknowledges each. */
async function takeAll(
  { link }: Actor,
  count: number,
): Promise<readonly { from: string; text: string; mseq: number }[]> {
  const all = []
  for (let i = 0; i < count; i++) {
    const mail = await link.delivery()
    await link.ok(T.ack, [mail.mseq])
    all.push({ from: mail.from, text: text(mail), mseq: mail.mseq })
  }
  return all
}

const numbered = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)

async function relogin(t: Trial, { who }: Actor): Promise<Actor> {
  return { who, link: await t.login(who) }
}

export const ROUTE_CASES: readonly HubCase[] = area(5, [
  {
    title: "delivered as it was sent, under the name of the sender's link",
    req: ["HUB-50"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      for (const size of [1, 2, 255, 256, 65_536]) {
        const envelope = await t.mail(a, b.who, "x", size)
        const mail = await b.link.delivery()
        same([mail.from, mail.envelope], [a.who.name, envelope], "mail")
      }
    },
  },
  {
    title: "100 messages of a pair arrive in order, with ascending mseq",
    req: ["HUB-34", "HUB-50"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const [, all] = await Promise.all([pour(a, [b], (i) => `${i}`, 100), takeAll(b, 100)])
      same(
        all.map((one) => one.text),
        numbered("", 100),
        "order",
      )
      check(
        all.every((one, i) => i === 0 || one.mseq > (all[i - 1]?.mseq ?? 0)),
        "mseq ascends",
      )
    },
  },
  {
    title: "the first message of a mailbox has mseq 1",
    req: ["HUB-50"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      await t.mail(a, b.who, "first")
      await t.mail(a, b.who, "second")
      same(
        (await b.link.deliveries(2)).map((one) => one.mseq),
        [1, 2],
        "mseqs",
      )
    },
  },
  {
    title: "three senders at once: the order of each is kept, each under its name",
    req: ["HUB-50", "HUB-16"],
    async run(t) {
      const [to, ...from] = (await t.joinAll(4)) as [Actor, ...Actor[]]
      const pours = from.map((one, k) => pour(one, [to], (i) => `${k}-${i}`, 50))
      const [all] = await Promise.all([takeAll(to, 150), ...pours])
      from.forEach(({ who }, k) => {
        const own = all.filter((one) => one.from === who.name).map((one) => one.text)
        same(own, numbered(`${k}-`, 50), "order of one sender")
      })
    },
  },
  {
    title: "one sender, five recipients: each gets its own and nothing else",
    req: ["HUB-50"],
    async run(t) {
      const [from, ...to] = (await t.joinAll(6)) as [Actor, ...Actor[]]
      await pour(from, to, (i) => `${i % 5}-${Math.floor(i / 5)}`, 50)
      for (const [k, one] of to.entries()) {
        same(await t.drain(from, one), numbered(`${k}-`, 10), "mail of one recipient")
      }
      same(await t.drain(from, from), [], "mail of the sender")
    },
  },
  {
    title: "everybody to everybody, six at once",
    req: ["HUB-50"],
    async run(t) {
      const all = await t.joinAll(6)
      await Promise.all(all.map((one) => pour(one, all, (i) => `${one.who.name} ${i}`, 30)))
      for (const [k, one] of all.entries()) {
        const mail = await takeAll(one, 30)
        const due = all.flatMap(({ who }) =>
          numbered("", 5).map((n) => `${who.name} ${Number(n) * 6 + k}`),
        )
        same(mail.map((m) => m.text).sort(), [...due].sort(), "mail of one")
        check(
          mail.every((m) => m.text.startsWith(`${m.from} `)),
          "from names its sender",
        )
      }
    },
  },
  {
    title: "names that begin alike are different mailboxes",
    req: ["HUB-50"],
    async run(t) {
      const from = await t.join()
      const base = t.name()
      const names = [base, `${base}.`, `${base}-`, `${base}0`, `${base}.0`]
      const to: Actor[] = []
      for (const name of names) {
        const who = t.newcomer(name)
        const link = await t.login(who)
        await link.ok(T.putBundle, bundleOf(who) as Value)
        to.push({ who, link })
      }
      await pour(from, to, (i) => names[i] as string, names.length)
      for (const [i, one] of to.entries()) same(await t.drain(from, one), [names[i]], "mail")
    },
  },
  {
    title: "mail for somebody who is away: READY counts it, then it comes in order",
    req: ["HUB-34"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      b.link.close()
      await b.link.ended("after its end was closed")
      await pour(a, [b], (i) => `${i}`, 20)
      const { link } = await relogin(t, b)
      same(link.counts, [20, [[1, 0]], 1], "READY")
      const all = await link.deliveries(20)
      same(all.map(text), numbered("", 20), "order")
      same(
        all.map((one) => one.mseq),
        [...all.map((one) => one.mseq)].sort((x, y) => x - y),
        "mseqs",
      )
    },
  },
  {
    title: "what was not acknowledged comes again on the next link, under the same mseq",
    req: ["HUB-34", "HUB-52"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      for (let i = 0; i < 5; i++) await t.mail(a, b.who, `${i}`)
      const first = await b.link.deliveries(5)
      await b.link.ok(T.ack, [first[1]?.mseq as number, first[3]?.mseq as number])
      b.link.stream.destroy()
      const { link } = await relogin(t, b)
      const again = await link.deliveries(3)
      const due = [0, 2, 4].map((i) => first[i])
      same(again, due, "mail on the second link")
    },
  },
  {
    title: "a link that was put out leaves its mail to the one that put it out",
    req: ["HUB-33"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      await t.mail(a, b.who, "held")
      const held = await b.link.delivery()
      const second = await relogin(t, b)
      await b.link.closedWith(12)
      same(await second.link.delivery(), held, "mail on the second link")
      same(await t.drain(a, second), [], "more mail")
    },
  },
  {
    title: "to oneself: the answer leaves before the mail",
    req: ["HUB-13", "HUB-50"],
    async run(t) {
      const { who, link } = await t.join()
      for (let i = 0; i < 5; i++) {
        const rid = await link.post(T.send, who.name, newMid(), letter(`self ${i}`))
        same((await link.next()).slice(0, 2), [T.reply, rid], "first frame")
        same(text(await link.delivery()), `self ${i}`, "mail")
      }
    },
  },
  {
    title: "to a name that nobody has, and to one without a bundle",
    req: ["HUB-47"],
    async run(t) {
      const a = await t.join()
      const bare = t.newcomer()
      const link = await t.login(bare)
      await a.link.refused(6, 0, T.send, t.name(), newMid(), letter("lost"))
      await a.link.refused(6, 0, T.send, bare.name, newMid(), letter("lost"))
      await link.ok(T.putBundle, bundleOf(bare) as Value)
      same(await t.drain(a, { who: bare, link }), [], "mail from before the bundle")
    },
  },
  {
    title: "a sender without a bundle sends too",
    req: ["HUB-47", "HUB-50"],
    async run(t) {
      const b = await t.join()
      const who = t.newcomer()
      const bare = { who, link: await t.login(who) }
      await t.mail(bare, b.who, "from nobody known")
      const mail = await b.link.delivery()
      same([mail.from, text(mail)], [who.name, "from nobody known"], "mail")
    },
  },
  {
    title: "one mid to two recipients, and from two senders, are different messages",
    req: ["HUB-48"],
    async run(t) {
      const [a, b, c] = (await t.joinAll(3)) as [Actor, Actor, Actor]
      const mid = newMid()
      await a.link.ok(T.send, b.who.name, mid, letter("a to b"))
      await a.link.ok(T.send, c.who.name, mid, letter("a to c"))
      await c.link.ok(T.send, b.who.name, mid, letter("c to b"))
      same((await b.link.deliveries(2)).map(text), ["a to b", "c to b"], "mail of b")
      same(text(await c.link.delivery()), "a to c", "mail of c")
    },
  },
  {
    title: "answers keep their order while mail comes in between",
    req: ["HUB-13"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const pouring = pour(a, [b], (i) => `${i}`, 60)
      const rids: number[] = []
      for (let i = 0; i < 60; i++) rids.push(await b.link.post(T.ping))
      for (const rid of rids) same(await b.link.answer(rid), { ok: null }, "answer")
      await pouring
      same((await b.link.deliveries(60)).map(text), numbered("", 60), "mail")
    },
  },
  {
    title: "both directions at once",
    req: ["HUB-16", "HUB-50"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      await Promise.all([pour(a, [b], (i) => `a${i}`, 60), pour(b, [a], (i) => `b${i}`, 60)])
      same((await b.link.deliveries(60)).map(text), numbered("a", 60), "mail of b")
      same((await a.link.deliveries(60)).map(text), numbered("b", 60), "mail of a")
    },
  },
])
