// Vectors of SPEC §11 hub.

import { frames } from "./hub-codec.ts"
import { lifetimeCases } from "./hub-lifetimes.ts"
import { liveCases } from "./hub-live.ts"
import { openings } from "./hub-opening.ts"
import { comparisons, receipts } from "./hub-receipts.ts"
import { roomCases } from "./hub-room.ts"
import { Book } from "./kit.ts"

/** Writes all cases of this section. */
export function createHubBook(): Book {
  const book = new Book("hub")
  frames(book)
  openings(book)
  receipts(book)
  comparisons(book)
  liveCases(book)
  roomCases(book)
  lifetimeCases(book)
  return book
}
