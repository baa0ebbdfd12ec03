// SPEC §8: choice of suite, the responder's checks in their order, misdelivery, replay.

import { describe, expect, test } from "vitest"
import { type Bundle, ONE_TIME_REQUIRED } from "../src/bundle.ts"
import { toHex } from "../src/bytes.ts"

import { chooseSuite, initiate } from "../src/handshake.ts"
import { type Init, rootKey } from "../src/keyschedule.ts"
import { createInitiator, seal } from "../src/session.ts"
import { type DrawName, decapsulate, dh, type Suite } from "../src/suite.ts"
import {
  type Attempt,
  attemptOf,
  FAULTS,
  lookedUp,
  put,
  rawTranscript,
  see,
  written,
} from "./support-session/craft.ts"
import { codeOf, content, Party, pair, SUITES, settled } from "./support-session/kit.ts"
import { rawSeal, split } from "./support-session/raw.ts"

// ---- choice of suite ----

test("suite: the highest in common, never lower than before (HANDSHAKE-2, HANDSHAKE-3)", () => {
  const [alice, bob] = [new Party("alice"), new Party("bob")]
  const both = [1, 2] as const
  const rows: readonly (readonly [readonly Suite[], readonly Suite[], number, number | string])[] =
    [
      [both, both, 0, 2],
      [both, [1], 0, 1],
      [[1], both, 0, 1],
      [both, [2], 0, 2],
      [[1], [2], 0, "suite/unsupported"],
      [[2], [1], 0, "suite/unsupported"],
      [both, [1], 1, 1],
      [both, [1], 2, "suite/downgrade"],
      [both, both, 2, 2],
      [[1], [1], 2, 1], // a suite that the agent does not have raises nothing
      [both, [1], 3, 1],
      [[1], [2], 2, "suite/unsupported"],
    ]
  for (const [own, offered, remembered, expected] of rows) {
    const bundle = bob.bundle(offered)
    let suite: number | string = 0
    const code = codeOf(() => {
      suite = chooseSuite(alice.own, own, bundle, remembered)
    })
    expect(code === "ok" ? suite : code).toBe(expected)
  }
  // A bundle with nothing but unknown suites is accepted, and ends here.
  const later: Bundle = { ...bob.bundle([1]), prekeys: [] }
  expect(codeOf(() => chooseSuite(alice.own, both, later, 0))).toBe("suite/unsupported")
})

test("the initiator's refusals come in order (HANDSHAKE-1 to HANDSHAKE-5)", () => {
  const alice = new Party("alice")
  const own = alice.bundle([2])
  const choose = (suites: readonly Suite[], bundle: Bundle, remembered: number) =>
    codeOf(() => chooseSuite(alice.own, suites, bundle, remembered))
  expect(choose([1], own, 2)).toBe("handshake/self") // before suite/unsupported
  expect(choose([1], { ...own, name: "somebody" }, 0)).toBe("handshake/self") // by key, not by name
  const bob = new Party("bob")
  const strict = bob.bundle([1, 2], ONE_TIME_REQUIRED)
  for (const suite of SUITES) {
    const begin = (oneTime: boolean) =>
      codeOf(() =>
        initiate(alice.own, strict, oneTime ? bob.oneTime(suite) : null, suite, alice.draw),
      )
    expect(begin(false)).toBe("handshake/one-time-required")
    expect(begin(true)).toBe("ok")
  }
})

test("an init goes with every envelope until an answer was verified (HANDSHAKE-7, HANDSHAKE-8)", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = pair(suite)
    const [first, second] = [alice.seal(sid), alice.seal(sid)]
    const inits = [first, second].map((envelope) => toHex(split(envelope).header).slice(-200))
    expect(inits[0]).toBe(inits[1])
    bob.receive(second) // the second arrives first
    const answer = bob.seal(sid)
    expect(split(answer).init).toBeNull()
    expect(bob.receive(first)).toHaveLength(1) // its one-time key is gone; the session is not
    const late = alice.seal(sid)
    expect(split(late).init).not.toBeNull()
    alice.receive(answer)
    expect(split(alice.seal(sid)).init).toBeNull()
    expect(bob.receive(late)).toHaveLength(1) // HANDSHAKE-18
  }
})

