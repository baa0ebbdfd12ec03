// Conformance group of SPEC §12: agent.

import { type Group, loadVectors } from "./driver.ts"

/** What SPEC §12 asks of an implementation. */
export const group: Group = {
  section: "agent",
  vectors: () => loadVectors("agent"),
}
