// What a connection to NATS needs, without the types of its optional packages.

import type { StoreAddress } from "./store-address.ts"

/** What `nats://host:port[,host:port]` and the options of a hub say. */
export interface NatsOptions {
  /** Servers, as `host:port`. */
  readonly servers: readonly string[]
  /** Hubs of one cluster use one name; letters, digits and hyphens. */
  readonly cluster: string
  /** Copies of everything that is stored: 1, 3 or 5. */
  readonly replicas: number
  /** User and password, or token. */
  readonly login?: StoreAddress["login"]
  /** Path of a NATS credentials file. */
  readonly credentials?: string | undefined
  /** TLS to the servers. */
  readonly tls?: { readonly caFile?: string | undefined } | undefined
  /** Bytes that one stored message must be able to have. */
  readonly largest: number
  /** Milliseconds that servers which have just started get to elect their leaders; 30,000. */
  readonly patience?: number
}
