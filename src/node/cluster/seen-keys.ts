// A cluster of hubs: the one-time keys that one agent has ever published, until they are past their
// time. There are many of them, and all are asked for: 48 bytes each and a small index, where a row
// as such takes five times as much, and the row that says when it is due as much again.

import { randomInt } from "node:crypto"
import { equalBytes } from "../../bytes.ts"

const HASH = 32
/** Hash, not-after, and the time at which the key is due; 0 if it has none. */
const ENTRY = 48
const NOT_AFTER = 32
const DUE = 40
const LEAST = 8
/** Whoever chooses keys does not choose where they come to lie. */
const SALT = (randomInt(2 ** 31) << 1) | 1

/** The keys of one agent, by hash. */
export class SeenKeys {
  #data: Uint8Array = new Uint8Array(LEAST * ENTRY)
  #view = new DataView(this.#data.buffer)
  /** Numbers of entries, from 1, by hash; 0 is free. Its length is a power of two. */
  #index: Uint32Array = new Uint32Array(2 * LEAST)
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** Not-after of a key, and when it is due, 0 for never; null if it has not been seen. */
  get(hash: Uint8Array): readonly [notAfter: number, due: number] | null {
    const entry = (this.#index[this.#slotOf(hash)] as number) - 1
    return entry < 0 ? null : [this.#at(entry, NOT_AFTER), this.#at(entry, DUE)]
  }

  set(hash: Uint8Array, notAfter: number, due: number): void {
    let slot = this.#slotOf(hash)
    let entry = (this.#index[slot] as number) - 1
    if (entry < 0) {
      if (this.#grow()) slot = this.#slotOf(hash)
      entry = this.#size++
      this.#data.set(hash, entry * ENTRY)
      this.#index[slot] = entry + 1
    }
    this.#view.setFloat64(entry * ENTRY + NOT_AFTER, notAfter)
    this.#view.setFloat64(entry * ENTRY + DUE, due)
  }

  delete(hash: Uint8Array): void {
    const slot = this.#slotOf(hash)
    const entry = (this.#index[slot] as number) - 1
    if (entry < 0) return
    this.#free(slot)
    const last = --this.#size
    if (entry === last) return
    // The last one takes its place.
    this.#index[this.#slotOf(this.#hashOf(last))] = entry + 1
    this.#data.copyWithin(entry * ENTRY, last * ENTRY, (last + 1) * ENTRY)
  }

  /** Hashes of at most `limit` keys that are due at `time`. */
  dueAt(time: number, limit: number): readonly Uint8Array[] {
    const found: Uint8Array[] = []
    for (let entry = 0; entry < this.#size && found.length < limit; entry++) {
      if (this.#at(entry, DUE) === time) found.push(this.#hashOf(entry).slice())
    }
    return found
  }

  /** All keys as bytes, at most `limit` in each piece. */
  *pieces(limit: number): Generator<Uint8Array> {
    for (let entry = 0; entry < this.#size; entry += limit) {
      yield this.#data.slice(entry * ENTRY, Math.min(this.#size, entry + limit) * ENTRY)
    }
  }

  /** Adds keys of {@link pieces}; `due` is called with the time of each that has one. */
  add(piece: Uint8Array, due: (time: number) => void): void {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
    for (let at = 0; at + ENTRY <= piece.length; at += ENTRY) {
      const time = view.getFloat64(at + DUE)
      this.set(piece.subarray(at, at + HASH), view.getFloat64(at + NOT_AFTER), time)
      if (time !== 0) due(time)
    }
  }

  #at(entry: number, field: number): number {
    return this.#view.getFloat64(entry * ENTRY + field)
  }

  #hashOf(entry: number): Uint8Array {
    return this.#data.subarray(entry * ENTRY, entry * ENTRY + HASH)
  }

  /** Where a search for the hash begins: the upper bits of a product depend on all of it. */
  #home(hash: Uint8Array): number {
    const [a = 0, b = 0, c = 0, d = 0] = hash
    const bits = Math.clz32(this.#index.length - 1)
    return Math.imul((a << 24) | (b << 16) | (c << 8) | d, SALT) >>> bits
  }

  /** The place of the hash in the index, or the free one where it would be. */
  #slotOf(hash: Uint8Array): number {
    const mask = this.#index.length - 1
    for (let slot = this.#home(hash); ; slot = (slot + 1) & mask) {
      const number = this.#index[slot] as number
      if (number === 0 || equalBytes(this.#hashOf(number - 1), hash)) return slot
    }
  }

  /** Frees a place; those behind it that had to go on past it move up. */
  #free(slot: number): void {
    const mask = this.#index.length - 1
    let hole = slot
    for (let next = (slot + 1) & mask; ; next = (next + 1) & mask) {
      const number = this.#index[next] as number
      if (number === 0) break
      const home = this.#home(this.#hashOf(number - 1))
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      this.#index[hole] = number
      hole = next
    }
    this.#index[hole] = 0
  }

  /** Makes room for one more; whether places in the index have changed. */
  #grow(): boolean {
    if ((this.#size + 1) * ENTRY > this.#data.length) {
      const data = new Uint8Array((this.#size + Math.max(LEAST, this.#size >> 2)) * ENTRY)
      data.set(this.#data)
      this.#data = data
      this.#view = new DataView(data.buffer)
    }
    if ((this.#size + 1) * 4 <= this.#index.length * 3) return false
    this.#index = new Uint32Array(this.#index.length * 2)
    for (let entry = 0; entry < this.#size; entry++) {
      this.#index[this.#slotOf(this.#hashOf(entry))] = entry + 1
    }
    return true
  }
}
