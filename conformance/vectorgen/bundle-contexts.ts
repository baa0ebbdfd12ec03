// Vectors of SPEC §6 bundle: dates, and what is known of the signer.

import type { OwnBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { fingerprint } from "../../src/identity.ts"
import type { Case, JsonObject } from "../driver.ts"
import { DAY } from "./bundle-made.ts"
import { type Book, context, filled } from "./kit.ts"
import { NOW, Person } from "./people.ts"

/** A code and the requirement that asks for it. */
type Fault = readonly [code: string, req: string]

const EXPIRED: Fault = ["bundle/expired", "BUNDLE-18"]
const EARLY: Fault = ["bundle/not-yet-valid", "BUNDLE-17"]
const NAME: Fault = ["bundle/name-mismatch", "BUNDLE-19"]
const PRINT: Fault = ["identity/fingerprint", "BUNDLE-20"]
const PIN: Fault = ["identity/changed", "BUNDLE-21"]
const ROLLBACK: Fault = ["bundle/rollback", "BUNDLE-22"]
const TWO: Fault = ["bundle/equivocation", "BUNDLE-23"]

/** Adds bundles that were accepted, held against a clock and what is known of their signer. */
export function contexts(book: Book, one: Case, bundle: OwnBundle): void {
  dates(book, one, bundle)
  const other = new Person("mallory").own.ik
  const full = {
    now: NOW,
    name: "bob",
    fingerprint: fingerprint(bundle.ik),
    pinned: toHex(bundle.ik),
    known: { seq: NOW, ref: toHex(bundle.ref) },
  }
  const twin = book.ok(230, "held against everything", "BUNDLE-24", "bundle.accept", {
    ...one.input,
    context: full,
  })
  const [served, meant] = [
    "a bundle served for another name proves nothing about it",
    "the address says which key is meant",
  ]
  const changed = "a silent change is the classic attack"
  const back = "it would bring old prekeys back"
  const twice = "two bodies with one seq prove a fault of their signer"
  const single: readonly (readonly [number, Fault, string, string | number, string, string])[] = [
    [231, NAME, "name", "mallory", "served for another name", served],
    [232, PRINT, "fingerprint", fingerprint(other), "another fingerprint in the address", meant],
    [233, PIN, "pinned", toHex(other), "another key is pinned", changed],
    [234, ROLLBACK, "known.seq", NOW + 1, "lower seq than before", back],
    [235, ROLLBACK, "known.seq", 2 ** 53 - 1, "far lower seq", back],
    [236, TWO, "known.ref", filled(7, 32), "another body with the same seq", twice],
  ]
  for (const [n, [code, req], field, put, title, why] of single)
    book.reject(n, code, req, twin, context(`context.${field}`, put), title, why)
  // Two faults at once: the earlier check decides.
  const pinned = toHex(other)
  const known = { seq: NOW + 9, ref: null }
  const both: readonly (readonly [number, Fault, JsonObject, string])[] = [
    [240, NAME, { name: "mallory", pinned }, "name before pin"],
    [241, NAME, { name: "mallory", known }, "name before seq"],
    [242, PRINT, { fingerprint: fingerprint(other), pinned }, "fingerprint before pin"],
    [243, PIN, { pinned, known }, "pin before seq"],
    [244, EXPIRED, { now: NOW + 60 * DAY, name: "mallory" }, "time before name"],
  ]
  for (const [n, [code, req], put, title] of both) {
    const mutation = context("context", { ...full, ...put })
    book.reject(n, code, req, twin, mutation, title, "the first failure wins")
  }
}

function dates(book: Book, one: Case, { notBefore, notAfter }: OwnBundle): void {
  const at = (n: number, title: string, req: string, now: number) =>
    book.ok(n, title, req, "bundle.accept", { ...one.input, context: { now } })
  const late = at(220, "300 s after the end", "BUNDLE-18", notAfter + 300)
  const early = at(221, "300 s before the begin", "BUNDLE-17", notBefore - 300)
  const outside: readonly (readonly [number, Fault, Case, number, string])[] = [
    [222, EXPIRED, late, notAfter + 301, "301 s after the end"],
    [223, EARLY, early, notBefore - 301, "301 s before the begin"],
    [224, EXPIRED, late, 2 ** 53 - 1, "at the end of time"],
    [225, EARLY, early, 0, "at the epoch"],
  ]
  for (const [n, [code, req], twin, now, title] of outside)
    book.reject(n, code, req, twin, context("context.now", now), title, "the skew is 300 s")
}
