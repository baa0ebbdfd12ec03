// Vectors of SPEC §12 agent: export files.

import { fromHex, toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { aeadSeal, hkdf, label, labelled, scrypt } from "../../src/suite.ts"
import { replaceItem } from "../cbor.ts"
import type { Case, JsonObject, Mutation } from "../driver.ts"
import { agentCases } from "./agent-play.ts"
import { namedDraw } from "./draws.ts"
import { Book, context, filled, flip, replaced, splice } from "./kit.ts"
import { NOW, Person } from "./people.ts"
import { NON_CANONICAL_KEYS, SMALL_ORDER_KEYS } from "./points.ts"
import { array, bstr, NULL, tstr, uint, utf8 } from "./raw.ts"

const KEY = filled(0x6b, 32)
const PASSPHRASE = "correct horse"

/** Writes all cases of this section. */
export function createAgentBook(): Book {
  const book = new Book("agent")
  imports(book)
  agentCases(book)
  return book
}

/** Encoded identity-state, in hex. */
function state(peers: readonly Value[] = [], fields: Readonly<Record<number, Value>> = {}): string {
  const { name, ikSecret, dkSecret } = new Person("alice").own
  const parts: Value[] = [label("state"), name, ikSecret, dkSecret, NOW, null, peers]
  for (const [i, value] of Object.entries(fields)) parts[Number(i)] = value
  return toHex(encode(parts))
}

/** A state-file around a plaintext. */
function file(
  plaintext: string,
  secret: string = KEY,
  passphrase: boolean = false,
  said: { readonly kdf?: number; readonly salt?: Uint8Array } = {},
): string {
  const guard = namedDraw(new Person("alice").seed, "export-guard", 0, 16)
  const drawn = passphrase ? namedDraw(new Person("alice").seed, "salt", 0, 16) : new Uint8Array(0)
  const { kdf = passphrase ? 1 : 0, salt = drawn } = said
  const k = passphrase ? scrypt(fromHex(utf8(secret)), salt) : fromHex(secret)
  const key = hkdf(guard, k, labelled("state"), 44)
  const ct = aeadSeal(key, labelled("state", kdf, salt, guard), fromHex(plaintext))
  return toHex(encode([label("state"), kdf, salt, guard, ct]))
}

function peer(who: Person, trust = 1, suite = 2, seq = NOW, name = who.own.name): Value {
  return [name, who.own.ik, trust, suite, seq]
}

function imports(book: Book): void {
  const [bob, carol, mallory] = [new Person("bob"), new Person("carol"), new Person("mallory")]
  const known = state([peer(bob, 2), peer(carol, 1, 0, 0)], { 5: mallory.own.ik })
  const ok = (n: number, title: string, bytes: string, secret: JsonObject = { key: KEY }): Case =>
    book.ok(n, title, "AGENT-38 AGENT-63", "agent.import", { bytes, ...secret })
  const plain = ok(1, "an identity without peers", file(state()))
  const full = ok(2, "an identity with two peers and a hub", file(known))
  const phrase = book.ok(
    3,
    "an identity under a passphrase",
    "AGENT-38 AGENT-39 AGENT-63",
    "agent.import",
    { bytes: file(state(), PASSPHRASE, true), passphrase: PASSPHRASE },
  )
  book.ok(5, "a passphrase that is not normalised", "AGENT-39 AGENT-63", "agent.import", {
    bytes: file(state(), "cafe\u0301", true),
    passphrase: "cafe\u0301",
  })
  ok(
    4,
    "names in bytewise order",
    file(
      state([peer(bob, 1, 0, 0, "b-x"), peer(carol, 1, 0, 0, "b.x"), peer(mallory, 1, 0, 0, "b0")]),
    ),
  )
  const alike = "a wrong passphrase and a damaged file look alike"
  const r = (n: number, twin: Case, mutation: Mutation & { input?: JsonObject }, title: string) =>
    book.reject(n, "agent/store-corrupt", "AGENT-63", twin, mutation, title, alike)
  r(10, plain, context("key", filled(0x6c, 32)), "another key")
  r(11, phrase, context("passphrase", "correct horse "), "another passphrase")
  r(12, plain, flip("bytes", -1), "last byte of the tag")
  r(13, plain, flip("bytes", -60), "a byte of the ciphertext")
  r(14, plain, replaced(plain, "bytes", [3], bstr(filled(1, 16))), "another guard")
  r(15, plain, replaced(plain, "bytes", [0], tstr("AgentMesh/2 state")), "label of another version")
  r(16, plain, replaced(plain, "bytes", [1], uint(1)), "kdf 1 without a salt")
  r(17, plain, replaced(plain, "bytes", [1], uint(2)), "kdf 2")
  r(18, plain, replaced(plain, "bytes", [2], bstr("00")), "a salt for kdf 0")
  r(19, plain, replaced(plain, "bytes", [3], bstr(filled(1, 15))), "guard of 15 bytes")
  r(20, plain, replaced(plain, "bytes", [4], NULL), "ct null")
  r(21, plain, replaced(plain, "bytes", [4], bstr(filled(0, 15))), "ct of 15 bytes")
  const bytes = plain.input?.["bytes"]
  const whole = typeof bytes === "string" ? bytes : ""
  r(22, plain, splice("bytes", whole.length / 2, "", "00"), "a byte behind the file")
  r(23, plain, splice("bytes", -1, whole.slice(-2), ""), "file cut by a byte")
  r(24, plain, splice("bytes", 0, whole, ""), "empty file")
  r(25, plain, splice("bytes", 0, "85", "86f6"), "six items")
  r(26, phrase, replaced(phrase, "bytes", [2], bstr(filled(1, 15))), "salt of 15 bytes")
  const sealed = (n: number, kdf: number, salt: string, at: number, title: string): void => {
    const input = { bytes: file(state(), KEY, false, { kdf, salt: fromHex(salt) }), key: KEY }
    const put = at === 1 ? uint(kdf) : bstr(salt)
    r(n, plain, { level: "field", field: "bytes", path: [at], put, follows: [[4]], input }, title)
  }
  sealed(60, 0, "00", 2, "a salt for kdf 0, authenticated")
  sealed(61, 1, "", 1, "kdf 1 without a salt, opened by a key, authenticated")
  sealed(62, 2, "", 1, "kdf 2, authenticated")
  const inside = (n: number, path: readonly number[], put: string, title: string, base = known) => {
    const twin = base === known ? full : plain
    const input = { bytes: file(replaceItem(base, path, put)), key: KEY }
    r(n, twin, { level: "field", field: "bytes", put: title, follows: [[4]], input }, title)
  }
  inside(30, [0], tstr("AgentMesh/1 bundle"), "label of a bundle inside")
  inside(31, [1], tstr("Alice"), "name of the wrong form")
  inside(32, [2], bstr(filled(1, 31)), "ik-secret of 31 bytes")
  inside(33, [3], bstr(filled(1, 33)), "dk-secret of 33 bytes")
  inside(34, [4], NULL, "seq null")
  inside(35, [5], bstr(SMALL_ORDER_KEYS[1] as string), "hub-ik of small order")
  inside(36, [5], bstr(filled(1, 31)), "hub-ik of 31 bytes")
  inside(37, [6, 0, 0], tstr("b|b"), "peer with a name of the wrong form")
  inside(38, [6, 0, 1], bstr(SMALL_ORDER_KEYS[4] as string), "peer with an ik of small order")
  inside(39, [6, 0, 1], bstr(NON_CANONICAL_KEYS[0] as string), "peer with an ik not canonical")
  inside(40, [6, 0, 2], uint(0), "trust 0")
  inside(41, [6, 0, 2], uint(3), "trust 3")
  inside(42, [6, 0, 3], uint(3), "suite 3")
  inside(43, [6, 0, 4], NULL, "seq of a peer null")
  inside(44, [6, 0, 0], tstr("carol"), "one name twice")
  inside(45, [6, 0, 0], tstr("dave"), "peers not sorted")
  inside(46, [6], array(array()), "peer of no items")
  inside(47, [6], NULL, "peers null")
  const end = (n: number, plaintext: string, title: string) => {
    const input = { bytes: file(plaintext), key: KEY }
    r(n, plain, { level: "field", field: "bytes", put: title, follows: [[4]], input }, title)
  }
  end(50, `${state()}00`, "a byte behind the state")
  end(51, state().slice(0, -2), "state cut by a byte")
  end(52, "", "empty state")
  end(53, `9f${state().slice(2)}ff`, "state as indefinite array")
}
