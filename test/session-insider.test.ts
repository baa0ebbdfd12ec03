// SPEC §9, §10: one who knows every session key but not the identity key is refused, and one who
// has an identity key of its own cannot pass a signature off for anything else than it is.

import { createDecipheriv } from "node:crypto"
import { expect, test, vi } from "vitest"
import { toHex } from "../src/bytes.ts"
import { decodeEnvelope } from "../src/envelope.ts"
import { blockHash } from "../src/keyschedule.ts"
import {
  createIdentityOf,
  receivingKey,
  replyKeys,
  twoSessions,
} from "./support-session/insider.ts"
import { codeOf, content, digest, Party, pair, SUITES, settled } from "./support-session/kit.ts"
import {
  aadOf,
  chainKey,
  openRaw,
  rawMessageKey,
  rawSeal,
  sealSecret,
  split,
} from "./support-session/raw.ts"
import { ciphertextFor } from "./support-session/two-keys.ts"

// Nothing here waits; a loaded machine is no failure.
vi.setConfig({ testTimeout: 300_000 })

const contents = [content("one"), content("two")]

/** Whatever Mallory writes is refused, and Bob is as he was. */
function refuses(bob: Party, envelope: Uint8Array, what: string): void {
  const before = bob.state
  expect(
    codeOf(() => bob.receive(envelope)),
    what,
  ).toBe("envelope/open")
  expect(bob.state, what).toBe(before)
}

// ENVELOPE-13
test.each(SUITES)("suite %i: all session keys are not enough without the identity key", (suite) => {
  const { alice, bob, sid } = settled(suite)
  const session = alice.session(sid)
  const mallory = createIdentityOf(alice, "mallory")
  const other = new Party("mallory").own
  const write = (signer = alice.own, change = {}) =>
    rawSeal(session, signer, { contents, ...change })
  refuses(bob, write(mallory), "signed by another key under the name of Alice")
  refuses(bob, write(other), "signed by Mallory as Mallory")
  refuses(bob, write(bob.own), "signed by Bob himself, as Bob")
  refuses(bob, write(alice.own, { sig: new Uint8Array(64) }), "a signature of zeros")
  expect(bob.receive(write())).toEqual(contents) // Alice's own hand opens
})

test.each(SUITES)(
  "suite %i: a signature is for one suite, TH, pair of names, header, list",
  (suite) => {
    const { alice, bob, sid } = settled(suite)
    const session = alice.session(sid)
    const genuine = rawSeal(session, alice.own, { contents })
    const { header } = split(genuine)
    const later = split(rawSeal(session, alice.own, { contents, n: session.ns + 1 })).header
    const th = session.th.map((byte, i) => byte ^ (i === 31 ? 1 : 0))
    const changes: Record<string, Parameters<typeof rawSeal>[2]> = {
      "other suite": { signs: { suite: 3 - suite } },
      "other TH": { signs: { th } },
      "other TH with the same sid": { signs: { th: th.slice().fill(0, 16) } },
      "other sender": { signs: { sender: "alicf" } },
      "other recipient": { signs: { recipient: "bobb" } },
      "names swapped": { signs: { sender: "bob", recipient: "alice" } },
      "other n": { signs: { header: later } },
      "empty header": { signs: { header: new Uint8Array(0) } },
      "other label": { signs: { label: "envelope" } },
      "content swapped": { signedContents: [content("one"), content("2")] },
      "contents reordered": { signedContents: contents.toReversed() },
      "content dropped": { signedContents: [...contents, content("three")] },
      "content added": { signedContents: contents.slice(0, 1) },
    }
    for (const [what, change] of Object.entries(changes)) {
      refuses(bob, rawSeal(session, alice.own, { contents, header, ...change }), what)
    }
    expect(bob.receive(genuine)).toEqual(contents)
  },
)

