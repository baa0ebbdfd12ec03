// What an attacker can do who holds keys: reads of stores, envelopes sealed with them.

import { decodeRow, type IdentityRow, type SessionRow } from "../../src/agent/rows.ts"
import type { Value } from "../../src/encoding.ts"
import { decode, encode, encodePayload } from "../../src/encoding.ts"
import { CONTENT_KINDS, encodeContent } from "../../src/envelope.ts"
import { type OwnIdentity, restoreIdentity } from "../../src/identity.ts"
import type { Session, SkippedKey } from "../../src/session.ts"
import { osDraw } from "../../src/suite.ts"
import type { Disk } from "./disk.ts"
import type { Process } from "./world.ts"

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"))
}

/** The rows of a table, decoded, as a thief of the disk reads them. */
export async function stolenRows<T>(disk: Disk, table: string): Promise<T[]> {
  return [...(await disk.dump(`${table}/`)).values()].map((hex) => decodeRow<T>(bytesOf(hex)))
}

/** The sessions on a disk. */
export async function stolenSessions(disk: Disk): Promise<Session[]> {
  const sessions: Session[] = []
  for (const [key, hex] of await disk.dump("key/session/")) {
    const { session } = decodeRow<SessionRow>(bytesOf(hex))
    const kept = await disk.dump(key.replace("key/session/", "key/skipped/"))
    const [row] = [...kept.values()].map((one) =>
      decodeRow<{ skipped: readonly SkippedKey[] }>(bytesOf(one)),
    )
    sessions.push({ ...session, skipped: row?.skipped ?? [] })
  }
  return sessions
}

/** The identity on a disk. */
export async function stolenIdentity(disk: Disk): Promise<OwnIdentity> {
  const [row] = await stolenRows<IdentityRow>(disk, "key/identity")
  const { name, ikSecret, dkSecret } = row as IdentityRow
  return restoreIdentity(name, ikSecret, dkSecret)
}

/** An application content with a text. */
export function textContent(text: string, sentMs: number, id?: Uint8Array): Uint8Array {
  return encodeContent({
    kind: CONTENT_KINDS.application,
    id: id ?? osDraw("content-id", 16),
    sentMs,
    re: null,
    ask: 0,
    body: encodePayload({ type: "message", text }),
  })
}

let mseq = 1_000_000_000

/**
 * Delivers an envelope on the link of an agent, as its hub could.
 *
 * @returns The code it was refused with, or "accepted".
 */
export async function deliver(
  to: Process,
  from: string,
  envelope: Uint8Array,
  quiet: () => Promise<void>,
): Promise<string> {
  const before = to.refusals.length
  to.tap.inject([30, 0, mseq++, from, envelope])
  await quiet()
  return to.refusals[before] ?? "accepted"
}

/** Header and ciphertext of an envelope, to be changed. */
export interface Parts {
  header: Value[]
  ct: Uint8Array
}

/** Takes an envelope apart. */
export function takeApart(envelope: Uint8Array): Parts {
  const [header, ct] = decode(envelope) as readonly [Uint8Array, Uint8Array]
  return { header: [...(decode(header) as readonly Value[])], ct }
}

/** Puts it together again. */
export function putTogether(parts: Parts): Uint8Array {
  return encode([encode(parts.header), parts.ct])
}
