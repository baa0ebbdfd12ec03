// The built reference against all vectors in this process, whatever runs it: Node, Bun or Deno.

import process from "node:process"
import { runConformance } from "../dist/conformance/index.js"
import { createReference } from "../dist/conformance/peers/reference.js"

const { planned, passed, exitCode, verdicts } = await runConformance(createReference())
for (const { id, outcome, message } of verdicts)
  if (outcome !== "PASS") console.log(`${id}: ${message}`)
const runtime = process.versions.bun ? "Bun" : process.versions.deno ? "Deno" : "Node"
const version = process.versions.bun ?? process.versions.deno ?? process.versions.node
console.log(`${runtime} ${version}: ${passed} of ${planned} cases passed`)
process.exit(exitCode)
