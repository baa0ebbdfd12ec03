// Three hubs, three store servers, and one of them is killed at a time while agents talk: no message
// that was sent is lost or dispatched twice, no one-time key is served twice, no name is bound twice.
// A thousand agents: node dist/bench/cluster.js --chaos.

import { join } from "node:path"
import { afterEach, expect, test } from "vitest"
import { runChaos, type Victim } from "../bench/chaos.ts"
import { addressOf, type HubProcess, startHubs } from "./support/cluster.ts"
import { compiledSources } from "./support/compiled.ts"
import { NatsCluster, natsAbsent, natsVersion } from "./support/nats.ts"

const AGENTS = Number(process.env["AGENTMESH_CHAOS_AGENTS"] ?? 40)
const SECONDS = Number(process.env["AGENTMESH_CHAOS_SECONDS"] ?? 45)
const SEED = Number(process.env["AGENTMESH_SEED"] ?? 1)

let store: NatsCluster | null = null
let hubs: readonly HubProcess[] = []

afterEach(async () => {
  await Promise.all(hubs.map((hub) => hub.kill()))
  await store?.stop()
})

test.skipIf(natsVersion === null)(
  `kill -9 of any one, again and again${natsAbsent}`,
  { timeout: 240_000, retry: 0 },
  async () => {
    const servers = await NatsCluster.start(3)
    store = servers
    hubs = await startHubs(3, store.url, ["--replicas", "3"])
    const victims: Victim[] = [
      ...hubs.map((hub, i) => ({
        name: `hub ${i}`,
        kill: () => hub.kill(),
        start: () => hub.start(),
      })),
      ...store.servers.map((server, i) => ({
        name: `store server ${i}`,
        kill: () => server.kill(),
        start: async () => {
          await server.start()
          await servers.current() // as the operators' page asks for
        },
      })),
    ]
    let state = 0x9e37_79b9 ^ SEED
    const random = (): number => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return (state >>> 0) / 2 ** 32
    }
    const result = await runChaos({
      ...{ address: addressOf(hubs), victims, agents: AGENTS, seconds: SECONDS, random },
      program: join(compiledSources(), "test", "programs", "chaos-agents.js"),
      say: (line) => console.log(line),
    })
    console.log(result)
    expect(result).toMatchObject({ lost: 0, twice: 0, keysTwice: 0, namesTwice: 0 })
    expect(result.sent).toBeGreaterThan(AGENTS * 3)
    expect(result.keysServed).toBeGreaterThan(10)
    expect(result.names).toBeGreaterThan(1)
    expect(result.kills).toBeGreaterThan(1)
  },
)
