// SPEC §8, §10, T11 and T12: what one unauthenticated envelope costs at most, and that no AEAD key
// and nonce are ever used twice.

import fc from "fast-check"
import { afterEach, expect, test, vi } from "vitest"
import { backend } from "#crypto"
import { toHex } from "../src/bytes.ts"
import { seal } from "../src/session.ts"
import type { Draw, Suite } from "../src/suite.ts"
import { always } from "./support-session/check.ts"
import { codeOf, content, Party, pair, runs, SUITES, settled } from "./support-session/kit.ts"
import { rawSeal, split } from "./support-session/raw.ts"

// Nothing here waits; a loaded machine is no failure.
vi.setConfig({ testTimeout: 300_000 })

afterEach(() => void vi.restoreAllMocks())

const METHODS = [
  "hmac",
  "x25519",
  "kemDecaps",
  "kemEncaps",
  "ed25519Valid",
  "ed25519Verify",
] as const
const METHODS_TOO = ["gcmOpen", "gcmSeal", "ed25519Sign", "kemValid", "random"] as const
type Method = (typeof METHODS)[number] | (typeof METHODS_TOO)[number]

/** How often each primitive is called while `action` runs. */
function work(action: () => unknown): Record<Method, number> & { code: string } {
  const spies = [...METHODS, ...METHODS_TOO].map((name) => [name, vi.spyOn(backend, name)] as const)
  const code = codeOf(action)
  const counts = Object.fromEntries(spies.map(([name, spy]) => [name, spy.mock.calls.length]))
  for (const [, spy] of spies) spy.mockRestore()
  return { ...(counts as Record<Method, number>), code }
}

/** HMACs of a step (extract and two blocks) and of a seal key. */
const STEP = 3
const SEAL_KEY = 3
/** HMACs of rk0: extract and one block. */
const ROOT = 2

const none = { ed25519Verify: 0, ed25519Sign: 0, kemEncaps: 0, gcmSeal: 0, random: 0 }

/** Junk on a new block: a genuine block, the worst numbers, a ciphertext of zeros. */
function junk(from: Party, sid: string, change: object): Uint8Array {
  const mk = new Uint8Array(32)
  return rawSeal(from.session(sid), from.own, { mk, aad: new Uint8Array(0), ...change })
}

// HANDSHAKE-41, KEYSCHEDULE-11
test.each(SUITES)(
  "suite %i: junk on a new block costs 999 chain steps and one message key",
  (suite) => {
    const { alice, bob, sid } = settled(suite)
    bob.receive(alice.seal(sid))
    alice.receive(bob.seal(sid))
    alice.seal(sid) // opens a chain whose block Bob does not know
    const before = bob.state
    const spent = work(() => bob.receive(junk(alice, sid, { n: 999, pn: 1000 })))
    expect(spent).toMatchObject({ ...none, code: "envelope/open", x25519: 1, gcmOpen: 1 })
    expect(spent.kemDecaps).toBe(suite === 2 ? 1 : 0)
    expect(spent.hmac).toBe(STEP + 999 + 1 + SEAL_KEY)
    expect(bob.state).toBe(before)
    const small = work(() => bob.receive(junk(alice, sid, { n: 0, pn: 1000 })))
    expect(small.hmac).toBe(STEP + 1 + SEAL_KEY) // the old chain is not walked before verification
  },
)

test.each(SUITES)(
  "suite %i: junk on the current chain costs at most 1,000 derivations",
  (suite) => {
    const { alice, bob, sid } = settled(suite)
    const { nr } = bob.session(sid)
    const spent = work(() => bob.receive(junk(alice, sid, { n: 999, pn: 1000 })))
    expect(spent).toMatchObject({
      ...none,
      code: "envelope/open",
      x25519: 0,
      kemDecaps: 0,
      gcmOpen: 1,
    })
    expect(spent.hmac).toBe(999 - nr + 1 + SEAL_KEY)
  },
)

test("no exchange is spent while no step can come, and none on a pn that cannot be", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const other = settled(suite, "other").alice.session(sidOf(suite)).own?.block
    const nothing = { ...none, x25519: 0, kemDecaps: 0, kemValid: 0, gcmOpen: 0, hmac: 0 }
    expect(bob.session(sid).own).toBeNull()
    const block = other ?? never()
    const spent = work(() => bob.receive(junk(alice, sid, { block, n: 999, pn: 1000 })))
    expect(spent).toMatchObject({ ...nothing, code: "envelope/open" }) // SESSION-11
    bob.receive(alice.seal(sid))
    bob.seal(sid)
    const low = work(() => bob.receive(junk(alice, sid, { block, n: 999, pn: 1 })))
    expect(low).toMatchObject({ ...nothing, code: "envelope/open" }) // SESSION-12
  }
})

function sidOf(suite: Suite): string {
  return settled(suite, "other").sid
}

function never(): never {
  throw new Error("no block")
}

test("replays, unknown sessions and numbers beyond the limits cost no key at all", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const sent = alice.seal(sid)
    bob.receive(sent)
    const nothing = { ...none, x25519: 0, kemDecaps: 0, gcmOpen: 0, hmac: 0 }
    expect(work(() => bob.receive(sent))).toMatchObject({ ...nothing, code: "session/replay" })
    const strange = junk(alice, sid, { sid: new Uint8Array(16) })
    expect(work(() => bob.receive(strange))).toMatchObject({ ...nothing, code: "session/unknown" })
    for (const change of [{ n: 1000 }, { pn: 1001 }]) {
      const spent = work(() => bob.receive(junk(alice, sid, change)))
      expect(spent).toMatchObject({ ...nothing, code: "session/chain-limit" })
    }
  }
})

