// Erased means not readable in the files (AGENT-6): white box, on a real database.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { Agent } from "../src/agent/agent.ts"
import type { Change, Database } from "../src/agent/database.ts"
import { decodeRow, type SessionRow } from "../src/agent/rows.ts"
import { toHex } from "../src/bytes.ts"
import { type Environment, systemEnvironment } from "../src/environment.ts"
import { LocalHub } from "../src/hub/local-hub.ts"
import { FileDatabase } from "../src/node/database.ts"
import { Agent as NodeAgent } from "../src/node/index.ts"
import { osDraw, type Suite } from "../src/suite.ts"
import { World } from "./support-agent/world.ts"

const folder = mkdtempSync(join(tmpdir(), "agentmesh-erasure-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A database that remembers every secret that was ever written to it. */
class Watched extends FileDatabase {
  readonly #written: Map<string, string>
  compacting = true

  constructor(path: string, written: Map<string, string>) {
    super(path)
    this.#written = written
  }

  override async batch(changes: Change[], options: { sync: boolean } & never): Promise<void> {
    for (const change of changes) {
      if (change.type === "put") {
        for (const [what, secret] of secretsIn(change.key, change.value)) {
          this.#written.set(toHex(secret), what)
        }
      }
    }
    await super.batch(changes, options)
  }

  override async compactRange(start: string, end: string): Promise<void> {
    if (this.compacting) await super.compactRange(start, end)
  }

  /** What the rows of now hold. */
  async live(): Promise<Set<string>> {
    const live = new Set<string>()
    const range = { gte: "", lt: "\u{10ffff}", keyEncoding: "utf8", valueEncoding: "view" } as const
    for await (const [key, value] of this.iterator(range)) {
      for (const [, secret] of secretsIn(key, new Uint8Array(value))) live.add(toHex(secret))
    }
    return live
  }
}

/** The secrets in the rows of a closed database. */
async function liveIn(path: string): Promise<Set<string>> {
  const db = new Watched(path, new Map())
  await db.open()
  const live = await db.live()
  await db.close()
  return live
}

function secretsIn(key: string, value: Uint8Array): [string, Uint8Array][] {
  const secrets: [string, Uint8Array | null | undefined][] = []
  if (key.startsWith("key/session/")) {
    const { rk, cks, ckr, own } = decodeRow<SessionRow>(value).session
    secrets.push(["rk", rk], ["cks", cks], ["ckr", ckr])
    secrets.push(["ratchet", own?.secret.x], ["ratchet kem", own?.secret.kem])
  } else if (key.startsWith("key/one-time/")) {
    const { secret } = decodeRow<{ secret: { x: Uint8Array; kem: Uint8Array | null } }>(value)
    secrets.push(["one-time", secret.x], ["one-time kem", secret.kem])
  } else if (key.startsWith("key/skipped/")) {
    const { skipped } = decodeRow<{ skipped: { mk: Uint8Array }[] }>(value)
    for (const { mk } of skipped) secrets.push(["message key", mk])
  } else if (/^data\/(content|inbox)\//.test(key)) {
    // The marker of the test inside the content: 24 random bytes.
    const at = Buffer.from(value).indexOf("marker")
    if (at >= 0) secrets.push(["content", value.slice(at + 8, at + 32)])
  }
  return secrets.filter((one): one is [string, Uint8Array] => Boolean(one[1]))
}

/** The bytes of a file; of one that a compaction took away meanwhile, none. */
function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0)
    throw error
  }
}

/** Which of the secrets stand in the files of a directory. */
function found(path: string, secrets: Iterable<string>): string[] {
  const files = Buffer.concat(readdirSync(path).map((name) => bytesOf(join(path, name))))
  return [...secrets].filter((secret) => files.includes(Buffer.from(secret, "hex")))
}

