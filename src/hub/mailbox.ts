// SPEC §11 hub: mailboxes. Pure decisions over rows: SEND, ACK, expiry.

import { DEDUPE_LIFETIME } from "../limits.ts"
import { type Decision, type HubSettings, refuse, reply } from "./decision.ts"
import type { Request } from "./requests.ts"
import {
  type AccountRow,
  keyOf,
  type MailRow,
  mseqOf,
  type Reader,
  type Rows,
  type SenderRow,
  type SentRow,
  type Write,
} from "./rows.ts"

/** The dedupe row of a message that is stored. */
const STORED: SentRow = [0]

type Send = Extract<Request, { type: "send" }>

/** Rows that SEND reads. */
export function sendNeeds(from: string, { to, mid }: Send): readonly string[] {
  return [keyOf.account(to), keyOf.sender(to, from), keyOf.sent(to, from, mid)]
}

/**
 * SEND: a durable append, unless the same message is or was here.
 *
 * @param keys - What {@link sendNeeds} has found: keys are long, and made once.
 */
export function decideSend(
  from: string,
  { to, mid, envelope }: Send,
  keys: readonly string[],
  rows: Reader,
  settings: HubSettings,
  now: number,
): Decision {
  const [accountKey, senderKey, sentKey] = keys as readonly [string, string, string]
  const { limits } = settings
  const size = envelope.length
  if (size === 0 || size > limits.envelope) return refuse("hub/too-large") // HUB-47
  const account = rows.get<AccountRow>(accountKey)
  const sender = rows.get<SenderRow>(senderKey) ?? [0, 0]
  const sent = rows.get<SentRow>(sentKey)
  if (account === null || account[4] === null) return refuse("hub/no-such-agent")
  if (sent !== null && (sent[0] === 0 || sent[0] >= now)) return reply(null) // HUB-48
  const [mseq, mail, bytes, oldest, bundleSeq, suites] = account
  const full =
    mail >= limits.mailboxMessages ||
    bytes + size > limits.mailboxBytes ||
    sender[0] >= limits.perSender ||
    sender[1] + size > limits.perSenderBytes
  if (full) return refuse("hub/mailbox-full") // HUB-49
  const row: MailRow = [from, mid, now, size, envelope]
  const since = mail === 0 ? now : Math.min(oldest, now)
  const writes: Write[] = [
    [keyOf.mail(to, mseq), row], // HUB-50
    [accountKey, [mseq + 1, mail + 1, bytes + size, since, bundleSeq, suites]],
    [senderKey, [sender[0] + 1, sender[1] + size]],
    [sentKey, STORED],
  ]
  if (mail === 0) writes.push(mailboxDue(to, now, limits.ttl))
  return {
    result: null,
    writes,
    pushes: [{ type: "mail", to, mseq, from, mid, envelope }],
    routed: 1,
  }
}

/** When a mailbox is looked through for expired messages: in steps, or each lull left a row. */
export function mailboxDue(name: string, oldest: number, ttl: number): Write {
  const step = 600
  return [keyOf.due(Math.ceil((oldest + ttl + 1) / step) * step, keyOf.account(name)), []]
}

/** Rows that ACK reads at first: the account, then the mail. */
export function ackNeeds(name: string, mseqs: readonly number[]): readonly string[] {
  return [keyOf.account(name), ...mseqs.map((mseq) => keyOf.mail(name, mseq))]
}

/** Rows that ACK reads once it is known whose mail it is about. */
export function ackSenders(name: string, keys: readonly string[], rows: Rows): readonly string[] {
  const senders = new Set<string>()
  for (let i = 1; i < keys.length; i++) {
    const mail = rows.get(keys[i] as string) as MailRow | null | undefined
    if (mail) senders.add(mail[0])
  }
  return Array.from(senders, (from) => keyOf.sender(name, from))
}

