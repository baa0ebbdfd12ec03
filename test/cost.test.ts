// White box: what one unauthenticated envelope costs at most (HANDSHAKE-41), in calls of the
// backend, and that no ciphertext is tried under two keys (SESSION-18).

import { beforeEach, describe, expect, test, vi } from "vitest"
import type { Backend } from "../src/crypto/backend.ts"

type Operation = keyof Omit<Backend, "name">

const calls = vi.hoisted(() => new Map<string, number>())

vi.mock("#crypto", async (original) => {
  const { backend } = await original<{ backend: Backend }>()
  const counted = Object.entries(backend).map(([name, value]) => {
    if (typeof value !== "function") return [name, value]
    const count = (...args: never[]) => {
      calls.set(name, (calls.get(name) ?? 0) + 1)
      return (value as (...args: never[]) => unknown)(...args)
    }
    return [name, count]
  })
  return { backend: Object.fromEntries(counted) as Backend }
})

const { createBundle, createOneTimeKey } = await import("../src/bundle.ts")
const { encodeContent, decodeEnvelope, encodeHeader } = await import("../src/envelope.ts")
const { initiate, readInit, respond } = await import("../src/handshake.ts")
const { createIdentity } = await import("../src/identity.ts")
const { createInitiator, createResponder, open, seal } = await import("../src/session.ts")
const { makeInput, Random } = await import("./fuzz/mutate.ts")
const { encode } = await import("../src/encoding.ts")

const NOW = 1_767_225_600
let drawn = 0
const draw = (_name: string, length: number): Uint8Array =>
  new Uint8Array(length).map((_, i) => (i * 29 + ++drawn * 5 + 1) & 255)
const count = (name: Operation): number => calls.get(name) ?? 0

/** Derivations of chain and message keys: one HMAC each; 8 more for root, step and seal keys. */
const MOST_HMAC = 1_000 + 8

function expectBounded(): void {
  expect(count("hmac")).toBeLessThanOrEqual(MOST_HMAC)
  expect(count("x25519")).toBeLessThanOrEqual(6)
  expect(count("kemDecaps")).toBeLessThanOrEqual(2)
  expect(count("ed25519Valid")).toBeLessThanOrEqual(1)
  expect(count("ed25519Verify")).toBeLessThanOrEqual(1)
  expect(count("gcmOpen")).toBeLessThanOrEqual(1)
  const never = ["kemEncaps", "kemPublic", "gcmSeal", "ed25519Sign", "random", "scrypt"] as const
  for (const name of never) expect(count(name), name).toBe(0)
}

beforeEach(() => calls.clear())

describe.each([1, 2] as const)("suite %i", (suite) => {
  const alice = createIdentity("alice", draw)
  const bob = createIdentity("bob", draw)
  const bundle = createBundle(bob, { seq: 1, now: NOW, suites: [suite] }, draw)
  const oneTime = createOneTimeKey(bob, suite, NOW, draw)
  const content = encodeContent({
    ...{ kind: 1, id: new Uint8Array(16), sentMs: 0, re: null, ask: 0 },
    body: new Uint8Array(0),
  })

  /** All that bob does for an envelope: with an init as responder, otherwise on `session`. */
  function receive(bytes: Uint8Array, session: ReturnType<typeof createResponder> | null): unknown {
    const raw = decodeEnvelope(bytes)
    if (raw.init === null || session) return session && open(session, bob, raw, NOW)
    const { init, th } = readInit(raw.init, raw, bob)
    const key = init.otkRef === null ? null : oneTime
    const rk = respond(init, th, raw.block, bob, { bundle, oneTime: key, changed: false })
    return open(createResponder(init, th, rk, bundle), bob, raw, NOW)
  }

  /** Runs it and says how it ended. */
  function attempt(action: () => unknown): string {
    calls.clear()
    try {
      action()
      return "ok"
    } catch (error) {
      return (error as { code?: string }).code ?? String(error)
    }
  }

  /** Two sessions after `rounds` answered envelopes; alice has heard from bob if rounds > 0. */
  function converse(rounds: number) {
    const handshake = initiate(alice, bundle, oneTime, suite, draw)
    const first = seal(createInitiator(handshake, bundle), alice, [content], draw)
    let [a, b] = [
      first.session,
      createResponder(handshake.init, handshake.th, handshake.rk, bundle),
    ]
    b = open(b, bob, decodeEnvelope(first.envelope), NOW).session
    for (let i = 0; i < rounds; i++) {
      const answer = seal(b, bob, [content], draw)
      a = open(a, alice, decodeEnvelope(answer.envelope), NOW).session
      const next = seal(a, alice, [content], draw)
      a = next.session
      b = open(answer.session, bob, decodeEnvelope(next.envelope), NOW).session
    }
    return { a, b, first: first.envelope }
  }

  /** The envelope with another n and pn and a ciphertext that nothing opens. */
  function junk(envelope: Uint8Array, change: { n: number; pn?: number }, keepInit: boolean) {
    const raw = decodeEnvelope(envelope)
    const init = keepInit ? (raw.init as never) : null
    return encode([encodeHeader({ ...raw, ...change }, init), raw.ct.map((byte) => byte ^ 1)])
  }

  test("a forged init that skips 999 envelopes", () => {
    const { first } = converse(0)
    const forged = junk(first, { n: 999 }, true)
    expect(attempt(() => receive(forged, null))).toBe("envelope/open")
    expectBounded()
    expect(count("hmac")).toBeGreaterThan(1_000)
    expect(count("x25519")).toBe(5)
  })

  test("junk on a new block, 999 skipped there and 1,000 before", () => {
    const { a, b } = converse(1)
    const answer = seal(b, bob, [content], draw)
    const heard = open(a, alice, decodeEnvelope(answer.envelope), NOW).session
    const next = seal(heard, alice, [content], draw)
    const forged = junk(next.envelope, { n: 999, pn: 1_000 }, false)
    expect(attempt(() => receive(forged, answer.session))).toBe("envelope/open")
    expectBounded()
    expect(count("hmac")).toBeGreaterThan(1_000)
  })

  test("junk far ahead in the chain", () => {
    const { a, b } = converse(1)
    const next = seal(a, alice, [content], draw)
    const forged = junk(next.envelope, { n: 999 }, false)
    expect(attempt(() => receive(forged, b))).toBe("envelope/open")
    expectBounded()
    expect(count("x25519") + count("kemDecaps")).toBe(0)
  })

  test("a genuine envelope after a gap tries one key", () => {
    const { a, b } = converse(1)
    let sender = a
    const envelopes = Array.from({ length: 20 }, () => {
      const sealed = seal(sender, alice, [content], draw)
      sender = sealed.session
      return sealed.envelope
    })
    let receiver = b
    for (const envelope of [envelopes[19], ...envelopes.slice(0, 19)] as Uint8Array[]) {
      calls.clear()
      receiver = open(receiver, bob, decodeEnvelope(envelope), NOW).session
      expect(count("gcmOpen")).toBe(1)
    }
  })

  test("mutations of genuine envelopes", () => {
    const { a, b, first } = converse(1)
    const next = seal(a, alice, [content], draw).envelope
    const random = new Random(suite)
    for (let i = 0; i < 300; i++) {
      const input = makeInput(random, [first, next])
      for (const session of [null, b]) {
        expect(attempt(() => receive(input, session))).toMatch(/^ok$|^[a-z]+\/[a-z-]+$/)
        expectBounded()
      }
    }
  })
})