test.each(SUITES)("suite %i: header of one with the ciphertext of another", (suite) => {
  const { alice, bob, sid } = settled(suite)
  const [first, second] = [alice.seal(sid), alice.seal(sid)].map((envelope) => split(envelope))
  if (!first || !second) throw new Error("two envelopes")
  const join = (a: Uint8Array, b: Uint8Array) => {
    const raw = decodeEnvelope(alice.seal(sid))
    return { ...raw, ...decodeFields(a), header: a, ct: b }
  }
  const decodeFields = (header: Uint8Array) => {
    const { sid: id, block, pn, n, guard } = header === first.header ? first : second
    return { sid: id, block, pn, n, guard }
  }
  const before = bob.state
  for (const [a, b] of [
    [first, second],
    [second, first],
  ] as const) {
    expect(codeOf(() => bob.receiveRaw(join(a.header, b.ct)))).toBe("envelope/open")
  }
  // The header is what was authenticated, not what was read from it.
  const lied = { ...join(first.header, first.ct), pn: first.pn + 1 }
  expect(codeOf(() => bob.receiveRaw({ ...lied, header: second.header }))).toBe("envelope/open")
  expect(bob.state).toBe(before)
  expect(codeOf(() => bob.receiveRaw(join(second.header, second.ct)))).toBe("ok")
  expect(codeOf(() => bob.receiveRaw(join(first.header, first.ct)))).toBe("ok")
})

test("header bytes are bound even where no key depends on them: pn, guard, sid", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const session = alice.session(sid)
    const envelope = rawSeal(session, alice.own, { contents })
    const { header } = split(envelope)
    // The insider re-encrypts Alice's signed inner under a header that says something else.
    const { sig } = openRaw(bob.session(sid), envelope)
    for (const change of [{ pn: session.pn + 1 }, { guard: new Uint8Array(16) }]) {
      refuses(
        bob,
        rawSeal(session, alice.own, { contents, sig, ...change }),
        Object.keys(change)[0] ?? "",
      )
    }
    // Without the tag over the header: its bytes differ, all keys are the same.
    const aad = Uint8Array.of(1)
    refuses(bob, rawSeal(session, alice.own, { contents, header, aad }), "other associated data")
    expect(bob.receive(envelope)).toEqual(contents)
  }
})

test.each(SUITES)("suite %i: nothing moves between two sessions of one pair", (suite) => {
  const { alice, bob, first, second } = twoSessions(suite)
  const from = alice.session(first)
  const to = alice.session(second)
  const envelope = alice.seal(first, contents)
  const { sig, contents: inner } = openRaw(bob.session(first), envelope)
  // Under the keys and the header of the other session, with Alice's signature from the first.
  refuses(bob, rawSeal(to, alice.own, { contents: inner, sig }), "re-encrypted")
  const { header } = split(envelope)
  const keyed = rawSeal(to, alice.own, { contents: inner, sig, header })
  const raw = { ...decodeEnvelope(keyed), sid: to.th.slice(0, 16), block: to.own?.block ?? never() }
  const before = bob.state
  expect(codeOf(() => bob.receiveRaw({ ...raw, n: to.ns }))).toBe("envelope/open")
  expect(bob.state).toBe(before)
  expect(toHex(from.th)).not.toBe(toHex(to.th))
})

function never(): never {
  throw new Error("no open chain")
}

// The one question that the formal models left open: the signature without TH, toward A.
test.each(SUITES)(
  "suite %i: a reply is not moved by one who knows all of A's sessions",
  (suite) => {
    const { alice, bob, first, second } = twoSessions(suite)
    const source = alice.session(first)
    const target = alice.session(second)
    const reply = bob.seal(first, contents)
    // Alice's state gives the insider the key of the reply ...
    const { mk } = receivingKey(source, reply)
    const opened = openRaw(source, reply, mk)
    // ... and that of any block it makes for the other session; only Bob's hand is missing.
    const { block } = split(reply)
    const keys = replyKeys(target, block)
    const base = { contents: opened.contents, sig: opened.sig, block, n: 0, pn: 0, init: null }
    const other = { ...target, rk: keys.rk, cks: keys.ck, ns: 0, own: null }
    const before = digest(alice.sessions)
    const forged: Record<string, Uint8Array> = {
      "own header": rawSeal(other, bob.own, { ...base, mk: rawMessageKey(suite, keys.ck) }),
      "the reply's header": rawSeal(other, bob.own, {
        ...{ ...base, header: split(reply).header, guard: split(reply).guard },
        mk: rawMessageKey(suite, keys.ck),
      }),
    }
    for (const [what, envelope] of Object.entries(forged)) {
      const raw = { ...decodeEnvelope(envelope), sid: target.th.slice(0, 16) }
      expect(
        codeOf(() => alice.receiveRaw(raw)),
        what,
      ).toBe("envelope/open")
    }
    expect(digest(alice.sessions)).toBe(before)
    // The keys were right: with Bob's signature for that session the same envelope opens.
    const honest = rawSeal(other, bob.own, {
      ...{ contents, block, n: 0, pn: 0, init: null, mk: rawMessageKey(suite, keys.ck) },
      signs: { recipient: "alice" },
    })
    expect(codeOf(() => alice.receive(honest))).toBe("ok")
    expect(alice.receive(reply)).toEqual(contents)
  },
)

