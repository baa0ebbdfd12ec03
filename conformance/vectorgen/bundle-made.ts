// Vectors of SPEC §6 bundle: the bundles that cases are made of.

import type { OwnBundle } from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { encode, type Value } from "../../src/encoding.ts"
import { label, sign } from "../../src/suite.ts"
import type { JsonObject } from "../driver.ts"
import { NOW, type Person } from "./people.ts"

/** A day in seconds. */
export const DAY = 86_400

/** The arguments of `bundle.accept`. */
export function accepting(bundle: OwnBundle, extra: JsonObject = {}): JsonObject {
  return { bytes: toHex(bundle.bytes), context: { now: NOW, ...extra } }
}

/** The arguments of `bundle.accept` for bytes that no sender makes. */
export function acceptingBytes(bytes: string, extra: JsonObject = {}): JsonObject {
  return { bytes, context: { now: NOW, ...extra } }
}

/** Signs a body that the sender of §6.3 would not make. */
export function custom(
  by: Person,
  fields: { readonly [i: number]: Value } = {},
  prekeys?: readonly Value[],
): string {
  const { name, ik, dk } = by.own
  const parts: Value[] = [
    label("bundle"),
    name,
    ik,
    dk,
    NOW,
    NOW - 3600,
    NOW - 3600 + 30 * DAY,
    0,
    prekeys ?? [],
  ]
  for (const [i, value] of Object.entries(fields)) parts[Number(i)] = value
  const body = encode(parts)
  return toHex(encode([body, sign(by.own.ikSecret, body)]))
}
