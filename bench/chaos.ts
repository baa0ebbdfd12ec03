// Agents of a cluster of hubs while hubs and store servers are killed: what must hold whatever dies.
// Every message that was sent arrives, none twice at a handler; no one-time key goes to two agents; a
// name goes to one key.

import { Agent } from "../src/agent/agent.ts"
import { createBundle, createOneTimeKey } from "../src/bundle.ts"
import { systemEnvironment } from "../src/environment.ts"
import { AgentMeshError } from "../src/errors.ts"
import { HubClient } from "../src/hub/client.ts"
import { createIdentity, type OwnIdentity } from "../src/identity.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { osDraw } from "../src/suite.ts"

/** What can be killed and comes back. */
export interface Victim {
  readonly name: string
  kill(): Promise<void>
  start(): Promise<void>
}

/** What a run is made of. */
export interface ChaosOptions {
  /** `agentmesh://a:1,b:2#…` of all hubs. */
  readonly address: string
  readonly victims: readonly Victim[]
  readonly agents: number
  /** Seconds of load. */
  readonly seconds: number
  readonly random: () => number
  readonly say: (line: string) => void
}

/** What came of it. */
export interface ChaosResult {
  readonly sent: number
  readonly arrived: number
  readonly lost: number
  readonly twice: number
  readonly keysServed: number
  readonly keysTwice: number
  readonly names: number
  readonly namesTwice: number
  readonly kills: number
  /** For each kill the longest time that a message sent between it and the next one took. */
  readonly recovery: readonly number[]
  /** The longest time that the agents' own process was busy without a break: recovery includes it. */
  readonly lag: number
}

/** Agents that send at full pace and to many; more of them send less often, all in one process. */
const FULL_PACE = 25
const PEERS = 5
const FEW_PEERS = 2
/** Milliseconds without an arrival after which a message counts as lost: agents look again each minute. */
const SILENCE = 150_000
/** One of so many agents has the suites of a default agent; the others are cheap to compute. */
const FULL_SUITES = 20

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A client without an agent, which keeps trying until it is connected or refused for good. */
async function clientOf(address: string, identity: OwnIdentity): Promise<HubClient | null> {
  for (;;) {
    const client = new HubClient({
      ...{ hub: new NetworkHub(address), identity, environment: systemEnvironment },
      ...{ pinnedHub: null, requestTimeout: 10_000 },
      events: { ready: () => {}, deliver: () => {}, low: () => {}, closed: () => {} },
    })
    try {
      await Promise.race([client.start(), pause(12_000).then(() => Promise.reject(new Error()))])
      return client
    } catch (error) {
      await client.close()
      if (error instanceof AgentMeshError && error.code === "hub/name-taken") return null
      await pause(200)
    }
  }
}

async function surely<T>(ask: () => Promise<T>, while_: () => boolean): Promise<T | null> {
  while (while_()) {
    try {
      return await ask()
    } catch {
      await pause(200)
    }
  }
  return null
}

/** One owner of keys, and many who ask for them at once, at any hub. */
class Keys {
  readonly served = new Map<string, string>()
  twice = 0
  #round = 0

