// SPEC §12 agent: the contents for one name, by what decides about them. An index, not a store.

import { toHex } from "../bytes.ts"
import { resealAt, type Window } from "./delivery.ts"
import type { ContentRow } from "./rows.ts"

/** Contents without a receipt for one name. */
export class Outbox {
  /** Never sealed, in the order of `send`. */
  readonly queued: Map<string, ContentRow> = new Map()
  /** By the session of the latest copy, in the order of sealing. */
  readonly #sealed = new Map<string, Map<string, ContentRow>>()
  /** By the envelope of the latest copy. */
  readonly #envelopes = new Map<string, Map<string, ContentRow>>()
  /** Sealed ones by their place. */
  readonly #places = new Map<number, ContentRow>()

  /** Adds a content, or replaces what was known of it. */
  add(row: ContentRow): void {
    const id = toHex(row.id)
    const before = this.find(row.id)
    if (before?.mid) this.#unplace(id, before)
    if (row.mid === null || row.sid === null) {
      this.queued.set(id, row)
      return
    }
    this.queued.delete(id)
    group(this.#sealed, toHex(row.sid)).set(id, row)
    group(this.#envelopes, toHex(row.mid)).set(id, row)
    this.#places.set(row.place, row)
  }

  /** Removes a content. */
  remove(row: ContentRow): void {
    const id = toHex(row.id)
    const before = this.find(row.id)
    this.queued.delete(id)
    if (before?.mid) {
      this.#unplace(id, before)
      this.#places.delete(before.place)
    }
  }

  #unplace(id: string, row: ContentRow): void {
    ungroup(this.#sealed, toHex(row.sid as Uint8Array), id)
    ungroup(this.#envelopes, toHex(row.mid as Uint8Array), id)
  }

  /** The content with this id. */
  find(id: Uint8Array): ContentRow | undefined {
    const key = toHex(id)
    const queued = this.queued.get(key)
    if (queued) return queued
    for (const rows of this.#sealed.values()) {
      const row = rows.get(key)
      if (row) return row
    }
    return undefined
  }

  /** Contents whose latest copy is in this envelope. */
  inEnvelope(mid: Uint8Array): readonly ContentRow[] {
    return [...(this.#envelopes.get(toHex(mid))?.values() ?? [])]
  }

  /** Contents to seal again on the session `sid`, in their old order. */
  toReseal(sid: Uint8Array, nowMs: number): readonly ContentRow[] {
    const out: ContentRow[] = []
    for (const [other, rows] of this.#sealed) {
      if (other === toHex(sid)) continue
      for (const row of rows.values()) if (resealAt(row, sid, nowMs) <= nowMs) out.push(row)
    }
    return out.sort((a, b) => a.order - b.order)
  }

  /** When the first content may be sealed again on the session `sid`; infinity if none. */
  resealAt(sid: Uint8Array, nowMs: number): number {
    let at = Number.POSITIVE_INFINITY
    for (const [other, rows] of this.#sealed) {
      if (other === toHex(sid)) continue
      for (const row of rows.values()) at = Math.min(at, resealAt(row, sid, nowMs))
    }
    return at
  }

  /** When the oldest content with an OK got it; infinity if none has. */
  get takenAt(): number {
    let at = Number.POSITIVE_INFINITY
    for (const rows of this.#sealed.values()) {
      // Within a session contents get their OK in the order of sealing: the first one decides.
      for (const row of rows.values()) {
        if (row.okAtMs === 0) continue
        at = Math.min(at, row.okAtMs)
        break
      }
    }
    return at
  }

  /** Whether the hub has said OK to a copy of a content that is still without a receipt. */
  get pending(): boolean {
    for (const row of this.#places.values()) {
      if (row.okAtMs > 0 || row.sealedOn.length > 1) return true
    }
    return false
  }

  /** The window of what is open, for {@link hasRoom}. */
  window(next: number): Window {
    const [oldest = next] = this.#places.keys()
    return { envelopes: this.#envelopes.size, oldest, next }
  }

  /** The oldest contents by `send`: one of them is the first to be given up. */
  get oldest(): readonly ContentRow[] {
    const [queued] = this.queued.values()
    const [sealed] = this.#places.values()
    return [queued, sealed].filter((row) => row !== undefined)
  }

  /** All contents. */
  get rows(): readonly ContentRow[] {
    return [...this.queued.values(), ...this.#places.values()]
  }

  /** Whether nothing is left. */
  get empty(): boolean {
    return this.queued.size === 0 && this.#places.size === 0
  }
}

function group<K, V>(groups: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let members = groups.get(key)
  if (members === undefined) {
    members = new Map()
    groups.set(key, members)
  }
  return members
}

function ungroup<K, V>(groups: Map<string, Map<K, V>>, key: string, member: K): void {
  const members = groups.get(key)
  members?.delete(member)
  if (members?.size === 0) groups.delete(key)
}
