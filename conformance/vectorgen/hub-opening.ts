// Vectors of SPEC §11 hub: the opening of a link, message by message.

import { toHex } from "../../src/bytes.ts"
import { DEFAULT_LIMITS } from "../../src/hub/decision.ts"
import { encodeHello, frameHash, signWelcome } from "../../src/hub/frames.ts"
import type { Case, JsonObject } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"
import { HUB_SEED, hubKey } from "./hub-key.ts"
import { type Book, type Change, context, filled, flip, replaced } from "./kit.ts"
import { Person } from "./people.ts"
import { SMALL_ORDER_KEYS } from "./points.ts"
import { bstr, NULL, uint } from "./raw.ts"

/** Adds hello, welcome and auth. */
export function openings(book: Book): void {
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
  const failed = (n: number, twin: Case, mutation: Change, title: string) =>
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
