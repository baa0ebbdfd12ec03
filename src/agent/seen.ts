// SPEC §12 agent: the ids of contents that were committed, so that none is dispatched twice.

import { toHex } from "../bytes.ts"
import type { Peer } from "../identity.ts"
import { ID_LIFETIME, MAX_IDS, MAX_STRANGER_IDS } from "../limits.ts"
import type { Core } from "./core.ts"
import { decodeRow, encodeRow, orderKey } from "./rows.ts"
import { peerKey } from "./trust.ts"

/** What is remembered of a content. */
export interface SeenRow {
  readonly status: number
  readonly sentMs: number
  /** When it was committed, `kept`. */
  readonly at: number
  /** Whose quota it fills: the key of the peer, or `*` for strangers. */
  readonly group: string
}

const STRANGERS = "*"

function seenKey(peer: Peer, id: Uint8Array): string {
  return `seen/${peerKey(peer)}/${toHex(id)}`
}

/** Sorts by sent-ms within a group; a peer key has no slash. */
function agedKey(row: SeenRow, peer: Peer, id: Uint8Array): string {
  return `aged/${row.group}/${orderKey(row.sentMs)}/${peerKey(peer)}/${toHex(id)}`
}

/** What is remembered of a content of the peer. */
export async function lookUp(core: Core, peer: Peer, id: Uint8Array): Promise<SeenRow | undefined> {
  const bytes = await core.store.read(seenKey(peer, id))
  return bytes && decodeRow<SeenRow>(bytes)
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

/** Remembers a content. */
export function remember(
  core: Core,
  peer: Peer,
  content: { readonly id: Uint8Array; readonly sentMs: number },
  status: number,
): void {
  const row = core.peer(peer)
  const group = row.sentTo ? peerKey(peer) : STRANGERS
  const seen: SeenRow = { status, sentMs: content.sentMs, at: core.stamp, group }
  core.store.write(seenKey(peer, content.id), encodeRow(seen))
  core.store.write(agedKey(seen, peer, content.id), new Uint8Array(0))
  count(core, group, peer, 1)
}

/** Replaces the status of a content that is remembered. */
export async function changeStatus(
  core: Core,
  peer: Peer,
  id: Uint8Array,
  status: number,
): Promise<void> {
  const seen = await lookUp(core, peer, id)
  if (seen) core.store.write(seenKey(peer, id), encodeRow({ ...seen, status }))
}

function count(core: Core, group: string, peer: Peer, change: number): void {
  const { meta } = core.store
  if (group === STRANGERS) core.store.updateMeta({ seen: meta.seen + change })
  else core.updatePeer(peer, { seen: core.peer(peer).seen + change })
}

/** Forgets the smallest sent-ms of a group that is over its limit, and raises the floor. */
export async function evict(core: Core, peer: Peer): Promise<void> {
  const row = core.peer(peer)
  const { seen } = core.store.meta
  if (row.seen > MAX_IDS) await forget(core, peerKey(peer), row.seen - MAX_IDS)
  if (seen > MAX_STRANGER_IDS) await forget(core, STRANGERS, seen - MAX_STRANGER_IDS)
}

/** Forgets ids that are past their time; once a day. */
export async function purgeSeen(core: Core): Promise<void> {
  const groups = new Set<string>([STRANGERS])
  for (const [key, row] of core.store.table("peer")) if (row.seen > 0) groups.add(key)
  for (const group of groups) {
    await forget(core, group, Number.POSITIVE_INFINITY, core.kept - ID_LIFETIME)
  }
}

/** Forgets up to `most` ids of a group, smallest sent-ms first, only those committed before. */
async function forget(core: Core, group: string, most: number, before?: number): Promise<void> {
  let left = most
  for await (const [aged] of core.store.scan(`aged/${group}/`)) {
    if (left-- <= 0) break
    const [sentMs, name, id] = aged.slice(`aged/${group}/`.length).split("/") as [
      string,
      string,
      string,
    ]
    const key = `seen/${name}/${id}`
    const bytes = await core.store.read(key)
    if (bytes && before !== undefined && isYoung(core, key, bytes, before)) continue
    core.store.write(key, null)
    core.store.write(aged, null)
    const floorMs = Number.parseInt(sentMs, 16)
    const at = name.indexOf("#")
    const row = core.store.get("peer", name) ?? { name: name.slice(0, at), ik: new Uint8Array(0) }
    if (bytes) count(core, group, row, -1)
    raise(core, group, name, floorMs)
  }
}

/** Whether an id was committed after `before`; a stamp from the future is brought back to now. */
function isYoung(core: Core, key: string, bytes: Uint8Array, before: number): boolean {
  const seen = decodeRow<SeenRow>(bytes)
  if (seen.at > core.stamp) core.store.write(key, encodeRow({ ...seen, at: core.stamp }))
  return seen.at > before
}

function raise(core: Core, group: string, name: string, floorMs: number): void {
  if (group === STRANGERS && floorMs > core.store.meta.floorMs) core.store.updateMeta({ floorMs })
  // A stranger of then may be a peer by now: its own floor must cover what was forgotten.
  const row = core.store.get("peer", name)
  if (row && floorMs > row.floorMs) core.updatePeer(row, { floorMs })
}

/** From now on contents are sent to the peer: it gets a quota and a floor of its own. */
export function promote(core: Core, peer: Peer): void {
  const row = core.peer(peer)
  if (row.sentTo) return
  core.updatePeer(peer, { sentTo: true, floorMs: floorOf(core, peer) })
}
