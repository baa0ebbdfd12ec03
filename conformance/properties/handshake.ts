// Properties of SPEC §8: both ends derive alike; everything else is refused for the first reason.

import fc from "fast-check"
import { itemAt, replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { sha256Hex } from "../values.ts"
import { array, bstr, tstr } from "../vectorgen/raw.ts"
import { property, type Setting } from "./define.ts"
import { type Contact, contact, firstEnvelope, type Plan, respondArgs } from "./flight.ts"
import { content } from "./forge.ts"
import { flip, flipped, NOW, names, pick, seed } from "./gen.ts"
import { posing } from "./impostor.ts"
import { person } from "./people.ts"
import type { Trial } from "./trial.ts"

const plan = ({ suites }: Setting): fc.Arbitrary<Plan> =>
  fc.record({
    suite: fc.constantFrom(...suites),
    oneTime: fc.boolean(),
    seeds: fc.tuple(seed, seed).filter(([a, b]) => a !== b),
    names,
  })

/** Inits differ from the one that was made in one field. */
const FIELDS = ["suite", "bundleRef", "otkRef", "name", "ik", "dk", "e"] as const

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
      if (how.seeds.includes(evil)) return
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
