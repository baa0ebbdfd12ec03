// Vectors of SPEC §7 keyschedule.

import { concat, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import { createExchangeKey, encapsulate, type Suite, x25519Public } from "../../src/suite.ts"
import type { Case, Json, JsonObject } from "../driver.ts"
import { deterministicDraw, namedDraw } from "./draws.ts"
import { Book, context, filled, splice } from "./kit.ts"
import { Person, SEEDS } from "./people.ts"
import { LOW_ORDER_U, NON_CANONICAL_U } from "./points.ts"

const SUITES: readonly Suite[] = [1, 2]

function needs(suite: Suite): { needs?: readonly string[] } {
  return suite === 2 ? { needs: ["suite-2"] } : {}
}

/** Writes all cases of this section. */
export function createKeyscheduleBook(): Book {
  const book = new Book("keyschedule")
  expansions(book)
  transcripts(book)
  steps(book)
  messages(book)
  exchanges(book)
  return book
}

function expansions(book: Book): void {
  const of = (
    n: number,
    title: string,
    purpose: string,
    suite: Suite,
    context: Json,
    length: number,
    secret = 7,
  ) => {
    const input = { secret: filled(secret, 32), purpose, suite, context, length }
    book.ok(n, title, "KEYSCHEDULE-2", "keyschedule.expand", input, needs(suite))
  }
  const th: Json = ["bytes", filled(0x74, 32)]
  for (const suite of SUITES) {
    const base = 10 * (suite - 1)
    of(1 + base, `root key of suite ${suite}`, "root", suite, [], 32)
    of(2 + base, `message key of suite ${suite}`, "message-key", suite, [], 32)
    of(3 + base, `chain key of suite ${suite}`, "chain-key", suite, [], 32)
    of(4 + base, `info with a transcript hash, suite ${suite}`, "seal", suite, [th], 44)
    of(
      5 + base,
      `info of a step, suite ${suite}`,
      "ratchet",
      suite,
      [th, ["bytes", filled(1, 32)], ["bytes", filled(2, 32)]],
      64,
    )
    of(6 + base, `another secret, suite ${suite}`, "root", suite, [], 32, 8)
  }
}

/** TH, PRK, rk0 and sid: with and without a one-time key, in both suites. */
function transcripts(book: Book): void {
  const [alice, bob] = [new Person("alice"), new Person("bob")]
  const e = x25519Public(namedDraw(SEEDS.alice, "ephemeral", 0, 32))
  const init = (suite: Suite, oneTime: boolean, name = "alice", ct = 0x5c): string => {
    const { ik, dk } = alice.own
    const kemCt = suite === 2 ? new Uint8Array(1088).fill(ct) : null
    const otk = oneTime ? new Uint8Array(32).fill(0x0f) : null
    return toHex(encode([suite, new Uint8Array(32).fill(0xb5), otk, name, ik, dk, e, kemCt]))
  }
  const dh = [filled(0xd1, 32), filled(0xd2, 32), filled(0xd3, 32)]
  const of = (n: number, title: string, suite: Suite, oneTime: boolean, extra: JsonObject = {}) => {
    const base = {
      responder: bob.peer,
      init: init(suite, oneTime),
      dh: oneTime ? [...dh, filled(0xd4, 32)] : dh,
    }
    const ss = suite === 2 ? { ss: filled(0x55, 32) } : {}
    book.ok(
      n,
      title,
      "KEYSCHEDULE-2 KEYSCHEDULE-3",
      "handshake.derive",
      { ...base, ...ss, ...extra },
      needs(suite),
    )
  }
  of(30, "suite 1, no one-time key", 1, false)
  of(31, "suite 1, one-time key", 1, true)
  of(32, "suite 2, no one-time key", 2, false)
  of(33, "suite 2, one-time key", 2, true)
  of(34, "another responder name, another TH", 1, false, {
    responder: { ...bob.peer, name: "rob" },
  })
  of(35, "another responder key, another TH", 1, false, {
    responder: { ...bob.peer, ik: toHex(alice.own.ik) },
  })
  of(36, "another initiator name, another TH", 1, false, { init: init(1, false, "malice") })
  of(37, "another KEM ciphertext, another TH", 2, false, { init: init(2, false, "alice", 0x5d) })
  of(38, "DH2 and DH3 swapped, another root key", 1, false, {
    dh: [dh[0] as string, dh[2] as string, dh[1] as string],
  })
  of(39, "another KEM secret, another root key", 2, true, { ss: filled(0x56, 32) })
}

function steps(book: Book): void {
  for (const suite of SUITES) {
    const draw = deterministicDraw(SEEDS.alice)
    const answered = createExchangeKey(suite, deterministicDraw(SEEDS.bob), "prekey").public
    const key = createExchangeKey(suite, draw, "ratchet").public
    const kem = answered.ek && encapsulate(answered.ek, draw("ratchet-encaps", 32))
    const block = { x: toHex(key.x), ek: key.ek && toHex(key.ek), kemCt: kem && toHex(kem.ct) }
    const input = {
      ...{
        suite,
        th: filled(0x74, 32),
        rk: filled(0x11, 32),
        secret: filled(0x22, 32 * suite),
        block,
      },
      answered: { x: toHex(answered.x), ek: answered.ek && toHex(answered.ek) },
    }
    const of = (n: number, title: string, extra: JsonObject = {}) =>
      book.ok(
        40 + 10 * (suite - 1) + n,
        `${title}, suite ${suite}`,
        "KEYSCHEDULE-2",
        "keyschedule.ratchet",
        { ...input, ...extra },
        needs(suite),
      )
    of(0, "a step")
    of(1, "another root key", { rk: filled(0x12, 32) })
    of(2, "another secret", { secret: filled(0x23, 32 * suite) })
    of(3, "another transcript hash", { th: filled(0x75, 32) })
    of(4, "another block", { block: { ...block, x: filled(9, 32) } })
    of(5, "another answered key", { answered: { ...input.answered, x: filled(9, 32) } })
    if (suite === 2)
      of(6, "another KEM ciphertext in the block", { block: { ...block, kemCt: filled(1, 1088) } })
    if (suite === 2)
      of(7, "another answered ek", { answered: { ...input.answered, ek: filled(1, 1184) } })
  }
}

function messages(book: Book): void {
  for (const suite of SUITES) {
    const input = { suite, th: filled(0x74, 32), ck: filled(0xcc, 32), guard: filled(0x67, 16) }
    const of = (n: number, title: string, extra: JsonObject) =>
      book.ok(
        60 + 10 * (suite - 1) + n,
        `${title}, suite ${suite}`,
        "KEYSCHEDULE-6",
        "keyschedule.message",
        { ...input, ...extra },
        needs(suite),
      )
    of(0, "message 0", { n: 0 })
    of(1, "message 1", { n: 1 })
    of(2, "message 2", { n: 2 })
    of(3, "message 999, the last", { n: 999 })
    of(4, "another guard, another key and nonce", { n: 0, guard: filled(0x68, 16) })
    of(5, "another session, another key and nonce", { n: 0, th: filled(0x75, 32) })
  }
}

/** recvExchange: what a receiver computes from a block. */
function exchanges(book: Book): void {
  const cases = new Map<Suite, Case>()
  const blocks = new Map<Suite, JsonObject>()
  for (const suite of SUITES) {
    const own = createExchangeKey(suite, deterministicDraw(SEEDS.bob), "prekey")
    const draw = deterministicDraw(SEEDS.alice)
    const key = createExchangeKey(suite, draw, "ratchet").public
    const kem = own.public.ek && encapsulate(own.public.ek, draw("ratchet-encaps", 32))
    const block = { x: toHex(key.x), ek: key.ek && toHex(key.ek), kemCt: kem && toHex(kem.ct) }
    const { x, kem: kd } = own.secret
    const input = { own: { x: toHex(x), kem: kd && toHex(kd) }, block }
    blocks.set(suite, block)
    cases.set(
      suite,
      book.ok(
        80 + suite,
        `the exchange of a block, suite ${suite}`,
        "KEYSCHEDULE-7",
        "keyschedule.exchange",
        input,
        needs(suite),
      ),
    )
    if (suite === 2 && kem) {
      const other = concat(Uint8Array.of((kem.ct[0] as number) ^ 1), kem.ct.subarray(1))
      book.ok(
        83,
        "another KEM ciphertext gives an unrelated secret, no error",
        "SUITE-15",
        "keyschedule.exchange",
        { ...input, block: { ...block, kemCt: toHex(other) } },
        needs(2),
      )
    }
  }
  const [one, two] = [cases.get(1) as Case, cases.get(2) as Case]
  for (const [i, [title, key]] of NON_CANONICAL_U.entries()) {
    book.reject(
      90 + i,
      "suite/bad-key",
      "KEYSCHEDULE-7 SUITE-8",
      one,
      context("block.x", key),
      `block with ${title}`,
      "each key has one encoding",
    )
  }
  for (const [i, [title, key]] of LOW_ORDER_U.entries()) {
    book.reject(
      100 + i,
      "suite/bad-key",
      "KEYSCHEDULE-8 SUITE-12",
      one,
      context("block.x", key),
      `block of low order, ${title}`,
      "the key would be the attacker's choice",
    )
    book.reject(
      110 + i,
      "suite/bad-key",
      "KEYSCHEDULE-8 SUITE-12",
      two,
      context("block.x", key),
      `block of low order in suite 2, ${title}`,
      "the key would be the attacker's choice",
    )
  }
  const ek = blocks.get(2)?.["ek"] as string
  const bad = (n: number, at: number, put: string, title: string) =>
    book.reject(
      n,
      "suite/bad-key",
      "KEYSCHEDULE-7 SUITE-10",
      two,
      splice("block.ek", at, ek.slice(2 * at, 2 * at + put.length), put),
      title,
      "the modulus check fails",
    )
  bad(116, 0, "010d00", "block with a coefficient of 3,329")
  bad(117, 1149, "ffffff", "block with coefficients of 4,095")
}
