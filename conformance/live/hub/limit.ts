// Black box, area 7: floods, slow and vanishing clients (SPEC §11.4; a fault stays on its link).

import { encode } from "../../../src/encoding.ts"
import { MAX_FRAME } from "../../../src/limits.ts"
import { letter, newMid } from "./actors.ts"
import { type Answer, type Link, T } from "./link.ts"
import { framed, head } from "./stream.ts"
import { type Actor, area, check, type HubCase, NotApplicable, same, type Trial } from "./trial.ts"

/** Sends PINGs, or requests of another type, in one write and counts what comes back. */
async function burst(
  link: Link,
  count: number,
  first: number = 100_000,
  type: number = T.ping,
): Promise<readonly Answer[]> {
  const all = Array.from({ length: count }, (_, i) => framed(encode([type, first + i])))
  void link.stream.write(Buffer.concat(all))
  const answers: Answer[] = []
  for (let i = 0; i < count; i++) answers.push(await link.answer(first + i))
  return answers
}

function rateOf(link: Link): number {
  const rate = link.limits[6] as number
  if (rate > 20_000) throw new NotApplicable(`the hub announces ${rate} requests a second`)
  return rate
}

const limited = (answers: readonly Answer[]): readonly Answer[] =>
  answers.filter((one) => "error" in one && one.error === 11)

/**
 * More requests than the rate allows, until one is refused. The clock of a hub may count whole
 * seconds, and a slow hub refills meanwhile: it is wrong only if it answers more than it may.
 */
async function flood(link: Link, type: number = T.ping): Promise<readonly Answer[]> {
  const rate = rateOf(link)
  for (const seconds of [5, 15]) {
    const began = Date.now()
    const answers = await burst(link, seconds * rate, 100_000, type)
    if (limited(answers).length > 0) return answers
    const took = (Date.now() - began) / 1000
    const what = `${answers.length} requests in ${took.toFixed(1)} s at ${rate} a second`
    check(answers.length <= (2 + took + 1) * rate, `${what}: one without a token is refused`)
  }
  throw new NotApplicable(`the hub answers fewer than the ${rate} requests a second that it allows`)
}

