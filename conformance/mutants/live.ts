// The live parts of the suite against one copy of the reference: sockets on 127.0.0.1.

import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Driver, Hello } from "../driver.ts"
import { EVIL_CASES, runEvilHub } from "../live/evil.ts"
import { HUB_CASES, runHubCases } from "../live/hub.ts"

type Wanted = (check: { readonly id: string; readonly req: readonly string[] }) => boolean

interface Server {
  start(): Promise<{ readonly port: number }>
  stop(): Promise<void>
}

/** Longest time for one frame, milliseconds: a hub on this machine answers at once. */
const PATIENCE = 1_000
/** Longest time until something due happens at an agent, milliseconds. */
const AGENT_PATIENCE = 3_000

/** The first black-box case that fails against the hub of the copy; `slow` times as long is waited. */
export async function examineHub(
  folder: string,
  wanted: Wanted,
  slow: number,
): Promise<string | null> {
  const ids = HUB_CASES.filter((item) => wanted(item) && !item.slow && !item.needs).map(
    ({ id }) => id,
  )
  if (ids.length === 0) return null
  const path = join(folder, "dist/src/node/index.js")
  const { NetworkHubServer } = await import(pathToFileURL(path).href)
  const server: Server = new NetworkHubServer({ host: "127.0.0.1", port: 0 })
  try {
    const { port } = await server.start()
    for (const id of ids) {
      const target = { host: "127.0.0.1", port }
      const [verdict] = await runHubCases(target, {
        repeat: false,
        only: [id],
        patience: slow * PATIENCE,
        names: id,
      })
      if (verdict?.outcome === "FAIL") return id
    }
    return null
  } finally {
    await server.stop()
  }
}

/** The first case of the hostile hub that fails against agents of the copy. */
export async function examineAgents(
  driver: Driver,
  hello: Hello,
  wanted: Wanted,
  slow: number,
): Promise<string | null> {
  for (const { id } of EVIL_CASES.filter(wanted)) {
    const patience = slow * AGENT_PATIENCE
    const [verdict] = await runEvilHub(driver, hello, { only: [id], patience, repeat: false })
    if (verdict?.outcome === "FAIL") return id
  }
  return null
}
