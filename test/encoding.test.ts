// SPEC §3: what the encoder writes and the decoder reads back.

import { describe, expect, test } from "vitest"
import {
  decode,
  decodePayload,
  encode,
  encodePayload,
  type Payload,
  type Value,
} from "../src/encoding.ts"
import { MAX_PAYLOAD_DEPTH } from "../src/limits.ts"
import { holds, verdict } from "./support/property.ts"
import { hexOf as hex, rawBytes, rawHex } from "./support/raw-cbor.ts"
import { payload, protocolValue, textOf } from "./support/values.ts"

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
      expect(rawHex(decode(encode(array)))).toBe(rawHex(array))
      const bytes = new Uint8Array(size).fill(0xa5)
      expect(hex(encode(bytes))).toBe(rawHex(bytes))
      expect(rawHex(decode(encode(bytes)))).toBe(rawHex(bytes))
      const map = Object.fromEntries(array.map((_, i) => [`key ${i}`, i]))
      expect(hex(encodePayload(map))).toBe(rawHex(map))
      expect(rawHex(decodePayload(encodePayload(map)))).toBe(rawHex(map))
    }
  })
})

describe("values", () => {
  test("keys with a meaning in JavaScript are plain keys (ENCODING-25)", () => {
    const map = Object.fromEntries(
      ["__proto__", "constructor", "toString", "hasOwnProperty", "1"].map((key) => [key, key]),
    )
    const decoded = decodePayload(encodePayload(map))
    expect(Object.getPrototypeOf(decoded)).toBe(null)
    expect(Object.keys(decoded).sort()).toEqual(Object.keys(map).sort())
    expect(Object.getOwnPropertyDescriptor(decoded, "__proto__")?.value).toBe("__proto__")
    expect(({} as { x?: unknown }).x).toBe(undefined)
  })

  test("keys that differ by a byte order mark stay two keys (ENCODING-2)", () => {
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

  test("what is no protocol value is refused by the encoder (ENCODING-1, ENCODING-3, ENCODING-4)", () => {
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

  test("what is no payload is refused with agent/payload (ENCODING-4, ENCODING-9)", () => {
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
