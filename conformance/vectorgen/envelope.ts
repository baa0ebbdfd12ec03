// Vectors of SPEC §9 envelope.

import { contentCases } from "./content.ts"
import { opened } from "./envelope-base.ts"
import { contexts, inside, shortened } from "./envelope-inside.ts"
import { headers, outer } from "./envelope-outer.ts"
import { proofs } from "./envelope-proofs.ts"
import { edges, padding, sealed } from "./envelope-sealed.ts"
import { Book } from "./kit.ts"

/** Writes all cases of this section. */
export function createEnvelopeBook(): Book {
  const book = new Book("envelope")
  const bases = opened(book)
  sealed(book)
  padding(book)
  edges(book)
  outer(book, bases.one)
  headers(book, bases)
  inside(book, bases.one)
  shortened(book, bases.long)
  contexts(book, bases.one)
  contentCases(book)
  proofs(book)
  return book
}
