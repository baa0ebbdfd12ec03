// SPEC §11 hub: one-time keys. Pure decisions over rows: PUT_ONE_TIME, GET_BUNDLE.

import { acceptOneTimeKey, type Bundle, type OneTimeKey } from "../bundle.ts"
import { decode, encode } from "../encoding.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import {
  MAX_FRESH,
  MAX_HELD_ONE_TIME,
  MAX_ONE_TIME_ACCEPTED,
  REFILL_ONE_TIME,
  RESERVATION_LIFETIME,
} from "../limits.ts"
import { CLOCK_SKEW, isSuite, sha256 } from "../suite.ts"
import { type Decision, type HubSettings, type Push, refuse, reply } from "./decision.ts"
import type { Signed } from "./frames.ts"
import { signReceipt } from "./receipts.ts"
import type { Request } from "./requests.ts"
import {
  type AccountRow,
  type BundleRow,
  keyOf,
  type NameRow,
  type OneTimeRow,
  type Pool,
  type PoolRow,
  type Reader,
  type Reserved,
  type SeenRow,
  type TakenRow,
  type Write,
} from "./rows.ts"

/** The hour of the hourly limits, in seconds. */
export const HOUR = 3_600

const EMPTY = new Uint8Array(0)
const NEW_POOL: PoolRow = [0, [], []]

type PutOneTime = Extract<Request, { type: "putOneTime" }>

/** Rows that PUT_ONE_TIME reads. */
export function putOneTimeNeeds(name: string, { keys }: PutOneTime): readonly string[] {
  const seen = keys.map(([body]) => keyOf.seen(name, sha256(body)))
  return [keyOf.pool(name), ...seen]
}

/** PUT_ONE_TIME: all or nothing; `drop` first deletes what waits and what is reserved. */
export function decidePutOneTime(
  owner: Peer,
  { drop, keys }: PutOneTime,
  rows: Reader,
  now: number,
): Decision {
  const { name } = owner
  const [drops, pools, accepted] = rows.get<PoolRow>(keyOf.pool(name)) ?? NEW_POOL
  const seenKeys = keys.map(([body]) => keyOf.seen(name, sha256(body)))
  const seen = seenKeys.map((key) => rows.get<SeenRow>(key))
  if (rows.missing.length > 0) return reply(null)
  const known = seen.some((row) => row !== null && row[0] + CLOCK_SKEW >= now)
  if (known || new Set(seenKeys).size < keys.length) return refuse("hub/bad-bundle") // HUB-38
  const opened = openOwnKeys(owner, keys, now)
  if (opened === null) return refuse("hub/bad-bundle") // HUB-38
  const writes: Write[] = []
  const kept = pools.map((pool) => prune(name, pool, drop, now, writes)) // HUB-40
  const filled = fill(name, kept, opened, keys, writes)
  if (filled.some(([, , waiting]) => waiting.length > MAX_HELD_ONE_TIME))
    return refuse("hub/too-large")
  const recent = accepted.filter(([time]) => time + HOUR >= now)
  const sum = recent.reduce((total, [, count]) => total + count, keys.length)
  if (sum > MAX_ONE_TIME_ACCEPTED) return refuse("hub/rate-limited", HOUR) // HUB-39
  opened.forEach((key, i) => {
    const seenKey = seenKeys[i] as string
    writes.push([seenKey, [key.notAfter]])
    writes.push([keyOf.due(key.notAfter + CLOCK_SKEW + 1, seenKey), []])
  })
  const times = keys.length === 0 ? recent : [...recent, [now, keys.length] as const]
  writes.push([keyOf.pool(name), [drop ? drops + 1 : drops, filled, times]])
  return { result: keys.length, writes, pushes: [] }
}

/** A pool without the keys that are past their time, or without all of them. */
function prune(name: string, pool: Pool, all: boolean, now: number, writes: Write[]): Pool {
  const [suite, next, waiting] = pool
  const kept = waiting.filter(([number, notAfter]) => {
    const gone = all || notAfter < now
    if (gone) writes.push([keyOf.oneTime(name, suite, number), null])
    return !gone
  })
  return [suite, next, kept]
}

function fill(
  name: string,
  pools: readonly Pool[],
  opened: readonly OneTimeKey[],
  keys: readonly Signed[],
  writes: Write[],
): readonly Pool[] {
  const filled = new Map<number, Pool>(pools.map((pool) => [pool[0], pool]))
  opened.forEach((key, i) => {
    const [suite, next, waiting] = filled.get(key.suite) ?? ([key.suite, 0, []] as Pool)
    filled.set(suite, [suite, next + 1, [...waiting, [next, key.notAfter]]])
    writes.push([keyOf.oneTime(name, suite, next), keys[i] as Signed])
  })
  return [...filled.values()]
}

/** The keys, if each is the owner's and passes the checks of §6 that need no bundle. */
function openOwnKeys(
  owner: Peer,
  keys: readonly Signed[],
  now: number,
): readonly OneTimeKey[] | null {
  try {
    return keys.map((signed) => openOwnKey(owner, signed, now))
  } catch (error) {
    if (error instanceof AgentMeshError) return null
    throw error
  }
}

