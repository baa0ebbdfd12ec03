// What a test of clusters starts, ended after each test: stores, hubs, folders.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"
import { type HubProcess, loginSurely, startHubs } from "./cluster.ts"
import { bundleOf, type RawKey, type RawLink, rawKey } from "./hub-link.ts"
import { NatsCluster, type NatsServerOptions } from "./nats.ts"

export const ALICE: RawKey = rawKey("alice")
export const BOB: RawKey = rawKey("bob")
export const now = (): number => Math.floor(Date.now() / 1000)
export const mid = (n: number): Uint8Array => new Uint8Array(16).fill(n)
export const envelope = (n: number, size = 300): Uint8Array => new Uint8Array(size).fill(n)

/** The servers and hubs of the test that runs. */
export class ClusterBed {
  hubs: HubProcess[] = []
  #stores: NatsCluster[] = []
  #folders: string[] = []

  constructor() {
    afterEach(() => this.#end())
  }

  async #end(): Promise<void> {
    await Promise.all(this.hubs.map((hub) => hub.kill()))
    await Promise.all(this.#stores.map((store) => store.stop()))
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
    this.hubs = []
    this.#stores = []
    this.#folders = []
  }

  async store(count: 1 | 3 = 1, options: NatsServerOptions = {}): Promise<NatsCluster> {
    const store = await NatsCluster.start(count, options)
    this.#stores.push(store)
    return store
  }

  /** So many hubs on a store, which is of one server if none is given. */
  async start(count: number, args?: readonly string[], at?: NatsCluster): Promise<NatsCluster> {
    const store = at ?? (await this.store())
    this.hubs = [...(await startHubs(count, store.url, args))]
    return store
  }

  /** The hub with this number, counted round. */
  hub(i: number): HubProcess {
    return this.hubs[i % this.hubs.length] as HubProcess
  }

  folder(prefix: string): string {
    const folder = mkdtempSync(join(tmpdir(), prefix))
    this.#folders.push(folder)
    return folder
  }
}

/** Logs in and publishes a bundle. */
export async function joined(at: HubProcess, key: RawKey): Promise<RawLink> {
  const link = await loginSurely(at, key)
  await link.ask(10, bundleOf(key, { seq: now(), now: now() }))
  return link
}
