import { decode as decodeOther, encode as encodeOther, Simple, Tag } from "cbor2"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  decode,
  decodePayload,
  encode,
  encodePayload,
  MAX_DEPTH,
  MAX_OBJECT,
  MAX_PAYLOAD_DEPTH,
  type Payload,
  type Value,
} from "../src/encoding.ts"
import { holds, verdict } from "./support/property.ts"
import { rawBytes, rawHead, rawHex, unhex } from "./support/raw-cbor.ts"
import {
  payload,
  protocolValue,
  smallPayload,
  smallProtocolValue,
  textOf,
} from "./support/values.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const protocolVerdict = (digits: string): string => verdict(() => decode(unhex(digits)))
const payloadVerdict = (digits: string): string => verdict(() => decodePayload(unhex(digits)))
/** Verdict on one item as the value of the key "" of a payload. */
const insidePayload = (digits: string): string => payloadVerdict(`a160${digits}`)

describe("round trip, against an encoder that shares no code", () => {
  test("protocol values", () => {
    holds(protocolValue, (value) => {
      const bytes = encode(value as Value)
      expect(hex(bytes)).toBe(rawHex(value))
      expect(rawHex(decode(bytes))).toBe(rawHex(value))
    })
  })

  test("payloads", () => {
    holds(payload, (value) => {
      const bytes = encodePayload(value as Payload)
      expect(hex(bytes)).toBe(rawHex(value))
      expect(rawHex(decodePayload(bytes))).toBe(rawHex(value))
    })
  })

  test("every text length around the head sizes, in every width of character", () => {
    for (const size of [0, 1, 15, 16, 22, 23, 24, 25, 63, 64, 65, 66, 93, 96, 139, 140, 254]) {
      checkTexts(size)
    }
    for (const size of [255, 256, 257, 765, 768, 65_534, 65_535, 65_536, 65_537, 196_608]) {
      checkTexts(size)
    }
  })

  function checkTexts(size: number): void {
    for (const unit of ["a", "é", "€", "\u{1f600}"]) {
      for (const lead of ["", "\ufeff", "\u{10ffff}"]) {
        const text = textOf(size, unit, lead)
        const bytes = encode(["x", text, 1])
        expect(hex(bytes)).toBe(rawHex(["x", text, 1]))
        expect(decode(bytes)).toEqual(["x", text, 1])
      }
    }
  }

  test("every integer next to a head size", () => {
    for (const edge of [24, 2 ** 8, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 52, 2 ** 53 - 1]) {
      for (const n of [edge - 2, edge - 1, edge, edge + 1]) {
        if (!Number.isSafeInteger(n)) continue
        expect(hex(encode(n))).toBe(rawHex(n))
        expect(decode(encode(n))).toBe(n)
        const both = { a: n, b: -n, c: -n - 1 }
        if (!Number.isSafeInteger(-n - 1)) continue
        expect(hex(encodePayload(both))).toBe(rawHex(both))
        expect({ ...decodePayload(encodePayload(both)) }).toEqual(both)
      }
    }
  })

  test("arrays, byte strings and maps at the head sizes", () => {
    for (const size of [0, 23, 24, 255, 256, 65_535, 65_536, 70_000]) {
      const array = new Array(size).fill(7)
      expect(hex(encode(array))).toBe(rawHex(array))
      expect(decode(encode(array))).toEqual(array)
      const bytes = new Uint8Array(size).fill(0xa5)
      expect(hex(encode(bytes))).toBe(rawHex(bytes))
      expect(decode(encode(bytes))).toEqual(bytes)
      const map = Object.fromEntries(array.map((_, i) => [`key ${i}`, i]))
      expect(hex(encodePayload(map))).toBe(rawHex(map))
      expect(rawHex(decodePayload(encodePayload(map)))).toBe(rawHex(map))
    }
  })
})

