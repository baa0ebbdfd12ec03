// SPEC §8, §10: every limit one below, at and one above.

import { expect, test, vi } from "vitest"
import { decodeEnvelope } from "../src/envelope.ts"
import { MAX_CHAIN, MAX_SKIPPED, SKIPPED_LIFETIME } from "../src/limits.ts"
import { eraseExpired, open } from "../src/session.ts"
import { codeOf, content, NOW, type Party, pair, SUITES, settled } from "./support-session/kit.ts"
import { rawSeal } from "./support-session/raw.ts"

// Nothing here waits; a loaded machine is no failure.
vi.setConfig({ testTimeout: 300_000 })

const one = [content("x")]

/** `count` envelopes of a chain, none delivered. */
const chain = (party: Party, sid: string, count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, () => party.seal(sid, one))

test("a chain holds 1,000 envelopes, and n ends at 999 (SESSION-2, SESSION-8)", () => {
  const { alice, bob, sid } = pair(1)
  const sent = chain(alice, sid, MAX_CHAIN)
  const before = alice.state
  expect(codeOf(() => alice.seal(sid, one))).toBe("session/chain-limit")
  expect(alice.state).toBe(before)
  // The very first to arrive may be the last of the chain.
  expect(bob.receive(sent[MAX_CHAIN - 1] as Uint8Array)).toEqual(one)
  expect(bob.session(sid).skipped).toHaveLength(MAX_CHAIN - 1)
  expect(bob.session(sid).nr).toBe(MAX_CHAIN)
  // One beyond the end, from an insider: refused before any key.
  const over = rawSeal(alice.session(sid), alice.own, { n: MAX_CHAIN, mk: new Uint8Array(32) })
  const state = bob.state
  expect(codeOf(() => bob.receive(over))).toBe("session/chain-limit")
  expect(bob.state).toBe(state)
  expect(bob.receive(sent[0] as Uint8Array)).toEqual(one)
  // A full chain is no dead end: the answer opens the next one, which says pn = 1,000.
  alice.receive(bob.seal(sid, one))
  expect(bob.receive(alice.seal(sid, one))).toEqual(one)
  expect(alice.session(sid).pn).toBe(MAX_CHAIN)
  expect(codeOf(() => bob.receive(sent[998] as Uint8Array))).toBe("ok")
})

test("n on a first envelope: 999 opens, 1,000 does not (HANDSHAKE-14)", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = pair(suite)
    alice.seal(sid, one)
    const at = (n: number) => rawSeal(alice.session(sid), alice.own, { n, contents: one })
    expect(codeOf(() => bob.receive(at(1000)))).toBe("session/chain-limit")
    expect(bob.sessions.size).toBe(0)
    expect(bob.receive(at(999))).toEqual(one)
  }
})

test("pn: 1,000 passes, 1,001 does not, and less than was accepted cannot be (SESSION-8, SESSION-12)", () => {
  const { alice, bob, sid } = settled(1)
  for (const envelope of chain(alice, sid, 9)) bob.receive(envelope)
  alice.receive(bob.seal(sid, one))
  alice.seal(sid, one) // opens the new chain; pn is 10
  const with_ = (pn: number) => rawSeal(alice.session(sid), alice.own, { pn, n: 1, contents: one })
  expect(alice.session(sid).pn).toBe(10)
  for (const [pn, code] of [
    [1001, "session/chain-limit"],
    [0, "envelope/open"],
    [9, "envelope/open"],
  ] as const) {
    const before = bob.state
    expect(codeOf(() => bob.receive(with_(pn)))).toBe(code)
    expect(bob.state).toBe(before)
  }
  const state = bob.session(sid)
  for (const [pn, missing] of [
    [10, 0],
    [11, 1],
    [1000, 990],
  ] as const) {
    bob.sessions.set(sid, state)
    expect(bob.receive(with_(pn))).toEqual(one)
    expect(bob.session(sid).skipped).toHaveLength(missing + 1) // and n = 0 of the new chain
  }
})

test("a first answer says pn = 0 (SESSION-12), a first flight too (HANDSHAKE-13)", () => {
  const { alice, bob, sid } = pair(1)
  alice.seal(sid, one)
  const early = rawSeal(alice.session(sid), alice.own, { pn: 1, contents: one })
  expect(codeOf(() => bob.receive(early))).toBe("encoding/shape")
  bob.receive(rawSeal(alice.session(sid), alice.own, { contents: one }))
  bob.seal(sid, one)
  const answer = (pn: number) => rawSeal(bob.session(sid), bob.own, { pn, contents: one })
  const before = alice.state
  expect(codeOf(() => alice.receive(answer(1)))).toBe("envelope/open")
  expect(alice.state).toBe(before)
  expect(alice.receive(answer(0))).toEqual(one)
})