// What an insider of both sessions can make is a tag, not a second meaning.
test("a ciphertext for two keys opens in neither session (SESSION-18)", () => {
  for (const suite of SUITES) {
    const { alice, bob, first, second } = twoSessions(suite)
    const { header, guard } = split(alice.seal(first))
    const readings = [first, second].map((sid) => {
      const { th, ckr } = bob.session(sid)
      const mk = rawMessageKey(suite, ckr as Uint8Array)
      const secret = sealSecret(suite, th, mk, guard)
      return { key: secret.subarray(0, 32), nonce: secret.subarray(32), aad: aadOf(th, header) }
    })
    const ct = ciphertextFor(readings[0] ?? never(), readings[1] ?? never(), 256)
    for (const { key, nonce, aad } of readings) {
      const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(aad)
      decipher.setAuthTag(ct.subarray(-16)).update(ct.subarray(0, -16))
      expect(() => decipher.final()).not.toThrow() // both tags verify
    }
    const raw = { ...decodeEnvelope(alice.seal(first)), header, guard, ct }
    const before = bob.state
    for (const sid of [first, second]) {
      const { nr } = bob.session(sid)
      const block = alice.session(sid).own?.block ?? never()
      const sent = { ...raw, sid: Buffer.from(sid, "hex"), block, n: nr, pn: 0, init: null }
      expect(codeOf(() => bob.receiveRaw(sent))).toBe("envelope/open")
    }
    expect(bob.state).toBe(before)
  }
})

test("an envelope does not come back to its sender (ENVELOPE-13, HANDSHAKE-16)", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const envelope = alice.seal(sid)
    expect(codeOf(() => alice.receive(envelope))).toBe("envelope/open")
    bob.receive(envelope)
    const reply = bob.seal(sid)
    const before = bob.state
    expect(codeOf(() => bob.receive(reply))).toBe("envelope/open")
    expect(bob.state).toBe(before)
    const fresh = pair(suite)
    expect(codeOf(() => fresh.alice.receive(fresh.alice.seal(fresh.sid)))).toBe("handshake/self")
  }
})

// A clone that seals again at the same number: the second of the two is a replay, and no key is
// tried twice.
test("a clone's second envelope at one number is session/replay (SESSION-9, KEYSCHEDULE-6)", () => {
  for (const suite of SUITES) {
    const { alice, bob, sid } = settled(suite)
    const snapshot = alice.session(sid)
    const first = alice.seal(sid)
    alice.sessions.set(sid, snapshot)
    const second = alice.seal(sid, [content("from the clone")])
    expect(split(second).n).toBe(split(first).n)
    expect(toHex(blockHash(split(second).block))).toBe(toHex(blockHash(split(first).block)))
    expect(codeOf(() => bob.receive(first))).toBe("ok")
    const before = bob.state
    expect(codeOf(() => bob.receive(second))).toBe("session/replay")
    expect(bob.state).toBe(before)
    expect(toHex(chainKey(suite, snapshot.cks as Uint8Array, 1))).toBe(
      toHex(alice.session(sid).cks as Uint8Array),
    )
  }
})
