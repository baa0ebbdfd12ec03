// Vectors of SPEC §11 hub: frames, the opening of a link, receipts.

import { toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { DEFAULT_LIMITS } from "../../src/hub/decision.ts"
import {
  encodeHello,
  frameHash,
  type HubKey,
  signReceipt,
  signWelcome,
} from "../../src/hub/frames.ts"
import { labelled, sign } from "../../src/suite.ts"
import type { Case, JsonObject, Mutation } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"
import { HUB_SEED, hubKey } from "./hub-key.ts"
import { liveCases } from "./hub-live.ts"
import { roomCases } from "./hub-room.ts"
import { Book, context, filled, flip, replaced, resigned, splice } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { SMALL_ORDER_KEYS } from "./points.ts"
import { array, bstr, NULL, tstr, uint } from "./raw.ts"

/** Writes all cases of this section. */
export function createHubBook(): Book {
  const book = new Book("hub")
  frames(book)
  openings(book)
  receipts(book)
  comparisons(book)
  liveCases(book)
  roomCases(book)
  return book
}

/** Items of every frame, as encoded. */
export const FRAMES: Readonly<Record<string, readonly string[]>> = {
  hello: [uint(1), uint(0), array(uint(1)), bstr(filled(0x0c, 32))],
  welcome: [
    uint(2),
    uint(0),
    uint(1),
    bstr(filled(1, 32)),
    bstr(filled(2, 32)),
    array(...[1000, 67108864, 200, 8388608, 604800, 1114112, 1000, 64].map((n) => uint(n))),
    bstr(filled(3, 64)),
  ],
  auth: [uint(3), uint(0), tstr("alice"), bstr(filled(1, 32)), bstr(filled(3, 64))],
  ready: [uint(4), uint(0), array(uint(3), array(array(uint(1), uint(20))), uint(NOW))],
  "put-bundle": [uint(10), uint(1), array(bstr("00"), bstr(filled(3, 64)))],
  "put-one-time": [uint(11), uint(2), uint(1), array(array(bstr("00"), bstr(filled(3, 64))))],
  "get-bundle": [uint(12), uint(3), tstr("bob"), array(uint(2), uint(1))],
  send: [uint(13), uint(4), tstr("bob"), bstr(filled(0x1d, 16)), bstr("82")],
  ack: [uint(14), uint(5), array(uint(1), uint(2))],
  list: [uint(15), uint(6), tstr("")],
  ping: [uint(16), uint(7)],
  "get-counts": [uint(17), uint(8)],
  ok: [uint(20), uint(7), NULL],
  err: [uint(21), uint(0), uint(12), uint(0)],
  deliver: [uint(30), uint(0), uint(1), tstr("alice"), bstr("82")],
  "low-one-time": [uint(31), uint(0), uint(1), uint(20)],
}

function frames(book: Book): void {
  const cases = new Map<string, Case>()
  for (const [i, [name, items]] of Object.entries(FRAMES).entries()) {
    cases.set(
      name,
      book.ok(1 + i, `frame ${name}`, "HUB-1", "hub.decode", { bytes: array(...items) }),
    )
  }
  const r = (
    n: number,
    name: string,
    path: readonly number[],
    put: string,
    title: string,
    req = "HUB-25",
  ) => {
    const twin = cases.get(name) as Case
    book.reject(
      n,
      "hub/malformed",
      req,
      twin,
      replaced(twin, "bytes", path, put),
      `${name}: ${title}`,
      "a frame has one shape",
    )
  }
  r(30, "hello", [1], uint(1), "rid 1")
  r(31, "hello", [2], array(), "no version")
  r(32, "hello", [2], array(...Array.from({ length: 9 }, (_, i) => uint(i))), "nine versions")
  r(33, "hello", [3], bstr(filled(1, 31)), "cnonce of 31 bytes")
  r(34, "hello", [3], bstr(filled(1, 33)), "cnonce of 33 bytes")
  r(35, "hello", [2, 0], tstr("1"), "version as text")
  r(36, "welcome", [5], array(uint(1)), "one limit", "HUB-53 HUB-54")
  r(37, "welcome", [6], bstr(filled(3, 63)), "signature of 63 bytes", "HUB-53 HUB-54")
  r(38, "welcome", [4], NULL, "snonce null", "HUB-53 HUB-54")
  r(39, "auth", [2], bstr("61"), "name as byte string")
  r(40, "auth", [3], bstr(filled(1, 33)), "ik of 33 bytes")
  r(41, "auth", [4], bstr(""), "empty signature")
  r(42, "ready", [2], uint(3), "counts as integer", "HUB-54")
  r(43, "ready", [2, 1, 0], array(uint(1)), "count without a number", "HUB-54")
  r(44, "put-bundle", [2], bstr("00"), "bundle not signed")
  r(45, "put-bundle", [2, 1], bstr(filled(3, 65)), "signature of 65 bytes")
  r(46, "put-one-time", [2], uint(2), "drop 2")
  r(
    47,
    "put-one-time",
    [3],
    array(...Array.from({ length: 101 }, () => array(bstr("00"), bstr(filled(3, 64))))),
    "101 keys",
  )
  r(48, "put-one-time", [3, 0], NULL, "key null")
  r(49, "get-bundle", [3], array(...Array.from({ length: 5 }, (_, i) => uint(i))), "five suites")
  r(50, "get-bundle", [2], NULL, "name null")
  r(51, "send", [3], bstr(filled(1, 15)), "mid of 15 bytes")
  r(52, "send", [3], bstr(filled(1, 17)), "mid of 17 bytes")
  r(53, "send", [4], tstr("x"), "envelope as text")
  r(54, "ack", [2], array(), "no mseq")
  r(55, "ack", [2], array(...Array.from({ length: 257 }, (_, i) => uint(i))), "257 mseqs")
  r(56, "ack", [2, 0], bstr("01"), "mseq as byte string")
  r(57, "list", [2], uint(0), "after as integer")
  r(58, "err", [2], tstr("12"), "code as text", "HUB-54")
  r(59, "deliver", [1], uint(1), "rid 1", "HUB-54")
  r(60, "deliver", [3], bstr("61"), "from as byte string", "HUB-54")
  r(61, "low-one-time", [3], NULL, "left null", "HUB-54")
  r(62, "ping", [1], uint(0), "rid 0", "HUB-24")
  r(63, "ping", [1], uint(2 ** 32), "rid 2^32", "HUB-24")
  r(64, "ping", [1], tstr("7"), "rid as text", "HUB-24")
  const ping = cases.get("ping") as Case
  const b = (n: number, mutation: Mutation, title: string) =>
    book.reject(
      n,
      "hub/malformed",
      "HUB-20",
      ping,
      mutation,
      title,
      "nothing after it can be trusted to be a frame",
    )
  b(70, splice("bytes", 0, "821007", ""), "no bytes")
  b(71, splice("bytes", 3, "", "00"), "a byte behind the frame")
  b(72, splice("bytes", 0, "821007", "8210"), "frame cut")
  b(73, splice("bytes", 0, "821007", "80"), "empty array")
  b(74, splice("bytes", 0, "821007", "10"), "an integer")
  b(75, splice("bytes", 0, "821007", "9f1007ff"), "indefinite array")
  b(76, splice("bytes", 1, "10", "1810"), "type in two bytes")
  b(77, splice("bytes", 1, "10", "6110"), "type as text")
  b(78, splice("bytes", 0, "821007", "a0"), "a map")
  b(79, splice("bytes", 0, "82", "83f6"), "ping of three items")
  book.ok(80, "rid 2^32-1", "HUB-4", "hub.decode", { bytes: array(uint(16), uint(2 ** 32 - 1)) })
  book.ok(81, "get-bundle without suites", "HUB-6", "hub.decode", {
    bytes: array(uint(12), uint(3), tstr("bob"), array()),
  })
  book.ok(82, "100 one-time keys", "HUB-25", "hub.decode", {
    bytes: array(
      uint(11),
      uint(2),
      uint(0),
      array(...Array.from({ length: 100 }, () => array(bstr("00"), bstr(filled(3, 64))))),
    ),
  })
}

function openings(book: Book): void {
  const alice = new Person("alice")
  const seed = toHex(alice.seed)
  const plain = { needs: ["deterministic"] }
  book.ok(100, "a hello", "HUB-2 SUITE-6", "hub.hello", { seed, versions: [1] }, plain)
  book.ok(
    101,
    "a hello with a later version",
    "HUB-2",
    "hub.hello",
    { seed, versions: [1, 2] },
    plain,
  )
  const hello = encodeHello([1], deterministicDraw(alice.seed)("cnonce", 32))
  const hubSeed = toHex(HUB_SEED)
  book.ok(
    102,
    "a welcome",
    "HUB-27 SUITE-6",
    "hub.welcome",
    { seed: hubSeed, hello: toHex(hello), limits: {} },
    plain,
  )
  book.ok(
    103,
    "a welcome with other limits",
    "HUB-27",
    "hub.welcome",
    { seed: hubSeed, hello: toHex(hello), limits: { "requests-per-s": 1, unacked: 2 } },
    plain,
  )
  const key = hubKey()
  const welcome = signWelcome(
    key,
    frameHash(hello),
    deterministicDraw(HUB_SEED)("snonce", 32),
    DEFAULT_LIMITS,
  )
  const input: JsonObject = {
    identity: alice.identity,
    hello: toHex(hello),
    welcome: toHex(welcome),
    pinned: null,
  }
  const first = book.ok(104, "auth at the first contact", "HUB-28 HUB-53", "hub.auth", input)
  const pinned = book.ok(105, "auth to the pinned hub", "HUB-53", "hub.auth", {
    ...input,
    pinned: toHex(key.ik),
  })
  const failed = (
    n: number,
    twin: Case,
    mutation: Mutation & { input?: JsonObject },
    title: string,
  ) =>
    book.reject(
      n,
      "hub/auth-failed",
      "HUB-53",
      twin,
      mutation,
      title,
      "another hub key is another hub",
    )
  const mallory = hubKey(new Uint8Array(32).fill(0x66))
  failed(110, pinned, context("pinned", toHex(mallory.ik)), "another hub is pinned")
  failed(111, first, flip("welcome", -1), "signature changed")
  failed(112, first, replaced(first, "welcome", [4], bstr(filled(9, 32))), "snonce changed")
  failed(113, first, replaced(first, "welcome", [5, 5], uint(100)), "a limit lowered on the way")
  failed(114, first, replaced(first, "welcome", [3], bstr(toHex(mallory.ik))), "hub-ik exchanged")
  const other = encodeHello([1], new Uint8Array(32))
  failed(115, first, context("hello", toHex(other)), "welcome made for another hello")
  failed(
    116,
    first,
    context("hello", toHex(encodeHello([1, 2], deterministicDraw(alice.seed)("cnonce", 32)))),
    "a version taken out of the hello on the way",
  )
  for (const [i, small] of SMALL_ORDER_KEYS.slice(0, 2).entries())
    failed(
      117 + i,
      first,
      replaced(first, "welcome", [3], bstr(small)),
      `hub-ik of small order ${i}`,
    )
  book.reject(
    119,
    "hub/version",
    "HUB-53",
    first,
    replaced(first, "welcome", [2], uint(2)),
    "a version that was not offered",
    "nothing else could be read",
    {},
  )
  const shape = (n: number, path: readonly number[], put: string, title: string) =>
    book.reject(
      n,
      "hub/malformed",
      "HUB-53",
      first,
      replaced(first, "welcome", path, put),
      title,
      "a frame has one shape",
    )
  shape(120, [3], bstr(filled(1, 31)), "hub-ik of 31 bytes")
  shape(121, [5], NULL, "limits null")
  shape(122, [0], uint(4), "another type")
  shape(123, [6], NULL, "signature null")
}

function receiptValue(
  fields: Partial<Parameters<typeof signReceipt>[1]> = {},
  key: HubKey = hubKey(),
): string {
  const bob = new Person("bob")
  const bundle = bob.bundle({ suites: [1] })
  const { name, ik } = bob.own
  return toHex(
    encode(
      signReceipt(key, { name, ik, bundleRef: bundle.ref, seq: bundle.seq, time: NOW, ...fields }),
    ),
  )
}

function receipts(book: Book): void {
  const bob = new Person("bob")
  const bundle = bob.bundle({ suites: [1] })
  const key = hubKey()
  book.ok(
    130,
    "a receipt",
    "HUB-46",
    "hub.receipt",
    { seed: toHex(HUB_SEED), owner: bob.peer, ref: toHex(bundle.ref), seq: NOW, time: NOW },
    { needs: ["deterministic"] },
  )
  const input = {
    receipt: receiptValue(),
    bundle: toHex(bundle.bytes),
    hubIk: toHex(key.ik),
    now: NOW,
  }
  const twin = book.ok(131, "a receipt for the bundle", "HUB-59", "hub.checkReceipt", input)
  const late = book.ok(132, "300 s old", "HUB-59", "hub.checkReceipt", { ...input, now: NOW + 300 })
  const early = book.ok(133, "300 s ahead", "HUB-59", "hub.checkReceipt", {
    ...input,
    now: NOW - 300,
  })
  const why = "such a receipt would prove nothing"
  const r = (
    n: number,
    mutation: Mutation & { input?: JsonObject },
    title: string,
    from: Case = twin,
  ) => book.reject(n, "hub/malformed", "HUB-59", from, mutation, title, why)
  r(140, context("now", NOW + 301), "301 s old", late)
  r(141, context("now", NOW - 301), "301 s ahead", early)
  const { secret } = key
  r(142, resigned(twin, "receipt", [2], tstr("rob"), secret), "for another name")
  r(143, resigned(twin, "receipt", [3], bstr(filled(1, 32)), secret), "for another ik")
  r(144, resigned(twin, "receipt", [4], bstr(filled(1, 32)), secret), "for another bundle")
  r(145, resigned(twin, "receipt", [5], uint(NOW + 1), secret), "for another seq")
  r(146, resigned(twin, "receipt", [1], bstr(filled(1, 32)), secret), "names another hub")
  r(147, resigned(twin, "receipt", [0], tstr("AgentMesh/1 bundle"), secret), "label of a bundle")
  r(148, resigned(twin, "receipt", [6], NULL, secret), "time null")
  r(149, flip("receipt", -1, "10"), "signature changed")
  r(150, replaced(twin, "receipt", [0, 6], uint(NOW + 1)), "time changed after signing")
  const mallory = hubKey(new Uint8Array(32).fill(0x66))
  r(151, context("receipt", receiptValue({}, mallory)), "of another hub")
  r(152, context("hubIk", toHex(mallory.ik)), "under another pinned hub")
  r(153, splice("receipt", 0, "82", "83f6"), "three items in signed")
  const body = labelled("bundle", key.ik)
  r(
    154,
    context("receipt", toHex(encode([body, sign(secret, body)] as readonly Value[]))),
    "something else that the hub signed",
  )
}

function comparisons(book: Book): void {
  const mallory = new Person("mallory")
  const a = receiptValue()
  const hubIk = toHex(hubKey().ik)
  const of = (n: number, title: string, b: string, extra: JsonObject = {}) =>
    book.ok(n, title, "HUB-60", "hub.compareReceipts", { a, b, hubIk, ...extra })
  const other = new Uint8Array(32).fill(1)
  of(160, "the same receipt twice", a)
  of(161, "a later receipt of the same bundle", receiptValue({ time: NOW + 60 }))
  of(162, "another ik: the hub bound the name again", receiptValue({ ik: mallory.own.ik }))
  of(
    163,
    "later, and a lower seq: the hub went back",
    receiptValue({ seq: NOW - 1, time: NOW + 60, bundleRef: other }),
  )
  of(
    164,
    "earlier, and a higher seq: the hub went back",
    receiptValue({ seq: NOW + 1, time: NOW - 60, bundleRef: other }),
  )
  of(165, "at the same time, another seq", receiptValue({ seq: NOW + 1, bundleRef: other }))
  of(166, "one seq, two bundles", receiptValue({ bundleRef: other, time: NOW + 60 }))
  of(167, "one seq, two bundles, one time", receiptValue({ bundleRef: other }))
  of(
    168,
    "later, and a higher seq",
    receiptValue({ seq: NOW + 1, time: NOW + 60, bundleRef: other }),
  )
  of(169, "of another name", receiptValue({ name: "rob", ik: mallory.own.ik }))
  of(
    170,
    "of another hub",
    receiptValue({ ik: mallory.own.ik }, hubKey(new Uint8Array(32).fill(0x66))),
  )
  const forged = receiptValue({ ik: mallory.own.ik })
  of(171, "another ik, forged", `${forged.slice(0, -2)}${forged.endsWith("00") ? "01" : "00"}`)
  of(172, "under another hub", receiptValue({ ik: mallory.own.ik }), {
    hubIk: toHex(hubKey(new Uint8Array(32).fill(0x66)).ik),
  })
  of(173, "no receipt at all", "00")
}
