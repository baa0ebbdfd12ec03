// Conformance group of SPEC §12: agent.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §12 asks of an implementation. */
export const group: Group = {
  section: "agent",
  vectors: () => loadVectors("agent"),
  properties: PROPERTIES_OF.agent,
}
