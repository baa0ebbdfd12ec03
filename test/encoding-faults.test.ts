// SPEC §3: limits, the order of faults, known examples with the verdict of each profile.

import { describe, expect, test } from "vitest"
import { decode, decodePayload } from "../src/encoding.ts"
import { MAX_DEPTH, MAX_OBJECT, MAX_PAYLOAD_DEPTH } from "../src/limits.ts"
import { verdict } from "./support/property.ts"
import { rawBytes, rawHead, unhex } from "./support/raw-cbor.ts"

const protocolVerdict = (digits: string): string => verdict(() => decode(unhex(digits)))
const payloadVerdict = (digits: string): string => verdict(() => decodePayload(unhex(digits)))
/** Verdict on one item as the value of the key "" of a payload. */
const insidePayload = (digits: string): string => payloadVerdict(`a160${digits}`)

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

  test("50,000 nested arrays do not overflow the stack (ENCODING-16)", () => {
    expect(protocolVerdict("81".repeat(50_000))).toBe("encoding/limit")
    expect(insidePayload("81".repeat(50_000))).toBe("encoding/limit")
    expect(payloadVerdict("a160".repeat(50_000))).toBe("encoding/limit")
  })

  test("a head that claims absent items allocates nothing (ENCODING-17)", () => {
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

  test("size, counted before the first byte is read (ENCODING-10)", () => {
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

describe("the examples of RFC 8949, Appendix A", () => {
  const M = "encoding/malformed"
  const P = "encoding/profile"
  const L = "encoding/limit"
  const ok = "ok"
  // Verdict as a protocol structure, verdict inside a payload, examples.
  const examples: readonly (readonly [string, string, string])[] = [
    [ok, ok, "00 01 0a 17 1818 1819 1864 1903e8 1a000f4240 1b000000e8d4a51000"],
    [L, L, "1bffffffffffffffff"],
    [P, P, "c249010000000000000000 c349010000000000000000"],
    [P, L, "3bffffffffffffffff"],
    [P, ok, "20 29 3863 3903e7"],
    [P, ok, "fb3ff199999999999a fb7e37e43c8800759c fbc010666666666666"],
    [P, P, "f90000 f98000 f93c00 f93e00 f97bff f90001 f90400 f9c400 f97c00 f97e00 f9fc00"],
    [P, P, "fa47c35000 fa7f7fffff fa7f800000 fa7fc00000 faff800000"],
    [P, P, "fb7ff0000000000000 fb7ff8000000000000 fbfff0000000000000"],
    [P, ok, "f4 f5"],
    [ok, ok, "f6"],
    [P, P, "f7 f0 f8ff"],
    [M, M, "f818"],
    [P, P, "c074323031332d30332d32315432303a30343a30305a c11a514b67b0 c1fb41d452d9e8200000"],
    [P, P, "d74401020304 d818456449455446"],
    [P, P, "d82076687474703a2f2f7777772e6578616d706c652e636f6d"],
    [ok, ok, "40 4401020304 60 6161 6449455446 62225c 62c3bc 63e6b0b4 64f0908591"],
    [ok, ok, "80 83010203 8301820203820405"],
    [ok, ok, "98190102030405060708090a0b0c0d0e0f101112131415161718181819"],
    [P, ok, "a0 a26161016162820203 826161a161626163"],
    [P, ok, "a56161614161626142616361436164614461656145"],
    [P, P, "a201020304"],
    [P, P, "5f42010243030405ff 7f657374726561646d696e67ff 9fff 9f018202039f0405ffff"],
    [P, P, "9f01820203820405ff 83018202039f0405ff 83019f0203ff820405"],
    [P, P, "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff"],
    [P, P, "bf61610161629f0203ffff 826161bf61626163ff bf6346756ef563416d7421ff"],
  ]

  test.each(examples)("protocol %s, payload %s: %s", (protocol, inside, items) => {
    for (const item of items.split(" ")) {
      expect(protocolVerdict(item), item).toBe(protocol)
      expect(insidePayload(item), item).toBe(inside)
    }
  })
})
