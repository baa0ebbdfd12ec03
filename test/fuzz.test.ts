// A small run of the fuzzer on each backend; the long one is `npm run fuzz`.

import { expect, test } from "vitest"
import { fuzzTarget } from "./fuzz/fuzz.ts"
import { TARGETS } from "./fuzz/targets.ts"
import { verdict } from "./support/property.ts"

test.each(TARGETS)("$name returns or throws an AgentMeshError", (target) => {
  const verdicts = target.seeds.map((seed) => verdict(() => target.run(seed)))
  expect(verdicts, "what lies behind the first check is reached").toContain("ok")
  const { accepted, refused, faults } = fuzzTarget(target, 1, 300)
  expect(faults).toEqual([])
  expect(accepted + refused).toBe(300)
})

test("any other exception is a fault", () => {
  const broken = {
    name: "broken",
    seeds: [Uint8Array.of(1)],
    run(bytes: Uint8Array) {
      if (bytes.length > 2) throw new RangeError("not from the closed list")
    },
  }
  expect(fuzzTarget(broken, 1, 100).faults).toHaveLength(3)
})