function openOwnKey(owner: Peer, signed: Signed, now: number): OneTimeKey {
  const body = decode(signed[0])
  const suite = Array.isArray(body) ? body[3] : null
  if (typeof suite !== "number" || !isSuite(suite)) {
    throw new AgentMeshError("bundle/one-time", "no one-time key of a known suite")
  }
  const nobundle = { ...owner, dk: EMPTY, prekeys: [] } as unknown as Bundle
  return acceptOneTimeKey(encode(signed), nobundle, suite, now)
}

type GetBundle = Extract<Request, { type: "getBundle" }>

/** Rows that GET_BUNDLE reads at first; the one-time key is known once the pool is. */
export function getBundleNeeds(requester: Peer, { name }: GetBundle): readonly string[] {
  const fixed = [keyOf.name(name), keyOf.bundle(name), keyOf.account(name), keyOf.pool(name)]
  return [...fixed, keyOf.taken(name, requester.name)]
}

/** GET_BUNDLE: the bundle, perhaps a one-time key that nobody else gets, and a receipt. */
export function decideGetBundle(
  requester: Peer,
  { name, suites }: GetBundle,
  rows: Reader,
  settings: HubSettings,
  now: number,
): Decision {
  const bound = rows.get<NameRow>(keyOf.name(name))
  const bundle = rows.get<BundleRow>(keyOf.bundle(name))
  const offered = rows.get<AccountRow>(keyOf.account(name))?.[5] ?? []
  if (rows.missing.length > 0) return reply(null)
  if (bound === null || bundle === null) return refuse("hub/no-such-agent") // HUB-41
  const suite = suites.find((wanted) => offered.includes(wanted)) // HUB-42
  const take =
    suite === undefined || requester.name === name
      ? NO_KEY
      : takeOneTime(requester.name, name, suite, rows, now)
  if (rows.missing.length > 0) return reply(null)
  const [body, sig, seq, ref] = bundle
  const about = { name, ik: bound[0], bundleRef: ref, seq, time: now }
  const receipt = signReceipt(settings.key, about) // HUB-46
  return { result: [[body, sig], take.key, receipt], writes: take.writes, pushes: take.pushes }
}

interface Take {
  readonly key: Signed | null
  readonly writes: readonly Write[]
  readonly pushes: readonly Push[]
}

const NO_KEY: Take = { key: null, writes: [], pushes: [] }

/** The reserved key again, or a fresh one, or none. */
function takeOneTime(
  requester: string,
  name: string,
  suite: number,
  rows: Reader,
  now: number,
): Take {
  const takenKey = keyOf.taken(name, requester)
  const [times, reservations] = rows.get<TakenRow>(takenKey) ?? [[], []]
  const [drops, pools, accepted] = rows.get<PoolRow>(keyOf.pool(name)) ?? NEW_POOL
  const live = reservations.filter((of) => of[1] + RESERVATION_LIFETIME >= now && of[2] === drops)
  const reserved = live.find(([of]) => of === suite)
  if (reserved) return { key: [reserved[3], reserved[4]], writes: [], pushes: [] } // HUB-43
  const fresh = times.filter((time) => time + HOUR >= now)
  if (fresh.length >= MAX_FRESH) return NO_KEY // HUB-44
  const writes: Write[] = []
  const pruned = pools.map((pool) => prune(name, pool, false, now, writes))
  const pool = pruned.find(([of]) => of === suite)
  const first = pool?.[2][0]
  if (pool === undefined || first === undefined) return NO_KEY
  const keyAt = keyOf.oneTime(name, suite, first[0])
  const row = rows.get<OneTimeRow>(keyAt)
  if (row === null) return NO_KEY
  const rest = pool[2].slice(1)
  const left: Pool = [suite, pool[1], rest]
  const entry: Reserved = [suite, now, drops, row[0], row[1]]
  writes.push(
    [keyAt, null], // HUB-45
    [keyOf.pool(name), [drops, pruned.map((of) => (of === pool ? left : of)), accepted]],
    [
      takenKey,
      [
        [...fresh, now],
        [...live, entry],
      ],
    ],
    [keyOf.due(now + RESERVATION_LIFETIME + 1, takenKey), []],
    [keyOf.due(now + HOUR + 1, takenKey), []],
  )
  const low = rest.length <= REFILL_ONE_TIME
  const pushes: readonly Push[] = low ? [{ type: "low", to: name, suite, left: rest.length }] : []
  return { key: row, writes, pushes }
}

/** What is left of a row of keys handed out; null if nothing. */
export function ageTaken([times, reservations]: TakenRow, now: number): TakenRow | null {
  const fresh = times.filter((time) => time + HOUR >= now)
  const live = reservations.filter(([, time]) => time + RESERVATION_LIFETIME >= now)
  return fresh.length === 0 && live.length === 0 ? null : [fresh, live]
}
