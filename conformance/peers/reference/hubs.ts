// Reference driver, SPEC §11: frames and receipts.

import { acceptBundle, openBundle } from "../../../src/bundle.ts"
import { concat } from "../../../src/bytes.ts"
import { encode, type Value } from "../../../src/encoding.ts"
import { DEFAULT_LIMITS } from "../../../src/hub/decision.ts"
import {
  compareReceipts,
  decodeFrame,
  encodeHello,
  FRAME,
  frameHash,
  type HubKey,
  type HubLimits,
  malformed,
  readAs,
  readHello,
  readReady,
  signAuth,
  signReceipt,
  signWelcome,
  verifyReceipt,
  verifyWelcome,
} from "../../../src/hub/frames.ts"
import { readDeliver, readError, readLow } from "../../../src/hub/replies.ts"
import { isRequest, readRequest, ridOf } from "../../../src/hub/requests.ts"
import { bytes, literal, text, tuple, uint } from "../../../src/shape.ts"
import { ed25519Public, sha256 } from "../../../src/suite.ts"
import type { JsonObject } from "../../driver.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import {
  bytesArg,
  hex,
  identityArg,
  listArg,
  numberArg,
  type Ops,
  objectArg,
  optionalBytes,
  peerArg,
} from "./args.ts"

const LIMITS = tuple(uint, uint, uint, uint, uint, uint, uint, uint)
const WELCOME = tuple(
  literal(FRAME.welcome),
  literal(0),
  uint,
  bytes(32),
  bytes(32),
  LIMITS,
  bytes(64),
)
const AUTH = tuple(literal(FRAME.auth), literal(0), text, bytes(32), bytes(64))
const REPLY = tuple(literal(FRAME.reply), uint, (value: Value) => value)

/** Limits as an object with the names of SPEC §11.2. */
export function limitsArg(args: JsonObject): HubLimits {
  const given = args["limits"] === undefined ? {} : objectArg(args, "limits")
  const names = {
    "mailbox-messages": "mailboxMessages",
    "mailbox-bytes": "mailboxBytes",
    "per-sender": "perSender",
    "per-sender-bytes": "perSenderBytes",
    "ttl-s": "ttl",
    envelope: "envelope",
    "requests-per-s": "requestsPerSecond",
    unacked: "unacked",
  } as const
  const limits: Record<string, number> = { ...DEFAULT_LIMITS }
  for (const [name, key] of Object.entries(names)) {
    if (given[name] !== undefined) limits[key] = numberArg(given, name)
  }
  return limits as unknown as HubLimits
}

/** The hub's key of a seed: draw `identity`. */
export function hubKeyOf(seed: Uint8Array): HubKey {
  const secret = deterministicDraw(seed)("identity", 32)
  return { secret, ik: ed25519Public(secret) }
}

/** Checks a frame against its CDDL. */
function readFrame(frame: Uint8Array): void {
  const value = decodeFrame(frame)
  const [type] = value
  if (isRequest(type)) {
    if (ridOf(value) === 0) throw malformed("rid")
    readRequest(value)
  } else if (type === FRAME.hello) readHello(value)
  else if (type === FRAME.welcome) readAs(WELCOME, value)
  else if (type === FRAME.auth) readAs(AUTH, value)
  else if (type === FRAME.ready) readReady(value)
  else if (type === FRAME.reply) readAs(REPLY, value)
  else if (type === FRAME.error) readError(value)
  else if (type === FRAME.deliver) readDeliver(value)
  else if (type === FRAME.lowOneTime) readLow(value)
  else throw malformed("unknown type")
}

export const hubPureOps: Ops = {
  "hub.decode"(args) {
    const frame = bytesArg(args, "bytes")
    readFrame(frame)
    return { frameHash: hex(frameHash(frame)) }
  },
  "hub.hello"(args) {
    const versions = listArg(args, "versions") as readonly number[]
    const cnonce = deterministicDraw(bytesArg(args, "seed"))("cnonce", 32)
    return { frame: hex(encodeHello(versions, cnonce)) }
  },
  "hub.welcome"(args) {
    const seed = bytesArg(args, "seed")
    const hello = bytesArg(args, "hello")
    readHello(decodeFrame(hello))
    const snonce = deterministicDraw(seed)("snonce", 32)
    const helloHash = frameHash(hello)
    const frame = signWelcome(hubKeyOf(seed), helloHash, snonce, limitsArg(args))
    return { frame: hex(frame), trace: [["hello-hash", hex(helloHash)]] }
  },
  "hub.auth"(args) {
    const [hello, frame] = [bytesArg(args, "hello"), bytesArg(args, "welcome")]
    const helloHash = frameHash(hello)
    const welcome = verifyWelcome(decodeFrame(frame), {
      helloHash,
      pinned: optionalBytes(args, "pinned"),
    })
    const context = { helloHash, welcomeHash: frameHash(frame), hubIk: welcome.hubIk }
    const auth = signAuth(identityArg(args), context)
    return { frame: hex(auth), trace: [["welcome-hash", hex(context.welcomeHash)]] }
  },
  "hub.receipt"(args) {
    const { name, ik } = peerArg(args, "owner")
    const receipt = {
      name,
      ik,
      bundleRef: bytesArg(args, "ref"),
      seq: numberArg(args, "seq"),
      time: numberArg(args, "time"),
    }
    return { receipt: hex(encode(signReceipt(hubKeyOf(bytesArg(args, "seed")), receipt))) }
  },
  "hub.checkReceipt"(args) {
    const bundle = openBundle(bytesArg(args, "bundle"))
    const [hubIk, now] = [bytesArg(args, "hubIk"), numberArg(args, "now")]
    acceptBundle(bundle.bytes, { now })
    const signed = bytesArg(args, "receipt")
    verifyReceipt(signed, { hubIk, bundle, now })
    return { digest: hex(sha256(signed)) }
  },
  "hub.compareReceipts"(args) {
    const [a, b] = [bytesArg(args, "a"), bytesArg(args, "b")]
    const verdict = compareReceipts(a, b, bytesArg(args, "hubIk"))
    return { verdict, digest: hex(sha256(concat(a, b))) }
  },
}
