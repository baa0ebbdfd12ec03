// All properties, in section order.

import type { Property } from "../property.ts"
import { AGENT_PROPERTIES } from "./agent.ts"
import { AGENT_NETWORK_PROPERTIES } from "./agent-network.ts"
import { AGENT_TRUST_PROPERTIES } from "./agent-trust.ts"
import { BUNDLE_PROPERTIES } from "./bundle.ts"
import { ENCODING_PROPERTIES } from "./encoding.ts"
import { ENVELOPE_PROPERTIES } from "./envelope.ts"
import { HANDSHAKE_PROPERTIES } from "./handshake.ts"
import { HANDSHAKE_MODELS } from "./handshake-models.ts"
import { HUB_PROPERTIES } from "./hub.ts"
import { POST_PROPERTIES } from "./hub-post.ts"
import { IDENTITY_PROPERTIES } from "./identity.ts"
import { KEYSCHEDULE_PROPERTIES } from "./keyschedule.ts"
import { SESSION_PROPERTIES } from "./session.ts"
import { LEAK_PROPERTIES } from "./session-leak.ts"
import { NETWORK_PROPERTIES } from "./session-network.ts"
import { RECEIVE_PROPERTIES } from "./session-receive.ts"
import { SUITE_PROPERTIES } from "./suite.ts"

/** See {@link PROPERTIES}. */
export const PROPERTIES_OF: readonly Property[] = [
  ...ENCODING_PROPERTIES,
  ...SUITE_PROPERTIES,
  ...IDENTITY_PROPERTIES,
  ...BUNDLE_PROPERTIES,
  ...KEYSCHEDULE_PROPERTIES,
  ...HANDSHAKE_PROPERTIES,
  ...HANDSHAKE_MODELS,
  ...ENVELOPE_PROPERTIES,
  ...SESSION_PROPERTIES,
  ...NETWORK_PROPERTIES,
  ...RECEIVE_PROPERTIES,
  ...LEAK_PROPERTIES,
  ...HUB_PROPERTIES,
  ...POST_PROPERTIES,
  ...AGENT_PROPERTIES,
  ...AGENT_NETWORK_PROPERTIES,
  ...AGENT_TRUST_PROPERTIES,
]
