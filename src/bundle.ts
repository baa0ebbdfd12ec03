// SPEC §6 bundle: signed prekey bundles, signed one-time keys, contact cards.

import { equalBytes } from "./bytes.ts"
import { encode, type Value } from "./encoding.ts"
import { AgentMeshError, require } from "./errors.ts"
import { checkName, fingerprint, type OwnIdentity, type Peer } from "./identity.ts"
import { bytes, decodeAs, list, literal, nullable, type Shape, text, tuple, uint } from "./shape.ts"
import {
  CLOCK_SKEW,
  checkEd25519,
  checkExchange,
  checkX25519,
  createExchangeKey,
  type Draw,
  type ExchangePublic,
  type ExchangeSecret,
  isSuite,
  label,
  MAX_BUNDLE,
  MAX_BUNDLE_LIFETIME,
  MAX_ONE_TIME_LIFETIME,
  MAX_PREKEYS,
  NOT_BEFORE_MARGIN,
  ONE_TIME_LIFETIME,
  type Suite,
  sha256,
  sign,
  verify,
} from "./suite.ts"

/** Flag bit 0: a handshake needs a one-time key. All other bits are zero. */
export const ONE_TIME_REQUIRED = 1

/** A prekey of a suite that this version defines. */
export interface Prekey extends ExchangePublic {
  readonly suite: Suite
}

/** The checked contents of a bundle. Prekeys of unknown suites are left out. */
export interface Bundle extends Peer {
  readonly dk: Uint8Array
  readonly seq: number
  readonly notBefore: number
  readonly notAfter: number
  readonly flags: number
  readonly prekeys: readonly Prekey[]
  /** bundle-ref = H(body), 32 bytes. */
  readonly ref: Uint8Array
  /** The signed bundle as received. */
  readonly bytes: Uint8Array
}

/** The checked contents of a one-time key. */
export interface OneTimeKey extends Peer, ExchangePublic {
  readonly suite: Suite
  readonly notAfter: number
  /** otk-ref = H(body), 32 bytes. */
  readonly ref: Uint8Array
  /** The signed one-time key as received. */
  readonly bytes: Uint8Array
}

/** A bundle at its owner, with the private prekeys by suite. */
export interface OwnBundle extends Bundle {
  readonly secrets: ReadonlyMap<Suite, ExchangeSecret>
}

/** A one-time key at its owner. */
export interface OwnOneTimeKey extends OneTimeKey {
  readonly secret: ExchangeSecret
}

/** `signed = [body, sig]`; the signature is verified over the received body. */
export const SIGNED: Shape<readonly [Uint8Array, Uint8Array]> = tuple(bytes(), bytes(64))

const key32 = bytes(32)
const optionalEk = nullable(bytes(1184))
const BUNDLE_BODY = tuple(
  literal(label("bundle")),
  text,
  key32,
  key32,
  uint,
  uint,
  uint,
  uint,
  list(readPrekey),
)
const ONE_TIME_BODY = tuple(literal(label("one-time")), text, key32, uint, key32, optionalEk, uint)

/** A prekey of suite 1 or 2; of any other suite the rest is skipped unread (BUNDLE-10). */
function readPrekey(value: Value): { suite: number; key: ExchangePublic | null } {
  const items = list((item) => item, 1)(value)
  const suite = uint(items[0] as Value)
  if (!isSuite(suite)) return { suite, key: null }
  const [, x, ek] = tuple(uint, key32, optionalEk)(value)
  requireEk(suite, ek)
  return { suite, key: { x, ek } }
}

function requireEk(suite: Suite, ek: Uint8Array | null): void {
  require((ek === null) === (suite === 1), "encoding/shape", "ek is null exactly in suite 1")
}

function signBody(body: Uint8Array, identity: OwnIdentity): Uint8Array {
  return encode([body, sign(identity.ikSecret, body)])
}

// ---- sender ----

