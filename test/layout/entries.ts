// What the entries export. A change here is a change of the public API: CHANGELOG.md says so.

/** Names by entry, in any order. */
export const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  "src/index.ts": [
    ...["Agent", "LocalHub", "Message", "AgentMeshError", "ERROR_CODES"],
    ...["AgentEvents", "AgentOptions", "AgentStatus", "BackupSecret", "Change", "Database"],
    ...["Delivery", "DeliveryState", "Draw", "DrawName", "Environment", "ErrorCode", "Hub"],
    ...["Listener", "MessageHandler", "MessageInput", "Payload", "PayloadValue", "PeerPolicy"],
    ...[
      "PeerView",
      "SendOptions",
      "StrangerLimits",
      "Suite",
      "TrustPolicy",
      "TrustState",
      "Waiting",
      "WaitingOptions",
    ],
  ],
  "src/protocol.ts": [
    ...["agent", "bundle", "bytes", "encoding", "envelope", "errors", "handshake", "hub"],
    ...["identity", "keyschedule", "session", "shape", "suite"],
  ],
}
