// Conformance group of SPEC §3: encoding.

import { type Group, loadVectors } from "./driver.ts"
import { PROPERTIES_OF } from "./properties/index.ts"

/** What SPEC §3 asks of an implementation. */
export const group: Group = {
  section: "encoding",
  vectors: () => loadVectors("encoding"),
  properties: PROPERTIES_OF.encoding,
}
