// A kill at every commit: nothing is lost, nothing is sealed twice with one key (SPEC §12, Crash).
//
// AGENTMESH_CRASH=all runs every combination; by default each write of suite 1 is tried in two
// ways, and the rest is a sample.

import { describe, expect, it } from "vitest"
import type { Suite } from "../src/suite.ts"
import { Conversation, type Fate } from "./support-agent/conversation.ts"
import type { Death } from "./support-agent/disk.ts"

const all = process.env["AGENTMESH_CRASH"] === "all"
const portable = process.env["AGENTMESH_BACKEND"] === "noble"

async function live(suites: readonly Suite[], fate: Fate): Promise<Conversation> {
  const conversation = new Conversation(suites, fate)
  await conversation.run()
  await conversation.finish()
  conversation.check(`suites ${suites}, death ${fate.death} at ${fate.a} and ${fate.b}`)
  return conversation
}

/** Lets both agents die at their k-th write, for every k that a whole conversation has. */
async function everyWrite(suites: readonly Suite[], death: Death, step: number, from = 1) {
  let deaths = 0
  for (let k = from; ; k += step) {
    const { a, b } = await live(suites, { a: [k], b: [k], death })
    deaths += a.deaths + b.deaths
    if (a.deaths + b.deaths === 0) return { writes: k, deaths }
  }
}

describe("a death at every write", () => {
  const cases: [Suite, Death, number][] = [
    [1, "lost", portable ? 7 : 1],
    [1, "silent", portable ? 7 : 1],
    [1, "rejected", 7],
    [2, "lost", 7],
    [2, "silent", 11],
  ]
  it.each(cases)("suite %i, the write is %s", { timeout: 600_000 }, async (suite, death, step) => {
    const { writes, deaths } = await everyWrite([suite], death, all ? 1 : step)
    expect(writes).toBeGreaterThan(40)
    expect(deaths).toBeGreaterThan((2 * 40) / step)
  })

  it("several deaths in a row", { timeout: 600_000 }, async () => {
    for (let seed = 1; seed <= (all ? 60 : 6); seed++) {
      const fuses = (salt: number) =>
        Array.from({ length: 6 }, (_, i) => 1 + ((seed * 7 + salt + i * 5 + seed * i) % 11))
      await live([1], { a: fuses(0), b: fuses(3), death: seed % 2 ? "lost" : "silent" })
    }
  })
})
