// Vectors of SPEC §8 handshake: accepted first flights, and how they are changed.

import { replaceItem } from "../cbor.ts"
import type { Case, JsonObject } from "../driver.ts"
import { application, type Flight, rewriteInit } from "./flight.ts"
import type { Book, Change } from "./kit.ts"

/** An accepted first flight and how it was made. */
export interface Base {
  readonly item: Case
  readonly flight: Flight
  readonly input: JsonObject
  readonly envelope: string
}

/** The first flights from which refusals are made. */
export type Bases = Readonly<Record<"one" | "oneTime" | "two" | "twoTime", Base>>

function needs(suite: number): { needs?: readonly string[] } {
  return suite === 2 ? { needs: ["suite-2"] } : {}
}

/** Adds a first flight that is accepted. */
export function based(book: Book, n: number, title: string, req: string, flight: Flight): Base {
  const { envelope } = flight.seal([application("hello")])
  const input = flight.responding(envelope)
  const item = book.ok(n, title, req, "handshake.respond", input, needs(flight.suite))
  return { item, flight, input, envelope }
}

/** A mutation of level field whose input has another envelope. */
export function other(
  base: Base,
  envelope: string,
  put: string,
  path?: readonly number[],
  follows?: readonly (readonly number[])[],
): Change {
  return {
    ...{ level: "field", field: "envelope", put },
    ...(path ? { path } : {}),
    ...(follows ? { follows } : {}),
    input: { ...base.input, envelope },
  }
}

/** One item of the header is replaced; nothing else. */
export function inHeader(base: Base, path: readonly number[], put: string): Change {
  return other(base, replaceItem(base.envelope, [0, ...path], put), put, [0, ...path])
}

/** One item of the init is replaced, and sid is made to fit. */
export function inInit(base: Base, item: number, put: string): Change {
  const changed = rewriteInit(base.envelope, { [item]: put }, base.flight.bob.own)
  return other(base, changed, put, [0, 6, item], [[0, 1]])
}

/** The same change beside other arguments. */
export function including(change: Change, extra: JsonObject): Change {
  return { ...change, input: { ...change.input, ...extra }, with: extra }
}