  async run(address: string, on: () => boolean): Promise<void> {
    const identity = createIdentity("keys-owner", osDraw)
    const owner = (await clientOf(address, identity)) as HubClient
    const now = Math.floor(Date.now() / 1000)
    const { bytes } = createBundle(identity, { seq: now, now, suites: [1] }, osDraw)
    await surely(() => owner.putBundle(bytes), on)
    while (on()) {
      const keys = Array.from({ length: 10 }, () => createOneTimeKey(identity, 1, now, osDraw))
      await surely(
        () =>
          owner.putOneTime(
            false,
            keys.map((key) => key.bytes),
          ),
        on,
      )
      const askers = Array.from({ length: 12 }, () => `asker-${this.#round++}`)
      await Promise.all(askers.map((name) => this.#ask(address, name, on)))
    }
    await owner.close()
  }

  async #ask(address: string, name: string, on: () => boolean): Promise<void> {
    const client = (await clientOf(address, createIdentity(name, osDraw))) as HubClient
    const found = await surely(() => client.getBundle("keys-owner", [1]), on)
    await client.close()
    if (found?.oneTime == null) return
    const key = Buffer.from(found.oneTime).toString("base64")
    const other = this.served.get(key)
    if (other !== undefined && other !== name) this.twice++
    this.served.set(key, name)
  }
}

/** Names that two keys ask for at once. */
async function contest(address: string, on: () => boolean): Promise<readonly [number, number]> {
  let [names, twice] = [0, 0]
  while (on()) {
    const name = `contest-${names++}`
    const won = await Promise.all(
      [0, 1].map(async () => {
        const client = await clientOf(address, createIdentity(name, osDraw))
        await client?.close()
        return client !== null
      }),
    )
    if (won[0] && won[1]) twice++
    await pause(100)
  }
  return [names, twice]
}

/** Watches how long this process does not come to its timers; the result ends it. */
function watchLag(): () => number {
  let [last, most] = [performance.now(), 0]
  const timer = setInterval(() => {
    const now = performance.now()
    most = Math.max(most, now - last - 100)
    last = now
  }, 100)
  return () => {
    clearInterval(timer)
    return Math.round(most)
  }
}

/** Runs agents, kills one thing at a time, and counts. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { address, victims, agents: count, seconds, random, say } = options
  const got = new Map<string, number>()
  const sent: string[] = []
  const begun = new Map<string, readonly [at: number, kills: number]>()
  const recovery: number[] = []
  let kills = 0
  let arrivedAt = Date.now()
  const agents: Agent[] = []
  for (let i = 0; i < count; i++) {
    const agent = new Agent(`agent-${i}`, {
      hub: new NetworkHub(address),
      ...(i % FULL_SUITES === 0 ? {} : { suites: [1], oneTimeKeys: 20 }),
    })
    agent.onMessage(({ payload }) => {
      const { id } = payload as { id: string }
      got.set(id, (got.get(id) ?? 0) + 1)
      arrivedAt = Date.now()
      const [at, after] = begun.get(id) ?? [Date.now(), 0]
      begun.delete(id)
      if (after > 0) recovery[after - 1] = Math.max(recovery[after - 1] ?? 0, Date.now() - at)
    })
    agent.on("undelivered", ({ to, reason }) =>
      say(`agent-${i} gave up a message to ${to}: ${reason}`),
    )
    agent.on("rejected", ({ from, error }) => say(`agent-${i} refused from ${from}: ${error.code}`))
    agents.push(agent)
  }
  for (let i = 0; i < count; i += 50) {
    await Promise.all(agents.slice(i, i + 50).map((agent) => agent.ready))
  }
  say(`${count} agents are there`)
  const lag = watchLag()
  const end = Date.now() + seconds * 1_000
  const on = (): boolean => Date.now() < end
  let numbers = 0
  const peers = count > FULL_PACE ? FEW_PEERS : PEERS
  const senders = agents.map(async (agent, i) => {
    while (on()) {
      await pause((200 + random() * 800) * Math.max(1, count / FULL_PACE))
      // A few peers each: first contacts as well as long sessions.
      const to = (i + 1 + Math.floor(random() * peers)) % count
      const id = String(++numbers)
      begun.set(id, [Date.now(), kills])
      try {
        await agent.send(`agent-${to}`, { id })
        sent.push(id)
      } catch (error) {
        // Not accepted: nothing was promised. It is counted if it arrives all the same.
        if (!(error instanceof AgentMeshError)) throw error
      }
    }
  })
  const keys = new Keys()
  const keysDone = keys.run(address, on)
  const contestDone = contest(address, on)
  let next: Victim[] = [] // each once, in any order, then again
  while (on()) {
    await pause(1_500 + random() * 2_000)
    if (!on()) break
    if (next.length === 0) next = [...victims]
    const [victim] = next.splice(Math.floor(random() * next.length), 1) as [Victim]
    await victim.kill()
    kills++
    say(`${new Date().toISOString()} kill -9 ${victim.name}`)
    await pause(500 + random() * 1_000)
    await victim.start()
    await pause(3_500) // one at a time: the next only when this one is there again
  }
  await Promise.all(senders)
  await keysDone
  const [names, namesTwice] = await contestDone
  arrivedAt = Date.now()
  while (sent.some((id) => !got.has(id)) && Date.now() - arrivedAt < SILENCE) await pause(100)
  await Promise.all(agents.map((agent) => agent.close()))
  return {
    ...{ sent: sent.length, arrived: got.size, kills, recovery, lag: lag() },
    ...{ lost: sent.filter((id) => !got.has(id)).length },
    ...{ twice: [...got.values()].filter((times) => times > 1).length },
    ...{ keysServed: keys.served.size, keysTwice: keys.twice, names, namesTwice },
  }
}
