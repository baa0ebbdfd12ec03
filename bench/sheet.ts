// Values that are collected round by round, in the order of the first.

import type { Figure } from "./measure.ts"

/** One row for each id. */
export class Sheet {
  readonly #rows = new Map<string, { what: string; unit: Figure["unit"]; values: number[] }>()

  /** Adds the value of one round. */
  note(id: string, what: string, unit: Figure["unit"], value: number): void {
    const row = this.#rows.get(id) ?? { what, unit, values: [] }
    row.values.push(value)
    this.#rows.set(id, row)
  }

  /** All rows. */
  get figures(): Figure[] {
    return [...this.#rows].map(([id, row]) => ({ id, ...row }))
  }
}
