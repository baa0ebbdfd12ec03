// Properties of SPEC §11 as command sequences: the pool of one-time keys, names and bundles.

import fc from "fast-check"
import type { Json } from "../driver.ts"
import type { Property } from "../property.ts"
import { NOW, pick, seedOf } from "./gen.ts"
import { brief, frames, framing, guests, type Hub, hubOf, leaving, login, partOf } from "./hubs.ts"
import { modelProperty, move } from "./model.ts"
import { bundleOf, type OwnBundle, type Person, person } from "./people.ts"
import type { Trial } from "./trial.ts"

const RESERVED = 60
const HOUR = 3_600
const FRESH = 6
const LOW = 20

interface Pool {
  readonly hub: Hub
  readonly owner: Person
  readonly bundle: OwnBundle
  readonly asking: readonly Person[]
  /** Links by name; all log in anew after a restart. */
  readonly links: Map<string, string>
  readonly pool: string[]
  readonly reserved: Map<string, { readonly key: string; readonly time: number }>
  readonly fresh: Map<string, number[]>
  /** To whom a key was served. */
  readonly served: Map<string, string>
  now: number
  made: number
  logins: number
  rid: number
}

async function arrive(model: Pool, trial: Trial): Promise<void> {
  for (const who of [model.owner, ...model.asking]) {
    const link = `${who.peer.name}-${++model.logins}`
    await login(trial, model.hub, who, link, model.now)
    model.links.set(who.peer.name, link)
  }
}

/** Answer of a request as lists, and frames for the owner. */
async function ask(
  model: Pool,
  trial: Trial,
  who: string,
  frame: string,
): Promise<{ reply: string; pushed: Json }> {
  const link = model.links.get(who) as string
  const out = leaving(await trial.ok("hub.frame", framing(model.hub, link, frame, model.now)))
  const own = model.links.get(model.owner.peer.name) as string
  const [reply, ...rest] = out.get(link) ?? []
  if (reply === undefined) trial.check(false, "no reply")
  return { reply: reply as string, pushed: brief(own === link ? rest : out.get(own)) }
}

const put = move<Pool, { count: number; drop: 0 | 1 }>(
  "put",
  fc.record({ count: fc.integer({ min: 0, max: 3 }), drop: fc.constantFrom<0 | 1>(0, 0, 0, 1) }),
  async (model, trial, { count, drop }) => {
    const keys: string[] = []
    for (let i = 0; i < count; i++) {
      const seed = seedOf(0x0700_0000 + ++model.made)
      const args = { identity: model.owner.identity, seed, suite: 1, now: model.now }
      keys.push((await trial.oracle.ok("bundle.createOneTime", args))["key"] as string)
    }
    const frame = frames.putOneTime(++model.rid, drop, keys)
    const { reply } = await ask(model, trial, "owner", frame)
    trial.equal(brief([reply]), [[20, model.rid, count]], "reply to PUT_ONE_TIME")
    if (drop) {
      model.pool.length = 0
      model.reserved.clear()
    }
    model.pool.push(...keys)
  },
)

const get = move<Pool, { who: number; suites: readonly number[] }>(
  "get",
  fc.record({ who: fc.nat(2), suites: fc.constantFrom([1], [2, 1], [1, 2], [2], []) }),
  async (model, trial, { who, suites }) => {
    const asker = pick([...model.asking, model.owner], who)
    const { name } = asker.peer
    const frame = frames.getBundle(++model.rid, "owner", suites)
    const { reply, pushed } = await ask(model, trial, name, frame)
    const { key, taken } = take(model, name, suites.includes(1) && asker !== model.owner)
    trial.equal(partOf(reply, [2, 0]), model.bundle.bundle, "bundle")
    trial.equal(partOf(reply, [2, 1]), key ?? "f6", "one-time key")
    if (key !== null) {
      const other = model.served.get(key) ?? name
      trial.equal(other, name, "who gets this one-time key")
      model.served.set(key, name)
    }
    const low = taken && model.pool.length <= LOW ? [[31, 0, 1, model.pool.length]] : []
    trial.equal(pushed, low, "frames for the owner")
    await trial.oracle.ok("hub.checkReceipt", {
      ...{ receipt: partOf(reply, [2, 2]), bundle: model.bundle.bundle, hubIk: model.hub.hubIk },
      now: model.now,
    })
  },
)

/** The one-time key that a requester gets. */
function take(model: Pool, name: string, wanted: boolean): { key: string | null; taken: boolean } {
  if (!wanted) return { key: null, taken: false }
  const reserved = model.reserved.get(name)
  if (reserved && model.now - reserved.time <= RESERVED) return { key: reserved.key, taken: false }
  const times = (model.fresh.get(name) ?? []).filter((time) => model.now - time <= HOUR)
  const key = times.length < FRESH ? model.pool.shift() : undefined
  if (key === undefined) return { key: null, taken: false }
  model.reserved.set(name, { key, time: model.now })
  model.fresh.set(name, [...times, model.now])
  return { key, taken: true }
}

const wait = move<Pool, number>(
  "wait",
  fc.constantFrom(1, RESERVED, RESERVED + 1, HOUR, HOUR + 1),
  async (model, _trial, seconds) => {
    model.now += seconds
  },
)

const restart = move<Pool, null>("restart", fc.constant(null), async (model, trial) => {
  await trial.ok("hub.restart", { hub: model.hub.handle })
  await arrive(model, trial)
})

