// Vectors of SPEC §8 handshake.

import { toHex } from "../../src/bytes.ts"
import { encapsulate } from "../../src/suite.ts"
import { itemAt, replaceItem } from "../cbor.ts"
import type { Case, JsonObject, Mutation } from "../driver.ts"
import { unhex } from "../values.ts"
import { application, Flight, forge, initiateTo, rewriteInit } from "./flight.ts"
import { initiations } from "./initiate.ts"
import { Book, context, filled, flip } from "./kit.ts"
import { bundleJson, NOW, oneTimeJson, Person } from "./people.ts"
import {
  LOW_ORDER_U,
  NON_CANONICAL_KEYS,
  NON_CANONICAL_U,
  OFF_CURVE_KEYS,
  SMALL_ORDER_KEYS,
} from "./points.ts"
import { bstr, NULL, tstr, uint } from "./raw.ts"

/** An accepted first flight and how it was made. */
interface Base {
  readonly item: Case
  readonly flight: Flight
  readonly input: JsonObject
  readonly envelope: string
}

/** Writes all cases of this section. */
export function createHandshakeBook(): Book {
  const book = new Book("handshake")
  initiations(book)
  const bases = accepted(book)
  stepOne(book, bases)
  stepsTwoToFour(book, bases)
  stepFive(book, bases)
  stepSix(book, bases)
  stepSeven(book, bases)
  stepEight(book, bases)
  return book
}

function needs(suite: number): { needs?: readonly string[] } {
  return suite === 2 ? { needs: ["suite-2"] } : {}
}

type Bases = Readonly<Record<"one" | "oneTime" | "two" | "twoTime", Base>>

function accepted(book: Book): Bases {
  const make = (n: number, title: string, flight: Flight): Base => {
    const { envelope } = flight.seal([application("hello")])
    const input = flight.responding(envelope)
    const item = book.ok(
      n,
      title,
      "HANDSHAKE-32 HANDSHAKE-34",
      "handshake.respond",
      input,
      needs(flight.suite),
    )
    return { item, flight, input, envelope }
  }
  const bases = {
    one: make(100, "init of suite 1", new Flight(1)),
    oneTime: make(101, "init of suite 1 with a one-time key", new Flight(1, true)),
    two: make(102, "init of suite 2", new Flight(2)),
    twoTime: make(103, "init of suite 2 with a one-time key", new Flight(2, true)),
  }
  const { one, oneTime } = bases
  const ok = (n: number, title: string, req: string, input: JsonObject) =>
    book.ok(n, title, req, "handshake.respond", input)
  const late = one.flight.seal([application("late")], 999).envelope
  ok(104, "n = 999 arrives first", "HANDSHAKE-14", { ...one.input, envelope: late })
  const many = one.flight.seal([
    application("a"),
    application("b", 1),
    application("c", 2),
  ]).envelope
  ok(105, "three contents in the first envelope", "HANDSHAKE-10", { ...one.input, envelope: many })
  ok(106, "another one-time key beside it", "HANDSHAKE-25", {
    ...oneTime.input,
    oneTimes: [
      oneTimeJson(new Person("bob").oneTime(1, NOW - 5)),
      ...(oneTime.input["oneTimes"] as []),
    ],
  })
  const newer = new Person("bob")
  newer.bundle()
  ok(107, "the bundle before the newest one", "HANDSHAKE-21", {
    ...one.input,
    bundles: [bundleJson(newer.bundle({ seq: NOW + 1 })), ...(one.input["bundles"] as [])],
  })
  ok(108, "from-name is the name of the init", "HANDSHAKE-26", { ...one.input, from: "alice" })
  ok(109, "the pinned key", "HANDSHAKE-27", {
    ...one.input,
    pins: { alice: toHex(one.flight.alice.own.ik) },
  })
  ok(110, "after the end of the bundle, which is live", "HANDSHAKE-21", {
    ...one.input,
    now: NOW + 37 * 86_400,
  })
  ok(111, "suite 1 after suite 2, at a responder without suite 2", "HANDSHAKE-23", {
    ...one.input,
    suites: [1],
    remembered: 2,
  })
  ok(112, "other handshakes in the replay cache", "HANDSHAKE-19", {
    ...one.input,
    replayed: [filled(1, 32)],
    sids: [filled(2, 16)],
  })
  return bases
}

