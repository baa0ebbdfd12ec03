// The commands agentmesh-hub and agentmesh hub: a hub on TCP (SPEC §11).

import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type Command, InvalidArgumentError, Option } from "commander"
import { DEFAULT_LIMITS } from "../hub/decision.ts"
import type { HubLimits } from "../hub/frames.ts"
import type { ClusterStoreOptions } from "./cluster/index.ts"
import { withoutLogin } from "./cluster/store-address.ts"
import { formatMetrics } from "./metrics.ts"
import { DEFAULT_PORT } from "./network-hub.ts"
import { type HubLogEntry, NetworkHubServer } from "./network-hub-server.ts"

/** What the command line says. */
export interface HubFlags {
  readonly host: string
  readonly port: number
  readonly data?: string
  readonly store?: string
  readonly replicas: number
  readonly cluster: string
  readonly natsCredentials?: string
  readonly natsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly metricsPort?: number
  readonly json?: boolean
  readonly maxConnections: number
  readonly maxNames: number
  readonly maxHeld: number
  readonly loginTimeout: number
  readonly idleTimeout: number
  readonly mailboxMessages: number
  readonly mailboxBytes: number
  readonly perSender: number
  readonly perSenderBytes: number
  readonly ttl: number
  readonly envelope: number
  readonly requestsPerSecond: number
  readonly unacked: number
}

function integer(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`expected an integer from ${least} to ${most}`)
  }
}

const LIMIT_FLAGS: Readonly<Record<keyof HubLimits, readonly [flag: string, what: string]>> = {
  mailboxMessages: ["--mailbox-messages <n>", "messages in a mailbox"],
  mailboxBytes: ["--mailbox-bytes <n>", "bytes in a mailbox"],
  perSender: ["--per-sender <n>", "messages of one sender in a mailbox"],
  perSenderBytes: ["--per-sender-bytes <n>", "bytes of one sender in a mailbox"],
  ttl: ["--ttl <s>", "seconds that a message is kept"],
  envelope: ["--envelope <n>", "bytes of an envelope"],
  requestsPerSecond: ["--requests-per-second <n>", "requests per second and connection"],
  unacked: ["--unacked <n>", "delivered messages that may await their ACK"],
}

/** Adds the options of a hub to a command. */
export function hubOptions(command: Command): Command {
  const port = integer(0, 65_535)
  command
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(
      new Option("--port <n>", "port to listen on, 0 for any free one")
        .default(DEFAULT_PORT)
        .env("AGENTMESH_PORT")
        .argParser(port),
    )
    .option("--data <dir>", "directory for names, bundles and mail; without it all is in memory")
    .addOption(
      new Option(
        "--store <url>",
        "nats://[user:password@]host:port[,host:port]: a JetStream store that hubs share",
      ).env("AGENTMESH_STORE"),
    )
    .option("--replicas <n>", "copies that the shared store keeps: 1, 3 or 5", integer(1, 5), 3)
    .option("--cluster <name>", "hubs of one shared store and name are one hub", "default")
    .option("--nats-credentials <file>", "credentials for the shared store")
    .option("--nats-ca <file>", "certificate authority of the shared store, in PEM")
    .option("--tls-cert <file>", "certificate in PEM: links are then TLS")
    .option("--tls-key <file>", "its private key in PEM")
    .option("--metrics-port <n>", "port on 127.0.0.1 for /metrics, /healthz and /readyz", port)
    .option("--json", "one JSON object per line on standard output")
    .option("--max-connections <n>", "connections at the same time", integer(1), 20_000)
    .option("--max-names <n>", "names that may be bound", integer(1), 1_000_000)
    .option("--max-held <n>", "bytes held for incomplete frames", integer(1), 268_435_456)
    .option("--login-timeout <s>", "close a connection without login", integer(1, 3_600), 10)
    .option("--idle-timeout <s>", "close a silent connection; 0 for never", integer(0), 180)
  for (const [name, [flag, what]] of Object.entries(LIMIT_FLAGS)) {
    command.option(flag, what, integer(1), DEFAULT_LIMITS[name as keyof HubLimits])
  }
  return command
}

function limitsOf(flags: HubFlags): HubLimits {
  const limits = { ...DEFAULT_LIMITS }
  for (const name of Object.keys(limits) as (keyof HubLimits)[]) limits[name] = flags[name]
  return limits
}

