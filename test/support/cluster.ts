// Hub processes of one cluster, and what tests ask of them.

import { join } from "node:path"
import { NetworkHub } from "../../src/node/network-hub.ts"
import { compiledSources } from "./compiled.ts"
import type { RawKey } from "./hub-link.ts"
import { RawLink } from "./hub-link.ts"
import { addressOf, HubProcess } from "./hub-process.ts"

/** A hub that is not started yet. */
export function hubProcess(args: readonly string[]): HubProcess {
  return new HubProcess(join(compiledSources(), "src", "node", "hub-cli.js"), args)
}

/** Hub processes of one cluster. */
export async function startHubs(
  count: number,
  store: string,
  args: readonly string[] = ["--replicas", "1"],
): Promise<readonly HubProcess[]> {
  const hubs = Array.from({ length: count }, () => hubProcess(["--store", store, ...args]))
  await Promise.all(hubs.map((hub) => hub.start()))
  return hubs
}

/** Logs in, again and again as an agent would while hubs take over from each other. */
export async function loginSurely(hub: HubProcess, key: RawKey): Promise<RawLink> {
  for (let tries = 0; ; tries++) {
    try {
      const patience = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error("no READY within 5 s")), 5_000).unref()
      })
      return await Promise.race([RawLink.login(new NetworkHub(hub.url), key), patience])
    } catch (error) {
      if (tries === 30) throw error
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }
}

export { addressOf, HubProcess }
