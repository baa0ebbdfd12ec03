// What is read from bytes owns its memory: a buffer that a socket fills again changes nothing.

import { describe, expect, test } from "vitest"
import { importState } from "../src/agent/backup.ts"
import { decodeCard, encodeCard, openBundle, openOneTimeKey } from "../src/bundle.ts"
import { decode, decodePayload } from "../src/encoding.ts"
import { decodeContent, decodeEnvelope, decodeReceipts } from "../src/envelope.ts"
import { decodeFrame, openReceipt } from "../src/hub/frames.ts"
import { TARGETS } from "./fuzz/targets.ts"

const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  decode: (bytes) => decode(bytes),
  decodePayload,
  openBundle,
  openOneTimeKey,
  decodeEnvelope,
  decodeContent,
  decodeReceipts,
  openReceipt,
  readReady: decodeFrame,
  importState: (bytes) => importState(bytes, new Uint8Array(32).fill(4)),
}

/** All bytes inside a value, as text. */
function snapshot(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (item instanceof Uint8Array ? [...item] : item))
}

describe("the result is the same after the input was overwritten", () => {
  test.each(Object.entries(readers))("%s", (name, read) => {
    const seeds = TARGETS.find((target) => target.name === name)?.seeds ?? []
    expect(seeds.length).toBeGreaterThan(0)
    for (const seed of seeds) {
      for (const input of [new Uint8Array(seed), Buffer.from(seed)]) {
        const result = read(input)
        const before = snapshot(result)
        input.fill(0)
        expect(snapshot(result)).toBe(before)
      }
    }
  })
})

test("a card of any length is judged without reading it all", () => {
  const seed = TARGETS.find(({ name }) => name === "openBundle")?.seeds[0] as Uint8Array
  const card = encodeCard(seed)
  expect(decodeCard(card)).toEqual(seed)
  const long = `${card.slice(0, 11)}${"A".repeat(20_000)}`
  expect(() => decodeCard(long)).toThrow("encoding/limit")
})
