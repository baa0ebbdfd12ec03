// SPEC §11 hub: what a hub sends, as the agent reads it.

import { SIGNED } from "../bundle.ts"
import { encode, type Value } from "../encoding.ts"
import { MAX_NAMES, MAX_RETRY_AFTER, MAX_RID } from "../limits.ts"
import { bytes, list, literal, nullable, text, tuple, uint } from "../shape.ts"
import { FRAME, type HubErrorCode, hubErrorCode, malformed, readAs } from "./frames.ts"

const ERROR = tuple(literal(FRAME.error), uint, uint, uint)
const DELIVER = tuple(literal(FRAME.deliver), literal(0), uint, text, bytes())
const LOW = tuple(literal(FRAME.lowOneTime), literal(0), uint, uint)
const FOUND = tuple(SIGNED, nullable(SIGNED), SIGNED)
const NAMES = list(text, 0, MAX_NAMES)
const NULL = literal(null)

/** Checks the rid of an answer, from `least` to 2^32-1 (HUB-54). */
export function checkRid(rid: number, least: 0 | 1): void {
  if (rid < least || rid > MAX_RID) throw malformed(`an answer with rid ${rid}`)
}

/** Reads an error frame. */
export function readError(frame: Value): {
  readonly rid: number
  readonly code: HubErrorCode
  /** Seconds, at most {@link MAX_RETRY_AFTER}. */
  readonly retryAfter: number
} {
  const [, rid, code, retryAfter] = readAs(ERROR, frame)
  checkRid(rid, 0)
  return { rid, code: hubErrorCode(code), retryAfter: Math.min(retryAfter, MAX_RETRY_AFTER) }
}

/** Reads DELIVER: mseq, from, envelope. */
export function readDeliver(frame: Value): [number, string, Uint8Array] {
  const [, , mseq, from, envelope] = readAs(DELIVER, frame)
  return [mseq, from, envelope]
}

/** Reads REFILL_ONE_TIME: suite, keys left. */
export function readLow(frame: Value): [number, number] {
  const [, , suite, left] = readAs(LOW, frame)
  return [suite, left]
}

/** Reads the result null. */
export function readNull(result: Value): void {
  readAs(NULL, result)
}

/** Reads a number. */
export function readUint(result: Value): number {
  return readAs(uint, result)
}

/** Reads a page of names. */
export function readNames(result: Value): readonly string[] {
  return readAs(NAMES, result)
}

/** What GET_BUNDLE found, each part as encoded `signed`. */
export interface Found {
  readonly bundle: Uint8Array
  readonly oneTime: Uint8Array | null
  readonly receipt: Uint8Array
}

/** Reads what GET_BUNDLE found. */
export function readFound(result: Value): Found {
  const [bundle, oneTime, receipt] = readAs(FOUND, result)
  return {
    bundle: encode(bundle),
    oneTime: oneTime && encode(oneTime),
    receipt: encode(receipt),
  }
}
