// SPEC §12 agent: each content of an opened envelope is judged alone. Nothing is staged here.

import { toHex } from "../bytes.ts"
import {
  CONTENT_KINDS,
  type Content,
  decodeContent,
  RECEIPT_STATUSES,
  readRefusedId,
} from "../envelope.ts"
import type { ErrorCode } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { MAX_AHEAD } from "../limits.ts"
import type { Core } from "./core.ts"
import { readPayload } from "./message.ts"
import { floorOf, isOver, lookUp } from "./seen.ts"
import { allows } from "./trust.ts"

const { delivered, failed } = RECEIPT_STATUSES

/** A verdict on one content. */
export interface Judged {
  /** The content if it is to be acted on; null if it is refused or known. */
  readonly content: Content | null
  readonly bytes: Uint8Array
  /** The receipt that it gets. */
  readonly due: { readonly id: Uint8Array; readonly status: number } | null
  readonly refused?: ErrorCode
}

/** Room in the inbox for contents of strangers. */
export interface Room {
  readonly contents: number
  readonly bytes: number
}

/**
 * Judges the contents of an envelope, each alone, in order.
 *
 * @param room - What strangers may add to the inbox (AGENT-45).
 */
export async function judge(
  core: Core,
  peer: Peer,
  contents: readonly Uint8Array[],
  room: Room,
): Promise<readonly Judged[]> {
  const judged: Judged[] = []
  const ids = new Set<string>()
  const told = new Set<string>()
  let left = room.bytes
  for (const bytes of contents) {
    const fits = ids.size < room.contents && bytes.length <= left
    const one = await judgeOne(core, peer, bytes, ids, fits)
    if (one.content?.kind === CONTENT_KINDS.application) {
      ids.add(toHex(one.content.id))
      left -= bytes.length
    }
    const receipt = one.due && `${toHex(one.due.id)} ${one.due.status}`
    const again = receipt !== null && told.has(receipt) // once for each envelope (AGENT-29)
    if (receipt !== null) told.add(receipt)
    judged.push({ ...one, due: again ? null : one.due, bytes })
  }
  return judged
}

/** One content, judged alone (SPEC §9.4, §12.4). */
async function judgeOne(
  core: Core,
  peer: Peer,
  bytes: Uint8Array,
  ids: ReadonlySet<string>,
  room: boolean,
): Promise<Omit<Judged, "bytes">> {
  let content: Content
  try {
    content = decodeContent(bytes)
  } catch {
    const id = readRefusedId(bytes)
    const known = id && (await lookUp(core, peer, id))
    const status = known && !isOver(core, known) ? known.status : failed
    return { content: null, due: id && { id, status }, refused: "envelope/content" }
  }
  if (content.kind !== CONTENT_KINDS.application) return { content, due: null }
  const { id, sentMs } = content
  const seen = await lookUp(core, peer, id)
  const over = seen !== undefined && isOver(core, seen)
  if (seen && !over) return { content: null, due: { id, status: seen.status } }
  if (ids.has(toHex(id))) return { content: null, due: { id, status: delivered } }
  // What is refused is not remembered: a copy is judged anew.
  const refuse = (refused: ErrorCode) => ({ content: null, due: { id, status: failed }, refused })
  const floor = Math.max(floorOf(core, peer), over ? seen.sentMs : 0) // as if dropped (AGENT-55)
  if (sentMs <= floor || sentMs > core.nowMs + MAX_AHEAD * 1000) return refuse("envelope/content")
  const { accept = "first-use", maxAge } = core.policy
  if (!allows(accept, core.view(peer), core.hub)) return refuse("identity/untrusted")
  const old = maxAge !== undefined && sentMs < core.nowMs - maxAge * 1000
  if (old) return refuse("identity/untrusted")
  try {
    readPayload(content)
  } catch {
    return refuse("agent/payload")
  }
  const full = !core.peer(peer).sentTo && !room
  if (full) return refuse("envelope/content")
  return { content, due: { id, status: delivered } }
}
