// SPEC §9 envelope: header, contents, padding, signature, AEAD.

import { decode, decodeShared, encode, type Value } from "./encoding.ts"
import { AgentMeshError, require } from "./errors.ts"
import { INIT, initValue, type RawInit } from "./handshake.ts"
import type { Peer } from "./identity.ts"
import { type Block, type Init, sealKey } from "./keyschedule.ts"
import { encodeInto } from "./pack.ts"
import { bytes, decodeAs, list, literal, nullable, type Shape, tuple, uint } from "./shape.ts"
import {
  aeadOpen,
  aeadSeal,
  hash,
  isEd25519,
  labelledView,
  MAX_CONTENT,
  MAX_CONTENTS,
  MAX_CT,
  MAX_ENVELOPE,
  MAX_HEADER,
  MAX_PADDED,
  MAX_RECEIPTS,
  MIN_CT,
  type Suite,
  sign,
  verify,
} from "./suite.ts"

/** What travels in clear: where in which session an envelope belongs (SPEC §9.2). */
export interface Header {
  readonly sid: Uint8Array
  readonly block: Block
  /** Envelopes of the sender's previous chain. */
  readonly pn: number
  /** Number in this chain, from 0. */
  readonly n: number
  /** 16 random bytes. */
  readonly guard: Uint8Array
}

/** An envelope in shape; nothing in it is authenticated. */
export interface RawEnvelope extends Header {
  readonly init: RawInit | null
  /** The header as received: what is authenticated and signed. */
  readonly header: Uint8Array
  readonly ct: Uint8Array
}

const key32 = bytes(32)
const BLOCK: Shape<Block> = (value) => {
  const [x, ek, kemCt] = tuple(key32, nullable(bytes(1184)), nullable(bytes(1088)))(value)
  return { x, ek, kemCt }
}
const HEADER = tuple(literal(1), bytes(16), BLOCK, uint, uint, bytes(16), nullable(INIT))
const OUTER = tuple(bytes(), bytes())
const INNER = tuple(list(bytes(), 1, MAX_CONTENTS), bytes(64))

/**
 * Encodes a header; `init` as long as the sender has not heard from the receiver. Names, key and
 * nonce are no part of an envelope (ENVELOPE-7).
 */
export function encodeHeader(header: Header, init: Init | null): Uint8Array {
  const { x, ek, kemCt } = header.block
  const { sid, pn, n, guard } = header
  return encode([1, sid, [x, ek, kemCt], pn, n, guard, init && initValue(init)])
}

/**
 * Reads an envelope: sizes, version, shape (SPEC §9.4).
 *
 * @param envelope - Any bytes.
 * @throws {@link AgentMeshError} `encoding/*`, `envelope/version`.
 */
export function decodeEnvelope(envelope: Uint8Array): RawEnvelope {
  const [header, ct] = decodeAs(OUTER, envelope, MAX_ENVELOPE) // ENVELOPE-8
  // ENVELOPE-9
  require(header.length <= MAX_HEADER, "encoding/limit", `header of ${header.length} bytes`)
  const sized = ct.length >= MIN_CT && ct.length <= MAX_CT
  require(sized, "encoding/limit", `ciphertext of ${ct.length} bytes`)
  const value = decode(header, MAX_HEADER) // ENVELOPE-10
  const [version] = list((item) => item, 1)(value)
  require(uint(version as Value) === 1, "envelope/version", `version ${version}`) // ENVELOPE-11
  const [, sid, block, pn, n, guard, init] = HEADER(value) // ENVELOPE-12
  return { sid, block, pn, n, guard, init, header, ct }
}

// ---- padding ----

/** The Padmé length of `length` bytes: at most 12 % more, few distinct values. */
export function padme(length: number): number {
  if (length < 2) return length
  const e = 31 - Math.clz32(length)
  const s = 32 - Math.clz32(e)
  const mask = 2 ** (e - s) - 1
  return (length + mask) & ~mask
}

/** Room for an inner of `length` bytes, its end mark and the filler: at least 256 bytes. */
function paddedRoom(length: number): Uint8Array {
  return new Uint8Array(Math.max(256, padme(length + 1)))
}

/** `bytes || 0x80 || 0x00*`, at least 256 bytes (ENVELOPE-6). */
export function pad(inner: Uint8Array): Uint8Array {
  const padded = paddedRoom(inner.length)
  padded.set(inner)
  padded[inner.length] = 0x80
  return padded
}

