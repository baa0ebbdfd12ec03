// A cluster of hubs on NATS: JetStream is the shared store, core NATS carries what hubs tell each
// other. The client's packages are optional and loaded when they are asked for.

import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Conflict, type SharedLog, type Stored } from "./shared-log.ts"

/** What `nats://host:port[,host:port]` and the options of a hub say. */
export interface NatsOptions {
  /** Servers, as `host:port`. */
  readonly servers: readonly string[]
  /** Hubs of one cluster use one name; letters, digits and hyphens. */
  readonly cluster: string
  /** Copies of everything that is stored: 1 to 5, odd. */
  readonly replicas: number
  /** Path of a NATS credentials file. */
  readonly credentials?: string | undefined
  /** TLS to the servers. */
  readonly tls?: { readonly caFile?: string } | undefined
  /** Bytes that one stored message must be able to have. */
  readonly largest: number
}

/** Reads `nats://host:port[,host:port…]`; several may have the scheme, or one for all. */
export function parseStoreAddress(address: string): readonly string[] {
  const servers = address.split(",").map((part) => part.trim().replace(/^(?:nats|tls):\/\//, ""))
  const valid = servers.every((server) =>
    /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@]+)(?::\d{1,5})?$/.test(server),
  )
  if (!/^(?:nats|tls):\/\//.test(address) || !valid) {
    throw new TypeError(`a store expected nats://host:port[,host:port], got ${address}`)
  }
  return servers
}

/** Which message is asked for. */
type Query =
  | { readonly seq: number; readonly next_by_subj?: string }
  | { readonly last_by_subj: string }

/** Milliseconds until an answer of the store is given up; the outcome is then not known. */
const TIMEOUT = 3_000
const WRONG_LAST = 10_071
const NO_MESSAGE = 10_037

