// Conformance group of SPEC §6: bundle.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §6 asks of an implementation. */
export const group: Group = {
  section: "bundle",
  vectors: () => loadVectors("bundle"),
  properties: PROPERTIES_OF.bundle,
}
