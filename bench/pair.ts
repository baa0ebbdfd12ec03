// Two agents' keys and sessions without an agent around them: what the protocol core costs.

import {
  acceptBundle,
  acceptOneTimeKey,
  createBundle,
  createOneTimeKey,
  type OwnBundle,
  type OwnOneTimeKey,
} from "../src/bundle.ts"
import { encodePayload, type Payload } from "../src/encoding.ts"
import { decodeEnvelope, encodeContent } from "../src/envelope.ts"
import { checkInit, initiate, readInit, respond } from "../src/handshake.ts"
import { createIdentity, type OwnIdentity } from "../src/identity.ts"
import { createInitiator, createResponder, open, type Session, seal } from "../src/session.ts"
import { osDraw, type Suite } from "../src/suite.ts"

/** Unix seconds; nothing here waits for a clock. */
export const NOW = 1_760_000_000

/** One side: who it is and its session. */
export interface Side {
  readonly own: OwnIdentity
  session: Session
}

/** A payload whose content has `size` bytes, all of it text. */
export function payloadOf(size: number): Payload {
  const frame = contentOf({ type: "message", text: "" }).length
  const length = size - frame
  const head = length < 24 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 4
  const body = length + 21 < 0x100 ? 1 : length + 23 < 0x1_0000 ? 2 : 4
  return { type: "message", text: "x".repeat(Math.max(0, length - head - body)) }
}

/** A content as an agent makes it. */
export function contentOf(payload: Payload): Uint8Array {
  const body = encodePayload(payload)
  const id = osDraw("content-id", 16)
  return encodeContent({ kind: 0, id, sentMs: NOW * 1000, re: null, ask: 0, body })
}

/** Contents of about `size` bytes each. */
export function contentsOf(size: number, count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, () => contentOf(payloadOf(size)))
}

/** Two identities, and what the second has published. */
export interface Published {
  readonly alice: OwnIdentity
  readonly bob: OwnIdentity
  readonly suite: Suite
  readonly bundle: OwnBundle
  readonly oneTime: OwnOneTimeKey
}

/** Keys of both sides. */
export function publish(suite: Suite): Published {
  const alice = createIdentity("alice", osDraw)
  const bob = createIdentity("bob", osDraw)
  const options = { seq: NOW, now: NOW, suites: [suite] }
  const bundle = createBundle(bob, options, osDraw)
  return { alice, bob, suite, bundle, oneTime: createOneTimeKey(bob, suite, NOW, osDraw) }
}

/** Handshake and first envelope, both sides, from the signed bundle and one-time key on. */
export function introduce(keys: Published, content: Uint8Array): [Side, Side] {
  const { alice, bob, suite } = keys
  const bundle = acceptBundle(keys.bundle.bytes, { now: NOW, name: "bob" })
  const oneTime = acceptOneTimeKey(keys.oneTime.bytes, bundle, suite, NOW)
  const made = initiate(alice, bundle, oneTime, suite, osDraw)
  const sent = seal(createInitiator(made, bundle), alice, [content], osDraw)
  const raw = decodeEnvelope(sent.envelope)
  if (raw.init === null) throw new Error("the first envelope has no init")
  const { init, th } = readInit(raw.init, raw, bob)
  const accepted = checkInit(init, {
    ...{ replayed: false, sidTaken: false, bundle: keys.bundle, oneTime: keys.oneTime },
    ...{ suites: [suite], remembered: 0, from: "alice", pinned: undefined },
    ...{ trusted: true, room: true },
  })
  const rk = respond(init, th, raw.block, bob, accepted)
  const opened = open(createResponder(init, th, rk, keys.bundle), bob, raw, NOW)
  requireSame(opened.contents, [content])
  return [
    { own: alice, session: sent.session },
    { own: bob, session: opened.session },
  ]
}

/** Two sides that have spoken both ways. */
export function meet(suite: Suite): [Side, Side] {
  const [alice, bob] = introduce(publish(suite), contentOf({}))
  pass(bob, alice, contentsOf(64, 1))
  pass(alice, bob, contentsOf(64, 1))
  return [alice, bob]
}

/** Seals at one side, opens at the other, and verifies what came; returns the wire bytes. */
export function pass(from: Side, to: Side, contents: readonly Uint8Array[]): number {
  const { envelope, session } = seal(from.session, from.own, contents, osDraw)
  from.session = session
  const opened = open(to.session, to.own, decodeEnvelope(envelope), NOW)
  to.session = opened.session
  requireSame(opened.contents, contents)
  return envelope.length
}

function requireSame(came: readonly Uint8Array[], sent: readonly Uint8Array[]): void {
  const same = came.length === sent.length && came.every((one, i) => sameEnds(one, sent[i]))
  if (!same) throw new Error("what came is not what was sent")
}

/** Length and both ends: what would show a content that was lost, cut or swapped. */
function sameEnds(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return a.length === b?.length && a[10] === b[10] && a.at(-1) === b.at(-1)
}
