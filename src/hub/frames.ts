// SPEC §11 hub: frames, the hub's error integers, signatures of welcome and auth, receipts.

import { type Bundle, SIGNED } from "../bundle.ts"
import { equalBytes } from "../bytes.ts"
import { decode, encode, type Value } from "../encoding.ts"
import { AgentMeshError, type ErrorCode, require } from "../errors.ts"
import { fingerprint, isName, type OwnIdentity, type Peer } from "../identity.ts"
import { bytes, list, literal, nullable, type Shape, text, tuple, uint } from "../shape.ts"
import { checkEd25519, hash, labelled, sign, verify } from "../suite.ts"

/** The version of the hub protocol. */
export const HUB_VERSION = 1
/** Largest frame in bytes, without the length prefix of 4 bytes. */
export const MAX_FRAME = 1_179_648
/** Largest request id. */
export const MAX_RID = 0xffff_ffff
/** One-time keys in one PUT_ONE_TIME; suites in one GET_BUNDLE; mseqs in one ACK; names in a page. */
export const MAX_PUT_ONE_TIME = 100
export const MAX_GET_SUITES = 4
export const MAX_ACK = 256
export const MAX_LIST = 256
/** Longest time in seconds that an agent waits because a hub says so. */
export const MAX_RETRY_AFTER = 3_600
/** Largest difference in seconds between a receipt's time and the agent's clock. */
export const RECEIPT_SKEW = 300

/** Frame types (SPEC Appendix A). */
export const FRAME = {
  hello: 1,
  welcome: 2,
  auth: 3,
  ready: 4,
  putBundle: 10,
  putOneTime: 11,
  getBundle: 12,
  send: 13,
  ack: 14,
  list: 15,
  ping: 16,
  counts: 17,
  reply: 20,
  error: 21,
  deliver: 30,
  lowOneTime: 31,
} as const

/** Hub errors as they travel (SPEC Appendix A): the code of the integer n is at index n - 1. */
export const HUB_ERRORS = [
  "hub/malformed",
  "hub/version",
  "hub/auth-required",
  "hub/auth-failed",
  "hub/name-taken",
  "hub/no-such-agent",
  "hub/bad-bundle",
  "hub/bundle-stale",
  "hub/mailbox-full",
  "hub/too-large",
  "hub/rate-limited",
  "hub/replaced",
  "hub/unknown-request",
  "hub/internal",
] as const satisfies readonly ErrorCode[]

/** A code that a hub can send. */
export type HubErrorCode = (typeof HUB_ERRORS)[number]

/** The integer of a hub error. */
export function hubErrorNumber(code: HubErrorCode): number {
  return HUB_ERRORS.indexOf(code) + 1
}

/** The code of an integer; one that this version does not know counts as `hub/internal`. */
export function hubErrorCode(number: number): HubErrorCode {
  return HUB_ERRORS[number - 1] ?? "hub/internal"
}

/** What a hub allows, as announced in welcome. */
export interface HubLimits {
  /** Messages and bytes of envelopes in one mailbox. */
  readonly mailboxMessages: number
  readonly mailboxBytes: number
  /** Messages and bytes of one sender in one mailbox. */
  readonly perSender: number
  readonly perSenderBytes: number
  /** Seconds that a message is kept. */
  readonly ttl: number
  /** Largest envelope in bytes. */
  readonly envelope: number
  /** Requests per second and connection. */
  readonly requestsPerSecond: number
  /** Delivered messages that may await their ACK. */
  readonly unacked: number
}

/** A signed structure as it stands inside a frame. */
export type Signed = readonly [body: Uint8Array, sig: Uint8Array]

/** What `ready` and COUNTS say about the agent's own mailbox and keys. */
export interface Counts {
  /** Stored messages. */
  readonly mail: number
  /** One-time keys left, by suite. */
  readonly oneTime: ReadonlyMap<number, number>
  /** seq of the agent's bundle at the hub, null without one. */
  readonly bundleSeq: number | null
}

// ---- shapes ----

const key32 = bytes(32)
const versions: Shape<readonly number[]> = list(uint, 1, 8)
const LIMITS: Shape<readonly number[]> = tuple(uint, uint, uint, uint, uint, uint, uint, uint)
const COUNTS = tuple(uint, list(tuple(uint, uint)), nullable(uint))
const HELLO = tuple(literal(FRAME.hello), literal(0), versions, key32)
const WELCOME = tuple(literal(FRAME.welcome), literal(0), uint, key32, key32, LIMITS, bytes(64))
const AUTH = tuple(literal(FRAME.auth), literal(0), text, key32, bytes(64))
const READY = tuple(literal(FRAME.ready), literal(0), COUNTS)
const RECEIPT_BODY = tuple(literal("AgentMesh/1 directory"), key32, text, key32, key32, uint, uint)

