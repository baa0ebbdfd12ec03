// SPEC §8 handshake: one message that founds a session, asynchronously.

import {
  type Bundle,
  ONE_TIME_REQUIRED,
  type OneTimeKey,
  type OwnBundle,
  type OwnOneTimeKey,
  type Prekey,
} from "./bundle.ts"
import { equalBytes, zeroize } from "./bytes.ts"
import type { Value } from "./encoding.ts"
import { AgentMeshError, require } from "./errors.ts"
import { checkName, type OwnIdentity, type Peer } from "./identity.ts"
import { type Block, type Init, rootKey, sessionId, transcriptHash } from "./keyschedule.ts"
import { bytes, nullable, type Shape, text, tuple, uint } from "./shape.ts"
import {
  checkEd25519,
  checkExchange,
  checkX25519,
  type Draw,
  decapsulate,
  dh,
  encapsulate,
  isSuite,
  MAX_CHAIN,
  type Suite,
  x25519Public,
} from "./suite.ts"

const key32 = bytes(32)
const FIELDS = tuple(uint, key32, nullable(key32), text, key32, key32, key32, nullable(bytes(1088)))

/** The init as it was received; whether its suite exists is judged afterwards. */
export type RawInit = Omit<Init, "suite"> & { readonly suite: number }

/** Shape of `init` (SPEC §8.2). */
export const INIT: Shape<RawInit> = (value) => {
  const [suite, bundleRef, otkRef, name, ik, dk, e, kemCt] = FIELDS(value)
  return { suite, bundleRef, otkRef, name, ik, dk, e, kemCt }
}

/** The array that travels (SPEC §8.2). */
export function initValue(init: Init): Value {
  const { suite, bundleRef, otkRef, name, ik, dk, e, kemCt } = init
  return [suite, bundleRef, otkRef, name, ik, dk, e, kemCt]
}

/** What a handshake gives: transcript hash and first root key, 32 bytes each. */
export interface Handshake {
  readonly init: Init
  readonly th: Uint8Array
  readonly rk: Uint8Array
}

// ---- initiator ----

/**
 * The suite of a handshake: the highest that both sides have (SPEC §8.3).
 *
 * @param own - The initiator.
 * @param suites - Suites of the initiator.
 * @param bundle - Accepted bundle of the responder.
 * @param remembered - Highest suite computed so, or used, with this peer before; 0 if none.
 * @throws {@link AgentMeshError} `handshake/self`, `suite/unsupported`, `suite/downgrade`.
 */
export function chooseSuite(
  own: Peer,
  suites: readonly Suite[],
  bundle: Bundle,
  remembered: number,
): Suite {
  // HANDSHAKE-1
  require(!equalBytes(own.ik, bundle.ik), "handshake/self", "this is the agent's own bundle")
  const common = bundle.prekeys.map((prekey) => prekey.suite).filter((id) => suites.includes(id))
  // HANDSHAKE-2
  require(common.length > 0, "suite/unsupported", `no suite in common with ${bundle.name}`)
  const suite = Math.max(...common) as Suite
  // HANDSHAKE-3: a suite that this agent does not have never raises a downgrade.
  const expected = suites.includes(remembered as Suite) ? remembered : 0
  require(suite >= expected, "suite/downgrade", `suite ${suite}, before ${remembered}`)
  return suite
}

/** The prekey of `suite`; it exists wherever {@link chooseSuite} chose the suite. */
export function prekeyOf(bundle: Bundle, suite: Suite): Prekey {
  const prekey = bundle.prekeys.find((candidate) => candidate.suite === suite)
  if (prekey === undefined) throw new AgentMeshError("suite/unsupported", `no prekey of ${suite}`)
  return prekey
}

/**
 * Computes the handshake of an initiator (SPEC §8.3). Each call draws a fresh ephemeral key
 * (KEYSCHEDULE-1); the result is committed with its first envelope or not at all (HANDSHAKE-6).
 *
 * @param own - Identity of the initiator.
 * @param bundle - Accepted bundle of the responder.
 * @param oneTime - Accepted one-time key of the responder, if there is one (HANDSHAKE-4).
 * @param suite - From {@link chooseSuite}.
 * @param draw - Draws `ephemeral` 32 bytes and, in suite 2, `encaps` 32 bytes.
 * @throws {@link AgentMeshError} `handshake/one-time-required`, `suite/bad-key`.
 */
