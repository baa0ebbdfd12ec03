// The reference as a process: `node dist/conformance/peers/reference/stdio.js` (DRIVER.md).

import { createInterface } from "node:readline"
import type { JsonObject } from "../../driver.ts"
import { createReference } from "../reference.ts"

interface Request {
  readonly id: number
  readonly op: string
  readonly args?: JsonObject
}

const driver = createReference()

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, args = {} } = JSON.parse(line) as Request
  const reply = await driver.call(op, args)
  process.stdout.write(`${JSON.stringify({ id, ...reply })}\n`)
}
