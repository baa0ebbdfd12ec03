// What the live parts of the suite check.

import { EVIL_CASES } from "../live/evil.ts"
import { HUB_CASES } from "../live/hub.ts"

/** All live cases: of hubs, and of agents at a hostile hub. */
export const LIVE_CHECKS: readonly { readonly id: string; readonly req: readonly string[] }[] = [
  ...HUB_CASES,
  ...EVIL_CASES,
]
