// Memory of one agent at the owner of its partition: bundle and one-time keys, after they were put
// there, and after another owner has read them.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { createBundle, createOneTimeKey } from "../src/bundle.ts"
import { decode } from "../src/encoding.ts"
import { Batch } from "../src/hub/batch.ts"
import { peeking } from "../src/hub/cache.ts"
import type { Decision } from "../src/hub/decision.ts"
import { DEFAULT_LIMITS } from "../src/hub/decision.ts"
import { decideBind, decidePutBundle } from "../src/hub/directory.ts"
import type { Signed } from "../src/hub/frames.ts"
import { decidePutOneTime } from "../src/hub/pool.ts"
import { Reader } from "../src/hub/rows.ts"
import { createIdentity } from "../src/identity.ts"
import { PartitionStore } from "../src/node/cluster/partition-store.ts"
import { Conflict, type SharedLog, type Stored } from "../src/node/cluster/shared-log.ts"
import { osDraw } from "../src/suite.ts"

interface Message {
  readonly subject: string
  readonly at: number
  readonly length: number
}

/** A log in a file: what it holds is not counted. */
class FileLog implements SharedLog {
  readonly #folder = mkdtempSync(join(tmpdir(), "agentmesh-log-"))
  readonly #file = openSync(join(this.#folder, "log"), "w+")
  readonly #messages: Message[] = []
  readonly #last = new Map<string, number>()
  #end = 0

  async create(subject: string, data: Uint8Array): Promise<number> {
    if (this.#last.has(subject)) throw new Conflict(subject)
    return this.append(subject, data)
  }

  async append(subject: string, data: Uint8Array): Promise<number> {
    writeSync(this.#file, data, 0, data.length, this.#end)
    this.#messages.push({ subject, at: this.#end, length: data.length })
    this.#end += data.length
    this.#last.set(subject, this.#messages.length)
    return this.#messages.length
  }

  #read(seq: number): Stored {
    const { subject, at, length } = this.#messages[seq - 1] as Message
    const data = new Uint8Array(length)
    readSync(this.#file, data, 0, length, at)
    return { seq, subject, data, time: 0 }
  }

  async next(pattern: string, after: number): Promise<Stored | null> {
    const prefix = pattern.slice(0, -1) // the pattern ends with "*"
    for (let seq = after + 1; seq <= this.#messages.length; seq++) {
      if (this.#messages[seq - 1]?.subject.startsWith(prefix)) return this.#read(seq)
    }
    return null
  }

  async *scan(): AsyncGenerator<Stored> {}

  async last(subject: string): Promise<Stored | null> {
    const seq = this.#last.get(subject)
    return seq === undefined ? null : this.#read(seq)
  }

  async get(seq: number): Promise<Uint8Array> {
    return this.#read(seq).data
  }

  async subjects(pattern: string): Promise<readonly string[]> {
    const prefix = pattern.slice(0, -1)
    return [...this.#last.keys()].filter((subject) => subject.startsWith(prefix))
  }

  async erase(): Promise<void> {
    // all stays
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#folder, { recursive: true })
  }
}

function storeOn(log: SharedLog): PartitionStore {
  return new PartitionStore({
    ...{ log, partition: 0, epoch: osDraw("identity", 16) },
    lost: () => {},
    full: () => {},
    pause: async (error) => {
      throw error
    },
  })
}

async function put(store: PartitionStore, name: string, keys: number, suite: 1 | 2): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const identity = createIdentity(name, osDraw)
  const peer = { name, ik: identity.ik }
  const secret = new Uint8Array(32)
  const settings = { limits: DEFAULT_LIMITS, maxNames: 1e6, key: { ik: secret, secret } }
  const bundle = createBundle(identity, { seq: now, now, suites: [suite] }, osDraw).bytes
  const oneTime = Array.from(
    { length: keys },
    () => decode(createOneTimeKey(identity, suite, now, osDraw).bytes) as unknown as Signed,
  )
  const decisions: ((rows: Reader) => Decision)[] = [
    (rows) => decideBind(peer, rows, settings, now),
    (rows) => decidePutBundle(peer, decode(bundle) as unknown as Signed, rows, now),
    (rows) => decidePutOneTime(peer, { type: "putOneTime", drop: false, keys: oneTime }, rows, now),
  ]
  const batch = new Batch(peeking(store))
  for (const decide of decisions) {
    const { error, writes } = decide(new Reader(batch))
    if (error) throw new Error(error.code)
    batch.apply(writes)
  }
  await batch.commit()
}

async function used(): Promise<number> {
  setFlagsFromString("--expose-gc")
  const gc = runInNewContext("gc") as () => void
  await new Promise((resolve) => setTimeout(resolve, 100))
  for (let i = 0; i < 4; i++) gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Bytes of memory for each agent. */
export interface MemoryResult {
  /** At the owner to whom the keys were given. */
  readonly written: number
  /** At the next one, who has read them. */
  readonly read: number
}

/** Puts bundles and `keys` one-time keys of so many agents into one partition. */
export async function memoryPerAgent(
  agents: number,
  keys: number,
  suite: 1 | 2 = 1,
): Promise<MemoryResult> {
  const log = new FileLog()
  let store = storeOn(log)
  await store.open()
  await put(store, "warm-up", 1, 1)
  const before = await used()
  for (let i = 0; i < agents; i++) await put(store, `agent-${i}`, keys, suite)
  await store.close()
  const written = ((await used()) - before) / agents
  store = storeOn(log)
  await store.open()
  const read = ((await used()) - before) / agents
  if (store.peek("account/agent-0") === null) throw new Error("nothing was stored")
  log.close()
  return { written: Math.round(written), read: Math.round(read) }
}