/** Anything that a shape throws about a frame is `hub/malformed`. */
export function malformed(what: string, cause?: unknown): AgentMeshError {
  return new AgentMeshError("hub/malformed", what, cause)
}

/** Checks a decoded frame against a CDDL rule; throws `hub/malformed`. */
export function readAs<T>(rule: Shape<T>, value: Value): T {
  try {
    return rule(value)
  } catch (error) {
    throw malformed("the frame has another shape", error)
  }
}

/**
 * Decodes a frame far enough to dispatch on it.
 *
 * @param frame - The frame without its length, at most {@link MAX_FRAME} bytes.
 * @returns An array whose first item is the frame type.
 * @throws {@link AgentMeshError} `hub/malformed`.
 */
export function decodeFrame(frame: Uint8Array): readonly [type: number, ...Value[]] {
  let value: Value
  try {
    value = decode(frame, MAX_FRAME)
  } catch (error) {
    throw malformed((error as Error).message, error)
  }
  if (!Array.isArray(value) || typeof value[0] !== "number") {
    throw malformed("a frame is an array that begins with its type")
  }
  return value as unknown as readonly [number, ...Value[]]
}

/** frame-hash = H(C([label, frame without the length])), 32 bytes. */
export function frameHash(frame: Uint8Array): Uint8Array {
  return hash("frame", frame)
}

// ---- hello, welcome, auth, ready ----

/** Encodes hello; `cnonce` has 32 bytes. */
export function encodeHello(offered: readonly number[], cnonce: Uint8Array): Uint8Array {
  return encode([FRAME.hello, 0, offered, cnonce])
}

/** Reads hello. */
export function readHello(value: Value): { versions: readonly number[]; cnonce: Uint8Array } {
  const [, , offered, cnonce] = readAs(HELLO, value)
  return { versions: offered, cnonce }
}

function limitsValue(limits: HubLimits): readonly number[] {
  return [
    limits.mailboxMessages,
    limits.mailboxBytes,
    limits.perSender,
    limits.perSenderBytes,
    limits.ttl,
    limits.envelope,
    limits.requestsPerSecond,
    limits.unacked,
  ]
}

function readLimits(value: readonly number[]): HubLimits {
  const [mailboxMessages, mailboxBytes, perSender, perSenderBytes, ttl, ...rest] =
    value as readonly [number, number, number, number, number, number, number, number]
  const [envelope, requestsPerSecond, unacked] = rest
  return {
    ...{ mailboxMessages, mailboxBytes, perSender, perSenderBytes },
    ...{ ttl, envelope, requestsPerSecond, unacked },
  }
}

/** An Ed25519 key pair that signs welcomes and receipts; both halves have 32 bytes. */
export interface HubKey {
  readonly ik: Uint8Array
  readonly secret: Uint8Array
}

/** What hub-welcome signs. */
function welcomeBody(
  helloHash: Uint8Array,
  version: number,
  hubIk: Uint8Array,
  snonce: Uint8Array,
  limits: readonly number[],
): Uint8Array {
  return labelled("hub-welcome", helloHash, version, hubIk, snonce, limits)
}

/** Signs and encodes welcome; `snonce` has 32 bytes. */
export function signWelcome(
  key: HubKey,
  helloHash: Uint8Array,
  snonce: Uint8Array,
  limits: HubLimits,
): Uint8Array {
  const values = limitsValue(limits)
  const sig = sign(key.secret, welcomeBody(helloHash, HUB_VERSION, key.ik, snonce, values))
  return encode([FRAME.welcome, 0, HUB_VERSION, key.ik, snonce, values, sig])
}

/** A welcome whose signature has been verified. */
export interface Welcome {
  readonly hubIk: Uint8Array
  readonly limits: HubLimits
}

/** What an agent holds a welcome against. */
export interface WelcomeContext {
  readonly helloHash: Uint8Array
  /** The pinned hub key, null before the first contact. */
  readonly pinned: Uint8Array | null
  /** The fingerprint that the address of the hub asks for. */
  readonly fingerprint?: string | undefined
}

