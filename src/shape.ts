// SPEC §3 encoding: shapes, which are CDDL rules as functions.

import { decode, type Value } from "./encoding.ts"
import { require } from "./errors.ts"

/** Checks a decoded value against a CDDL rule and types it; throws `encoding/shape`. */
export type Shape<T> = (value: Value) => T

function shape(condition: boolean, what: string): asserts condition {
  require(condition, "encoding/shape", what) // ENCODING-22
}

/** `uint`. */
export const uint: Shape<number> = (value) => {
  shape(typeof value === "number", "expected an integer")
  return value
}

/** `tstr`. */
export const text: Shape<string> = (value) => {
  shape(typeof value === "string", "expected a text")
  return value
}

/** `bstr .size (least..most)`, sizes in bytes. */
export function bytes(
  least: number = 0,
  most: number = least || Number.MAX_SAFE_INTEGER,
): Shape<Uint8Array> {
  return (value) => {
    shape(value instanceof Uint8Array, "expected a byte string")
    shape(value.length >= least && value.length <= most, `byte string of ${value.length} bytes`)
    return value
  }
}

/** A literal integer, text or null. */
export function literal<T extends number | string | null>(expected: T): Shape<T> {
  return (value) => {
    shape(value === expected, `expected ${JSON.stringify(expected)}`)
    return expected
  }
}

/** `rule / null`. */
export function nullable<T>(rule: Shape<T>): Shape<T | null> {
  return (value) => (value === null ? null : rule(value))
}

/** `[least*most rule]`. */
export function list<T>(
  rule: Shape<T>,
  least: number = 0,
  most: number = Number.MAX_SAFE_INTEGER,
): Shape<readonly T[]> {
  return (value) => {
    shape(Array.isArray(value), "expected an array")
    shape(value.length >= least && value.length <= most, `array of ${value.length} items`)
    return value.map(rule)
  }
}

/** `[rule, rule, ...]`, fixed arity. */
export function tuple<T extends readonly unknown[]>(
  ...rules: { [K in keyof T]: Shape<T[K]> }
): Shape<T> {
  return (value) => {
    shape(Array.isArray(value), "expected an array")
    shape(value.length === rules.length, `array of ${value.length} items, not ${rules.length}`)
    return rules.map((rule, i) => rule(value[i] as Value)) as unknown as T
  }
}

/**
 * Decodes `bytes` and checks them against a CDDL rule.
 *
 * @throws {@link AgentMeshError} `encoding/*`.
 */
export function decodeAs<T>(rule: Shape<T>, bytes: Uint8Array, limit?: number): T {
  return rule(decode(bytes, limit))
}
