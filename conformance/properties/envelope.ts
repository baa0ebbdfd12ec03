// Properties of SPEC §9: padding, sealing and opening, insiders without the identity key, proofs.

import fc from "fast-check"
import { replaceItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { array, bstr, NULL, uint } from "../vectorgen/raw.ts"
import { property, type Setting } from "./define.ts"
import {
  blockJson,
  content,
  contentHash,
  forge,
  idOf,
  type Parts,
  padded,
  padme,
  writeHeader,
  writeSigned,
} from "./forge.ts"
import { bytes, flip, flipped, key32, lengths, NOW, permuted, pick, seed } from "./gen.ts"
import { type Person, person } from "./people.ts"
import type { Trial } from "./trial.ts"

/** Lengths of an inner where the bucket changes, and others. */
const inners = fc.oneof(
  fc.constantFrom(1, 254, 255, 256, 257, 271, 272, 299, 303, 511, 512, 4_095, 65_535, 65_536),
  fc.nat(3_000).map((n) => n + 1),
  fc.nat(1_081_342).map((n) => n + 1),
)

/** What an envelope is made of, without its keys. */
const shape = ({ suites }: Setting) =>
  fc.record({
    suite: fc.constantFrom(...suites),
    th: key32,
    mk: key32,
    guard: bytes(16),
    x: key32,
    pn: fc.constantFrom(0, 1, 24, 1000),
    n: fc.constantFrom(0, 1, 24, 999),
    sizes: fc.array(lengths(300), { minLength: 1, maxLength: 5 }),
    seeds: fc.tuple(seed, seed).filter(([a, b]) => a !== b),
  })

type Shape = ReturnType<typeof shape> extends fc.Arbitrary<infer T> ? T : never

interface Sealed {
  readonly parts: Parts
  readonly alice: Person
  readonly mallory: Person
  /** Arguments of `envelope.open`, without the envelope. */
  readonly context: JsonObject
}

async function prepare(trial: Trial, it: Shape): Promise<Sealed> {
  const { suite, th, mk, guard, pn, n, sizes } = it
  const alice = await person(trial.oracle, "alice", it.seeds[0])
  const mallory = await person(trial.oracle, "mallory", it.seeds[1])
  const kem = suite === 2 ? { ek: "01".repeat(1_184), kemCt: "02".repeat(1_088) } : null
  const block = { x: it.x, ek: kem?.ek ?? null, kemCt: kem?.kemCt ?? null }
  const contents = sizes.map((size, i) => content(i + 1, "x".repeat(size)))
  const sender = alice.identity
  const parts = {
    suite,
    th,
    mk,
    sender,
    recipient: "bob",
    block,
    pn,
    n,
    guard,
    init: null,
    contents,
  }
  return { parts, alice, mallory, context: { suite, th, mk, sender: alice.peer, recipient: "bob" } }
}

/** What an insider signs or writes in place of what is due; null where it would be the same. */
function deviations(it: Sealed): readonly (readonly [string, Parameters<typeof forge>[2]])[] {
  const { parts, mallory } = it
  const { contents, th } = parts
  const header = writeHeader({ ...parts, n: parts.n === 0 ? 1 : 0 })
  const other = [content(99, "other"), ...contents.slice(1)]
  return [
    ["another key", { ikSecret: mallory.identity.ikSecret }],
    ["another th", { signed: { th: `${th.slice(0, 62)}${th.endsWith("00") ? "01" : "00"}` } }],
    ["another suite", { signed: { suite: 3 - parts.suite } }],
    ["another sender", { signed: { sender: "mallory" } }],
    ["another recipient", { signed: { recipient: "alice" } }],
    ["another header", { signed: { header } }],
    ["another content", { signed: { contents: other } }],
    ["one content more", { signed: { contents: [...contents, content(98)] } }],
    ["no content", { signed: { contents: [] } }],
    ...(contents.length > 1
      ? ([["another order", { signed: { contents: contents.toReversed() } }]] as const)
      : []),
    ["no signature", { inner: (list) => array(array(...list.map((item) => bstr(item)))) }],
    ["a short signature", { inner: (list, sig) => array(wrap(list), bstr(sig.slice(2))) }],
    ["no contents", { inner: (_list, sig) => array(array(), bstr(sig)) }],
    ["65 contents", { inner: (_list, sig) => array(wrap(Array(65).fill("80")), bstr(sig)) }],
    ["more behind", { inner: (list, sig) => `${array(wrap(list), bstr(sig))}00` }],
    [
      "no 0x80",
      { pad: (inner) => padded(inner).replace(/80(00)*$/, (end) => "00".repeat(end.length / 2)) },
    ],
    ["non-zero filler", { pad: (inner) => `${padded(inner).slice(0, -2)}01` }],
    ["a larger bucket", { pad: (inner) => padded(inner) + "00".repeat(32) }],
  ]
}

const wrap = (list: readonly string[]): string => array(...list.map((item) => bstr(item)))

/** Verdict on a content, from the table of kinds (SPEC §9.2, §9.4 steps 8 and 9). */
function judgeKind(kind: number, ask: number, re: boolean, body: "payload" | "empty" | "receipts") {
  if (kind > 2 || ask > 1) return "envelope/content"
  if (kind === 0) return body === "payload" ? "ok" : "agent/payload"
  if (ask !== 0 || re) return "envelope/content"
  return body === (kind === 1 ? "empty" : "receipts") ? "ok" : "envelope/content"
}

export const ENVELOPE_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{
        id: "envelope-p01",
        title: "padding has the length of the formula, and is taken off again",
      },
      ...{ req: "ENVELOPE-6", tier: 0, runs: 80 },
    },
    () => inners,
    async (trial, length) => {
      const size = Math.max(256, padme(length + 1))
      const filler = `80${"00".repeat(Math.max(0, size - length - 1))}`.slice(0, 8)
      await trial.ok("envelope.pad", { length }, { padded: size, filler })
      if (length > 70_000) return
      const inner = "ab".repeat(length)
      await trial.ok("envelope.unpad", { padded: padded(inner) }, { length })
    },
  ),
  property(
    {
      ...{ id: "envelope-p02", title: "no other padding is taken off" },
      ...{ req: "ENVELOPE-13", tier: 0, runs: 80 },
    },
    () =>
      fc.tuple(
        fc.nat(2_000),
        fc.nat(0xffff),
        fc.constantFrom("cut", "grow", "filler", "mark", "all"),
      ),
    async (trial, [length, at, how]) => {
      const good = padded("ab".repeat(length + 1))
      await trial.ok("envelope.unpad", { padded: good }, { length: length + 1 })
      const free = good.length / 2 - length - 2
      const bad = {
        cut: good.slice(0, -2),
        grow: `${good}00`,
        filler:
          free > 0 ? trial.mutated(good, { at: length + 2 + (at % free), xor: "01" }) : `${good}01`,
        mark: trial.mutated(good, { at: length + 1, xor: "01" }),
        all: "00".repeat(good.length / 2),
      }[how]
      await trial.reject("envelope.unpad", { padded: bad }, "envelope/open")
    },
  ),
  property(
    {
      ...{ id: "envelope-p03", title: "an envelope is sealed byte for byte as written, and opens" },
      ...{ req: "ENVELOPE-6 ENVELOPE-7 ENVELOPE-13", tier: 1, runs: 40 },
    },
    (setting) => shape(setting),
    async (trial, it) => {
      const { parts, context, alice } = await prepare(trial, it)
      const envelope = await forge(trial.oracle, parts)
      await trial.ok("envelope.open", { ...context, envelope }, { contents: parts.contents })
      const { block, init: _init, sender: _sender, ...rest } = parts
      const sender = { name: "alice", ikSecret: alice.identity.ikSecret }
      const args = { ...rest, sender, block: blockJson(block), init: null }
      await trial.ok("envelope.seal", args, { envelope })
    },
  ),
  property(
    {
      ...{ id: "envelope-p04", title: "no bit of an envelope, its keys or its context can change" },
      ...{ req: "ENVELOPE-8 ENVELOPE-10 ENVELOPE-11 ENVELOPE-12 ENVELOPE-13", tier: 0, runs: 100 },
    },
    (setting) =>
      fc.tuple(
        shape(setting),
        flip,
        fc.constantFrom("envelope", "envelope", "th", "mk", "name", "ik"),
      ),
    async (trial, [it, where, what]) => {
      const { parts, context, mallory } = await prepare(trial, it)
      const envelope = await forge(trial.oracle, parts)
      await trial.ok("envelope.open", { ...context, envelope })
      const other = {
        envelope: () => ({ envelope: flipped(trial, envelope, where) }),
        th: () => ({ th: flipped(trial, parts.th, where) }),
        mk: () => ({ mk: flipped(trial, parts.mk, where) }),
        name: () => ({ recipient: "rob" }),
        ik: () => ({ sender: { name: "alice", ik: mallory.peer.ik } }),
      }[what]()
      const reply = await trial.same("envelope.open", { ...context, envelope, ...other })
      trial.check(reply.ok === undefined, `opened with another ${what}`)
    },
  ),
  property(
    {
      ...{
        id: "envelope-p05",
        title: "who knows the message key but not the identity key is refused",
      },
      ...{ req: "ENVELOPE-13", tier: 0, runs: 120 },
    },
    (setting) => fc.tuple(shape(setting), fc.nat(40)),
    async (trial, [it, which]) => {
      const sealed = await prepare(trial, it)
      const { parts, context } = sealed
      const honest = await forge(trial.oracle, parts)
      await trial.ok("envelope.open", { ...context, envelope: honest })
      const [what, deviation] = pick(deviations(sealed), which)
      const envelope = await forge(trial.oracle, parts, deviation)
      if (envelope === honest) return
      trial.check(what !== "", what)
      await trial.reject("envelope.open", { ...context, envelope }, "envelope/open")
    },
  ),
  property(
    {
      ...{ id: "envelope-p06", title: "a content is judged by the table of kinds" },
      ...{ req: "ENVELOPE-16", tier: 0, runs: 150 },
    },
    () =>
      fc.tuple(
        ...([fc.constantFrom(0, 1, 2, 3, 255), fc.constantFrom(0, 0, 1, 2), fc.boolean()] as const),
        ...([fc.constantFrom("payload", "empty", "receipts"), fc.nat(0xffff)] as const),
      ),
    async (trial, [kind, ask, re, what, i]) => {
      const receipts = array(array(bstr(idOf(i)), uint(1)))
      const body = { payload: "a0", empty: "", receipts }[what]
      const fields = { kind, ask, re: re ? idOf(i) : null, body }
      const bytes = content(i, "", fields)
      const verdict = judgeKind(kind, ask, re, what)
      const output = { kind, ask, sentMs: NOW * 1000 + i }
      await trial.ends("envelope.content", { content: bytes }, verdict, output)
    },
  ),
  property(
    {
      ...{ id: "envelope-p07", title: "receipts: 1 to 256 pairs of an id and a status of 1 to 3" },
      ...{ req: "ENVELOPE-15 ENVELOPE-16", tier: 0, runs: 80 },
    },
    () =>
      fc.tuple(
        fc.oneof(fc.constantFrom(0, 1, 255, 256, 257), fc.nat(40)),
        ...([
          fc.nat(300),
          fc.constantFrom(1, 2, 3, 0, 4, 24),
          fc.constantFrom(16, 16, 15, 17),
        ] as const),
      ),
    async (trial, [count, place, status, size]) => {
      const at = count === 0 ? -1 : place % count
      const statuses = Array.from({ length: count }, (_, i) => (i === at ? status : 1 + (i % 3)))
      const list = statuses.map((value, i) => {
        return array(bstr(i === at ? "00".repeat(size) : idOf(i)), uint(value))
      })
      const good = count >= 1 && count <= 256 && status >= 1 && status <= 3 && size === 16
      const bytes = content(0, "", { kind: 2, body: array(...list) })
      const verdict = good ? "ok" : "envelope/content"
      await trial.ends("envelope.content", { content: bytes }, verdict, { statuses })
    },
  ),
  property(
    {
      ...{
        id: "envelope-p08",
        title: "a proof holds for the content shown, at its place, and no other",
      },
      ...{ req: "ENVELOPE-20", tier: 0, runs: 60 },
    },
    (setting) =>
      fc.tuple(
        shape(setting),
        ...([fc.nat(9), flip] as const),
        fc.constantFrom("content", "index", "beyond", "sig", "header", "th", "ik", "hash", "name"),
      ),
    async (trial, [it, which, where, what]) => {
      const { parts, context, mallory } = await prepare(trial, it)
      const { contents, sender } = parts
      const header = writeHeader(parts)
      const message = await writeSigned({ ...parts, sender: sender.name }, header, contents)
      const { signature } = await trial.oracle.ok("suite.sign", { seed: sender.ikSecret, message })
      const hashes = await Promise.all(contents.map(contentHash))
      const index = which % contents.length
      const { mk: _mk, ...names } = context
      const proof = { ...names, header, hashes, index, content: contents[index] as string }
      const args = { ...proof, sig: signature as string }
      await trial.ok("envelope.proof", args)
      // The hash at the index comes from the content, whatever the prover says.
      const blind = hashes.map((hash, i) => (i === index ? "00".repeat(32) : hash))
      await trial.ok("envelope.proof", { ...args, hashes: blind })
      const away = (index + 1) % contents.length
      const bad = {
        content: { content: content(77, "other") },
        index: contents.length > 1 ? { index: away } : { index: 1 },
        beyond: { index: contents.length },
        sig: { sig: flipped(trial, args.sig, where) },
        header: { header: flipped(trial, header, where) },
        th: { th: flipped(trial, parts.th, where) },
        ik: { sender: { name: "alice", ik: mallory.peer.ik } },
        hash: { hashes: [...hashes, hashes[0] as string] },
        name: { recipient: "mallory" },
      }[what]
      await trial.reject("envelope.proof", { ...args, ...bad }, "envelope/open")
    },
  ),
  property(
    {
      ...{ id: "envelope-p09", title: "sizes, version and shape of a header are judged in order" },
      ...{ req: "ENVELOPE-8 ENVELOPE-9 ENVELOPE-10 ENVELOPE-11 ENVELOPE-12", tier: 0, runs: 120 },
    },
    (setting) => fc.tuple(shape(setting), fc.nat(30), fc.array(fc.nat(15), { maxLength: 15 })),
    async (trial, [it, which, picks]) => {
      const { parts, context } = await prepare(trial, it)
      const envelope = await forge(trial.oracle, parts)
      await trial.ok("envelope.open", { ...context, envelope })
      const item = (path: readonly number[], put: string) => replaceItem(envelope, path, put)
      const others = permuted([uint(2), NULL, bstr("00"), array(), uint(7)], picks).slice(0, 3)
      const faults: readonly (readonly [() => string, string])[] = [
        [() => item([1], bstr("00".repeat(271))), "encoding/limit"],
        [() => item([1], bstr("00".repeat(1_081_361))), "encoding/limit"],
        [() => item([0], bstr("00".repeat(8_193))), "encoding/limit"],
        [() => item([0], bstr(array(uint(2), ...others))), "envelope/version"],
        [() => item([0], bstr(array(uint(0), ...others))), "envelope/version"],
        [() => item([0, 0], uint(2)), "envelope/version"],
        [() => item([0], bstr(array(NULL, ...others))), "encoding/shape"],
        [() => item([0], bstr(array())), "encoding/shape"],
        [() => item([0], bstr("01")), "encoding/shape"],
        [() => item([0], bstr("")), "encoding/malformed"],
        [() => item([0], bstr(`${array(uint(1))}00`)), "encoding/malformed"],
        [() => item([0], bstr(array("1801"))), "encoding/profile"],
        [() => item([0, 1], bstr("00".repeat(15))), "encoding/shape"],
        [() => item([0, 5], bstr("00".repeat(17))), "encoding/shape"],
        [() => item([0, 2], array(bstr("00".repeat(32)), NULL)), "encoding/shape"],
        [() => item([0, 2, 0], bstr("00".repeat(31))), "encoding/shape"],
        [() => item([0, 2, 1], bstr("00".repeat(1_183))), "encoding/shape"],
        [() => item([0, 3], NULL), "encoding/shape"],
        [() => item([0, 4], array()), "encoding/shape"],
        [() => item([0, 6], array(uint(1))), "encoding/shape"],
        [() => item([0], NULL), "encoding/shape"],
        [() => array(bstr("00")), "encoding/shape"],
        [() => `${envelope}00`, "encoding/malformed"],
      ]
      const [make, code] = pick(faults, which)
      await trial.reject("envelope.open", { ...context, envelope: make() }, code)
    },
  ),
]
