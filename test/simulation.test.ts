// Delivery that keeps its word (SPEC §12): random trouble over months of virtual time. Nothing that
// `send` accepted may be lost without a report, and nothing handled twice.

import { afterAll, expect, test } from "vitest"
import { Chaos } from "./simulation/chaos.ts"
import { HOUR } from "./simulation/clock.ts"
import { FAMILIES } from "./simulation/mixes.ts"
import { totals, World } from "./simulation/world.ts"

/** Seeds of each family and days of trouble; more of both goes deeper: AGENTMESH_SEEDS=50. */
const SEEDS = Number(process.env["AGENTMESH_SEEDS"] ?? 1)
const FIRST = Number(process.env["AGENTMESH_FIRST_SEED"] ?? 1)
const NAMES = ["alice", "bob", "carol", "dave", "erin"]
const DAYS = Number(process.env["AGENTMESH_DAYS"] ?? 14)

afterAll(() => console.log(JSON.stringify(totals)))

for (const [family, mix] of Object.entries(FAMILIES)) {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    test(`${family} (seed ${seed})`, { timeout: 600_000 }, async () => {
      const world = new World(seed)
      for (const name of NAMES.slice(0, 2 + (seed % 4))) world.add(name)
      await world.run(HOUR / 60)
      await new Chaos(world, mix).run(DAYS, 12)
      const counts = await world.finish()
      expect(counts.accepted).toBeGreaterThan(50)
      await world.end()
    })
  }
}