/** Who has which name, and which bundle is stored under it. */
interface Directory {
  readonly hub: Hub
  /** Identities, each under each name. */
  readonly people: readonly (readonly Person[])[]
  readonly names: Map<string, number>
  readonly owners: Map<number, string>
  readonly stored: Map<string, { readonly seq: number; readonly bundle: string }>
  link: { readonly at: string; readonly name: number; readonly who: number } | null
  logins: number
  rid: number
}

const NAMES = ["ann", "ben"]

const enter = move<Directory, { name: number; who: number }>(
  "log in",
  fc.record({ name: fc.nat(1), who: fc.nat(2) }),
  async (model, trial, { name, who }) => {
    const at = `l-${++model.logins}`
    const text = NAMES[name] as string
    const bound = model.names.get(text)
    const other = model.owners.get(who)
    const taken = bound !== undefined && bound !== who
    const second = other !== undefined && other !== text
    const code = taken ? "hub/name-taken" : second ? "hub/auth-failed" : "ok"
    const me = model.people[who]?.[name] as Person
    await login(trial, model.hub, me, at, NOW, code)
    if (code !== "ok") return
    model.names.set(text, who)
    model.owners.set(who, text)
    model.link = { at, name, who }
  },
)

const publish = move<Directory, { seq: number; foreign: boolean; how: number }>(
  "publish",
  fc.record({
    ...{ seq: fc.integer({ min: 1, max: 4 }), foreign: fc.nat(4).map((n) => n === 4) },
    how: fc.nat(5),
  }),
  async (model, trial, { seq, foreign, how }) => {
    const { at, name, who } = model.link as NonNullable<Directory["link"]>
    const by = model.people[foreign ? (who + 1) % 3 : who]?.[name] as Person
    // Seeds differ, so that one seq has several bodies.
    const extra = {
      seq,
      seed: seedOf(0x0d00_0000 + (how % 2)),
      ...(how === 5 ? { lifetime: -301 } : {}),
    }
    const { bundle } = await bundleOf(trial.oracle, by, [1], extra)
    const text = NAMES[name] as string
    const stored = model.stored.get(text)
    const stale = stored && (seq < stored.seq || (seq === stored.seq && bundle !== stored.bundle))
    const args = framing(model.hub, at, frames.putBundle(++model.rid, bundle), NOW)
    if (foreign || how === 5) await trial.reject("hub.frame", args, "hub/bad-bundle", "unchanged")
    else if (stale) await trial.reject("hub.frame", args, "hub/bundle-stale", "unchanged")
    else {
      await trial.ok("hub.frame", args)
      model.stored.set(text, { seq, bundle })
    }
  },
  ({ link }) => link !== null,
)

const fetch = move<Directory, number>(
  "fetch",
  fc.nat(1),
  async (model, trial, name) => {
    const text = NAMES[name] as string
    const { at } = model.link as NonNullable<Directory["link"]>
    const args = framing(model.hub, at, frames.getBundle(++model.rid, text, []), NOW)
    const stored = model.stored.get(text)
    if (stored === undefined) {
      await trial.reject("hub.frame", args, "hub/no-such-agent", "unchanged")
      return
    }
    const out = leaving(await trial.ok("hub.frame", args))
    trial.equal(partOf(out.get(at)?.[0] as string, [2, 0]), stored.bundle, "bundle")
  },
  ({ link }) => link !== null,
)

const reboot = move<Directory, null>("restart", fc.constant(null), async (model, trial) => {
  await trial.ok("hub.restart", { hub: model.hub.handle })
  model.link = null
})

export const DIRECTORY_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{
        id: "hub-p07",
        title: "a one-time key goes to one requester, once a reservation is over never",
      },
      ...{ req: "HUB-40 HUB-42 HUB-43 HUB-44 HUB-45 HUB-46 HUB-52", tier: 2, needs: ["role-hub"] },
      runs: 15,
    },
    {
      config: () => fc.nat(0xff),
      setup: async (trial, n): Promise<Pool> => {
        const hub = await hubOf(trial, n)
        const [owner, ...asking] = await guests(trial.oracle, ["owner", "ann", "ben"])
        const bundle = await bundleOf(trial.oracle, owner as Person, [1])
        const model: Pool = {
          ...{ hub, owner: owner as Person, bundle, asking, links: new Map(), pool: [] },
          ...{ reserved: new Map(), fresh: new Map(), served: new Map() },
          ...{ now: NOW, made: 0, logins: 0, rid: 0 },
        }
        await arrive(model, trial)
        await ask(model, trial, "owner", frames.putBundle(++model.rid, bundle.bundle))
        return model
      },
      ...{ moves: [put, get, get, get, wait, restart], max: 24 },
    },
  ),
  modelProperty(
    {
      ...{
        id: "hub-p08",
        title: "a name keeps its key, a key its name, and bundles only go forward",
      },
      ...{ req: "HUB-29 HUB-30 HUB-32 HUB-36 HUB-37 HUB-41 HUB-52", tier: 2, needs: ["role-hub"] },
      runs: 15,
    },
    {
      config: () => fc.nat(0xff),
      setup: async (trial, n): Promise<Directory> => {
        const people = [0, 1, 2].map((who) =>
          Promise.all(NAMES.map((name) => person(trial.oracle, name, seedOf(0x0a00_0000 + who)))),
        )
        return {
          ...{ hub: await hubOf(trial, n), people: await Promise.all(people), names: new Map() },
          ...{ owners: new Map(), stored: new Map(), link: null, logins: 0, rid: 0 },
        }
      },
      ...{ moves: [enter, publish, publish, fetch, reboot], max: 20 },
    },
  ),
]
