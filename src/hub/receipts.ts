// SPEC §11 hub: receipts of the directory, and what two of them prove.

import { type Bundle, SIGNED } from "../bundle.ts"
import { equalBytes } from "../bytes.ts"
import { decode } from "../encoding.ts"
import { require } from "../errors.ts"
import { RECEIPT_SKEW } from "../limits.ts"
import { bytes, literal, text, tuple, uint } from "../shape.ts"
import { label, labelled, sign } from "../suite.ts"
import { type HubKey, isSignedBy } from "./opening.ts"
import { malformed, type Signed } from "./wire.ts"

const key32 = bytes(32)
const RECEIPT_BODY = tuple(literal(label("directory")), key32, text, key32, key32, uint, uint)

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
    return { hubIk, name, ik, bundleRef, seq, time, bytes: new Uint8Array(signed) }
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