/** A mutation of level field whose input has another envelope. */
function other(
  base: Base,
  envelope: string,
  put: string,
  path?: readonly number[],
  follows?: readonly (readonly number[])[],
): Mutation & { input: JsonObject } {
  return {
    ...{ level: "field", field: "envelope", put },
    ...(path ? { path } : {}),
    ...(follows ? { follows } : {}),
    input: { ...base.input, envelope },
  }
}

/** One item of the header is replaced; nothing else. */
function inHeader(
  base: Base,
  path: readonly number[],
  put: string,
): Mutation & { input: JsonObject } {
  return other(base, replaceItem(base.envelope, [0, ...path], put), put, [0, ...path])
}

/** One item of the init is replaced, and sid is made to fit. */
function inInit(base: Base, item: number, put: string): Mutation & { input: JsonObject } {
  const changed = rewriteInit(base.envelope, { [item]: put }, base.flight.bob.own)
  return other(base, changed, put, [0, 6, item], [[0, 1]])
}

function stepOne(book: Book, { one, two }: Bases): void {
  const r = (
    n: number,
    code: string,
    req: string,
    base: Base,
    path: readonly number[],
    put: string,
    title: string,
    why: string,
  ) => book.reject(n, code, req, base.item, inHeader(base, path, put), title, why)
  for (const [i, suite] of [0, 3, 0xff00].entries()) {
    r(
      120 + i,
      "suite/unsupported",
      "HANDSHAKE-12",
      one,
      [6, 0],
      uint(suite),
      `init of suite ${suite}`,
      "it names no tuple of algorithms",
    )
  }
  const form = "KEM fields are null exactly in suite 1"
  r(
    123,
    "encoding/shape",
    "HANDSHAKE-13",
    one,
    [2, 1],
    bstr(filled(1, 1184)),
    "ek in a block of suite 1",
    form,
  )
  r(
    124,
    "encoding/shape",
    "HANDSHAKE-13",
    one,
    [2, 2],
    bstr(filled(1, 1088)),
    "kem-ct in a block of suite 1",
    form,
  )
  r(
    125,
    "encoding/shape",
    "HANDSHAKE-13",
    one,
    [6, 7],
    bstr(filled(1, 1088)),
    "kem-ct in an init of suite 1",
    form,
  )
  r(126, "encoding/shape", "HANDSHAKE-13", two, [2, 1], NULL, "no ek in a block of suite 2", form)
  r(
    127,
    "encoding/shape",
    "HANDSHAKE-13",
    two,
    [2, 2],
    NULL,
    "no kem-ct in a block of suite 2",
    form,
  )
  r(
    128,
    "encoding/shape",
    "HANDSHAKE-13",
    two,
    [6, 7],
    NULL,
    "no kem-ct in an init of suite 2",
    form,
  )
  r(
    129,
    "encoding/shape",
    "HANDSHAKE-13",
    one,
    [3],
    uint(1),
    "pn 1 beside an init",
    "the first chain has none before it",
  )
  r(
    130,
    "session/chain-limit",
    "HANDSHAKE-14",
    one,
    [4],
    uint(1000),
    "n = 1,000 beside an init",
    "it bounds the work on unauthenticated input",
  )
  r(
    131,
    "session/chain-limit",
    "HANDSHAKE-14",
    one,
    [4],
    uint(2n ** 53n - 1n),
    "largest n beside an init",
    "it bounds the work on unauthenticated input",
  )
  for (const [i, name] of [
    "",
    "Alice",
    "a".repeat(65),
    "al|ce",
    "alice\u0000",
    "аlice",
  ].entries()) {
    r(
      132 + i,
      "identity/name",
      "HANDSHAKE-15",
      one,
      [6, 3],
      tstr(name),
      `name-a of the wrong form, ${i}`,
      "names are compared byte by byte",
    )
  }
}

