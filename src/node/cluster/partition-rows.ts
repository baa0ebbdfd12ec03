// A cluster of hubs: the rows of one partition in the memory of its owner, as small as they can be:
// what is large is in the log, and what is many is packed.

import { fromHex } from "../../bytes.ts"
import { decode } from "../../encoding.ts"
import { MemoryStore } from "../../hub/memory-store.ts"
import {
  decodeRow,
  encodeRow,
  keyOf,
  type MailRow,
  type NameRow,
  type Row,
  type SeenRow,
  type Write,
} from "../../hub/rows.ts"
import type { StoredRow } from "../../hub/store.ts"
import { encode as pack } from "../../pack.ts"
import { list, uint } from "../../shape.ts"
import { Bodies, staysInLog } from "./bodies.ts"
import type { KeptRow, SavedRow } from "./records.ts"
import { SeenKeys } from "./seen-keys.ts"
import type { SharedLog } from "./shared-log.ts"

const EMPTY = new Uint8Array(0)
const SEEN = /^seen\/([^/]+)\/([0-9a-f]{64})$/
/** The row that says when a key that has been seen is due. */
const SEEN_DUE = /^due\/([0-9a-f]{14})\/(seen\/([^/]+)\/([0-9a-f]{64}))$/
/** Stands for all such rows of one agent and time; they come after it and before all others. */
const MARK = /^due\/([0-9a-f]{14})\/seen\/([^/]+)$/
/** Groups of rows in a snapshot. */
const SEEN_GROUP = /^seen\/[^/]+$/
const ONE_TIME_GROUP = /^one-time\/[^/]+\/[^/]+$/
const NUMBERS = list(uint)
/** Keys in one piece of a snapshot. */
const PIECE = 2_048

/** The rows of one partition. */
export class PartitionRows {
  readonly bodies: Bodies
  readonly #memory = new MemoryStore()
  /** By name of the agent. */
  readonly #seen = new Map<string, SeenKeys>()

  constructor(log: SharedLog, partition: number) {
    this.bodies = new Bodies(log, partition)
  }

  /** The row at `key`, of a message without its envelope; undefined if it has to be read. */
  peek(key: string): Row | null | undefined {
    if (key.startsWith("one-time/")) return this.bodies.at(key) === 0 ? null : undefined
    if (key.startsWith("seen/")) {
      const [, name = "", hash = ""] = SEEN.exec(key) ?? []
      const seen = this.#seen.get(name)?.get(fromHex(hash))
      return seen ? [seen[0]] : null
    }
    const row = this.#memory.peek(key)
    if (row !== null) {
      return key.startsWith("pool/") ? decodeRow(key, (row as NameRow)[0]) : row
    }
    const [, time = "", , name = "", hash = ""] = SEEN_DUE.exec(key) ?? []
    if (hash === "") return null
    const due = this.#seen.get(name)?.get(fromHex(hash))?.[1]
    return due === Number.parseInt(time, 16) ? [] : null
  }

  /** Ranges as those of {@link MemoryStore}, of messages without envelopes; due rows by time alone. */
  async range(
    from: string,
    below: string,
    limit: number,
  ): Promise<{ readonly rows: readonly StoredRow[]; readonly more: boolean }> {
    if (!from.startsWith("due/")) return this.#memory.range(from, below, limit)
    const rows: StoredRow[] = []
    for (let at = from; ; ) {
      const page = await this.#memory.range(at, below, limit)
      for (const [key, row] of page.rows) {
        at = `${key}\0`
        const [, time = "", name] = MARK.exec(key) ?? []
        if (name === undefined) rows.push([key, row])
        else await this.#unfold(key, name, Number.parseInt(time, 16), limit - rows.length, rows)
        if (rows.length >= limit) return { rows, more: true }
      }
      if (!page.more) return { rows, more: false }
    }
  }

