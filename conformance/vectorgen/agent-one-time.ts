// Vectors of SPEC §12 agent: one-time keys.

import type { Suite } from "../../src/suite.ts"
import type { JsonObject } from "../driver.ts"
import { type Add, Forger, made, Script, state } from "./agent-script.ts"
import { application, forge } from "./flight.ts"

/** A one-time key serves for one handshake, and for no forged one. */
export function oneTimeKeys(add: Add): void {
  const held = (suite: Suite, extra: JsonObject = {}): Script => {
    const script = new Script().agent("b", "bob", { trust: { accept: "any" }, ...extra })
    script.do("agent.oneTime", { agent: "$b", suite })
    return script
  }
  for (const suite of [1, 2] as const) {
    const base = 200 + 10 * suite
    const again = held(suite)
    const first = new Forger(suite, true)
    const envelope = first.seal(application("hello"))
    const taken = again.receive("b", envelope)
    again.forget("b", "alice")
    again.refuseEnvelope(
      "b",
      "handshake/unknown-prekey",
      envelope,
      state("its session was erased"),
      taken,
    )
    add(
      base,
      "handshake/unknown-prekey",
      "HANDSHAKE-25 HANDSHAKE-34",
      `an init on a used one-time key, suite ${suite}`,
      again.steps,
      "a one-time key serves once",
    )

    const second = held(suite)
    const twin = second.receive("b", envelope)
    const other = new Forger(suite, true, { again: true }).seal(application("hello again"))
    second.refuseEnvelope(
      "b",
      "handshake/unknown-prekey",
      other,
      made("another init on the same one-time key"),
      twin,
    )
    add(
      base + 1,
      "handshake/unknown-prekey",
      "HANDSHAKE-25 HANDSHAKE-34",
      `a second init on one one-time key, suite ${suite}`,
      second.steps,
      "a one-time key serves once",
    )

    const kept = held(suite)
    const { flight } = new Forger(suite, true)
    const parts = flight.parts([application("hello")])
    const forged = forge(parts, { ikSecret: flight.mallory.own.ikSecret })
    kept.refuseEnvelope(
      "b",
      "envelope/open",
      forged,
      { level: "field", field: "envelope", put: "signature by another key", follows: [[1]] },
      kept.next + 1,
    )
    kept.receive("b", forge(parts))
    add(
      base + 2,
      "envelope/open",
      "HANDSHAKE-34 SESSION-19",
      `a forged init leaves the one-time key, suite ${suite}`,
      kept.steps,
      "junk costs nothing",
    )
  }
  const flags = 1
  const required = held(1, { requireOneTime: true })
  const bare = new Forger(1, false, { flags, bare: true }).seal(application("no key"))
  required.refuseEnvelope(
    "b",
    "handshake/one-time-required",
    bare,
    made("an init without a one-time key"),
    required.next + 1,
  )
  required.receive("b", new Forger(1, true, { flags }).seal(application("with one")))
  add(
    205,
    "handshake/one-time-required",
    "HANDSHAKE-24",
    "an agent that asks for one-time keys",
    required.steps,
    "the owner asked for it",
  )
}
