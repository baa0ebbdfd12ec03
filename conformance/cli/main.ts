#!/usr/bin/env node
// agentmesh-conformance: does an implementation of AgentMesh conform to SPEC.md?

import { program } from "./program.ts"

// A reader that has seen enough, such as head, closes the pipe: that is its right.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
  process.exit()
})

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
