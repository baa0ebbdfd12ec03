// Vectors of SPEC §5 identity.

import { toHex } from "../../src/bytes.ts"
import { fingerprint as printOf, restoreIdentity } from "../../src/identity.ts"
import type { Case } from "../driver.ts"
import { namedDraw } from "./draws.ts"
import { Book, context } from "./kit.ts"
import { SEEDS } from "./people.ts"
import { NON_CANONICAL_KEYS, SMALL_ORDER_KEYS } from "./points.ts"

/** Writes all cases of this section. */
export function createIdentityBook(): Book {
  const book = new Book("identity")
  const ik = (who: keyof typeof SEEDS) => {
    const seed = SEEDS[who]
    return restoreIdentity(who, namedDraw(seed, "identity", 0, 32), namedDraw(seed, "dh", 0, 32)).ik
  }
  const create = (n: number, name: string, seed: Uint8Array, title: string) =>
    book.ok(n, title, "IDENTITY-1 IDENTITY-2 IDENTITY-4 SUITE-6", "identity.create", {
      name,
      seed: toHex(seed),
    })
  const alice = create(1, "alice", SEEDS.alice, "an agent")
  create(2, "bob", SEEDS.bob, "another agent")
  const names: readonly (readonly [number, string, string])[] = [
    [3, "a", "name of one letter"],
    [4, "0", "name of one digit"],
    [5, "x".repeat(64), "name of 64 characters"],
    [6, "a.b_c-d", "all signs"],
    [7, "7-.._", "digit first, signs after it"],
    [8, "xn--a", "hyphens in a row"],
  ]
  for (const [n, name, title] of names) create(n, name, SEEDS.alice, title)
  const bad: readonly (readonly [number, string, string])[] = [
    [20, "", "empty name"],
    [21, "x".repeat(65), "name of 65 characters"],
    [22, "Alice", "upper case"],
    [23, "al|ce", "vertical bar"],
    [24, "alice\u0000", "NUL at the end"],
    [25, "аlice", "Cyrillic look-alike"],
    [26, ".alice", "full stop first"],
    [27, "-alice", "hyphen first"],
    [28, "_alice", "underscore first"],
    [29, "alice\n", "line feed at the end"],
    [30, "ali ce", "space"],
    [31, "alice#", "number sign"],
    [32, "alicé", "accent"],
    [33, "ali/ce", "slash"],
    [34, "alice\u200b", "zero-width space"],
  ]
  for (const [n, name, title] of bad) {
    book.reject(
      n,
      "identity/name",
      "IDENTITY-6",
      alice,
      context("name", name),
      title,
      "names are compared byte by byte",
    )
  }
  const print = book.ok(50, "fingerprint of a key", "IDENTITY-4", "identity.fingerprint", {
    ik: toHex(ik("alice")),
  })
  book.ok(51, "fingerprint of another key", "IDENTITY-4", "identity.fingerprint", {
    ik: toHex(ik("mallory")),
  })
  SMALL_ORDER_KEYS.forEach((key, i) => {
    book.reject(
      52 + i,
      "suite/bad-key",
      "SUITE-9 SUITE-11",
      print,
      context("ik", key),
      `fingerprint of small-order key ${i}`,
      "for it a signature proves nothing",
    )
  })
  NON_CANONICAL_KEYS.slice(0, 2).forEach((key, i) => {
    book.reject(
      62 + i,
      "suite/bad-key",
      "SUITE-9 SUITE-11",
      print,
      context("ik", key),
      `fingerprint of a key with y >= p, ${i}`,
      "each key has one encoding",
    )
  })
  addresses(book, ik("alice"), ik("bob"))
  book.ok(90, "safety number", "IDENTITY-5", "identity.safety", {
    a: { name: "alice", ik: toHex(ik("alice")) },
    b: { name: "bob", ik: toHex(ik("bob")) },
  })
  book.ok(91, "the same from the other side", "IDENTITY-5", "identity.safety", {
    a: { name: "bob", ik: toHex(ik("bob")) },
    b: { name: "alice", ik: toHex(ik("alice")) },
  })
  book.ok(92, "lines sorted as bytes", "IDENTITY-5", "identity.safety", {
    a: { name: "a-b", ik: toHex(ik("bob")) },
    b: { name: "a", ik: toHex(ik("alice")) },
  })
  book.ok(93, "lines sorted as bytes, not as a language sorts", "IDENTITY-5", "identity.safety", {
    a: { name: "a_", ik: toHex(ik("bob")) },
    b: { name: "a0", ik: toHex(ik("alice")) },
  })
  return book
}

function addresses(book: Book, alice: Uint8Array, bob: Uint8Array): void {
  const print = printOf(alice)
  const of = (n: number, title: string, address: string): Case =>
    book.ok(n, title, "IDENTITY-6 IDENTITY-7", "identity.address", { address, ik: toHex(alice) })
  of(70, "a bare name", "alice")
  const whole = of(71, "a name with its fingerprint", `alice#${print}`)
  const r = (n: number, code: string, req: string, address: string, title: string, why: string) =>
    book.reject(n, code, req, whole, context("address", address), title, why)
  const one = "a fingerprint is read in one form"
  const f = (n: number, text: string, title: string) =>
    r(n, "identity/fingerprint", "IDENTITY-7", `alice#${text}`, title, one)
  f(72, "", "nothing behind the sign")
  f(73, print.toUpperCase(), "upper-case fingerprint")
  f(74, print.replaceAll(":", ""), "no colons")
  f(75, print.slice(0, 34), "seven groups")
  f(76, `${print}:0000`, "nine groups")
  f(77, `${print}\n`, "line feed at the end")
  f(78, print.replaceAll(":", "-"), "hyphens for colons")
  f(79, `#${print}`, "two number signs")
  f(80, ` ${print}`, "space in front")
  r(
    81,
    "identity/fingerprint",
    "IDENTITY-8",
    `alice#${printOf(bob)}`,
    "fingerprint of another key",
    "the address says which key is meant",
  )
  const last = print.endsWith("0") ? "1" : "0"
  r(
    82,
    "identity/fingerprint",
    "IDENTITY-8",
    `alice#${print.slice(0, -1)}${last}`,
    "last digit differs",
    "the address says which key is meant",
  )
  r(
    83,
    "identity/name",
    "IDENTITY-6",
    `Alice#${print}`,
    "upper-case name in an address",
    "names are compared byte by byte",
  )
  r(
    84,
    "identity/name",
    "IDENTITY-6",
    `#${print}`,
    "address without a name",
    "names are compared byte by byte",
  )
  r(
    85,
    "identity/name",
    "IDENTITY-6",
    `alice @${print}`,
    "another sign",
    "names are compared byte by byte",
  )
  const named = "the name is judged first"
  const both = `Alice#${print.toUpperCase()}`
  r(88, "identity/name", "IDENTITY-6", both, "upper-case name and fingerprint", named)
  r(89, "identity/name", "IDENTITY-6", "#", "a number sign alone", named)
  const other = book.ok(86, "the fingerprint of bob", "IDENTITY-8", "identity.address", {
    address: `bob#${printOf(bob)}`,
    ik: toHex(bob),
  })
  book.reject(
    87,
    "identity/fingerprint",
    "IDENTITY-8",
    other,
    context("ik", toHex(alice)),
    "another key under the address",
    "the address says which key is meant",
  )
}
