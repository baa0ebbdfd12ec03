// A null driver as a process: `node dist/conformance/peers/null/stdio.js NAME` (DRIVER.md).

import { serve } from "../serve.ts"
import { NULL_DRIVERS } from "./drivers.ts"

const [, , name = ""] = process.argv
const create = NULL_DRIVERS[name]
if (create === undefined) {
  console.error(`one of ${Object.keys(NULL_DRIVERS).join(", ")}`)
  process.exit(2)
}
serve(create())
