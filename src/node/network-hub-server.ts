// SPEC §11 hub over TCP: the server. The same runtime as in process behind a socket.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { type Environment, systemEnvironment } from "../environment.ts"
import type { HubStatistics } from "../hub/answers.ts"
import { decodeFrame, type HubErrorCode, hubErrorCode } from "../hub/frames.ts"
import { type HubOptions, hubSettings } from "../hub/local-hub.ts"
import { MemoryStore } from "../hub/memory-store.ts"
import { HubRuntime } from "../hub/runtime.ts"
import { DatabaseStore, type HubStore } from "../hub/store.ts"
import { fingerprint } from "../identity.ts"
import { IDLE_TIMEOUT, LOGIN_TIMEOUT } from "../limits.ts"
import type { ClusterHub } from "./cluster/cluster-hub.ts"
import { type ClusterStoreOptions, checkClusterStore, openCluster } from "./cluster/index.ts"
import { type ConnectionHost, HubConnection } from "./connection.ts"
import { FileDatabase } from "./database.ts"
import { DEFAULT_PORT } from "./network-hub.ts"

/** A line of the hub's log: what happened, never content or keys (HUB-17). */
export interface HubLogEntry {
  readonly event: string
  readonly [field: string]: string | number | boolean
}

/** Options of a hub server; every limit of SPEC §11 is one. */
export interface NetworkHubServerOptions extends HubOptions {
  /** Address to listen on; by default 127.0.0.1. */
  readonly host?: string
  /** Port to listen on; by default {@link DEFAULT_PORT}; 0 for any free one. */
  readonly port?: number
  /** Directory for names, bundles and mail; without it (and `store`) all is in memory. */
  readonly data?: string
  /** A store that this hub shares with others: together they are one hub. */
  readonly shared?: ClusterStoreOptions
  /** Certificate and key in PEM: the link is then TLS. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array }
  /** Connections at the same time; by default 20,000. */
  readonly maxConnections?: number
  /** Bytes held for incomplete frames of all connections; by default 268,435,456. */
  readonly maxHeld?: number
  /** Seconds after which a connection that has not authenticated is closed; by default 10. */
  readonly loginTimeout?: number
  /** Seconds of silence after which a connection is closed; by default 180, 0 for never. */
  readonly idleTimeout?: number
  /** Takes the log. */
  readonly log?: (entry: HubLogEntry) => void
}

/** Seconds between looks at connections that have not authenticated. */
const LOGIN_LOOK = 5
/** Seconds that output may wait without leaving; also the time between looks at all others. */
const STALL_TIMEOUT = 60
/** Bytes of rows that the database collects before it writes a table; it holds two of them. */
const WRITE_BUFFER = 33_554_432
/** Milliseconds that connections get to take their last frames. */
const GRACE = 2_000

/** A hub on TCP (SPEC §11). */
export class NetworkHubServer {
  readonly #options: NetworkHubServerOptions
  readonly #environment: Environment
  /** The hub behind the sockets; one of a cluster is there only once it was started. */
  #hub: HubRuntime | ClusterHub | null = null
  readonly #connections = new Set<HubConnection>()
  readonly #host: ConnectionHost
  #server: Server | null = null
  #cancelLook: (() => void) | null = null
  #lookAt = Number.POSITIVE_INFINITY
  #stallsAt = 0
  #held = 0
  readonly #refused = new Map<HubErrorCode, number>()
  /** Whether what the hub has accepted survives its process. */
  readonly durable: boolean