describe("values", () => {
  test("keys with a meaning in JavaScript are plain keys", () => {
    const map = Object.fromEntries(
      ["__proto__", "constructor", "toString", "hasOwnProperty", "1"].map((key) => [key, key]),
    )
    const decoded = decodePayload(encodePayload(map))
    expect(Object.getPrototypeOf(decoded)).toBe(null)
    expect(Object.keys(decoded).sort()).toEqual(Object.keys(map).sort())
    expect(Object.getOwnPropertyDescriptor(decoded, "__proto__")?.value).toBe("__proto__")
    expect(({} as { x?: unknown }).x).toBe(undefined)
  })

  test("keys that differ by a byte order mark stay two keys", () => {
    const key = "k".repeat(80)
    const decoded = decodePayload(encodePayload({ [key]: 1, [`\ufeff${key}`]: 2 }))
    expect(Object.keys(decoded)).toEqual([key, `\ufeff${key}`])
  })

  test("what comes out shares no memory with what went in, and leaves it alone", () => {
    const input = Buffer.from(rawBytes([new Uint8Array([1, 2, 3]), "x"]))
    const [bytes] = decode(input) as [Uint8Array]
    expect(Object.keys(input)).toHaveLength(input.length)
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
    expect(bytes.buffer.byteLength).toBe(3)
    input.fill(0)
    expect([...bytes]).toEqual([1, 2, 3])
  })

  test("encoded bytes are of their own buffer", () => {
    const first = encode(["first"])
    const before = hex(first)
    encode(new Uint8Array(100_000))
    for (let i = 0; i < 1000; i++) encode(["another"])
    expect(hex(first)).toBe(before)
    expect(first.buffer.byteLength).toBe(first.length)
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype)
  })

  test("what is no protocol value is refused by the encoder", () => {
    const hole = new Array(2)
    const cycle: unknown[] = []
    cycle.push(cycle)
    const bad: unknown[] = [
      ...[-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1n, true, undefined, {}],
      ...["\ud800", "a\udc00b", new Map(), new Date(0), Symbol("x"), () => 1, new Float32Array(1)],
      ...[
        hole,
        [undefined],
        cycle,
        [["\udfff"]],
        new ArrayBuffer(1),
        new DataView(new ArrayBuffer(1)),
      ],
    ]
    for (const value of bad) {
      expect(() => encode(value as Value), String(typeof value)).toThrow(
        /expected|cannot|lone|deep/,
      )
    }
  })

  test("arrays and byte strings of a subclass are encoded like any other", () => {
    class Rows extends Array<number> {}
    expect(hex(encode(Rows.from([1, 2])))).toBe("820102")
    expect(hex(encode(Buffer.from("abc")))).toBe("43616263")
    class Key extends Uint8Array {}
    expect(hex(encode(Key.of(1)))).toBe("4101")
  })

  test("what is no payload is refused with agent/payload", () => {
    const deep = (n: number): unknown => (n === 0 ? 1 : [deep(n - 1)])
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const bad: unknown[] = [
      ...[null, undefined, 1, "x", [], new Map(), new Date(0), new Uint8Array(1), cycle],
      ...[{ a: undefined }, { a: 1n }, { a: Number.NaN }, { a: Number.NEGATIVE_INFINITY }],
      ...[{ "\ud800": 1 }, { a: "\udc00" }, { a: new Map() }, { a: deep(MAX_PAYLOAD_DEPTH - 1) }],
    ]
    for (const value of bad)
      expect(verdict(() => encodePayload(value as Payload))).toBe("agent/payload")
    const deepest = { a: deep(MAX_PAYLOAD_DEPTH - 2) } as Payload
    expect(verdict(() => decodePayload(encodePayload(deepest)))).toBe("ok")
  })

  test("minus zero is the integer zero", () => {
    expect(hex(encode(-0))).toBe("00")
    expect(hex(encodePayload({ a: -0 }))).toBe("a1616100")
  })
})

