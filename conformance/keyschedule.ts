// Conformance group of SPEC §7: keyschedule.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §7 asks of an implementation. */
export const group: Group = {
  section: "keyschedule",
  vectors: () => loadVectors("keyschedule"),
  properties: PROPERTIES_OF.keyschedule,
}