  async #unfold(mark: string, name: string, time: number, limit: number, rows: StoredRow[]) {
    const hashes = this.#seen.get(name)?.dueAt(time, limit) ?? []
    for (const hash of hashes) rows.push([keyOf.due(time, keyOf.seen(name, hash)), []])
    if (hashes.length === 0) await this.#memory.write([[mark, null]])
  }

  /** Takes what has been written to the log as this record, which is the message `seq`. */
  async write(writes: readonly Write[], record: number, seq: number): Promise<void> {
    this.bodies.wrote(record, seq)
    const plain: Write[] = []
    for (const [key, row] of writes) {
      if (staysInLog(key)) {
        if (row === null) this.bodies.remove(key)
        else this.bodies.add(key, record)
      }
      if (key.startsWith("one-time/")) continue
      if (key.startsWith("seen/")) this.#writeSeen(key, row as SeenRow | null, plain)
      else if (SEEN_DUE.test(key)) this.#writeDue(key, row, plain)
      else plain.push([key, row && light(key, row)])
    }
    await this.#memory.write(plain)
  }

  #writeSeen(key: string, row: SeenRow | null, plain: Write[]): void {
    const [, name = "", hex = ""] = SEEN.exec(key) ?? []
    const hash = fromHex(hex)
    const keys = this.#seen.get(name) ?? new SeenKeys()
    const due = keys.get(hash)?.[1] ?? 0
    if (row !== null) {
      keys.set(hash, row[0], due)
      this.#seen.set(name, keys)
      return
    }
    keys.delete(hash)
    if (keys.size === 0) this.#seen.delete(name)
    if (due !== 0) plain.push([keyOf.due(due, key), []]) // a row of its own, also without the other
  }

  #writeDue(key: string, row: Row | null, plain: Write[]): void {
    const [, hex = "", , name = "", hash = ""] = SEEN_DUE.exec(key) ?? []
    const time = Number.parseInt(hex, 16)
    const keys = this.#seen.get(name)
    const bytes = fromHex(hash)
    const [notAfter, due] = keys?.get(bytes) ?? [0, -1]
    const packed = row !== null && row.length === 0 && (due === 0 || due === time)
    if (packed) {
      keys?.set(bytes, notAfter, time)
      plain.push([key, null], [markOf(time, name), []])
    } else {
      if (due === time) keys?.set(bytes, notAfter, 0)
      plain.push([key, row])
    }
  }

  /** All rows as they are now, for a snapshot. */
  *kept(): Generator<KeptRow> {
    for (const [key, row] of this.#memory.entries()) {
      if (MARK.test(key)) continue
      if (key.startsWith("pool/")) yield [key, (row as NameRow)[0], 0]
      else yield [key, row, this.bodies.at(key)]
    }
    for (const [name, keys] of this.#seen) {
      for (const piece of keys.pieces(PIECE)) yield [`seen/${name}`, piece, 0]
    }
    for (const [group, numbers] of this.bodies.groups) yield [group, pack(numbers), 0]
  }

  /** Takes a row of a snapshot. */
  async restore([key, saved, record]: SavedRow): Promise<void> {
    if (ONE_TIME_GROUP.test(key)) this.bodies.addGroup(key, NUMBERS(decode(saved)))
    else if (SEEN_GROUP.test(key)) {
      const name = key.slice("seen/".length)
      const keys = this.#seen.get(name) ?? new SeenKeys()
      const marks: Write[] = []
      keys.add(saved, (time) => marks.push([markOf(time, name), []]))
      this.#seen.set(name, keys)
      await this.#memory.write(marks)
    } else {
      if (record > 0) this.bodies.add(key, record)
      await this.#memory.write([[key, key.startsWith("pool/") ? [saved] : decodeRow(key, saved)]])
    }
  }
}

function markOf(time: number, name: string): string {
  return keyOf.due(time, `seen/${name}`)
}

/** A row as it is in memory. */
function light(key: string, row: Row): Row {
  if (key.startsWith("pool/")) return [encodeRow(row)]
  if (!key.startsWith("mail/")) return row
  const [from, mid, time, size] = row as MailRow
  return [from, mid, time, size, EMPTY]
}
