// Vectors of SPEC §8 handshake: inits that are accepted.

import { toHex } from "../../src/bytes.ts"
import type { JsonObject } from "../driver.ts"
import { application, Flight } from "./flight.ts"
import { type Base, type Bases, based } from "./handshake-base.ts"
import { type Book, filled } from "./kit.ts"
import { bundleJson, NOW, oneTimeJson, Person } from "./people.ts"

/** Adds inits that a responder accepts. */
export function accepted(book: Book): Bases {
  const make = (n: number, title: string, flight: Flight): Base =>
    based(book, n, title, "HANDSHAKE-32 HANDSHAKE-34", flight)
  const bases = {
    one: make(100, "init of suite 1", new Flight(1)),
    oneTime: make(101, "init of suite 1 with a one-time key", new Flight(1, true)),
    two: make(102, "init of suite 2", new Flight(2)),
    twoTime: make(103, "init of suite 2 with a one-time key", new Flight(2, true)),
  }
  const { one, oneTime } = bases
  const ok = (n: number, title: string, req: string, input: JsonObject) =>
    book.ok(n, title, req, "handshake.respond", input)
  const late = one.flight.seal([application("late")], 999).envelope
  ok(104, "n = 999 arrives first", "HANDSHAKE-14", { ...one.input, envelope: late })
  const many = one.flight.seal([
    application("a"),
    application("b", 1),
    application("c", 2),
  ]).envelope
  ok(105, "three contents in the first envelope", "HANDSHAKE-10", { ...one.input, envelope: many })
  ok(106, "another one-time key beside it", "HANDSHAKE-25", {
    ...oneTime.input,
    oneTimes: [
      oneTimeJson(new Person("bob").oneTime(1, NOW - 5)),
      ...(oneTime.input["oneTimes"] as []),
    ],
  })
  const newer = new Person("bob")
  newer.bundle()
  ok(107, "the bundle before the newest one", "HANDSHAKE-21", {
    ...one.input,
    bundles: [bundleJson(newer.bundle({ seq: NOW + 1 })), ...(one.input["bundles"] as [])],
  })
  ok(108, "from-name is the name of the init", "HANDSHAKE-26", { ...one.input, from: "alice" })
  ok(109, "the pinned key", "HANDSHAKE-27", {
    ...one.input,
    pins: { alice: toHex(one.flight.alice.own.ik) },
  })
  ok(110, "after the end of the bundle, which is live", "HANDSHAKE-21", {
    ...one.input,
    now: NOW + 37 * 86_400,
  })
  ok(111, "suite 1 after suite 2, at a responder without suite 2", "HANDSHAKE-23", {
    ...one.input,
    suites: [1],
    remembered: 2,
  })
  ok(112, "other handshakes in the replay cache", "HANDSHAKE-19", {
    ...one.input,
    replayed: [filled(1, 32)],
    sids: [filled(2, 16)],
  })
  book.ok(
    113,
    "suite 2 of a live bundle, at a responder that has stopped offering it",
    "HANDSHAKE-22",
    "handshake.respond",
    { ...bases.two.input, suites: [1] },
    { needs: ["suite-2"] },
  )
  return bases
}
