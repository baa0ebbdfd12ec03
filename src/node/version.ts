// The version of this package, from its package.json.

import { createRequire } from "node:module"

/** The version of this package, such as `1.0.0`; found from its sources and from `dist/` alike. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("agentmesh/package.json") as {
    version: string
  }
  return version
}
