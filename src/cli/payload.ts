// Payloads as JSON: byte strings are {"$base64": "..."}.

import type { Message } from "../agent/message.ts"
import type { TrustState } from "../agent/trust.ts"
import type { Payload, PayloadValue } from "../encoding.ts"
import { usage } from "./failure.ts"

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** A payload value as JSON. */
export function toJson(value: PayloadValue): Json {
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString("base64") }
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== "object" || value === null) return value as Json
  const entries = Object.entries(value).map(([key, item]) => [key, toJson(item)] as const)
  // Without a prototype, so that a key such as __proto__ is only a key.
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Json
}

/** JSON as a payload value. */
export function fromJson(value: Json): PayloadValue {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== "object" || value === null) return value as PayloadValue
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === "$base64" && typeof first[1] === "string") {
    return new Uint8Array(Buffer.from(first[1], "base64"))
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item as Json)]))
}

/** A payload from JSON text. */
export function parsePayload(text: string): Payload {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (error) {
    throw usage(`the payload is no JSON: ${(error as Error).message}`)
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usage("the payload has to be a JSON object", `e.g. '{"text":"hi","task":42}'`)
  }
  return fromJson(value) as Payload
}

/** A message as commands and the MCP server see it. */
export interface MessageJson {
  /** Where it stands in the inbox; a cursor. Empty for an answer, which never waits. */
  readonly place: string
  readonly id: string
  readonly from: string
  readonly fingerprint: string
  readonly trust: TrustState
  /** When the sender says it was sent, ISO 8601. */
  readonly sent: string
  readonly re: string | null
  readonly type: string
  readonly text: string
  readonly payload: { readonly [key: string]: Json }
}

/** A message as JSON. */
export function messageJson(message: Message, place: string, trust: TrustState): MessageJson {
  const { id, sender, fingerprint, timestamp, re, type, text, payload } = message
  const sent = new Date(timestamp)
  return {
    ...{ place, id, from: sender, fingerprint, trust },
    sent: Number.isNaN(sent.getTime()) ? "" : sent.toISOString(),
    ...{ re, type, text, payload: toJson(payload) as MessageJson["payload"] },
  }
}
