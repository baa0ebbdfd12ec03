// Vectors of SPEC §11 hub: the state machine.

import { refusedAuths } from "./hub-auths.ts"
import { bundles, fetches, oneTime } from "./hub-bundles.ts"
import { frames } from "./hub-frames.ts"
import { limits } from "./hub-limits.ts"
import { openings } from "./hub-links.ts"
import { mail } from "./hub-mail.ts"
import type { Add } from "./hub-ready.ts"
import type { Book } from "./kit.ts"

/** Adds the cases of `hub.new` and `hub.frame`. */
export function liveCases(book: Book): void {
  const add: Add = (n, code, req, title, play, why) => {
    book.steps(n, code, req, title, play.steps, {
      needs: ["deterministic", "role-hub"],
      ...(why ? { why } : {}),
    })
  }
  openings(add)
  refusedAuths(add)
  frames(add)
  bundles(add)
  oneTime(add)
  fetches(add)
  mail(add)
  limits(add)
}