test("2,000 skipped keys: the 2,001st puts the oldest out, by insertion (SESSION-17)", () => {
  const { alice, bob, sid } = pair(1)
  const first = chain(alice, sid, MAX_CHAIN) // chain 0: 999 are skipped
  bob.receive(first[MAX_CHAIN - 1] as Uint8Array)
  alice.receive(bob.seal(sid, one))
  const second = chain(alice, sid, MAX_CHAIN) // chain 1: 999 more
  bob.receive(second[MAX_CHAIN - 1] as Uint8Array)
  alice.receive(bob.seal(sid, one))
  const third = chain(alice, sid, 4)
  expect(bob.session(sid).skipped).toHaveLength(1998)
  bob.receive(third[2] as Uint8Array) // 2 more: 2,000
  expect(bob.session(sid).skipped).toHaveLength(MAX_SKIPPED)
  const full = bob.session(sid)
  expect(bob.receive(first[0] as Uint8Array)).toEqual(one)
  bob.sessions.set(sid, full)
  alice.receive(bob.seal(sid, one))
  const fourth = chain(alice, sid, 2)
  // One key of the third chain and one of the fourth: 2,002, so two go.
  bob.receive(fourth[1] as Uint8Array)
  const after = bob.session(sid)
  expect(after.skipped).toHaveLength(MAX_SKIPPED)
  for (const gone of [0, 1]) {
    const state = bob.state
    expect(codeOf(() => bob.receive(first[gone] as Uint8Array))).toBe("session/replay")
    expect(bob.state).toBe(state)
  }
  const kept = [first[2], first[998], second[0], second[998], third[0], third[3], fourth[0]]
  for (const envelope of kept) expect(bob.receive(envelope as Uint8Array)).toEqual(one)
})

test("a skipped key lives one second less than seven days (SESSION-16)", () => {
  for (const [age, code] of [
    [SKIPPED_LIFETIME - 1, "ok"],
    [SKIPPED_LIFETIME, "session/replay"],
    [SKIPPED_LIFETIME + 1, "session/replay"],
    [-10 * SKIPPED_LIFETIME, "ok"], // a clock that went back erases nothing
  ] as const) {
    const { alice, bob, sid } = settled(1)
    const [late, early] = chain(alice, sid, 2) as [Uint8Array, Uint8Array]
    bob.receive(early)
    bob.now = NOW + age
    const state = bob.state
    expect(codeOf(() => bob.receive(late))).toBe(code)
    if (code !== "ok") expect(bob.state).toBe(state)
  }
})

test("a skipped key is stamped apart from the time that judges (SESSION-16)", () => {
  const { alice, bob, sid } = settled(1)
  const [late, early] = chain(alice, sid, 2) as [Uint8Array, Uint8Array]
  const read = (envelope: Uint8Array, kept: number, stamp?: number) => {
    const opened = open(bob.session(sid), bob.own, decodeEnvelope(envelope), kept, stamp)
    bob.sessions.set(sid, opened.session)
  }
  // An agent back after weeks: its kept clock lags, and follows within a day.
  read(early, NOW, NOW + 4 * SKIPPED_LIFETIME)
  expect(bob.session(sid).skipped.map((key) => key.time)).toEqual([NOW + 4 * SKIPPED_LIFETIME])
  read(late, NOW + 4 * SKIPPED_LIFETIME)
  expect(bob.session(sid).skipped).toEqual([])
})

test("expired keys go with the next commit of any kind, and with a clean-up (SESSION-16)", () => {
  const make = () => {
    const made = settled(1)
    const sent = chain(made.alice, made.sid, 6)
    made.bob.receive(sent[1] as Uint8Array) // keeps 0
    made.bob.now = NOW + 10
    made.bob.receive(sent[3] as Uint8Array) // keeps 2
    made.bob.now = NOW + SKIPPED_LIFETIME
    return { ...made, sent }
  }
  const numbers = ({ bob, sid }: ReturnType<typeof make>) =>
    bob.session(sid).skipped.map((key) => key.n)
  const stored = make()
  stored.bob.receive(stored.sent[2] as Uint8Array)
  expect(numbers(stored)).toEqual([])
  const current = make()
  current.bob.receive(current.sent[5] as Uint8Array)
  expect(numbers(current)).toEqual([3, 5])
  const stepped = make()
  stepped.alice.receive(stepped.bob.seal(stepped.sid, one))
  stepped.bob.receive(stepped.alice.seal(stepped.sid, one))
  expect(numbers(stepped)).toEqual([3, 5, 6])
  const cleaned = make()
  const session = cleaned.bob.session(cleaned.sid)
  expect(eraseExpired(session, NOW + SKIPPED_LIFETIME).skipped.map((key) => key.n)).toEqual([3])
  expect(eraseExpired(session, NOW + SKIPPED_LIFETIME - 1)).toBe(session)
  expect(eraseExpired(session, NOW + SKIPPED_LIFETIME + 10).skipped).toEqual([])
})

test("four retired chains can still be read; a fifth ends in envelope/open (SESSION-10)", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = pair(suite)
    const late: Uint8Array[] = []
    for (let turn = 0; turn < 6; turn++) {
      late.push(alice.seal(sid, one)) // stays behind
      bob.receive(alice.seal(sid, one))
      const state = bob.session(sid)
      for (const [i, envelope] of late.entries()) {
        const readable = i >= turn - 4
        const before = bob.state
        const code = codeOf(() => bob.receive(envelope))
        expect(code, `${i} in turn ${turn}`).toBe(readable ? "ok" : "envelope/open")
        if (!readable) expect(bob.state).toBe(before)
        bob.sessions.set(sid, state)
      }
      alice.receive(bob.seal(sid, one))
      // Also while an own chain is open, when a new block would be possible.
      if (turn === 5) {
        const before = bob.state
        expect(codeOf(() => bob.receive(late[0] as Uint8Array))).toBe("envelope/open")
        expect(bob.state).toBe(before)
        expect(bob.session(sid).retired).toHaveLength(4)
        expect(bob.session(sid).skipped).toHaveLength(5)
      }
    }
  }
})
