// A hub as a process of its own, started again on the same port.

import { Program } from "./process.ts"

/** One hub process. */
export class HubProcess {
  readonly #script: string
  readonly #args: readonly string[]
  #program: Program | null = null
  /** Where it listens; the same port when it is started again. */
  url = ""
  port = 0

  /** @param script - The compiled `hub-cli`. */
  constructor(script: string, args: readonly string[]) {
    this.#script = script
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
    const args = [this.#script, "--json", "--port", String(this.port), ...this.#args]
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

/** One address for all hubs. */
export function addressOf(hubs: readonly HubProcess[]): string {
  const [, fingerprint] = (hubs[0] as HubProcess).url.split("#")
  const places = hubs.map(({ url }) => url.slice("agentmesh://".length).split("#")[0])
  return `agentmesh://${places.join(",")}#${fingerprint}`
}
