// npm run fuzz -- --seed S --count N --only TARGET
//
// Throws N inputs at every decoder: random bytes and mutations of valid ones. Each returns or
// throws an AgentMeshError. Exit 1 if one did anything else, 2 on wrong usage.

import { parseArgs } from "node:util"
import { fuzz } from "./fuzz/fuzz.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "200000" },
    only: { type: "string" },
  },
})
const [seed, count] = [Number(values.seed), Number(values.count)]
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
  console.error("usage: fuzz [--seed INTEGER] [--count INTEGER] [--only TARGET]")
  process.exit(2)
}

const outcomes = fuzz(
  { seed, count, only: values.only },
  ({ target, accepted, refused, faults }) => {
    console.log(`${target}: ${accepted} accepted, ${refused} refused, ${faults.length} faults`)
    for (const fault of faults) console.log(fault)
  },
)
if (outcomes.length === 0) console.error(`no target is called ${values.only}`)
const clean = outcomes.length > 0 && outcomes.every(({ faults }) => faults.length === 0)
process.exit(clean ? 0 : 1)
