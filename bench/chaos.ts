// Agents of a cluster of hubs while hubs and store servers are killed: what must hold whatever dies.
// Every message that was sent arrives, none twice at a handler; no one-time key goes to two agents; a
// name goes to one key.

import { createBundle, createOneTimeKey } from "../src/bundle.ts"
import { systemEnvironment } from "../src/environment.ts"
import { AgentMeshError } from "../src/errors.ts"
import { HubClient } from "../src/hub/client.ts"
import { createIdentity, type OwnIdentity } from "../src/identity.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { osDraw } from "../src/suite.ts"
import type { ChaosEvent } from "../test/programs/chaos-agents.ts"
import { Program } from "./processes.ts"

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
  /** The compiled `test/programs/chaos-agents`. */
  readonly program: string
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
  /** For each kill the longest time that a message sent between it and the next one took, ms. */
  readonly recovery: readonly number[]
  /** The longest time that a process of agents was busy without a break: recovery includes it. */
  readonly lag: number
}

/** Agents in one process. */
const TOGETHER = 125
/** Milliseconds without an arrival after which a message counts as lost: agents look again each minute. */
const SILENCE = 150_000
/** Milliseconds for what is lost to come when all links are new. */
const NEW_LINKS = 30_000

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

interface Sent {
  readonly by: string
  readonly to: string
  readonly at: number
}

/** What all processes of agents have told. */
interface Seen {
  readonly sent: Map<string, Sent>
  /** When it came, the first time. */
  readonly got: Map<string, number>
  readonly twice: Set<string>
  arrivedAt: number
}

/** One process of agents. */
class Agents {
  readonly #program: Program
  readonly there: Promise<void>
  readonly done: Promise<number>
  readonly #ended: Promise<void>

  constructor(first: number, options: ChaosOptions, seen: Seen) {
    const { address, agents, program, say } = options
    const count = Math.min(TOGETHER, agents - first)
    const process = new Program(program, [address, ...[first, count, agents].map(String)])
    this.#program = process
    let there = (): void => undefined
    let done = (_lag: number): void => undefined
    this.there = new Promise((resolve) => {
      there = resolve
    })
    this.done = new Promise((resolve) => {
      done = resolve
    })
    const take = (event: ChaosEvent): void => {
      if (event.kind === "there") there()
      else if (event.kind === "done") done(event.lag)
      else if (event.kind === "sent") seen.sent.set(event.id, event)
      else if (event.kind === "got") {
        if (seen.got.has(event.id)) seen.twice.add(event.id)
        else seen.got.set(event.id, event.at)
        seen.arrivedAt = Date.now()
      } else say(event.line)
    }
    this.#ended = (async () => {
      for (;;) take(await process.result<ChaosEvent>())
    })().catch(() => undefined) // it has ended
  }

  tell(line: string): void {
    this.#program.tell(line)
  }

  async end(): Promise<void> {
    this.tell("end")
    await this.#ended
  }
}

/** For each kill the longest time that a message took which was sent after it and before the next. */
function recoveryOf(kills: readonly number[], { sent, got }: Seen): readonly number[] {
  return kills.map((kill, i) => {
    const next = kills[i + 1] ?? Number.POSITIVE_INFINITY
    const times = [...sent]
      .filter(([, { at }]) => at >= kill && at < next)
      .map(([id, { at }]) => (got.get(id) ?? at) - at)
    return Math.max(0, ...times)
  })
}

/** Kills one thing at a time, each once in any order, then again; returns when each died. */
async function kill(options: ChaosOptions, on: () => boolean): Promise<readonly number[]> {
  const { random, say, victims } = options
  const kills: number[] = []
  let next: Victim[] = []
  while (on()) {
    await pause(1_500 + random() * 2_000)
    if (!on()) break
    if (next.length === 0) next = [...victims]
    const [victim] = next.splice(Math.floor(random() * next.length), 1) as [Victim]
    await victim.kill()
    kills.push(Date.now())
    say(`${new Date().toISOString()} kill -9 ${victim.name}`)
    await pause(500 + random() * 1_000)
    await victim.start()
    await pause(3_500) // one at a time: the next only when this one is there again
  }
  return kills
}

/** Says what both ends know of messages that have not come, and whether new links bring them. */
async function search(
  lost: () => readonly string[],
  { seen, all, options }: { seen: Seen; all: readonly Agents[]; options: ChaosOptions },
): Promise<void> {
  for (const id of lost().slice(0, 10)) {
    const { by, to } = seen.sent.get(id) as Sent
    options.say(`message ${id} of ${by} to ${to} has not come`)
    for (const name of [by, to]) for (const some of all) some.tell(`where ${name} ${id}`)
  }
  for (const victim of options.victims.filter(({ name }) => name.startsWith("hub"))) {
    await victim.kill()
    await victim.start()
  }
  await pause(NEW_LINKS)
  options.say(`after all links were made anew ${lost().length} are missing`)
}

/** Runs agents, kills one thing at a time, and counts. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { address, agents: count, seconds, say } = options
  const seen: Seen = { sent: new Map(), got: new Map(), twice: new Set(), arrivedAt: Date.now() }
  const all: Agents[] = []
  for (let first = 0; first < count; first += TOGETHER) all.push(new Agents(first, options, seen))
  await Promise.all(all.map(({ there }) => there))
  say(`${count} agents are there, in ${all.length} processes`)
  const end = Date.now() + seconds * 1_000
  const on = (): boolean => Date.now() < end
  for (const some of all) some.tell(`go ${seconds}`)
  const keys = new Keys()
  const [kills, [names, namesTwice]] = await Promise.all([
    kill(options, on),
    contest(address, on),
    keys.run(address, on),
  ])
  const lags = await Promise.all(all.map(({ done }) => done))
  const missing = (): readonly string[] => [...seen.sent.keys()].filter((id) => !seen.got.has(id))
  seen.arrivedAt = Date.now()
  while (missing().length > 0 && Date.now() - seen.arrivedAt < SILENCE) await pause(100)
  const lost = missing().length
  const [arrived, recovery] = [seen.got.size, recoveryOf(kills, seen)]
  if (lost > 0) await search(missing, { seen, all, options })
  await Promise.all(all.map((some) => some.end()))
  return {
    ...{ sent: seen.sent.size, arrived, lost, twice: seen.twice.size },
    ...{ kills: kills.length, recovery, lag: Math.max(...lags) },
    ...{ keysServed: keys.served.size, keysTwice: keys.twice, names, namesTwice },
  }
}
