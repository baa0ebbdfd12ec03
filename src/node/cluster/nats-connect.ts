// A cluster of hubs on NATS: connecting, and saying what to do when that fails.

import { readFile } from "node:fs/promises"
import { checkServerIdentity, type PeerCertificate } from "node:tls"
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import type { NatsOptions } from "./nats-options.ts"

export type { NatsOptions }

/** Milliseconds until an answer of the store is given up; the outcome is then not known. */
export const TIMEOUT = 3_000
const PATIENCE = 30_000
const RETRY = 250
/** Errors of JetStream: not enabled (for this account), no such stream. */
const DISABLED: readonly unknown[] = [10_039, 10_076]
const NO_STREAM = 10_059

/** The client's packages, which are optional. @throws Error that says how to install them. */
async function load(): Promise<
  typeof import("@nats-io/transport-node") & typeof import("@nats-io/jetstream")
> {
  try {
    const [transport, jetstream] = await Promise.all([
      import("@nats-io/transport-node"),
      import("@nats-io/jetstream"),
    ])
    return { ...transport, ...jetstream }
  } catch (cause) {
    const advice = "npm install @nats-io/transport-node @nats-io/jetstream"
    throw new Error(`a store on NATS needs two packages that are not installed: ${advice}`, {
      cause,
    })
  }
}

/** The code of an error of JetStream. */
export function codeOf(error: unknown): number | undefined {
  const { code, apiError } = error as { code?: unknown; apiError?: () => { err_code: number } }
  if (typeof apiError === "function") return apiError.call(error).err_code
  return typeof code === "number" ? code : undefined
}

/** What is connected. */
export interface Connected {
  readonly connection: NatsConnection
  readonly js: JetStreamClient
  readonly manager: JetStreamManager
}

/**
 * Connects, and makes the stream if it is missing.
 *
 * @throws Error with what to do: packages missing, server not reached, login refused, no JetStream,
 * too few servers, messages too small, a stream that would forget.
 */
export async function connectNats(options: NatsOptions, stream: object): Promise<Connected> {
  const { jetstream, jetstreamManager, ...rest } = await load()
  const connection = await login(rest, options)
  try {
    const most = connection.info?.max_payload ?? 0
    if (most < options.largest) {
      const advice = "set max_payload: 2097152 there, or lower the hub's --envelope"
      throw new Error(
        `the NATS server takes messages of ${most} bytes, ${options.largest} are needed: ${advice}`,
      )
    }
    const manager = await jetstreamManager(connection, { timeout: TIMEOUT, checkAPI: false })
    await makeStream(manager, options, stream)
    return { connection, manager, js: jetstream(connection, { timeout: TIMEOUT }) }
  } catch (error) {
    await connection.close()
    throw error
  }
}

type Transport = Pick<typeof import("@nats-io/transport-node"), "connect" | "credsAuthenticator">

async function login(
  { connect, credsAuthenticator }: Transport,
  options: NatsOptions,
): Promise<NatsConnection> {
  const { servers, credentials, login } = options
  const authenticator =
    credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(await readGiven("--nats-credentials", credentials)) }
  try {
    return await connect({
      ...{ servers: [...servers], name: "agentmesh-hub", maxReconnectAttempts: -1 },
      ...{ reconnectTimeWait: 250, reconnectJitter: 250, pingInterval: 2_000, maxPingOut: 2 },
      ignoreAuthErrorAbort: true, // credentials that are replaced on the servers first
      ...authenticator,
      ...login,
      ...(await tlsOf(options)),
    })
  } catch (cause) {
    throw new Error(explainLogin(servers, cause as Error & { code?: unknown }), { cause })
  }
}