describe("limits", () => {
  const nest = (depth: number): string => "81".repeat(depth - 1)

  test("depth", () => {
    for (const [depth, expected] of [
      [7, "ok"],
      [8, "ok"],
      [9, "encoding/limit"],
    ] as const) {
      expect(protocolVerdict(`${nest(depth)}00`)).toBe(expected)
      expect(protocolVerdict(`${nest(depth)}f6`)).toBe(expected)
      expect(protocolVerdict(`${nest(depth)}40`)).toBe(expected)
      expect(protocolVerdict(`${nest(depth)}60`)).toBe(expected)
      expect(protocolVerdict(`${nest(depth)}80`)).toBe(expected)
    }
    for (const [depth, expected] of [
      [31, "ok"],
      [32, "ok"],
      [33, "encoding/limit"],
    ] as const) {
      for (const leaf of ["00", "20", "f6", "f5", "40", "60", "80", "a0", "fb3ff8000000000000"]) {
        expect(payloadVerdict(`${"a160".repeat(depth - 1)}${leaf}`)).toBe(expected)
      }
    }
    expect(MAX_DEPTH).toBe(8)
    expect(MAX_PAYLOAD_DEPTH).toBe(32)
  })

  test("50,000 nested arrays do not overflow the stack", () => {
    expect(protocolVerdict("81".repeat(50_000))).toBe("encoding/limit")
    expect(insidePayload("81".repeat(50_000))).toBe("encoding/limit")
    expect(payloadVerdict("a160".repeat(50_000))).toBe("encoding/limit")
  })

  test("a head that claims absent items allocates nothing", () => {
    for (const major of [2, 3, 4]) {
      for (const claim of [2, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1, 2n ** 64n - 1n]) {
        expect(protocolVerdict(rawHead(major, claim))).toBe("encoding/malformed")
        expect(protocolVerdict(`${rawHead(major, claim)}00`)).toBe("encoding/malformed")
      }
    }
    expect(payloadVerdict(rawHead(5, 2 ** 32 - 1))).toBe("encoding/malformed")
    expect(payloadVerdict(`${rawHead(5, 1)}60`)).toBe("encoding/malformed")
  })

  test("integers", () => {
    expect(protocolVerdict("1b001fffffffffffff")).toBe("ok")
    expect(protocolVerdict("1b0020000000000000")).toBe("encoding/limit")
    expect(protocolVerdict("1b0020000000000001")).toBe("encoding/limit")
    expect(protocolVerdict("1bffffffffffffffff")).toBe("encoding/limit")
    expect(insidePayload("3b001ffffffffffffe")).toBe("ok")
    expect(insidePayload("3b001fffffffffffff")).toBe("encoding/limit")
    expect(insidePayload("3bffffffffffffffff")).toBe("encoding/limit")
  })

  test("size, counted before the first byte is read", () => {
    const sized = (size: number): Uint8Array => rawBytes(new Uint8Array(size - 5))
    expect(sized(MAX_OBJECT)).toHaveLength(MAX_OBJECT)
    expect(verdict(() => decode(sized(MAX_OBJECT - 1)))).toBe("ok")
    expect(verdict(() => decode(sized(MAX_OBJECT)))).toBe("ok")
    expect(verdict(() => decode(sized(MAX_OBJECT + 1)))).toBe("encoding/limit")
    expect(verdict(() => decodePayload(new Uint8Array(MAX_OBJECT + 1)))).toBe("encoding/limit")
    for (const [size, expected] of [
      [9, "ok"],
      [10, "ok"],
      [11, "encoding/limit"],
    ] as const) {
      expect(verdict(() => decode(rawBytes(new Uint8Array(size - 1)), 10))).toBe(expected)
    }
    expect(verdict(() => decode(unhex("ffffff"), 2))).toBe("encoding/limit")
  })
})

