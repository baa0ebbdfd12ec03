// Vectors of SPEC §3 encoding.

import { acceptedPayload, acceptedProtocol } from "./encoding-accepted.ts"
import { encoded } from "./encoding-encode.ts"
import { limitCases } from "./encoding-limits.ts"
import { malformed } from "./encoding-malformed.ts"
import { outsidePayload, outsideProtocol } from "./encoding-profile.ts"
import { Book } from "./kit.ts"

/** Writes all cases of this section. */
export function createEncodingBook(): Book {
  const book = new Book("encoding")
  acceptedProtocol(book)
  acceptedPayload(book)
  encoded(book)
  malformed(book)
  outsideProtocol(book)
  outsidePayload(book)
  limitCases(book)
  return book
}
