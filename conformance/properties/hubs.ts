// Frames by hand, and agents at a hub of the driver.

import { type Item, readItem } from "../cbor.ts"
import type { Json, JsonObject } from "../driver.ts"
import { hex, unhex } from "../values.ts"
import { array, bstr, tstr, uint } from "../vectorgen/raw.ts"
import { seedOf } from "./gen.ts"
import { type Person, person } from "./people.ts"
import type { Performer, Trial } from "./trial.ts"

/** A decoded item: bytes are hex, integers numbers; a list keeps the hex of its items, too. */
export type Decoded = null | number | string | readonly Decoded[]

function decoded(bytes: Uint8Array, item: Item): Decoded {
  if (item.major === 0) return Number(item.argument)
  if (item.major === 2) return hex(bytes.subarray(item.body, item.end))
  if (item.major === 3) return new TextDecoder().decode(bytes.subarray(item.body, item.end))
  return item.major === 4 ? item.items.map((part) => decoded(bytes, part)) : null
}

/** A frame as a list. */
export function readFrame(frame: string): readonly Decoded[] {
  const bytes = unhex(frame)
  return decoded(bytes, readItem(bytes)) as readonly Decoded[]
}

/** Hex of a part of a frame. */
export function partOf(frame: string, path: readonly number[]): string {
  const bytes = unhex(frame)
  let item = readItem(bytes)
  for (const index of path) item = item.items[index] as Item
  return hex(bytes.subarray(item.start, item.end))
}

/** HELLO of version 1. */
export function hello(n: number): string {
  return array(uint(1), uint(0), array(uint(1)), bstr(seedOf(0xc0_0000 + n)))
}

/** Frames of requests; each takes its rid first. */
export const frames = {
  putBundle: (rid: number, bundle: string): string => array(uint(10), uint(rid), bundle),
  putOneTime: (rid: number, drop: 0 | 1, keys: readonly string[]): string =>
    array(uint(11), uint(rid), uint(drop), array(...keys)),
  getBundle: (rid: number, name: string, suites: readonly number[]): string =>
    array(uint(12), uint(rid), tstr(name), array(...suites.map((suite) => uint(suite)))),
  send: (rid: number, to: string, mid: string, envelope: string): string =>
    array(uint(13), uint(rid), tstr(to), bstr(mid), bstr(envelope)),
  ack: (rid: number, mseqs: readonly number[]): string =>
    array(uint(14), uint(rid), array(...mseqs.map((mseq) => uint(mseq)))),
  list: (rid: number, after: string): string => array(uint(15), uint(rid), tstr(after)),
  ping: (rid: number): string => array(uint(16), uint(rid)),
  counts: (rid: number): string => array(uint(17), uint(rid)),
} as const

/** A hub of the driver. */
export interface Hub {
  readonly handle: string
  readonly hubIk: string
}

/** Limits under which nothing is refused for its number. */
export const WIDE: JsonObject = { "requests-per-s": 1_000, unacked: 64 }

/** Creates a hub. */
export async function hubOf(by: Performer, n: number, limits: JsonObject = WIDE): Promise<Hub> {
  const made = await by.ok("hub.new", {
    seed: seedOf(0x4b00_0000 + n),
    limits: { ...WIDE, ...limits },
  })
  return { handle: made["handle"] as string, hubIk: made["hubIk"] as string }
}

/** Arguments of `hub.frame`. */
export function framing(hub: Hub, link: string, frame: string, now: number): JsonObject {
  return { hub: hub.handle, link, frame, now }
}

/** What left the hub: frames by link, in order. */
export function leaving(reply: JsonObject): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>()
  for (const [link, frame] of reply["frames"] as unknown as readonly [string, string][]) {
    out.set(link, [...(out.get(link) ?? []), frame])
  }
  return out
}

/** Agents that a property puts at a hub. */
export async function guests(by: Performer, names: readonly string[]): Promise<readonly Person[]> {
  return Promise.all(names.map((name, i) => person(by, name, seedOf(0x77_0000 + i))))
}

/** HELLO and AUTH of a guest on a new link; `expect` is a code where AUTH has to be refused. */
export async function login(
  trial: Trial,
  hub: Hub,
  who: Person,
  link: string,
  now: number,
  expect: string = "ok",
): Promise<ReadonlyMap<string, readonly string[]>> {
  const first = hello(link.length)
  const answer = leaving(await trial.ok("hub.frame", framing(hub, link, first, now)))
  const welcome = answer.get(link)?.[0]
  if (welcome === undefined) throw new Error("no welcome")
  const { frame } = await trial.oracle.ok("hub.auth", {
    ...{ identity: who.identity, hello: first, welcome, pinned: hub.hubIk },
  })
  const args = framing(hub, link, frame as string, now)
  if (expect !== "ok") {
    await trial.reject("hub.frame", args, expect)
    return new Map()
  }
  return leaving(await trial.ok("hub.frame", args))
}

/** The first items of frames of one link, for comparison. */
export function brief(list: readonly string[] | undefined): Json {
  return (list ?? []).map((frame) => {
    const [type, ...rest] = readFrame(frame)
    return type === 4 ? [4] : ([type, ...rest] as Json)
  })
}
