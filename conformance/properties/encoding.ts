// Properties of SPEC §3: one encoding per value, one code per fault, wherever it stands.

import fc from "fast-check"
import type { Property } from "../property.ts"
import { array, head, nest, uint } from "../vectorgen/raw.ts"
import { countNodes, payload, protocolValue, type Tagged, write } from "./cbor.ts"
import { property } from "./define.ts"
import { cut, extended, flip, flipped } from "./gen.ts"
import type { Trial } from "./trial.ts"

const PROFILES = ["protocol", "payload"] as const
type Profile = (typeof PROFILES)[number]

const profiled = (depth: number): fc.Arbitrary<{ profile: Profile; value: Tagged }> =>
  fc.oneof(
    protocolValue(depth).map((value) => ({ profile: "protocol" as const, value })),
    payload(depth).map((value) => ({ profile: "payload" as const, value })),
  )

const sorted = (value: Tagged): Tagged => {
  const [kind, ...parts] = value
  if (kind === "array") return [kind, ...parts.map((part) => sorted(part as never))] as never
  if (kind !== "map") return value
  const pairs = (parts as unknown as [string, Tagged][]).map(([key, held]) => [key, sorted(held)])
  const order = (key: unknown) => write(["text", key as string])
  pairs.sort(([a], [b]) => (order(a) < order(b) ? -1 : 1))
  return [kind, ...pairs] as never
}

async function roundTrip(trial: Trial, profile: Profile, value: Tagged): Promise<void> {
  const bytes = write(value)
  await trial.ok("encoding.encode", { profile, value }, { bytes })
  await trial.ok("encoding.decode", { profile, bytes }, { value: sorted(value) })
}

/** A fault, its code in each profile; null where it is none. */
const FAULTS: readonly (readonly [
  bytes: string,
  protocol: string | null,
  payload: string | null,
])[] = [
  ...["1c", "5d", "ff", "1f", "f800", "f81f", "9affffffff", "5affffffff", "7b0000000100000000"].map(
    (bytes) => [bytes, "encoding/malformed", "encoding/malformed"] as const,
  ),
  ...["f7", "c000", "9fff", "5fff", "7fff", "f90000", "fa00000000", "f820", "1800", "190017"].map(
    (bytes) => [bytes, "encoding/profile", "encoding/profile"] as const,
  ),
  ...["61ff", "62c080", "63eda080", "64f4908080", "1b00000000ffffffff", "5800", "9800"].map(
    (bytes) => [bytes, "encoding/profile", "encoding/profile"] as const,
  ),
  ["1b0020000000000000", "encoding/limit", "encoding/limit"],
  ["1bffffffffffffffff", "encoding/limit", "encoding/limit"],
  ["3b001fffffffffffff", "encoding/profile", "encoding/limit"],
  ["20", "encoding/profile", null],
  ["a0", "encoding/profile", null],
  ["f4", "encoding/profile", null],
  ["f5", "encoding/profile", null],
  ["fb3fe0000000000000", "encoding/profile", null],
  ["fb7ff8000000000000", "encoding/profile", "encoding/profile"],
  ["fb7ff0000000000000", "encoding/profile", "encoding/profile"],
  ["fb3ff0000000000000", "encoding/profile", "encoding/profile"],
  ["fb8000000000000000", "encoding/profile", "encoding/profile"],
  ["a2616100616100", "encoding/profile", "encoding/profile"],
  ["a2616200616100", "encoding/profile", "encoding/profile"],
  ["a262616100616200", "encoding/profile", "encoding/profile"],
  ["a10000", "encoding/profile", "encoding/profile"],
  ["a1f600", "encoding/profile", "encoding/profile"],
]

