// Vectors of SPEC §9 envelope: envelopes that are opened, and how they are changed.

import { fromHex, toHex } from "../../src/bytes.ts"
import { decodeContent, encodeContent } from "../../src/envelope.ts"
import type { Suite } from "../../src/suite.ts"
import { replaceItem } from "../cbor.ts"
import type { Case, JsonObject } from "../driver.ts"
import { application, Flight, forge, type Parts } from "./flight.ts"
import type { Book, Change } from "./kit.ts"

/** An envelope that is opened, and how it was made. */
export interface Base {
  readonly item: Case
  readonly parts: Parts
  readonly input: JsonObject
  readonly envelope: string
}

/** The envelopes from which refusals are made. */
export type Bases = Readonly<Record<"one" | "two" | "long", Base>>

/** An application content of `length` bytes; a reply, where no other has that length. */
export function sized(length: number, i: number = 0): Uint8Array {
  for (const re of [null, new Uint8Array(16).fill(0x2d)]) {
    for (let text = Math.max(0, length - 80); text <= length; text++) {
      const plain = decodeContent(application("x".repeat(text), i))
      const content = encodeContent({ ...plain, re })
      if (content.length === length) return content
    }
  }
  throw new Error(`no content has ${length} bytes`)
}

/** What a case of a suite needs of a driver. */
export function needs(suite: Suite): { needs?: readonly string[] } {
  return suite === 2 ? { needs: ["suite-2"] } : {}
}

function opening(parts: Parts, envelope: string): JsonObject {
  const { suite, th, mk, sender, recipient } = parts
  const { name, ik } = sender
  return {
    suite,
    th: toHex(th),
    sender: { name, ik: toHex(ik) },
    recipient,
    mk: toHex(mk),
    envelope,
  }
}

/** Adds the envelopes that are opened. */
export function opened(book: Book): Bases {
  const make = (
    n: number,
    title: string,
    flight: Flight,
    contents: readonly Uint8Array[],
    number = 0,
  ): Base => {
    const parts = flight.parts(contents, number)
    const envelope = forge(parts)
    const input = opening(parts, envelope)
    const item = book.ok(n, title, "ENVELOPE-13", "envelope.open", input, needs(flight.suite))
    return { item, parts, input, envelope }
  }
  const three = [application("a"), application("b", 1), application("c", 2)]
  const one = make(1, "an envelope of suite 1", new Flight(1), [application("hello")])
  const two = make(2, "an envelope of suite 2", new Flight(2), [application("hello")])
  make(3, "three contents", new Flight(1), three)
  make(4, "n = 999", new Flight(1), [application("hello")], 999)
  make(
    5,
    "64 contents",
    new Flight(1),
    Array.from({ length: 64 }, (_, i) => application("x", i)),
  )
  make(6, "content that is no CBOR: judged later", new Flight(1), [fromHex("ff")])
  make(7, "empty content: judged later", new Flight(1), [new Uint8Array(0)])
  make(8, "one-time key in the init", new Flight(1, true), [application("hello")])
  const long = make(9, "a padding of more than 256 bytes", new Flight(1), [sized(200)])
  return { one, two, long }
}

/** One item of the envelope gives way, without a new seal. */
export function changed(base: Base, path: readonly number[], put: string): Change {
  const envelope = replaceItem(base.envelope, path, put)
  return { level: "field", field: "envelope", path, put, input: { ...base.input, envelope } }
}
