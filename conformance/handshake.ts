// Conformance group of SPEC §8: handshake.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §8 asks of an implementation. */
export const group: Group = {
  section: "handshake",
  vectors: () => loadVectors("handshake"),
  properties: PROPERTIES_OF.handshake,
}
