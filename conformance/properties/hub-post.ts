// Properties of SPEC §11 as command sequences: mailboxes.

import fc from "fast-check"
import type { Json, JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { property } from "./define.ts"
import { NOW, pick } from "./gen.ts"
import { brief, frames, framing, guests, hubOf, leaving, login } from "./hubs.ts"
import { modelProperty } from "./model.ts"
import { bundleOf } from "./people.ts"
import {
  ack,
  type Box,
  counts,
  enter,
  fail,
  LIMITS,
  type Limits,
  leave,
  type Post,
  restart,
  send,
  wait,
} from "./post.ts"
import type { Trial } from "./trial.ts"

const NAMES = ["ann", "ben", "cy"]

/** A hub with three guests who have logged in and published a bundle. */
async function office(trial: Trial, n: number, some: Partial<Limits>): Promise<Post> {
  const limits = { ...LIMITS, ...some }
  const named: JsonObject = {
    ...{ unacked: limits.unacked, "ttl-s": limits.ttl, "requests-per-s": limits.rate },
    ...{ "mailbox-messages": limits.messages, "mailbox-bytes": limits.bytes },
    ...{ "per-sender": limits.perSender, "per-sender-bytes": limits.perSenderBytes },
  }
  const hub = await hubOf(trial, n, named)
  const boxes: Box[] = []
  for (const who of await guests(trial.oracle, NAMES)) {
    const { bundle } = await bundleOf(trial.oracle, who, [1])
    const box = {
      who,
      mail: [],
      next: 1,
      link: `link-00${boxes.length}`,
      flight: new Set<number>(),
    }
    await login(trial, hub, who, box.link, NOW)
    const args = framing(hub, box.link, frames.putBundle(1, bundle), NOW)
    await trial.ok("hub.frame", args, { frames: [[box.link, `83140${1}f6`]] })
    boxes.push({ ...box, tokens: 2 * limits.rate - 1, last: NOW })
  }
  return { hub, boxes, limits, known: new Map(), now: NOW, links: 2, rid: 1, sent: 0 }
}

/** Restarts and departures are rare: they leave little to do until somebody is back. */
const ROUTINE = [
  ...[send(false), send(false), send(false), ack, ack, enter, enter, counts],
  ...[enter, leave, restart],
]

const NEEDS = { tier: 2, needs: ["role-hub"] } as const

export const POST_PROPERTIES: readonly Property[] = [
  modelProperty(
    {
      ...{
        id: "hub-p05",
        title: "mail reaches its recipient alone, in order, until it is acknowledged",
      },
      ...{ req: "HUB-33 HUB-34 HUB-50 HUB-51 HUB-52 HUB-57", ...NEEDS, runs: 15 },
    },
    {
      config: () => fc.tuple(fc.nat(0xff), fc.integer({ min: 1, max: 4 })),
      setup: (trial, [n, unacked]) => office(trial, n, { unacked }),
      ...{ moves: ROUTINE, max: 40 },
    },
  ),
  modelProperty(
    {
      ...{ id: "hub-p06", title: "a repeated mid is stored once, as long as it is remembered" },
      ...{ req: "HUB-48 HUB-50 HUB-51", ...NEEDS, runs: 15 },
    },
    {
      config: () => fc.tuple(fc.nat(0xff), fc.constantFrom(2, 64)),
      setup: (trial, [n, unacked]) => office(trial, n, { unacked }),
      ...{
        moves: [send(true), send(true), ack, ack, wait, counts, enter, enter, restart],
        max: 40,
      },
    },
  ),
  modelProperty(
    {
      ...{
        id: "hub-p09",
        title: "quotas hold for a mailbox and for each sender, in number and bytes",
      },
      ...{ req: "HUB-48 HUB-49", ...NEEDS, runs: 15 },
    },
    {
      config: () =>
        fc.record({
          ...{
            messages: fc.integer({ min: 1, max: 5 }),
            perSender: fc.integer({ min: 1, max: 3 }),
          },
          ...{
            bytes: fc.constantFrom(100, 141, 240),
            perSenderBytes: fc.constantFrom(41, 100, 139),
          },
        }),
      setup: (trial, limits) => office(trial, pick([1, 2, 3], limits.messages), limits),
      ...{ moves: [send(true), send(true), send(false), send(false), ack, counts], max: 40 },
    },
  ),
  modelProperty(
    {
      ...{ id: "hub-p10", title: "a failed write changes nothing, and a spent bucket refuses" },
      ...{ req: "HUB-14 HUB-15 HUB-22", ...NEEDS, runs: 15 },
    },
    {
      config: () => fc.tuple(fc.nat(0xff), fc.integer({ min: 1, max: 3 })),
      setup: (trial, [n, rate]) => office(trial, n, { rate }),
      ...{ moves: [send(false), fail, fail, counts, ack, wait, enter], max: 30 },
    },
  ),
  property(
    {
      ...{ id: "hub-p13", title: "mail past its time leaves the window, and the next comes" },
      ...{ req: "HUB-62 HUB-34", ...NEEDS, runs: 10 },
    },
    () =>
      fc.record({
        ...{ n: fc.nat(0xff), unacked: fc.integer({ min: 1, max: 3 }) },
        by: fc.constantFrom("counts", "ack", "send"),
      }),
    async (trial, { n, unacked, by }) => {
      const { hub, boxes } = await office(trial, n, { unacked, ttl: 60 })
      const [ann, ben] = boxes.map(({ link }) => link as string) as [string, string]
      const came: Json[] = []
      let rid = 1
      const ask = async (link: string, frame: string, after: number): Promise<void> => {
        const out = leaving(await trial.ok("hub.frame", framing(hub, link, frame, NOW + after)))
        const list = brief(out.get(ben)) as readonly (readonly Json[])[]
        came.push(...list.filter(([type]) => type === 30).map(([, , mseq]) => mseq as Json))
      }
      const mail = (after: number): Promise<void> => {
        const mid = (++rid).toString(16).padStart(32, "0")
        return ask(ann, frames.send(rid, "ben", mid, "5a"), after)
      }
      for (let i = 0; i < unacked; i++) await mail(0)
      await mail(30)
      const full = Array.from({ length: unacked }, (_, i) => i + 1)
      trial.equal(came, full, "mail in a full window")
      if (by === "send") await mail(61)
      else await ask(ben, by === "ack" ? frames.ack(++rid, [99]) : frames.counts(++rid), 61)
      await ask(ben, frames.counts(++rid), 61) // it may come with the next event (SPEC §11.4)
      const more = by === "send" && unacked > 1 ? [unacked + 2] : []
      trial.equal(came, [...full, unacked + 1, ...more], "mail after the first is past its time")
    },
  ),
]
