/**
 * The portable entry: agents and the hub in process. Runs in Node, Deno, Bun and browsers.
 *
 * @module agentmesh
 */

export { Agent } from "./agent/agent.ts"
export type { StrangerLimits } from "./agent/core.ts"
export type { MessageHandler, Waiting, WaitingOptions } from "./agent/inbox.ts"
export { Message, type MessageInput } from "./agent/message.ts"
export type {
  AgentEvents,
  AgentOptions,
  AgentStatus,
  BackupSecret,
  Listener,
  SendOptions,
} from "./agent/options.ts"
export type { Delivery, DeliveryState } from "./agent/tracker.ts"
export type { PeerPolicy, PeerView, TrustPolicy, TrustState } from "./agent/trust.ts"
export type { Change, Database } from "./database.ts"
export type { Payload, PayloadValue } from "./encoding.ts"
export type { Environment } from "./environment.ts"
export { AgentMeshError, ERROR_CODES, type ErrorCode } from "./errors.ts"
export type { Hub } from "./hub/client.ts"
export { LocalHub } from "./hub/local-hub.ts"
export type { Draw, DrawName, Suite } from "./suite.ts"
