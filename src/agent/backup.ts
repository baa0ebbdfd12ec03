// SPEC §12 agent: an identity in a file. No session, no prekey, nothing that opens traffic.

import { toUtf8 } from "../bytes.ts"
import { decode, encode, type Value } from "../encoding.ts"
import { AgentMeshError, require } from "../errors.ts"
import { checkName, type Peer } from "../identity.ts"
import { bytes, list, literal, nullable, text, tuple, uint } from "../shape.ts"
import {
  aeadOpen,
  aeadSeal,
  checkEd25519,
  type Draw,
  hkdf,
  label,
  labelled,
  MAX_STATE,
  scrypt,
} from "../suite.ts"
import type { BackupSecret } from "./options.ts"

/** What an export remembers of a peer. */
export interface BackupPeer extends Peer {
  readonly trust: "pinned" | "verified"
  /** Highest remembered suite, and highest seen seq; 0 if none. */
  readonly suite: number
  readonly seq: number
}

/** What an export holds (`identity-state` of SPEC §12.2). */
export interface Backup {
  readonly name: string
  readonly ikSecret: Uint8Array
  readonly dkSecret: Uint8Array
  readonly seq: number
  readonly hubIk: Uint8Array | null
  /** Ascending by name. */
  readonly peers: readonly BackupPeer[]
}

const key32 = bytes(32)
const PEER = tuple(text, key32, uint, uint, uint)
const STATE = tuple(literal(label("state")), text, key32, key32, uint, nullable(key32), list(PEER))
const FILE = tuple(literal(label("state")), uint, bytes(), bytes(16), bytes(16, MAX_STATE))

function derive(secret: BackupSecret, salt: Uint8Array, guard: Uint8Array): Uint8Array {
  const k = typeof secret === "string" ? scrypt(toUtf8(secret), salt) : secret
  return hkdf(guard, k, labelled("state"), 44)
}

/**
 * Seals an identity (SPEC §12.3). Draws with a passphrase `salt` 16, then `export-guard` 16.
 *
 * @param secret - A passphrase of at least one character, or 32 random bytes.
 * @throws RangeError for an empty passphrase or a key of another length.
 */
export function exportState(backup: Backup, secret: BackupSecret, draw: Draw): Uint8Array {
  const passphrase = typeof secret === "string"
  if (passphrase ? secret.length === 0 : secret.length !== 32) {
    throw new RangeError('"secret" expected a passphrase or 32 bytes')
  }
  const salt = passphrase ? draw("salt", 16) : new Uint8Array(0)
  const guard = draw("export-guard", 16)
  const peers: Value = backup.peers.map(({ name, ik, trust, suite, seq }) => [
    ...[name, ik, trust === "verified" ? 2 : 1],
    ...[suite, seq],
  ])
  const { name, ikSecret, dkSecret, seq, hubIk } = backup
  const plaintext = encode([label("state"), name, ikSecret, dkSecret, seq, hubIk, peers])
  const kdf = passphrase ? 1 : 0
  const key = derive(secret, salt, guard)
  const ct = aeadSeal(key, labelled("state", kdf, salt, guard), plaintext)
  return encode([label("state"), kdf, salt, guard, ct])
}

/**
 * Opens an export (SPEC §12.4).
 *
 * @throws {@link AgentMeshError} `agent/store-corrupt` for every cause: a wrong passphrase and a
 * damaged file look alike.
 */
export function importState(file: Uint8Array, secret: BackupSecret): Backup {
  try {
    const [, kdf, salt, guard, ct] = FILE(decode(file, MAX_STATE))
    const passphrase = typeof secret === "string"
    const fits = kdf === (passphrase ? 1 : 0) && salt.length === (passphrase ? 16 : 0)
    require(fits, "agent/store-corrupt", "the file needs another kind of secret")
    const key = derive(secret, salt, guard)
    const plaintext = aeadOpen(key, labelled("state", kdf, salt, guard), ct)
    require(plaintext !== null, "agent/store-corrupt", "wrong secret")
    const [, name, ikSecret, dkSecret, seq, hubIk, entries] = STATE(decode(plaintext, MAX_STATE))
    checkName(name)
    if (hubIk) checkEd25519(hubIk)
    const peers = entries.map(([peer, ik, trust, suite, peerSeq], i): BackupPeer => {
      checkName(peer)
      checkEd25519(ik)
      const ruled = (trust === 1 || trust === 2) && suite <= 2
      const sorted = i === 0 || peer > (entries[i - 1] as (typeof entries)[number])[0]
      require(ruled && sorted, "agent/store-corrupt", "a peer breaks the rules")
      return { name: peer, ik, trust: trust === 2 ? "verified" : "pinned", suite, seq: peerSeq }
    })
    return { name, ikSecret, dkSecret, seq, hubIk, peers }
  } catch (error) {
    const what = "the export does not open: wrong secret, or a damaged file"
    throw new AgentMeshError("agent/store-corrupt", what, error)
  }
}