const marked = (text: string) => ({
  text,
  marker: osDraw("content-id", 16),
  more: osDraw("guard", 16),
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Two agents over two lives; what was written, and what of it is left in their rows. */
async function converse(suite: Suite, compacting: boolean, label: string) {
  const hub = new LocalHub()
  const paths = ["a", "b"].map((name) => join(folder, `${label}-${suite}-${name}`))
  const written = [new Map<string, string>(), new Map<string, string>()]
  let lives: Set<string>[] = []
  for (let life = 0; life < 2; life++) {
    const dbs = paths.map((path, i) => {
      const db = new Watched(path, written[i] as Map<string, string>)
      db.compacting = compacting
      return db
    })
    const [a, b] = dbs.map(
      (store, i) =>
        new Agent(i === 0 ? "a" : "b", {
          ...{ hub, suites: [suite], oneTimeKeys: 4, store: store as unknown as Database },
        }),
    ) as [Agent, Agent]
    let heard = 0
    a.onMessage(() => void heard++)
    b.onMessage(() => void heard++)
    await Promise.all([a.ready, b.ready])
    for (let i = 0; i < 4; i++) {
      await a.send("b", marked(`${i}`))
      await b.send("a", marked(`${i}`))
      await a.send("b", marked(`${i} again`))
    }
    for (let i = 0; i < 100 && a.status().pending + b.status().pending > 0; i++) await pause(50)
    expect(a.status().pending + b.status().pending).toBe(0)
    expect(heard).toBe(12)
    await a.close()
    await b.close()
    lives = await Promise.all(paths.map(liveIn))
  }
  await hub.close()
  return paths.map((path, i) => {
    const all = written[i] as Map<string, string>
    const live = lives[i] as Set<string>
    const spent = [...all.keys()].filter((secret) => !live.has(secret))
    return { path, spent, live: [...live], what: all }
  })
}

describe.each([[1], [2]] as [Suite][])("the files of suite %i", (suite) => {
  it("hold spent keys and receipted contents before a compaction: the test can see", async () => {
    const [a, b] = await converse(suite, false, "kept")
    for (const { path, spent, what } of [a, b] as NonNullable<typeof a>[]) {
      const kinds = new Set(spent.map((secret) => what.get(secret)))
      for (const kind of ["rk", "cks", "ckr", "ratchet", "content"]) expect(kinds).toContain(kind)
      if (path.endsWith("b")) expect(kinds).toContain("one-time")
      expect(found(path, spent).length).toBeGreaterThan(0.8 * spent.length)
    }
  })

  it("hold none of them after it, and still what lives", async () => {
    for (const { path, spent, live, what } of await converse(suite, true, "compacted")) {
      expect(spent.length).toBeGreaterThan(20)
      expect(found(path, spent).map((secret) => what.get(secret))).toEqual([])
      expect(found(path, live).length).toBe(live.length)
    }
  })
})

describe("compaction", () => {
  it("erases spent keys from the files while the agent runs", async () => {
    // Ten minutes are shorter here; all else is as it is.
    const environment: Environment = {
      ...systemEnvironment,
      after: (ms, action, awaited) =>
        systemEnvironment.after(ms >= 600_000 ? ms / 2000 : ms, action, awaited),
    }
    const hub = new LocalHub()
    const written = new Map<string, string>()
    const path = join(folder, `running-${toHex(osDraw("guard", 16))}`)
    const store = new Watched(path, written)
    const options = { hub, suites: [1], oneTimeKeys: 4, environment } as const
    const a = new Agent("a", { ...options, store: store as unknown as Database })
    const b = new Agent("b", options)
    a.onMessage(() => {})
    b.onMessage(() => {})
    for (let i = 0; i < 4; i++) {
      await a.send("b", "x")
      await b.send("a", "y")
    }
    // The last receipts change keys too: until they are through, spent ones appear.
    for (let i = 0; i < 200 && a.status().pending + b.status().pending > 0; i++) await pause(50)
    const left = async () => {
      const live = await store.live()
      const keys = [...written].filter(([key, what]) => what !== "content" && !live.has(key))
      expect(keys.length).toBeGreaterThan(10)
      return found(
        path,
        keys.map(([key]) => key),
      ).map((key) => written.get(key))
    }
    let readable = await left()
    for (let i = 0; i < 400 && readable.length > 0; i++) {
      await pause(50)
      readable = await left()
    }
    expect(readable).toEqual([])
    await a.close()
    await b.close()
    await hub.close()
  })

  it("of keys within 10 minutes, of contents within a day, of nothing if nothing changed", async () => {
    const world = new World()
    const [a] = await world.pair()
    await world.clock.advance(86_400)
    a.handle.compactions.length = 0
    await world.until(a.agent.send("b", "x"))
    await world.clock.advance(601)
    expect(new Set(a.handle.compactions)).toEqual(new Set(["key/"]))
    await world.clock.advance(86_400)
    expect(new Set(a.handle.compactions)).toEqual(new Set(["key/", "data/"]))
    a.handle.compactions.length = 0
    await world.clock.advance(6000)
    expect(a.handle.compactions).toEqual([])
  })

  it("after a restart also of what a crash left", async () => {
    const world = new World()
    const [a] = await world.pair()
    await world.until(a.agent.send("b", "x"))
    a.kill()
    // Without its hub the agent has nothing to write that would call for one.
    const again = world.start("a", { disk: a.disk, suites: [1] })
    again.tap.up = false
    await world.clock.advance(601)
    expect(again.handle.compactions).toContain("key/")
    await world.until(again.agent.close())
    expect(again.handle.compactions).toContain("data/")
  })
})

describe("a path that the library opens", () => {
  it("is a directory of its owner alone, and has one user at a time (AGENT-3)", async () => {
    const path = join(folder, "nested", "path")
    const one = new NodeAgent("a", { path })
    await one.ready
    expect(statSync(path).mode & 0o777).toBe(0o700)
    const two = new NodeAgent("a", { path })
    await expect(two.ready).rejects.toMatchObject({ code: "agent/store-locked" })
    await one.close()
    const three = new NodeAgent("a", { path })
    await three.ready
    expect(three.fingerprint).toBe(one.fingerprint)
    await three.close()
  })

  it("and a store exclude each other", () => {
    const both = { path: join(folder, "x"), store: {} as never }
    expect(() => new NodeAgent("a", both)).toThrow(TypeError)
  })
})
