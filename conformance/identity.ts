// Conformance group of SPEC §5: identity.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §5 asks of an implementation. */
export const group: Group = {
  section: "identity",
  vectors: () => loadVectors("identity"),
  properties: PROPERTIES_OF.identity,
}
