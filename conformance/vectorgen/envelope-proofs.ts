// Vectors of SPEC §9 envelope: contents that are shown to somebody else.

import { toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { contentHash } from "../../src/envelope.ts"
import { labelled, sign } from "../../src/suite.ts"
import type { Json, JsonObject, Mutation } from "../driver.ts"
import { withAt } from "../values.ts"
import { application, Flight } from "./flight.ts"
import { type Book, context, filled, flip } from "./kit.ts"
import { SMALL_ORDER_KEYS } from "./points.ts"

/** Adds proofs of one content. */
export function proofs(book: Book): void {
  const flight = new Flight(1)
  const contents = [application("a"), application("b", 1), application("c", 2)]
  const parts = flight.parts(contents)
  const hashes = contents.map(contentHash)
  const signed = labelled("message", 1, parts.th, "alice", "bob", parts.header, hashes)
  const sig = toHex(sign(flight.alice.own.ikSecret, signed))
  const input = (index: number): JsonObject => ({
    ...{
      suite: 1,
      th: toHex(parts.th),
      sender: flight.alice.peer,
      recipient: "bob",
      header: toHex(parts.header),
    },
    ...{
      hashes: hashes.map((hash) => toHex(hash)),
      index,
      content: toHex(contents[index] as Uint8Array),
      sig,
    },
  })
  const twin = book.ok(
    400,
    "one content of three is shown",
    "ENVELOPE-20",
    "envelope.proof",
    input(1),
  )
  book.ok(401, "the first of three is shown", "ENVELOPE-20", "envelope.proof", input(0))
  book.ok(402, "the hash at the index is not looked at", "ENVELOPE-20", "envelope.proof", {
    ...input(1),
    hashes: [toHex(hashes[0] as Uint8Array), filled(0, 32), toHex(hashes[2] as Uint8Array)],
  })
  const held = hashes.map((hash) => toHex(hash))
  for (const [i, hash] of ["", "00", filled(0, 33)].entries()) {
    const put = { hashes: [held[0] as string, hash, held[2] as string] }
    const title = `at the index stand ${hash.length / 2} bytes`
    book.ok(416 + i, title, "ENVELOPE-20", "envelope.proof", { ...input(1), ...put })
  }
  const r = (n: number, mutation: Mutation, title: string) =>
    book.reject(
      n,
      "envelope/open",
      "ENVELOPE-20",
      twin,
      mutation,
      title,
      "the verifier computes the hash itself",
    )
  r(403, context("content", toHex(contents[0] as Uint8Array)), "another content")
  r(404, context("content", toHex(encode([0]))), "a content that was never sent")
  r(405, context("index", 0), "another index")
  r(406, context("recipient", "carol"), "another recipient")
  r(407, context("sender.name", "malice"), "another sender name")
  r(408, context("sender.ik", toHex(flight.mallory.own.ik)), "another sender key")
  r(409, flip("header", -1), "another header")
  r(410, flip("sig", 0), "another signature")
  r(411, context("th", filled(1, 32)), "another session")
  r(412, context("hashes.0", filled(1, 32)), "another hash beside it")
  r(413, context("suite", 2), "another suite")
  // Without the bound, a prover who leaves a hash out is given it back.
  const also = (n: number, field: string, put: Json, extra: JsonObject, title: string): void => {
    let changed = withAt(twin.input as JsonObject, field, put) as JsonObject
    changed = { ...changed, ...extra }
    const mutation = { ...context(field, put), with: extra, input: changed }
    book.reject(n, "envelope/open", "ENVELOPE-20", twin, mutation, title, "it would prove nothing")
  }
  const hexes = hashes.map((hash) => toHex(hash))
  const last = { hashes: hexes.slice(0, 2), content: toHex(contents[2] as Uint8Array) }
  also(414, "index", 2, last, "the index is behind the hashes")
  const trivial = SMALL_ORDER_KEYS[0] as string
  const forged = { sig: `${trivial}${filled(0, 32)}` }
  also(415, "sender.ik", trivial, forged, "a key of small order, its signature")
}
