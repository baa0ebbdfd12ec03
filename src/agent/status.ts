// SPEC §12 agent: what an agent tells about itself, without secrets.

import type { AgentStatus } from "./options.ts"
import type { Parts } from "./parts.ts"

/** The status of an agent; `parts` is null until its store is loaded. */
export function statusOf(
  name: string,
  fingerprint: string,
  handlers: number,
  parts: Parts | null,
): AgentStatus {
  const core = parts?.core
  const rows = [...(core?.store.table("key/session") ?? [])]
  const sessions = rows.map(([sid, { session, order }]) => {
    return { peer: session.peer.name, suite: session.suite, sid, confirmed: order > 0 }
  })
  const boxes = [...(core?.outboxes.values() ?? [])]
  return {
    agentId: name,
    fingerprint,
    activeSessions: [...new Set(sessions.map(({ peer }) => peer))].sort(),
    sessions,
    knownPeers: [...(core?.store.table("pin").keys() ?? [])].sort(),
    handlers,
    connected: parts?.network?.connected ?? false,
    drained: parts?.network?.drained ?? false,
    pending: boxes.reduce((sum, box) => sum + box.size, 0),
    leaving: core ? core.store.table("due").size + core.store.table("data/out").size : 0,
    inbox: parts?.inbox.held ?? 0,
  }
}
