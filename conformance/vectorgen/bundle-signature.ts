// Vectors of SPEC §6 bundle: the signature.

import type { OwnBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { label, type Purpose, sign } from "../../src/suite.ts"
import type { Case } from "../driver.ts"
import { DAY } from "./bundle-made.ts"
import { type Book, type Change, filled, flip, replaced, splice } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { withLargeS } from "./points.ts"
import { array, bstr, tstr, uint } from "./raw.ts"

/** Adds bundles that the signature does not cover. */
export function signature(book: Book, bob: Person, one: Case): void {
  const bytes = one.input?.["bytes"] as string
  const sig = bytes.slice(-128)
  const r = (n: number, mutation: Change, title: string) =>
    book.reject(
      n,
      "bundle/signature",
      "BUNDLE-15",
      one,
      mutation,
      title,
      "one signature covers the whole body",
    )
  r(190, splice("bytes", -64, sig, filled(0, 64)), "signature of zeros")
  r(191, flip("bytes", -1, "10"), "S changed")
  r(192, flip("bytes", -64), "R changed")
  r(193, splice("bytes", -64, sig, withLargeS(sig)), "S + L")
  const mallory = new Person("mallory")
  r(194, replaced(one, "bytes", [0, 3], bstr(toHex(mallory.own.dk))), "dk of another agent")
  r(195, replaced(one, "bytes", [0, 4], uint(NOW + 5)), "seq raised")
  r(196, replaced(one, "bytes", [0, 6], uint(NOW + 20 * DAY)), "not-after changed")
  r(197, replaced(one, "bytes", [0, 7], uint(1)), "flag set")
  r(198, replaced(one, "bytes", [0, 8, 0, 1], bstr(filled(9, 32))), "prekey changed")
  r(199, replaced(one, "bytes", [0, 1], tstr("rob")), "name changed")
  r(200, replaced(one, "bytes", [0, 2], bstr(toHex(mallory.own.ik))), "ik of another agent")
  r(201, replaced(one, "bytes", [0, 8], array(array(uint(3)))), "prekeys taken out")
  r(202, replaced(one, "bytes", [0, 5], uint(NOW - 7200)), "not-before changed")
  // The same fields signed under another label, with the label of a bundle put in afterwards.
  const others: readonly Purpose[] = [
    "one-time",
    "message",
    "hub-auth",
    "hub-welcome",
    "directory",
    "handshake",
  ]
  const body = new Person("bob").bundle({ suites: [1] })
  others.forEach((purpose, i) => {
    const other = encode([label(purpose), ...fieldsOf(body)])
    const wrong = toHex(sign(bob.own.ikSecret, other))
    r(203 + i, splice("bytes", -64, sig, wrong), `signature made under the label ${purpose}`)
  })
  const bare = toHex(sign(bob.own.ikSecret, new TextEncoder().encode("bundle")))
  r(210, splice("bytes", -64, sig, bare), "signature over another text")
}

function fieldsOf(bundle: OwnBundle): readonly Value[] {
  const { name, ik, dk, seq, notBefore, notAfter, flags, prekeys } = bundle
  return [
    name,
    ik,
    dk,
    seq,
    notBefore,
    notAfter,
    flags,
    prekeys.map(({ suite, x, ek }) => [suite, x, ek]),
  ]
}
