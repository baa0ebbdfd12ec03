// Every group, in the order in which they run.

import { codecs } from "./codec.ts"
import { endToEnd } from "./end-to-end.ts"
import { envelopes } from "./envelope.ts"
import type { Group } from "./group.ts"
import { handshakes } from "./handshake.ts"
import { hubs } from "./hub.ts"
import { library } from "./library.ts"
import { length, local, scale } from "./local.ts"
import { peers } from "./peers.ts"
import { primitives } from "./primitives.ts"

/** The groups. */
export const GROUPS: readonly Group[] = [
  ...[primitives, codecs, envelopes, handshakes, library, local],
  ...[hubs, endToEnd, scale, length, peers],
]
