// Conformance group of SPEC §3: encoding.

import { type Group, loadVectors } from "./driver.ts"

/** What SPEC §3 asks of an implementation. */
export const group: Group = {
  section: "encoding",
  vectors: () => loadVectors("encoding"),
}
