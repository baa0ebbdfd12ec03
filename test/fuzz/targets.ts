// Every function that reads bytes or text from outside, with valid inputs to begin from.

import { exportState, importState } from "../../src/agent/backup.ts"
import {
  acceptBundle,
  acceptOneTimeKey,
  createBundle,
  createOneTimeKey,
  decodeCard,
  encodeCard,
  openBundle,
  openOneTimeKey,
} from "../../src/bundle.ts"
import { fromUtf8, toUtf8 } from "../../src/bytes.ts"
import { decode, decodePayload, encode, encodePayload } from "../../src/encoding.ts"
import {
  contentHash,
  decodeContent,
  decodeEnvelope,
  decodeReceipts,
  encodeContent,
  encodeReceipts,
  openEnvelope,
  pad,
  readRefusedId,
  unpad,
} from "../../src/envelope.ts"
import { AgentMeshError } from "../../src/errors.ts"
import { checkInit, initiate, readInit, respond } from "../../src/handshake.ts"
import {
  type AuthContext,
  compareReceipts,
  decodeFrame,
  encodeDeliver,
  encodeError,
  encodeHello,
  encodeLowOneTime,
  encodeReady,
  encodeReply,
  frameHash,
  openReceipt,
  readCounts,
  readHello,
  readReady,
  signAuth,
  signReceipt,
  signWelcome,
  verifyAuth,
  verifyWelcome,
} from "../../src/hub/frames.ts"
import { readDeliver, readError, readFound, readLow, readNames } from "../../src/hub/replies.ts"
import { encodeRequest, readRequest } from "../../src/hub/requests.ts"
import { createIdentity, parseAddress } from "../../src/identity.ts"
import { sealKey } from "../../src/keyschedule.ts"
import { createInitiator, createResponder, open, seal } from "../../src/session.ts"
import { aeadSeal, type DrawName, expand, labelled, type Suite, sign } from "../../src/suite.ts"

/** A function that reads untrusted input, and inputs that it accepts. */
export interface Target {
  readonly name: string
  readonly seeds: readonly Uint8Array[]
  /** Authenticated: what is no seed is refused. */
  readonly exact?: true
  /** Returns or throws an AgentMeshError, for all bytes. */
  run(bytes: Uint8Array): unknown
}

const NOW = 1_767_225_600
let draws = 0
const draw = (name: DrawName, length: number): Uint8Array =>
  expand(new Uint8Array(32).fill(9), labelled("test", name, draws++), length)

const alice = createIdentity("alice", draw)
const bob = createIdentity("bob", draw)
const bundle = createBundle(bob, { seq: 7, now: NOW, suites: [1, 2] }, draw)
const oneTime = ([1, 2] as const).map((suite) => createOneTimeKey(bob, suite, NOW, draw))
const id = draw("content-id", 16)

const payload = encodePayload({
  type: "message",
  text: "hé",
  n: [1, -1, 1.5, true, null, { a: {} }],
})
const contents = [
  { kind: 0, id, sentMs: NOW * 1000, re: null, ask: 1, body: payload },
  { kind: 1, id, sentMs: NOW * 1000, re: null, ask: 0, body: new Uint8Array(0) },
  { kind: 2, id, sentMs: 1, re: null, ask: 0, body: encodeReceipts([{ id, status: 1 }]) },
].map(encodeContent)

/** First and second flight from alice to bob, and bob's session after the first. */
function converse(suite: Suite, key: (typeof oneTime)[number] | null) {
  const handshake = initiate(alice, bundle, key, suite, draw)
  const first = seal(createInitiator(handshake, bundle), alice, contents, draw)
  const second = seal(first.session, alice, contents.slice(0, 1), draw)
  const raw = decodeEnvelope(first.envelope)
  if (raw.init === null) throw new Error("the first envelope carries the init")
  const { init, th } = readInit(raw.init, raw, bob)
  const accepted = { bundle, oneTime: key, changed: false }
  const rk = respond(init, th, raw.block, bob, accepted)
  const started = createResponder(init, th, rk, bundle)
  return {
    started,
    session: open(started, bob, raw, NOW).session,
    envelopes: [first.envelope, second.envelope],
  }
}

