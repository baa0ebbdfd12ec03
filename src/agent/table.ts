// SPEC §12 agent: rows that are held in memory, and what they were at the last commit. Rows are
// never changed, only replaced, so that what they were is there still.

/** Rows by key. */
export class Table<T> {
  /** The rows as they are now. */
  readonly rows: Map<string, T> = new Map()
  /** What was changed since the last commit, and what was there before, step by step. */
  #keys: string[] = []
  #before: (T | undefined)[] = []

  /** Sets a row. */
  put(key: string, row: T): void {
    this.#keys.push(key)
    this.#before.push(this.rows.get(key))
    this.rows.set(key, row)
  }

  /** Deletes a row, if there is one. */
  delete(key: string): void {
    const row = this.rows.get(key)
    if (row === undefined) return
    this.#keys.push(key)
    this.#before.push(row)
    this.rows.delete(key)
  }

  /** Keys of rows that were put or deleted since the last commit; some more than once. */
  get changed(): readonly string[] {
    return this.#keys
  }

  /** The rows as they are now are committed. */
  commit(): void {
    if (this.#keys.length === 0) return
    this.#keys = []
    this.#before = []
  }

  /** The rows are again what they were at the last commit. */
  revert(): void {
    for (let i = this.#keys.length - 1; i >= 0; i--) {
      const before = this.#before[i]
      if (before === undefined) this.rows.delete(this.#keys[i] as string)
      else this.rows.set(this.#keys[i] as string, before)
    }
    this.commit()
  }
}
