// SPEC §11 hub: the hub's decisions. Pure: rows and time come in, a decision comes out.

import type { Peer } from "../identity.ts"
import { MAX_NAMES } from "../limits.ts"
import { CLOCK_SKEW } from "../suite.ts"
import { type Decision, type HubSettings, refuse, reply } from "./decision.ts"
import {
  bindNeeds,
  countsNeeds,
  countsOf,
  decideBind,
  decidePutBundle,
  putBundleNeeds,
} from "./directory.ts"
import type { HubErrorCode } from "./frames.ts"
import {
  ackNeeds,
  ackSenders,
  decideAck,
  decideSend,
  mailboxDue,
  mayExpire,
  sendNeeds,
} from "./mailbox.ts"
import {
  ageTaken,
  decideGetBundle,
  decidePutOneTime,
  getBundleNeeds,
  putOneTimeNeeds,
} from "./pool.ts"
import type { Request } from "./requests.ts"
import {
  type AccountRow,
  keyOf,
  Reader,
  type Row,
  type Rows,
  type SeenRow,
  type SentRow,
  type TakenRow,
  tableOf,
  type Write,
} from "./rows.ts"

/** A request, the authentication that comes before all requests, or an error that is due. */
export type Asked =
  | Request
  | { readonly type: "bind" }
  | { readonly type: "refuse"; readonly code: HubErrorCode }

/** A decision, or what the runtime has to do before it asks again. */
export type Step =
  | { readonly type: "decided"; readonly decision: Decision }
  /** Rows to read. */
  | { readonly type: "read"; readonly keys: readonly string[] }
  /** A mailbox whose head has to be checked for expired messages. */
  | { readonly type: "expire"; readonly name: string }

/** Keys of the rows that a request will read, as far as it tells by itself. */
export function neededRows(peer: Peer, asked: Asked): readonly string[] {
  switch (asked.type) {
    case "bind":
      return bindNeeds(peer)
    case "putBundle":
      return putBundleNeeds(peer.name)
    case "putOneTime":
      return putOneTimeNeeds(peer.name, asked)
    case "getBundle":
      return getBundleNeeds(peer, asked)
    case "send":
      return sendNeeds(peer.name, asked)
    case "ack":
      return ackNeeds(peer.name, asked.mseqs)
    case "counts":
      return countsNeeds(peer.name)
    case "list":
    case "ping":
    case "refuse":
      return []
  }
}

/** Keys of more rows that a request will read, once those of {@link neededRows} are there. */
export function furtherRows(
  peer: Peer,
  asked: Asked,
  keys: readonly string[],
  rows: Rows,
): readonly string[] {
  return asked.type === "ack" ? ackSenders(peer.name, keys, rows) : []
}

/** The mailbox that a request uses: what is past its time there goes first (HUB-62). */
function mailboxOf(peer: Peer, asked: Asked): string | null {
  switch (asked.type) {
    case "send":
      return asked.to
    case "bind":
    case "ack":
    case "counts":
      return peer.name
    default:
      return null
  }
}

/**
 * Decides one request.
 *
 * @param peer - Who asks; authenticated.
 * @param keys - What {@link neededRows} has found for it.
 * @param now - Unix time in seconds.
 */
export function decide(
  peer: Peer,
  asked: Asked,
  keys: readonly string[],
  rows: Rows,
  settings: HubSettings,
  now: number,
): Step {
  const reader = new Reader(rows)
  const name = mailboxOf(peer, asked)
  if (name !== null) {
    const first = asked.type === "send" || asked.type === "ack"
    const accountKey = first ? (keys[0] as string) : keyOf.account(name) // keys are long
    const account = reader.get<AccountRow>(accountKey)
    if (mayExpire(account, settings.limits.ttl, now)) return { type: "expire", name }
  }
  const decision = decideRequest(peer, asked, keys, reader, settings, now)
  const { missing } = reader
  return missing.length > 0 ? { type: "read", keys: missing } : { type: "decided", decision }
}

function decideRequest(
  peer: Peer,
  asked: Asked,
  keys: readonly string[],
  rows: Reader,
  settings: HubSettings,
  now: number,
): Decision {
  switch (asked.type) {
    case "bind":
      return decideBind(peer, rows, settings, now)
    case "putBundle":
      return decidePutBundle(peer, asked.bundle, rows, now)
    case "putOneTime":
      return decidePutOneTime(peer, asked, rows, now)
    case "getBundle":
      return decideGetBundle(peer, asked, rows, settings, now)
    case "send":
      return decideSend(peer.name, asked, keys, rows, settings, now)
    case "ack":
      return decideAck(peer.name, asked.mseqs, keys, rows, now)
    case "counts":
      return reply(countsOf(peer.name, rows, now))
    case "list":
      return { ...reply([]), page: asked.after }
    case "ping":
      return reply(null)
    case "refuse":
      return refuse(asked.code)
  }
}

/** The rows that a page of LIST is read from: keys from the first and below the second. */
export function pageRange(after: string): readonly [from: string, below: string] {
  return [`${keyOf.listed(after)}\0`, "listed0"]
}

/** The names of a page. */
export function pageNames(keys: readonly string[]): readonly string[] {
  return keys.slice(0, MAX_NAMES).map((key) => key.slice(keyOf.listed("").length))
}

/** A row that is due, and the keys of the rows that it is about. */
export type Due = readonly [due: string, keys: readonly string[]]

/** Frees rows past their lifetime; no answer depends on it. */
export function decideSweep(
  due: readonly Due[],
  rows: Rows,
  settings: HubSettings,
  now: number,
): { readonly writes: readonly Write[]; readonly expire: readonly string[] } {
  const writes: Write[] = []
  const expire: string[] = []
  for (const [dueKey, keys] of due) {
    writes.push([dueKey, null])
    for (const key of keys) {
      const row = rows.get(key)
      if (row) sweepRow(key, row, settings.limits.ttl, now, { writes, expire })
    }
  }
  return { writes, expire }
}

function sweepRow(
  key: string,
  row: Row,
  ttl: number,
  now: number,
  { writes, expire }: { readonly writes: Write[]; readonly expire: string[] },
): void {
  const table = tableOf(key)
  if (table === "sent") {
    const [until] = row as SentRow
    if (until !== 0 && until < now) writes.push([key, null])
  } else if (table === "seen") {
    if ((row as SeenRow)[0] + CLOCK_SKEW < now) writes.push([key, null])
  } else if (table === "taken") {
    writes.push([key, ageTaken(row as TakenRow, now)])
  } else if (table === "account") {
    const mailbox = key.slice(keyOf.account("").length)
    const account = row as AccountRow
    if (mayExpire(account, ttl, now)) expire.push(mailbox)
    else if (account[1] > 0) writes.push(mailboxDue(mailbox, account[3], ttl))
  }
}