const talks = [converse(1, oneTime[0] ?? null), converse(2, oneTime[1] ?? null), converse(2, null)]
const envelopes = talks.flatMap((talk) => talk.envelopes)
const answers = talks.map((talk) => seal(talk.session, bob, contents, draw).envelope)

/** What a responder that knows all of bob's keys does with an init. */
function receiveInit(bytes: Uint8Array): void {
  const raw = decodeEnvelope(bytes)
  if (raw.init === null) throw new AgentMeshError("session/unknown", "no init")
  const { init, th } = readInit(raw.init, raw, bob)
  const key = oneTime.find((candidate) => candidate.suite === init.suite)
  const view = { replayed: false, sidTaken: false, trusted: true, room: true, remembered: 0 }
  const named = { from: undefined, pinned: undefined, suites: [1, 2] as const }
  const accepted = checkInit(init, { ...view, ...named, bundle, oneTime: key })
  open(
    createResponder(init, th, respond(init, th, raw.block, bob, accepted), bundle),
    bob,
    raw,
    NOW,
  )
}

const target = decodeEnvelope(envelopes[0] as Uint8Array)
const [th, mk] = [new Uint8Array(32), new Uint8Array(32)]
const hashes = contents.map(contentHash)
const toSign = labelled("message", 1, th, "alice", "bob", target.header, hashes)
const inner = encode([contents, sign(alice.ikSecret, toSign)])

/** Seals any bytes as the inner of an envelope, as a peer that knows the keys could. */
function openInner(bytes: Uint8Array): void {
  const aad = labelled("envelope", th, target.header)
  const padded = unpad(bytes) === null ? pad(bytes) : bytes
  const ct = aeadSeal(sealKey(1, th, mk, target.guard), aad, padded)
  openEnvelope({ suite: 1, th, sender: alice, recipient: "bob" }, mk, { ...target, ct })
}

// ---- hub ----

const hub = { ik: alice.ik, secret: alice.ikSecret }
const hello = encodeHello([1], draw("cnonce", 32))
const limits = {
  ...{ mailboxMessages: 1000, mailboxBytes: 1 << 26, perSender: 200, perSenderBytes: 1 << 23 },
  ...{ ttl: 604_800, envelope: 1_114_112, requestsPerSecond: 1000, unacked: 64 },
}
const welcome = signWelcome(hub, frameHash(hello), draw("snonce", 32), limits)
const auth: AuthContext = {
  helloHash: frameHash(hello),
  welcomeHash: frameHash(welcome),
  hubIk: hub.ik,
}
const signed = decode(bundle.bytes) as unknown as readonly [Uint8Array, Uint8Array]
const counts = { mail: 3, oneTime: new Map([[1, 5]]), bundleSeq: 7 }
const receipt = encode(
  signReceipt(hub, { name: "bob", ik: bob.ik, bundleRef: bundle.ref, seq: 7, time: NOW }),
)
const envelope = envelopes[0] as Uint8Array
const frames = [
  ...[hello, welcome, signAuth(bob, auth), encodeReady(counts)],
  ...[encodeReply(1, counts), encodeReply(2, null), encodeReply(3, 5), encodeReply(4, ["a"])],
  encodeReply(5, [signed, null, decode(receipt)]),
  ...[encodeError(1, "hub/rate-limited", 60), encodeDeliver(1, "alice", envelope)],
  encodeLowOneTime(2, 4),
  encodeRequest(1, { type: "putBundle", bundle: signed }),
  encodeRequest(2, { type: "putOneTime", drop: true, keys: [signed, signed] }),
  encodeRequest(3, { type: "getBundle", name: "bob", suites: [2, 1] }),
  encodeRequest(4, { type: "send", to: "bob", mid: id, envelope }),
  encodeRequest(5, { type: "ack", mseqs: [1, 2, 3] }),
  encodeRequest(6, { type: "list", after: "a" }),
  ...[encodeRequest(7, { type: "ping" }), encodeRequest(8, { type: "counts" })],
]

// ---- export ----

const fileKey = new Uint8Array(32).fill(4)
const backup = exportState(
  {
    ...{ name: "bob", ikSecret: bob.ikSecret, dkSecret: bob.dkSecret, seq: 7, hubIk: hub.ik },
    peers: [{ name: "alice", ik: alice.ik, trust: "verified", suite: 2, seq: 3 }],
  },
  fileKey,
  draw,
)