// HANDSHAKE-41
test.each(SUITES)(
  "suite %i: a forged first envelope costs 5 exchanges, 2 decapsulations, 1 key check",
  (suite) => {
    const { alice, bob, sid } = pair(suite, true)
    alice.seal(sid)
    const before = bob.state
    const spent = work(() => bob.receive(junk(alice, sid, { n: 999, pn: 0 })))
    expect(spent).toMatchObject({ ...none, code: "envelope/open", x25519: 5, ed25519Valid: 1 })
    expect(spent.kemDecaps).toBe(suite === 2 ? 2 : 0)
    expect(spent.hmac).toBe(ROOT + STEP + 999 + 1 + SEAL_KEY)
    expect(bob.state).toBe(before)
    expect(bob.oneTimes.size).toBe(1)
    // Refused before step 7: nothing is computed.
    const nothing = { ...none, x25519: 0, ed25519Valid: 0, kemDecaps: 0, gcmOpen: 0, hmac: 0 }
    const spare = work(() => bob.receive(junk(alice, sid, { n: 999, pn: 0 }), { room: false }))
    expect(spare).toMatchObject({ ...nothing, code: "handshake/limit" })
    // One that opens verifies once, and expands the keys of the gap only then.
    const genuine = rawSeal(alice.session(sid), alice.own, { n: 999, pn: 0 })
    const taken = work(() => bob.receive(genuine))
    expect(taken).toMatchObject({ code: "ok", ed25519Verify: 1, gcmOpen: 1, x25519: 5 })
    expect(taken.hmac).toBe(ROOT + STEP + 999 + 1 + SEAL_KEY + 999 + 1)
  },
)

test("a tag that verifies over a wrong signature costs one verification (SESSION-18)", () => {
  const { alice, bob, sid } = settled(1)
  const forged = rawSeal(alice.session(sid), new Party("mallory").own, {})
  const spent = work(() => bob.receive(forged))
  expect(spent).toMatchObject({ code: "envelope/open", ed25519Verify: 1, gcmOpen: 1 })
})

// ---- T12 ----

/** Every (key, nonce) that was sealed with while `action` runs. */
function sealedWith(action: () => void): readonly string[] {
  const used: string[] = []
  const real = backend.gcmSeal
  const spy = vi.spyOn(backend, "gcmSeal").mockImplementation((key, nonce, aad, plaintext) => {
    used.push(`${toHex(key)} ${toHex(nonce)}`) // now, because the key is erased afterwards
    return real(key, nonce, aad, plaintext)
  })
  action()
  spy.mockRestore()
  return used
}

const steps = fc.array(
  fc.record({
    who: fc.constantFrom("a", "b"),
    what: fc.constantFrom("seal", "seal", "seal", "pass", "save", "rollback", "clone"),
    at: fc.nat(8),
  }),
  { maxLength: 40, size: "max" },
)

/** Seals, deliveries, snapshots and returns to any of them, as programs do to agents. */
function rolling(suite: Suite, list: readonly { who: string; what: string; at: number }[]): void {
  const { alice, bob, sid } = settled(suite)
  const saved = { a: [alice.session(sid)], b: [bob.session(sid)] }
  const last: Record<string, Uint8Array> = {}
  for (const { who, what, at } of list) {
    const side = who as "a" | "b"
    const party = side === "a" ? alice : bob
    const states = saved[side]
    if (what === "seal") last[side] = party.seal(sid)
    if (what === "save") states.push(party.session(sid))
    if (what === "rollback")
      party.sessions.set(sid, states[at % states.length] ?? party.session(sid))
    if (what === "clone") {
      const clone = states[at % states.length] ?? party.session(sid)
      seal(clone, party.own, [content("the clone")], party.draw)
    }
    const other = last[side === "a" ? "b" : "a"]
    if (what === "pass" && other) codeOf(() => party.receive(other))
  }
}

test("no key and nonce are used twice, whatever is rolled back or cloned (KEYSCHEDULE-6)", () => {
  const both = fc.record({ suite: fc.constantFrom(...SUITES), list: steps })
  let sealed = 0
  always(
    both,
    ({ suite, list }) => {
      const used = sealedWith(() => void rolling(suite, list))
      sealed += used.length
      expect(new Set(used).size).toBe(used.length)
    },
    runs(80, 12),
  )
  expect(sealed).toBeGreaterThan(runs(500, 70))
})

test("the guard is what keeps a rolled-back agent apart: without fresh bytes the pair repeats", () => {
  for (const suite of SUITES) {
    const { alice, sid } = settled(suite)
    const snapshot = alice.session(sid)
    const fixed: Draw = (_name, length) => new Uint8Array(length).fill(5)
    const stuck = sealedWith(() => {
      for (let i = 0; i < 2; i++) seal(snapshot, alice.own, [content(`${i}`)], fixed)
    })
    expect(new Set(stuck).size).toBe(1)
    const fresh = sealedWith(() => {
      for (let i = 0; i < 2; i++) seal(snapshot, alice.own, [content(`${i}`)], alice.draw)
    })
    expect(new Set(fresh).size).toBe(2)
  }
})

test("guards and blocks are fresh: one draw for each envelope, one key for each step", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const guards = new Set<string>()
    const blocks = new Set<string>()
    for (let turn = 0; turn < 5; turn++) {
      for (const [party, other] of [
        [bob, alice],
        [alice, bob],
      ] as const) {
        for (let i = 0; i < 3; i++) {
          const envelope = party.seal(sid)
          const { guard, block } = split(envelope)
          guards.add(toHex(guard))
          blocks.add(toHex(block.x))
          other.receive(envelope)
        }
      }
    }
    expect(guards.size).toBe(30)
    expect(blocks.size).toBe(10)
  }
})
