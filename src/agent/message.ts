// SPEC §12 agent: messages as applications see them.

import { toHex } from "../bytes.ts"
import { decodePayload, type Payload, type PayloadValue } from "../encoding.ts"
import type { Content } from "../envelope.ts"
import { AgentMeshError, require } from "../errors.ts"
import type { Peer } from "../identity.ts"
import { printOf } from "./trust.ts"

/** What {@link Agent.send} takes: a text, or fields of the payload. */
export type MessageInput =
  | string
  | {
      readonly text?: string
      readonly type?: string
      readonly [key: string]: PayloadValue | undefined
    }

/** Sends an answer; see {@link Message.reply}. */
export type Reply = (payload: MessageInput) => Promise<unknown>

/** A message that was decrypted and verified. Authenticated is not trustworthy: SPEC §15. */
export class Message {
  /** Name of the sender. */
  readonly sender: string
  /** Name of the recipient: this agent. */
  readonly recipient: string
  /** Fingerprint of the identity key that signed the message. */
  readonly fingerprint: string
  /** The whole payload; a map without prototype. */
  readonly payload: Payload
  /** When the sender signed it, milliseconds since 1970. */
  readonly timestamp: number
  /** 32 hex digits; the same content always has the same id. */
  readonly id: string
  /** Id of the message that this one answers. */
  readonly re: string | null
  readonly #reply: Reply

  /** Made by the agent; see the properties. */
  constructor(content: Content, payload: Payload, sender: Peer, recipient: string, reply: Reply) {
    this.sender = sender.name
    this.recipient = recipient
    this.fingerprint = printOf(sender.ik)
    this.payload = payload
    this.timestamp = content.sentMs
    this.id = toHex(content.id)
    this.re = content.re && toHex(content.re)
    this.#reply = reply
  }

  /** `payload.text`, or "" if there is none. */
  get text(): string {
    const { text } = this.payload as { text?: PayloadValue }
    return typeof text === "string" ? text : ""
  }

  /** `payload.type`, or "message" if there is none. */
  get type(): string {
    const { type } = this.payload as { type?: PayloadValue }
    return typeof type === "string" ? type : "message"
  }

  /** Answers this message; resolves {@link Agent.request} at its sender. */
  reply(payload: MessageInput): Promise<unknown> {
    return this.#reply(payload)
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** The payload of an input: `type` "message" unless given, then its own fields. */
export function toPayload(input: MessageInput): Payload {
  const fields = typeof input === "string" ? { text: input } : input
  const plain = typeof fields === "object" && fields !== null && isPlain(fields)
  require(plain, "agent/payload", "a message is a text or a plain object")
  const payload: Record<string, PayloadValue> = Object.create(null)
  payload["type"] = "message"
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) payload[key] = value
  }
  return payload
}

/**
 * The payload of an application content.
 *
 * @throws {@link AgentMeshError} `agent/payload` if it is outside the payload profile.
 */
export function readPayload(content: Content): Payload {
  try {
    return decodePayload(content.body)
  } catch (error) {
    throw new AgentMeshError("agent/payload", "the body is no canonical map", error)
  }
}