  /** @param options - Where to listen, where to store, limits. */
  constructor(options: NetworkHubServerOptions = {}) {
    const { data, store, shared } = options
    if ([data, store, shared].filter((item) => item !== undefined).length > 1) {
      throw new TypeError('"data", "store" and "shared" exclude each other')
    }
    this.#options = options
    this.#environment = options.environment ?? systemEnvironment
    if (shared === undefined) {
      const own = store ?? storeAt(data)
      this.durable = own.durable
      this.#hub = new HubRuntime({
        ...{ store: own, environment: this.#environment, settings: hubSettings(options) },
        ...{ secret: options.secret, schedule: setImmediate },
      })
    } else {
      checkClusterStore(shared)
      this.durable = true
    }
    this.#host = {
      hold: (connection, bytes) => this.#hold(connection, bytes),
      closed: (connection) => this.#closed(connection),
      refused: (frame) => {
        const code = hubErrorCode(decodeFrame(frame)[2] as number)
        this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
      },
    }
  }

  /**
   * Opens the store and listens.
   *
   * @returns Where it listens, and `url` for agents, with the hub's fingerprint.
   */
  async start(): Promise<{ readonly host: string; readonly port: number; readonly url: string }> {
    await this.#startHub()
    const { host = "127.0.0.1", port = DEFAULT_PORT, tls, maxConnections = 20_000 } = this.#options
    const handshakeTimeout = (this.#options.loginTimeout ?? LOGIN_TIMEOUT) * 1_000
    const options = { allowHalfOpen: true, noDelay: true, keepAlive: true }
    const accept = (socket: Socket): void => this.#accept(socket)
    const server = tls
      ? createTlsServer({ ...options, ...tlsOptions(tls), handshakeTimeout }, accept)
      : createServer(options, accept)
    server.maxConnections = maxConnections
    this.#server = server
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject)
        server.listen({ host, port, backlog: 1_024 }, () => {
          server.off("error", reject)
          resolve()
        })
      })
    } catch (error) {
      await this.#hub?.stop()
      throw error
    }
    server.on("error", (error) => this.#log({ event: "listen-error", message: error.message }))
    server.on("tlsClientError", (_error, socket: Socket) => socket.destroy())
    const { port: actual } = server.address() as AddressInfo
    const url = `agentmesh://${host.includes(":") ? `[${host}]` : host}:${actual}#${this.fingerprint}`
    this.#log({ event: "started", host, port: actual, durable: this.durable })
    return { host, port: actual, url }
  }

  async #startHub(): Promise<void> {
    const { shared, log } = this.#options
    if (shared === undefined) await this.#running.start()
    else {
      this.#hub = await openCluster(shared, this.#environment, hubSettings(this.#options), log)
    }
  }

  get #running(): HubRuntime | ClusterHub {
    if (this.#hub === null) throw new TypeError("the hub has not been started")
    return this.#hub
  }

  /** Whether agents can be served now: the store answers, and every partition has its owner. */
  get ready(): boolean {
    if (this.#server === null || this.#hub === null) return false
    return this.#hub instanceof HubRuntime || this.#hub.ready
  }

  /** The fingerprint of the hub's key; known once it was started. */
  get fingerprint(): string {
    return fingerprint(this.#running.hubIk)
  }

  /** What the hub has done so far. */
  get statistics(): Readonly<HubStatistics> & {
    readonly delivered: number
    readonly held: number
    /** Partitions of a cluster that this hub owns; 1 for a hub of its own, which is all there is. */
    readonly partitions: number
  } {
    const hub = this.#running
    const { statistics } = hub
    const own = { ...statistics, held: this.#held }
    return hub instanceof HubRuntime
      ? { ...own, delivered: hub.delivered, partitions: 1 }
      : { ...own, delivered: hub.statistics.delivered, partitions: hub.statistics.partitions }
  }

  /** Errors sent so far, by their code: which limits agents meet. */
  get refused(): ReadonlyMap<HubErrorCode, number> {
    return this.#refused
  }

  /** The limits of this process that are not announced to agents. */
  get bounds(): { readonly links: number; readonly held: number; readonly names: number } {
    const { maxConnections = 20_000, maxHeld = 268_435_456 } = this.#options
    return { links: maxConnections, held: maxHeld, names: hubSettings(this.#options).maxNames }
  }

  /** Accepts no more, answers what was asked, lets connections take it, closes them. */
  async stop(): Promise<void> {
    this.#cancelLook?.()
    const server = this.#server
    this.#server = null
    const gone = new Promise<void>((resolve) => {
      if (server === null) resolve()
      else server.close(() => resolve())
    })
    await this.#hub?.stop()
    const late = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy()
    }, GRACE)
    await gone
    clearTimeout(late)
    this.#log({ event: "stopped" })
  }

  #log(entry: HubLogEntry): void {
    this.#options.log?.(entry)
  }

  #accept(socket: Socket): void {
    const now = this.#environment.now()
    const connection = new HubConnection(socket, this.#running, this.#host, now)
    this.#connections.add(connection)
    this.#lookIn(this.#within(LOGIN_LOOK))
    socket.on("data", (chunk: Uint8Array) => connection.receive(chunk, this.#environment.now()))
  }

  #closed(connection: HubConnection): void {
    this.#connections.delete(connection)
    this.#held -= connection.held
    connection.held = 0
  }

  #hold(connection: HubConnection, bytes: number): boolean {
    const { maxHeld = 268_435_456 } = this.#options
    if (bytes > 0 && this.#held + bytes > maxHeld) {
      this.#log({ event: "held-too-much", bytes: this.#held })
      return false
    }
    this.#held += bytes
    connection.held += bytes
    return true
  }

  /** So many seconds, or the limit of silence if that is shorter: it is noticed within twice of it. */
  #within(seconds: number): number {
    const { idleTimeout = IDLE_TIMEOUT } = this.#options
    return idleTimeout > 0 ? Math.min(seconds, idleTimeout) : seconds
  }

  /** Looks at the connections in so many seconds, or earlier if that is planned. */
  #lookIn(seconds: number): void {
    const at = this.#environment.now() + seconds * 1_000
    if (at >= this.#lookAt || this.#server === null) return
    this.#cancelLook?.()
    this.#lookAt = at
    this.#cancelLook = this.#environment.after(seconds * 1_000, () => {
      this.#lookAt = Number.POSITIVE_INFINITY
      this.#look()
    })
  }

  /** Closes connections that do not authenticate, are silent, or take nothing (HUB-35). */
  #look(): void {
    const { loginTimeout = LOGIN_TIMEOUT, idleTimeout = IDLE_TIMEOUT } = this.#options
    const now = this.#environment.now()
    const stalls = now - this.#stallsAt >= STALL_TIMEOUT * 1_000
    if (stalls) this.#stallsAt = now
    let strangers = false
    for (const connection of this.#connections) {
      const stranger = connection.name === null
      const late = stranger && now - connection.openedAt >= loginTimeout * 1_000
      const silent = idleTimeout > 0 && now - connection.activeAt >= idleTimeout * 1_000
      if (late || silent || (stalls && connection.stalled())) connection.destroy()
      else strangers ||= stranger
    }
    if (this.#connections.size > 0)
      this.#lookIn(this.#within(strangers ? LOGIN_LOOK : STALL_TIMEOUT))
  }
}

function storeAt(data: string | undefined): HubStore {
  if (data === undefined) return new MemoryStore()
  return new DatabaseStore(new FileDatabase(data, WRITE_BUFFER))
}

function tlsOptions({ cert, key }: NonNullable<NetworkHubServerOptions["tls"]>) {
  return { cert: asPem(cert), key: asPem(key) }
}

function asPem(pem: string | Uint8Array): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem)
}