/** What a new bundle says. */
export interface BundleOptions {
  /** Larger than in every bundle before. */
  readonly seq: number
  /** Unix time in seconds. */
  readonly now: number
  readonly suites: readonly Suite[]
  /** {@link ONE_TIME_REQUIRED} or 0. */
  readonly flags?: number
  /** Seconds from now to not-after; by default the longest that is allowed. */
  readonly lifetime?: number
}

/** Creates and signs a bundle (SPEC §6.3). Draws per suite: `prekey` 32, `prekey-kem` 64. */
export function createBundle(identity: OwnIdentity, options: BundleOptions, draw: Draw): OwnBundle {
  const { seq, now, flags = 0 } = options
  const notBefore = Math.max(0, now - NOT_BEFORE_MARGIN)
  const longest = notBefore + MAX_BUNDLE_LIFETIME
  const notAfter = Math.min(longest, now + (options.lifetime ?? MAX_BUNDLE_LIFETIME))
  const secrets = new Map<Suite, ExchangeSecret>()
  const prekeys: Prekey[] = []
  for (const suite of [...new Set(options.suites)].sort()) {
    const key = createExchangeKey(suite, draw, "prekey")
    secrets.set(suite, key.secret)
    prekeys.push({ suite, ...key.public })
  }
  const body = encode([
    label("bundle"),
    identity.name,
    identity.ik,
    identity.dk,
    seq,
    notBefore,
    notAfter,
    flags,
    prekeys.map(({ suite, x, ek }) => [suite, x, ek]),
  ])
  const { name, ik, dk } = identity
  const ref = sha256(body)
  return {
    ...{ name, ik, dk, seq, notBefore, notAfter, flags, prekeys, ref, secrets },
    bytes: signBody(body, identity),
  }
}

/** Creates and signs a one-time key (SPEC §6.3). Draws: `one-time` 32, `one-time-kem` 64. */
export function createOneTimeKey(
  identity: OwnIdentity,
  suite: Suite,
  now: number,
  draw: Draw,
): OwnOneTimeKey {
  const { name, ik } = identity
  const key = createExchangeKey(suite, draw, "one-time")
  const notAfter = now + ONE_TIME_LIFETIME
  const { x, ek } = key.public
  const body = encode([label("one-time"), name, ik, suite, x, ek, notAfter])
  const ref = sha256(body)
  return {
    name,
    ik,
    suite,
    x,
    ek,
    notAfter,
    ref,
    bytes: signBody(body, identity),
    secret: key.secret,
  }
}

// ---- receiver ----

/** What a bundle is held against; each absent part is not checked. */
export interface BundleContext {
  /** Unix time in seconds. */
  readonly now: number
  /** The name that was asked for. */
  readonly name?: string | undefined
  /** The fingerprint of the address that was asked for. */
  readonly fingerprint?: string | null | undefined
  /** The identity key pinned for the name. */
  readonly pinned?: Uint8Array | undefined
  /** The highest seq seen for the peer, and the bundle-ref that came with it. */
  readonly known?: { readonly seq: number; readonly ref: Uint8Array | null } | undefined
}

/**
 * Reads a bundle and checks all that does not depend on time or memory (SPEC §6.4). The signature is
 * verified, and the reference computed, over the body as it was received (ENCODING-5).
 *
 * @param signed - The signed bundle, at most {@link MAX_BUNDLE} bytes.
 * @throws {@link AgentMeshError} `encoding/*`, `identity/name`, `suite/bad-key`, `bundle/flags`,
 * `bundle/prekeys`, `bundle/signature`.
 */
export function openBundle(signed: Uint8Array): Bundle {
  const [body, sig] = decodeAs(SIGNED, signed, MAX_BUNDLE) // BUNDLE-10
  const fields = decodeAs(BUNDLE_BODY, body)
  const [, name, ik, dk, seq, notBefore, notAfter, flags, entries] = fields
  checkName(name) // BUNDLE-11
  checkEd25519(ik) // BUNDLE-12
  checkX25519(dk)
  const prekeys: Prekey[] = []
  for (const { suite, key } of entries) {
    if (key === null) continue
    checkExchange(key)
    prekeys.push({ suite: suite as Suite, ...key })
  }
  // BUNDLE-13
  require((flags & ~ONE_TIME_REQUIRED) === 0 && flags <= 1, "bundle/flags", "unknown flag")
  checkPrekeys(
    entries.map((entry) => entry.suite),
    [dk, ...prekeys.map((prekey) => prekey.x)],
  )
  require(verify(ik, body, sig), "bundle/signature", "the signature does not verify") // BUNDLE-15
  const ref = sha256(body)
  return {
    name,
    ik,
    dk,
    seq,
    notBefore,
    notAfter,
    flags,
    prekeys,
    ref,
    bytes: new Uint8Array(signed),
  }
}

