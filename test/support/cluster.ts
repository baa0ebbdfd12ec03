// Hub processes of one cluster, and what tests ask of them.

import { join } from "node:path"
import { NetworkHub } from "../../src/node/network-hub.ts"
import { compiledSources } from "./compiled.ts"
import type { RawKey } from "./hub-link.ts"
import { RawLink } from "./hub-link.ts"
import { Program } from "./process.ts"

/** One hub process. */
export class HubProcess {
  readonly #args: readonly string[]
  #program: Program | null = null
  /** Where it listens; the same port when it is started again. */
  url = ""
  port = 0

  constructor(args: readonly string[]) {
    this.#args = args
  }

  get pid(): number {
    return this.#program?.child.pid ?? 0
  }

  /** What it has written to standard error and output. */
  get output(): string {
    return [...(this.#program?.lines ?? []), ...(this.#program?.errors ?? [])].join("\n")
  }

  async start(): Promise<void> {
    const script = join(compiledSources(), "src", "node", "hub-cli.js")
    const args = [script, "--json", "--port", String(this.port), ...this.#args]
    this.#program = new Program(process.execPath, args)
    const [, url, port] = await this.#program.line(
      /"listening","url":"(agentmesh:\/\/[^"#]*:(\d+)#[^"]*)"/,
    )
    this.url = url as string
    this.port = Number(port)
  }

  signal(signal: NodeJS.Signals): void {
    this.#program?.child.kill(signal)
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#program?.kill(signal)
  }
}

/** Hub processes of one cluster. */
export async function startHubs(
  count: number,
  store: string,
  args: readonly string[] = ["--replicas", "1"],
): Promise<readonly HubProcess[]> {
  const hubs = Array.from({ length: count }, () => new HubProcess(["--store", store, ...args]))
  await Promise.all(hubs.map((hub) => hub.start()))
  return hubs
}

/** One address for all hubs. */
export function addressOf(hubs: readonly HubProcess[]): string {
  const [, fingerprint] = (hubs[0] as HubProcess).url.split("#")
  const places = hubs.map(({ url }) => url.slice("agentmesh://".length).split("#")[0])
  return `agentmesh://${places.join(",")}#${fingerprint}`
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

/** Waits until something holds. */
export async function until(holds: () => boolean, ms: number, what: string): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