describe("the first fault decides", () => {
  const M = "encoding/malformed"
  const P = "encoding/profile"
  const L = "encoding/limit"
  // Item, verdict as a protocol structure, verdict inside a payload, what it shows.
  const faults: readonly (readonly [string, string, string, string])[] = [
    ["", M, M, "nothing at all"],
    ["1c", M, M, "reserved head 28"],
    ["3e", M, M, "reserved head 30, before the type"],
    ["fd", M, M, "reserved head in major type 7"],
    ["1f", M, M, "indefinite integer"],
    ["3f", M, M, "indefinite negative integer"],
    ["df", M, M, "indefinite tag"],
    ["ff", M, M, "break outside"],
    ["9fff", P, P, "indefinite array"],
    ["5f4101ff", P, P, "indefinite byte string"],
    ["7fff", P, P, "indefinite text"],
    ["bfff", P, P, "indefinite map"],
    ["9f", P, P, "indefinite and truncated: the head comes first"],
    ["18", M, M, "argument missing"],
    ["19ff", M, M, "argument cut"],
    ["1b00000000000000", M, M, "8-byte argument cut, though not shortest"],
    ["d8", M, M, "tag argument missing, before the type"],
    ["38", M, M, "negative argument missing, before the type"],
    ["f818", M, M, "two-byte simple value below 32"],
    ["f81f", M, M, "two-byte simple value 31"],
    ["f8", M, M, "simple value missing"],
    ["f820", P, P, "simple value 32"],
    ["e0", P, P, "simple value 0"],
    ["f7", P, P, "undefined"],
    ["f93c00", P, P, "half"],
    ["fa3fc00000", P, P, "single"],
    ["f93c", M, M, "half cut"],
    ["fb3ff80000000000", M, M, "double cut"],
    ["fb3ff8000000000000", P, "ok", "double"],
    ["fb3ff0000000000000", P, P, "an integer as a double"],
    ["fb8000000000000000", P, P, "minus zero as a double"],
    ["fb0000000000000000", P, P, "zero as a double"],
    ["fb433fffffffffffff", P, P, "2^53-1 as a double"],
    ["fbc33fffffffffffff", P, P, "-(2^53-1) as a double"],
    ["fb4340000000000000", P, "ok", "2^53 as a double"],
    ["fbc340000000000000", P, "ok", "-2^53 as a double"],
    ["fb7ff8000000000000", P, P, "not a number"],
    ["fb7ff0000000000000", P, P, "infinity"],
    ["fbfff0000000000000", P, P, "minus infinity"],
    ["20", P, "ok", "-1"],
    ["a0", P, "ok", "map"],
    ["f4", P, "ok", "false"],
    ["f5", P, "ok", "true"],
    ["c000", P, P, "tag"],
    ["c0", P, P, "tag without content"],
    ["1817", P, P, "24-form of 23"],
    ["1818", "ok", "ok", "24"],
    ["1900ff", P, P, "255 in two bytes"],
    ["190100", "ok", "ok", "256"],
    ["1a0000ffff", P, P, "65535 in four bytes"],
    ["1a00010000", "ok", "ok", "65536"],
    ["1b00000000ffffffff", P, P, "2^32-1 in eight bytes"],
    ["1b0000000100000000", "ok", "ok", "2^32"],
    ["5801ff", P, P, "byte string head too long"],
    ["5817", P, P, "too long a head, before the missing bytes"],
    ["980100", P, P, "array head too long"],
    ["b80100", P, P, "map head too long, or map"],
    ["580000", P, P, "empty byte string in two bytes"],
    ["41", M, M, "byte string without its byte"],
    ["61", M, M, "text without its byte"],
    ["81", M, M, "array without its item"],
    ["8200", M, M, "array with one item of two"],
    ["82ff00", M, M, "break as an item"],
    ["82f700", P, P, "bad first item, before trailing"],
    ["82001c", M, M, "bad second item"],
    ["82f71c", P, P, "two faults, the first decides"],
    ["821cf7", M, M, "two faults, the other way round"],
    ["830018", M, M, "count beyond the bytes, before the items"],
    ["8300f7", M, M, "count beyond the bytes, before the item outside"],
    ["61ff", P, P, "text that is no UTF-8"],
    ["62ff", M, M, "too short before no UTF-8"],
    ["62c080", P, P, "overlong"],
    ["63eda080", P, P, "surrogate"],
    ["64f4908080", P, P, "beyond U+10FFFF"],
    ["63efbbbf", "ok", "ok", "byte order mark"],
    ["61c3", P, P, "cut character"],
  ]

  test.each(faults)("%s: %s, in a payload %s (%s)", (item, protocol, inside) => {
    expect(protocolVerdict(item)).toBe(protocol)
    expect(insidePayload(item)).toBe(inside)
  })

  test("trailing bytes come last", () => {
    expect(protocolVerdict("0000")).toBe(M)
    expect(protocolVerdict("f700")).toBe(P)
    expect(protocolVerdict("1b002000000000000000")).toBe(L)
    expect(payloadVerdict("a000")).toBe(M)
    expect(payloadVerdict("0000")).toBe(M)
  })

  test("an integer too big is judged before its depth and a float after it", () => {
    const deep = "81".repeat(8)
    expect(protocolVerdict(`${deep}1817`)).toBe(P)
    expect(protocolVerdict(`${deep}f7`)).toBe(P)
    expect(protocolVerdict(`${deep}41`)).toBe(L)
    expect(protocolVerdict(`${deep}61ff`)).toBe(L)
    const deeper = "81".repeat(31)
    expect(insidePayload(`${deeper}fb7ff8000000000000`)).toBe(L)
    expect(insidePayload(`${deeper}f93c00`)).toBe(P)
    expect(insidePayload(`${deeper}9a00000001`)).toBe(P)
  })

  test("payload maps", () => {
    expect(payloadVerdict("a2616100616201")).toBe("ok")
    expect(payloadVerdict("a2616200616101")).toBe(P)
    expect(payloadVerdict("a2616100616101")).toBe(P)
    expect(payloadVerdict("a26161006162f7")).toBe(P)
    expect(payloadVerdict("a2616200616118")).toBe(P)
    expect(payloadVerdict("a262616100616200")).toBe(P)
    expect(payloadVerdict("a261620062616100")).toBe("ok")
    expect(payloadVerdict("a10000")).toBe(P)
    expect(payloadVerdict("a1f600")).toBe(P)
    expect(payloadVerdict("a1a000")).toBe(P)
    expect(payloadVerdict("a1a0")).toBe(M)
    expect(payloadVerdict("a1416100")).toBe(P)
    expect(payloadVerdict("a11c00")).toBe(M)
    expect(payloadVerdict("a278016100616200")).toBe(P)
    expect(payloadVerdict("a160")).toBe(M)
    expect(payloadVerdict("a26000")).toBe(M)
  })

  test("a payload that is no map is encoding/shape, if nothing else is wrong", () => {
    for (const item of ["00", "20", "40", "60", "80", "f6", "f5", "fb3ff8000000000000"]) {
      expect(payloadVerdict(item)).toBe("encoding/shape")
    }
    expect(payloadVerdict("f7")).toBe(P)
    expect(payloadVerdict("8100ff")).toBe(M)
  })
})

