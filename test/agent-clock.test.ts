// SPEC §2: a refused envelope changes no row, whatever the clock says meanwhile.

import { MemoryLevel } from "memory-level"
import { expect, it } from "vitest"
import type { Database } from "../src/agent/database.ts"
import { Agent } from "../src/index.ts"

async function rows(db: MemoryLevel<string, Uint8Array>): Promise<string[]> {
  const found: string[] = []
  const encodings = { keyEncoding: "utf8", valueEncoding: "view" } as const
  for await (const [key, value] of db.iterator(encodings)) found.push(`${key}=${value.join()}`)
  return found
}

it("a refused envelope writes nothing, also when the clock has moved (SESSION-19)", async () => {
  let clock = 1_767_225_600_000
  const environment = {
    now: () => clock,
    after: () => () => {},
    draw: (_name: string, length: number) => crypto.getRandomValues(new Uint8Array(length)),
  }
  const db = new MemoryLevel<string, Uint8Array>()
  const alice = new Agent("alice", { environment })
  const bob = new Agent("bob", { environment, store: db as unknown as Database })
  await Promise.all([alice.ready, bob.ready])
  await alice.connectWithBundle(bob.publicBundle)
  await bob.connectWithBundle(alice.publicBundle)
  await bob.open(await alice.seal("bob", "first"))
  const genuine = await alice.seal("bob", "second")
  const forged = genuine.map((byte, i) => (i === genuine.length - 1 ? byte ^ 1 : byte))
  const before = await rows(db)
  clock += 90_000
  await expect(bob.open(forged)).rejects.toMatchObject({ code: "envelope/open" })
  expect(await rows(db)).toEqual(before)
  const [message] = await bob.open(genuine)
  expect(message?.text).toBe("second")
  expect(await rows(db)).not.toEqual(before)
})