function stepsTwoToFour(book: Book, { one, oneTime, two }: Bases): void {
  const { flight } = one
  const r = (
    n: number,
    code: string,
    req: string,
    base: Base,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, code, req, base.item, mutation, title, why)
  r(
    140,
    "handshake/self",
    "HANDSHAKE-16",
    one,
    context("identity", flight.alice.identity),
    "the init reflected to its sender",
    "a reflected session would authenticate nobody",
  )
  r(
    141,
    "handshake/self",
    "HANDSHAKE-16",
    one,
    inHeader(one, [6, 4], bstr(toHex(flight.bob.own.ik))),
    "own ik under another name",
    "a reflected session would authenticate nobody",
  )
  const elsewhere = "the init was made for somebody else"
  r(
    142,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    context("identity", flight.mallory.identity),
    "the init delivered to another agent",
    elsewhere,
  )
  r(
    143,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    context("identity.name", "rob"),
    "the init delivered under another name",
    elsewhere,
  )
  const altered = "sid is made from the whole init"
  r(
    144,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    inHeader(one, [1], bstr(filled(0, 16))),
    "another sid",
    altered,
  )
  r(
    145,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    inHeader(one, [6, 1], bstr(filled(1, 32))),
    "another bundle-ref, old sid",
    altered,
  )
  r(
    146,
    "envelope/open",
    "HANDSHAKE-17",
    oneTime,
    inHeader(oneTime, [6, 2], NULL),
    "otk-ref nulled, old sid",
    altered,
  )
  r(
    147,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    inHeader(one, [6, 3], tstr("malice")),
    "another name-a, old sid",
    altered,
  )
  r(
    148,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    inHeader(one, [6, 4], bstr(toHex(flight.mallory.own.ik))),
    "another ik-a, old sid",
    altered,
  )
  r(
    149,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    inHeader(one, [6, 5], bstr(filled(9, 32))),
    "another dk-a, old sid",
    altered,
  )
  r(
    150,
    "envelope/open",
    "HANDSHAKE-17",
    one,
    inHeader(one, [6, 6], bstr(filled(9, 32))),
    "another e, old sid",
    altered,
  )
  r(
    151,
    "envelope/open",
    "HANDSHAKE-17",
    two,
    inHeader(two, [6, 7], bstr(filled(9, 1088))),
    "another kem-ct, old sid",
    altered,
  )
  const th = toHex(flight.handshake.th)
  r(
    152,
    "handshake/replay",
    "HANDSHAKE-19",
    one,
    context("replayed", [th]),
    "the init again, its session erased",
    "each init is accepted once",
  )
  r(
    153,
    "handshake/replay",
    "HANDSHAKE-19",
    two,
    context("replayed", [filled(1, 32), toHex(two.flight.handshake.th)]),
    "the same in suite 2",
    "each init is accepted once",
  )
  r(
    154,
    "envelope/open",
    "HANDSHAKE-20",
    one,
    context("sids", [th.slice(0, 32)]),
    "a sid that another session uses",
    "a sid looks up one session",
  )
}

