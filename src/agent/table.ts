// SPEC §12 agent: rows that are held in memory, and what they were at the last commit. Rows are
// never changed, only replaced, so that what they were is there still.

/** Rows by key. */
export class Table<T> {
  /** The rows as they are now. */
  readonly rows: Map<string, T> = new Map()
  readonly #before = new Map<string, T | undefined>()

  /** Sets a row. */
  put(key: string, row: T): void {
    this.#remember(key)
    this.rows.set(key, row)
  }

  /** Deletes a row, if there is one. */
  delete(key: string): void {
    if (!this.rows.has(key)) return
    this.#remember(key)
    this.rows.delete(key)
  }

  #remember(key: string): void {
    if (!this.#before.has(key)) this.#before.set(key, this.rows.get(key))
  }

  /** Keys of rows that were put or deleted since the last commit. */
  get changed(): ReadonlyMap<string, unknown> {
    return this.#before
  }

  /** The rows as they are now are committed. */
  commit(): void {
    this.#before.clear()
  }

  /** The rows are again what they were at the last commit. */
  revert(): void {
    for (const [key, row] of this.#before) {
      if (row === undefined) this.rows.delete(key)
      else this.rows.set(key, row)
    }
    this.#before.clear()
  }
}