/**
 * Reads welcome and verifies that the right hub signed it for this hello (HUB-53).
 *
 * @throws {@link AgentMeshError} `hub/malformed`, `hub/version`, `hub/auth-failed`.
 */
export function verifyWelcome(value: Value, context: WelcomeContext): Welcome {
  const { helloHash, pinned } = context
  const [, , version, hubIk, snonce, limits, sig] = readAs(WELCOME, value)
  require(version === HUB_VERSION, "hub/version", `the hub chose version ${version}`)
  const same =
    (pinned === null || equalBytes(pinned, hubIk)) &&
    (context.fingerprint === undefined || fingerprint(hubIk) === context.fingerprint)
  require(same, "hub/auth-failed", "the hub has another key than the one that is pinned")
  const body = welcomeBody(helloHash, version, hubIk, snonce, limits)
  require(isSignedBy(hubIk, body, sig), "hub/auth-failed", "the welcome is not signed by the hub")
  return { hubIk, limits: readLimits(limits) }
}

function isSignedBy(ik: Uint8Array, body: Uint8Array, sig: Uint8Array): boolean {
  try {
    checkEd25519(ik)
  } catch {
    return false
  }
  return verify(ik, body, sig)
}

/** The hashes of both frames that precede auth, and the hub's key. */
export interface AuthContext {
  readonly helloHash: Uint8Array
  readonly welcomeHash: Uint8Array
  readonly hubIk: Uint8Array
}

/** What hub-auth signs. */
function authBody(context: AuthContext, name: string, ik: Uint8Array): Uint8Array {
  return labelled("hub-auth", context.helloHash, context.welcomeHash, context.hubIk, name, ik)
}

/** Signs and encodes auth. */
export function signAuth(identity: OwnIdentity, context: AuthContext): Uint8Array {
  const { name, ik, ikSecret } = identity
  return encode([FRAME.auth, 0, name, ik, sign(ikSecret, authBody(context, name, ik))])
}

/**
 * Reads auth and verifies it.
 *
 * @throws {@link AgentMeshError} `hub/malformed`, `hub/auth-failed`.
 */
export function verifyAuth(value: Value, context: AuthContext): Peer {
  const [, , name, ik, sig] = readAs(AUTH, value)
  require(isName(name), "hub/auth-failed", "that is not a name")
  const valid = isSignedBy(ik, authBody(context, name, ik), sig)
  require(valid, "hub/auth-failed", "the signature does not verify for this connection")
  return { name, ik }
}

function countsValue(counts: Counts): Value {
  return [counts.mail, [...counts.oneTime].sort((a, b) => a[0] - b[0]), counts.bundleSeq]
}

/** Reads counts. */
export function readCounts(value: Value): Counts {
  const [mail, oneTime, bundleSeq] = readAs(COUNTS, value)
  return { mail, oneTime: new Map(oneTime), bundleSeq }
}

/** Encodes ready. */
export function encodeReady(counts: Counts): Uint8Array {
  return encode([FRAME.ready, 0, countsValue(counts)])
}

/** Reads ready. */
export function readReady(value: Value): Counts {
  const [, , [mail, oneTime, bundleSeq]] = readAs(READY, value)
  return { mail, oneTime: new Map(oneTime), bundleSeq }
}

// ---- replies and pushes ----

/** The result of a request, before it is encoded. */
export type Result = Value | Counts

function isCounts(result: Result): result is Counts {
  return typeof result === "object" && result !== null && "oneTime" in result
}

/** Encodes a reply. */
export function encodeReply(rid: number, result: Result): Uint8Array {
  return encode([FRAME.reply, rid, isCounts(result) ? countsValue(result) : result])
}

/** Encodes an error; `retryAfter` in seconds, 0 when waiting does not help. */
export function encodeError(rid: number, code: HubErrorCode, retryAfter: number = 0): Uint8Array {
  return encode([FRAME.error, rid, hubErrorNumber(code), retryAfter])
}

/** Encodes DELIVER; `from` is the hub's claim. */
export function encodeDeliver(mseq: number, from: string, envelope: Uint8Array): Uint8Array {
  return encode([FRAME.deliver, 0, mseq, from, envelope])
}

/** Encodes LOW_ONE_TIME. */
export function encodeLowOneTime(suite: number, left: number): Uint8Array {
  return encode([FRAME.lowOneTime, 0, suite, left])
}

// ---- receipts of the directory ----

