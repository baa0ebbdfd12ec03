// SPEC §11 hub: the rows that a hub stores, their keys and their encoding.
//
// Keys are ASCII and sort bytewise; names hold no "/". Rows are arrays of §3.

import { toHex } from "../bytes.ts"
import type { Value } from "../encoding.ts"
import { encode as pack } from "../pack.ts"
import { bytes, decodeAs, list, nullable, type Shape, text, tuple, uint } from "../shape.ts"

/** `name/…`: the identity key that a name is bound to, for ever. */
export type NameRow = readonly [ik: Uint8Array]
/** `ik/…`: the name that an identity key is bound to, for ever. */
export type KeyRow = readonly [name: string]
/**
 * `account/…`: the counters of one agent. `oldest` is no later than any stored message's time;
 * `suites` are those that the bundle offers, known or not.
 */
export type AccountRow = readonly [
  nextMseq: number,
  mail: number,
  mailBytes: number,
  oldest: number,
  bundleSeq: number | null,
  suites: readonly number[],
]
/** `bundle/…`: the signed bundle. */
export type BundleRow = readonly [body: Uint8Array, sig: Uint8Array, seq: number, ref: Uint8Array]
/** `listed/…`: a name that has a bundle; LIST reads these, not the bundles. */
export type ListedRow = readonly []
/** The one-time keys of one suite that wait, in order of arrival; numbers are never used again. */
export type Pool = readonly [
  suite: number,
  next: number,
  waiting: readonly (readonly [number: number, notAfter: number])[],
]
/**
 * `pool/…`: the pools of one agent. `drops` counts how often all keys were dropped; `accepted` has
 * the times and numbers of keys accepted within the last hour.
 */
export type PoolRow = readonly [
  drops: number,
  pools: readonly Pool[],
  accepted: readonly (readonly [time: number, keys: number])[],
]
/** `mail/<to>/<mseq>`: a stored message; `size` is that of the envelope. */
export type MailRow = readonly [
  from: string,
  mid: Uint8Array,
  time: number,
  size: number,
  envelope: Uint8Array,
]
/** `sender/<to>/<from>`: what one sender has in one mailbox. */
export type SenderRow = readonly [messages: number, bytes: number]
/** `sent/<to>/<from>/<mid>`: dedupe; `until` is 0 while the message is stored. */
export type SentRow = readonly [until: number]
/** `one-time/<name>/<suite>/<number>`: a signed one-time key that waits. */
export type OneTimeRow = readonly [body: Uint8Array, sig: Uint8Array]
/** `seen/<name>/<otk-ref>`: a one-time key that was here; its not-after. */
export type SeenRow = readonly [notAfter: number]
/** A reserved one-time key; it ends with its time, or when the owner drops its keys. */
export type Reserved = readonly [
  suite: number,
  time: number,
  drops: number,
  body: Uint8Array,
  sig: Uint8Array,
]
/** `taken/<target>/<requester>`: times of fresh keys within the last hour, and reservations. */
export type TakenRow = readonly [fresh: readonly number[], reserved: readonly Reserved[]]
/** `due/<time>/<key>`: the row at the key, and those at further keys, may be erased from then on. */
export type DueRow = readonly string[]
/** `hub/key`: the hub's own secret. */
export type SecretRow = readonly [secret: Uint8Array]
/** `names/count`: how many names are bound. */
export type NamesRow = readonly [count: number]

/** Any row. */
export type Row =
  | NameRow
  | KeyRow
  | AccountRow
  | BundleRow
  | ListedRow
  | PoolRow
  | MailRow
  | SenderRow
  | SentRow
  | OneTimeRow
  | SeenRow
  | TakenRow
  | DueRow
  | SecretRow
  | NamesRow