/** Waits until a link has tokens again: asks until it is answered. */
async function recovered(link: Link): Promise<void> {
  for (;;) {
    const answer = await link.ask(T.ping)
    if ("ok" in answer) return
    same(answer, { error: 11, retry: 1 }, "answer without a token")
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function connections(t: Trial, count: number): Promise<readonly Link[]> {
  const links: Link[] = []
  while (links.length < count) {
    const some = Array.from({ length: Math.min(50, count - links.length) }, () => t.connect())
    links.push(...(await Promise.all(some)))
  }
  return links
}

const ping = async (link: Link): Promise<void> => same(await link.ok(T.ping), null, "PING")

export const LIMIT_CASES: readonly HubCase[] = area(7, [
  {
    title: "a burst of twice the rate passes, what exceeds it is error 11, and the link stays",
    req: ["HUB-22"],
    async run(t) {
      const link = await t.login()
      const rate = rateOf(link)
      const answers = await flood(link)
      check(
        answers.slice(0, 2 * rate).every((one) => "ok" in one),
        "the burst passes",
      )
      for (const one of limited(answers).slice(0, 3))
        same(one, { error: 11, retry: 1 }, "answer without a token")
      await recovered(link)
    },
  },
  {
    title: "each link has a bucket of its own",
    req: ["HUB-22", "HUB-16"],
    async run(t) {
      const [link, other] = [await t.login(), await t.login()]
      await flood(link)
      for (let i = 0; i < 20; i++) await ping(other)
    },
  },
  {
    title: "what is refused for its rate has no effect, an unknown type included",
    req: ["HUB-22"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      void burst(a.link, 4 * rateOf(a.link)).catch(() => undefined)
      const rest = await t.login(a.who) // the flooded link ends: its bucket ends with it
      await flood(rest)
      const sends: number[] = []
      for (let i = 0; i < 15; i++) {
        sends.push(await rest.post(T.send, b.who.name, newMid(), letter(`${i}`)))
      }
      let passed = 0
      for (const rid of sends) if ("ok" in (await rest.answer(rid))) passed++
      await recovered(rest)
      const mail = await t.drain({ who: a.who, link: rest }, b)
      same(mail.length, passed, "messages that arrived")
    },
  },
  {
    title: "requests that are refused take their tokens too",
    req: ["HUB-22"],
    async run(t) {
      const link = await t.login()
      const answers = await flood(link, 99)
      const codes = new Set(answers.map((one) => ("error" in one ? one.error : 0)))
      same([...codes].sort(), [11, 13], "errors for a flood of an unknown type")
      await recovered(link)
    },
  },
  {
    title: "a reader that takes nothing delays nobody, and gets all when it reads",
    req: ["HUB-16"],
    async run(t) {
      const [a, b, c] = (await t.joinAll(3)) as [Actor, Actor, Actor]
      const size = Math.min(200_000, b.link.limits[5] as number)
      b.link.stream.socket.pause()
      for (let i = 0; i < 30; i++) await t.mail(a, b.who, `${i}`, size)
      await t.mail(a, c.who, "for c")
      same(Buffer.from((await c.link.delivery()).envelope).toString(), "for c", "mail of c")
      await ping(await t.login())
      b.link.stream.socket.resume()
      for (let i = 0; i < 30; i++) {
        const mail = await b.link.delivery()
        await b.link.ok(T.ack, [mail.mseq])
        same(
          Buffer.from(mail.envelope.subarray(0, 3)).toString().replaceAll("\0", ""),
          `${i}`,
          "order",
        )
      }
    },
  },
  {
    title: "a reader of no answers is not answered without bound, and delays nobody",
    req: ["HUB-16"],
    async run(t) {
      const [link, other] = [await t.login(), await t.login()]
      link.stream.socket.pause()
      for (let i = 0; i < 15; i++) {
        void link.stream.write(
          Buffer.concat(Array.from({ length: 100 }, () => framed(encode([T.list, 1 + i, ""])))),
        )
        if (i % 5 === 0) await ping(other)
      }
      for (let i = 0; i < 10; i++) await ping(other)
    },
  },
  {
    title: "a large frame that trickles in delays nobody, and is answered when it is whole",
    req: ["HUB-16", "HUB-1"],
    async run(t) {
      const [link, other] = [await t.login(), await t.login()]
      const frame = framed(encode([99, 7, new Uint8Array(20_000)]))
      for (let at = 0; at < frame.length; at += 500) {
        await link.stream.write(frame.subarray(at, at + 500))
        await ping(other)
      }
      same(await link.answer(7), { error: 13, retry: 0 }, "answer")
    },
  },
  {
    title: "100 links that stop in the middle of a length or of a frame",
    req: ["HUB-16"],
    async run(t) {
      const link = await t.login()
      for (const [i, one] of (await connections(t, 100)).entries()) {
        await one.stream.write(
          i % 2 === 0
            ? head(50).subarray(0, 1 + (i % 3))
            : Buffer.concat([head(500), Buffer.alloc(i)]),
        )
      }
      await ping(link)
      await t.good()
    },
  },
  {
    title: "100 links that claim the largest frame and send nothing of it",
    req: ["HUB-19", "HUB-16"],
    async run(t) {
      const link = await t.login()
      for (const one of await connections(t, 100)) await one.stream.write(head(MAX_FRAME))
      await ping(link)
      await t.good()
    },
  },
  {
    title: "half-close after requests: they are answered, then the link ends",
    req: ["HUB-13"],
    async run(t) {
      const link = await t.login()
      const requests = [1, 2, 3].map((rid) => framed(encode([T.ping, rid])))
      link.stream.socket.end(Buffer.concat(requests))
      for (const rid of [1, 2, 3]) same(await link.answer(rid), { ok: null }, "answer")
      await link.ended("after its end was closed")
    },
  },
  {
    title: "half-close in the middle of a frame: it has no effect",
    req: ["HUB-14", "HUB-16"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const frame = framed(encode([T.send, 1, b.who.name, newMid(), letter("half")]))
      a.link.stream.socket.end(frame.subarray(0, frame.length - 1))
      await a.link.ended("after its end was closed")
      const again = { who: a.who, link: await t.login(a.who) }
      same(await t.drain(again, b), [], "mail")
    },
  },
  {
    title: "a reset in the middle of mail: all of it comes again",
    req: ["HUB-52", "HUB-34"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      for (let i = 0; i < 10; i++) await t.mail(a, b.who, `${i}`, 20_000)
      await b.link.deliveries(3)
      b.link.stream.destroy()
      const link = await t.login(b.who)
      same(
        (await link.deliveries(10)).map((one) => one.mseq),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "mseqs",
      )
    },
  },
  {
    title: "200 connections that come and vanish at every stage",
    req: ["HUB-16"],
    async run(t) {
      const link = await t.login()
      for (let round = 0; round < 4; round++) {
        const some = await connections(t, 50)
        if (round > 0) await Promise.all(some.map((one) => one.greet()))
        if (round > 1) await Promise.all(some.map((one) => one.auth(t.newcomer())))
        for (const one of some) {
          if (round === 2) one.stream.socket.end()
          else one.stream.destroy()
        }
        await ping(link)
      }
    },
  },
  {
    title: "200 logins at once",
    req: ["HUB-16", "HUB-33"],
    async run(t) {
      const all = await Promise.all(Array.from({ length: 200 }, () => t.login()))
      await Promise.all(all.map(ping))
    },
  },
  {
    title: "1,000 connections: those that are there go on, and new ones are taken afterwards",
    req: ["HUB-16"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const many = await connections(t, 1_000)
      const welcomes = await Promise.all(many.map((one) => one.greet()))
      check(
        welcomes.every((frame) => frame[0] === T.welcome),
        "each gets a welcome",
      )
      await t.mail(a, b.who, "through the crowd")
      same((await b.link.delivery()).from, a.who.name, "sender")
      for (const one of many) one.stream.destroy()
      await ping(await t.login())
    },
  },
  {
    title: "a flood of refused requests on one link",
    req: ["HUB-16", "HUB-25"],
    async run(t) {
      const [link, other] = [await t.login(), await t.login()]
      const junk = framed(encode([T.send, 5, 5, 5]))
      void link.stream.write(Buffer.concat(Array.from({ length: 1_500 }, () => junk)))
      for (let i = 0; i < 10; i++) await ping(other)
      for (let i = 0; i < 1_500; i++) check("error" in (await link.answer(5)), "each is refused")
    },
  },
  {
    title: "a link that does not authenticate is closed after 10 s, one that did is not",
    req: ["HUB-35"],
    should: true,
    slow: true,
    async run(t) {
      const ready = await t.login()
      const [silent, greeted] = [await t.connect(), await t.greeted()]
      const from = Date.now()
      const over = (): boolean => silent.stream.over && greeted.stream.over
      while (!over() && Date.now() - from < 25_000)
        await new Promise((done) => setTimeout(done, 100))
      check(Date.now() - from > 8_000, "a link has 10 s to authenticate")
      check(over(), "links that do not authenticate are closed")
      await ping(ready)
    },
  },
  {
    title: "a link whose frames are at fault is closed, those beside it are not",
    req: ["HUB-16", "HUB-20"],
    async run(t) {
      const [ready, greeted] = [await t.login(), await t.greeted()]
      for (const [code, bytes] of [
        [1, head(0)],
        [10, head(MAX_FRAME + 1)],
        [10, head(2 ** 32 - 1)],
        [1, framed(Uint8Array.of(0xff))],
      ] as const) {
        const bad = await t.login()
        await bad.stream.write(bytes)
        await bad.closedWith(code)
        await ping(ready)
      }
      check(!greeted.stream.over, "a link that has greeted stays open")
      await greeted.auth(t.newcomer())
      same((await greeted.next())[0], T.ready, "frame after AUTH")
    },
  },
])
