// Vectors of SPEC §3 encoding: how cases of `encoding.decode` are added.

import type { Case } from "../driver.ts"
import { type Book, splice } from "./kit.ts"

/** The two sets of values that SPEC §3 knows. */
export type Profile = "protocol" | "payload"

/** An accepted input of `encoding.decode`. */
export function decoded(
  book: Book,
  n: number,
  title: string,
  req: string,
  profile: Profile,
  bytes: string,
): Case {
  return book.ok(n, title, req, "encoding.decode", { profile, bytes })
}

/** Adds a refusal: of the twin's bytes, `cut` gives way to `put`. */
export type Refuse = (
  n: number,
  req: string,
  at: number,
  cut: string,
  put: string,
  title: string,
  why?: string,
) => Case

/** Refusals that share a code, a twin and, but for some, their reason. */
export function refusing(book: Book, code: string, twin: Case, reason: string): Refuse {
  return (n, req, at, cut, put, title, why = reason) =>
    book.reject(n, code, req, twin, splice("bytes", at, cut, put), title, why)
}
