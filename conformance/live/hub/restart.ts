// Black box, area 10: the hub is killed without notice and started again (HUB-52, HUB-14).

import type { Value } from "../../../src/encoding.ts"
import { bundleOf, letter, newcomer, newMid, oneTimes } from "./actors.ts"
import { sameBytes, T } from "./link.ts"
import { type Actor, area, check, type Draft, type HubCase, same, type Trial } from "./trial.ts"

const kill = (t: Trial): Promise<void> => (t.target.restart as () => Promise<void>)()

async function back(t: Trial, { who }: Actor): Promise<Actor> {
  return { who, link: await t.login(who) }
}

const text = ({ envelope }: { envelope: Uint8Array }): string => Buffer.from(envelope).toString()

const drafts: readonly Draft[] = [
  {
    title: "mail survives, in order, under its mseqs, and numbers go on",
    req: ["HUB-52", "HUB-50"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      for (let i = 0; i < 5; i++) await t.mail(a, b.who, `${i}`)
      await b.link.ok(T.ack, [(await b.link.delivery()).mseq])
      await kill(t)
      const [sender, reader] = [await back(t, a), await back(t, b)]
      same(reader.link.counts, [4, [[1, 0]], 1], "READY")
      same(
        (await reader.link.deliveries(4)).map((one) => [one.mseq, text(one)]),
        [
          [2, "1"],
          [3, "2"],
          [4, "3"],
          [5, "4"],
        ],
        "mail",
      )
      await t.mail(sender, b.who, "after")
      same((await reader.link.delivery()).mseq, 6, "the next mseq")
    },
  },
  {
    title: "every SEND that got its OK before the kill is there, each once",
    req: ["HUB-14", "HUB-50", "HUB-52"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      b.link.close()
      const mids = Array.from({ length: 150 }, newMid)
      const rids: number[] = []
      for (const [i, mid] of mids.entries()) {
        rids.push(await a.link.post(T.send, b.who.name, mid, letter(`${i}`)))
      }
      let acknowledged = 0
      for (const rid of rids.slice(0, 40)) if ("ok" in (await a.link.answer(rid))) acknowledged++
      const dying = kill(t) // the others are on their way
      for (const rid of rids.slice(40)) {
        const answer = await a.link.answer(rid).catch(() => null)
        if (answer === null) break
        if ("ok" in answer) acknowledged++
      }
      await dying
      const sender = await back(t, a)
      const before = ((await back(t, b)).link.counts as readonly Value[])[0] as number
      check(before >= acknowledged, "what was acknowledged is stored")
      for (const [i, mid] of mids.entries()) {
        await sender.link.ok(T.send, b.who.name, mid, letter(`${i}`)) // as after a lost answer
      }
      const reader = await back(t, b)
      same((reader.link.counts as readonly Value[])[0], 150, "stored after all were repeated")
    },
  },
  {
    title: "repetition of what was stored, and of what was acknowledged, is still known",
    req: ["HUB-48", "HUB-52"],
    async run(t) {
      const [a, b] = (await t.joinAll(2)) as [Actor, Actor]
      const [one, two] = [newMid(), newMid()]
      await a.link.ok(T.send, b.who.name, one, letter("acknowledged"))
      await b.link.ok(T.ack, [(await b.link.delivery()).mseq])
      await a.link.ok(T.send, b.who.name, two, letter("stored"))
      await kill(t)
      const [sender, reader] = [await back(t, a), await back(t, b)]
      await sender.link.ok(T.send, b.who.name, one, letter("acknowledged"))
      await sender.link.ok(T.send, b.who.name, two, letter("stored"))
      same(await t.drain(sender, reader), ["stored"], "mail")
    },
  },
  {
    title: "names stay bound, the hub keeps its key",
    req: ["HUB-52", "HUB-32"],
    async run(t) {
      const a = await t.join()
      const bare = t.newcomer()
      await t.login(bare)
      await kill(t)
      for (const name of [a.who.name, bare.name]) {
        const thief = await t.greeted()
        check(sameBytes(thief.hubIk, a.link.hubIk), "the hub has the key of before")
        await thief.auth(newcomer(name))
        await thief.closedWith(5)
      }
      const second = await t.greeted()
      await second.auth({ ...bare, name: t.name() })
      await second.closedWith(4)
      same((await back(t, a)).link.counts, [0, [[1, 0]], 1], "READY of the owner")
    },
  },
  {
    title: "the bundle and its seq survive",
    req: ["HUB-52", "HUB-37"],
    async run(t) {
      const a = await t.join()
      const five = bundleOf(a.who, { seq: 5 })
      await a.link.ok(T.putBundle, five as Value)
      await kill(t)
      const { link } = await back(t, a)
      await link.refused(8, 0, T.putBundle, bundleOf(a.who, { seq: 4 }) as Value)
      await link.refused(8, 0, T.putBundle, bundleOf(a.who, { seq: 5 }) as Value)
      const found = (await (await t.login()).ok(T.getBundle, a.who.name, [])) as readonly Value[]
      same(found[0], five, "the bundle that is served")
    },
  },
  {
    title: "pools go on where they were; a key that was taken never comes back",
    req: ["HUB-52", "HUB-45"],
    async run(t) {
      const a = await t.join()
      const keys = oneTimes(a.who, 3)
      await a.link.ok(T.putOneTime, 0, keys as Value)
      const take = async (): Promise<Value> =>
        ((await (await t.login()).ok(T.getBundle, a.who.name, [1])) as readonly Value[])[1] as Value
      same(await take(), keys[0], "first key")
      await kill(t)
      same(await take(), keys[1], "second key")
      const { link } = await back(t, a)
      for (const key of keys) await link.refused(7, 0, T.putOneTime, 0, [key] as Value)
      same(await link.ok(T.counts), [0, [[1, 1]], 1], "counts")
    },
  },
  {
    title: "a reservation survives: the same requester gets the same key",
    req: ["HUB-43", "HUB-52"],
    async run(t) {
      const a = await t.join({ keys: 3 })
      const asker = { who: t.newcomer(), link: await t.login() }
      const take = async (): Promise<Value> =>
        (
          (await (await back(t, asker)).link.ok(T.getBundle, a.who.name, [1])) as readonly Value[]
        )[1] as Value
      const key = await take()
      check(key !== null, "a key is served")
      await kill(t)
      same(await take(), key, "key after the restart")
      same(await (await back(t, a)).link.ok(T.counts), [0, [[1, 2]], 1], "counts")
    },
  },
  {
    title: "the six keys an hour are counted over a restart",
    req: ["HUB-44", "HUB-52"],
    async run(t) {
      const a = await t.join()
      const asker: Actor = { who: t.newcomer(), link: await t.login() }
      let owner = a
      for (let i = 0; i < 6; i++) {
        if (i === 3) {
          await kill(t)
          owner = await back(t, a)
        }
        await owner.link.ok(T.putOneTime, 1, oneTimes(a.who, 2) as Value)
        const found = await (await back(t, asker)).link.ok(T.getBundle, a.who.name, [1])
        check((found as readonly Value[])[1] !== null, `key ${i + 1} is served`)
      }
      await owner.link.ok(T.putOneTime, 1, oneTimes(a.who, 2) as Value)
      const found = await (await back(t, asker)).link.ok(T.getBundle, a.who.name, [1])
      same((found as readonly Value[])[1], null, "the seventh key")
    },
  },
]

export const RESTART_CASES: readonly HubCase[] = area(
  10,
  drafts.map((draft) => ({ ...draft, needs: ["restart"] as const })),
)
