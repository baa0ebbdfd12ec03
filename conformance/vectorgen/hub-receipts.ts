// Vectors of SPEC §11 hub: receipts.

import { toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { type HubKey, signReceipt } from "../../src/hub/frames.ts"
import { labelled, sign } from "../../src/suite.ts"
import type { Case, JsonObject } from "../driver.ts"
import { HUB_SEED, hubKey } from "./hub-key.ts"
import { type Book, type Change, context, filled, flip, replaced, resigned, splice } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { bstr, NULL, tstr, uint } from "./raw.ts"

function receiptValue(
  fields: Partial<Parameters<typeof signReceipt>[1]> = {},
  key: HubKey = hubKey(),
): string {
  const bob = new Person("bob")
  const bundle = bob.bundle({ suites: [1] })
  const { name, ik } = bob.own
  return toHex(
    encode(
      signReceipt(key, { name, ik, bundleRef: bundle.ref, seq: bundle.seq, time: NOW, ...fields }),
    ),
  )
}

/** Adds receipts that are made and checked. */
export function receipts(book: Book): void {
  const bob = new Person("bob")
  const bundle = bob.bundle({ suites: [1] })
  const key = hubKey()
  book.ok(
    130,
    "a receipt",
    "HUB-46",
    "hub.receipt",
    { seed: toHex(HUB_SEED), owner: bob.peer, ref: toHex(bundle.ref), seq: NOW, time: NOW },
    { needs: ["deterministic"] },
  )
  const input = {
    receipt: receiptValue(),
    bundle: toHex(bundle.bytes),
    hubIk: toHex(key.ik),
    now: NOW,
  }
  const twin = book.ok(131, "a receipt for the bundle", "HUB-59", "hub.checkReceipt", input)
  const late = book.ok(132, "300 s old", "HUB-59", "hub.checkReceipt", { ...input, now: NOW + 300 })
  const early = book.ok(133, "300 s ahead", "HUB-59", "hub.checkReceipt", {
    ...input,
    now: NOW - 300,
  })
  const why = "such a receipt would prove nothing"
  const r = (n: number, mutation: Change, title: string, from: Case = twin) =>
    book.reject(n, "hub/malformed", "HUB-59", from, mutation, title, why)
  r(140, context("now", NOW + 301), "301 s old", late)
  r(141, context("now", NOW - 301), "301 s ahead", early)
  const { secret } = key
  r(142, resigned(twin, "receipt", [2], tstr("rob"), secret), "for another name")
  r(143, resigned(twin, "receipt", [3], bstr(filled(1, 32)), secret), "for another ik")
  r(144, resigned(twin, "receipt", [4], bstr(filled(1, 32)), secret), "for another bundle")
  r(145, resigned(twin, "receipt", [5], uint(NOW + 1), secret), "for another seq")
  r(146, resigned(twin, "receipt", [1], bstr(filled(1, 32)), secret), "names another hub")
  r(147, resigned(twin, "receipt", [0], tstr("AgentMesh/1 bundle"), secret), "label of a bundle")
  r(148, resigned(twin, "receipt", [6], NULL, secret), "time null")
  r(149, flip("receipt", -1, "10"), "signature changed")
  r(150, replaced(twin, "receipt", [0, 6], uint(NOW + 1)), "time changed after signing")
  const mallory = hubKey(new Uint8Array(32).fill(0x66))
  r(151, context("receipt", receiptValue({}, mallory)), "of another hub")
  r(152, context("hubIk", toHex(mallory.ik)), "under another pinned hub")
  r(153, splice("receipt", 0, "82", "83f6"), "three items in signed")
  const body = labelled("bundle", key.ik)
  r(
    154,
    context("receipt", toHex(encode([body, sign(secret, body)] as readonly Value[]))),
    "something else that the hub signed",
  )
}

/** Adds receipts that are held against each other. */
export function comparisons(book: Book): void {
  const mallory = new Person("mallory")
  const a = receiptValue()
  const hubIk = toHex(hubKey().ik)
  const of = (n: number, title: string, b: string, extra: JsonObject = {}) =>
    book.ok(n, title, "HUB-60", "hub.compareReceipts", { a, b, hubIk, ...extra })
  const other = new Uint8Array(32).fill(1)
  of(160, "the same receipt twice", a)
  of(161, "a later receipt of the same bundle", receiptValue({ time: NOW + 60 }))
  of(162, "another ik: the hub bound the name again", receiptValue({ ik: mallory.own.ik }))
  of(
    163,
    "later, and a lower seq: the hub went back",
    receiptValue({ seq: NOW - 1, time: NOW + 60, bundleRef: other }),
  )
  of(
    164,
    "earlier, and a higher seq: the hub went back",
    receiptValue({ seq: NOW + 1, time: NOW - 60, bundleRef: other }),
  )
  of(165, "at the same time, another seq", receiptValue({ seq: NOW + 1, bundleRef: other }))
  of(166, "one seq, two bundles", receiptValue({ bundleRef: other, time: NOW + 60 }))
  of(167, "one seq, two bundles, one time", receiptValue({ bundleRef: other }))
  of(
    168,
    "later, and a higher seq",
    receiptValue({ seq: NOW + 1, time: NOW + 60, bundleRef: other }),
  )
  of(169, "of another name", receiptValue({ name: "rob", ik: mallory.own.ik }))
  of(
    170,
    "of another hub",
    receiptValue({ ik: mallory.own.ik }, hubKey(new Uint8Array(32).fill(0x66))),
  )
  const forged = receiptValue({ ik: mallory.own.ik })
  of(171, "another ik, forged", `${forged.slice(0, -2)}${forged.endsWith("00") ? "01" : "00"}`)
  of(172, "under another hub", receiptValue({ ik: mallory.own.ik }), {
    hubIk: toHex(hubKey(new Uint8Array(32).fill(0x66)).ik),
  })
  of(173, "no receipt at all", "00")
}
