// Hubs under test: one interface, so that each test runs on every kind.

import { MemoryLevel } from "memory-level"
import { afterAll } from "vitest"
import type { Hub } from "../../src/hub/hub.ts"
import type { HubOptions } from "../../src/hub/local-hub.ts"
import { LocalHub } from "../../src/hub/local-hub.ts"
import { DatabaseStore, type HubStore } from "../../src/hub/store.ts"
import { NetworkHub } from "../../src/node/network-hub.ts"
import { NetworkHubServer } from "../../src/node/network-hub-server.ts"
import { TestClock } from "./clock.ts"
import { NatsCluster, natsVersion } from "./nats.ts"

/** A store whose writes a test can stop, and fail. */
export class FaultyStore implements HubStore {
  readonly durable = true
  readonly #inner: HubStore
  /** Writes fail while this is set. */
  failing = false
  /** Writes wait for this. */
  gate: Promise<void> = Promise.resolve()
  /** Batches written. */
  writes = 0

  constructor(inner: HubStore = new DatabaseStore(new MemoryLevel({ valueEncoding: "view" }))) {
    this.#inner = inner
  }

  open = (): Promise<void> => this.#inner.open()
  close = (): Promise<void> => this.#inner.close()
  read: HubStore["read"] = (keys) => this.#inner.read(keys)
  range: HubStore["range"] = (...range) => this.#inner.range(...range)
  write: HubStore["write"] = async (rows) => {
    await this.gate
    if (this.failing) throw new Error("no space left on device")
    this.writes++
    await this.#inner.write(rows)
  }
}

/** A running hub. */
export interface TestHub {
  readonly clock: TestClock
  readonly store: FaultyStore
  /** What agents connect to; another one after a restart. */
  readonly hub: Hub
  /** Stops the hub and starts another on the same store. */
  restart(): Promise<void>
  close(): Promise<void>
}

export type HubFactory = (options?: HubOptions) => Promise<TestHub>

/** A hub in process. */
export const localHub: HubFactory = async (options = {}) => {
  const clock = new TestClock()
  const store = new FaultyStore()
  const make = (): LocalHub => new LocalHub({ store, environment: clock, ...options })
  let hub = make()
  await hub.listAgents()
  return {
    clock,
    store,
    get hub() {
      return hub
    },
    async restart() {
      await hub.close()
      hub = make()
      await hub.listAgents()
    },
    close: () => hub.close(),
  }
}

/** A hub behind a socket. */
export const networkHub: HubFactory = async (options = {}) => {
  const clock = new TestClock()
  const store = new FaultyStore()
  let server: NetworkHubServer
  let hub: NetworkHub
  const make = async (): Promise<void> => {
    server = new NetworkHubServer({
      store,
      environment: clock,
      port: 0,
      idleTimeout: 0,
      ...options,
    })
    hub = new NetworkHub((await server.start()).url)
  }
  await make()
  return {
    clock,
    store,
    get hub() {
      return hub
    },
    async restart() {
      await server.stop()
      await make()
    },
    close: () => server.stop(),
  }
}

let nats: Promise<NatsCluster> | null = null
let clusters = 0
afterAll(async () => (await nats)?.stop())

/** A hub on a shared store: the only one of its cluster. The store cannot be made to fail. */
const clusterHub: HubFactory = async (options = {}) => {
  nats ??= NatsCluster.start()
  const { url } = await nats
  const clock = new TestClock()
  const cluster = `hub${++clusters}`
  let server: NetworkHubServer
  let hub: NetworkHub
  const partitions = options.maxNames === undefined ? 2 : 1
  const make = async (): Promise<void> => {
    const shared = { url, cluster, replicas: 1, partitions, listen: 0 }
    server = new NetworkHubServer({
      shared,
      environment: clock,
      port: 0,
      idleTimeout: 0,
      ...options,
    })
    hub = new NetworkHub((await server.start()).url)
    while (!server.ready) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await make()
  return {
    clock,
    get store(): never {
      throw new Error("a test of the store itself is not one for a cluster")
    },
    get hub() {
      return hub
    },
    async restart() {
      await server.stop()
      await make()
    },
    close: () => server.stop(),
  }
}

/** Every kind of hub, by name. The cluster is left out where nats-server is not installed. */
export const HUBS: readonly (readonly [string, HubFactory])[] = [
  ["LocalHub", localHub],
  ["NetworkHub", networkHub],
  ...(natsVersion !== null && process.env["AGENTMESH_BACKEND"] === "node"
    ? ([["cluster", clusterHub]] as const)
    : []),
]
