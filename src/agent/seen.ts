// SPEC §12 agent: the ids of contents that were committed, so that none is dispatched twice.

import { toHex } from "../bytes.ts"
import { RECEIPT_STATUSES, type Receipt } from "../envelope.ts"
import { require } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { ID_LIFETIME, MAX_IDS, MAX_STRANGER_IDS } from "../limits.ts"
import type { Core } from "./core.ts"
import { orderKey } from "./rows.ts"

/** What is remembered of a content. */
export interface SeenRow {
  readonly status: number
  readonly sentMs: number
  /** When it was committed, `kept`. */
  readonly at: number
  /** Whether it fills the quota of all strangers, or that of the peer. */
  readonly stranger: boolean
}

const STRANGERS = "*"
const SIZE = 18
const NOTHING = new Uint8Array(0)
const NOBODY: Peer = { name: "", ik: NOTHING }

/** Where a row is written before it is copied: small arrays without a view are cheaper to keep. */
const SCRATCH = new Uint8Array(SIZE)
const SCRATCH_VIEW = new DataView(SCRATCH.buffer)

function encodeSeen(row: SeenRow): Uint8Array {
  SCRATCH[0] = row.status
  SCRATCH[1] = row.stranger ? 1 : 0
  SCRATCH_VIEW.setFloat64(2, row.sentMs)
  SCRATCH_VIEW.setFloat64(10, row.at)
  return SCRATCH.slice()
}

function decodeSeen(bytes: Uint8Array): SeenRow {
  require(bytes.length === SIZE, "agent/store-corrupt", "what is remembered of a content is not")
  SCRATCH.set(bytes)
  const [status = 0, stranger = 0] = bytes
  const [sentMs, at] = [SCRATCH_VIEW.getFloat64(2), SCRATCH_VIEW.getFloat64(10)]
  return { status, stranger: stranger === 1, sentMs, at }
}

/** The key of a remembered id, in hex, of the peer with a number. */
function seenKey(number: number | string, id: string): string {
  return `${number}/${id}`
}

/** Sorts by sent-ms within a group, which is that of all strangers or the number of a peer. */
function agedKey(group: string, sentMs: number, number: number, id: string): string {
  return `${group}/${orderKey(sentMs)}/${number}/${id}`
}

/** What is remembered of contents of the peer, in the order of the ids, which are in hex. */
export async function lookUp(
  core: Core,
  peer: Peer,
  ids: readonly string[],
): Promise<readonly (SeenRow | undefined)[]> {
  const { number } = core.peer(peer)
  const rows = await core.store.shelf("seen").readAll(ids.map((id) => seenKey(number, id)))
  return rows.map((bytes) => bytes && decodeSeen(bytes))
}

/** Whether an id is past its time, and only not forgotten yet (AGENT-55). */
export function isOver(core: Core, seen: SeenRow): boolean {
  return core.kept - seen.at >= ID_LIFETIME
}

/** Ids with a smaller or equal sent-ms may have been forgotten. */
export function floorOf(core: Core, peer: Peer): number {
  const row = core.peer(peer)
  return row.sentTo ? row.floorMs : Math.max(row.floorMs, core.store.meta.floorMs)
}

/** Remembers contents of a peer as delivered. */
export function remember(
  core: Core,
  peer: Peer,
  contents: readonly { readonly id: string; readonly sentMs: number }[],
): void {
  const stranger = !core.peer(peer).sentTo
  count(core, stranger, peer, contents.length)
  const { number } = core.peer(peer)
  const group = stranger ? STRANGERS : `${number}`
  const [seen, aged] = [core.store.shelf("seen"), core.store.shelf("aged")]
  for (const { id, sentMs } of contents) {
    const row = { status: RECEIPT_STATUSES.delivered, sentMs, at: core.stamp, stranger }
    seen.write(seenKey(number, id), encodeSeen(row))
    aged.write(agedKey(group, sentMs, number, id), NOTHING)
  }
}