/** A receipt of the directory: the hub's signed statement of which bundle it serves for a name. */
export interface DirectoryReceipt {
  readonly hubIk: Uint8Array
  readonly name: string
  readonly ik: Uint8Array
  readonly bundleRef: Uint8Array
  readonly seq: number
  /** Unix time in seconds at which the hub signed it. */
  readonly time: number
  /** The signed receipt. */
  readonly bytes: Uint8Array
}

/** Signs a receipt. */
export function signReceipt(
  key: HubKey,
  receipt: Omit<DirectoryReceipt, "hubIk" | "bytes">,
): Signed {
  const { name, ik, bundleRef, seq, time } = receipt
  const body = labelled("directory", key.ik, name, ik, bundleRef, seq, time)
  return [body, sign(key.secret, body)]
}

/**
 * Opens a receipt and verifies its signature.
 *
 * @param signed - Encoded `signed`.
 * @throws {@link AgentMeshError} `hub/malformed` for every fault.
 */
export function openReceipt(signed: Uint8Array): DirectoryReceipt {
  try {
    const [body, sig] = SIGNED(decode(signed))
    const [, hubIk, name, ik, bundleRef, seq, time] = RECEIPT_BODY(decode(body))
    require(isSignedBy(hubIk, body, sig), "hub/malformed", "the receipt is not signed by the hub")
    return { hubIk, name, ik, bundleRef, seq, time, bytes: signed }
  } catch (error) {
    throw malformed("the directory receipt does not verify", error)
  }
}

/** What a receipt must say about an answer to GET_BUNDLE. */
export interface ReceiptContext {
  readonly hubIk: Uint8Array
  /** The bundle that came with the receipt, accepted by the checks of §6. */
  readonly bundle: Pick<Bundle, "name" | "ik" | "seq" | "ref">
  /** Unix time in seconds. */
  readonly now: number
}

/**
 * Opens a receipt and holds it against the bundle it came with (HUB-59).
 *
 * @throws {@link AgentMeshError} `hub/malformed` for every fault.
 */
export function verifyReceipt(signed: Uint8Array, context: ReceiptContext): DirectoryReceipt {
  const receipt = openReceipt(signed)
  const { bundle } = context
  const fits =
    equalBytes(receipt.hubIk, context.hubIk) &&
    receipt.name === bundle.name &&
    equalBytes(receipt.ik, bundle.ik) &&
    equalBytes(receipt.bundleRef, bundle.ref) &&
    receipt.seq === bundle.seq &&
    Math.abs(receipt.time - context.now) <= RECEIPT_SKEW
  require(fits, "hub/malformed", "the directory receipt is not for this answer")
  return receipt
}

/** What two receipts prove together (SPEC §11.4). */
export type Equivocation = "none" | "hub-fault" | "owner-or-hub-fault"

/**
 * Compares two signed receipts of one hub (SPEC §11.4). An honest hub never binds a name again and
 * never goes back in seq.
 *
 * @param a - Encoded receipt, such as one that another agent sent.
 * @param b - Encoded receipt.
 * @param hubIk - The key of the hub that is in question, 32 bytes.
 * @returns `none` also when one of them does not verify: a forgery proves nothing.
 */
export function compareReceipts(a: Uint8Array, b: Uint8Array, hubIk: Uint8Array): Equivocation {
  let receipts: readonly [DirectoryReceipt, DirectoryReceipt]
  try {
    receipts = [openReceipt(a), openReceipt(b)]
  } catch {
    return "none"
  }
  if (receipts.some((receipt) => !equalBytes(receipt.hubIk, hubIk))) return "none"
  const [one, two] = receipts
  if (one.name !== two.name) return "none"
  if (!equalBytes(one.ik, two.ik)) return "hub-fault"
  const [earlier, later] = one.time <= two.time ? [one, two] : [two, one]
  if (earlier.time < later.time && earlier.seq > later.seq) return "hub-fault"
  const twoBundles = one.seq === two.seq && !equalBytes(one.bundleRef, two.bundleRef)
  return twoBundles ? "owner-or-hub-fault" : "none"
}

/**
 * Whether two signed receipts prove that some hub or owner equivocated: {@link compareReceipts}
 * for the hub that the first one names.
 */
export function verifyEquivocation(a: Uint8Array, b: Uint8Array): Equivocation {
  try {
    return compareReceipts(a, b, openReceipt(a).hubIk)
  } catch {
    return "none"
  }
}
