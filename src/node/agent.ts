// The agent on Node: the portable one, with a directory as its store.

import { Agent as PortableAgent } from "../agent/agent.ts"
import type { AgentOptions } from "../agent/options.ts"
import { FileDatabase } from "./database.ts"

/** Options of the agent on Node. */
export interface NodeAgentOptions extends AgentOptions {
  /** Directory that keeps identity, sessions and contents across restarts; mode 0700. */
  readonly path?: string
}

/** {@link PortableAgent} with `path`: the same identity, and the same sessions, after a restart. */
export class Agent extends PortableAgent {
  /**
   * @param name - 1 to 64 characters of `[a-z0-9][a-z0-9._-]*`.
   * @throws TypeError if both `path` and `store` are given.
   */
  constructor(name: string, options: NodeAgentOptions = {}) {
    const { path, ...rest } = options
    if (path !== undefined && rest.store)
      throw new TypeError('"path" and "store" exclude each other')
    super(name, path === undefined ? rest : { ...rest, store: new FileDatabase(path) })
  }
}
