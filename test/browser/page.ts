// What runs in the page: agents on a LocalHub, with stores in IndexedDB, and all vectors.

import { BrowserLevel } from "browser-level"
import type { Case, VectorFile } from "../../conformance/driver.ts"
import { createReference } from "../../conformance/peers/reference.ts"
import { runCases } from "../../conformance/runner.ts"
import { Agent, type Database, LocalHub } from "../../src/index.ts"

function store(name: string): Database {
  const level = new BrowserLevel<string, Uint8Array>(name, { valueEncoding: "view" })
  return level as unknown as Database
}

/** Two agents with stores; after both are closed and opened again the same ones go on. */
async function talk(): Promise<readonly string[]> {
  const said: string[] = []
  const hub = new LocalHub()
  const meet = async (texts: readonly string[]): Promise<string> => {
    const alice = new Agent("alice", { hub, store: store("alice") })
    const bob = new Agent("bob", { hub, store: store("bob") })
    bob.onMessage(async (message) => {
      said.push(`${message.sender}: ${message.text}`)
      await message.reply(`heard ${message.text}`)
    })
    for (const text of texts) said.push(`bob: ${(await alice.request("bob", text)).text}`)
    const { fingerprint } = alice
    await alice.close()
    await bob.close()
    return fingerprint
  }
  const before = await meet(["one", "two"])
  const after = await meet(["three"])
  said.push(before === after ? "the same identity" : "another identity")
  return said
}

/** The reference against all vectors; returns what failed. */
async function vectors(sections: readonly string[]): Promise<{ passed: number; failed: string[] }> {
  const cases: Case[] = []
  for (const section of sections) {
    const file = (await (await fetch(`vectors/${section}.json`)).json()) as VectorFile
    cases.push(...file.cases)
  }
  const { verdicts, passed } = await runCases(createReference(), { cases })
  const failed = verdicts
    .filter(({ outcome }) => outcome !== "PASS")
    .map(({ id, message }) => `${id}: ${message}`)
  return { passed, failed }
}

// The driver waits for the hub with what only Node has; the library itself needs nothing of it.
Object.assign(globalThis, { setImmediate: (action: () => void) => setTimeout(action, 0) })
Object.assign(globalThis, { agentmesh: { talk, vectors } })
