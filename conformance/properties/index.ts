// All properties, by section.

import type { Section } from "../driver.ts"
import type { Property } from "../property.ts"
import { AGENT_PROPERTIES } from "./agent.ts"
import { AGENT_CLOCK_PROPERTIES } from "./agent-clock.ts"
import { AGENT_CLONE_PROPERTIES } from "./agent-clones.ts"
import { AGENT_JUDGE_PROPERTIES } from "./agent-judge.ts"
import { AGENT_NETWORK_PROPERTIES } from "./agent-network.ts"
import { AGENT_TRUST_PROPERTIES } from "./agent-trust.ts"
import { AGENT_TWIN_PROPERTIES } from "./agent-twin.ts"
import { BUNDLE_PROPERTIES } from "./bundle.ts"
import { BUNDLE_KEY_PROPERTIES } from "./bundle-keys.ts"
import { ENCODING_PROPERTIES } from "./encoding.ts"
import { ENVELOPE_PROPERTIES } from "./envelope.ts"
import { ENVELOPE_SHAPE_PROPERTIES } from "./envelope-shape.ts"
import { HANDSHAKE_PROPERTIES } from "./handshake.ts"
import { HANDSHAKE_MODELS } from "./handshake-models.ts"
import { ORDER_PROPERTIES } from "./handshake-order.ts"
import { HUB_PROPERTIES } from "./hub.ts"
import { DIRECTORY_PROPERTIES } from "./hub-directory.ts"
import { MANY_PROPERTIES } from "./hub-many.ts"
import { POST_PROPERTIES } from "./hub-post.ts"
import { IDENTITY_PROPERTIES } from "./identity.ts"
import { KEYSCHEDULE_PROPERTIES } from "./keyschedule.ts"
import { REFUSED_ID_PROPERTIES } from "./refused-ids.ts"
import { SESSION_PROPERTIES } from "./session.ts"
import { LEAK_PROPERTIES } from "./session-leak.ts"
import { NETWORK_PROPERTIES } from "./session-network.ts"
import { SESSION_ORDER_PROPERTIES } from "./session-order.ts"
import { RECEIVE_PROPERTIES } from "./session-receive.ts"
import { STRANGER_PROPERTIES } from "./strangers.ts"
import { SUITE_PROPERTIES } from "./suite.ts"

const ordered = (...parts: readonly (readonly Property[])[]): readonly Property[] =>
  parts.flat().sort((a, b) => (a.id < b.id ? -1 : 1))

/** Properties of each section, in order of their numbers. */
export const PROPERTIES_OF: Readonly<Record<Section, readonly Property[]>> = {
  encoding: ENCODING_PROPERTIES,
  suite: SUITE_PROPERTIES,
  identity: IDENTITY_PROPERTIES,
  bundle: ordered(BUNDLE_PROPERTIES, BUNDLE_KEY_PROPERTIES),
  keyschedule: KEYSCHEDULE_PROPERTIES,
  handshake: ordered(
    ...[HANDSHAKE_PROPERTIES, ORDER_PROPERTIES, HANDSHAKE_MODELS],
    STRANGER_PROPERTIES,
  ),
  envelope: ordered(ENVELOPE_PROPERTIES, ENVELOPE_SHAPE_PROPERTIES, REFUSED_ID_PROPERTIES),
  session: ordered(
    ...[SESSION_PROPERTIES, NETWORK_PROPERTIES, RECEIVE_PROPERTIES],
    ...[LEAK_PROPERTIES, SESSION_ORDER_PROPERTIES],
  ),
  hub: ordered(HUB_PROPERTIES, POST_PROPERTIES, DIRECTORY_PROPERTIES, MANY_PROPERTIES),
  agent: ordered(
    ...[AGENT_PROPERTIES, AGENT_NETWORK_PROPERTIES, AGENT_CLONE_PROPERTIES],
    ...[AGENT_TRUST_PROPERTIES, AGENT_JUDGE_PROPERTIES, AGENT_CLOCK_PROPERTIES],
    AGENT_TWIN_PROPERTIES,
  ),
}
