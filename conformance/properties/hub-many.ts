// Properties of SPEC §11 about many: one-time keys of an hour and of a pool, names of a page.

import fc from "fast-check"
import type { Json, JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { property } from "./define.ts"
import { NOW, seedOf } from "./gen.ts"
import { frames, framing, guests, hubOf, leaving, login, readFrame, WIDE } from "./hubs.ts"
import { bundleOf, type Person } from "./people.ts"
import type { Oracle } from "./trial.ts"

const REQUEST = 100
const POOL = 500
const HOUR_KEYS = 1_000
const HOUR = 3_600
const PAGE = 256

/** So many new one-time keys of the owner; `from` numbers them. */
async function keysOf(
  oracle: Oracle,
  owner: Person,
  from: number,
  count: number,
): Promise<readonly string[]> {
  const { identity } = owner
  const made = Array.from({ length: count }, async (_, i) => {
    const seed = seedOf(0x0e00_0000 + from + i)
    const args = { identity, seed, suite: 1, now: NOW }
    return (await oracle.ok("bundle.createOneTime", args))["key"] as string
  })
  return Promise.all(made)
}

export const MANY_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{
        id: "hub-p11",
        title: "an hour takes 1,000 one-time keys, a pool 500, judged in that order",
      },
      ...{ req: "HUB-39 HUB-40", tier: 2, needs: ["role-hub"], runs: 2 },
    },
    () =>
      fc.record({ n: fc.nat(0xff), early: fc.constantFrom(1, 2), gap: fc.constantFrom(2, 1_800) }),
    async (trial, { n, early, gap }) => {
      const hub = await hubOf(trial, n)
      const [owner] = (await guests(trial.oracle, ["owner"])) as [Person]
      await login(trial, hub, owner, "owner-0", NOW)
      let [rid, made] = [0, 0]
      const put = async (count: number, drop: 0 | 1, now: number): Promise<JsonObject> => {
        const keys = await keysOf(trial.oracle, owner, made, count)
        made += count
        return framing(hub, "owner-0", frames.putOneTime(++rid, drop, keys), now)
      }
      const requests = HOUR_KEYS / REQUEST
      const dropping = requests - POOL / REQUEST
      for (let i = 0; i < requests; i++) {
        const now = i < early ? NOW : NOW + gap
        await trial.ok("hub.frame", await put(REQUEST, i <= dropping ? 1 : 0, now))
      }
      const refused = async (drop: 0 | 1, now: number, code: string): Promise<void> =>
        void (await trial.reject("hub.frame", await put(1, drop, now), code, "unchanged"))
      // The pool is full and the hour is spent: the pool is judged first, a drop empties it.
      await refused(0, NOW + gap, "hub/too-large")
      await refused(1, NOW + gap, "hub/rate-limited")
      // A clock set back makes none of them old.
      await refused(1, NOW, "hub/rate-limited")
      // At exactly an hour they still count; a second later those of the first moment do not.
      await refused(1, NOW + HOUR, "hub/rate-limited")
      for (let i = 0; i < early; i++) {
        await trial.ok("hub.frame", await put(REQUEST, 1, NOW + HOUR + 1))
      }
      await refused(1, NOW + HOUR + 1, "hub/rate-limited")
    },
  ),
  property(
    {
      ...{ id: "hub-p12", title: "a page of names is full as long as there are more" },
      ...{ req: "HUB-13", tier: 2, needs: ["role-hub"], runs: 1 },
    },
    () => fc.nat(0xff),
    async (trial, n) => {
      const args = { seed: seedOf(0x4b00_0000 + n), limits: WIDE, maxNames: 2 * PAGE }
      const made = await trial.ok("hub.new", args)
      const hub = { handle: made["handle"] as string, hubIk: made["hubIk"] as string }
      const names = Array.from({ length: PAGE + 1 }, (_, i) => `n-${1_000 + i}`)
      for (const [i, who] of (await guests(trial.oracle, names)).entries()) {
        const { bundle } = await bundleOf(trial.oracle, who, [1])
        await login(trial, hub, who, `l-${i}`, NOW)
        await trial.ok("hub.frame", framing(hub, `l-${i}`, frames.putBundle(1, bundle), NOW))
      }
      const last = names[PAGE] as string
      for (const [i, after] of ["", names[0], names[PAGE - 1], last].entries()) {
        const request = framing(hub, "l-0", frames.list(2 + i, after as string), NOW)
        const reply = leaving(await trial.ok("hub.frame", request)).get("l-0")?.[0] as string
        const page = names.filter((name) => name > (after as string)).slice(0, PAGE)
        trial.equal(readFrame(reply) as Json, [20, 2 + i, page], "reply to LIST")
      }
    },
  ),
]
