// Shelves of agents that keep nothing, against those in a database.

import fc from "fast-check"
import { MemoryLevel } from "memory-level"
import { expect, test } from "vitest"
import { DiskShelf, MemoryShelf } from "../src/agent/shelf.ts"
import { ENCODINGS } from "../src/database.ts"

const key = fc.string({
  unit: fc.constantFrom("a", "b", "/", "0", "z"),
  minLength: 1,
  maxLength: 4,
})
const value = fc.option(fc.uint8Array({ maxLength: 4 }), { nil: null })
const step = fc.record({
  writes: fc.array(fc.tuple(key, value), { maxLength: 6 }),
  end: fc.constantFrom("commit", "commit", "revert"),
})

const plain = (rows: readonly (Uint8Array | undefined)[]) => rows.map((row) => row && [...row])

async function all(shelf: MemoryShelf | DiskShelf, prefix: string) {
  const found: [string, number[]][] = []
  for await (const [key, value] of shelf.scan(prefix)) found.push([key, [...value]])
  return found
}

test("a shelf in memory is like one in a database", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.array(key, { maxLength: 4 }),
      async (steps, keys) => {
        const db = new MemoryLevel<string, Uint8Array>({ valueEncoding: "view" })
        await db.open()
        await db.put("other/a", new Uint8Array(1))
        const ours = new MemoryShelf()
        const theirs = new DiskShelf(db as never, "shelf")
        for (const { writes, end } of steps) {
          for (const [key, value] of writes) {
            ours.write(key, value)
            theirs.write(key, value)
          }
          expect(plain(await ours.readAll(keys))).toEqual(plain(await theirs.readAll(keys)))
          const changes = [...theirs.changes()]
          if (end === "commit") await db.batch(changes, { ...ENCODINGS } as object)
          for (const shelf of [ours, theirs]) {
            if (end === "commit") shelf.commit()
            else shelf.revert()
            expect(shelf.changed).toBe(false)
          }
          for (const prefix of ["", "a", "a/", "zz"]) {
            expect(await all(ours, prefix)).toEqual(await all(theirs, prefix))
          }
        }
        expect(plain(await ours.readAll(keys))).toEqual(plain(await theirs.readAll(keys)))
      },
    ),
    { numRuns: 300 },
  )
})

test("keys that are gone do not pile up, and those between others find their place", async () => {
  const shelf = new MemoryShelf()
  expect(await all(shelf, "")).toEqual([])
  const name = (i: number) => `g/${`${i}`.padStart(6, "0")}`
  for (let i = 0; i < 6_000; i++) {
    shelf.write(name(2 * i), new Uint8Array(0))
    if (i >= 10) shelf.write(name(2 * (i - 10)), null)
    if (i % 1_000 === 999) expect(await all(shelf, "g/")).toHaveLength(10)
  }
  shelf.write(name(11_985), new Uint8Array(0))
  shelf.commit()
  const keys = (await all(shelf, "g/")).map(([key]) => key)
  expect(keys).toEqual([...keys].sort())
  expect(keys).toContain(name(11_985))
})
