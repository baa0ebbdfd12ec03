// Conformance group of SPEC §11: hub.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §11 asks of an implementation. */
export const group: Group = {
  section: "hub",
  vectors: () => loadVectors("hub"),
  properties: PROPERTIES_OF.hub,
}
