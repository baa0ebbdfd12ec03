// Properties of SPEC §10 about one session: order, loss, gaps, time, forgeries. Sequences of
// commands stand in the other files of that name.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { property, type Setting } from "./define.ts"
import { type Contact, contact, sessionArgs } from "./flight.ts"
import { content } from "./forge.ts"
import { flip, flipped, NOW, pick, seed } from "./gen.ts"
import { Insider } from "./insider.ts"
import type { Performer, Trial } from "./trial.ts"

const DAY = 86_400

/** Suite and seeds of a contact. */
export const meeting = ({ suites }: Setting): fc.Arbitrary<Meeting> =>
  fc.tuple(
    fc.constantFrom(...suites),
    fc.tuple(seed, seed).filter(([a, b]) => a !== b),
  )

/** See {@link meeting}. */
export type Meeting = readonly [suite: 1 | 2, seeds: readonly [string, string]]

/** The contact of a meeting. */
export function meet(trial: Trial, [suite, seeds]: Meeting): Promise<Contact> {
  return contact(trial.oracle, { suite, oneTime: false, seeds })
}

/** Both ends of a session, as handles of whoever makes them. */
export async function pair(
  it: Contact,
  a: Performer,
  b: Performer,
): Promise<{ a: string; b: string }> {
  const initiator = await a.ok("session.new", sessionArgs(it, "initiator"))
  const responder = await b.ok("session.new", sessionArgs(it, "responder"))
  return { a: initiator["handle"] as string, b: responder["handle"] as string }
}

/** Seals one content of a number. */
export async function sealed(by: Performer, session: string, i: number): Promise<string> {
  return (await by.ok("session.seal", { session, contents: [content(i)] }))["envelope"] as string
}

/** Arguments of `session.open`. */
export function opening(session: string, envelope: string, now: number = NOW): JsonObject {
  return { session, envelope, now }
}

