// What the live parts of the suite check.

import { HUB_CASES } from "../live/hub.ts"

/** All live cases: of hubs, and of agents at a hostile hub. */
export const LIVE_CHECKS: readonly { readonly id: string; readonly req: readonly string[] }[] =
  HUB_CASES