export const ENCODING_PROPERTIES: readonly Property[] = [
  property(
    {
      ...{ id: "encoding-p01", title: "every protocol value has the one encoding and comes back" },
      ...{ req: "ENCODING-1 ENCODING-2", tier: 0, runs: 120 },
    },
    () => protocolValue(5),
    (trial, value) => roundTrip(trial, "protocol", value),
  ),
  property(
    {
      ...{ id: "encoding-p02", title: "every payload has the one encoding, keys in any order" },
      ...{ req: "ENCODING-2 ENCODING-6 ENCODING-7 ENCODING-8 ENCODING-25", tier: 0, runs: 120 },
    },
    () => payload(4),
    (trial, value) => roundTrip(trial, "payload", value),
  ),
  property(
    {
      ...{ id: "encoding-p03", title: "bytes that are accepted are what their value encodes to" },
      ...{ req: "ENCODING-14 ENCODING-19 ENCODING-20", tier: 0, runs: 200 },
    },
    () => fc.tuple(profiled(3), fc.array(flip, { minLength: 1, maxLength: 2 })),
    async (trial, [{ profile, value }, flips]) => {
      let bytes = write(value)
      for (const one of flips) bytes = flipped(trial, bytes, one)
      const reply = await trial.same("encoding.decode", { profile, bytes })
      if (!reply.ok) return
      const again = { profile, value: reply.ok["value"] as Tagged }
      await trial.ok("encoding.encode", again, { bytes })
    },
  ),
  property(
    {
      ...{ id: "encoding-p04", title: "every truncation is malformed" },
      ...{ req: "ENCODING-11 ENCODING-12 ENCODING-17", tier: 0, runs: 120 },
    },
    () => fc.tuple(profiled(4), fc.nat(0xffff)),
    async (trial, [{ profile, value }, keep]) => {
      const bytes = write(value)
      await trial.ok("encoding.decode", { profile, bytes })
      const part = cut(trial, bytes, keep)
      await trial.reject("encoding.decode", { profile, bytes: part }, "encoding/malformed")
    },
  ),
  property(
    {
      ...{ id: "encoding-p05", title: "every extension is malformed" },
      ...{ req: "ENCODING-21", tier: 0 },
    },
    () => fc.tuple(profiled(4), fc.constantFrom("00", "f6", "80", "ff", "0000")),
    async (trial, [{ profile, value }, more]) => {
      const bytes = write(value)
      await trial.ok("encoding.decode", { profile, bytes })
      const longer = extended(trial, bytes, more)
      await trial.reject("encoding.decode", { profile, bytes: longer }, "encoding/malformed")
    },
  ),
  property(
    {
      ...{ id: "encoding-p06", title: "an argument in more bytes than it needs is refused" },
      ...{ req: "ENCODING-14", tier: 0, runs: 120 },
    },
    () => fc.tuple(profiled(4), fc.nat(300), fc.constantFrom(1, 2, 4, 8)),
    async (trial, [{ profile, value }, place, wide]) => {
      const bytes = write(value)
      await trial.ok("encoding.decode", { profile, bytes })
      const at = place % countNodes(value)
      const altered = write(value, ({ index, major, argument, rest }) => {
        const least = argument < 24n ? 1 : argument < 256n ? 2 : argument < 65_536n ? 4 : 8
        if (index !== at || major === 7 || argument >= 2n ** 32n) return null
        return head(major, argument, Math.max(least, wide) as 1 | 2 | 4 | 8) + rest()
      })
      if (altered === bytes) return
      await trial.reject("encoding.decode", { profile, bytes: altered }, "encoding/profile")
    },
  ),
  property(
    {
      ...{ id: "encoding-p07", title: "depth and size are allowed up to their limits, not beyond" },
      ...{ req: "ENCODING-10 ENCODING-16", tier: 0, runs: 120 },
    },
    () =>
      fc.tuple(fc.constantFrom(...PROFILES), fc.integer({ min: 1, max: 40 }), fc.nat(6), fc.nat(1)),
    async (trial, [profile, depth, items, over]) => {
      const most = profile === "protocol" ? 8 : 32
      const side = array(...Array.from({ length: items }, (_, i) => uint(i)))
      const deep = nest(Math.max(0, depth - 2), side)
      const bytes = profile === "protocol" ? deep : `a26161${deep}6162f6`
      const inner = Math.max(0, depth - 2) + (items > 0 ? 2 : 1) + (profile === "payload" ? 1 : 0)
      const verdict = inner > most ? "encoding/limit" : "ok"
      await trial.ends("encoding.decode", { profile, bytes }, verdict)
      if (profile === "payload") return
      const limit = bytes.length / 2 - over
      const sized = over > 0 ? "encoding/limit" : verdict
      await trial.ends("encoding.decode", { profile, bytes, limit }, sized)
    },
  ),
  property(
    {
      ...{ id: "encoding-p08", title: "one fault anywhere decides the code" },
      ...{
        req: "ENCODING-11 ENCODING-12 ENCODING-13 ENCODING-15 ENCODING-17 ENCODING-18",
        tier: 0,
      },
      ...{ runs: 200 },
    },
    () => fc.tuple(profiled(4), fc.nat(300), fc.nat(FAULTS.length - 1)),
    async (trial, [{ profile, value }, place, fault]) => {
      const bytes = write(value)
      await trial.ok("encoding.decode", { profile, bytes })
      const [put, protocol, other] = FAULTS[fault] as (typeof FAULTS)[number]
      const code = profile === "protocol" ? protocol : other
      if (code === null) return
      const at = place % countNodes(value)
      const faulty = write(value, ({ index }) => (index === at ? put : null))
      await trial.reject("encoding.decode", { profile, bytes: faulty }, code)
    },
  ),
]