function stepFive(book: Book, { one, oneTime, two, twoTime }: Bases): void {
  const gone = "the private keys are gone"
  const r = (
    n: number,
    code: string,
    req: string,
    base: Base,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, code, req, base.item, mutation, title, why)
  r(
    160,
    "handshake/unknown-prekey",
    "HANDSHAKE-21",
    one,
    context("bundles", []),
    "the bundle is not live any more",
    gone,
  )
  r(
    161,
    "handshake/unknown-prekey",
    "HANDSHAKE-21",
    one,
    inInit(one, 1, bstr(filled(1, 32))),
    "bundle-ref of nothing",
    gone,
  )
  r(
    162,
    "handshake/unknown-prekey",
    "HANDSHAKE-25",
    oneTime,
    context("oneTimes", []),
    "the one-time key was used",
    "it was used or never existed",
  )
  r(
    163,
    "handshake/unknown-prekey",
    "HANDSHAKE-25",
    one,
    inInit(one, 2, bstr(filled(1, 32))),
    "otk-ref of nothing",
    "it was used or never existed",
  )
  r(
    164,
    "handshake/unknown-prekey",
    "HANDSHAKE-25",
    twoTime,
    context("oneTimes", []),
    "the one-time key of suite 2 was used",
    "it was used or never existed",
  )
  const foreign = new Person("bob").oneTime(2)
  const wrongSuite = {
    ...inInit(oneTime, 2, bstr(toHex(foreign.ref))),
    put: bstr(toHex(foreign.ref)),
  }
  const held = { oneTimes: [oneTimeJson(foreign)] }
  const input = { ...wrongSuite.input, ...held }
  r(
    165,
    "handshake/unknown-prekey",
    "HANDSHAKE-25",
    oneTime,
    { ...wrongSuite, input, with: held },
    "otk-ref of a key of another suite",
    "algorithms of suites are not combined",
  )
  const single = new Person("bob").bundle({ suites: [1], seq: NOW + 7 })
  const lacking = inInit(two, 1, bstr(toHex(single.ref)))
  r(
    166,
    "suite/unsupported",
    "HANDSHAKE-22",
    two,
    {
      ...lacking,
      input: { ...lacking.input, bundles: [bundleJson(single)] },
      with: { bundles: [bundleJson(single)] },
    },
    "a suite that the bundle does not offer",
    "there is no prekey of it",
  )
  r(
    167,
    "suite/downgrade",
    "HANDSHAKE-23",
    one,
    context("remembered", 2),
    "suite 1 after suite 2",
    "an attacker may have taken suite 2 away",
  )
  const flagged = new Flight(1, true, { flags: 1 })
  const envelope = flagged.seal([application("hello")]).envelope
  const flagInput = flagged.responding(envelope)
  const item = book.ok(
    168,
    "a one-time key where it is required",
    "HANDSHAKE-24",
    "handshake.respond",
    flagInput,
  )
  const base: Base = { item, flight: flagged, input: flagInput, envelope }
  r(
    169,
    "handshake/one-time-required",
    "HANDSHAKE-24",
    base,
    inInit(base, 2, NULL),
    "no one-time key where it is required",
    "the owner asked for it",
  )
}

function stepSix(book: Book, { one }: Bases): void {
  const { mallory } = one.flight
  const r = (
    n: number,
    code: string,
    req: string,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, code, req, one.item, mutation, title, why)
  r(
    180,
    "identity/untrusted",
    "HANDSHAKE-26",
    context("from", "mallory"),
    "from-name is another",
    "an honest hub authenticates that name",
  )
  r(
    181,
    "identity/untrusted",
    "HANDSHAKE-26",
    context("from", "alice2"),
    "from-name is longer",
    "an honest hub authenticates that name",
  )
  r(
    182,
    "identity/changed",
    "HANDSHAKE-27",
    context("pins", { alice: toHex(mallory.own.ik) }),
    "another key is pinned",
    "a silent change is the classic attack",
  )
  r(
    183,
    "identity/untrusted",
    "HANDSHAKE-29",
    context("trusted", false),
    "the trust policy refuses",
    "it is the owner's choice",
  )
  r(
    184,
    "handshake/limit",
    "HANDSHAKE-30",
    context("room", false),
    "too many handshakes",
    "a stranger must not fill the store",
  )
  // Another ik and a signature that fails: the code was decided at the pin.
  const forged = forge(one.flight.parts([application("hello")]), { ikSecret: mallory.own.ikSecret })
  const mutation = other(
    one,
    forged,
    "another key is pinned, and the signature is of another key",
    undefined,
    [[1]],
  )
  const pinned = { pins: { alice: toHex(mallory.own.ik) } }
  const input = { ...mutation.input, ...pinned }
  r(
    185,
    "identity/changed",
    "HANDSHAKE-27",
    { ...mutation, input, with: pinned },
    "another key is pinned, forged envelope",
    "the code is decided at the pin",
  )
}