export const SESSION_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "session-p01", title: "what arrives of a chain, in any order, is delivered once" },
      ...{ req: "SESSION-9 SESSION-14 SESSION-15 SESSION-17", tier: 2, runs: 25 },
    },
    (setting) =>
      fc.tuple(
        meeting(setting),
        fc.integer({ min: 1, max: 24 }),
        fc.array(fc.nat(30), { maxLength: 40, size: "max" }),
      ),
    async (trial, [met, count, arrivals]) => {
      const it = await meet(trial, met)
      const ends = await pair(it, trial.oracle, trial)
      const envelopes: string[] = []
      for (let i = 0; i < count; i++) envelopes.push(await sealed(trial.oracle, ends.a, i))
      const seen = new Set<number>()
      for (const arrival of arrivals) {
        const i = arrival % count
        const args = opening(ends.b, envelopes[i] as string)
        if (seen.has(i)) await trial.reject("session.open", args, "session/replay", "unchanged")
        else await trial.ok("session.open", args, { contents: [content(i)] })
        seen.add(i)
      }
    },
  ),
  property(
    {
      ...{ id: "session-p02", title: "a refused envelope leaves the state bit for bit as it was" },
      ...{ req: "SESSION-19 SESSION-14", tier: 2, runs: 40 },
    },
    (setting) =>
      fc.tuple(meeting(setting), fc.nat(3), fc.array(flip, { minLength: 1, maxLength: 4 })),
    async (trial, [met, before, flips]) => {
      const it = await meet(trial, met)
      const ends = await pair(it, trial.oracle, trial)
      // The same end at the reference says which code a changed envelope gets; it only opens.
      const twin = (await pair(it, trial.oracle, trial.oracle)).b
      for (let i = 0; i <= before; i++) {
        const envelope = await sealed(trial.oracle, ends.a, i)
        if (i % 2 === 1) continue
        await trial.ok("session.open", opening(ends.b, envelope), { contents: [content(i)] })
        await trial.oracle.ok("session.open", opening(twin, envelope))
      }
      const last = await sealed(trial.oracle, ends.a, 61)
      for (const where of flips) {
        const bad = flipped(trial, last, where)
        const code = await trial.oracle.verdict("session.open", opening(twin, bad))
        await trial.reject("session.open", opening(ends.b, bad), code, "unchanged")
      }
      await trial.ok("session.open", opening(ends.b, last), { contents: [content(61)] })
    },
  ),
  property(
    {
      ...{ id: "session-p03", title: "session keys without the identity key open no door" },
      ...{ req: "ENVELOPE-13 SESSION-14 SESSION-19", tier: 2, runs: 30 },
    },
    (setting) => fc.tuple(meeting(setting), fc.nat(6), fc.nat(6), fc.nat(2)),
    async (trial, [met, n, known, how]) => {
      const it = await meet(trial, met)
      const { b } = await pair(it, trial.oracle, trial)
      const insider = new Insider(it, trial.oracle)
      const chain = await insider.step()
      const make = (at: number, deviation = {}) =>
        insider.envelope({ chain, n: at, pn: 0, contents: [content(at)], deviation })
      const first = await make(known)
      await trial.ok("session.open", opening(b, first), { contents: [content(known)] })
      const deviation = [
        { ikSecret: "66".repeat(32) },
        { signed: { recipient: it.alice.peer.name } },
        { signed: { th: "00".repeat(32) } },
      ][how]
      const at = n === known ? n + 1 : n
      const forged = await make(at, deviation)
      await trial.reject("session.open", opening(b, forged), "envelope/open", "unchanged")
      await trial.ok("session.open", opening(b, await make(at)), { contents: [content(at)] })
    },
  ),
  property(
    {
      ...{ id: "session-p04", title: "gaps pass up to their limits, and no further" },
      ...{ req: "SESSION-8 SESSION-12 SESSION-17", tier: 2, runs: 12 },
    },
    (setting) =>
      fc.tuple(
        ...([meeting(setting), fc.constantFrom(0, 1, 998, 999, 1000, 1001)] as const),
        ...([
          fc.constantFrom(0, 1, 2, 3, 999, 1000, 1001),
          fc.integer({ min: 1, max: 3 }),
        ] as const),
      ),
    async (trial, [met, n, pn, count]) => {
      const it = await meet(trial, met)
      const { b } = await pair(it, trial.oracle, trial)
      const insider = new Insider(it, trial.oracle)
      const chain = await insider.step()
      const lead = { chain, n: count - 1, pn: 0, contents: [content(1)] }
      await trial.ok("session.open", opening(b, await insider.envelope(lead)))
      await insider.answered(chain, await sealed(trial, b, 2))
      const next = await insider.step()
      const envelope = await insider.envelope({ chain: next, n, pn, contents: [content(3)] })
      const far = n > 999 || pn > 1000
      const code = far ? "session/chain-limit" : pn < count ? "envelope/open" : "ok"
      await trial.ends("session.open", opening(b, envelope), code)
      if (code !== "ok" || n === 0) return
      // The newest of all skipped keys is there; the oldest only if they fit.
      const late = await insider.envelope({ chain: next, n: n - 1, pn, contents: [content(4)] })
      await trial.ok("session.open", opening(b, late), { contents: [content(4)] })
    },
  ),
  property(
    {
      ...{ id: "session-p05", title: "a skipped key serves for seven days, once" },
      ...{ req: "SESSION-16 SESSION-9", tier: 2, runs: 25 },
    },
    (setting) => fc.tuple(meeting(setting), fc.nat(8), fc.nat(8), fc.integer({ min: -2, max: 1 })),
    async (trial, [met, gap, which, off]) => {
      const it = await meet(trial, met)
      const ends = await pair(it, trial.oracle, trial)
      const envelopes: string[] = []
      for (let i = 0; i <= gap + 1; i++) envelopes.push(await sealed(trial.oracle, ends.a, i))
      await trial.ok("session.open", opening(ends.b, envelopes[gap + 1] as string))
      const late = opening(ends.b, pick(envelopes.slice(0, -1), which), NOW + 7 * DAY + off)
      await trial.ends("session.open", late, off < 0 ? "ok" : "session/replay")
      await trial.reject("session.open", late, "session/replay")
    },
  ),
  property(
    {
      ...{ id: "session-p06", title: "a conversation is the reference's, byte for byte" },
      ...{ req: "SESSION-1 SESSION-4 SUITE-6 HANDSHAKE-7 HANDSHAKE-8 KEYSCHEDULE-6", tier: 2 },
      ...{ needs: ["deterministic"], runs: 15 },
    },
    (setting) =>
      fc.tuple(
        meeting(setting),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12, size: "max" }),
      ),
    async (trial, [met, turns]) => {
      const it = await meet(trial, met)
      const [own, ref] = [await pair(it, trial, trial), await pair(it, trial.oracle, trial.oracle)]
      for (const [i, bobs] of turns.entries()) {
        const [from, to] = bobs && i > 0 ? (["b", "a"] as const) : (["a", "b"] as const)
        const contents = [content(i)]
        const { trace: _trace, ...made } = await trial.oracle.ok("session.seal", {
          session: ref[from],
          contents,
        })
        await trial.ok("session.seal", { session: own[from], contents }, made)
        const envelope = made["envelope"] as string
        const { trace: _other, ...seen } = await trial.oracle.ok(
          "session.open",
          opening(ref[to], envelope),
        )
        await trial.ok("session.open", opening(own[to], envelope), seen)
      }
    },
  ),
]
