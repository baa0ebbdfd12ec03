// Properties of SPEC §8: both ends derive alike; everything else is refused for the first reason.

import fc from "fast-check"
import { itemAt, replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { sha256Hex } from "../values.ts"
import { array, bstr, tstr, uint } from "../vectorgen/raw.ts"
import { property, type Setting } from "./define.ts"
import {
  type Contact,
  contact,
  firstEnvelope,
  type Plan,
  prekeyOf,
  respondArgs,
  sessionArgs,
  withInit,
} from "./flight.ts"
import { content } from "./forge.ts"
import { flip, flipped, NOW, names, pick, seed } from "./gen.ts"
import { bundleOf, oneTimeOf, person } from "./people.ts"
import type { Oracle, Trial } from "./trial.ts"

const plan = ({ suites }: Setting): fc.Arbitrary<Plan> =>
  fc.record({
    suite: fc.constantFrom(...suites),
    oneTime: fc.boolean(),
    seeds: fc.tuple(seed, seed).filter(([a, b]) => a !== b),
    names,
  })

/** Inits differ from the one that was made in one field. */
const FIELDS = ["suite", "bundleRef", "otkRef", "name", "ik", "dk", "e"] as const

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
  const changed: JsonObject = {
    ...(has("4b") ? { replayed: [th] } : {}),
    ...(has("4c") ? { sids: [th.slice(0, 32)] } : {}),
    ...(has("5a") ? { bundles: [] } : {}),
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

export const HANDSHAKE_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "handshake-p01", title: "the responder derives what the initiator derived" },
      ...{ req: "HANDSHAKE-32 HANDSHAKE-17 KEYSCHEDULE-3 KEYSCHEDULE-9", tier: 1, runs: 25 },
    },
    (setting) => fc.tuple(plan(setting), fc.integer({ min: 1, max: 4 })),
    async (trial, [how, count]) => {
      const it = await contact(trial.oracle, how)
      const contents = Array.from({ length: count }, (_, i) => content(i + 1, "x".repeat(i)))
      const envelope = await firstEnvelope(trial.oracle, it, contents)
      const { th, sid, rk } = it
      await trial.ok("handshake.respond", respondArgs(it, envelope), { th, sid, rk, contents })
    },
  ),
  property(
    {
      ...{
        id: "handshake-p02",
        title: "an initiator's first envelope founds the session it derived",
      },
      ...{ req: "HANDSHAKE-7 HANDSHAKE-4 KEYSCHEDULE-1 SUITE-6", tier: 2, runs: 25 },
    },
    (setting) => plan(setting),
    async (trial, how) => {
      const { oracle } = trial
      const it = await contact(oracle, how)
      const args = {
        ...{ identity: it.alice.identity, seed: it.alice.seed, bundle: it.bundle.bundle, now: NOW },
        ...{ oneTime: it.oneTime?.key ?? null, suites: [it.suite], remembered: 0 },
      }
      const own = trial.deterministic
        ? (await trial.same("handshake.initiate", args)).ok
        : await trial.ok("handshake.initiate", args)
      const made = { ...it, ...(own as { init: string; th: string; sid: string; rk: string }) }
      const contents = [content(1, "first"), content(2, "second")]
      const envelope = await firstEnvelope(trial, made, contents)
      const opened = await oracle.ok("handshake.respond", respondArgs(it, envelope))
      trial.equal([opened["th"] as string, opened["rk"] as string], [made.th, made.rk], "th, rk")
      trial.equal(opened["contents"], contents, "contents")
    },
  ),
  property(
    {
      ...{ id: "handshake-p03", title: "the transcript hash covers both names and every field" },
      ...{ req: "KEYSCHEDULE-2 HANDSHAKE-17", tier: 0, runs: 40 },
    },
    (setting) => fc.tuple(plan(setting), fc.nat(FIELDS.length + 1), flip),
    async (trial, [how, which, where]) => {
      const it = await contact(trial.oracle, how)
      const dh = ["0a", "0b", "0c"].map((byte) => byte.repeat(32))
      const ss = how.suite === 2 ? { ss: "0d".repeat(32) } : {}
      const args = { responder: it.bob.peer, init: it.init, dh, ...ss }
      const { ok } = await trial.same("handshake.derive", args)
      trial.equal(ok?.["th"], await transcript(it, it.init), "th")
      trial.equal(ok?.["sid"], String(ok?.["th"]).slice(0, 32), "sid")
      const other = changedTranscript(trial, it, args, which, where)
      const { ok: second } = await trial.same("handshake.derive", other)
      if (second === undefined) return
      const apart = second["th"] !== ok?.["th"] && second["rk"] !== ok?.["rk"]
      trial.check(apart, "two transcripts have one hash")
    },
  ),
  property(
    {
      ...{ id: "handshake-p04", title: "no bit of a first envelope can change" },
      ...{
        req: "HANDSHAKE-17 HANDSHAKE-21 HANDSHAKE-25 HANDSHAKE-32 ENVELOPE-13",
        tier: 1,
        runs: 40,
      },
    },
    (setting) => fc.tuple(plan(setting), flip),
    async (trial, [how, where]) => {
      const it = await contact(trial.oracle, how)
      const envelope = await firstEnvelope(trial.oracle, it)
      await trial.ok("handshake.respond", respondArgs(it, envelope))
      const changed = flipped(trial, envelope, where)
      const reply = await trial.same("handshake.respond", respondArgs(it, changed))
      trial.check(reply.ok === undefined, "a changed envelope founds a session")
    },
  ),
  property(
    {
      ...{ id: "handshake-p05", title: "of several defects of an init the first in order decides" },
      ...{ req: "HANDSHAKE-12 HANDSHAKE-13 HANDSHAKE-14 HANDSHAKE-15 HANDSHAKE-16 HANDSHAKE-17" },
      ...{ tier: 1, runs: 60 },
    },
    (setting) => fc.tuple(fc.constant(setting), fc.subarray([...DEFECTS.keys()], { maxLength: 3 })),
    (trial, [setting, chosen]) => orderOfChecks(trial, setting, chosen),
  ),
  property(
    {
      ...{ id: "handshake-p06", title: "an initiator refuses for the first reason in order" },
      ...{ req: "HANDSHAKE-1 HANDSHAKE-2 HANDSHAKE-3 HANDSHAKE-4 HANDSHAKE-5", tier: 1, runs: 60 },
    },
    ({ suites }) =>
      fc.record({
        own: fc.subarray([...suites], { minLength: 1 }),
        offered: fc.subarray([1, 2], { minLength: 1 }),
        remembered: fc.constantFrom(0, ...suites),
        self: fc.nat(5).map((n) => n === 5),
        flags: fc.nat(1),
        oneTime: fc.constantFrom("none", "good", "bad"),
      }),
    async (trial, { own, offered, remembered, self, flags, oneTime }) => {
      const { oracle } = trial
      const alice = await person(oracle, "alice", "a1".repeat(32))
      const bob = await person(oracle, "bob", "b0".repeat(32))
      const owner = self ? alice : bob
      const { bundle } = await bundleOf(oracle, owner, offered, { flags })
      const common = own.filter((suite) => offered.includes(suite))
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
  property(
    {
      ...{
        id: "handshake-p07",
        title: "who knows every key of the responder still cannot pose as another",
      },
      ...{ req: "HANDSHAKE-17 HANDSHAKE-32 ENVELOPE-13", tier: 1, runs: 25 },
    },
    (setting) =>
      fc.tuple(plan(setting), seed, fc.constantFrom("forge", "reflect", "pass on", "steal")),
    async (trial, [how, evil, attack]) => {
      const { oracle } = trial
      const it = await contact(oracle, how)
      const honest = await firstEnvelope(oracle, it)
      await trial.ok("handshake.respond", respondArgs(it, honest))
      if (attack === "reflect") {
        const own = { ...respondArgs(it, honest), identity: it.alice.identity }
        await trial.reject("handshake.respond", own, "handshake/self")
        return
      }
      if (attack === "pass on") {
        const foreign = await person(oracle, `m${it.bob.peer.name.slice(0, 60)}`, evil)
        const args = { ...respondArgs(it, honest), identity: foreign.identity }
        await trial.reject("handshake.respond", args, "envelope/open")
        return
      }
      const envelope = await posing(oracle, it, evil, attack === "steal")
      await trial.reject("handshake.respond", respondArgs(it, envelope), "envelope/open")
    },
  ),
]

/** TH by hand (SPEC §7.2). */
async function transcript(it: Contact, init: string): Promise<string> {
  const item = (i: number) => itemAt(init, [i])
  const { name, ik } = it.bob.peer
  return sha256Hex(
    array(
      ...[tstr("AgentMesh/1 handshake"), item(0), tstr(name), bstr(ik), item(1), item(2)],
      ...[item(3), item(4), item(5), item(6), item(7)],
    ),
  )
}

function changedTranscript(
  trial: Trial,
  it: Contact,
  args: JsonObject,
  which: number,
  where: { at: number; bit: number },
): JsonObject {
  const { name, ik } = it.bob.peer
  if (which === 0) return { ...args, responder: { name: `${name.slice(0, 60)}x`, ik } }
  if (which === 1) return { ...args, responder: { name, ik: flipped(trial, ik, where) } }
  const bytes = (i: number) => bstr(flipped(trial, itemAt(it.init, [i]).slice(4), where))
  const put = {
    suite: it.init.slice(2, 4),
    bundleRef: bytes(1),
    otkRef: it.oneTime ? bytes(2) : bstr("00".repeat(32)),
    name: tstr(`${it.alice.peer.name.slice(0, 60)}y`),
    ik: bytes(4),
    dk: bytes(5),
    e: bytes(6),
  }
  const field = pick(FIELDS, which - 2)
  const at = field === "suite" ? "name" : field
  return { ...args, init: replaceItem(it.init, [FIELDS.indexOf(at)], put[at]) }
}

/**
 * A first envelope that says it is from alice, made with the responder's keys and one's own
 * ephemeral: everything but alice's identity key (key-compromise impersonation).
 */
async function posing(oracle: Oracle, it: Contact, evil: string, ownDk: boolean): Promise<string> {
  const mallory = await person(oracle, it.alice.peer.name, evil)
  const made = await oracle.ok("handshake.initiate", {
    ...{ identity: mallory.identity, seed: mallory.seed, bundle: it.bundle.bundle, now: NOW },
    ...{ oneTime: it.oneTime?.key ?? null, suites: [it.suite], remembered: 0, trace: true },
  })
  let init = replaceItem(made["init"] as string, [4], bstr(it.alice.peer.ik))
  if (!ownDk) init = replaceItem(init, [5], bstr(it.alice.dk))
  const traced = new Map(made["trace"] as unknown as readonly (readonly [string, string])[])
  const prekey = it.bundle.prekeys[0] as { x: string }
  // With the responder's prekey secret, DH1 is known for whatever dk stands in the init.
  const remote = ownDk ? mallory.dk : it.alice.dk
  const { shared } = await oracle.ok("suite.dh", { secret: prekey.x, remote })
  const dhs = ["dh2", "dh3", "dh4"].flatMap((name) => traced.get(name) ?? [])
  const ss = traced.get("ss")
  const derived = await oracle.ok("handshake.derive", {
    ...{ responder: it.bob.peer, init, dh: [shared as string, ...dhs], ...(ss ? { ss } : {}) },
  })
  const { th, sid, rk } = derived as Record<"th" | "sid" | "rk", string>
  const forged: Contact = { ...it, alice: { ...mallory, peer: it.alice.peer }, init, th, sid, rk }
  const { handle } = await oracle.ok("session.new", {
    ...sessionArgs(forged, "initiator"),
    remote: prekeyOf(it.bundle.bundle, it.suite),
  })
  const sealed = await oracle.ok("session.seal", {
    ...{ session: handle as string, contents: [content(9, "trust me")] },
  })
  return sealed["envelope"] as string
}