function stepSeven(book: Book, { one, two }: Bases): void {
  const r = (
    n: number,
    mutation: Mutation & { input: JsonObject },
    title: string,
    base: Base = one,
  ) =>
    book.reject(
      n,
      "suite/bad-key",
      "HANDSHAKE-31",
      base.item,
      mutation,
      title,
      "keys are judged before they are used",
    )
  for (const [i, key] of SMALL_ORDER_KEYS.entries())
    r(200 + i, inInit(one, 4, bstr(key)), `ik-a of small order ${i}`)
  for (const [i, key] of NON_CANONICAL_KEYS.slice(0, 4).entries())
    r(208 + i, inInit(one, 4, bstr(key)), `ik-a with a second encoding ${i}`)
  for (const [i, key] of OFF_CURVE_KEYS.slice(0, 2).entries())
    r(212 + i, inInit(one, 4, bstr(key)), `ik-a off the curve ${i}`)
  for (const [i, [title, key]] of NON_CANONICAL_U.entries()) {
    r(214 + i, inInit(one, 5, bstr(key)), `dk-a with ${title}`)
    r(220 + i, inInit(one, 6, bstr(key)), `e with ${title}`)
    r(226 + i, inHeader(one, [2, 0], bstr(key)), `block with ${title}`)
  }
  r(
    232,
    inHeader(two, [2, 1], bstr(`ff0f00${filled(0, 1181)}`)),
    "ek of the block with a coefficient of 4,095",
    two,
  )
  const zero = (
    n: number,
    mutation: Mutation & { input: JsonObject },
    title: string,
    base: Base = one,
  ) =>
    book.reject(
      n,
      "suite/bad-key",
      "HANDSHAKE-32 SUITE-12",
      base.item,
      mutation,
      title,
      "it would fix the shared secret",
    )
  for (const [i, [title, key]] of LOW_ORDER_U.entries()) {
    zero(240 + i, inInit(one, 5, bstr(key)), `dk-a of low order, ${title}`)
    zero(245 + i, inInit(one, 6, bstr(key)), `e of low order, ${title}`)
    zero(250 + i, inHeader(one, [2, 0], bstr(key)), `block of low order, ${title}`)
    zero(255 + i, inInit(two, 6, bstr(key)), `e of low order in suite 2, ${title}`, two)
  }
}

