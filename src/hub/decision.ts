// SPEC §11 hub: what a decision of the hub is made of.

import {
  MAIL_LIFETIME,
  MAX_ENVELOPE,
  MAX_MAILBOX_BYTES,
  MAX_MAILBOX_MESSAGES,
  MAX_REQUEST_RATE,
  MAX_SENDER_BYTES,
  MAX_SENDER_MESSAGES,
  MAX_UNACKED,
} from "../limits.ts"
import type { HubErrorCode, HubKey, HubLimits, Result } from "./frames.ts"
import type { Write } from "./rows.ts"

/** What a hub is run with. */
export interface HubSettings {
  readonly key: HubKey
  /** As announced in welcome. */
  readonly limits: HubLimits
  /** Names that may be bound. */
  readonly maxNames: number
}

/** The limits of SPEC §11, announced unless options say otherwise. */
export const DEFAULT_LIMITS: HubLimits = {
  mailboxMessages: MAX_MAILBOX_MESSAGES,
  mailboxBytes: MAX_MAILBOX_BYTES,
  perSender: MAX_SENDER_MESSAGES,
  perSenderBytes: MAX_SENDER_BYTES,
  ttl: MAIL_LIFETIME,
  envelope: MAX_ENVELOPE,
  requestsPerSecond: MAX_REQUEST_RATE,
  unacked: MAX_UNACKED,
}

/** What is pushed to another agent (or to oneself) once the decision is durable. */
export type Push =
  | {
      readonly type: "mail"
      readonly to: string
      readonly mseq: number
      readonly from: string
      readonly mid: Uint8Array
      readonly envelope: Uint8Array
    }
  | { readonly type: "low"; readonly to: string; readonly suite: number; readonly left: number }

/** The outcome of one request: a result or an error, one write batch, pushes. */
export interface Decision {
  readonly result: Result
  readonly error?: { readonly code: HubErrorCode; readonly retryAfter: number }
  readonly writes: readonly Write[]
  readonly pushes: readonly Push[]
  /** Messages of a mailbox that no longer await an ACK. */
  readonly gone?: { readonly name: string; readonly mseqs: readonly number[] }
  /** The result is a page of names after this one, read once the batch is durable. */
  readonly page?: string
  /** Messages accepted. */
  readonly routed?: number
}

/** A result without effect on rows. */
export function reply(result: Result): Decision {
  return { result, writes: [], pushes: [] }
}

/** The waiting time in seconds that goes with an error (SPEC §11.2). */
export function retryAfterFor(code: HubErrorCode): number {
  if (code === "hub/mailbox-full") return 60
  return code === "hub/rate-limited" || code === "hub/internal" ? 1 : 0
}

/** An error; nothing changes. */
export function refuse(code: HubErrorCode, retryAfter: number = retryAfterFor(code)): Decision {
  return { result: null, error: { code, retryAfter }, writes: [], pushes: [] }
}
