// SPEC §12 agent: the contents for one name, by what decides about them. An index, not a store.

import { resealAt, type Window } from "./delivery.ts"
import type { ContentRow, CopyRow } from "./rows.ts"

/** An envelope, and the contents whose latest copy is in it. */
interface Envelope {
  copy: CopyRow
  readonly contents: Map<string, ContentRow>
}

/** Contents without a receipt for one name. */
export class Outbox {
  /** Never sealed, in the order of `send`. */
  readonly queued: Map<string, ContentRow> = new Map()
  /** How many of them are bound to no key yet. */
  #unbound = 0
  /** By guard, in the order of sealing. */
  readonly #envelopes = new Map<string, Envelope>()
  /** Sealed ones by their place. */
  readonly #places = new Map<number, ContentRow>()

  /** Takes note of an envelope, before its contents are added; or of the hub's OK to it. */
  note(mid: string, copy: CopyRow): void {
    const envelope = this.#envelopes.get(mid)
    if (envelope) envelope.copy = copy
    else this.#envelopes.set(mid, { copy, contents: new Map() })
  }

  /**
   * Adds a content, or replaces what was known of it.
   *
   * @returns The guard of the envelope that thereby has no content left; or null.
   */
  add(row: ContentRow): string | null {
    if (row.mid === null) {
      if (this.queued.get(row.id)?.ik === null) this.#unbound--
      if (row.ik === null) this.#unbound++
      this.queued.set(row.id, row)
      return null
    }
    const left = this.#leave(row, row.mid)
    this.#envelopes.get(row.mid)?.contents.set(row.id, row)
    this.#places.set(row.place, row)
    return left
  }

  /**
   * Removes a content.
   *
   * @returns The guard of the envelope that thereby has no content left; or null.
   */
  remove(row: ContentRow): string | null {
    const left = this.#leave(row, null)
    this.#places.delete(row.place)
    return left
  }

  /** Takes a content out of the queue, or out of the envelope it was in. */
  #leave(row: ContentRow, stays: string | null): string | null {
    const queued = this.queued.get(row.id)
    if (queued) {
      if (queued.ik === null) this.#unbound--
      this.queued.delete(row.id)
      return null
    }
    const mid = this.#places.get(row.place)?.mid ?? null
    const contents = mid === null || mid === stays ? null : this.#envelopes.get(mid)?.contents
    if (!contents?.delete(row.id) || contents.size > 0) return null
    this.#envelopes.delete(mid as string)
    return mid
  }

  /** Contents whose latest copy is in this envelope. */
  inEnvelope(mid: string): readonly ContentRow[] {
    return [...(this.#envelopes.get(mid)?.contents.values() ?? [])]
  }

  /** Contents to seal again on the session `sid`, in their old order. */
  toReseal(sid: string, nowMs: number): readonly ContentRow[] {
    const out: ContentRow[] = []
    for (const { copy, contents } of this.#elsewhere(sid)) {
      for (const row of contents.values())
        if (resealAt(row, copy, sid, nowMs) <= nowMs) out.push(row)
    }
    return out.sort((a, b) => a.order - b.order)
  }

  /** When the first content may be sealed again on the session `sid`; infinity if none. */
  resealAt(sid: string, nowMs: number): number {
    let at = Number.POSITIVE_INFINITY
    for (const { copy, contents } of this.#elsewhere(sid)) {
      for (const row of contents.values()) at = Math.min(at, resealAt(row, copy, sid, nowMs))
    }
    return at
  }

  *#elsewhere(sid: string): Generator<Envelope> {
    for (const envelope of this.#envelopes.values()) if (envelope.copy.sid !== sid) yield envelope
  }

  /** When the oldest content with an OK got it; infinity if none has. */
  get takenAt(): number {
    let at = Number.POSITIVE_INFINITY
    for (const { copy } of this.#envelopes.values()) {
      if (copy.okAtMs > 0) at = Math.min(at, copy.okAtMs)
    }
    return at
  }

  /** Whether the hub has said OK to a copy of a content that is still without a receipt. */
  get pending(): boolean {
    for (const { copy, contents } of this.#envelopes.values()) {
      if (copy.okAtMs > 0) return true
      for (const row of contents.values()) if (row.sealedOn.length > 1) return true
    }
    return false
  }

  /** Queued contents that no key is bound to: the policy may still refuse them (AGENT-19). */
  get unbound(): Iterable<ContentRow> {
    return this.#unbound === 0 ? [] : [...this.queued.values()].filter((row) => row.ik === null)
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

  /** How many contents there are. */
  get size(): number {
    return this.queued.size + this.#places.size
  }

  /** All contents. */
  get rows(): readonly ContentRow[] {
    return [...this.queued.values(), ...this.#places.values()]
  }

  /** Whether nothing is left. */
  get empty(): boolean {
    return this.size === 0
  }
}
