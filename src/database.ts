// The part of abstract-level that the stores of agents (SPEC §12) and hubs (SPEC §11) use.

/** A change of one row. */
export type Change =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: string }

interface Encodings {
  readonly keyEncoding: "utf8"
  readonly valueEncoding: "view"
}

interface RangeOptions extends Encodings {
  readonly gte: string
  readonly lt: string
  readonly limit?: number
}

/** How keys and values are passed: text and bytes. */
export const ENCODINGS: Encodings = { keyEncoding: "utf8", valueEncoding: "view" }

interface Rows {
  /** Resolves when it is open, also when it was before. */
  open(): Promise<void>
  /** Resolves when it is closed. */
  close(): Promise<void>
  /** All changes or none. */
  batch(changes: Change[], options: Encodings & { readonly sync: boolean }): Promise<void>
  /** Rows of a range of keys, ascending. */
  iterator(options: RangeOptions): AsyncIterable<[string, Uint8Array]>
}

/**
 * Any abstract-level database: memory-level, classic-level, browser-level and others.
 *
 * `batch` is atomic and, with `sync`, durable when it resolves.
 */
export interface Database extends Rows {
  readonly status: string
  /** One row, undefined if there is none. */
  get(key: string, options: Encodings): Promise<Uint8Array | undefined>
  /** The rows at the keys, in their order; undefined where there is none. Without it each is got. */
  getMany?(keys: string[], options: Encodings): Promise<(Uint8Array | undefined)[]>
  /** Removes overwritten rows of a range from the files, where a database keeps them. */
  compactRange?(start: string, end: string, options?: object): Promise<void>
}

/** What a hub uses of an abstract-level database. */
export interface HubDatabase extends Rows {
  /** `permanence`: whether what was written survives the process. */
  readonly supports?: { readonly permanence?: boolean }
  /** The rows at the keys, in their order; undefined where there is none. */
  getMany(keys: string[], options: Encodings): Promise<(Uint8Array | undefined)[]>
}