describe("accepted bytes are the only encoding of their value", () => {
  const profiles = [
    {
      name: "protocol",
      values: smallProtocolValue.map((value) => encode(value as Value)),
      decode,
      reencode: (value: unknown) => encode(value as Value),
    },
    {
      name: "payload",
      values: smallPayload.map((value) => encodePayload(value as Payload)),
      decode: decodePayload,
      reencode: (value: unknown) => encodePayload(value as Payload),
    },
  ]

  for (const profile of profiles) {
    const judge = (bytes: Uint8Array): "refused" | "accepted" => {
      const code = verdict(() => profile.decode(bytes))
      if (code !== "ok") {
        expect(code).toMatch(/^encoding\/(malformed|profile|limit|shape)$/)
        return "refused"
      }
      expect(hex(profile.reencode(profile.decode(bytes)))).toBe(hex(bytes))
      return "accepted"
    }

    test(`${profile.name}: every single bit flip`, () => {
      const flips = fc.record({ bytes: profile.values, at: fc.nat(), bit: fc.nat(7) })
      holds(
        flips,
        ({ bytes, at, bit }) => {
          const copy = bytes.slice()
          copy[at % copy.length] = (copy[at % copy.length] as number) ^ (1 << bit)
          judge(copy)
        },
        1500,
      )
    })

    test(`${profile.name}: every truncation and extension is refused`, () => {
      const cuts = fc.record({ bytes: profile.values, at: fc.nat(), tail: fc.nat(255) })
      holds(cuts, ({ bytes, at, tail }) => {
        expect(verdict(() => profile.decode(bytes))).toBe("ok")
        expect(judge(bytes.subarray(0, at % bytes.length))).toBe("refused")
        expect(judge(Uint8Array.of(...bytes, tail))).toBe("refused")
      })
    })

    test(`${profile.name}: random heads`, () => {
      holds(fc.uint8Array({ maxLength: 12 }), (bytes) => void judge(bytes), 5000)
    })
  }
})

