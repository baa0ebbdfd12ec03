// SPEC §11 hub: requests, as the hub reads them and the agent writes them.

import { SIGNED } from "../bundle.ts"
import { encode, type Value } from "../encoding.ts"
import { MAX_ACKS, MAX_ONE_TIME_PUT, MAX_RID } from "../limits.ts"
import { bytes, list, type Shape, text, tuple, uint } from "../shape.ts"
import { FRAME, malformed, readAs, type Signed } from "./frames.ts"

/** A request of an agent that has authenticated. */
export type Request =
  | { readonly type: "putBundle"; readonly bundle: Signed }
  | { readonly type: "putOneTime"; readonly drop: boolean; readonly keys: readonly Signed[] }
  | { readonly type: "getBundle"; readonly name: string; readonly suites: readonly number[] }
  | {
      readonly type: "send"
      readonly to: string
      readonly mid: Uint8Array
      readonly envelope: Uint8Array
    }
  | { readonly type: "ack"; readonly mseqs: readonly number[] }
  | { readonly type: "list"; readonly after: string }
  | { readonly type: "ping" }
  | { readonly type: "counts" }

/** Suites in one GET_BUNDLE. */
const MAX_GET_SUITES = 4

const bit: Shape<number> = (value) => {
  const number = uint(value)
  if (number > 1) throw malformed("drop is 0 or 1")
  return number
}

const PUT_BUNDLE = tuple(uint, uint, SIGNED)
const PUT_ONE_TIME = tuple(uint, uint, bit, list(SIGNED, 0, MAX_ONE_TIME_PUT))
const GET_BUNDLE = tuple(uint, uint, text, list(uint, 0, MAX_GET_SUITES))
const SEND = tuple(uint, uint, text, bytes(16), bytes())
const ACK = tuple(uint, uint, list(uint, 1, MAX_ACKS))
const LIST = tuple(uint, uint, text)
const BARE = tuple(uint, uint)

/** The id in the second item of a frame, 0 if there is none. */
export function ridOf(frame: readonly Value[]): number {
  const rid = frame[1]
  return typeof rid === "number" && rid >= 1 && rid <= MAX_RID ? rid : 0
}

/**
 * Reads a request whose id has been read.
 *
 * @param frame - A decoded frame.
 * @returns null for an unknown type.
 * @throws {@link AgentMeshError} `hub/malformed` for a known request of another shape.
 */
export function readRequest(frame: readonly [number, ...Value[]]): Request | null {
  switch (frame[0]) {
    case FRAME.putBundle:
      return { type: "putBundle", bundle: readAs(PUT_BUNDLE, frame)[2] }
    case FRAME.putOneTime: {
      const [, , drop, keys] = readAs(PUT_ONE_TIME, frame)
      return { type: "putOneTime", drop: drop === 1, keys }
    }
    case FRAME.getBundle: {
      const [, , name, suites] = readAs(GET_BUNDLE, frame)
      return { type: "getBundle", name, suites }
    }
    case FRAME.send: {
      const [, , to, mid, envelope] = readAs(SEND, frame)
      return { type: "send", to, mid, envelope }
    }
    case FRAME.ack:
      return { type: "ack", mseqs: readAs(ACK, frame)[2] }
    case FRAME.list:
      return { type: "list", after: readAs(LIST, frame)[2] }
    case FRAME.ping:
      readAs(BARE, frame)
      return { type: "ping" }
    case FRAME.counts:
      readAs(BARE, frame)
      return { type: "counts" }
    default:
      return null
  }
}

/** Whether a frame type is that of a request. */
export function isRequest(type: number): boolean {
  return type >= FRAME.putBundle && type <= FRAME.counts
}

/** Encodes a request. */
export function encodeRequest(rid: number, request: Request): Uint8Array {
  switch (request.type) {
    case "putBundle":
      return encode([FRAME.putBundle, rid, request.bundle])
    case "putOneTime":
      return encode([FRAME.putOneTime, rid, request.drop ? 1 : 0, request.keys])
    case "getBundle":
      return encode([FRAME.getBundle, rid, request.name, request.suites])
    case "send":
      return encode([FRAME.send, rid, request.to, request.mid, request.envelope])
    case "ack":
      return encode([FRAME.ack, rid, request.mseqs])
    case "list":
      return encode([FRAME.list, rid, request.after])
    case "ping":
      return encode([FRAME.ping, rid])
    case "counts":
      return encode([FRAME.counts, rid])
  }
}