function sharedOf(flags: HubFlags): { shared?: ClusterStoreOptions } {
  const { store: url, replicas, cluster, natsCredentials: credentials, natsCa: caFile } = flags
  return url === undefined ? {} : { shared: { url, replicas, cluster, credentials, caFile } }
}

function tlsOf({ tlsCert, tlsKey }: HubFlags): { tls?: { cert: Buffer; key: Buffer } } {
  if (tlsCert === undefined && tlsKey === undefined) return {}
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new TypeError("--tls-cert and --tls-key belong together")
  }
  return { tls: { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) } }
}

/** Lines for programs (JSON, on standard output) or for people (on standard error). */
function reporter(json: boolean): (entry: HubLogEntry) => void {
  return (entry) => {
    if (!json && (entry.event === "started" || entry.event === "stopped")) return // seen anyway
    const line = { time: new Date().toISOString(), ...entry }
    const stream = json ? process.stdout : process.stderr
    stream.write(`${JSON.stringify(line)}\n`)
  }
}

async function serveMetrics(server: NetworkHubServer, port: number): Promise<Server> {
  const answers: Readonly<Record<string, () => readonly [number, string]>> = {
    "/metrics": () => [200, formatMetrics(server)],
    "/healthz": () => [200, "ok\n"],
    "/readyz": () => (server.ready ? [200, "ready\n"] : [503, "not ready\n"]),
  }
  const http = createServer((request, response) => {
    const answer = request.method === "GET" ? answers[request.url ?? ""] : undefined
    const [status, text] = answer?.() ?? [404, "see /metrics, /healthz, /readyz\n"]
    response.writeHead(status, { "content-type": "text/plain; version=0.0.4" })
    response.end(text)
  })
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject).listen(port, "127.0.0.1", resolve)
  })
  return http
}

/** What went wrong, for people. */
export function explainHub(error: unknown): string {
  const { code, cause, message } = error as {
    code?: string
    message: string
    cause?: { code?: string }
  }
  if (cause?.code === "LEVEL_LOCKED") return "the data directory is in use by another hub"
  if (code === "EADDRINUSE") return "the port is in use; choose another with --port"
  return message
}

function whereOf({ data, store, cluster, replicas }: HubFlags): string {
  if (data !== undefined) return data
  if (store !== undefined)
    return `shared: ${cluster} on ${withoutLogin(store)}, ${replicas} replicas`
  return "in memory: names, mail and the hub's key end with this process; keep them with --data"
}

/** Starts a hub and says where; it runs until SIGINT or SIGTERM, which end the process. */
export async function runHub(flags: HubFlags): Promise<void> {
  process.umask(0o077) // the hub's key and all mail are its owner's alone
  const { host, port, data, metricsPort, json = false } = flags
  const { maxConnections, maxNames, maxHeld, loginTimeout, idleTimeout } = flags
  if (data !== undefined && flags.store !== undefined) {
    throw new TypeError("--data and --store exclude each other: a shared store keeps everything")
  }
  const log = reporter(json)
  const server = new NetworkHubServer({
    ...{ host, port, log, limits: limitsOf(flags) },
    ...{ maxConnections, maxNames, maxHeld, loginTimeout, idleTimeout },
    ...(data === undefined ? {} : { data }),
    ...sharedOf(flags),
    ...tlsOf(flags),
  })
  const { url } = await server.start()
  const metrics = metricsPort === undefined ? null : await serveMetrics(server, metricsPort)
  const metricsUrl =
    metrics && `http://127.0.0.1:${(metrics.address() as AddressInfo).port}/metrics`
  const where = whereOf(flags)
  if (json) {
    const storage = {
      durable: server.durable,
      data: data ?? (flags.store === undefined ? "memory" : "shared"),
    }
    log({ event: "listening", url, ...storage, ...(metricsUrl ? { metrics: metricsUrl } : {}) })
  } else {
    const lines = [
      `AgentMesh hub listening on ${url}`,
      `fingerprint ${server.fingerprint}`,
      `storage ${where}`,
      ...(metricsUrl ? [`metrics ${metricsUrl}`] : []),
    ]
    process.stdout.write(`${lines.join("\n")}\n`)
  }
  let stopping = false
  const stop = (): void => {
    if (stopping) process.exit(1)
    stopping = true
    metrics?.close()
    server.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  // A hub outlives those who read what it says.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)
  process.on("SIGTERM", stop).on("SIGINT", stop)
}
