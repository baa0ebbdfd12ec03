// Conformance group of SPEC §5: identity.

import { type Group, loadVectors } from "./driver.ts"

/** What SPEC §5 asks of an implementation. */
export const group: Group = {
  section: "identity",
  vectors: () => loadVectors("identity"),
}