export function initiate(
  own: OwnIdentity,
  bundle: Bundle,
  oneTime: OneTimeKey | null,
  suite: Suite,
  draw: Draw,
): Handshake {
  const allowed = oneTime !== null || (bundle.flags & ONE_TIME_REQUIRED) === 0 // HANDSHAKE-5
  require(allowed, "handshake/one-time-required", `${bundle.name} asks for a one-time key`)
  const prekey = prekeyOf(bundle, suite)
  const eSecret = draw("ephemeral", 32)
  const ek = oneTime?.ek ?? prekey.ek
  const kem = ek && encapsulate(ek, draw("encaps", 32))
  const init: Init = {
    suite,
    bundleRef: bundle.ref,
    otkRef: oneTime?.ref ?? null,
    name: own.name,
    ik: own.ik,
    dk: own.dk,
    e: x25519Public(eSecret),
    kemCt: kem?.ct ?? null,
  }
  try {
    const secrets = exchanges(
      kem && (() => kem.ss),
      [own.dkSecret, prekey.x], // DH1 keeps A safe if its ephemeral randomness was bad
      [eSecret, bundle.dk], // DH2 and DH3 authenticate B
      [eSecret, prekey.x],
      oneTime && [eSecret, oneTime.x], // DH4, gone with the one-time key
    )
    const th = transcriptHash(init, bundle)
    return { init, th, rk: rootKey(suite, th, secrets) }
  } finally {
    zeroize(eSecret, ...(kem ? [kem.ss] : [])) // KEYSCHEDULE-4
  }
}

/** DH1 to DH4, then ss; if one is refused, nothing is left of the others (KEYSCHEDULE-10). */
function exchanges(
  ss: (() => Uint8Array) | null,
  ...pairs: readonly (readonly [secret: Uint8Array, remote: Uint8Array] | null)[]
): readonly Uint8Array[] {
  const secrets: Uint8Array[] = []
  try {
    for (const pair of pairs) if (pair) secrets.push(dh(...pair))
    if (ss) secrets.push(ss())
    return secrets
  } catch (error) {
    zeroize(...secrets)
    throw error
  }
}

// ---- responder ----

/**
 * First part of receiving an init, without any look-up (SPEC §8.4, steps 1 to 3).
 *
 * @param raw - The init of the header, in shape.
 * @param header - What the header says beside it.
 * @param own - Identity of the responder.
 * @returns The init, and TH under which the responder looks for a session (HANDSHAKE-18).
 * @throws {@link AgentMeshError} `suite/unsupported`, `encoding/shape`, `session/chain-limit`,
 * `identity/name`, `handshake/self`, `envelope/open`.
 */
export function readInit(
  raw: RawInit,
  header: { sid: Uint8Array; block: Block; pn: number; n: number },
  own: OwnIdentity,
): { init: Init; th: Uint8Array } {
  const { suite } = raw
  require(isSuite(suite), "suite/unsupported", `suite ${suite}`) // HANDSHAKE-12
  const fits = (field: Uint8Array | null) => (field === null) === (suite === 1)
  const first = fits(header.block.ek) && fits(header.block.kemCt) && fits(raw.kemCt) // HANDSHAKE-13
  const whole = first && header.pn === 0
  require(whole, "encoding/shape", "KEM fields are null exactly in suite 1, pn is 0 at first")
  // HANDSHAKE-14
  require(header.n < MAX_CHAIN, "session/chain-limit", `envelope ${header.n} of a chain`)
  checkName(raw.name) // HANDSHAKE-15
  // HANDSHAKE-16
  require(!equalBytes(raw.ik, own.ik), "handshake/self", "an init with the own identity key")
  const init: Init = { ...raw, suite }
  const th = transcriptHash(init, own) // HANDSHAKE-17
  require(equalBytes(sessionId(th), header.sid), "envelope/open", "the envelope does not open")
  return { init, th }
}

/** What a responder has looked up for an init that founds a new session. */
export interface ResponderView {
  /** TH is in the replay cache. */
  readonly replayed: boolean
  /** sid belongs to a session with another TH. */
  readonly sidTaken: boolean
  /** The live bundle that bundle-ref names. */
  readonly bundle: OwnBundle | undefined
  /** The live one-time key that otk-ref names. */
  readonly oneTime: OwnOneTimeKey | undefined
  /** Suites of the responder. */
  readonly suites: readonly Suite[]
  /** Highest suite computed or used with this peer before; 0 if none. */
  readonly remembered: number
  /** Name that the hub gives as sender; undefined without a hub. */
  readonly from: string | undefined
  /** Identity key pinned for the name. */
  readonly pinned: Uint8Array | undefined
  /** Whether the static trust policy accepts the peer. */
  readonly trusted: boolean
  /** Whether rates and caches have room. */
  readonly room: boolean
}