function stepEight(book: Book, { one, oneTime, two, twoTime }: Bases): void {
  const open = (
    n: number,
    base: Base,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    why: string,
  ) => book.reject(n, "envelope/open", "HANDSHAKE-32 ENVELOPE-13", base.item, mutation, title, why)
  const agreed = "both sides agree on the whole init"
  const { bob, mallory } = one.flight
  // The attacker computes TH and sid itself; it cannot compute the keys.
  open(270, one, inInit(one, 3, tstr("malice")), "name-a rewritten", agreed)
  open(271, one, inInit(one, 4, bstr(toHex(mallory.own.ik))), "ik-a rewritten", agreed)
  open(272, one, inInit(one, 5, bstr(toHex(mallory.own.dk))), "dk-a rewritten", agreed)
  open(273, one, inInit(one, 6, bstr(toHex(mallory.own.dk))), "e rewritten", agreed)
  open(274, oneTime, inInit(oneTime, 2, NULL), "otk-ref nulled, sid made to fit", agreed)
  const older = new Person("bob")
  const first = older.bundle({ seq: NOW - 9 })
  const live = { bundles: [bundleJson(first), ...(one.input["bundles"] as [])] }
  const moved = inInit(one, 1, bstr(toHex(first.ref)))
  open(
    275,
    one,
    {
      ...moved,
      input: { ...moved.input, ...live },
      with: live,
    },
    "bundle-ref of another live bundle",
    agreed,
  )
  const ct = toHex(two.flight.handshake.init.kemCt as Uint8Array)
  const flipped =
    ct.slice(0, -2) + (Number.parseInt(ct.slice(-2), 16) ^ 1).toString(16).padStart(2, "0")
  open(276, two, inInit(two, 7, bstr(flipped)), "kem-ct with a bit flipped", agreed)
  const prekey = two.flight.bundle.prekeys[1]?.ek as Uint8Array
  open(
    277,
    two,
    inInit(two, 7, bstr(toHex(encapsulate(prekey, unhex(filled(7, 32))).ct))),
    "kem-ct encapsulated anew",
    agreed,
  )
  const ek = twoTime.flight.oneTime?.ek as Uint8Array
  open(
    278,
    twoTime,
    inInit(twoTime, 7, bstr(toHex(encapsulate(ek, unhex(filled(7, 32))).ct))),
    "kem-ct to the one-time key anew",
    agreed,
  )
  const down = rewriteInit(
    replaceItem(replaceItem(two.envelope, [0, 2, 1], NULL), [0, 2, 2], NULL),
    { 0: uint(1), 7: NULL },
    bob.own,
  )
  open(
    279,
    two,
    other(
      two,
      down,
      uint(1),
      [0, 6, 0],
      [
        [0, 1],
        [0, 2, 1],
        [0, 2, 2],
        [0, 6, 7],
      ],
    ),
    "suite 2 made suite 1, KEM fields nulled",
    agreed,
  )
  const asOwn = rewriteInit(
    one.envelope,
    { 3: tstr("mallory"), 4: bstr(toHex(mallory.own.ik)) },
    bob.own,
  )
  open(
    280,
    one,
    other(
      one,
      asOwn,
      tstr("mallory"),
      [0, 6, 3],
      [
        [0, 1],
        [0, 6, 4],
      ],
    ),
    "an init of alice sent as mallory's own",
    "the signature and TH name alice",
  )
  const sealed = "the tag covers header and plaintext"
  open(281, one, flip("envelope", -1), "last byte of the tag", sealed)
  open(282, one, flip("envelope", -272), "first byte of the ciphertext", sealed)
  open(283, one, inHeader(one, [5], bstr(filled(0, 16))), "another guard", sealed)
  open(284, one, inHeader(one, [4], uint(1)), "another n", sealed)
  open(285, one, inHeader(one, [2, 0], bstr(toHex(mallory.own.dk))), "another block", sealed)
  open(286, two, inHeader(two, [2, 1], bstr(toHex(prekey))), "another ek in the block", sealed)
  open(
    287,
    two,
    inHeader(two, [2, 2], bstr(filled(1, 1088))),
    "another kem-ct in the block",
    sealed,
  )
  const parts = one.flight.parts([application("hello")])
  const forged = (n: number, envelope: string, title: string, why: string) =>
    open(n, one, other(one, envelope, title, undefined, [[1]]), title, why)
  const proof = "only the identity key proves who wrote it"
  forged(
    290,
    forge(parts, { ikSecret: mallory.own.ikSecret }),
    "all keys of bob leaked: signature by another key",
    proof,
  )
  forged(291, forge(parts, { ikSecret: bob.own.ikSecret }), "signature by the recipient", proof)
  forged(
    292,
    forge(parts, { signed: { th: unhex(filled(1, 32)) } }),
    "signature for another TH",
    proof,
  )
  forged(
    293,
    forge(parts, { signed: { recipient: "carol" } }),
    "signature for another recipient",
    proof,
  )
  forged(
    294,
    forge(parts, { signed: { sender: "malice" } }),
    "signature of another sender name",
    proof,
  )
  forged(295, forge(parts, { signed: { suite: 2 } }), "signature for another suite", proof)
  forged(
    296,
    forge(parts, { signed: { contents: [application("other")] } }),
    "signature over another content",
    proof,
  )
  forged(
    297,
    forge(parts, { signed: { header: parts.header.slice(1) } }),
    "signature over another header",
    proof,
  )
  forged(298, forge(parts, { aad: new Uint8Array(0) }), "no associated data", sealed)
  // Mallory's bundle copies bob's prekey; alice's init to mallory is passed on to bob.
  const copied = { ...mallory.bundle(), prekeys: one.flight.bundle.prekeys }
  const relay = initiateTo(copied)
  const toBob = rewriteInit(relay, { 1: bstr(toHex(one.flight.bundle.ref)) }, bob.own)
  const whole = {
    level: "field",
    field: "envelope",
    put: "init to mallory's bundle, which copies bob's prekey; bundle-ref rewritten",
  } as const
  open(
    299,
    one,
    { ...whole, input: { ...one.input, envelope: toBob } },
    "an init to a bundle that copies the prekey",
    "DH2 and TH name the intended responder",
  )
  const another = new Flight(1)
  const second = another.seal([application("second")], 1).envelope
  const mixed = replaceItem(one.envelope, [1], itemAt(second, [1]))
  forged(300, mixed, "header of one envelope, ciphertext of another", sealed)
}
