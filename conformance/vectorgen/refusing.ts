// Refusals that share what they say.

import type { Case } from "../driver.ts"
import type { Book, Change } from "./kit.ts"

/** Adds a refusal of what a twin's input becomes. */
export type Refuse = (
  n: number,
  twin: { readonly item: Case },
  change: Change,
  title: string,
) => void

/** Refusals with one code, one requirement and one reason. */
export function refusing(book: Book, code: string, req: string, why: string): Refuse {
  return (n, { item }, change, title) => {
    book.reject(n, code, req, item, change, title, why)
  }
}