describe("against cbor2", () => {
  const strict = {
    dcbor: true,
    preferMap: true,
    ignoreGlobalTags: true,
    rejectStringsNotNormalizedAs: null,
    rejectStreaming: true,
  } as const

  /** Why a value that cbor2 accepts is outside the profile; every reason is listed here. */
  function reason(value: unknown, isPayload: boolean, depth = 1): string | null {
    if (depth > (isPayload ? MAX_PAYLOAD_DEPTH : MAX_DEPTH)) return "depth"
    if (value === undefined) return "undefined"
    if (value instanceof Tag) return "tag"
    if (value instanceof Simple) return "simple value"
    if (typeof value === "bigint") return "integer beyond 2^53-1"
    if (typeof value === "boolean" && !isPayload) return "boolean"
    if (typeof value === "number" && !Number.isSafeInteger(value)) return "float: ours has 9 bytes"
    if (typeof value === "number" && value < 0 && !isPayload) return "negative integer"
    if (Array.isArray(value)) return first(value, isPayload, depth)
    if (!(value instanceof Map)) return null
    if (!isPayload) return "map"
    if ([...value.keys()].some((key) => typeof key !== "string")) return "key that is no text"
    return first([...value.keys(), ...value.values()], isPayload, depth)
  }

  function first(items: readonly unknown[], isPayload: boolean, depth: number): string | null {
    for (const item of items) {
      const found = reason(item, isPayload, depth + 1)
      if (found !== null) return found
    }
    return null
  }

  const hasFloat = (value: unknown): boolean =>
    typeof value === "number"
      ? !Number.isSafeInteger(value)
      : value instanceof Map
        ? [...value.values()].some(hasFloat)
        : Array.isArray(value) && value.some(hasFloat)

  /** Maps as objects, so that values of both libraries can be written by one encoder. */
  const asObjects = (value: unknown): unknown =>
    value instanceof Map
      ? Object.fromEntries([...value].map(([key, item]) => [key, asObjects(item)]))
      : Array.isArray(value)
        ? value.map(asObjects)
        : value

  function agree(bytes: Uint8Array, isPayload: boolean): void {
    const code = verdict(() => (isPayload ? decodePayload(bytes) : decode(bytes)))
    if (code === "ok") {
      const other = decodeOther(bytes, { ...strict, rejectLongFloats: false })
      const own = isPayload ? decodePayload(bytes) : decode(bytes)
      expect(rawHex(asObjects(other))).toBe(rawHex(own))
      if (!hasFloat(other)) {
        expect(hex(encodeOther(other, { dcbor: true, stringNormalization: null }))).toBe(hex(bytes))
      }
      return
    }
    let other: unknown
    try {
      other = decodeOther(bytes, strict)
    } catch {
      return
    }
    const why = reason(other, isPayload)
    if (code === "encoding/shape") expect(other).not.toBeInstanceOf(Map)
    else
      expect(
        why,
        `${hex(bytes).slice(0, 400)} is ${code} here and ${String(other)} in cbor2`,
      ).not.toBe(null)
  }

  const mutation = fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc
        .constantFrom(
          ...["f7", "1800", "190000", "9f", "ff", "f93c00", "fb3ff8000000000000", "c1", "a0", "20"],
          ...["5801", "7800", "f5", "f820", "c24101", "62c080", "1b0020000000000000", "a1616100"],
        )
        .map(unhex),
    ),
  })

  const mutate = (
    bytes: Uint8Array,
    { at, cut, put }: { at: number; cut: number; put: Uint8Array },
  ) => {
    const from = at % (bytes.length + 1)
    return new Uint8Array(Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)]))
  }

  for (const isPayload of [false, true]) {
    const name = isPayload ? "payload" : "protocol"
    const encodeIt = (value: unknown): Uint8Array =>
      isPayload ? encodePayload(value as Payload) : encode(value as Value)
    const values = (isPayload ? payload : protocolValue).map(encodeIt)
    const small = (isPayload ? smallPayload : smallProtocolValue).map(encodeIt)

    test(`${name}: valid values`, () => holds(values, (bytes) => agree(bytes, isPayload)))

    test(`${name}: mutated values`, () => {
      const cases = fc.record({
        bytes: small,
        mutations: fc.array(mutation, { minLength: 1, maxLength: 2 }),
      })
      holds(
        cases,
        ({ bytes, mutations }) => agree(mutations.reduce(mutate, bytes), isPayload),
        3000,
      )
    })
  }
})
