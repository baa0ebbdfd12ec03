// Vectors of SPEC §8 handshake.

import { accepted } from "./handshake-accepted.ts"
import { stepOne, stepsTwoToFour } from "./handshake-early.ts"
import { stepSeven } from "./handshake-keys.ts"
import { stepFive, stepSix } from "./handshake-known.ts"
import { forged, rewritten } from "./handshake-open.ts"
import { order } from "./handshake-order.ts"
import { initiations } from "./initiate.ts"
import { Book } from "./kit.ts"

/** Writes all cases of this section. */
export function createHandshakeBook(): Book {
  const book = new Book("handshake")
  initiations(book)
  const bases = accepted(book)
  stepOne(book, bases)
  stepsTwoToFour(book, bases)
  const required = stepFive(book, bases)
  stepSix(book, bases)
  stepSeven(book, bases)
  rewritten(book, bases)
  forged(book, bases)
  order(book, bases, required)
  return book
}
