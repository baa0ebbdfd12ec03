// Vectors of SPEC §8 handshake: what is refused for the prekeys it names, or by its recipient.

import { toHex } from "../../src/bytes.ts"
import { application, Flight, forge } from "./flight.ts"
import { type Base, type Bases, based, including, inInit, other } from "./handshake-base.ts"
import { type Book, context, filled } from "./kit.ts"
import { bundleJson, NOW, oneTimeJson, Person } from "./people.ts"
import { bstr, NULL } from "./raw.ts"
import { refusing } from "./refusing.ts"

/**
 * Adds inits whose keys are gone or were never offered (step 5 of §8.4).
 *
 * @returns An accepted flight to a bundle that asks for one-time keys.
 */
export function stepFive(book: Book, { one, oneTime, two, twoTime }: Bases): Base {
  const unknown = "handshake/unknown-prekey"
  const gone = refusing(book, unknown, "HANDSHAKE-21", "the private keys are gone")
  gone(160, one, context("bundles", []), "the bundle is not live any more")
  const nothing = bstr(filled(1, 32))
  gone(161, one, inInit(one, 1, nothing), "bundle-ref of nothing")
  const used = refusing(book, unknown, "HANDSHAKE-25", "it was used or never existed")
  used(162, oneTime, context("oneTimes", []), "the one-time key was used")
  used(163, one, inInit(one, 2, nothing), "otk-ref of nothing")
  used(164, twoTime, context("oneTimes", []), "the one-time key of suite 2 was used")

  const foreign = new Person("bob").oneTime(2)
  const mixed = refusing(book, unknown, "HANDSHAKE-25", "algorithms of suites are not combined")
  const named = inInit(oneTime, 2, bstr(toHex(foreign.ref)))
  const held = including(named, { oneTimes: [oneTimeJson(foreign)] })
  mixed(165, oneTime, held, "otk-ref of a key of another suite")
  const single = new Person("bob").bundle({ suites: [1], seq: NOW + 7 })
  const lacking = inInit(two, 1, bstr(toHex(single.ref)))
  const none = refusing(book, "suite/unsupported", "HANDSHAKE-22", "there is no prekey of it")
  const offer = including(lacking, { bundles: [bundleJson(single)] })
  none(166, two, offer, "a suite that the bundle does not offer")

  const taken = "an attacker may have taken suite 2 away"
  const down = refusing(book, "suite/downgrade", "HANDSHAKE-23", taken)
  down(167, one, context("remembered", 2), "suite 1 after suite 2")
  const title = "a one-time key where it is required"
  const required = based(book, 168, title, "HANDSHAKE-24", new Flight(1, true, { flags: 1 }))
  const asked = "the owner asked for it"
  const duty = refusing(book, "handshake/one-time-required", "HANDSHAKE-24", asked)
  duty(169, required, inInit(required, 2, NULL), "no one-time key where it is required")
  return required
}

/** Adds inits that the owner does not want (step 6 of §8.4). */
export function stepSix(book: Book, { one }: Bases): void {
  const { mallory } = one.flight
  const honest = "an honest hub authenticates that name"
  const from = refusing(book, "identity/untrusted", "HANDSHAKE-26", honest)
  from(180, one, context("from", "mallory"), "from-name is another")
  from(181, one, context("from", "alice2"), "from-name is longer")
  const pins = { alice: toHex(mallory.own.ik) }
  const silent = "a silent change is the classic attack"
  const pin = refusing(book, "identity/changed", "HANDSHAKE-27", silent)
  pin(182, one, context("pins", pins), "another key is pinned")
  const choice = refusing(book, "identity/untrusted", "HANDSHAKE-29", "it is the owner's choice")
  choice(183, one, context("trusted", false), "the trust policy refuses")
  const fill = "a stranger must not fill the store"
  const room = refusing(book, "handshake/limit", "HANDSHAKE-30", fill)
  room(184, one, context("room", false), "too many handshakes")

  // Another ik and a signature that fails: the code was decided at the pin.
  const parts = one.flight.parts([application("hello")])
  const forged = forge(parts, { ikSecret: mallory.own.ikSecret })
  const put = "another key is pinned, and the signature is of another key"
  const change = including(other(one, forged, put, undefined, [[1]]), { pins })
  const decided = "the code is decided at the pin"
  const first = refusing(book, "identity/changed", "HANDSHAKE-27", decided)
  first(185, one, change, "another key is pinned, forged envelope")
}
