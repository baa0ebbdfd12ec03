// A cluster of hubs: one partition on a log that loses answers, is behind, and whose owners end at
// any append. Whatever was acknowledged is there for the next owner; a former one never writes.

import * as fc from "fast-check"
import { expect, test } from "vitest"
import type { MailRow, Row, Write } from "../src/hub/rows.ts"
import { Claims, foundCluster } from "../src/node/cluster/bindings.ts"
import { PartitionStore } from "../src/node/cluster/partition-store.ts"
import { Conflict, createSurely, Full } from "../src/node/cluster/shared-log.ts"
import { LogView, MemoryLog } from "./support/shared-log.ts"

let epochs = 0
function epoch(): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, ++epochs)
  return bytes
}

/** Numbers below 1 from a seed. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}

interface Own {
  readonly store: PartitionStore
  readonly view: LogView
  lost: boolean
  full: boolean
}

function owner(log: MemoryLog, chance: () => number, faults = 0, snapshotRecords = 3): Own {
  const view = new LogView(log, chance)
  view.faults = faults
  const own: Own = {
    view,
    lost: false,
    full: false,
    store: new PartitionStore({
      ...{ log: view, partition: 7, epoch: epoch(), snapshotRecords },
      lost: () => {
        own.lost = true
      },
      full: () => {
        own.full = true
      },
      pause: () => new Promise((resolve) => setImmediate(resolve)),
    }),
  }
  return own
}

const batchKey = (id: number): string => `sender/batch/${id}`
const mailKey = (id: number): string => `mail/bob/${String(id).padStart(14, "0")}`
const SHARED = "sender/shared/x"

/** A batch that can be told from all others: all of it must be there, or nothing. */
function batchOf(id: number, size: number, erased: number | null): Write[] {
  const envelope = new Uint8Array(size).fill(id)
  const mail: MailRow = ["alice", new Uint8Array(16), id, size, envelope]
  const writes: Write[] = [
    [batchKey(id), [id, 1]],
    [mailKey(id), mail],
    [SHARED, [id, 0]],
  ]
  if (erased !== null) writes.push([mailKey(erased), null])
  return writes
}

async function mailOf(store: PartitionStore): Promise<Map<number, number>> {
  const { rows } = await store.range("mail/bob/", "mail/bob0", 10_000)
  return new Map(
    rows.map(([key, row]) => {
      const envelope = (row as MailRow)[4]
      const id = Number(key.slice(9))
      expect(envelope.every((byte) => byte === (id & 255))).toBe(true)
      return [id, envelope.length]
    }),
  )
}

/** A promise, or null if the process that should keep it has ended. */
async function orEnd(own: Own, work: Promise<void>): Promise<boolean | null> {
  return Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    new Promise<null>((resolve) => {
      own.view.ended = () => resolve(null)
    }),
  ])
}

const recordsOf = (log: MemoryLog): readonly string[] =>
  log.messages.map(({ subject }) => subject).filter((subject) => subject.startsWith("log."))

const STEP = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant("write" as const), old: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("large" as const), old: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("open" as const), old: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("kill" as const), old: fc.nat(9) }) },
)

