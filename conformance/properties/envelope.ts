// Properties of SPEC §9: padding, sealing and opening, insiders without the identity key, proofs.

import fc from "fast-check"
import type { JsonObject } from "../driver.ts"
import type { Property } from "../property.ts"
import { array, bstr } from "../vectorgen/raw.ts"
import { property, type Setting } from "./define.ts"
import {
  blockJson,
  content,
  contentHash,
  forge,
  type Parts,
  padded,
  padme,
  writeHeader,
  writeSigned,
} from "./forge.ts"
import { bytes, flip, flipped, key32, lengths, pick, seed } from "./gen.ts"
import { type Person, person } from "./people.ts"
import type { Trial } from "./trial.ts"

/** Lengths of an inner where the bucket changes, and others. */
const inners = fc.oneof(
  fc.constantFrom(1, 254, 255, 256, 257, 271, 272, 299, 303, 511, 512, 4_095, 65_535, 65_536),
  fc.nat(3_000).map((n) => n + 1),
  fc.nat(1_081_342).map((n) => n + 1),
)

/** What an envelope is made of, without its keys. */
export const shape = ({ suites }: Setting): fc.Arbitrary<Shape> =>
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

/** See {@link shape}. */
export interface Shape {
  readonly suite: 1 | 2
  readonly th: string
  readonly mk: string
  readonly guard: string
  readonly x: string
  readonly pn: number
  readonly n: number
  /** Lengths of the texts in the contents. */
  readonly sizes: readonly number[]
  /** Of the sender, and of somebody else. */
  readonly seeds: readonly [string, string]
}

/** See {@link prepare}. */
export interface Sealed {
  readonly parts: Parts
  readonly alice: Person
  readonly mallory: Person
  /** Arguments of `envelope.open`, without the envelope. */
  readonly context: JsonObject
}

/** Both ends of an envelope, and what `envelope.open` takes. */
export async function prepare(trial: Trial, it: Shape): Promise<Sealed> {
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
]