/** The text of bytes that are UTF-8, otherwise one character a byte. */
function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    return String.fromCharCode(...bytes)
  }
}

const protocol = [bundle.bytes, signed[0], ...envelopes, ...frames, backup]
const keys = oneTime.map((key) => key.bytes)
const addresses = ["bob", `bob#${"0123:".repeat(7)}4567`, "bob#", "a.b-c_d"].map(toUtf8)
const context = { now: NOW, name: "bob", pinned: bob.ik, known: { seq: 7, ref: bundle.ref } }
type Frame = ReturnType<typeof decodeFrame>
const frameTarget = (name: string, read: (frame: Frame) => unknown): Target => ({
  name,
  seeds: frames,
  run: (bytes: Uint8Array) => read(decodeFrame(bytes)),
})

/** All targets, by section. */
export const TARGETS: readonly Target[] = [
  { name: "decode", seeds: protocol, run: (bytes) => decode(bytes) },
  { name: "decodePayload", seeds: [payload], run: decodePayload },
  { name: "parseAddress", seeds: addresses, run: (bytes) => parseAddress(textOf(bytes)) },
  { name: "openBundle", exact: true, seeds: [bundle.bytes], run: openBundle },
  {
    name: "acceptBundle",
    exact: true,
    seeds: [bundle.bytes],
    run: (bytes) => acceptBundle(bytes, context),
  },
  { name: "openOneTimeKey", exact: true, seeds: keys, run: openOneTimeKey },
  {
    name: "acceptOneTimeKey",
    exact: true,
    seeds: keys,
    run: (bytes) => acceptOneTimeKey(bytes, bundle, 2, NOW),
  },
  {
    name: "decodeCard",
    seeds: [toUtf8(encodeCard(bundle.bytes)), toUtf8(encodeCard(Uint8Array.of(1, 2)))],
    run: (bytes) => decodeCard(textOf(bytes)),
  },
  { name: "decodeEnvelope", seeds: [...envelopes, ...answers], run: decodeEnvelope },
  { name: "receiveInit", exact: true, seeds: envelopes, run: receiveInit },
  ...talks.map((talk, i) => ({
    name: `openSession${i}`,
    exact: true as const,
    seeds: talk.envelopes,
    run: (bytes: Uint8Array) => open(talk.session, bob, decodeEnvelope(bytes), NOW),
  })),
  {
    name: "openNewSession",
    exact: true,
    seeds: envelopes,
    run: (bytes) => open(talks[1]!.started, bob, decodeEnvelope(bytes), NOW),
  },
  { name: "openInner", exact: true, seeds: [inner, pad(inner)], run: openInner },
  { name: "decodeContent", seeds: contents, run: decodeContent },
  { name: "readRefusedId", seeds: contents, run: readRefusedId },
  { name: "decodeReceipts", seeds: [encodeReceipts([{ id, status: 3 }])], run: decodeReceipts },
  { name: "unpad", seeds: [pad(payload)], run: unpad },
  frameTarget("readHello", readHello),
  frameTarget("verifyWelcome", (frame) =>
    verifyWelcome(frame, { helloHash: auth.helloHash, pinned: null }),
  ),
  frameTarget("verifyAuth", (frame) => verifyAuth(frame, auth)),
  frameTarget("readReady", readReady),
  frameTarget("readCounts", (frame) => readCounts(frame[2] ?? null)),
  frameTarget("readRequest", readRequest),
  frameTarget("readError", readError),
  frameTarget("readDeliver", readDeliver),
  frameTarget("readLow", readLow),
  frameTarget("readNames", (frame) => readNames(frame[2] ?? null)),
  frameTarget("readFound", (frame) => readFound(frame[2] ?? null)),
  { name: "openReceipt", exact: true, seeds: [receipt], run: openReceipt },
  {
    name: "compareReceipts",
    seeds: [receipt],
    run: (bytes) => compareReceipts(receipt, bytes, hub.ik),
  },
  {
    name: "importState",
    exact: true,
    seeds: [backup],
    run: (bytes) => importState(bytes, fileKey),
  },
]
