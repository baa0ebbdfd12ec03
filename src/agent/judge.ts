// SPEC §12 agent: each content of an opened envelope is judged alone. Nothing is staged here.

import { fromHex, toHex } from "../bytes.ts"
import type { Payload } from "../encoding.ts"
import {
  CONTENT_KINDS,
  type Content,
  decodeContent,
  RECEIPT_STATUSES,
  type Receipt,
  readRefusedId,
} from "../envelope.ts"
import type { ErrorCode } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { MAX_AHEAD } from "../limits.ts"
import type { Core } from "./core.ts"
import { readPayload } from "./message.ts"
import { floorOf, isOver, lookUp, type SeenRow } from "./seen.ts"
import { allows } from "./trust.ts"

const { delivered, failed } = RECEIPT_STATUSES

/** A verdict on one content. */
export interface Judged {
  /** The content if it is to be acted on; null if it is refused or known. */
  readonly content: Content | null
  /** Id of the content in hex, and its payload if it is of the application. */
  readonly id: string
  readonly payload: Payload | null
  readonly bytes: Uint8Array
  /** The receipt that it gets. */
  readonly due: Receipt | null
  readonly refused?: ErrorCode
}

/** Room in the inbox for contents of strangers. */
export interface Room {
  readonly contents: number
  readonly bytes: number
}

/** A content as far as it can be read, with its id in hex; "" if it needs none. */
interface Read {
  readonly bytes: Uint8Array
  readonly content: Content | null
  readonly id: string
}

function read(bytes: Uint8Array): Read {
  try {
    const content = decodeContent(bytes)
    const id = content.kind === CONTENT_KINDS.application ? toHex(content.id) : ""
    return { bytes, content, id }
  } catch {
    const id = readRefusedId(bytes)
    return { bytes, content: null, id: id === null ? "" : toHex(id) }
  }
}

/**
 * Judges the contents of an envelope, each alone, in order (SPEC §9.4, §12.4).
 *
 * @param room - What strangers may add to the inbox (AGENT-45).
 */
export async function judge(
  core: Core,
  peer: Peer,
  contents: readonly Uint8Array[],
  room: Room,
): Promise<readonly Judged[]> {
  const all = contents.map(read)
  const ids = all.map(({ id }) => id).filter((id) => id !== "")
  const seen = new Map<string, SeenRow>()
  for (const [i, row] of (await lookUp(core, peer, ids)).entries()) {
    if (row) seen.set(ids[i] as string, row)
  }
  const court = new Court(core, peer, seen)
  const told = new Set<string>()
  let left = room.bytes
  return all.map((one) => {
    const fits = court.accepted.size < room.contents && one.bytes.length <= left
    const judged = court.judge(one, fits)
    if (judged.payload !== null) left -= one.bytes.length
    if (judged.due === null) return judged
    const receipt = `${one.id} ${judged.due.status}`
    if (told.has(receipt)) return { ...judged, due: null } // once for each envelope (AGENT-29)
    told.add(receipt)
    return judged
  })
}

/** What decides about the contents of one envelope. */
class Court {
  readonly #core: Core
  readonly #seen: ReadonlyMap<string, SeenRow>
  readonly #floor: number
  readonly #friend: boolean
  readonly #trusted: () => boolean
  readonly #notBefore: number
  readonly #notAfter: number
  /** Ids that were accepted so far. */
  readonly accepted: Set<string> = new Set()

  constructor(core: Core, peer: Peer, seen: ReadonlyMap<string, SeenRow>) {
    const { accept = "first-use", maxAge = Number.POSITIVE_INFINITY } = core.policy
    const view = core.view(peer)
    this.#core = core
    this.#seen = seen
    this.#floor = floorOf(core, peer)
    this.#friend = core.peer(peer).sentTo
    this.#trusted = () => allows(accept, view, core.hub)
    this.#notBefore = core.nowMs - maxAge * 1000
    this.#notAfter = core.nowMs + MAX_AHEAD * 1000
  }

  judge({ bytes, content, id }: Read, room: boolean): Judged {
    const nothing = { content: null, id, payload: null, bytes }
    const seen = this.#seen.get(id)
    const known = seen !== undefined && !isOver(this.#core, seen)
    const here = this.accepted.has(id)
    if (content === null) {
      const status = known ? seen.status : here ? delivered : failed
      const due = id === "" ? null : { id: fromHex(id), status }
      return { ...nothing, due, refused: "envelope/content" }
    }
    if (content.kind !== CONTENT_KINDS.application) return { ...nothing, content, due: null }
    if (known) return { ...nothing, due: { id: content.id, status: seen.status } }
    if (here) return { ...nothing, due: { id: content.id, status: delivered } }
    // What is refused is not remembered: a copy is judged anew.
    const refuse = (refused: ErrorCode): Judged => {
      return { ...nothing, due: { id: content.id, status: failed }, refused }
    }
    const floor = Math.max(this.#floor, seen?.sentMs ?? 0) // as if dropped (AGENT-55)
    const { sentMs } = content
    if (sentMs <= floor || sentMs > this.#notAfter) return refuse("envelope/content")
    if (!this.#trusted() || sentMs < this.#notBefore) return refuse("identity/untrusted")
    let payload: Payload
    try {
      payload = readPayload(content)
    } catch {
      return refuse("agent/payload")
    }
    if (!this.#friend && !room) return refuse("envelope/content")
    this.accepted.add(id)
    return { content, id, payload, bytes, due: { id: content.id, status: delivered } }
  }
}
