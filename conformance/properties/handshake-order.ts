// Properties of SPEC §8: of several reasons to refuse, the first in order decides.

import fc from "fast-check"
import { replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { bstr, tstr, uint } from "../vectorgen/raw.ts"
import { property, type Setting } from "./define.ts"
import { type Contact, contact, firstEnvelope, type Plan, respondArgs, withInit } from "./flight.ts"
import { NOW } from "./gen.ts"
import { bundleOf, oneTimeOf, person } from "./people.ts"
import type { Oracle, Trial } from "./trial.ts"

async function thOf(oracle: Oracle, it: Contact, init: string): Promise<string> {
  const dh = ["00", "01", "02"].map((byte) => byte.repeat(32))
  const args = {
    responder: it.bob.peer,
    init,
    dh,
    ...(it.suite === 2 ? { ss: dh[0] as string } : {}),
  }
  return (await oracle.ok("handshake.derive", args))["th"] as string
}

/** Defects of a first envelope or its context, in the order of SPEC §8.4. */
const DEFECTS: readonly (readonly [code: string, step: string])[] = [
  ...([
    ["suite/unsupported", "1a"],
    ["encoding/shape", "1b"],
    ["session/chain-limit", "1c"],
  ] as const),
  ...([
    ["identity/name", "1d"],
    ["handshake/self", "2"],
    ["envelope/open", "3"],
  ] as const),
  ...([
    ["handshake/replay", "4b"],
    ["envelope/open", "4c"],
    ["handshake/unknown-prekey", "5a"],
  ] as const),
  ...([
    ["suite/downgrade", "5c"],
    ["handshake/one-time-required", "5d"],
  ] as const),
  ...([
    ["handshake/unknown-prekey", "5e"],
    ["identity/untrusted", "6a"],
    ["identity/changed", "6b"],
  ] as const),
  ...([
    ["identity/untrusted", "6c"],
    ["handshake/limit", "6d"],
    ["suite/bad-key", "7"],
  ] as const),
  ["envelope/open", "8a"],
]

async function orderOfChecks(
  trial: Trial,
  setting: Setting,
  chosen: readonly number[],
): Promise<void> {
  const { oracle } = trial
  const steps = chosen.map((index) => DEFECTS[index]?.[1] as string)
  const has = (step: string) => steps.includes(step)
  const it = await contact(oracle, {
    ...{ suite: 1, oneTime: true, seeds: ["a1".repeat(32), "b0".repeat(32)] },
    flags: has("5d") ? 1 : 0,
  })
  const genuine = await firstEnvelope(oracle, it)
  let init = it.init
  if (has("1a")) init = replaceItem(init, [0], "03")
  if (has("1d")) init = replaceItem(init, [3], tstr("Alice"))
  if (has("2")) init = replaceItem(init, [4], bstr(it.bob.peer.ik))
  if (has("5d")) init = replaceItem(init, [2], "f6")
  if (has("7")) init = replaceItem(init, [5], bstr("ff".repeat(32)))
  const readable = init !== it.init && !has("1a") && !has("1d")
  const th = readable ? await thOf(oracle, it, init) : it.th
  let envelope = withInit(genuine, init, th)
  if (has("1b")) envelope = replaceItem(envelope, [0, 3], "01")
  if (has("1c")) envelope = replaceItem(envelope, [0, 4], uint(1000))
  if (has("3")) envelope = replaceItem(envelope, [0, 1], bstr("00".repeat(16)))
  if (has("8a")) envelope = trial.mutated(envelope, { at: -1, xor: "01" })
  const args = respondArgs(it, envelope)
  // Another live bundle: one replay cache at least is there to hold TH.
  const { bundle, prekeys } = await bundleOf(oracle, it.bob, [1], { seq: NOW + 1 })
  const changed: JsonObject = {
    ...(has("4b") ? { replayed: [th] } : {}),
    ...(has("4c") ? { sids: [th.slice(0, 32)] } : {}),
    ...(has("5a") ? { bundles: [{ bundle, prekeys }] } : {}),
    ...(has("5c") ? { remembered: 2, suites: setting.suites } : {}),
    ...(has("5e") ? { oneTimes: [] } : {}),
    ...(has("6a") ? { from: "somebody" } : {}),
    ...(has("6b") ? { pins: { alice: "00".repeat(32) } } : {}),
    ...(has("6c") ? { trusted: false } : {}),
    ...(has("6d") ? { room: false } : {}),
  }
  const skipped = (step: string) =>
    // Without suite 2 there is no downgrade; without a one-time reference none can be unknown.
    (step === "5c" && !setting.suites.includes(2)) || (step === "5e" && has("5d"))
  const first = chosen.find((index) => !skipped(DEFECTS[index]?.[1] as string))
  const sound = await contact(oracle, PLAIN)
  await trial.ok("handshake.respond", respondArgs(sound, await firstEnvelope(oracle, sound)))
  const expect = first === undefined ? "ok" : (DEFECTS[first]?.[0] as string)
  await trial.ends("handshake.respond", { ...args, ...changed }, expect)
}

const PLAIN: Plan = { suite: 1, oneTime: true, seeds: ["a1".repeat(32), "b0".repeat(32)] }

export const ORDER_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "handshake-p05", title: "of several defects of an init the first in order decides" },
      ...{
        req:
          "HANDSHAKE-12 HANDSHAKE-13 HANDSHAKE-14 HANDSHAKE-15 HANDSHAKE-16 HANDSHAKE-17 " +
          "HANDSHAKE-19 HANDSHAKE-20 HANDSHAKE-21 HANDSHAKE-23 HANDSHAKE-24 HANDSHAKE-25 " +
          "HANDSHAKE-26 HANDSHAKE-27 HANDSHAKE-29 HANDSHAKE-30 HANDSHAKE-31",
      },
      ...{ tier: 1, runs: 80 },
    },
    (setting) =>
      fc.tuple(
        fc.constant(setting),
        fc.oneof(
          fc.subarray([...DEFECTS.keys()], { maxLength: 3 }),
          fc
            .record({ at: fc.nat(DEFECTS.length - 2), gap: fc.integer({ min: 1, max: 3 }) })
            .map(({ at, gap }) => [at, Math.min(at + gap, DEFECTS.length - 1)]),
        ),
      ),
    (trial, [setting, chosen]) => orderOfChecks(trial, setting, chosen),
  ),
  property(
    {
      ...{ id: "handshake-p06", title: "an initiator refuses for the first reason in order" },
      ...{ req: "HANDSHAKE-1 HANDSHAKE-2 HANDSHAKE-3 HANDSHAKE-4 HANDSHAKE-5", tier: 1, runs: 60 },
    },
    ({ suites }) =>
      fc.record({
        // Downgrades need both suites on one side and one of them on the other.
        own: fc.oneof(fc.constant([...suites]), fc.subarray([...suites], { minLength: 1 })),
        offered: fc.constantFrom([1], [1], [2], [1, 2]),
        remembered: fc.constantFrom(0, ...suites, ...suites.slice(-1)),
        self: fc.nat(7).map((n) => n === 7),
        flags: fc.nat(1),
        oneTime: fc.constantFrom("none", "good", "bad"),
      }),
    async (trial, { own, offered, remembered, self, flags, oneTime }) => {
      const { oracle } = trial
      const alice = await person(oracle, "alice", "a1".repeat(32))
      const bob = await person(oracle, "bob", "b0".repeat(32))
      const owner = self ? alice : bob
      const { bundle } = await bundleOf(oracle, owner, offered, { flags })
      const common = own.filter((suite) => offered.some((other) => other === suite))
      const suite = Math.max(0, ...common)
      const least = own.includes(remembered as 1) ? remembered : 0
      const { key } = await oneTimeOf(oracle, owner, suite || 1)
      const given = { none: null, good: key, bad: trial.mutated(key, { at: -1, xor: "01" }) }[
        oneTime
      ]
      const args = {
        ...{ identity: alice.identity, seed: alice.seed, bundle, oneTime: given, suites: own },
        ...{ remembered, now: NOW },
      }
      const verdicts: readonly (readonly [boolean, string])[] = [
        [self, "handshake/self"],
        [common.length === 0, "suite/unsupported"],
        [suite < least, "suite/downgrade"],
        [oneTime === "bad", "bundle/one-time"],
        [oneTime === "none" && flags === 1, "handshake/one-time-required"],
      ]
      const expect = verdicts.find(([fails]) => fails)?.[1] ?? "ok"
      await trial.ends("handshake.initiate", args, expect, { suite })
    },
  ),
]