/**
 * ACK: deletes messages of the own mailbox (HUB-51); others and unknown ones are no error and have
 * no effect.
 *
 * @param keys - What {@link ackNeeds} has found.
 */
export function decideAck(
  name: string,
  mseqs: readonly number[],
  keys: readonly string[],
  rows: Reader,
  now: number,
): Decision {
  const taken = new Map<string, MailRow>()
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string
    const mail = rows.get<MailRow>(key)
    if (mail !== null) taken.set(key, mail)
  }
  const writes = removeMail(name, taken, rows)
  const until = now + DEDUPE_LIFETIME
  const landed: SentRow = [until]
  const sent = Array.from(taken.values(), ([from, mid]) => keyOf.sent(name, from, mid))
  for (const key of sent) writes.push([key, landed])
  const [first, ...others] = sent
  if (first !== undefined) writes.push([keyOf.due(until + 1, first), others])
  return { result: null, writes, pushes: [], gone: { name, mseqs } }
}

/** Deletes stored messages and counts them out; what becomes of dedupe rows is the caller's. */
function removeMail(name: string, gone: ReadonlyMap<string, MailRow>, rows: Reader): Write[] {
  if (gone.size === 0) return []
  const account = rows.get<AccountRow>(keyOf.account(name))
  if (account === null) return []
  const writes: Write[] = []
  const senders = new Map<string, SenderRow>()
  let [next, mail, bytes, oldest, bundleSeq, suites] = account
  for (const [key, [from, , , size]] of gone) {
    writes.push([key, null])
    const sender = senders.get(from) ?? rows.get<SenderRow>(keyOf.sender(name, from)) ?? [0, 0]
    senders.set(from, [Math.max(0, sender[0] - 1), Math.max(0, sender[1] - size)])
    mail = Math.max(0, mail - 1)
    bytes = Math.max(0, bytes - size)
  }
  for (const [from, row] of senders) {
    writes.push([keyOf.sender(name, from), row[0] === 0 ? null : row])
  }
  writes.push([keyOf.account(name), [next, mail, bytes, oldest, bundleSeq, suites]])
  return writes
}

/** Whether a mailbox may hold messages beyond their time. */
export function mayExpire(account: AccountRow | null, ttl: number, now: number): boolean {
  return account !== null && account[1] > 0 && account[3] + ttl < now
}

/**
 * Erases what is beyond its time in the first page of a mailbox. Times rise with the mseq unless the
 * clock was set back, so that the whole page is looked through. Where more follows, a page that lost
 * something is looked at once more; what is behind a page of later mail alone waits for it to go.
 *
 * @param page - The first stored messages of the mailbox, in order.
 * @param whole - Whether the page is all there is.
 */
export function decideExpiry(
  name: string,
  page: readonly (readonly [string, MailRow])[],
  whole: boolean,
  rows: Reader,
  ttl: number,
  now: number,
): Decision {
  const gone = new Map<string, MailRow>()
  let since = now
  let oldest = now
  for (const [key, mail] of page) {
    since = Math.min(since, mail[2])
    if (mail[2] + ttl < now) gone.set(key, mail)
    else oldest = Math.min(oldest, mail[2])
  }
  if (!whole && gone.size > 0) oldest = since
  const writes = removeMail(name, gone, rows)
  for (const [from, mid] of gone.values()) writes.push([keyOf.sent(name, from, mid), null])
  const key = keyOf.account(name)
  const changed = writes.find(([written]) => written === key)?.[1] as AccountRow | undefined
  const account = changed ?? rows.get<AccountRow>(key)
  if (account !== null) {
    const [next, mail, bytes, , bundleSeq, suites] = account
    writes.push([key, [next, mail, bytes, oldest, bundleSeq, suites]])
    if (mail > 0) writes.push(mailboxDue(name, oldest, ttl))
  }
  return {
    result: null,
    writes,
    pushes: [],
    gone: { name, mseqs: Array.from(gone.keys(), mseqOf) },
  }
}
