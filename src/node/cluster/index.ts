// A cluster of hubs on NATS: how a server gets one.

import type { Environment } from "../../environment.ts"
import type { HubSettings } from "../../hub/decision.ts"
import { ClusterHub } from "./cluster-hub.ts"
import { Nats } from "./nats.ts"
import { parseStoreAddress, type StoreAddress } from "./store-address.ts"

/** A store that hubs share. */
export interface ClusterStoreOptions {
  /** `nats://[user:password@]host:port[,host:port]`: servers with JetStream; `tls://` asks for TLS. */
  readonly url: string
  /** Copies of everything that is stored; `OK` means that most of them have it. By default 3. */
  readonly replicas?: number
  /** Hubs with the same name are one hub; letters, digits, `-` and `_`. By default "default". */
  readonly cluster?: string
  /** Path of a NATS credentials file. */
  readonly credentials?: string | undefined
  /** Path of the certificate authority of the servers, in PEM: the connection is then TLS. */
  readonly caFile?: string | undefined
  /** Divisions of the rows, if the cluster is new: the most hubs that share the work. By default 32. */
  readonly partitions?: number
  /**
   * Milliseconds that a new hub listens for others before it owns anything; by default 1,200. Less is
   * harmless to what is stored, but hubs may then take over what others own.
   */
  readonly listen?: number
}

/** Bytes of a stored message beside the envelope in it. */
const OVERHEAD = 4_096

/** Checks the options of a shared store. @throws TypeError or RangeError that says what is wrong. */
export function checkClusterStore(
  options: ClusterStoreOptions,
): Required<Pick<ClusterStoreOptions, "replicas" | "cluster" | "partitions">> & StoreAddress {
  const { url, replicas = 3, cluster = "default", partitions = 32 } = options
  const address = parseStoreAddress(url)
  if (![1, 3, 5].includes(replicas))
    throw new RangeError(`replicas expected 1, 3 or 5, got ${replicas}`)
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(cluster)) {
    throw new TypeError(`cluster expected 1 to 64 letters, digits, - and _, got ${cluster}`)
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1_024) {
    throw new RangeError(`partitions expected 1 to 1,024, got ${partitions}`)
  }
  return { ...address, replicas, cluster, partitions }
}

/** Connects to the shared store alone. @throws Error with what to do. */
export function openShared(options: ClusterStoreOptions, envelope: number): Promise<Nats> {
  const { credentials, caFile } = options
  const { servers, login, replicas, cluster, ...address } = checkClusterStore(options)
  const tls = address.tls || caFile !== undefined ? { caFile } : undefined
  const largest = envelope + OVERHEAD
  return Nats.open({ servers, login, replicas, cluster, credentials, tls, largest })
}

/** Connects to the shared store, and takes part. @throws Error with what to do. */
export async function openCluster(
  options: ClusterStoreOptions,
  environment: Environment,
  settings: Omit<HubSettings, "key">,
  log?: (entry: { readonly event: string; readonly [field: string]: string | number }) => void,
): Promise<ClusterHub> {
  const { listen } = options
  const { partitions } = checkClusterStore(options)
  const shared = await openShared(options, settings.limits.envelope)
  const hub = new ClusterHub({
    shared,
    environment,
    settings,
    partitions,
    listen,
    ...(log ? { log } : {}),
  })
  try {
    await hub.start()
    return hub
  } catch (error) {
    await hub.stop()
    throw error
  }
}