/** Replaces the statuses of contents that are remembered. */
export async function changeStatuses(
  core: Core,
  peer: Peer,
  changes: readonly Receipt[],
): Promise<void> {
  const { number } = core.peer(peer)
  const ids = changes.map(({ id }) => toHex(id))
  const rows = await lookUp(core, peer, ids)
  for (const [i, { status }] of changes.entries()) {
    const key = seenKey(number, ids[i] as string)
    const seen = rows[i]
    if (seen) core.store.shelf("seen").write(key, encodeSeen({ ...seen, status }))
  }
}

function count(core: Core, stranger: boolean, peer: Peer, change: number): void {
  const { seen } = stranger ? core.store.meta : core.peer(peer)
  if (stranger) core.store.updateMeta({ seen: seen + change })
  else core.updatePeer(peer, { seen: seen + change })
}

/** Forgets the smallest sent-ms of a group that is over its limit, and raises the floor. */
export async function evict(core: Core, peer: Peer): Promise<void> {
  const row = core.peer(peer)
  const { seen } = core.store.meta
  if (row.seen > MAX_IDS) await forget(core, `${row.number}`, row.seen - MAX_IDS)
  if (seen > MAX_STRANGER_IDS) await forget(core, STRANGERS, seen - MAX_STRANGER_IDS)
}

/** Forgets ids that are past their time; once a day. */
export async function purgeSeen(core: Core): Promise<void> {
  const groups = new Set<string>([STRANGERS])
  for (const row of core.store.table("peer").values()) if (row.seen > 0) groups.add(`${row.number}`)
  for (const group of groups) {
    await forget(core, group, Number.POSITIVE_INFINITY, core.kept - ID_LIFETIME)
  }
}

/** Forgets up to `most` ids of a group, smallest sent-ms first, only those committed before. */
async function forget(core: Core, group: string, most: number, before?: number): Promise<void> {
  const prefix = `${group}/`
  const [seen, aged] = [core.store.shelf("seen"), core.store.shelf("aged")]
  /** The largest sent-ms that was forgotten, by the number of its peer. */
  const floors = new Map<string, number>()
  let forgotten = 0
  for await (const [key] of aged.scan(prefix)) {
    if (forgotten >= most) break
    if (aged.isErased(key)) continue // by an envelope of the same commit
    const [sentMs = "", number = "", id = ""] = key.slice(prefix.length).split("/")
    const row = seenKey(number, id)
    if (before !== undefined && (await isYoung(core, row, before))) continue
    seen.write(row, null)
    aged.write(key, null)
    floors.set(number, Number.parseInt(sentMs, 16))
    forgotten++
  }
  if (forgotten === 0) return
  const own = core.store.get("peer", core.numbered(group) ?? "")
  if (group === STRANGERS) count(core, true, NOBODY, -forgotten)
  else if (own) count(core, false, own, -forgotten)
  for (const [number, floorMs] of floors) raise(core, group, number, floorMs)
}

/** Whether an id was committed after `before`; a stamp from the future is brought back to now. */
async function isYoung(core: Core, key: string, before: number): Promise<boolean> {
  const bytes = await core.store.read("seen", key)
  if (bytes === undefined) return false
  const row = decodeSeen(bytes)
  if (row.at > core.stamp) {
    core.store.shelf("seen").write(key, encodeSeen({ ...row, at: core.stamp }))
  }
  return row.at > before
}

function raise(core: Core, group: string, number: string, floorMs: number): void {
  // A stranger of then may be a peer by now, which took its ids with it: its own floor must cover
  // what was forgotten, and that of strangers is not touched (AGENT-57).
  const row = core.store.get("peer", core.numbered(number) ?? "")
  const stranger = group === STRANGERS && !row?.sentTo
  if (stranger && floorMs > core.store.meta.floorMs) core.store.updateMeta({ floorMs })
  if (row && floorMs > row.floorMs) core.updatePeer(row, { floorMs })
}

/** From now on contents are sent to the peer: it gets a quota and a floor of its own. */
export function promote(core: Core, peer: Peer): void {
  const row = core.peer(peer)
  if (row.sentTo) return
  core.updatePeer(peer, { sentTo: true, floorMs: floorOf(core, peer) })
}
