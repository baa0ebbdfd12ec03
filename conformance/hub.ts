// Conformance group of SPEC §11: hub.

import { type Group, loadVectors } from "./driver.ts"

/** What SPEC §11 asks of an implementation. */
export const group: Group = {
  section: "hub",
  vectors: () => loadVectors("hub"),
}