test("what was acknowledged is there for the next owner; a former owner never writes", async () => {
  const property = fc.asyncProperty(
    fc.array(STEP, { maxLength: 40 }),
    fc.integer(),
    fc.constantFrom(0, 0.2, 0.5),
    async (steps, seed, faults) => {
      const log = new MemoryLog()
      const chance = chanceOf(seed)
      const owners: Own[] = []
      const mail = new Set<number>()
      const uncertain = new Set<number>()
      const accepted = new Set<number>()
      const refused = new Set<number>()
      let id = 0

      const open = async (): Promise<Own> => {
        const own = owner(log, chance, faults)
        await own.store.open()
        owners.push(own)
        return own
      }
      await open()
      for (const step of steps) {
        const newest = owners.at(-1) as Own
        if (step.do === "open") {
          await open()
          continue
        }
        if (step.do === "kill") {
          newest.view.left = step.old
          continue
        }
        // Mostly the newest owner writes, now and then one of those before.
        const own = step.old === 0 ? owners[Math.floor(chance() * owners.length)] : newest
        if (own === undefined || own.view.left <= 0) {
          if (own === newest) await open()
          continue
        }
        const erased = own === newest && mail.size > 2 ? ([...mail][0] as number) : null
        const size = step.do === "large" ? 200_000 : 20
        const writes = batchOf(++id, size, erased)
        if (step.do === "large") writes.push(...batchOf(id + 1_000_000, size, null).slice(1, 2))
        const before = recordsOf(log)
        const outcome = await orEnd(own, own.store.write(writes))
        if (own !== newest) {
          expect(outcome).not.toBe(true)
          refused.add(id)
          expect(before).toEqual(expect.arrayContaining([...recordsOf(log)]))
        } else if (outcome === true) {
          accepted.add(id)
          mail.add(id)
          if (erased !== null) mail.delete(erased)
        } else {
          uncertain.add(id)
          if (erased !== null) {
            mail.delete(erased)
            uncertain.add(erased)
          }
          await open()
        }
      }
      const last = await open()
      const found = await mailOf(last.store)
      for (const one of accepted) expect(last.store.peek(batchKey(one))).toEqual([one, 1])
      for (const one of mail) expect(found.has(one)).toBe(true)
      for (const one of refused) {
        expect(last.store.peek(batchKey(one))).toBeNull()
        expect(found.has(one)).toBe(false)
      }
      for (const one of uncertain) {
        const there = last.store.peek(batchKey(one)) !== null
        if (!accepted.has(one)) expect(found.has(one)).toBe(there) // all of a batch, or nothing
      }
      const newest = Math.max(
        0,
        ...[...accepted, ...uncertain].filter((n) => last.store.peek(batchKey(n))),
      )
      expect(last.store.peek(SHARED)).toEqual(newest === 0 ? null : [newest, 0])

      // Snapshot and replay give the same rows as the owner has.
      const again = owner(log, chance)
      await again.store.open()
      expect(await mailOf(again.store)).toEqual(found)
      for (let n = 1; n <= id; n++) {
        expect(again.store.peek(batchKey(n))).toEqual(last.store.peek(batchKey(n)))
      }
      await again.store.close()
    },
  )
  await fc.assert(property, { numRuns: 1_000 })
})

async function written(own: Own, from: number, to: number): Promise<void> {
  for (let id = from; id <= to; id++) await own.store.write([[batchKey(id), [id, 1] as Row]])
}

test("a former owner cannot write, whatever was erased meanwhile", async () => {
  const log = new MemoryLog()
  const chance = chanceOf(1)
  const first = owner(log, chance)
  await first.store.open()
  await written(first, 1, 10)
  const second = owner(log, chance)
  await second.store.open()
  await written(second, 11, 60)
  await second.store.close()
  await expect(first.store.write([[batchKey(99), [99, 1]]])).rejects.toBeInstanceOf(Conflict)
  expect(first.lost).toBe(true)
  const third = owner(log, chance)
  await third.store.open()
  expect(third.store.peek(batchKey(99))).toBeNull()
  expect(third.store.peek(batchKey(60))).toEqual([60, 1])
})

test("a store without room refuses a batch as a whole; the partition is still owned", async () => {
  const log = new MemoryLog()
  const own = owner(log, chanceOf(1))
  await own.store.open()
  await written(own, 1, 3)
  own.view.full = true
  const large = [...batchOf(4, 200_000, null), ...batchOf(5, 200_000, null)]
  await expect(own.store.write(large)).rejects.toBeInstanceOf(Full)
  expect([own.full, own.lost]).toEqual([true, false])
  expect(own.store.peek(batchKey(4))).toBeNull()
  own.view.full = false
  await own.store.write(large)
  // Full in the middle: a part is there, which the next owner drops.
  const create = own.view.create
  let records = 0
  own.view.create = (...args) =>
    records++ === 1 ? Promise.reject(new Full("full")) : create(...args)
  const more = [...batchOf(6, 200_000, null), ...batchOf(7, 200_000, null)]
  await expect(own.store.write(more)).rejects.toBeInstanceOf(Full)
  expect(own.lost).toBe(true)
  const next = owner(log, chanceOf(1))
  await next.store.open()
  await written(next, 8, 8)
  const last = owner(log, chanceOf(1))
  await last.store.open()
  const there = [4, 5, 6, 7, 8].filter((id) => last.store.peek(batchKey(id)) !== null)
  expect(there).toEqual([4, 5, 8])
})

test("a batch of several records of which one comes late is read as one", async () => {
  const log = new MemoryLog()
  const chance = chanceOf(1)
  const first = owner(log, chance)
  await first.store.open()
  const second = owner(log, chance)
  // The first owner is between two records of one batch when the second reads.
  const read = second.view.next
  let writing: Promise<void> | null = null
  const append = first.view.create
  let records = 0
  let release = (): void => undefined
  first.view.create = async (...args) => {
    if (records++ === 1) {
      await new Promise<void>((resolve) => {
        release = resolve
      })
    }
    return append(...args)
  }
  writing = first.store.write([...batchOf(1, 200_000, null), ...batchOf(2, 200_000, null)])
  let held = true
  second.view.next = async (...args) => {
    const found = await read(...args)
    if (found === null && held) {
      held = false
      release()
      await writing
    }
    return found
  }
  await second.store.open()
  expect([...(await mailOf(second.store)).keys()]).toEqual([1, 2])
})