async function load() {
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

function codeOf(error: unknown): number | undefined {
  const { code, apiError } = error as { code?: unknown; apiError?: () => { err_code: number } }
  if (typeof apiError === "function") return apiError.call(error).err_code
  return typeof code === "number" ? code : undefined
}

/** A connection to NATS: the shared log, and the bus between hubs. */
export class Nats implements SharedLog {
  readonly connection: NatsConnection
  readonly #js: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #stream: string
  readonly #prefix: string
  /** Subjects of the bus begin with it. */
  readonly bus: string

  private constructor(
    connection: NatsConnection,
    js: JetStreamClient,
    manager: JetStreamManager,
    cluster: string,
  ) {
    this.connection = connection
    this.#js = js
    this.#manager = manager
    this.#stream = `AGENTMESH_${cluster}`
    this.#prefix = `agentmesh.${cluster}.store.`
    this.bus = `agentmesh.${cluster}.bus`
  }

  /**
   * Connects, and makes the stream if it is missing.
   *
   * @throws Error with what to do: packages missing, server not reached, no JetStream, too few
   * replicas, messages too small.
   */
  static async open(options: NatsOptions): Promise<Nats> {
    const { connect, jetstream, jetstreamManager, credsAuthenticator } = await load()
    const { servers, cluster, replicas, credentials, tls, largest } = options
    const authenticator =
      credentials === undefined
        ? {}
        : { authenticator: credsAuthenticator(await readCredentials(credentials)) }
    const connection = await connect({
      ...{ servers: [...servers], name: "agentmesh-hub", maxReconnectAttempts: -1 },
      ...{ reconnectTimeWait: 250, reconnectJitter: 250, pingInterval: 2_000, maxPingOut: 2 },
      ...authenticator,
      ...(tls === undefined ? {} : { tls }),
    }).catch((cause: unknown) => {
      throw new Error(`no NATS server could be reached at ${servers.join(", ")}`, { cause })
    })
    try {
      const most = connection.info?.max_payload ?? 0
      if (most < largest) {
        const advice = `set max_payload to ${2 * 1024 * 1024} there, or lower the hub's limit of envelopes`
        throw new Error(
          `the NATS server takes messages of ${most} bytes, ${largest} are needed: ${advice}`,
        )
      }
      const manager = await jetstreamManager(connection, { timeout: TIMEOUT }).catch(
        (cause: unknown) => {
          throw new Error(
            "the NATS server has no JetStream: start it with -js, or with a jetstream block",
            {
              cause,
            },
          )
        },
      )
      const nats = new Nats(
        connection,
        jetstream(connection, { timeout: TIMEOUT }),
        manager,
        cluster,
      )
      await nats.#makeStream(replicas)
      return nats
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  async #makeStream(replicas: number): Promise<void> {
    const config = {
      ...{ name: this.#stream, subjects: [`${this.#prefix}>`], num_replicas: replicas },
      ...{ allow_direct: false, description: "AgentMesh hubs: do not edit by hand" },
    }
    // Servers that have just started elect a leader first, and hubs that start together race.
    for (let tries = 0; ; tries++) {
      try {
        const { config: found } = await this.#manager.streams.info(this.#stream)
        if (found.num_replicas >= replicas) return
        const advice = "change the stream, or the hub's --replicas"
        throw new Fatal(`the store keeps ${found.num_replicas} copies, not ${replicas}: ${advice}`)
      } catch (error) {
        if (error instanceof Fatal || tries === 40) throw error
        await this.#manager.streams.add(config).catch((cause: unknown) => {
          if (tries >= 20) throw new Error(`JetStream refuses ${replicas} replicas`, { cause })
        })
        await new Promise((resolve) => setTimeout(resolve, 250))
      }
    }
  }

  async append(subject: string, data: Uint8Array, expected?: number): Promise<number> {
    try {
      const expect = expected === undefined ? {} : { expect: { lastSubjectSequence: expected } }
      const { seq } = await this.#js.publish(this.#prefix + subject, data, {
        timeout: TIMEOUT,
        ...expect,
      })
      return seq
    } catch (error) {
      if (codeOf(error) === WRONG_LAST)
        throw new Conflict(`another message is the last of ${subject}`)
      throw error
    }
  }

  next(subject: string, after: number): Promise<Stored | null> {
    return this.#find({ seq: after + 1, next_by_subj: this.#prefix + subject })
  }

  last(subject: string): Promise<Stored | null> {
    return this.#find({ last_by_subj: this.#prefix + subject })
  }

  async #find(query: Query): Promise<Stored | null> {
    try {
      // The client does not know all that the request can say.
      const found = await this.#manager.streams.getMessage(this.#stream, query as { seq: number })
      return found === null ? null : { seq: found.seq, data: found.data }
    } catch (error) {
      if (codeOf(error) === NO_MESSAGE) return null
      throw error
    }
  }

  async get(seq: number): Promise<Uint8Array> {
    const found = await this.#find({ seq })
    if (found === null) throw new Error(`message ${seq} is not in the store`)
    return found.data
  }

  async erase(seq: number): Promise<void> {
    await this.#manager.streams.deleteMessage(this.#stream, seq, false)
  }

  async eraseBelow(subject: string, seq: number): Promise<void> {
    await this.#manager.streams.purge(this.#stream, { filter: this.#prefix + subject, seq })
  }

  /** Sends to the bus; what cannot be sent now may be lost. */
  send(subject: string, data: Uint8Array): void {
    try {
      this.connection.publish(`${this.bus}.${subject}`, data)
    } catch {
      // the connection is closed; the other side sees a gap
    }
  }

  /** Takes what others send to a subject of the bus. */
  listen(subject: string, take: (data: Uint8Array) => void): void {
    this.connection.subscribe(`${this.bus}.${subject}`, {
      callback: (error, message) => {
        if (error === null) take(message.data)
      },
    })
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.connection.flush().catch(() => undefined)
    await this.connection.close()
  }
}

/** An error that trying again does not mend. */
class Fatal extends Error {}

async function readCredentials(path: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises")
  return readFile(path)
}
