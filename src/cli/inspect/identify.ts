// What some bytes are, and what the library says to them.

import { acceptBundle, openOneTimeKey } from "../../bundle.ts"
import { decode, decodePayload } from "../../encoding.ts"
import { decodeContent, decodeEnvelope } from "../../envelope.ts"
import { AgentMeshError, type ErrorCode } from "../../errors.ts"
import { openReceipt } from "../../hub/receipts.ts"
import { isRequest, readRequest } from "../../hub/requests.ts"
import { decodeFrame } from "../../hub/wire.ts"
import { MAX_STATE } from "../../limits.ts"
import { label } from "../../suite.ts"
import { type Item, readInside, readItem } from "./cbor.ts"
import { frameOf } from "./frames.ts"
import {
  bodyOf,
  bundleBody,
  content,
  envelope,
  type Part,
  payload,
  signed,
  stateFile,
} from "./parts.ts"

/** What was found. */
export interface Finding {
  readonly bytes: Uint8Array
  readonly item: Item
  readonly part: Part
  /** null if it is good; otherwise the first fault. */
  readonly fault: { readonly code: ErrorCode; readonly message: string } | null
  /** What was checked. */
  readonly checked: string
}

type Check = readonly [part: Part, checked: string, check: (bytes: Uint8Array) => unknown]

const CANONICAL = "canonical protocol encoding (ENCODING-10 to 21)"

/** Fields of a structure that stand there in this order, by kind. */
function isShaped(item: Item, ...kinds: readonly string[]): boolean {
  const fits = item.items.every((one, i) => (kinds[i] ?? "").split("|").includes(one.kind))
  return item.kind === "array" && item.items.length === kinds.length && fits
}

function checkFor(item: Item, now: number): Check {
  const [first] = item.items
  if (item.kind === "map") return [payload, "a payload (SPEC §3.4)", decodePayload]
  if (isShaped(item, "bytes", "bytes")) {
    const inner = readInside(first as Item)
    const body = inner && bodyOf(inner)
    if (body === bundleBody) {
      const what = "all checks of a bundle (SPEC §6.4), at the time of this machine"
      return [signed, what, (bytes) => acceptBundle(bytes, { now })]
    }
    if (body?.name.startsWith("one-time")) {
      return [signed, "shape and signature (BUNDLE-28)", openOneTimeKey]
    }
    if (body) return [signed, "shape and signature of the hub", openReceipt]
    return [envelope, "steps 1 to 5 of SPEC §9.4; the rest needs the session", decodeEnvelope]
  }
  if (isShaped(item, "uint", "bytes", "uint", "bytes|simple", "uint", "bytes")) {
    return [content, "shape of a content (ENVELOPE-15, ENVELOPE-16)", decodeContent]
  }
  if (first?.value === label("state")) {
    const what = "encoding; agentmesh import opens it with its passphrase"
    return [stateFile, what, (bytes) => decode(bytes, MAX_STATE)]
  }
  const body = bodyOf(item)
  if (body) return [body, "encoding; there is no signature here", decode]
  const frame = frameOf(item)
  if (frame) return [frame, "shape of a frame (HUB-20, HUB-25)", checkFrame]
  return [{ name: "CBOR, of no structure of AgentMesh" }, CANONICAL, decode]
}

function checkFrame(bytes: Uint8Array): void {
  const frame = decodeFrame(bytes)
  if (isRequest(frame[0])) readRequest(frame)
}

/**
 * Finds out what bytes are.
 *
 * @param now - Unix seconds, for lifetimes.
 * @throws {@link AgentMeshError} `encoding/malformed`, `encoding/limit` if they are no CBOR.
 */
export function identify(bytes: Uint8Array, now: number): Finding {
  const { item, rest } = readItem(bytes)
  const [part, checked, check] = checkFor(item, now)
  let fault: Finding["fault"] = null
  try {
    if (rest > 0)
      throw new AgentMeshError("encoding/malformed", `${rest} bytes follow (ENCODING-21)`)
    check(bytes)
  } catch (error) {
    if (!(error instanceof AgentMeshError)) throw error
    fault = { code: error.code, message: error.message }
  }
  return { bytes, item, part, fault, checked }
}
