#!/usr/bin/env node
// agentmesh-conformance: does an implementation of AgentMesh conform to SPEC.md?

import { program } from "./program.ts"

program(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    // A fault of the suite, not of what it tests.
    console.error(error)
    process.exitCode = 5
  },
)
