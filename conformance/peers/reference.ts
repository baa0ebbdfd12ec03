// The reference implementation as a driver in this process.

import { AgentMeshError } from "../../src/errors.ts"
import type { Driver, JsonObject, Reply } from "../driver.ts"
import { agentOps } from "./reference/agents.ts"
import type { Handles, Ops } from "./reference/args.ts"
import { bundleOps } from "./reference/bundles.ts"
import { DrivenAgent } from "./reference/driven-agent.ts"
import { envelopeOps, sessionOps } from "./reference/envelopes.ts"
import { hubLiveOps } from "./reference/hub-live.ts"
import { hubPureOps } from "./reference/hubs.ts"
import { handshakeOps, keyscheduleOps } from "./reference/keys.ts"
import { liveOps } from "./reference/live.ts"
import { encodingOps, identityOps, suiteOps } from "./reference/primitives.ts"

const OPS: Ops = {
  ...encodingOps,
  ...suiteOps,
  ...identityOps,
  ...bundleOps,
  ...keyscheduleOps,
  ...handshakeOps,
  ...envelopeOps,
  ...sessionOps,
  ...hubPureOps,
  ...hubLiveOps,
  ...agentOps,
  ...liveOps,
}

const HELLO = {
  driver: 1,
  spec: "AgentMesh/1",
  impl: { name: "agentmesh" },
  roles: ["agent", "hub"],
  tier: 3,
  suites: [1, 2],
  caps: ["deterministic", "trace", "digest"],
} as const

/** A driver over `src/`. Each has its own handles. */
export function createReference(): Driver {
  const values = new Map<string, unknown>()
  let count = 0
  const handleOf = (args: JsonObject, kind: string): string => {
    const handle = args[kind]
    if (typeof handle !== "string" || !values.has(handle))
      throw new TypeError(`no ${kind} ${handle}`)
    return handle
  }
  const handles: Handles = {
    add(kind, value) {
      const handle = `${kind}-${++count}`
      values.set(handle, value)
      return handle
    },
    get: <T>(args: JsonObject, kind: string): T => values.get(handleOf(args, kind)) as T,
    set: (args, kind, value) => values.set(handleOf(args, kind), value),
  }
  const drop = async (handle: string): Promise<boolean> => {
    const value = values.get(handle)
    values.delete(handle)
    if (value instanceof DrivenAgent) await value.close()
    return value !== undefined
  }
  return {
    async call(op, args): Promise<Reply> {
      if (op === "hello") return { ok: HELLO }
      if (op === "drop") return { ok: { dropped: await drop(String(args["handle"])) } }
      const perform = Object.hasOwn(OPS, op) ? OPS[op] : undefined
      if (perform === undefined) return { unsupported: { reason: `no operation ${op}` } }
      try {
        return { ok: await perform(args, handles) }
      } catch (error) {
        if (error instanceof AgentMeshError) return { reject: { code: error.code } }
        return { fault: { message: String((error as Error)?.stack ?? error) } }
      }
    },
    async close(): Promise<void> {
      for (const handle of [...values.keys()]) await drop(handle)
    },
  }
}