test("the log does not grow: what is read and covered is erased, first records of owners stay", async () => {
  const log = new MemoryLog()
  const own = owner(log, chanceOf(1), 0, 8)
  await own.store.open()
  for (let id = 1; id <= 400; id++) {
    await own.store.write(batchOf(id, 50, id > 3 ? id - 3 : null))
    if (id % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await own.store.close()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const subjects = await log.subjects("log.7.*")
  expect(subjects).toContain("log.7.1")
  expect(subjects.length).toBeLessThan(250)
  expect((await log.subjects("manifest.7.*")).length).toBe(1)
  expect((await log.subjects("snapshot.7.*")).length).toBe(1)
})

test("the first record of an owner that has written nothing yet stays, whoever covers it", async () => {
  const log = new MemoryLog()
  const owners = [1, 2, 3].map((seed) => owner(log, chanceOf(seed)))
  for (const { store } of owners) await store.open()
  const [first, second, third] = owners as [Own, Own, Own]
  await written(third, 1, 40) // snapshots cover the first records of all three
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await log.subjects("manifest.7.*")).not.toEqual([])
  expect(await log.subjects("log.7.*")).not.toContain("log.7.4")
  for (const { store } of [first, second]) {
    await expect(store.write([[batchKey(99), [99, 1]]])).rejects.toThrow(Conflict)
  }
})

test("an owner whose store has lost its end writes no more", async () => {
  const log = new MemoryLog()
  const own = owner(log, chanceOf(1))
  await own.store.open()
  await written(own, 1, 5)
  log.create = async () => 3 // the number of a message that was there before
  await expect(written(own, 6, 6)).rejects.toThrow(/has lost/)
  expect(own.lost).toBe(true)
})

test("of two cores that found a cluster at once one wins, and answers may be lost", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const log = new MemoryLog()
    const pause = async (): Promise<void> => undefined
    const metas = await Promise.all(
      [1, 2, 3].map((n) => {
        const view = new LogView(log, chanceOf(seed * 7 + n))
        view.faults = 0.5
        const secret = new Uint8Array(32).fill(n)
        return foundCluster(view, { partitions: n, secret }, pause)
      }),
    )
    expect(new Set(metas.map(({ partitions }) => partitions)).size).toBe(1)
  }
})

test("a store that has lost its beginning is not taken for a new one", async () => {
  const log = new MemoryLog()
  const pause = async (): Promise<void> => undefined
  const meta = (n: number) => ({ partitions: 4, secret: new Uint8Array(32).fill(n) })
  await foundCluster(log, meta(1), pause)
  await log.create("log.1.1", new Uint8Array(1))
  expect((await foundCluster(log, meta(2), pause)).secret).toEqual(meta(1).secret)
  log.messages = log.messages.slice(1)
  for (let tries = 0; tries < 2; tries++) {
    await expect(foundCluster(log, meta(2), pause)).rejects.toThrow(/hub's key is not in it/)
  }
  expect((await foundCluster(log, meta(3), pause, true)).secret).toEqual(meta(3).secret)
})

test("a key belongs to one name for ever", async () => {
  const log = new MemoryLog()
  const claims = [1, 2, 3].map(() => new Claims(log, async () => undefined))
  const ik = new Uint8Array(32).fill(9)
  const names = ["alice", "bob", "carol"]
  const won = await Promise.all(claims.map((claim, i) => claim.claim({ name: `${names[i]}`, ik })))
  expect(won.filter(Boolean).length).toBe(1)
  const again = await Promise.all(
    claims.map((claim, i) => claim.claim({ name: `${names[i]}`, ik })),
  )
  expect(again).toEqual(won)
})

test("creating tells whether it was this one, though the answer was lost", async () => {
  const log = new MemoryLog()
  const view = new LogView(log, chanceOf(3))
  view.faults = 0.9
  const pause = async (): Promise<void> => undefined
  for (let i = 0; i < 50; i++) {
    const data = new Uint8Array([i])
    const other = i % 2 === 0 ? new Uint8Array([i, 1]) : null
    if (other !== null) await log.create(`log.1.${i}`, other)
    const made = createSurely(view, `log.1.${i}`, data, pause)
    if (other === null) await made
    else await expect(made).rejects.toBeInstanceOf(Conflict)
    expect((await log.last(`log.1.${i}`))?.data).toEqual(other ?? data)
  }
})