async function readGiven(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Error(`${option} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** TLS to the servers: who they are is checked by the hosts that were given. */
async function tlsOf({ servers, tls }: NatsOptions): Promise<object> {
  if (tls === undefined) return {}
  const hosts = servers.map((server) => server.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"))
  return {
    tls: {
      ...(tls.caFile === undefined ? {} : { ca: await readGiven("--nats-ca", tls.caFile) }),
      // The client does not say which address it has connected to: Node would look for "localhost".
      checkServerIdentity: (host: string, certificate: PeerCertificate) => {
        const wrong = checkServerIdentity(host, certificate)
        const fits = (given: string): boolean => !checkServerIdentity(given, certificate)
        return hosts.some(fits) ? undefined : wrong
      },
    },
  }
}

function explainLogin(
  servers: readonly string[],
  { name, message, code }: Error & { code?: unknown },
): string {
  const where = servers.join(", ")
  if (/authori[sz]ation|authentication|credential/i.test(`${name} ${message}`)) {
    const advice = "check --nats-credentials, or user and password in --store"
    return `the NATS server at ${where} refuses this login: ${advice}`
  }
  if (/does not support 'tls'/.test(message)) {
    const advice =
      "leave out --nats-ca and write nats:// in --store, or give the server a tls block"
    return `the NATS server at ${where} speaks no TLS: ${advice}`
  }
  if (/CERT|VERIFY|ISSUER|SIGNED|TLS|SSL/.test(String(code))) {
    const advice = "check --nats-ca, and that the certificate names the host that --store has"
    return `the certificate of the NATS server at ${where} is not accepted (${message}): ${advice}`
  }
  return `no NATS server could be reached at ${where}: ${message}`
}

/** An error that trying again does not mend. */
class Fatal extends Error {}

async function makeStream(
  manager: JetStreamManager,
  { replicas, patience = PATIENCE }: NatsOptions,
  stream: object,
): Promise<void> {
  const config = { ...stream, num_replicas: replicas } as unknown as Config
  const until = performance.now() + patience
  // Servers that have just started elect a leader first, and hubs that start together race.
  for (;;) {
    try {
      check((await manager.streams.info(config.name)).config, replicas)
      return
    } catch (error) {
      if (error instanceof Fatal) throw error
      const failure =
        codeOf(error) === NO_STREAM ? await manager.streams.add(config).catch(fail) : error
      const explained = explain(failure, replicas)
      if (explained.final || performance.now() > until) {
        throw new Error(explained.message, { cause: failure })
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY))
    }
  }
}

type Config = Parameters<JetStreamManager["streams"]["add"]>[0] & { readonly name: string }

function fail(error: unknown): unknown {
  return error
}

/** What a stream of this name that is there already must be like. */
function check(
  found: Awaited<ReturnType<JetStreamManager["streams"]["info"]>>["config"],
  replicas: number,
): void {
  if (found.num_replicas < replicas) {
    const advice = "change it with: nats stream edit --replicas, or lower the hub's --replicas"
    throw new Fatal(`the store keeps ${found.num_replicas} copies, not ${replicas}: ${advice}`)
  }
  const bounded = found.max_msgs > 0 || found.max_bytes > 0
  if (found.max_age > 0 || found.max_msgs_per_subject > 0 || (bounded && found.discard !== "new")) {
    throw new Fatal("the stream would forget the oldest messages: set no limits, or discard new")
  }
  if (found.storage !== "file") throw new Fatal("the stream is in memory: it has to be in files")
}

function explain(error: unknown, replicas: number): { message: string; final: boolean } {
  const { name, message } = error as Error
  if (DISABLED.includes(codeOf(error)) || /NotEnabled|NoResponders/.test(name)) {
    const advice = "start it with -js, or with a jetstream block, also for this account"
    return { message: `the NATS server has no JetStream: ${advice}`, final: true }
  }
  if (/replicas > 1 not supported|insufficient resources|no suitable peers/i.test(message)) {
    const advice = `${replicas} servers of one NATS cluster are needed, or a lower --replicas`
    return {
      message: `JetStream cannot keep ${replicas} copies (${message}): ${advice}`,
      final: /not supported/.test(message),
    }
  }
  const advice = "are most of the servers of the NATS cluster running?"
  return { message: `JetStream does not answer (${message}): ${advice}`, final: false }
}
