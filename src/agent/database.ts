// SPEC §12 agent: rows of an abstract-level database, opened, read and written.

import { type Change, type Database, ENCODINGS } from "../database.ts"
import { AgentMeshError } from "../errors.ts"

export type { Change, Database } from "../database.ts"

/** Opens the database; a lock held by another process is `agent/store-locked`. */
export async function openDatabase(db: Database): Promise<void> {
  try {
    await db.open()
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } }
    if (cause?.code === "LEVEL_LOCKED") {
      const advice = "another process has this store open; move a stopped agent by moving its store"
      throw new AgentMeshError("agent/store-locked", advice, error)
    }
    throw new AgentMeshError("agent/store-corrupt", "the store cannot be opened", error)
  }
}

/** The rows at the keys, in their order, copied: databases differ in whether they keep a reference. */
export async function readKeys(
  db: Database,
  keys: string[],
): Promise<readonly (Uint8Array | undefined)[]> {
  if (keys.length === 0) return []
  const values = db.getMany
    ? await db.getMany(keys, ENCODINGS)
    : await Promise.all(keys.map((key) => db.get(key, ENCODINGS)))
  return values.map((value) => value && new Uint8Array(value))
}

/** All rows whose key begins with `prefix`, in key order. */
export async function* readRows(
  db: Database,
  prefix: string,
): AsyncGenerator<[string, Uint8Array]> {
  const range = { gte: prefix, lt: `${prefix}\u{10ffff}`, ...ENCODINGS }
  for await (const [key, value] of db.iterator(range)) {
    yield [key, new Uint8Array(value)]
  }
}

/** Writes all changes or none; resolves when they are durable. */
export async function writeRows(db: Database, changes: Change[]): Promise<void> {
  if (changes.length > 0) await db.batch(changes, { ...ENCODINGS, sync: true })
}