test("draws: these names, sizes and order, and no others (SUITE-6, KEYSCHEDULE-1, KEYSCHEDULE-3)", () => {
  for (const suite of SUITES) {
    const { alice, bob } = pair(suite)
    const drawn: string[] = []
    const draw = (name: DrawName, length: number) => {
      drawn.push(`${name} ${length}`)
      return alice.draw(name, length)
    }
    const bundle = [...bob.bundles.values()][0] as Bundle
    const handshake = initiate(alice.own, bundle, null, suite, draw)
    const { session } = seal(createInitiator(handshake, bundle), alice.own, [content("x")], draw)
    seal(session, alice.own, [content("y")], draw)
    const kem = (...names: string[]) => (suite === 2 ? names : [])
    expect(drawn).toEqual([
      ...["ephemeral 32", ...kem("encaps 32"), "ratchet 32"],
      ...[...kem("ratchet-kem 64", "ratchet-encaps 32"), "guard 16", "guard 16"],
    ])
    // Twice to one prekey, independently.
    const { init } = handshake
    if (suite === 2) expect(session.own?.block.kemCt).not.toEqual(init.kemCt)
  }
})

// ---- the responder's checks, alone and in pairs ----

describe.each(SUITES)("suite %i, responder", (suite) => {
  const { alice, bob, sid } = pair(suite)
  const envelope = alice.seal(sid)
  const genuine = attemptOf(envelope)
  const faults = FAULTS.filter((fault) => fault.suites?.includes(suite) ?? true)
  const judge = (attempt: Attempt) => {
    const before = bob.state
    const code = codeOf(() => bob.receive(written(attempt, bob), lookedUp(attempt, bob)))
    expect(bob.state).toBe(before)
    return code
  }

  test("what is written here by hand is the genuine envelope", () => {
    expect(written(genuine, bob)).toEqual(envelope)
  })

  test.each(faults.map((fault) => [fault.step, fault] as const))(
    "step %s alone",
    (_step, fault) => {
      expect(judge(fault.apply(genuine, bob))).toBe(fault.code)
    },
  )

  test("of two faults the earlier step decides, in whatever order they were made", () => {
    for (const [i, first] of faults.entries()) {
      for (const second of faults.slice(i + 1)) {
        if (first.step === "5d" && second.step === "5e") continue // one of them has no otk-ref
        const pairOf = `${first.step} and ${second.step}`
        const there = second.apply(first.apply(genuine, bob), bob)
        expect(judge(there), pairOf).toBe(first.code)
      }
    }
  })

  test("each key of step 7, and exchanges of low order in step 8 (HANDSHAKE-31, SUITE-12)", () => {
    const bad = new Uint8Array(32).fill(255)
    const low = new Uint8Array(32)
    const tried: readonly Attempt[] = [
      put({ ik: bad })(genuine),
      put({ ik: low })(genuine), // y = 0 is a point of order 4
      put({ dk: bad })(genuine),
      put({ dk: low })(genuine),
      put({ e: low })(genuine),
      { ...genuine, block: { ...genuine.block, x: bad } },
      { ...genuine, block: { ...genuine.block, x: low } },
    ]
    for (const attempt of tried) expect(judge(attempt)).toBe("suite/bad-key")
    if (suite === 1) return
    const ek = genuine.block.ek?.map((byte, i) => (i < 3 ? 255 : byte)) ?? null
    expect(judge({ ...genuine, block: { ...genuine.block, ek } })).toBe("suite/bad-key")
  })

  test("KEM fields are null in suite 1 and not in suite 2, each alone (HANDSHAKE-13)", () => {
    const { block } = genuine
    const odd = (length: number) => (suite === 1 ? new Uint8Array(length) : null)
    expect(judge({ ...genuine, block: { ...block, ek: odd(1184) } })).toBe("encoding/shape")
    expect(judge({ ...genuine, block: { ...block, kemCt: odd(1088) } })).toBe("encoding/shape")
    expect(judge(put({ kemCt: odd(1088) })(genuine))).toBe("encoding/shape")
  })

  test("suites 0, 3 and 0xFF00 are unsupported, whatever else the init says (HANDSHAKE-12)", () => {
    for (const id of [0, 3, 0xff00, 2 ** 53 - 1]) {
      expect(judge(put({ suite: id, name: "" })({ ...genuine, n: 9999 }))).toBe("suite/unsupported")
    }
  })

  test("an authenticated claim on a pinned name is an event, an unauthenticated one is not", () => {
    const other = see({ pinned: new Uint8Array(32), trusted: false, room: false })
    bob.events = 0
    const junk = FAULTS.filter(({ step }) => step === "7" || step === "8")
    for (const fault of junk) {
      expect(judge(fault.apply(other(genuine), bob))).toBe("identity/changed") // HANDSHAKE-27
    }
    expect(bob.events).toBe(0)
    expect(judge(other(genuine))).toBe("identity/changed")
    expect(bob.events).toBe(1) // HANDSHAKE-28
    expect(judge(see({ from: "carol" })(other(genuine)))).toBe("identity/untrusted")
    expect(bob.events).toBe(1)
  })

  test("a downgrade is judged by what the responder implements (HANDSHAKE-22, HANDSHAKE-23)", () => {
    if (suite === 1) {
      const old = see({ remembered: 2, suites: [1] })(genuine)
      expect(judge({ ...old, view: { ...old.view, room: false } })).toBe("handshake/limit")
    } else {
      // Offered once in a bundle that lives: still taken.
      const alone = see({ suites: [1], room: false })(genuine)
      expect(judge(alone)).toBe("handshake/limit")
    }
  })

  // Transcript: each of its items moved, with the sid that then fits.
  test("nothing of an init can be rewritten (HANDSHAKE-17, HANDSHAKE-32)", () => {
    const mallory = new Party("mallory")
    const older = bob.bundle()
    const key = bob.oneTime(suite)
    const changes: Record<string, Partial<Init>> = {
      "bundle-ref of another live bundle": { bundleRef: older.ref },
      "otk-ref nulled": { otkRef: null },
      "otk-ref of another live key": { otkRef: key.ref },
      "another name": { name: "carol" },
      "the init of Alice as Mallory's": { name: "mallory", ik: mallory.own.ik },
      "another dk": { dk: mallory.own.dk },
      "another e": { e: mallory.own.dk },
    }
    for (const [what, change] of Object.entries(changes)) {
      expect(judge(put(change)(genuine)), what).toBe("envelope/open")
    }
    if (suite === 2) {
      const kemCt = genuine.init.kemCt?.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) ?? null
      expect(judge(put({ kemCt })(genuine)), "kem-ct").toBe("envelope/open")
      const stripped = put({ suite: 1, kemCt: null, otkRef: null })(genuine)
      const block = { ...genuine.block, ek: null, kemCt: null }
      expect(judge({ ...stripped, block }), "suite 2 as suite 1").toBe("envelope/open")
    }
    // One bit of TH that sid does not show: the keys differ all the same.
    expect(rawTranscript(genuine.init, bob.own)).toEqual(alice.session(sid).th)
  })

  test("after all this the genuine envelope opens: no key was spent (HANDSHAKE-34)", () => {
    expect(bob.receive(envelope)).toHaveLength(1)
    expect(bob.oneTimes.has(toHex(genuine.init.otkRef as Uint8Array))).toBe(false)
  })
})

