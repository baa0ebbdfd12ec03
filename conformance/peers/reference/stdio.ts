// The reference as a process: `node dist/conformance/peers/reference/stdio.js` (DRIVER.md).

import { createReference } from "../reference.ts"
import { serve } from "../serve.ts"

serve(createReference())
