// The hub of the vectors.

import type { HubKey } from "../../src/hub/frames.ts"
import { ed25519Public } from "../../src/suite.ts"
import { deterministicDraw } from "./draws.ts"

/** Seed of the hub in these vectors. */
export const HUB_SEED: Uint8Array = new Uint8Array(32).fill(0x4b)

/** The key of that hub. */
export function hubKey(seed: Uint8Array = HUB_SEED): HubKey {
  const secret = deterministicDraw(seed)("identity", 32)
  return { secret, ik: ed25519Public(secret) }
}
