// What the items of SPEC §6 to §12 are called, and which requirements are about them.

import { fingerprint } from "../../identity.ts"
import { label } from "../../suite.ts"
import type { Item } from "./cbor.ts"

/** The name of an item, and what is in it. */
export interface Part {
  readonly name: string
  /** Ids of requirements, as in SPEC.md. */
  readonly req?: string
  /** Parts of an array of fixed arity. */
  readonly items?: readonly Part[]
  /** Part of every item of a list. */
  readonly each?: Part
  /** What the item in a byte string is. */
  readonly inside?: Part | ((inner: Item) => Part | null)
  /** What the value means. */
  readonly say?: (item: Item) => string
}

const number = (item: Item): number => Number(item.value)

const time =
  (factor: number) =>
  (item: Item): string => {
    const date = new Date(number(item) * factor)
    return item.kind === "uint" && !Number.isNaN(date.getTime()) ? date.toISOString() : ""
  }
const choice =
  (meanings: Readonly<Record<number, string>>) =>
  (item: Item): string => {
    return meanings[number(item)] ?? "not in the registry"
  }
const key = (item: Item): string => {
  const whole = item.value instanceof Uint8Array && item.value.length === 32
  return whole ? `fingerprint ${fingerprint(item.value)}` : "not 32 bytes"
}

export const seconds: (item: Item) => string = time(1_000)
const suite = choice({ 1: "X25519", 2: "X25519 and ML-KEM-768" })

/** A part without anything in it. */
export function part(name: string, req?: string, say?: Part["say"]): Part {
  return { name, ...(req ? { req } : {}), ...(say ? { say } : {}) }
}

const ik = (name: string, req: string): Part => part(name, req, key)
const ek = part("ek: ML-KEM-768 key, null in suite 1", "BUNDLE-12")

const prekey: Part = {
  name: "prekey",
  req: "BUNDLE-14",
  items: [part("suite", "BUNDLE-14", suite), part("x: X25519 key", "BUNDLE-12"), ek],
}

/** Body of a bundle (SPEC §6). */
export const bundleBody: Part = {
  name: "bundle-body (SPEC §6)",
  req: "BUNDLE-10",
  items: [
    part("label", "BUNDLE-10"),
    part("name", "IDENTITY-6, BUNDLE-11"),
    ik("ik: identity key", "BUNDLE-12, IDENTITY-9"),
    part("dk: DH identity key", "BUNDLE-12"),
    part("seq", "BUNDLE-22, BUNDLE-23", seconds),
    part("not-before", "BUNDLE-16, BUNDLE-17", seconds),
    part("not-after", "BUNDLE-16, BUNDLE-18", seconds),
    part("flags", "BUNDLE-13", choice({ 0: "none", 1: "ONE_TIME_REQUIRED" })),
    { name: "prekeys", req: "BUNDLE-14", each: prekey },
  ],
}

const oneTimeBody: Part = {
  name: "one-time-body (SPEC §6)",
  req: "BUNDLE-28",
  items: [
    part("label"),
    part("name"),
    ik("ik: identity key", "BUNDLE-28"),
    part("suite", "BUNDLE-28", suite),
    part("x: X25519 key", "BUNDLE-28"),
    ek,
    part("not-after", "BUNDLE-28", seconds),
  ],
}

const receiptBody: Part = {
  name: "receipt-body (SPEC §11)",
  items: [
    part("label"),
    ik("hub-ik: key of the hub", "HUB-8"),
    part("name"),
    ik("ik: identity key of the name", "IDENTITY-9"),
    part("bundle-ref: hash of the bundle's body"),
    part("seq", "BUNDLE-22", seconds),
    part("time", undefined, seconds),
  ],
}

const BODIES: Readonly<Record<string, Part>> = {
  [label("bundle")]: bundleBody,
  [label("one-time")]: oneTimeBody,
  [label("directory")]: receiptBody,
}

/** The body that a label announces. */
export function bodyOf(inner: Item): Part | null {
  const first = inner.items[0]?.value
  return typeof first === "string" ? (BODIES[first] ?? null) : null
}

/** A signed bundle, one-time key or directory receipt. */
export const signed: Part = {
  name: "signed (SPEC §6)",
  req: "BUNDLE-10",
  items: [
    { name: "body", req: "ENCODING-5", inside: bodyOf },
    part("sig: Ed25519 over body", "BUNDLE-15"),
  ],
}

const init: Part = {
  name: "init, null after the first answer (SPEC §8)",
  req: "HANDSHAKE-13",
  items: [
    part("suite", "HANDSHAKE-12, HANDSHAKE-23", suite),
    part("bundle-ref: the responder's bundle", "HANDSHAKE-21"),
    part("otk-ref: one-time key, or null", "HANDSHAKE-24, HANDSHAKE-25"),
    part("name-a: initiator", "HANDSHAKE-15, HANDSHAKE-26"),
    ik("ik-a: its identity key", "HANDSHAKE-16, HANDSHAKE-27"),
    part("dk-a: its DH identity key", "HANDSHAKE-31"),
    part("e: ephemeral key", "HANDSHAKE-31"),
    part("kem-ct: ML-KEM-768 ciphertext, null in suite 1", "HANDSHAKE-13"),
  ],
}

const block: Part = {
  name: "block: keys of the sending chain",
  req: "ENVELOPE-12",
  items: [
    part("x: ratchet key", "HANDSHAKE-31"),
    part("ek: ML-KEM-768 key, null in suite 1"),
    part("kem-ct: ciphertext, or null"),
  ],
}

const header: Part = {
  name: "header (SPEC §9)",
  req: "ENVELOPE-10, ENVELOPE-12",
  items: [
    part("version", "ENVELOPE-11"),
    part("sid: look-up id of the session", "HANDSHAKE-17"),
    block,
    part("pn: envelopes of the previous chain", "HANDSHAKE-13"),
    part("n: number in this chain", "HANDSHAKE-14"),
    part("guard: random; mid at the hub", "ENVELOPE-7"),
    init,
  ],
}

/** An envelope. */
export const envelope: Part = {
  name: "envelope (SPEC §9)",
  req: "ENVELOPE-8",
  items: [
    { name: "header", req: "ENVELOPE-9", inside: header },
    part("ct: AES-256-GCM, padded; nobody but the recipient reads on", "ENVELOPE-6, ENVELOPE-13"),
  ],
}

/** A payload: keys and values are the application's. */
export const payload: Part = { name: "payload (SPEC §3)", req: "ENCODING-6, ENCODING-23" }

/** A content, as it stands in an opened envelope. */
export const content: Part = {
  name: "content (SPEC §9)",
  req: "ENVELOPE-15",
  items: [
    part("kind", "ENVELOPE-16", choice({ 0: "application", 1: "heal", 2: "receipt" })),
    part("id", "AGENT-50"),
    part("sent-ms", "ENVELOPE-2, AGENT-51", time(1)),
    part("re: what it answers, or null", "ENVELOPE-16"),
    part("ask", "ENVELOPE-16", choice({ 0: "delivered", 1: "processed too" })),
    { name: "body", req: "AGENT-53", inside: (inner) => (inner.kind === "map" ? payload : null) },
  ],
}

/** An export file. */
export const stateFile: Part = {
  name: "state-file: an exported identity (SPEC §12)",
  req: "AGENT-63",
  items: [
    part("label"),
    part("kdf", "AGENT-63", choice({ 0: "a key of 32 bytes", 1: "scrypt of a passphrase" })),
    part("salt"),
    part("guard"),
    part("ct: the sealed identity-state", "AGENT-38"),
  ],
}
