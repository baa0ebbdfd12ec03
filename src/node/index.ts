/**
 * The entry for Node: everything of the portable one, and what needs an operating system.
 *
 * @module agentmesh/node
 */

export * from "../index.ts"
export { Agent, type NodeAgentOptions } from "./agent.ts"
export { FileDatabase } from "./database.ts"
export { NetworkHub, type NetworkHubOptions, parseHubAddress } from "./network-hub.ts"
export {
  type HubLogEntry,
  NetworkHubServer,
  type NetworkHubServerOptions,
} from "./network-hub-server.ts"
