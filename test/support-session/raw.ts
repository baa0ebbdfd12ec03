// Sealing and opening from the text of SPEC §7 and §9 alone: one who knows every session key, but
// not necessarily an identity key, writes whatever it likes.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  sign,
} from "node:crypto"
import { decode, type Value } from "../../src/encoding.ts"
import type { OwnIdentity } from "../../src/identity.ts"
import type { Block, Init } from "../../src/keyschedule.ts"
import type { Session } from "../../src/session.ts"
import { rawBytes } from "../support/raw-cbor.ts"

export const sha256 = (data: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(data).digest())
const hmac = (key: Uint8Array, data: Uint8Array) =>
  new Uint8Array(createHmac("sha256", key).update(data).digest())
const labelled = (purpose: string, ...context: readonly Value[]): Uint8Array =>
  rawBytes([`AgentMesh/1 ${purpose}`, ...context])

/** H(C([label, ...])). */
export const rawHash = (purpose: string, ...context: readonly Value[]): Uint8Array =>
  sha256(labelled(purpose, ...context))

/** HKDF-Expand of RFC 5869. */
export function rawExpand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let i = 1; i <= Math.ceil(length / 32); i++) {
    blocks.push(hmac(prk, Buffer.concat([blocks.at(-1) ?? Buffer.of(), info, Buffer.of(i)])))
  }
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
}

/** HKDF of RFC 5869. */
export const rawHkdf = (salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number) =>
  rawExpand(hmac(salt, ikm), info, length)

/** Chain key number `n` from the chain key 0 or `from`. */
export function chainKey(suite: number, ck: Uint8Array, n: number, from: number = 0): Uint8Array {
  let key = ck
  for (let i = from; i < n; i++) key = rawExpand(key, labelled("chain-key", suite), 32)
  return key
}

/** Message key of a chain key. */
export const rawMessageKey = (suite: number, ck: Uint8Array): Uint8Array =>
  rawExpand(ck, labelled("message-key", suite), 32)

/** key and nonce of an envelope, 44 bytes. */
export const sealSecret = (suite: number, th: Uint8Array, mk: Uint8Array, guard: Uint8Array) =>
  rawHkdf(guard, mk, labelled("seal", suite, th), 44)

/** Associated data of an envelope. */
export const aadOf = (th: Uint8Array, header: Uint8Array): Uint8Array =>
  labelled("envelope", th, header)

/** rk' and ck_0 of a step. */
export function rawStep(
  suite: number,
  th: Uint8Array,
  rk: Uint8Array,
  secret: Uint8Array,
  block: Block,
  answered: { readonly x: Uint8Array; readonly ek: Uint8Array | null },
): { rk: Uint8Array; ck: Uint8Array } {
  const name = rawHash("block", block.x, block.ek, block.kemCt)
  const peerKey = rawHash("peer-key", answered.x, answered.ek)
  const okm = rawHkdf(rk, secret, labelled("ratchet", suite, th, name, peerKey), 64)
  return { rk: okm.slice(0, 32), ck: okm.slice(32) }
}

/** What one who knows all keys of a session may choose. */
export interface Forgery {
  readonly contents?: readonly Uint8Array[]
  /** What the signature says the contents are, if not the truth. */
  readonly signedContents?: readonly Uint8Array[]
  readonly guard?: Uint8Array
  readonly block?: Block
  readonly pn?: number
  readonly n?: number
  readonly sid?: Uint8Array
  readonly init?: Init | null
  /** Message key; by default that of `n` on the sending chain of the session. */
  readonly mk?: Uint8Array
  /** The header that travels and is authenticated; by default from the fields above. */
  readonly header?: Uint8Array
  /** What is signed: by default suite, TH, names and header of the session. */
  readonly signs?: Partial<{
    readonly suite: number
    readonly th: Uint8Array
    readonly sender: string
    readonly recipient: string
    readonly header: Uint8Array
    readonly label: string
  }>
  /** The signature itself, if it is not made here. */
  readonly sig?: Uint8Array
  readonly inner?: Uint8Array
  readonly padding?: (inner: Uint8Array) => Uint8Array
  readonly aad?: Uint8Array
}

function rawPad(inner: Uint8Array): Uint8Array {
  const length = inner.length + 1
  const e = Math.floor(Math.log2(length))
  const unit = e < 1 ? 1 : 2 ** Math.max(e - (Math.floor(Math.log2(e)) + 1), 0)
  const out = new Uint8Array(Math.max(256, Math.ceil(length / unit) * unit))
  out.set(inner)
  out[inner.length] = 0x80
  return out
}

