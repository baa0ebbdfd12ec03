// An envelope written by hand (SPEC §9.3), with deviations: what an insider can make who knows the
// session keys, but not every identity key.

import type { Json, JsonObject } from "../driver.ts"
import { sha256Hex } from "../values.ts"
import { array, bstr, NULL, tstr, uint } from "../vectorgen/raw.ts"
import { NOW } from "./gen.ts"
import type { Performer } from "./trial.ts"

/** Keys of a sending chain. */
export interface Block {
  readonly x: string
  readonly ek: string | null
  readonly kemCt: string | null
}

/** What an envelope is made of. */
export interface Parts {
  readonly suite: number
  readonly th: string
  readonly mk: string
  readonly sender: { readonly name: string; readonly ikSecret: string }
  readonly recipient: string
  readonly block: Block
  readonly pn: number
  readonly n: number
  readonly guard: string
  /** Encoded init, or null. */
  readonly init: string | null
  readonly contents: readonly string[]
}

/** What stands in place of what SPEC §9.3 says. */
export interface Deviation {
  readonly sid?: string
  /** What the signature is made over. */
  readonly signed?: {
    readonly [field in "suite" | "th" | "sender" | "recipient" | "header"]?: string | number
  } & { readonly contents?: readonly string[] }
  /** Identity secret that signs. */
  readonly ikSecret?: string
  /** Encoded inner. */
  readonly inner?: (contents: readonly string[], sig: string) => string
  /** Padded plaintext. */
  readonly pad?: (inner: string) => string
}

const label = (purpose: string): string => tstr(`AgentMesh/1 ${purpose}`)
const orNull = (data: string | null): string => (data === null ? NULL : bstr(data))

/** SPEC §9.3: bytes that `length` is padded to, the 0x80 included. */
export function padme(length: number): number {
  const e = Math.floor(Math.log2(length))
  const s = Math.floor(Math.log2(e)) + 1
  const mask = 2 ** Math.max(0, e - s) - 1
  return length + mask - ((length + mask) % (mask + 1))
}

/** The padded form of an inner. */
export function padded(inner: string): string {
  const length = inner.length / 2 + 1
  return `${inner}80${"00".repeat(Math.max(256, padme(length)) - length)}`
}

/** Encoded header. */
export function writeHeader(parts: Parts, sid: string = parts.th.slice(0, 32)): string {
  const { block, pn, n, guard, init } = parts
  const keys = array(bstr(block.x), orNull(block.ek), orNull(block.kemCt))
  return array(uint(1), bstr(sid), keys, uint(pn), uint(n), bstr(guard), init ?? NULL)
}

/** What a signature is made over. */
export async function writeSigned(
  parts: Pick<Parts, "suite" | "th" | "recipient"> & { readonly sender: string },
  header: string,
  contents: readonly string[],
): Promise<string> {
  const hashes = await Promise.all(contents.map(contentHash))
  return array(
    ...[label("message"), uint(parts.suite), bstr(parts.th), tstr(parts.sender)],
    ...[tstr(parts.recipient), bstr(header), array(...hashes.map((hash) => bstr(hash)))],
  )
}

/** Hash of a content as signatures cover it. */
export function contentHash(content: string): Promise<string> {
  return sha256Hex(array(label("content"), bstr(content)))
}

/** Seals parts as SPEC §9.3 says, except for what deviates. */
export async function forge(by: Performer, parts: Parts, other: Deviation = {}): Promise<string> {
  const { suite, th, mk, guard, contents, sender, recipient } = parts
  const header = writeHeader(parts, other.sid)
  const { header: foreign = header, contents: said = contents, ...names } = other.signed ?? {}
  const over = { suite, th, recipient, sender: sender.name, ...names } as never
  const message = await writeSigned(over, foreign as string, said)
  const secret = other.ikSecret ?? sender.ikSecret
  const sig = (await by.ok("suite.sign", { seed: secret, message }))["signature"] as string
  const plain = array(array(...contents.map((content) => bstr(content))), bstr(sig))
  const plaintext = (other.pad ?? padded)(other.inner?.(contents, sig) ?? plain)
  const info = array(label("seal"), uint(suite), bstr(th))
  const { okm } = await by.ok("suite.hkdf", { salt: guard, ikm: mk, info, length: 44 })
  const [key, nonce] = [(okm as string).slice(0, 64), (okm as string).slice(64)]
  const aad = array(label("envelope"), bstr(th), bstr(header))
  const { ct } = await by.ok("suite.seal", { key, nonce, aad, plaintext })
  return array(bstr(header), bstr(ct as string))
}

/** An encoded content; by default an application content that holds `text`. */
export function content(i: number, text: string = "", fields: Partial<RawContent> = {}): string {
  const body = array(tstr(text)).replace(/^81/, "a16474657874")
  const all = { kind: 0, id: idOf(i), sentMs: NOW * 1000 + i, re: null, ask: 0, body, ...fields }
  return array(
    ...[uint(all.kind), bstr(all.id), uint(all.sentMs), orNull(all.re), uint(all.ask)],
    bstr(all.body),
  )
}

/** Fields of a content. */
export interface RawContent {
  readonly kind: number
  readonly id: string
  readonly sentMs: number
  readonly re: string | null
  readonly ask: number
  readonly body: string
}

/** A content id of a number. */
export function idOf(i: number): string {
  return i.toString(16).padStart(32, "0")
}

/** What `envelope.seal` and `session.seal` take as their block. */
export function blockJson({ x, ek, kemCt }: Block): JsonObject {
  return { x, ek, kemCt } satisfies Record<string, Json>
}