/** BUNDLE-14 */
function checkPrekeys(suites: readonly number[], keys: readonly Uint8Array[]): void {
  const counted = suites.length >= 1 && suites.length <= MAX_PREKEYS
  require(counted, "bundle/prekeys", `${suites.length} prekeys`)
  suites.forEach((suite, i) => {
    require(suite > 0 && suite < 0xff00, "bundle/prekeys", "reserved suite")
    require(i === 0 || suite > (suites[i - 1] as number), "bundle/prekeys", "suites not ascending")
  })
  keys.forEach((key, i) => {
    const repeated = keys.slice(0, i).some((other) => equalBytes(key, other))
    require(!repeated, "bundle/prekeys", "one key in two places")
  })
}

/**
 * Accepts a bundle for a handshake or as a contact card; pure, nothing is remembered (BUNDLE-24).
 * A stored bundle goes through it again at the time of use (BUNDLE-26).
 *
 * @param signed - The signed bundle, at most {@link MAX_BUNDLE} bytes.
 * @throws {@link AgentMeshError} what {@link openBundle} throws, then `bundle/lifetime`,
 * `bundle/not-yet-valid`, `bundle/expired`, `bundle/name-mismatch`, `identity/fingerprint`,
 * `identity/changed`, `bundle/rollback`, `bundle/equivocation`.
 */
export function acceptBundle(signed: Uint8Array, context: BundleContext): Bundle {
  const bundle = openBundle(signed)
  const { now } = context
  const lifetime = bundle.notAfter - bundle.notBefore // BUNDLE-16
  require(lifetime > 0 && lifetime <= MAX_BUNDLE_LIFETIME, "bundle/lifetime", `${lifetime} s`)
  const begun = bundle.notBefore - CLOCK_SKEW <= now // BUNDLE-17
  require(begun, "bundle/not-yet-valid", `valid from ${bundle.notBefore}, now ${now}`)
  const ended = now > bundle.notAfter + CLOCK_SKEW // BUNDLE-18
  require(!ended, "bundle/expired", `valid until ${bundle.notAfter}, now ${now}`)
  const served = context.name === undefined || bundle.name === context.name // BUNDLE-19
  require(served, "bundle/name-mismatch", `asked for ${context.name}, got ${bundle.name}`)
  if (context.fingerprint) {
    const same = fingerprint(bundle.ik) === context.fingerprint // BUNDLE-20, IDENTITY-8
    require(same, "identity/fingerprint", `${bundle.name} has another identity key`)
  }
  if (context.pinned) {
    const same = equalBytes(bundle.ik, context.pinned) // BUNDLE-21, IDENTITY-9
    require(same, "identity/changed", `${bundle.name} has another identity key than before`)
  }
  if (context.known) checkSeq(bundle, context.known)
  return bundle
}

/**
 * Holds the seq of a bundle against what was seen of its owner: name and identity key, also if the
 * name is not pinned any more.
 *
 * @param known - The highest seq seen, 0 if none was, and the bundle-ref that came with it.
 * @throws {@link AgentMeshError} `bundle/rollback`, `bundle/equivocation`.
 */
export function checkSeq(
  bundle: Bundle,
  known: { readonly seq: number; readonly ref: Uint8Array | null },
): void {
  // BUNDLE-22
  require(bundle.seq >= known.seq, "bundle/rollback", `seq ${bundle.seq}, seen ${known.seq}`)
  if (bundle.seq !== known.seq || known.ref === null) return
  const same = equalBytes(bundle.ref, known.ref) // BUNDLE-23
  require(same, "bundle/equivocation", `two bundles with seq ${bundle.seq}`)
}

