// The database of agents that keep nothing, against memory-level.

import fc from "fast-check"
import { MemoryLevel } from "memory-level"
import { expect, test } from "vitest"
import { MemoryDatabase } from "../src/agent/memory-database.ts"
import { type Change, ENCODINGS } from "../src/database.ts"

const key = fc.string({
  unit: fc.constantFrom("a", "b", "/", "0", "z"),
  minLength: 1,
  maxLength: 4,
})
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    type: fc.constant("put" as const),
    key,
    value: fc.uint8Array({ maxLength: 4 }),
  }),
  fc.record({ type: fc.constant("del" as const), key }),
)

const plain = (value: Uint8Array | undefined): readonly number[] | undefined => value && [...value]

test("answers as memory-level does", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 8 }),
      key,
      key,
      fc.nat(5),
      async (batches, a, b, limit) => {
        const ours = new MemoryDatabase()
        const theirs = new MemoryLevel<string, Uint8Array>({ valueEncoding: "view" })
        await ours.open()
        await theirs.open()
        for (const batch of batches) {
          await ours.batch(batch)
          await theirs.batch(batch, { ...ENCODINGS, sync: true } as object)
        }
        const [gte, lt] = [a, b].sort() as [string, string]
        for (const range of [
          { gte, lt },
          { gte: `${gte}/`, lt: `${gte}/\u{10ffff}` },
          { gte: "", lt: "~", limit: limit + 1 },
        ]) {
          const found: [string, Uint8Array][] = []
          for await (const row of ours.iterator(range)) found.push(row)
          const expected = await theirs.iterator(range).all()
          expect(found.map(([k, v]) => [k, [...v]])).toEqual(expected.map(([k, v]) => [k, [...v]]))
        }
        expect(plain(await ours.get(a))).toEqual(plain(await theirs.get(a)))
        await ours.close()
        await ours.open()
        expect(plain(await ours.get(b))).toEqual(plain(await theirs.get(b)))
      },
    ),
    { numRuns: 300 },
  )
})
