// A cluster of hubs: rows packed in memory are the rows that were written, whatever is written and
// erased in whatever order, also after a snapshot; and an agent takes no more memory than documented.

import { createHash } from "node:crypto"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { memoryPerAgent } from "../bench/cluster-memory.ts"
import { MemoryStore } from "../src/hub/memory-store.ts"
import { keyOf, type OneTimeRow, type PoolRow, type Row, type Write } from "../src/hub/rows.ts"
import { PartitionStore } from "../src/node/cluster/partition-store.ts"
import { divide } from "../src/node/cluster/records.ts"
import { SeenKeys } from "../src/node/cluster/seen-keys.ts"
import { MemoryLog } from "./support/shared-log.ts"

const hash = (n: number): Uint8Array =>
  new Uint8Array(createHash("sha256").update(String(n)).digest())

let epochs = 0
function storeOn(log: MemoryLog): PartitionStore {
  const epoch = new Uint8Array(16)
  new DataView(epoch.buffer).setUint32(0, ++epochs)
  return new PartitionStore({
    ...{ log, partition: 1, epoch, snapshotRecords: 6, lost: () => {}, full: () => {} },
    pause: async (error) => {
      throw error
    },
  })
}

const NAMES = ["alice", "bob"]
const TIMES = [5, 6, 900]
const small = fc.nat({ max: 2 })

function oneTimeRow(n: number): OneTimeRow {
  return [new Uint8Array(40).fill(n), new Uint8Array(64).fill(n + 1)]
}

function poolRow(n: number): PoolRow {
  return [n, [[1, n, [[n, n + 1]]]], [[n, 1]]]
}

/** One key that a hub may write, with a row for it. */
const ROW = fc
  .record({
    // Mostly keys that have been seen, and their due rows: those are packed most.
    table: fc.constantFrom(0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6),
    name: fc.constantFrom(...NAMES),
    n: small,
    time: fc.nat({ max: 7 }),
  })
  .map(({ table, name, n, time }): readonly [string, Row] => {
    const at = TIMES[time % TIMES.length] as number
    const seen = keyOf.seen(name, hash(n))
    const others = [keyOf.sent(name, "carol", new Uint8Array(16).fill(n))]
    switch (table) {
      case 0:
        return [seen, [at]]
      case 1:
        return [keyOf.due(at, seen), time === 7 ? others : []]
      case 2:
        return [keyOf.oneTime(name, 1 + (time & 1), n), oneTimeRow(n)]
      case 3:
        return [keyOf.pool(name), poolRow(n)]
      case 4:
        return [
          keyOf.mail(name, n),
          ["carol", new Uint8Array(16), at, 9, new Uint8Array(9).fill(n)],
        ]
      case 5:
        return [keyOf.due(at, keyOf.account(name)), []]
      default:
        return [keyOf.account(name), [n, 0, 0, at, null, [1]]]
    }
  })

const STEP = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.tuple(ROW, fc.boolean()), { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constant("again" as const) },
)

async function due(store: PartitionStore | MemoryStore, limit: number): Promise<Map<string, Row>> {
  const { rows } = await store.range("due/", "due0", limit)
  const times = rows.map(([key]) => key.split("/")[1])
  expect(times).toEqual([...times].sort())
  return new Map(rows)
}

test("packed rows are the rows that were written, also after a snapshot", async () => {
  const property = fc.asyncProperty(
    fc.array(STEP, { maxLength: 30, size: "max" }),
    async (steps) => {
      const log = new MemoryLog()
      const model = new MemoryStore()
      const keys = new Set<string>()
      let store = storeOn(log)
      await store.open()
      for (const step of steps) {
        if (step === "again") {
          await store.close()
          store = storeOn(log)
          await store.open()
        } else {
          const writes = new Map<string, Row | null>()
          for (const [[key, row], erased] of step) writes.set(key, erased ? null : row)
          for (const key of writes.keys()) keys.add(key)
          await store.write(writes)
          await model.write(writes)
        }
        const all = [...keys].filter((key) => !key.startsWith("mail/")) // these by range, whole
        expect(await store.read(all)).toEqual(await model.read(all))
        expect(await due(store, 1_000)).toEqual(await due(model, 1_000))
        const first = [...(await due(store, 2)).keys()]
        expect(first.length).toBe(Math.min(2, (await due(model, 2)).size))
        for (const name of NAMES) {
          const range = [keyOf.mail(name, 0), keyOf.mailEnd(name), 100] as const
          expect((await store.range(...range)).rows).toEqual((await model.range(...range)).rows)
        }
      }
      await store.close()
    },
  )
  await fc.assert(property, { numRuns: 100 })
})

test("seen keys: thousands, found whatever was deleted between", () => {
  const keys = new SeenKeys()
  const model = new Map<number, number>()
  for (let round = 0; round < 6_000; round++) {
    const n = ((round * 7_919) % 6_007) % 1_500 // each several times, set and deleted
    if ((round * 31) % 7 < 3) {
      keys.delete(hash(n))
      model.delete(n)
    } else {
      keys.set(hash(n), round, round % 5)
      model.set(n, round)
    }
  }
  const again = new SeenKeys()
  for (const piece of keys.pieces(100)) again.add(piece, () => {})
  for (const found of [keys, again]) {
    expect(found.size).toBe(model.size)
    for (let n = 0; n < 1_500; n++) {
      const round = model.get(n)
      expect(found.get(hash(n))).toEqual(round === undefined ? null : [round, round % 5])
    }
  }
})

test("one-time keys wait in records of their own: they do not keep mail in the log", () => {
  const mail: Write = [keyOf.mail("bob", 1), ["a", new Uint8Array(16), 1, 3, new Uint8Array(3)]]
  const put: Write = [keyOf.oneTime("bob", 1, 1), oneTimeRow(1)]
  const parts = divide([mail, put, [keyOf.oneTime("bob", 1, 0), null]])
  expect(parts.map(({ writes }) => writes.map(([key]) => key.split("/")[0]))).toEqual([
    ["one-time"],
    ["mail", "one-time"],
  ])
})

test("an agent with a bundle and a hundred one-time keys takes less than 24 KB", async () => {
  const { written, read } = await memoryPerAgent(120, 100)
  expect(written).toBeLessThan(24_000)
  expect(read).toBeLessThan(24_000)
})