/** An init that passed, with the private keys that it needs. */
export interface AcceptedInit {
  readonly bundle: OwnBundle
  readonly oneTime: OwnOneTimeKey | null
  /** Another key is pinned: refuse with `identity/changed`, after everything else was checked. */
  readonly changed: boolean
}

/**
 * Second part of receiving an init: prekeys, pins, limits (SPEC §8.4, steps 4 to 6).
 *
 * @throws {@link AgentMeshError} `handshake/replay`, `envelope/open`, `handshake/unknown-prekey`,
 * `suite/unsupported`, `suite/downgrade`, `handshake/one-time-required`, `identity/untrusted`,
 * `handshake/limit`.
 */
export function checkInit(init: Init, view: ResponderView): AcceptedInit {
  require(!view.replayed, "handshake/replay", "this handshake was accepted before") // HANDSHAKE-19
  require(!view.sidTaken, "envelope/open", "the envelope does not open") // HANDSHAKE-20
  const { bundle } = view
  if (bundle === undefined) {
    // HANDSHAKE-21
    throw new AgentMeshError("handshake/unknown-prekey", "no live bundle has this reference")
  }
  const offered = bundle.secrets.has(init.suite) // HANDSHAKE-22: whatever is offered today
  require(offered, "suite/unsupported", `suite ${init.suite} is not in that bundle`)
  const expected = view.suites.includes(view.remembered as Suite) ? view.remembered : 0
  // HANDSHAKE-23
  require(init.suite >= expected, "suite/downgrade", `suite ${init.suite}, before ${expected}`)
  const bare = init.otkRef === null
  const needed = (bundle.flags & ONE_TIME_REQUIRED) !== 0 // HANDSHAKE-24
  require(!(bare && needed), "handshake/one-time-required", "that bundle asks for a one-time key")
  const known = bare || view.oneTime?.suite === init.suite // HANDSHAKE-25
  require(known, "handshake/unknown-prekey", "no live one-time key has this reference")
  const named = view.from === undefined || view.from === init.name // HANDSHAKE-26
  require(named, "identity/untrusted", "the hub names another sender")
  const changed = view.pinned !== undefined && !equalBytes(view.pinned, init.ik) // HANDSHAKE-27
  if (!changed) {
    // HANDSHAKE-29, HANDSHAKE-30
    require(view.trusted, "identity/untrusted", `the trust policy refuses ${init.name}`)
    require(view.room, "handshake/limit", "too many handshakes")
  }
  return { bundle, oneTime: bare ? null : (view.oneTime ?? null), changed }
}

/**
 * Third part of receiving an init: the keys (SPEC §8.4, steps 7 and 8; HANDSHAKE-32). With the open
 * that follows it costs 5 X25519, 2 decapsulations, 1 key check, 1 verification (HANDSHAKE-41).
 *
 * @returns rk0, 32 bytes; nothing is authenticated before the envelope opens with it.
 * @throws {@link AgentMeshError} `suite/bad-key`.
 */
export function respond(
  init: Init,
  th: Uint8Array,
  block: Block,
  own: OwnIdentity,
  accepted: AcceptedInit,
): Uint8Array {
  const { suite } = init
  const secret = accepted.bundle.secrets.get(suite)
  if (secret === undefined) throw new AgentMeshError("suite/unsupported", `no prekey of ${suite}`)
  checkEd25519(init.ik) // HANDSHAKE-31
  checkX25519(init.dk)
  checkX25519(init.e)
  checkExchange(block)
  const oneTime = accepted.oneTime?.secret
  const kem = oneTime ? oneTime.kem : secret.kem
  const { kemCt } = init
  const secrets = exchanges(
    kem && kemCt && (() => decapsulate(kem, kemCt)),
    [secret.x, init.dk],
    // KEYSCHEDULE-9: the own dk is that of every live bundle, because it never changes (IDENTITY-3).
    [own.dkSecret, init.e],
    [secret.x, init.e],
    oneTime ? [oneTime.x, init.e] : null,
  )
  return rootKey(suite, th, secrets)
}
