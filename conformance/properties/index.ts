// All properties, in section order.

import type { Property } from "../property.ts"
import { BUNDLE_PROPERTIES } from "./bundle.ts"
import { ENCODING_PROPERTIES } from "./encoding.ts"
import { IDENTITY_PROPERTIES } from "./identity.ts"
import { SUITE_PROPERTIES } from "./suite.ts"

/** See {@link PROPERTIES}. */
export const PROPERTIES_OF: readonly Property[] = [
  ...ENCODING_PROPERTIES,
  ...SUITE_PROPERTIES,
  ...IDENTITY_PROPERTIES,
  ...BUNDLE_PROPERTIES,
]
