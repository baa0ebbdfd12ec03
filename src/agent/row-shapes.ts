// SPEC §12 agent: what rows must look like. A store that holds others is not used (AGENT-4).

import { AgentMeshError } from "../errors.ts"
import type { Tables } from "./rows.ts"

type Rule = (value: unknown) => boolean

const text: Rule = (value) => typeof value === "string"
const flag: Rule = (value) => typeof value === "boolean"
const uint: Rule = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const suite: Rule = (value) => value === 1 || value === 2

function bytes(length?: number): Rule {
  return (value) => value instanceof Uint8Array && (length === undefined || value.length === length)
}

function maybe(rule: Rule): Rule {
  return (value) => value === null || rule(value)
}

function list(rule: Rule): Rule {
  return (value) => Array.isArray(value) && value.every(rule)
}

function map(rules: Readonly<Record<string, Rule>>): Rule {
  const fields = Object.entries(rules)
  return (value) => {
    if (typeof value !== "object" || value === null) return false
    return fields.every(([name, rule]) => rule((value as Record<string, unknown>)[name]))
  }
}

const key = bytes(32)
const peer = { name: text, ik: key }
const publicKey = { x: key, ek: maybe(bytes(1184)) }
const secret = map({ x: key, kem: maybe(bytes(64)) })
const block = map({ ...publicKey, kemCt: maybe(bytes(1088)) })
const init = map({
  ...{ suite, bundleRef: key, otkRef: maybe(key) },
  ...{ ...peer, dk: key, e: key, kemCt: maybe(bytes(1088)) },
})
const session = map({
  ...{ th: key, suite, peer: map(peer), init: maybe(init), rk: key },
  role: (value) => value === "initiator" || value === "responder",
  ...{ own: maybe(map({ secret, block })), remote: map(publicKey) },
  ...{ cks: maybe(key), ns: uint, pn: uint, ckr: maybe(key), nr: uint },
  ...{ block: maybe(key), retired: list(key) },
})
const bundle = map({
  ...{ ...peer, dk: key, seq: uint, notBefore: uint, notAfter: uint, flags: uint },
  ...{ prekeys: list(map({ suite, ...publicKey })), ref: key, bytes: bytes() },
})

const ROWS: Readonly<Record<keyof Tables, Rule>> = {
  meta: map({
    ...{ format: uint, commits: uint, sessionsDigest: key, order: uint, seq: uint },
    ...{ kept: uint, jumpedAt: maybe(uint), seen: uint, floorMs: uint },
    ...{ publishedSeq: maybe(uint), dropDue: flag, importedAt: maybe(uint) },
  }),
  hub: map({ ik: key }),
  pin: map({ ...peer, trust: (value) => value === "pinned" || value === "verified" }),
  peer: map({
    ...{ ...peer, number: uint, suite: uint, seq: uint, ref: maybe(key), bundle: maybe(bytes()) },
    ...{ sentTo: flag, confirmed: flag, floorMs: uint, seen: uint, placed: uint },
    ...{ probeInterval: uint, probeAtMs: uint, card: maybe(bytes()) },
  }),
  "key/identity": map({ name: text, ikSecret: key, dkSecret: key }),
  "key/bundle": map({ bundle, secrets: list(map({ suite, secret })), replays: uint }),
  "key/one-time": map({
    ...{ ...peer, suite, ...publicKey, notAfter: uint, ref: key, bytes: bytes(), secret },
  }),
  "key/session": map({
    ...{ session, created: uint, verified: uint, founded: uint, order: uint, until: uint },
    ...{ mayCarry: flag, carried: flag, answerAtMs: uint },
  }),
  "key/skipped": map({ skipped: list(map({ block: key, n: uint, mk: key, time: uint })) }),
  content: map({
    ...{ order: uint, id: text, name: text, ik: maybe(key), fingerprint: maybe(text) },
    ...{ size: uint, place: uint, accepted: uint, ask: uint },
    ...{ mid: maybe(text), sealedOn: list(text) },
  }),
  copy: map({ name: text, sid: text, okAtMs: uint }),
  "data/out": map({
    order: uint,
    ...peer,
    sid: bytes(16),
    mid: bytes(16),
    envelope: bytes(),
    accepted: uint,
  }),
  due: map({ ...peer, envelopes: uint, atMs: uint, receipts: bytes() }),
  inbox: map({ order: uint, ...peer, id: bytes(16), size: uint, ask: uint, stranger: flag }),
}

/**
 * Accepts a decoded row of a table.
 *
 * @throws {@link AgentMeshError} `agent/store-corrupt`.
 */
export function checkRow<K extends keyof Tables>(table: K, row: unknown): Tables[K] {
  if (ROWS[table](row)) return row as Tables[K]
  throw new AgentMeshError("agent/store-corrupt", `a row of ${table} has another form`)
}
