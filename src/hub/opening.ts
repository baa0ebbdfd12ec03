// SPEC §11 hub: hello, welcome and auth, by which both sides of a link prove their keys.

import { equalBytes } from "../bytes.ts"
import { encode, type Value } from "../encoding.ts"
import { require } from "../errors.ts"
import { fingerprint, isName, type OwnIdentity, type Peer } from "../identity.ts"
import { bytes, list, literal, type Shape, text, tuple, uint } from "../shape.ts"
import { checkEd25519, hash, labelled, sign, verify } from "../suite.ts"
import { FRAME, HUB_VERSION, type HubLimits, readAs } from "./wire.ts"

const key32 = bytes(32)
const LIMITS: Shape<readonly number[]> = tuple(uint, uint, uint, uint, uint, uint, uint, uint)
const HELLO = tuple(literal(FRAME.hello), literal(0), list(uint, 1, 8), key32)
const WELCOME = tuple(literal(FRAME.welcome), literal(0), uint, key32, key32, LIMITS, bytes(64))
const AUTH = tuple(literal(FRAME.auth), literal(0), text, key32, bytes(64))

/** frame-hash = H(C([label, frame without the length])), 32 bytes. */
export function frameHash(frame: Uint8Array): Uint8Array {
  return hash("frame", frame)
}

/** Encodes hello; `cnonce` has 32 bytes. */
export function encodeHello(offered: readonly number[], cnonce: Uint8Array): Uint8Array {
  return encode([FRAME.hello, 0, offered, cnonce])
}

/** Reads hello. */
export function readHello(value: Value): { versions: readonly number[]; cnonce: Uint8Array } {
  const [, , offered, cnonce] = readAs(HELLO, value)
  return { versions: offered, cnonce }
}

function limitsValue(limits: HubLimits): readonly number[] {
  return [
    limits.mailboxMessages,
    limits.mailboxBytes,
    limits.perSender,
    limits.perSenderBytes,
    limits.ttl,
    limits.envelope,
    limits.requestsPerSecond,
    limits.unacked,
  ]
}

function readLimits(value: readonly number[]): HubLimits {
  const [mailboxMessages, mailboxBytes, perSender, perSenderBytes, ttl, ...rest] =
    value as readonly [number, number, number, number, number, number, number, number]
  const [envelope, requestsPerSecond, unacked] = rest
  return {
    ...{ mailboxMessages, mailboxBytes, perSender, perSenderBytes },
    ...{ ttl, envelope, requestsPerSecond, unacked },
  }
}

/** An Ed25519 key pair that signs welcomes and receipts; both halves have 32 bytes. */
export interface HubKey {
  readonly ik: Uint8Array
  readonly secret: Uint8Array
}

/** What hub-welcome signs. */
function welcomeBody(
  helloHash: Uint8Array,
  version: number,
  hubIk: Uint8Array,
  snonce: Uint8Array,
  limits: readonly number[],
): Uint8Array {
  return labelled("hub-welcome", helloHash, version, hubIk, snonce, limits)
}

/** Signs and encodes welcome; `snonce` has 32 bytes. */
export function signWelcome(
  key: HubKey,
  helloHash: Uint8Array,
  snonce: Uint8Array,
  limits: HubLimits,
): Uint8Array {
  const values = limitsValue(limits)
  const sig = sign(key.secret, welcomeBody(helloHash, HUB_VERSION, key.ik, snonce, values))
  return encode([FRAME.welcome, 0, HUB_VERSION, key.ik, snonce, values, sig])
}

/** A welcome whose signature has been verified. */
export interface Welcome {
  readonly hubIk: Uint8Array
  readonly limits: HubLimits
}

/** What an agent holds a welcome against. */
export interface WelcomeContext {
  readonly helloHash: Uint8Array
  /** The pinned hub key, null before the first contact. */
  readonly pinned: Uint8Array | null
  /** The fingerprint that the address of the hub asks for. */
  readonly fingerprint?: string | undefined
}

const ANOTHER_HUB =
  "the hub has another key than the one that is pinned or in its address; a hub without --data has " +
  "a new key at each start. If that was meant: pass the address that it prints now, with its " +
  "fingerprint, or forget the old key: agentmesh trust --forget-hub"

/**
 * Reads welcome and verifies that the right hub signed it for this hello (HUB-53).
 *
 * @throws {@link AgentMeshError} `hub/malformed`, `hub/version`, `hub/auth-failed`.
 */
export function verifyWelcome(value: Value, context: WelcomeContext): Welcome {
  const { helloHash, pinned } = context
  const [, , version, hubIk, snonce, limits, sig] = readAs(WELCOME, value)
  require(version === HUB_VERSION, "hub/version", `the hub chose version ${version}`)
  const same =
    (pinned === null || equalBytes(pinned, hubIk)) &&
    (context.fingerprint === undefined || fingerprint(hubIk) === context.fingerprint)
  require(same, "hub/auth-failed", ANOTHER_HUB)
  const body = welcomeBody(helloHash, version, hubIk, snonce, limits)
  require(isSignedBy(hubIk, body, sig), "hub/auth-failed", "the welcome is not signed by the hub")
  return { hubIk, limits: readLimits(limits) }
}

/** Whether an acceptable key signed the body. */
export function isSignedBy(ik: Uint8Array, body: Uint8Array, sig: Uint8Array): boolean {
  try {
    checkEd25519(ik)
  } catch {
    return false
  }
  return verify(ik, body, sig)
}

/** The hashes of both frames that precede auth, and the hub's key. */
export interface AuthContext {
  readonly helloHash: Uint8Array
  readonly welcomeHash: Uint8Array
  readonly hubIk: Uint8Array
}

/** What hub-auth signs. */
function authBody(context: AuthContext, name: string, ik: Uint8Array): Uint8Array {
  return labelled("hub-auth", context.helloHash, context.welcomeHash, context.hubIk, name, ik)
}

/** Signs and encodes auth. */
export function signAuth(identity: OwnIdentity, context: AuthContext): Uint8Array {
  const { name, ik, ikSecret } = identity
  return encode([FRAME.auth, 0, name, ik, sign(ikSecret, authBody(context, name, ik))])
}

/**
 * Reads auth and verifies it.
 *
 * @throws {@link AgentMeshError} `hub/malformed`, `hub/auth-failed`.
 */
export function verifyAuth(value: Value, context: AuthContext): Peer {
  const [, , name, ik, sig] = readAs(AUTH, value)
  require(isName(name), "hub/auth-failed", "that is not a name")
  const valid = isSignedBy(ik, authBody(context, name, ik), sig)
  require(valid, "hub/auth-failed", "the signature does not verify for this connection")
  return { name, ik }
}