// ---- misdelivery, replay, compromise ----

describe.each(SUITES)("suite %i", (suite) => {
  test("an init for Mallory does not open at Bob, even with Bob's prekey in her bundle", () => {
    const [alice, bob, mallory] = ["alice", "bob", "mallory"].map((name) => new Party(name)) as [
      Party,
      Party,
      Party,
    ]
    const bobs = bob.bundle()
    const copied = { ...mallory.bundle(), prekeys: bobs.prekeys, dk: bobs.dk }
    const handshake = initiate(alice.own, copied, null, suite, alice.draw)
    const { envelope } = seal(
      createInitiator(handshake, copied),
      alice.own,
      [content("x")],
      alice.draw,
    )
    expect(codeOf(() => bob.receive(envelope))).toBe("envelope/open")
    const moved = put({ bundleRef: bobs.ref })(attemptOf(envelope))
    expect(codeOf(() => bob.receive(written(moved, bob)))).toBe("envelope/open")
    expect(bob.sessions.size).toBe(0)
  })

  test("one who has all of Bob's keys cannot be Alice to Bob (T6)", () => {
    const { alice, bob } = pair(suite)
    const bundle = [...bob.bundles.values()][0] ?? never()
    const prekey = bundle.secrets.get(suite) ?? never()
    const mallory = new Party("mallory")
    // Alice's handshake as the responder would compute it: DH1 from the leaked prekey.
    const shown = initiate(
      { ...mallory.own, ...publicOf(alice) },
      bundle,
      null,
      suite,
      mallory.draw,
    )
    const { init } = shown
    const th = rawTranscript(init, bob.own)
    const secrets = [dh(prekey.x, init.dk), dh(bob.own.dkSecret, init.e), dh(prekey.x, init.e)]
    if (prekey.kem && init.kemCt) secrets.push(decapsulate(prekey.kem, init.kemCt))
    const rk = rootKey(suite, th, secrets)
    const session = createInitiator({ init, th, rk }, bundle)
    const contents = [content("from Alice, says Mallory")]
    const sealed = seal(session, alice.own, contents, mallory.draw)
    for (const signer of [mallory.own, bob.own]) {
      const forged = rawSeal(sealed.session, { ...signer, name: "alice" }, { contents })
      expect(codeOf(() => bob.receive(forged))).toBe("envelope/open")
    }
    expect(bob.sessions.size).toBe(0)
    // All keys were right: only Alice's hand was missing.
    expect(bob.receive(rawSeal(sealed.session, alice.own, { contents }))).toEqual(contents)
  })

  test("replays after the session is gone (HANDSHAKE-19, HANDSHAKE-21, HANDSHAKE-25)", () => {
    for (const [oneTime, code] of [
      [true, "handshake/unknown-prekey"],
      [false, "handshake/replay"],
    ] as const) {
      const { alice, bob, sid } = pair(suite, oneTime)
      const first = alice.seal(sid)
      bob.receive(first)
      expect(codeOf(() => bob.receive(first))).toBe("session/replay")
      bob.sessions.delete(sid)
      const before = bob.state
      expect(codeOf(() => bob.receive(first))).toBe(code)
      expect(codeOf(() => bob.receive(alice.seal(sid)))).toBe(code)
      expect(bob.state).toBe(before)
      bob.replays.clear()
      bob.bundles.clear() // as after an import
      expect(codeOf(() => bob.receive(first))).toBe("handshake/unknown-prekey")
    }
  })

  test("one one-time key serves one handshake (HANDSHAKE-25, HANDSHAKE-34)", () => {
    const bob = new Party("bob")
    const bundle = bob.bundle()
    const key = bob.oneTime(suite)
    const envelopes = ["alice", "carol"].map((name) => {
      const party = new Party(name)
      return party.seal(party.connect(bundle, key, suite))
    }) as [Uint8Array, Uint8Array]
    expect(codeOf(() => bob.receive(envelopes[0]))).toBe("ok")
    expect(codeOf(() => bob.receive(envelopes[1]))).toBe("handshake/unknown-prekey")
    // A key of the other suite does not serve either.
    const other = bob.oneTime(suite === 1 ? 2 : 1)
    const dave = new Party("dave")
    const attempt = attemptOf(dave.seal(dave.connect(bundle, bob.oneTime(suite), suite)))
    const moved = put({ otkRef: other.ref })(attempt)
    expect(codeOf(() => bob.receive(written(moved, bob)))).toBe("handshake/unknown-prekey")
  })

  test("both ends derive one session, and each names the other (T7)", () => {
    const { alice, bob, sid } = settled(suite)
    const [a, b] = [alice.session(sid), bob.session(sid)]
    expect(a.th).toEqual(b.th)
    expect(a.cks).toEqual(b.ckr)
    expect([a.peer, b.peer]).toEqual([publicPeer(bob), publicPeer(alice)])
    expect([a.suite, b.suite, a.role, b.role]).toEqual([suite, suite, "initiator", "responder"])
  })
})

const publicPeer = ({ own: { name, ik } }: Party) => ({ name, ik })
const publicOf = ({ own: { name, ik, dk } }: Party) => ({ name, ik, dk })

function never(): never {
  throw new Error("missing")
}
