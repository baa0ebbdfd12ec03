// Conformance group of SPEC §10: session.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §10 asks of an implementation. */
export const group: Group = {
  section: "session",
  vectors: () => loadVectors("session"),
  properties: PROPERTIES_OF.session,
}