const SHAPES: { readonly [table: string]: Shape<Row> } = {
  name: tuple(bytes(32)),
  ik: tuple(text),
  account: tuple(uint, uint, uint, uint, nullable(uint), list(uint)),
  bundle: tuple(bytes(), bytes(64), uint, bytes(32)),
  listed: tuple(),
  pool: tuple(uint, list(tuple(uint, uint, list(tuple(uint, uint)))), list(tuple(uint, uint))),
  mail: tuple(text, bytes(16), uint, uint, bytes()),
  sender: tuple(uint, uint),
  sent: tuple(uint),
  "one-time": tuple(bytes(), bytes(64)),
  seen: tuple(uint),
  taken: tuple(list(uint), list(tuple(uint, uint, uint, bytes(), bytes(64)))),
  due: list(text),
  hub: tuple(bytes(32)),
  names: tuple(uint),
}

/** The table that a key belongs to. */
export function tableOf(key: string): string {
  return key.slice(0, key.indexOf("/"))
}

/** Encodes a row. */
export function encodeRow(row: Row): Uint8Array {
  return pack(row as Value)
}

/** Decodes the row at `key`. */
export function decodeRow(key: string, row: Uint8Array): Row {
  const shape = SHAPES[tableOf(key)]
  if (shape === undefined) throw new TypeError(`no table for ${key}`)
  return decodeAs(shape, row, Number.MAX_SAFE_INTEGER)
}

/** A number as text that sorts like the number. */
function sortable(number: number): string {
  return number.toString(16).padStart(14, "0")
}

/** The key of each row. */
export const keyOf = {
  name: (name: string): string => `name/${name}`,
  ik: (ik: Uint8Array): string => `ik/${toHex(ik)}`,
  account: (name: string): string => `account/${name}`,
  bundle: (name: string): string => `bundle/${name}`,
  listed: (name: string): string => `listed/${name}`,
  pool: (name: string): string => `pool/${name}`,
  mail: (to: string, mseq: number): string => `mail/${to}/${sortable(mseq)}`,
  /** Above all mail of an agent. */
  mailEnd: (to: string): string => `mail/${to}0`,
  sender: (to: string, from: string): string => `sender/${to}/${from}`,
  sent: (to: string, from: string, mid: Uint8Array): string => `sent/${to}/${from}/${toHex(mid)}`,
  oneTime: (name: string, suite: number, number: number): string =>
    `one-time/${name}/${suite}/${sortable(number)}`,
  seen: (name: string, ref: Uint8Array): string => `seen/${name}/${toHex(ref)}`,
  taken: (target: string, requester: string): string => `taken/${target}/${requester}`,
  due: (time: number, key: string): string => `due/${sortable(time)}/${key}`,
  hub: "hub/key",
  names: "names/count",
} as const

/** The mseq in the key of a mail row. */
export function mseqOf(key: string): number {
  return Number.parseInt(key.slice(key.lastIndexOf("/") + 1), 16)
}

/** The time in the key of a due row, in Unix seconds. */
export function dueTime(key: string): number {
  return Number.parseInt(key.split("/", 2)[1] as string, 16)
}

/** The key that a due row is about. */
export function dueKey(key: string): string {
  return key.slice(key.indexOf("/", "due/".length) + 1)
}

/** The account of an agent that has just been bound. */
export const NEW_ACCOUNT: AccountRow = [1, 0, 0, 0, null, []]

/** Rows as the machine sees them: undefined is "not read yet", null is "not there". */
export interface Rows {
  get(key: string): Row | null | undefined
}

/** A row that changes; null erases it. */
export type Write = readonly [key: string, row: Row | null]

/**
 * Reads rows for one decision and remembers which were missing. A decision made while rows were
 * missing is void: the runtime reads them and asks again.
 */
export class Reader {
  readonly #rows: Rows
  /** Keys of rows that have to be read first. */
  readonly missing: string[] = []

  /** @param rows - What has been read so far. */
  constructor(rows: Rows) {
    this.#rows = rows
  }

  /** The row at `key`; null if it is not there or not read yet. */
  get<T extends Row>(key: string): T | null {
    const row = this.#rows.get(key)
    if (row === undefined) this.missing.push(key)
    return (row ?? null) as T | null
  }
}
