// Conformance group of SPEC §9: envelope.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §9 asks of an implementation. */
export const group: Group = {
  section: "envelope",
  vectors: () => loadVectors("envelope"),
  properties: PROPERTIES_OF.envelope,
}
