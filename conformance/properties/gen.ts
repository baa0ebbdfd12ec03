// Generators of structure: lengths at limits, a fill, a mutation and where it goes. Arrays of random
// bytes are neither found large nor shrunk fast.

import fc from "fast-check"
import { hex } from "../values.ts"
import type { Trial } from "./trial.ts"

/** 1 January 2026, the clock of all properties, in Unix seconds. */
export const NOW = 1_767_225_600

/** Lengths up to `max`, with favour for those where a head, a bucket or a limit changes. */
export function lengths(max: number): fc.Arbitrary<number> {
  const edges = [0, 1, 23, 24, 31, 32, 33, 255, 256, 257, 65_535, 65_536].filter((n) => n <= max)
  return fc.oneof(
    { arbitrary: fc.constantFrom(...edges, max), weight: 3 },
    { arbitrary: fc.nat(Math.min(max, 300)), weight: 5 },
    { arbitrary: fc.nat(max), weight: 1 },
  )
}

/** Hex of `length` bytes: a first byte and a stride. */
export function filled(length: number, fill: number, stride: number): string {
  return hex(Uint8Array.from({ length }, (_, i) => fill + i * stride))
}

/** Hex of bytes of such lengths. */
export function bytes(length: fc.Arbitrary<number> | number): fc.Arbitrary<string> {
  const many = typeof length === "number" ? fc.constant(length) : length
  return fc
    .tuple(many, fc.nat(255), fc.nat(255))
    .map(([n, fill, stride]) => filled(n, fill, stride))
}

/** 32 bytes. */
export const key32: fc.Arbitrary<string> = bytes(32)

/** A seed of 32 bytes, of a small number. */
export function seedOf(n: number): string {
  return n.toString(16).padStart(8, "0").repeat(8)
}

/** A seed of 32 bytes. */
export const seed: fc.Arbitrary<string> = fc.nat(0xffff_ffff).map(seedOf)

/** Unsigned integers up to 2^53-1, with favour for the ends of head sizes. */
export const uint53: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  fc.nat(70_000),
)

/** A bit somewhere; the offset is taken modulo the length. */
export interface Flip {
  readonly at: number
  readonly bit: number
}

export const flip: fc.Arbitrary<Flip> = fc.record({ at: fc.nat(0xffff), bit: fc.nat(7) })

/** `data` with one bit changed, somewhere in the bytes `from` (inclusive) to `to` (exclusive). */
export function flipped(
  trial: Trial,
  data: string,
  { at, bit }: Flip,
  from: number = 0,
  to: number = data.length / 2,
): string {
  const xor = (1 << bit).toString(16).padStart(2, "0")
  return trial.mutated(data, { at: from + (at % (to - from)), xor })
}

/** `data` without its end; at least one byte goes. */
export function cut(trial: Trial, data: string, keep: number): string {
  const at = keep % (data.length / 2)
  return trial.mutated(data, { at, cut: data.slice(2 * at) })
}

/** `data` with more behind it. */
export function extended(trial: Trial, data: string, more: string): string {
  return trial.mutated(data, { at: data.length / 2, put: more })
}

const FIRST = [..."abz019"]
const LATER = [..."az09._-"]

/** Valid names, up to 64 characters. */
export const name: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...FIRST), fc.oneof(fc.nat(6), fc.constantFrom(62, 63)), fc.nat(6))
  .map(([first, more, kind]) => first + (LATER[kind] as string).repeat(more))

/** Two different names. */
export const names: fc.Arbitrary<readonly [string, string]> = fc
  .tuple(name, name)
  .filter(([a, b]) => a !== b)

/** One of a list, by an index that need not fit it. */
export function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T
}

/** A permutation of 0 to count - 1, written as picks among what is left. */
export function permuted<T>(list: readonly T[], picks: readonly number[]): readonly T[] {
  const left = [...list]
  const out: T[] = []
  for (let i = 0; left.length > 0; i++) {
    const [taken] = left.splice((picks[i] ?? 0) % left.length, 1)
    out.push(taken as T)
  }
  return out
}
