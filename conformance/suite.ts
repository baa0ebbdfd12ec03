// Conformance group of SPEC §4: suite.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §4 asks of an implementation. */
export const group: Group = {
  section: "suite",
  vectors: () => loadVectors("suite"),
  properties: PROPERTIES_OF.suite,
}