/**
 * Accepts a one-time key for a handshake with the owner of `bundle` (BUNDLE-28).
 *
 * @param signed - The signed one-time key, at most {@link MAX_BUNDLE} bytes.
 * @param bundle - The accepted bundle of the peer.
 * @param suite - The suite of the handshake.
 * @param now - Unix time in seconds.
 * @throws {@link AgentMeshError} `bundle/one-time` for every fault.
 */
export function acceptOneTimeKey(
  signed: Uint8Array,
  bundle: Bundle,
  suite: Suite,
  now: number,
): OneTimeKey {
  try {
    const key = openOneTimeKey(signed, bundle.ik)
    const lifetime = key.notAfter - now
    const fits =
      key.name === bundle.name &&
      equalBytes(key.ik, bundle.ik) &&
      key.suite === suite &&
      lifetime >= -CLOCK_SKEW &&
      lifetime <= MAX_ONE_TIME_LIFETIME + CLOCK_SKEW &&
      ![bundle.dk, ...bundle.prekeys.map((prekey) => prekey.x)].some((x) => equalBytes(x, key.x))
    require(fits, "bundle/one-time", "of another peer, suite or time, or a key used elsewhere")
    return key
  } catch (error) {
    if (error instanceof AgentMeshError && error.code === "bundle/one-time") throw error
    throw new AgentMeshError("bundle/one-time", (error as Error).message, error)
  }
}

/**
 * Reads a one-time key and checks its form, keys and signature.
 *
 * @param accepted - An identity key that has passed, and need not be checked again.
 * @throws {@link AgentMeshError} `encoding/*`, `identity/name`, `suite/unsupported`,
 * `suite/bad-key`, `bundle/one-time`.
 */
export function openOneTimeKey(signed: Uint8Array, accepted?: Uint8Array): OneTimeKey {
  const [body, sig] = decodeAs(SIGNED, signed, MAX_BUNDLE)
  const [, name, ik, suite, x, ek, notAfter] = decodeAs(ONE_TIME_BODY, body)
  checkName(name)
  require(isSuite(suite), "suite/unsupported", `suite ${suite}`)
  requireEk(suite, ek)
  if (!accepted || !equalBytes(ik, accepted)) checkEd25519(ik)
  checkExchange({ x, ek })
  require(verify(ik, body, sig), "bundle/one-time", "the signature does not verify")
  return { name, ik, suite, x, ek, notAfter, ref: sha256(body), bytes: new Uint8Array(signed) }
}

// ---- contact cards ----

const CARD_PREFIX = "agentmesh1:"
/** Longest card, in characters: that of a bundle of {@link MAX_BUNDLE} bytes. */
const MAX_CARD = CARD_PREFIX.length + Math.ceil((MAX_BUNDLE * 4) / 3)

/** The text form of a bundle: prefix and unpadded canonical base64url (BUNDLE-9). */
export function encodeCard(signed: Uint8Array): string {
  let binary = ""
  for (const byte of signed) binary += String.fromCharCode(byte)
  const base64 = btoa(binary).replaceAll("+", "-").replaceAll("/", "_")
  return CARD_PREFIX + base64.replace(/=+$/, "")
}

/**
 * The signed bundle of a card in text form; not yet accepted (BUNDLE-30).
 *
 * @throws {@link AgentMeshError} `encoding/limit` if no bundle is as long; `encoding/malformed`
 * unless it is the one text of its bytes.
 */
export function decodeCard(card: string): Uint8Array {
  require(card.length <= MAX_CARD, "encoding/limit", `a card of ${card.length} characters`)
  const encoded = card.slice(CARD_PREFIX.length)
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"))
    const signed = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    if (encodeCard(signed) === card) return signed
  } catch {
    // falls through to the one error
  }
  throw new AgentMeshError("encoding/malformed", "not a contact card: agentmesh1:...")
}
