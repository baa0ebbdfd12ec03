// Arguments and results of the reference driver: JSON to src types and back.

import { compareBytes, toUtf8 } from "../../../src/bytes.ts"
import type { PayloadValue, Value } from "../../../src/encoding.ts"
import { type OwnIdentity, type Peer, restoreIdentity } from "../../../src/identity.ts"
import type { Block } from "../../../src/keyschedule.ts"
import {
  type ExchangePublic,
  type ExchangeSecret,
  isSuite,
  type Suite,
} from "../../../src/suite.ts"
import type { Json, JsonObject } from "../../driver.ts"
import { hex, isObject, unhex } from "../../values.ts"

export { hex, unhex }

/** State of one driver: what handles stand for. */
export interface Handles {
  /** Keeps a value; returns its handle. */
  add(kind: string, value: unknown): string
  /** The value of a handle that an argument names. */
  get<T>(args: JsonObject, kind: string): T
  /** Replaces the value of a handle. */
  set(args: JsonObject, kind: string, value: unknown): void
}

/** One operation of the driver protocol. */
export type Op = (args: JsonObject, handles: Handles) => JsonObject | Promise<JsonObject>

/** Operations by name. */
export type Ops = Readonly<Record<string, Op>>

function wrong(key: string, what: string): never {
  throw new TypeError(`argument "${key}" is not ${what}`)
}

export function bytesArg(args: JsonObject, key: string): Uint8Array {
  const value = args[key]
  return typeof value === "string" ? unhex(value) : wrong(key, "bytes")
}

export function optionalBytes(args: JsonObject, key: string): Uint8Array | null {
  return args[key] === undefined || args[key] === null ? null : bytesArg(args, key)
}

export function textArg(args: JsonObject, key: string): string {
  const value = args[key]
  return typeof value === "string" ? value : wrong(key, "a text")
}

export function numberArg(args: JsonObject, key: string, otherwise?: number): number {
  const value = args[key] ?? otherwise
  return typeof value === "number" ? value : wrong(key, "a number")
}

export function flagArg(args: JsonObject, key: string, otherwise: boolean): boolean {
  const value = args[key] ?? otherwise
  return typeof value === "boolean" ? value : wrong(key, "a boolean")
}

export function objectArg(args: JsonObject, key: string): JsonObject {
  const value = args[key]
  return isObject(value) ? value : wrong(key, "an object")
}

export function listArg(args: JsonObject, key: string): readonly Json[] {
  const value = args[key]
  return Array.isArray(value) ? value : wrong(key, "a list")
}

export function objectsArg(args: JsonObject, key: string): readonly JsonObject[] {
  return listArg(args, key).map((item) => (isObject(item) ? item : wrong(key, "a list of objects")))
}

export function bytesListArg(args: JsonObject, key: string): readonly Uint8Array[] {
  return listArg(args, key).map((item) =>
    typeof item === "string" ? unhex(item) : wrong(key, "bytes"),
  )
}

export function suiteArg(args: JsonObject, key: string = "suite"): Suite {
  const suite = numberArg(args, key)
  return isSuite(suite) ? suite : wrong(key, "a suite")
}

export function suitesArg(args: JsonObject, key: string): readonly Suite[] {
  return listArg(args, key).map((item) => {
    return typeof item === "number" && isSuite(item) ? item : wrong(key, "suites")
  })
}

/** `{name, ikSecret, dkSecret}`. */
export function identityArg(args: JsonObject, key: string = "identity"): OwnIdentity {
  const it = objectArg(args, key)
  return restoreIdentity(textArg(it, "name"), bytesArg(it, "ikSecret"), bytesArg(it, "dkSecret"))
}

/** `{name, ik}`. */
export function peerArg(args: JsonObject, key: string): Peer {
  const it = objectArg(args, key)
  return { name: textArg(it, "name"), ik: bytesArg(it, "ik") }
}

/** `{x, ek}`. */
export function exchangeArg(args: JsonObject, key: string): ExchangePublic {
  const it = objectArg(args, key)
  return { x: bytesArg(it, "x"), ek: optionalBytes(it, "ek") }
}

/** `{x, kem}`. */
export function secretArg(it: JsonObject): ExchangeSecret {
  return { x: bytesArg(it, "x"), kem: optionalBytes(it, "kem") }
}

/** `{x, ek, kemCt}`. */
export function blockArg(args: JsonObject, key: string): Block {
  return { ...exchangeArg(args, key), kemCt: optionalBytes(objectArg(args, key), "kemCt") }
}

/** JSON of a block. */
export function blockJson(block: Block): JsonObject {
  const { x, ek, kemCt } = block
  return { x: hex(x), ek: ek && hex(ek), kemCt: kemCt && hex(kemCt) }
}

/** A CBOR value as JSON: `["uint","1"]`, `["array",item,...]`, `["map",[key,item],...]`. */
export function tagged(value: PayloadValue): Json {
  if (value === null) return ["null"]
  if (typeof value === "boolean") return ["bool", value]
  if (typeof value === "string") return ["text", value]
  if (value instanceof Uint8Array) return ["bytes", hex(value)]
  if (Array.isArray(value)) return ["array", ...value.map(tagged)]
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => ({ key, bytes: toUtf8(key), item }))
    entries.sort((a, b) => a.bytes.length - b.bytes.length || compareBytes(a.bytes, b.bytes))
    return ["map", ...entries.map(({ key, item }) => [key, tagged(item)])]
  }
  if (Number.isSafeInteger(value)) return [value < 0 ? "nint" : "uint", String(value)]
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return ["float", hex(bytes)]
}

/** The CBOR value that {@link tagged} made into JSON. */
export function untagged(json: Json): PayloadValue {
  if (!Array.isArray(json)) return wrong("value", "a tagged value")
  const [kind, first] = json
  if (kind === "null") return null
  if (kind === "bool" || kind === "text") return first
  if (kind === "bytes") return unhex(first)
  if (kind === "uint" || kind === "nint") return Number(first)
  if (kind === "float") return new DataView(unhex(first).buffer).getFloat64(0)
  if (kind === "array") return json.slice(1).map(untagged)
  if (kind !== "map") return wrong("value", "a tagged value")
  const out: Record<string, PayloadValue> = Object.create(null)
  for (const [key, item] of json.slice(1)) out[key] = untagged(item)
  return out
}

export function untaggedProtocol(json: Json): Value {
  return untagged(json) as Value
}

/** Collects intermediate values by SPEC name. */
export class Trace {
  readonly #items: (readonly [string, string])[] = []

  /** Notes a value; returns it. */
  add(name: string, value: Uint8Array): Uint8Array {
    this.#items.push([name, hex(value)])
    return value
  }

  json(): Json {
    return this.#items.map(([name, value]) => [name, value])
  }
}