/** Undoes {@link pad}; null unless the length and every filler byte are exactly as it makes them. */
export function unpad(padded: Uint8Array): Uint8Array | null {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  if (padded[end] !== 0x80) return null
  return padded.length === Math.max(256, padme(end + 1)) ? padded.subarray(0, end) : null
}

// ---- seal and open ----

/** What both sides of a session know about an envelope beside its keys. */
export interface EnvelopeContext {
  readonly suite: Suite
  readonly th: Uint8Array
  readonly sender: Peer
  /** Name of the receiver. */
  readonly recipient: string
}

/** What is signed, for a use at once. */
function signedView(
  context: EnvelopeContext,
  header: Uint8Array,
  hashes: readonly Uint8Array[],
): Uint8Array {
  const { suite, th, sender, recipient } = context
  return labelledView("message", suite, th, sender.name, recipient, header, hashes)
}

/** Hash of one encoded content, 32 bytes. */
export function contentHash(content: Uint8Array): Uint8Array {
  return hash("content", content)
}

/** Bytes that so many contents fill in an inner, heads and signature included. */
export function innerLength(contents: readonly { readonly length: number }[]): number {
  let items = 0
  for (const { length } of contents) items += itemLength(length)
  return innerOf(contents.length, items)
}

/** Bytes of a content of `length` bytes with its head. */
export function itemLength(length: number): number {
  return headLength(length) + length
}

/** Bytes of an inner with `count` contents that fill `items` bytes with their heads. */
export function innerOf(count: number, items: number): number {
  return 1 + headLength(count) + items + 66
}

function headLength(argument: number): number {
  return argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x1_0000 ? 3 : 5
}

/**
 * Checks that contents fit one envelope; before a sender draws anything for it (SPEC §4).
 *
 * @throws RangeError if there are no or too many contents, or too many bytes.
 */
export function requireBatch(contents: readonly Uint8Array[]): void {
  if (contents.length < 1 || contents.length > MAX_CONTENTS) {
    throw new RangeError(`expected 1 to ${MAX_CONTENTS} contents, got ${contents.length}`)
  }
  if (innerLength(contents) + 1 > MAX_PADDED) throw new RangeError("contents exceed an envelope")
}

/**
 * Seals 1 to 64 encoded contents (SPEC §9.3), which the caller has made by the table of kinds
 * (ENVELOPE-3).
 *
 * @param mk - Message key, 32 bytes.
 * @param ikSecret - Identity secret of the sender.
 * @throws RangeError if there are no or too many contents, or too many bytes.
 */
export function sealEnvelope(
  context: EnvelopeContext,
  mk: Uint8Array,
  ikSecret: Uint8Array,
  header: Uint8Array,
  guard: Uint8Array,
  contents: readonly Uint8Array[],
): Uint8Array {
  requireBatch(contents)
  const { suite, th } = context
  const sig = sign(ikSecret, signedView(context, header, contents.map(contentHash)))
  const padded = paddedRoom(innerLength(contents))
  padded[encodeInto(padded, [contents, sig])] = 0x80 // ENVELOPE-6
  const key = sealKey(suite, th, mk, guard)
  const ct = aeadSeal(key, labelledView("envelope", th, header), padded)
  key.fill(0)
  return encode([header, ct])
}

/**
 * What is inside an envelope: 1 to 64 encoded contents and the signature over their hashes. Contents
 * share the memory of the plaintext, which is theirs alone: who keeps one for long keeps a copy.
 */
export interface OpenedInner {
  readonly contents: readonly Uint8Array[]
  readonly sig: Uint8Array
}

/**
 * Opens an envelope and verifies its signature (SPEC §9.4).
 *
 * @param mk - Message key, 32 bytes.
 * @returns The 1 to 64 encoded contents, each still to be judged, and their signature.
 * @throws {@link AgentMeshError} `envelope/open` for every cause alike (ENVELOPE-13).
 */
export function openEnvelope(
  context: EnvelopeContext,
  mk: Uint8Array,
  envelope: RawEnvelope,
): OpenedInner {
  const { suite, th, sender } = context
  const key = sealKey(suite, th, mk, envelope.guard)
  const padded = aeadOpen(key, labelledView("envelope", th, envelope.header), envelope.ct)
  key.fill(0)
  const inner = padded && unpad(padded)
  if (inner) {
    try {
      const [contents, sig] = INNER(decodeShared(inner))
      const signed = signedView(context, envelope.header, contents.map(contentHash))
      if (verify(sender.ik, signed, sig)) return { contents, sig }
    } catch {
      // one code, no sub-reason
    }
  }
  throw new AgentMeshError("envelope/open", "the envelope does not open")
}

