// agentmesh-hub migrate: from the data directory of one hub to a store that hubs share.

import { existsSync } from "node:fs"
import type { Command } from "commander"
import { DEFAULT_LIMITS } from "../hub/decision.ts"
import { DatabaseStore } from "../hub/store.ts"
import { fingerprint } from "../identity.ts"
import { ed25519Public } from "../suite.ts"
import { checkClusterStore, openShared } from "./cluster/index.ts"
import { migrateStore } from "./cluster/migrate.ts"
import { withoutLogin } from "./cluster/store-address.ts"
import { FileDatabase } from "./database.ts"

interface Flags {
  readonly data: string
  readonly store: string
  readonly replicas: string
  readonly cluster: string
  readonly natsCredentials?: string
  readonly natsCa?: string
  readonly envelope: string
}

/** Adds the command. */
export function addMigrate(program: Command): void {
  program
    .command("migrate")
    .description("Moves the data directory of one hub into a shared store that is still empty.")
    .requiredOption(
      "--data <dir>",
      "data directory of a hub that is not running; it stays as it is",
    )
    .requiredOption("--store <url>", "nats://host:port[,host:port]: a JetStream store")
    .option("--replicas <n>", "copies that the shared store keeps: 1, 3 or 5", "3")
    .option("--cluster <name>", "hubs of one shared store and name are one hub", "default")
    .option("--nats-credentials <file>", "credentials for the shared store")
    .option("--nats-ca <file>", "certificate authority of the shared store, in PEM")
    .option("--envelope <n>", "largest envelope of the hub", String(DEFAULT_LIMITS.envelope))
    .action(migrate)
}

async function migrate(flags: Flags): Promise<void> {
  const { data, store: url, cluster, natsCredentials: credentials, natsCa: caFile } = flags
  if (!existsSync(data)) throw new TypeError(`there is no data directory ${data}`)
  const options = { url, cluster, credentials, caFile, replicas: Number(flags.replicas) }
  const { partitions } = checkClusterStore(options)
  const from = new DatabaseStore(new FileDatabase(data))
  await from.open()
  try {
    const shared = await openShared(options, Number(flags.envelope))
    try {
      const { names, messages, secret } = await migrateStore(from, shared, partitions)
      const hub = fingerprint(ed25519Public(secret))
      process.stdout.write(
        `moved ${names} names and ${messages} messages to the cluster "${cluster}"\n` +
          `the hub is the same: fingerprint ${hub}\n` +
          `start hubs with: agentmesh-hub --store ${withoutLogin(url)} --cluster ${cluster} --replicas ${flags.replicas}\n`,
      )
    } finally {
      await shared.close()
    }
  } finally {
    await from.close()
  }
}
