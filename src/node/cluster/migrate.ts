// A cluster of hubs: moving the store of a single hub into a cluster that is still empty. What makes
// it a cluster is written last: until then no hub can be one of it.

import { createHash } from "node:crypto"
import { Batch } from "../../hub/batch.ts"
import { peeking } from "../../hub/cache.ts"
import { dueKey, type KeyRow, keyOf, type SecretRow, tableOf, type Write } from "../../hub/rows.ts"
import type { HubStore } from "../../hub/store.ts"
import { encode as pack } from "../../pack.ts"
import { osDraw } from "../../suite.ts"
import { foundCluster, partitionOf } from "./bindings.ts"
import { PartitionStore } from "./partition-store.ts"
import { createSurely, type SharedLog, subjects } from "./shared-log.ts"

/** Rows and bytes that are read at once, and bytes that are written at once. */
const PAGE_ROWS = 1_024
const PAGE_BYTES = 4_194_304
const WRITE_BYTES = 4_194_304
/** Identity keys that are bound at the same time. */
const CLAIMS = 32
/** Times that something is tried. */
const TRIES = 40
const RETRY = 250

/** What was moved. */
export interface Migrated {
  readonly names: number
  readonly messages: number
  readonly rows: number
  /** The secret of the hub: it stays the same hub. */
  readonly secret: Uint8Array
}

async function pause(error: unknown, tries: { left: number }): Promise<void> {
  if (tries.left-- <= 0) throw error
  await new Promise((resolve) => setTimeout(resolve, RETRY))
}

/** The name that a row belongs to. */
function nameOf(key: string, row: Write[1]): string {
  const table = tableOf(key)
  if (table === "ik") return (row as KeyRow)[0]
  const about = table === "due" ? dueKey(key) : key
  return about.split("/")[1] as string
}

/** One partition that is being filled. */
class Target {
  readonly #store: PartitionStore
  #writes: Write[] = []
  #bytes = 0
  #names = 0

  constructor(store: PartitionStore) {
    this.#store = store
  }

  async put(key: string, row: Write[1]): Promise<void> {
    if (tableOf(key) === "name") this.#names++
    this.#writes.push([key, row])
    this.#bytes += key.length
    for (const item of row ?? []) if (item instanceof Uint8Array) this.#bytes += item.length
    if (this.#bytes >= WRITE_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const writes = this.#writes
    this.#writes = []
    this.#bytes = 0
    if (writes.length > 0) await this.#store.write(writes)
  }

  async end(): Promise<void> {
    if (this.#names > 0) this.#writes.push([keyOf.names, [this.#names]])
    await this.#flush()
    await this.#store.close()
  }
}

/**
 * Moves all rows of a hub's store.
 *
 * @param from - An open store that no hub uses.
 * @param log - The shared store of the cluster.
 * @throws Error if the cluster is not empty, or the store holds no hub.
 */
export async function migrateStore(
  from: HubStore,
  log: SharedLog,
  partitions: number,
): Promise<Migrated> {
  const tries = { left: TRIES }
  const wait = (error: unknown): Promise<void> => pause(error, tries)
  if ((await log.next(">", 0)) !== null) {
    const advice = "choose another --cluster, or remove its stream"
    throw new Error(`the cluster is not empty: ${advice}`)
  }
  const batch = new Batch(peeking(from))
  await batch.load([keyOf.hub])
  const secret = (batch.get(keyOf.hub) as SecretRow | null)?.[0]
  if (secret === undefined) throw new Error("there is no hub in this data directory")
  const targets = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const lost = (): void => undefined
      const epoch = osDraw("identity", 16)
      const store = new PartitionStore({ log, partition, epoch, lost, full: lost, pause: wait })
      await store.open()
      return new Target(store)
    }),
  )
  const counted = { names: 0, messages: 0, rows: 0 }
  let claims: Promise<number>[] = []
  for (let after = ""; ; ) {
    const page = await from.range(after, "~", PAGE_ROWS, PAGE_BYTES)
    for (const [key, row] of page.rows) {
      after = `${key}\u0000`
      const table = tableOf(key)
      if (table === "hub" || table === "names") continue // per cluster, and per partition
      const name = nameOf(key, row)
      counted.rows++
      if (table === "name") {
        counted.names++
        const [ik] = row as readonly [Uint8Array]
        const digest = createHash("sha256").update(ik).digest("hex")
        claims.push(createSurely(log, subjects.key(digest), pack([name, ik]), wait))
        if (claims.length >= CLAIMS) {
          await Promise.all(claims)
          claims = []
        }
      } else if (table === "mail") counted.messages++
      await targets[partitionOf(name, partitions)]?.put(key, row)
    }
    if (!page.more) break
  }
  await Promise.all([...claims, ...targets.map((target) => target.end())])
  const founded = await foundCluster(log, { partitions, secret }, wait, true)
  if (Buffer.compare(founded.secret, secret) !== 0) {
    throw new Error("a hub has founded the cluster meanwhile: remove its stream, and try again")
  }
  return { ...counted, secret }
}
