// SPEC §12 agent: the rows of an agent's store. A row is a map of the payload profile (SPEC §3).

import type { OwnBundle, OwnOneTimeKey } from "../bundle.ts"
import { decodePayload, encodePayload, type Payload } from "../encoding.ts"
import { AgentMeshError } from "../errors.ts"
import type { Session, SkippedKey } from "../session.ts"
import type { ExchangeSecret, Suite } from "../suite.ts"
import type { Pin } from "./trust.ts"

/** Times `kept` are Unix seconds, those with `Ms` Unix milliseconds. */
export interface MetaRow {
  readonly format: number
  /** Commits so far, and the digest over all session rows: a store that lost rows is noticed. */
  readonly commits: number
  readonly sessionsDigest: Uint8Array
  /** Order of commits, contents and verified envelopes. */
  readonly order: number
  /** Highest seq of an own bundle. */
  readonly seq: number
  /** The stored clock, and the first reading that was too far from it to be followed. */
  readonly kept: number
  readonly jumpedAt: number | null
  /** Ids of peers to which no application content was ever sent: how many, and their floor. */
  readonly seen: number
  readonly floorMs: number
  /** Seq of the bundle that the hub said it has; null before. */
  readonly publishedSeq: number | null
  /** Whether the one-time keys at the hub are of a lost state and have to be dropped. */
  readonly dropDue: boolean
  /** When the identity was imported, seconds; null if it was made here. */
  readonly importedAt: number | null
}

/** The secrets of the identity. */
export interface IdentityRow {
  readonly name: string
  readonly ikSecret: Uint8Array
  readonly dkSecret: Uint8Array
}

/** What is remembered of a peer, which is a name and an identity key. */
export interface PeerRow {
  readonly name: string
  readonly ik: Uint8Array
  /** A number of its own, which stands for it in the keys of remembered ids. */
  readonly number: number
  /** Highest suite computed or used, highest bundle seq and its bundle-ref. */
  readonly suite: number
  readonly seq: number
  readonly ref: Uint8Array | null
  /** The signed bundle of that seq; null after an import. */
  readonly bundle: Uint8Array | null
  /** Whether an application content was ever sent to it. */
  readonly sentTo: boolean
  /** Whether a session with it was ever confirmed. */
  readonly confirmed: boolean
  /** Content ids up to this time may have been forgotten. */
  readonly floorMs: number
  /** Ids that are remembered, and contents that were sealed for it. */
  readonly seen: number
  readonly placed: number
  /** The probe clock: seconds until the next probe, and when it is due (0: at rest). */
  readonly probeInterval: number
  readonly probeAtMs: number
  /** A card for handshakes without a hub. */
  readonly card: Uint8Array | null
}

/** A session with what decides where to send; its skipped keys have a row of their own. */
export interface SessionRow {
  readonly session: Omit<Session, "skipped">
  /** Creation and last verified receive (creation if none), `kept`. */
  readonly created: number
  readonly verified: number
  /** Order of the founding commit. */
  readonly founded: number
  /** Order of the last verified receive; 0 if none. */
  readonly order: number
  /** Until when an unconfirmed own session may be used. */
  readonly until: number
  /** Whether contents may go before the peer has answered. */
  readonly mayCarry: boolean
  /** Whether application contents went either way. */
  readonly carried: boolean
  /** When a responder's first envelope is due, milliseconds; 0 once it was sent. */
  readonly answerAtMs: number
}

/** A content that waits for its receipt. Its bytes have a row of their own. Ids are in hex. */
export interface ContentRow {
  readonly order: number
  readonly id: string
  readonly name: string
  /** Identity key it is bound to; null until the name is pinned. */
  readonly ik: Uint8Array | null
  /** Fingerprint the peer must have. */
  readonly fingerprint: string | null
  readonly size: number
  /** Number among the contents that were sealed for this peer; 0 while queued. */
  readonly place: number
  /** When `send` took it, `kept`. */
  readonly accepted: number
  readonly ask: number
  /** guard of the envelope with the latest copy; null while queued. */
  readonly mid: string | null
  /** Sessions on which a copy was sealed. */
  readonly sealedOn: readonly string[]
}

/** An envelope with contents that wait for their receipts; its key is its guard in hex. */
export interface CopyRow {
  readonly name: string
  readonly sid: string
  /** When the hub said OK, milliseconds; 0 before. */
  readonly okAtMs: number
}

/** A sealed envelope that waits for the hub's OK. */
export interface OutRow {
  readonly order: number
  readonly name: string
  readonly ik: Uint8Array
  readonly sid: Uint8Array
  readonly mid: Uint8Array
  readonly envelope: Uint8Array
  /** When it was sealed, `kept`. */
  readonly accepted: number
}

/** Receipts that are due to a peer, and in how many envelopes their contents came. */
export interface DueRow {
  readonly name: string
  readonly ik: Uint8Array
  /** Oldest first, 17 bytes each; see due.ts. */
  readonly receipts: Uint8Array
  readonly envelopes: number
  readonly atMs: number
}

/** A content that is to be handled. Its bytes have a row of their own. */
export interface InboxRow {
  readonly order: number
  readonly name: string
  readonly ik: Uint8Array
  readonly id: Uint8Array
  readonly size: number
  readonly ask: number
  /** Whether no application content had been sent to the peer when it came. */
  readonly stranger: boolean
}

/** An own bundle with its secrets. */
export interface BundleRow {
  readonly bundle: Omit<OwnBundle, "secrets">
  readonly secrets: readonly { readonly suite: Suite; readonly secret: ExchangeSecret }[]
  /** Handshakes without a one-time key in its replay cache. */
  readonly replays: number
}

/** What is pinned of a hub. */
export interface HubRow {
  readonly ik: Uint8Array
}

/** Two signed bundles of a peer with one seq. */
export interface EvidenceRow {
  readonly before: Uint8Array
  readonly bundle: Uint8Array
}

/** First and latest directory receipt of a hub for a name. */
export interface ReceiptRow {
  readonly first: Uint8Array
  readonly latest: Uint8Array
}

/**
 * Every table that is held in memory, by its key prefix. Keys that can open traffic are below
 * `key/`, contents below `data/`: the two ranges whose leftovers are compacted away.
 */
export interface Tables {
  meta: MetaRow
  hub: HubRow
  pin: Pin
  peer: PeerRow
  "key/identity": IdentityRow
  "key/bundle": BundleRow
  "key/one-time": OwnOneTimeKey
  "key/session": SessionRow
  "key/skipped": { readonly skipped: readonly SkippedKey[] }
  content: ContentRow
  copy: CopyRow
  "data/out": OutRow
  due: DueRow
  inbox: InboxRow
}

/** Encodes a row. */
export function encodeRow(row: object): Uint8Array {
  return encodePayload(row as Payload)
}

/**
 * Decodes a row that this agent wrote.
 *
 * @throws {@link AgentMeshError} `agent/store-corrupt`.
 */
export function decodeRow<T>(bytes: Uint8Array): T {
  try {
    return decodePayload(bytes) as T
  } catch (error) {
    throw new AgentMeshError("agent/store-corrupt", "a row cannot be read", error)
  }
}

/** Key part of an order, so that rows sort by it. */
export function orderKey(order: number): string {
  return order.toString(16).padStart(14, "0")
}
