/**
 * The sections of SPEC.md as namespaces: every low-level function, without state.
 *
 * @module agentmesh/protocol
 */

export * as agent from "./agent/backup.ts"
export * as bundle from "./bundle.ts"
export * as bytes from "./bytes.ts"
export * as encoding from "./encoding.ts"
export * as envelope from "./envelope.ts"
export * as errors from "./errors.ts"
export * as handshake from "./handshake.ts"
export * as hub from "./hub/frames.ts"
export * as identity from "./identity.ts"
export * as keyschedule from "./keyschedule.ts"
export * as session from "./session.ts"
export * as shape from "./shape.ts"
export * as suite from "./suite.ts"