function rawSign(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex")
  const key = createPrivateKey({
    key: Buffer.concat([prefix, secret]),
    format: "der",
    type: "pkcs8",
  })
  return new Uint8Array(sign(null, message, key))
}

function initItems(init: Init | null): Value {
  if (init === null) return null
  return [
    ...[init.suite, init.bundleRef, init.otkRef, init.name],
    ...[init.ik, init.dk, init.e, init.kemCt],
  ]
}

/** The next envelope of the session's open sending chain, or whatever is asked for instead. */
export function rawSeal(session: Session, signer: OwnIdentity, change: Forgery): Uint8Array {
  const { suite, th } = session
  const contents = change.contents ?? [new Uint8Array([0xf6])]
  const n = change.n ?? session.ns
  const block = change.block ?? session.own?.block
  const guard = change.guard ?? sha256(rawBytes([n, ...contents])).slice(0, 16)
  if (block === undefined) throw new Error("the session has no open chain")
  const header =
    change.header ??
    rawBytes([
      ...[1, change.sid ?? th.slice(0, 16), [block.x, block.ek, block.kemCt]],
      ...[change.pn ?? session.pn, n, guard],
      initItems(change.init === undefined ? session.init : change.init),
    ])
  const hashes = (change.signedContents ?? contents).map((one) => rawHash("content", one))
  const signs = change.signs ?? {}
  const signed = labelled(
    signs.label ?? "message",
    ...[signs.suite ?? suite, signs.th ?? th, signs.sender ?? signer.name],
    ...[signs.recipient ?? session.peer.name, signs.header ?? header, hashes],
  )
  const sig = change.sig ?? rawSign(signer.ikSecret, signed)
  const inner = change.inner ?? rawBytes([contents, sig])
  const mk =
    change.mk ?? rawMessageKey(suite, chainKey(suite, session.cks as Uint8Array, n, session.ns))
  const key = sealSecret(suite, th, mk, guard)
  const cipher = createCipheriv("aes-256-gcm", key.subarray(0, 32), key.subarray(32))
  cipher.setAAD(change.aad ?? aadOf(th, header))
  const padded = (change.padding ?? rawPad)(inner)
  const ct = Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()])
  return rawBytes([header, new Uint8Array(ct)])
}

/** The parts of an envelope's header that are not secret. */
export interface RawHeader {
  readonly sid: Uint8Array
  readonly block: Block
  readonly pn: number
  readonly n: number
  readonly guard: Uint8Array
  readonly header: Uint8Array
  readonly ct: Uint8Array
  readonly init: readonly Value[] | null
}

/** Splits an envelope. */
export function split(envelope: Uint8Array): RawHeader {
  const [header, ct] = decode(envelope) as readonly Uint8Array[]
  const fields = decode(header as Uint8Array) as readonly Value[]
  const [, sid, [x, ek, kemCt], pn, n, guard, init] = fields as never as [
    ...[number, Uint8Array, readonly Value[], number, number, Uint8Array],
    readonly Value[] | null,
  ]
  const block = { x, ek, kemCt } as unknown as Block
  return { sid, block, pn, n, guard, init, header: header as Uint8Array, ct: ct as Uint8Array }
}

/** Plaintext under a message key, or null. */
export function decrypt(
  suite: number,
  th: Uint8Array,
  mk: Uint8Array,
  envelope: Uint8Array,
): Uint8Array | null {
  const { header, guard, ct } = split(envelope)
  const key = sealSecret(suite, th, mk, guard)
  const decipher = createDecipheriv("aes-256-gcm", key.subarray(0, 32), key.subarray(32))
  decipher.setAAD(aadOf(th, header)).setAuthTag(ct.subarray(-16))
  try {
    const plain = decipher.update(ct.subarray(0, -16))
    decipher.final()
    return new Uint8Array(plain)
  } catch {
    return null
  }
}

/** Opens an envelope of a receiving chain, or with `key`, without any check but the tag. */
export function openRaw(
  session: Pick<Session, "suite" | "th" | "ckr" | "nr">,
  envelope: Uint8Array,
  key?: Uint8Array,
): { contents: readonly Uint8Array[]; sig: Uint8Array } {
  const { suite, th } = session
  const { n } = split(envelope)
  const mk = key ?? rawMessageKey(suite, chainKey(suite, session.ckr as Uint8Array, n, session.nr))
  const plain = decrypt(suite, th, mk, envelope)
  if (plain === null) throw new Error("the tag does not verify")
  const [contents, sig] = decode(plain.subarray(0, plain.lastIndexOf(0x80))) as never as [
    readonly Uint8Array[],
    Uint8Array,
  ]
  return { contents, sig }
}