/**
 * Verifies that `sender` signed `content` to `recipient`, for a third party (SPEC §9.4). False also
 * for an identity key that SPEC §4 refuses, under which anybody can sign.
 *
 * @param proof - The header, the content hashes in order and the signature, as the receiver had.
 */
export function verifyContentProof(
  context: EnvelopeContext,
  content: Uint8Array,
  proof: { header: Uint8Array; hashes: readonly Uint8Array[]; sig: Uint8Array; index: number },
): boolean {
  if (!(proof.index in proof.hashes)) return false // or the content would be in no hash
  if (!isEd25519(context.sender.ik)) return false
  const hashes = proof.hashes.slice()
  hashes[proof.index] = contentHash(content) // ENVELOPE-20
  return verify(context.sender.ik, signedView(context, proof.header, hashes), proof.sig)
}

// ---- contents ----

/** Kinds of content (SPEC Appendix A). */
export const CONTENT_KINDS = { application: 0, heal: 1, receipt: 2 } as const
/** Statuses in a receipt (SPEC Appendix A). */
export const RECEIPT_STATUSES = { delivered: 1, processed: 2, failed: 3 } as const

/** One content of an envelope (SPEC §9.2). */
export interface Content {
  /** 0 application, 1 heal, 2 receipt. */
  readonly kind: number
  /** 16 random bytes. */
  readonly id: Uint8Array
  /** Unix time in milliseconds. */
  readonly sentMs: number
  /** Id of the content that this one answers. */
  readonly re: Uint8Array | null
  /** 1 if the sender also wants to hear when it was processed. */
  readonly ask: number
  readonly body: Uint8Array
}

/** One receipt: what became of a content. */
export interface Receipt {
  readonly id: Uint8Array
  /** 1 delivered, 2 processed, 3 failed or refused. */
  readonly status: number
}

const CONTENT = tuple(uint, bytes(16), uint, nullable(bytes(16)), uint, bytes())
const RECEIPTS = list(tuple(bytes(16), uint), 1, MAX_RECEIPTS)

/** Encodes a content. */
export function encodeContent(content: Content): Uint8Array {
  const { kind, id, sentMs, re, ask, body } = content
  return encode([kind, id, sentMs, re, ask, body])
}

/** Encodes the body of a receipt content: 1 to 256 receipts. */
export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return encode(receipts.map(({ id, status }) => [id, status]))
}

/**
 * Reads a content and checks the rules of its kind, except for the payload of kind 0. A long body
 * shares the memory of `content`.
 *
 * @throws {@link AgentMeshError} `envelope/content` for every fault.
 */
export function decodeContent(content: Uint8Array): Content {
  try {
    const fields = CONTENT(decodeShared(content, MAX_CONTENT)) // ENVELOPE-15
    const [kind, id, sentMs, re, ask, body] = fields
    const quiet = re === null && ask === 0 // ENVELOPE-16
    const ruled =
      (kind === 0 && ask <= 1) ||
      (kind === 1 && quiet && body.length === 0) ||
      (kind === 2 && quiet && decodeReceipts(body).length > 0)
    require(ruled, "envelope/content", "a content that breaks the rules of its kind")
    return { kind, id, sentMs, re, ask, body }
  } catch (error) {
    throw new AgentMeshError("envelope/content", "the content has no valid form", error)
  }
}

/**
 * Reads the body of a receipt content.
 *
 * @throws {@link AgentMeshError} `encoding/*`, `envelope/content`.
 */
export function decodeReceipts(body: Uint8Array): readonly Receipt[] {
  return decodeAs(RECEIPTS, body).map(([id, status]) => {
    require(status >= 1 && status <= 3, "envelope/content", `receipt status ${status}`)
    return { id, status }
  })
}

/** The id of a refused application content, for its receipt; null if unreadable (ENVELOPE-17). */
export function readRefusedId(content: Uint8Array): Uint8Array | null {
  try {
    const items = decode(content)
    if (!Array.isArray(items) || items.length !== 6 || items[0] !== 0) return null
    return items[1] instanceof Uint8Array && items[1].length === 16 ? items[1] : null
  } catch {
    return null
  }
}
