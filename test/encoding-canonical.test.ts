// SPEC §3: one encoding a value, and the same verdicts as an independent strict decoder.

import { decode as decodeOther, encode as encodeOther, Simple, Tag } from "cbor2"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  decode,
  decodePayload,
  encode,
  encodePayload,
  type Payload,
  type Value,
} from "../src/encoding.ts"
import { MAX_DEPTH, MAX_PAYLOAD_DEPTH } from "../src/limits.ts"
import { holds, verdict } from "./support/property.ts"
import { hexOf as hex, rawHex, unhex } from "./support/raw-cbor.ts"
import { payload, protocolValue, smallPayload, smallProtocolValue } from "./support/values.ts"

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
