// A cluster of hubs: what hubs tell each other. An edge has the agent's connection; an owner has a
// partition of the rows.

import { decode, type Value } from "../../encoding.ts"
import { encode as pack } from "../../pack.ts"
import { bytes, list, literal, type Shape, text, tuple, uint } from "../../shape.ts"

const MAX_MESSAGE = 33_554_432

/** From an edge to an owner, and back. `link` is the edge's number of a connection. */
export type Message =
  /** The agent has connected here at `since`, by the edge's clock in ms: its mail comes here from now. */
  | readonly [
      "home",
      partition: number,
      epoch: number,
      link: number,
      name: string,
      ik: Uint8Array,
      since: number,
    ]
  /** A request of an agent, as its frame. */
  | readonly [
      "ask",
      partition: number,
      epoch: number,
      link: number,
      name: string,
      ik: Uint8Array,
      frame: Uint8Array,
    ]
  /** The connection is gone. */
  | readonly ["gone", partition: number, epoch: number, link: number]
  /** The edge has passed so many bytes on to the agent. */
  | readonly ["taken", partition: number, epoch: number, link: number, bytes: number]
  /** A page of names is wanted. */
  | readonly ["list", partition: number, epoch: number, query: number, after: string]
  /** A frame for the agent. */
  | readonly ["frame", partition: number, epoch: number, link: number, frame: Uint8Array]
  /** The connection is to be closed. */
  | readonly ["end", partition: number, epoch: number, link: number]
  /** Messages have not arrived: nothing is known of what was under way. */
  | readonly ["broken"]
  /** A page of names. */
  | readonly ["names", partition: number, epoch: number, query: number, names: readonly string[]]

/** What an edge says of one of its connections, without the address. */
export type EdgeMessage =
  | readonly ["home", name: string, ik: Uint8Array, since: number]
  | readonly ["ask", name: string, ik: Uint8Array, frame: Uint8Array]
  | readonly ["gone"]
  | readonly ["taken", bytes: number]

/** Puts the address of the owner and the number of the connection to what an edge says. */
export function addressed(
  { partition, epoch }: { readonly partition: number; readonly epoch: number },
  [kind, ...rest]: EdgeMessage,
  link: number,
): Message {
  return [kind, partition, epoch, link, ...rest] as unknown as Message
}

const key = bytes(32)
const SHAPES: { readonly [kind: string]: Shape<unknown> } = {
  home: tuple(literal("home"), uint, uint, uint, text, key, uint),
  ask: tuple(literal("ask"), uint, uint, uint, text, key, bytes()),
  gone: tuple(literal("gone"), uint, uint, uint),
  taken: tuple(literal("taken"), uint, uint, uint, uint),
  list: tuple(literal("list"), uint, uint, uint, text),
  frame: tuple(literal("frame"), uint, uint, uint, bytes()),
  end: tuple(literal("end"), uint, uint, uint),
  broken: tuple(literal("broken")),
  names: tuple(literal("names"), uint, uint, uint, list(text)),
}

/** Messages of one hub to another; numbered, so that a loss is seen. */
export interface Parcel {
  readonly from: string
  readonly number: number
  readonly messages: readonly Message[]
}

const PARCEL = tuple(
  text,
  uint,
  list((value: Value) => message(value)),
)

function message(value: Value): Message {
  const shape = Array.isArray(value) ? SHAPES[String(value[0])] : undefined
  if (shape === undefined) throw new TypeError("a message of no known kind")
  return shape(value) as Message
}

/** Encodes a parcel. */
export function encodeParcel({ from, number, messages }: Parcel): Uint8Array {
  return pack([from, number, messages as unknown as Value])
}

/** Decodes a parcel. */
export function decodeParcel(parcel: Uint8Array): Parcel {
  const [from, number, messages] = PARCEL(decode(parcel, MAX_MESSAGE))
  return { from, number, messages }
}

/** What a hub tells all others twice a second. */
export interface Heartbeat {
  readonly from: string
  /** When it was sent, in milliseconds of the sender's own clock. */
  readonly at: number
  /** Whether it is going away, in good order. */
  readonly leaving: boolean
  /** Partitions that it owns, with their epochs. */
  readonly owned: readonly (readonly [partition: number, epoch: number])[]
  /** How many parcels it has sent to each other hub. */
  readonly sent: readonly (readonly [to: string, parcels: number])[]
}

const HEARTBEAT = tuple(text, uint, uint, list(tuple(uint, uint)), list(tuple(text, uint)))

/** Encodes a heartbeat. */
export function encodeHeartbeat({ from, at, leaving, owned, sent }: Heartbeat): Uint8Array {
  return pack([from, at, leaving ? 1 : 0, owned, sent])
}

/** Decodes a heartbeat. */
export function decodeHeartbeat(heartbeat: Uint8Array): Heartbeat {
  const [from, at, leaving, owned, sent] = HEARTBEAT(decode(heartbeat, MAX_MESSAGE))
  return { from, at, leaving: leaving === 1, owned, sent }
}
