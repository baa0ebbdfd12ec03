// White box: secrets are zero once they are used (KEYSCHEDULE-4, KEYSCHEDULE-5, KEYSCHEDULE-10).
// The backend is wrapped; every secret that it hands out is kept here and looked at afterwards.

import { afterEach, describe, expect, test, vi } from "vitest"
import type { Backend } from "../src/crypto/backend.ts"

const handedOut = vi.hoisted(() => [] as { what: string; bytes: Uint8Array }[])

vi.mock("#crypto", async (original) => {
  const { backend } = await original<{ backend: Backend }>()
  const keep = <T extends Uint8Array | null>(what: string, bytes: T): T => {
    if (bytes) handedOut.push({ what, bytes })
    return bytes
  }
  const wrapped: Backend = {
    ...backend,
    x25519: (secret, remote) => keep("dh", backend.x25519(secret, remote)),
    hmac: (key, data) => keep("hmac", backend.hmac(key, data)),
    kemDecaps: (seed, ct) => keep("ss", backend.kemDecaps(seed, ct)),
    kemEncaps(ek, m) {
      const { ct, ss } = backend.kemEncaps(ek, m)
      return { ct, ss: keep("ss", ss) }
    },
  }
  return { backend: wrapped }
})

const { createBundle, createOneTimeKey } = await import("../src/bundle.ts")
const { encodeContent, decodeEnvelope } = await import("../src/envelope.ts")
const { initiate, readInit, respond } = await import("../src/handshake.ts")
const { createIdentity } = await import("../src/identity.ts")
const { createInitiator, createResponder, open, seal } = await import("../src/session.ts")

const NOW = 1_767_225_600
let count = 0
const drawn: Uint8Array[] = []
const draw = (name: string, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).map((_, i) => (i * 13 + ++count * 7 + 1) & 255)
  if (name === "ephemeral") drawn.push(bytes)
  return bytes
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** What the backend handed out and is not zero. */
function left(): string[] {
  return handedOut
    .filter(({ bytes }) => !isZero(bytes))
    .map(({ what, bytes }) => `${what} ${hexOf(bytes)}`)
}

afterEach(() => {
  handedOut.length = 0
  drawn.length = 0
})

describe.each([1, 2] as const)("suite %i", (suite) => {
  const alice = createIdentity("alice", draw)
  const bob = createIdentity("bob", draw)
  const bundle = createBundle(bob, { seq: 1, now: NOW, suites: [suite] }, draw)
  const oneTime = createOneTimeKey(bob, suite, NOW, draw)
  const content = encodeContent({
    ...{ kind: 1, id: new Uint8Array(16), sentMs: 0, re: null, ask: 0 },
    body: new Uint8Array(0),
  })

  test.each([oneTime, null])("a conversation leaves no secret behind", (key) => {
    handedOut.length = 0
    const handshake = initiate(alice, bundle, key, suite, draw)
    expect(handedOut.length).toBeGreaterThan(4)
    expect(left(), "after initiate").toEqual([])
    expect(drawn.map(isZero), "e").toEqual([true])

    const sent = seal(createInitiator(handshake, bundle), alice, [content], draw)
    expect(left(), "after seal").toEqual([])

    const raw = decodeEnvelope(sent.envelope)
    const { init, th } = readInit(raw.init as NonNullable<typeof raw.init>, raw, bob)
    const rk = respond(init, th, raw.block, bob, { bundle, oneTime: key, changed: false })
    const opened = open(createResponder(init, th, rk, bundle), bob, raw, NOW)
    expect(left(), "after open").toEqual([])

    const answer = seal(opened.session, bob, [content], draw)
    const heard = open(sent.session, alice, decodeEnvelope(answer.envelope), NOW)
    expect(heard.contents).toHaveLength(1)
    expect(left(), "after the answer").toEqual([])
  })

  test("a forged envelope leaves none either", () => {
    const handshake = initiate(alice, bundle, null, suite, draw)
    const sent = seal(createInitiator(handshake, bundle), alice, [content], draw)
    const raw = decodeEnvelope(sent.envelope)
    const { init, th } = readInit(raw.init as NonNullable<typeof raw.init>, raw, bob)
    handedOut.length = 0
    const rk = respond(init, th, raw.block, bob, { bundle, oneTime: null, changed: false })
    const forged = { ...raw, ct: raw.ct.map((byte, i) => (i === 0 ? byte ^ 1 : byte)), n: 20 }
    expect(() => open(createResponder(init, th, rk, bundle), bob, forged, NOW)).toThrow("open")
    expect(left()).toEqual([])
  })

  test("an all-zero exchange half way leaves none", () => {
    handedOut.length = 0
    const low = { ...bundle, dk: new Uint8Array(32) }
    expect(() => initiate(alice, low, null, suite, draw)).toThrow("suite/bad-key")
    expect(left(), "initiator").toEqual([])
    expect(drawn.map(isZero), "e").toEqual([true])
    const handshake = initiate(alice, bundle, null, suite, draw)
    const sent = seal(createInitiator(handshake, bundle), alice, [content], draw)
    const raw = decodeEnvelope(sent.envelope)
    const init = { ...handshake.init, e: new Uint8Array(32) }
    handedOut.length = 0
    const accepted = { bundle, oneTime: null, changed: false }
    expect(() => respond(init, handshake.th, raw.block, bob, accepted)).toThrow("suite/bad-key")
    expect(left(), "responder").toEqual([])
  })
})
