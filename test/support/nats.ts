// NATS servers for tests: one, or three that are a cluster, on free ports of loopback, with their
// files in a folder that is removed at the end. Ended by their own process ids.

import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The version of the installed nats-server; null if there is none. */
export const natsVersion: string | null = ((): string | null => {
  try {
    return execFileSync("nats-server", ["--version"], { encoding: "utf8" }).trim()
  } catch {
    return null
  }
})()

/** What the title of a skipped test says. */
export const natsAbsent: string =
  natsVersion === null ? " (absent: nats-server is not installed)" : ""

/** What a server is run with beside the defaults. */
export interface NatsServerOptions {
  readonly jetstream?: boolean
  readonly maxPayload?: number
  /** More lines of the configuration. */
  readonly more?: string
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** One nats-server; it keeps its port when it is started again. */
export class NatsServer {
  readonly #config: string
  readonly #folder: string
  #child: ChildProcess | null = null
  /** Where clients connect to. */
  port: number

  constructor(folder: string, name: string, port: number, lines: readonly string[]) {
    this.#folder = join(folder, name)
    this.#config = join(folder, `${name}.conf`)
    this.port = port
    writeFileSync(
      this.#config,
      [`server_name: ${name}`, `listen: 127.0.0.1:${port === 0 ? -1 : port}`, ...lines].join("\n"),
    )
  }

  /** Starts it; resolves when clients can connect. */
  async start(): Promise<void> {
    const ports = mkdtempSync(`${this.#folder}-ports-`)
    const child = spawn("nats-server", ["-c", this.#config, "--ports_file_dir", ports], {
      stdio: ["ignore", "ignore", "pipe"],
    })
    this.#child = child
    let said = ""
    child.stderr?.on("data", (chunk) => {
      said = `${said}${chunk}`.slice(-4_000)
    })
    const until = Date.now() + 20_000
    for (;;) {
      const [file] = readdirSync(ports).filter((name) => name.endsWith(".ports"))
      const text = file === undefined ? "" : readFileSync(join(ports, file), "utf8")
      const url = /(?:nats|tls):\/\/127\.0\.0\.1:(\d+)/.exec(text)
      if (url) {
        this.port = Number(url[1])
        return
      }
      if (child.exitCode !== null || Date.now() > until) throw new Error(`nats-server: ${said}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Sends a signal to its process. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Ends it and waits for that. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => {
      child.once("exit", resolve)
      child.kill(signal)
    })
  }
}

/** Servers that are one store. */
export class NatsCluster {
  readonly servers: readonly NatsServer[]
  readonly #folder: string

  private constructor(folder: string, servers: readonly NatsServer[]) {
    this.#folder = folder
    this.servers = servers
  }

  /** Starts one server, or three that are a cluster. */
  static async start(count: 1 | 3 = 1, options: NatsServerOptions = {}): Promise<NatsCluster> {
    const { jetstream = true, maxPayload = 2_097_152, more = "" } = options
    for (let tries = 0; ; tries++) {
      const folder = mkdtempSync(join(tmpdir(), "agentmesh-nats-"))
      const ports = count === 1 ? [0] : await freePorts(2 * count)
      const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`)
      const servers = Array.from({ length: count }, (_, i) => {
        const store = join(folder, `data${i}`)
        return new NatsServer(folder, `n${i}`, ports[i] as number, [
          `max_payload: ${maxPayload}`,
          ...(jetstream ? [`jetstream { store_dir: ${JSON.stringify(store)} }`] : []),
          ...(count === 1
            ? []
            : [
                `cluster { name: test, listen: "127.0.0.1:${ports[count + i]}", routes: [${routes}] }`,
              ]),
          more,
        ])
      })
      const cluster = new NatsCluster(folder, servers)
      try {
        await Promise.all(servers.map((server) => server.start()))
        return cluster
      } catch (error) {
        await cluster.stop() // somebody else may have taken a port meanwhile
        if (tries === 2) throw error
      }
    }
  }

  /** What a hub takes as its store. */
  get url(): string {
    return `nats://${this.servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`
  }

  /** Resolves when all servers have all of a stream; tried for a minute. */
  async current(stream = "AGENTMESH_default"): Promise<void> {
    const { connect } = await import("@nats-io/transport-node")
    const { jetstreamManager } = await import("@nats-io/jetstream")
    const servers = this.servers.map(({ port }) => `127.0.0.1:${port}`)
    const connection = await connect({ servers })
    const { streams } = await jetstreamManager(connection, { checkAPI: false })
    const until = Date.now() + 60_000
    for (let seen = 0; seen < 3 && Date.now() < until; ) {
      const { cluster } = await streams.info(stream).catch(() => ({ cluster: undefined }))
      const { leader, replicas = [] } = cluster ?? {}
      const all = leader && replicas.length > 0 && replicas.every(({ current }) => current)
      seen = all ? seen + 1 : 0 // one answer may be that of a moment
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    await connection.close()
  }

  /** Ends all and removes their files. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
