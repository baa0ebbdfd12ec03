// SPEC §11 hub: the directory. Pure decisions over rows: names and bundles.

import { acceptBundle, type Bundle } from "../bundle.ts"
import { equalBytes } from "../bytes.ts"
import { decode, encode, type Value } from "../encoding.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { isSuite } from "../suite.ts"
import { type Decision, type HubSettings, refuse, reply } from "./decision.ts"
import type { Counts, Signed } from "./frames.ts"
import {
  type AccountRow,
  type BundleRow,
  type KeyRow,
  keyOf,
  type NameRow,
  type NamesRow,
  NEW_ACCOUNT,
  type PoolRow,
  type Reader,
  type Write,
} from "./rows.ts"

/** Rows that COUNTS reads. */
export function countsNeeds(name: string): readonly string[] {
  return [keyOf.account(name), keyOf.pool(name)]
}

/** Counts for READY and COUNTS. */
export function countsOf(name: string, rows: Reader, now: number): Counts {
  const account = rows.get<AccountRow>(keyOf.account(name)) ?? NEW_ACCOUNT
  const pools = rows.get<PoolRow>(keyOf.pool(name))?.[1] ?? []
  const oneTime = new Map<number, number>()
  for (const suite of account[5]) {
    if (!isSuite(suite)) continue
    const waiting = pools.find(([of]) => of === suite)?.[2] ?? []
    oneTime.set(suite, waiting.filter(([, notAfter]) => notAfter >= now).length)
  }
  return { mail: account[1], oneTime, bundleSeq: account[4] }
}

/** Rows that binding a name reads. */
export function bindNeeds({ name, ik }: Peer): readonly string[] {
  return [keyOf.name(name), keyOf.ik(ik), keyOf.names, ...countsNeeds(name)]
}

/** Binds a name to an identity key for ever, or finds it bound so. */
export function decideBind(peer: Peer, rows: Reader, settings: HubSettings, now: number): Decision {
  const { name, ik } = peer
  const bound = rows.get<NameRow>(keyOf.name(name))
  const other = rows.get<KeyRow>(keyOf.ik(ik))
  const [names] = rows.get<NamesRow>(keyOf.names) ?? [0]
  if (bound !== null && !equalBytes(bound[0], ik)) return refuse("hub/name-taken") // HUB-29
  if (other !== null && other[0] !== name) return refuse("hub/auth-failed") // HUB-30
  if (bound === null && names >= settings.maxNames) return refuse("hub/rate-limited") // HUB-31
  const result = countsOf(name, rows, now)
  if (bound !== null) return reply(result)
  const writes: Write[] = [
    [keyOf.name(name), [ik]], // HUB-32
    [keyOf.ik(ik), [name]],
    [keyOf.names, [names + 1]],
    [keyOf.account(name), NEW_ACCOUNT],
  ]
  return { result, writes, pushes: [] }
}

/** Rows that PUT_BUNDLE reads. */
export function putBundleNeeds(name: string): readonly string[] {
  return [keyOf.account(name), keyOf.bundle(name)]
}

/** PUT_BUNDLE: own, valid, and with a higher seq than before; the very same again is no error. */
export function decidePutBundle(owner: Peer, signed: Signed, rows: Reader, now: number): Decision {
  const { name } = owner
  const account = rows.get<AccountRow>(keyOf.account(name)) ?? NEW_ACCOUNT
  const stored = rows.get<BundleRow>(keyOf.bundle(name))
  if (rows.missing.length > 0) return reply(null)
  let bundle: Bundle
  try {
    bundle = acceptBundle(encode(signed), { now })
  } catch (error) {
    if (error instanceof AgentMeshError) return refuse("hub/bad-bundle") // HUB-36
    throw error
  }
  const own = bundle.name === name && equalBytes(bundle.ik, owner.ik)
  if (!own) return refuse("hub/bad-bundle") // HUB-36
  const { seq, ref } = bundle
  if (stored !== null && equalBytes(stored[3], ref)) return reply(null)
  if (stored !== null && seq <= stored[2]) return refuse("hub/bundle-stale") // HUB-37
  const [next, mail, bytes, oldest] = account
  const suites = offeredBy(signed[0])
  return {
    result: null,
    writes: [
      [keyOf.bundle(name), [...signed, seq, ref]],
      [keyOf.listed(name), []],
      [keyOf.account(name), [next, mail, bytes, oldest, seq, suites]],
    ],
    pushes: [],
  }
}

/** The suites of all prekeys of a valid bundle, also of those that this version does not read. */
function offeredBy(body: Uint8Array): readonly number[] {
  const prekeys = (decode(body) as readonly Value[])[8] as readonly (readonly [number])[]
  return prekeys.map(([suite]) => suite)
}
