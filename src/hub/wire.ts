// SPEC §11 hub: frames as they travel, and the registry of hub errors.

import { decode, encode, type Value } from "../encoding.ts"
import { AgentMeshError } from "../errors.ts"
import { MAX_FRAME } from "../limits.ts"
import { encode as pack } from "../pack.ts"
import { bytes, list, literal, nullable, type Shape, tuple, uint } from "../shape.ts"

/** The version of the hub protocol. */
export const HUB_VERSION = 1

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
] as const

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

const _key32 = bytes(32)
const COUNTS = tuple(uint, list(tuple(uint, uint)), nullable(uint))
const READY = tuple(literal(FRAME.ready), literal(0), COUNTS)

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

// ---- ready ----

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
  return pack([FRAME.reply, rid, isCounts(result) ? countsValue(result) : result])
}

/** Encodes an error; `retryAfter` in seconds, 0 when waiting does not help. */
export function encodeError(rid: number, code: HubErrorCode, retryAfter: number = 0): Uint8Array {
  return pack([FRAME.error, rid, hubErrorNumber(code), retryAfter])
}

/** Encodes DELIVER; `from` is the hub's claim. */
export function encodeDeliver(mseq: number, from: string, envelope: Uint8Array): Uint8Array {
  return pack([FRAME.deliver, 0, mseq, from, envelope])
}

/** Encodes REFILL_ONE_TIME. */
export function encodeLowOneTime(suite: number, left: number): Uint8Array {
  return pack([FRAME.lowOneTime, 0, suite, left])
}
