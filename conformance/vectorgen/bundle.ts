// Vectors of SPEC §6 bundle.

import { accepted, created } from "./bundle-accepted.ts"
import { cards } from "./bundle-cards.ts"
import { contexts } from "./bundle-contexts.ts"
import { keys, torsion } from "./bundle-keys.ts"
import { accepting } from "./bundle-made.ts"
import { rules } from "./bundle-rules.ts"
import { shapes } from "./bundle-shape.ts"
import { signature } from "./bundle-signature.ts"
import { Book } from "./kit.ts"
import { oneTimeCases } from "./one-time.ts"
import { NOW, Person } from "./people.ts"

/** Writes all cases of this section. */
export function createBundleBook(): Book {
  const book = new Book("bundle")
  const bob = new Person("bob")
  const one = bob.bundle({ suites: [1] })
  const both = bob.bundle({ suites: [1, 2], seq: NOW + 1 })
  const first = book.ok(1, "a bundle of suite 1", "BUNDLE-15", "bundle.accept", accepting(one))
  const second = book.ok(
    2,
    "a bundle of suites 1 and 2",
    "BUNDLE-14",
    "bundle.accept",
    accepting(both),
  )
  accepted(book, one, both)
  created(book, bob)
  shapes(book, bob, first, second)
  keys(book, bob, first, second)
  rules(book, bob, first, second)
  signature(book, bob, first)
  torsion(book)
  contexts(book, first, one)
  cards(book, one)
  oneTimeCases(book)
  return book
}
