// SPEC §7 keyschedule: the transcript hash and every key that is derived.

import { concat, zeroize } from "./bytes.ts"
import type { Peer } from "./identity.ts"
import {
  type ExchangePublic,
  expand,
  extract,
  hash,
  hkdf,
  labelled,
  type Purpose,
  type Suite,
} from "./suite.ts"

/** What an initiator sends once to found a session (SPEC §8.2). Keys have 32 bytes. */
export interface Init {
  readonly suite: Suite
  readonly bundleRef: Uint8Array
  readonly otkRef: Uint8Array | null
  /** Name, identity key and DH identity key of the initiator. */
  readonly name: string
  readonly ik: Uint8Array
  readonly dk: Uint8Array
  /** Ephemeral X25519 public key. */
  readonly e: Uint8Array
  /** ML-KEM ciphertext of 1,088 bytes; null exactly in suite 1. */
  readonly kemCt: Uint8Array | null
}

/** The keys with which a sender starts a chain (SPEC §9.2). */
export interface Block extends ExchangePublic {
  /** ML-KEM ciphertext of 1,088 bytes; null exactly in suite 1. */
  readonly kemCt: Uint8Array | null
}

/** Ex(secret, purpose, ctx..., L) has `C([label, suite, ctx...])` as info; here without ctx. */
const INFO: Readonly<Record<"root" | "message-key" | "chain-key", Record<Suite, Uint8Array>>> = {
  root: infos("root"),
  "message-key": infos("message-key"),
  "chain-key": infos("chain-key"),
}

function infos(purpose: Purpose): Record<Suite, Uint8Array> {
  return { 1: labelled(purpose, 1), 2: labelled(purpose, 2) }
}

/**
 * TH, 32 bytes: everything both sides must agree on before they share keys (SPEC §7).
 *
 * It names the session in every security decision (KEYSCHEDULE-2); sid is only a look-up key.
 */
export function transcriptHash(init: Init, responder: Peer): Uint8Array {
  return hash(
    "handshake",
    init.suite,
    responder.name,
    responder.ik,
    init.bundleRef,
    init.otkRef,
    init.name,
    init.ik,
    init.dk,
    init.e,
    init.kemCt,
  )
}

/** sid, the first 16 bytes of TH. */
export function sessionId(th: Uint8Array): Uint8Array {
  return th.slice(0, 16)
}

/**
 * rk0, 32 bytes: PRK = HKDF-Extract(TH, secrets), rk0 = Ex(PRK, "root", 32).
 *
 * @param secrets - DH1, DH2, DH3, then DH4 and ss where there are any; erased here.
 */
export function rootKey(suite: Suite, th: Uint8Array, secrets: readonly Uint8Array[]): Uint8Array {
  const ikm = concat(...secrets)
  const prk = extract(th, ikm)
  const rk = expand(prk, INFO.root[suite], 32)
  zeroize(ikm, prk, ...secrets) // KEYSCHEDULE-4, KEYSCHEDULE-10
  return rk
}

/** Hash of a block, 32 bytes; it names a receiving chain. */
export function blockHash(block: Block): Uint8Array {
  return hash("block", block.x, block.ek, block.kemCt)
}

/** Hash of the keys that a block answers, 32 bytes. */
export function peerKeyHash(key: ExchangePublic): Uint8Array {
  return hash("peer-key", key.x, key.ek)
}

/** A root key and the chain key that begins with it, 32 bytes each. */
export interface Step {
  readonly rk: Uint8Array
  readonly ck: Uint8Array
}

/**
 * One turn of the DH ratchet (SPEC §7).
 *
 * @param rk - Root key before the turn.
 * @param secret - X25519 secret, then the ML-KEM secret in suite 2; erased here.
 * @param block - Hash of the new block.
 * @param answered - The receiver's keys that the block answers.
 */
export function ratchet(
  suite: Suite,
  th: Uint8Array,
  rk: Uint8Array,
  secret: Uint8Array,
  block: Uint8Array,
  answered: ExchangePublic,
): Step {
  const info = labelled("ratchet", suite, th, block, peerKeyHash(answered))
  const okm = hkdf(rk, secret, info, 64)
  const step = { rk: okm.slice(0, 32), ck: okm.slice(32) }
  zeroize(secret, okm) // KEYSCHEDULE-5, KEYSCHEDULE-10
  return step
}

/** mk_n, 32 bytes, of the chain key ck_n. */
export function messageKey(suite: Suite, ck: Uint8Array): Uint8Array {
  return expand(ck, INFO["message-key"][suite], 32)
}

/** ck_(n+1), 32 bytes, of the chain key ck_n. */
export function nextChainKey(suite: Suite, ck: Uint8Array): Uint8Array {
  return expand(ck, INFO["chain-key"][suite], 32)
}

/**
 * key‖nonce of one envelope, 44 bytes.
 *
 * @param guard - 16 random bytes: a clone that repeats a message key gets another key
 * (KEYSCHEDULE-6).
 */
export function sealKey(
  suite: Suite,
  th: Uint8Array,
  mk: Uint8Array,
  guard: Uint8Array,
): Uint8Array {
  return hkdf(guard, mk, labelled("seal", suite, th), 44)
}
