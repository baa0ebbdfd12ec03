// A cluster of hubs on JetStream, with real processes: any agent at any hub, what holds across hubs,
// and what is said when the store is not as it has to be. The tests of a single hub that run on every
// kind of hub run on a cluster too (support/hubs.ts).

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { runHubCases, spawnHub } from "../conformance/live/hub.ts"
import { Nats } from "../src/node/cluster/nats.ts"
import type { NatsOptions } from "../src/node/cluster/nats-connect.ts"
import { Conflict, type Stored } from "../src/node/cluster/shared-log.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { addressOf, type HubProcess, hubProcess, loginSurely } from "./support/cluster.ts"
import { ALICE, BOB, ClusterBed, envelope, joined, mid, now } from "./support/cluster-bed.ts"
import { compiledSources } from "./support/compiled.ts"
import { type Frame, oneTimeOf, RawLink, rawKey } from "./support/hub-link.ts"
import { type NatsCluster, natsAbsent, natsVersion } from "./support/nats.ts"
import { Program } from "./support/process.ts"

const DAY = 86_400

const bed = new ClusterBed()
const hub = (i: number): HubProcess => bed.hub(i)

describe.skipIf(natsVersion === null)(`three hubs on one store${natsAbsent}`, () => {
  test("an agent at one hub writes to one at another; a second link elsewhere replaces the first", async () => {
    await bed.start(3)
    const bob = await joined(hub(1), BOB)
    const alice = await joined(hub(0), ALICE)
    expect(await alice.ask(13, "bob", mid(1), envelope(1))).toEqual([null])
    expect(await bob.next()).toEqual([30, 0, 1, "alice", envelope(1)])

    const again = await loginSurely(hub(2), BOB)
    expect((await bob.end()).map((frame) => frame[2])).toEqual([12]) // hub/replaced (HUB-33)
    expect(await again.settled()).toEqual([[30, 0, 1, "alice", envelope(1)]])
    expect(await again.ask(14, [1])).toEqual([null])

    // One fingerprint, one list of names, one dedupe, one set of quotas.
    expect(new Set(bed.hubs.map(({ url }) => url.split("#")[1])).size).toBe(1)
    for (const i of [0, 1, 2]) {
      const carol = await loginSurely(hub(i), rawKey("carol"))
      expect(await carol.ask(15, "")).toEqual([["alice", "bob"]])
      expect(await carol.ask(13, "bob", mid(7), envelope(7))).toEqual([null])
    }
    expect((await again.settled()).length).toBe(1)
  })

  test("quotas and one name per identity hold across hubs", async () => {
    await bed.start(3, ["--replicas", "1", "--per-sender", "4"])
    const bob = await joined(hub(0), BOB)
    bob.close()
    const codes: unknown[] = []
    for (let n = 1; n <= 6; n++) {
      const alice = await loginSurely(hub(n), ALICE)
      codes.push((await alice.ask(13, "bob", mid(n), envelope(n)))[2] ?? null)
      alice.close()
    }
    expect(codes).toEqual([null, null, null, null, 9, 9])

    const other = { ...ALICE, name: "alice2" }
    const link = await RawLink.open(new NetworkHub(hub(1).url))
    await link.greet()
    link.auth(other)
    expect((await link.end()).map((frame) => frame[2])).toEqual([4]) // HUB-30, across partitions
  })

  test("a one-time key is served once, though three hubs are asked at once", async () => {
    await bed.start(3)
    const bob = await joined(hub(0), BOB)
    const notAfter = now() + 50 * DAY
    const keys = Array.from({ length: 60 }, (_, n) => oneTimeOf(BOB, n, notAfter))
    expect(await bob.ask(11, 0, keys)).toEqual([60])
    const askers = await Promise.all(
      Array.from({ length: 75 }, (_, n) => loginSurely(hub(n), rawKey(`asker${n}`))),
    )
    const found = await Promise.all(askers.map((link) => link.ask(12, "bob", [1])))
    const served = found.map(([frame]) => (frame as Frame)[1] as [Uint8Array] | null)
    const bodies = served.flatMap((key) =>
      key === null ? [] : [Buffer.from(key[0]).toString("hex")],
    )
    expect(bodies.length).toBe(60)
    expect(new Set(bodies).size).toBe(60)
  })

  test("a name that three hubs are asked for at once is bound once", async () => {
    await bed.start(3)
    for (let round = 0; round < 5; round++) {
      const keys = [0, 1, 2].map((n) => rawKey(`name${round}`, `seed ${round} ${n}`))
      const answers = await Promise.all(
        keys.map(async (key, i) => {
          const link = await RawLink.open(new NetworkHub(hub(i).url))
          await link.greet()
          link.auth(key)
          return link.next()
        }),
      )
      const codes = answers.map((frame) => (frame[0] === 4 ? 0 : frame[2]))
      expect(codes.sort()).toEqual([0, 5, 5])
    }
  })

  test("all hubs start again: names, mail and numbers go on", async () => {
    await bed.start(3)
    const bob = await joined(hub(0), BOB)
    bob.close()
    let alice = await joined(hub(1), ALICE)
    for (let n = 1; n <= 3; n++) await alice.ask(13, "bob", mid(n), envelope(n, 5_000 * n))
    const { url } = hub(0)
    await Promise.all(bed.hubs.map((one) => one.kill()))
    await Promise.all(bed.hubs.map((one) => one.start()))
    expect(hub(0).url).toBe(url) // the hub's key too
    alice = await loginSurely(hub(2), ALICE)
    expect(alice.counts[2]).not.toBeNull() // the bundle is there
    expect(await alice.ask(13, "bob", mid(3), envelope(3))).toEqual([null]) // known already
    expect(await alice.ask(13, "bob", mid(4), envelope(4))).toEqual([null])
    const back = await loginSurely(hub(1), BOB)
    expect(back.counts[0]).toBe(4)
    const mail = await back.settled()
    expect(mail.map((frame) => [frame[2], (frame[4] as Uint8Array).length])).toEqual([
      ...[1, 2, 3].map((n) => [n, 5_000 * n]),
      [4, 300],
    ])
    const link = await RawLink.open(new NetworkHub(hub(0).url))
    await link.greet()
    link.auth({ ...rawKey("mallory"), name: "bob" })
    expect((await link.end()).map((frame) => frame[2])).toEqual([5])
  })

  test("an owner that stood still for ten seconds does no harm", { timeout: 90_000 }, async () => {
    await bed.start(2)
    const links = await Promise.all(
      Array.from({ length: 8 }, (_, n) => joined(hub(0), rawKey(`agent${n}`))),
    )
    hub(1).signal("SIGSTOP")
    const accepted: number[][] = Array.from({ length: 8 }, () => [])
    const paused = Date.now()
    const from = await loginSurely(hub(0), ALICE)
    from.close()
    let n = 0
    let resumed = false
    while (Date.now() - paused < 14_000) {
      if (!resumed && Date.now() - paused > 10_000) {
        hub(1).signal("SIGCONT")
        resumed = true
      }
      const alice = await loginSurely(hub(resumed ? n : 0), ALICE)
      const to = n++ % 8
      const answer = await Promise.race([
        alice.ask(13, `agent${to}`, mid(n), envelope(n, 20)).catch(() => null),
        new Promise<null>((resolve) => setTimeout(() => resolve(null), 4_000)),
      ])
      if (answer?.[0] === null) accepted[to]?.push(n)
      alice.close()
    }
    for (const link of links) link.close()
    expect(accepted.flat().length).toBeGreaterThan(8)
    for (let i = 0; i < 8; i++) {
      const link = await loginSurely(hub(i), rawKey(`agent${i}`))
      const frames = await link.settled()
      const seqs = frames.map((frame) => frame[2])
      expect(new Set(seqs).size).toBe(seqs.length)
      const found = frames.map((frame) => (frame[4] as Uint8Array)[0] as number)
      expect(new Set(found).size).toBe(found.length)
      for (const one of accepted[i] as number[]) expect(found).toContain(one & 255)
    }
  })

  test("SIGTERM hands over; the port is free and the process gone within seconds", async () => {
    const store = await bed.start(2)
    const bob = await joined(hub(0), BOB)
    const before = Date.now()
    await hub(1).kill("SIGTERM")
    expect(Date.now() - before).toBeLessThan(6_000)
    bob.close()
    const alice = await loginSurely(hub(0), ALICE)
    expect(await alice.ask(13, "bob", mid(1), envelope(1))).toEqual([null])
    // Also when the store is gone.
    await store.servers[0]?.kill()
    const late = Date.now()
    await hub(0).kill("SIGTERM")
    expect(Date.now() - late).toBeLessThan(15_000)
  })

  test("agents take a list of hubs", async () => {
    await bed.start(2)
    expect(addressOf(bed.hubs)).toMatch(/^agentmesh:\/\/[^,]+,[^,]+#/)
    const address = new NetworkHub(addressOf(bed.hubs))
    await hub(0).kill()
    let ready = false
    for (let tries = 0; tries < 40 && !ready; tries++) {
      const link = await RawLink.open(address).catch(() => null)
      if (link === null) continue
      await link.greet()
      link.auth(ALICE)
      ready = (await link.nextBytes().catch(() => null)) !== null
    }
    expect(ready).toBe(true)
  })
})

test.skipIf(natsVersion === null)(
  `the black-box cases for hubs pass at a hub of a cluster${natsAbsent}`,
  { timeout: 400_000 },
  async () => {
    const store = await bed.store()
    const script = join(compiledSources(), "src", "node", "hub-cli.js")
    const spawned = await spawnHub(
      `exec "${process.execPath}" "${script}" --port {port} --store ${store.url} --replicas 1`,
    )
    try {
      const verdicts = await runHubCases(spawned, { patience: 15_000 })
      const not = verdicts.filter(({ outcome }) => outcome !== "PASS")
      expect(not.filter(({ outcome }) => outcome !== "UNSUPPORTED")).toEqual([])
      expect(not.length).toBeLessThan(6) // what looks into the folder of an embedded store
    } finally {
      await spawned.stop()
    }
  },
)

describe.skipIf(natsVersion === null)(`the store${natsAbsent}`, () => {
  const options = (store: NatsCluster, more: Partial<NatsOptions> = {}): NatsOptions => ({
    ...{ servers: store.url.slice("nats://".length).split(","), cluster: "test" },
    ...{ replicas: 1, largest: 1_000_000, patience: 3_000, ...more },
  })

  test("of several who create a subject at once one wins, with three replicas", async () => {
    const store = await bed.store(3)
    const clients = await Promise.all(
      [0, 1, 2].map(() => Nats.open(options(store, { replicas: 3, patience: 30_000 }))),
    )
    for (let n = 0; n < 200; n++) {
      const outcomes = await Promise.allSettled(
        clients.map((client, i) => client.create(`log.1.${n}`, new Uint8Array([i]))),
      )
      const won = outcomes.filter(({ status }) => status === "fulfilled")
      expect(won.length).toBe(1)
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(Conflict)
      }
    }
    const [client] = clients as [Nats]
    expect((await client.subjects("log.1.*")).length).toBe(200)
    await client.erase("log.1.5")
    expect(await client.last("log.1.5")).toBeNull()
    expect((await client.next("log.1.*", 0))?.subject).toBe("log.1.0")
    const scanned: Stored[] = []
    for await (const stored of client.scan("log.1.*", 0)) scanned.push(stored)
    const numbers = Array.from({ length: 200 }, (_, n) => n).filter((n) => n !== 5)
    expect(scanned.map(({ subject }) => subject)).toEqual(numbers.map((n) => `log.1.${n}`))
    const { seq } = scanned.at(-1) as Stored
    expect((await client.scan("log.1.*", seq)[Symbol.asyncIterator]().next()).done).toBe(true)
    await Promise.all(clients.map((one) => one.close()))
  })

  test("what is wrong is said, with what to do", async () => {
    await expect(Nats.open(options(await bed.store(1, { jetstream: false })))).rejects.toThrow(
      /no JetStream: start it with -js/,
    )
    await expect(Nats.open(options(await bed.store(1), { replicas: 3 }))).rejects.toThrow(
      /cannot keep 3 copies .*: 3 servers of one NATS cluster are needed/,
    )
    await expect(
      Nats.open(options(await bed.store(1, { maxPayload: 1_048_576 }), { largest: 1_118_208 })),
    ).rejects.toThrow(/takes messages of 1048576 bytes, 1118208 are needed: set max_payload/)
    const locked = await bed.store(1, { more: 'authorization { user: a, password: "b" }' })
    await expect(Nats.open(options(locked))).rejects.toThrow(/refuses this login/)
    await locked.servers[0]?.kill()
    await expect(Nats.open(options(locked))).rejects.toThrow(/no NATS server could be reached/)
  })

  test("too few servers of a cluster: most of them have to run", async () => {
    const store = await bed.store(3)
    const [, second, third] = store.servers
    await Promise.all([second?.kill(), third?.kill()])
    await expect(Nats.open(options(store, { replicas: 3, patience: 2_000 }))).rejects.toThrow(
      /are most of the servers of the NATS cluster running\?|3 servers of one NATS cluster/,
    )
  })

  test("a stream that would forget is refused", async () => {
    const store = await bed.store(1)
    const { connect } = await import("@nats-io/transport-node")
    const { jetstreamManager } = await import("@nats-io/jetstream")
    const connection = await connect({ servers: store.url.slice("nats://".length) })
    const manager = await jetstreamManager(connection)
    const subjects = ["agentmesh.test.store.>"]
    await manager.streams.add({ name: "AGENTMESH_test", subjects, max_msgs: 100 })
    await expect(Nats.open(options(store))).rejects.toThrow(/would forget the oldest messages/)
    await connection.close()
  })

  test("without the client's packages the command says how to get them", async () => {
    const folder = bed.folder("agentmesh-bare-")
    const hook = join(folder, "hook.mjs")
    const loader = join(folder, "loader.mjs")
    writeFileSync(
      hook,
      'import { register } from "node:module"\nregister("./loader.mjs", import.meta.url)\n',
    )
    writeFileSync(
      loader,
      `export async function resolve(name, context, next) {
  if (name.startsWith("@nats-io/")) throw new Error("absent")
  return next(name, context)
}
`,
    )
    const script = join(compiledSources(), "src", "node", "hub-cli.js")
    const args = ["--import", hook, script, "--port", "0", "--store", "nats://127.0.0.1:4222"]
    const program = new Program(process.execPath, args)
    expect(await program.exited).toBe(1)
    expect(program.errors.join("\n")).toMatch(
      /npm install @nats-io\/transport-node @nats-io\/jetstream/,
    )
  })
})

test.skipIf(natsVersion === null)(
  `migrate: a hub of its own becomes a cluster; agents find their mail${natsAbsent}`,
  async () => {
    const data = join(bed.folder("agentmesh-data-"), "hub")
    const store = await bed.store()
    const script = join(compiledSources(), "src", "node", "hub-cli.js")
    const migrate = async (...args: string[]): Promise<[unknown, string]> => {
      const program = new Program(process.execPath, [
        ...[script, "migrate", "--data", data, "--store", store.url, "--replicas", "1", ...args],
      ])
      return [await program.exited, [...program.lines, ...program.errors].join("\n")]
    }
    expect(await migrate()).toEqual([2, expect.stringMatching(/there is no data directory/)])

    const single = hubProcess(["--data", data])
    bed.hubs = [single]
    await single.start()
    const { url } = single
    let alice = await joined(single, ALICE)
    const bob = await joined(single, BOB)
    const notAfter = now() + 50 * DAY
    const keys = [1, 2, 3].map((n) => oneTimeOf(BOB, n, notAfter))
    expect(await bob.ask(11, 0, keys)).toEqual([3])
    const taken = ((await alice.ask(12, "bob", [1]))[0] as Frame)[1]
    for (let n = 1; n <= 5; n++) await alice.ask(13, "bob", mid(n), envelope(n, 40_000 * n))
    expect(await bob.ask(14, [1])).toEqual([null])
    const before = await bob.ask(17)
    expect(await migrate()).toEqual([1, expect.stringMatching(/in use by another hub/)])
    await single.kill("SIGTERM")

    const [code, said] = await migrate()
    expect(said).toMatch(/moved 2 names and 4 messages/)
    expect(code).toBe(0)
    expect(said).toContain(url.split("#")[1])
    expect(await migrate()).toEqual([1, expect.stringMatching(/the cluster is not empty/)])

    await bed.start(2, undefined, store)
    expect(hub(0).url.split("#")[1]).toBe(url.split("#")[1])
    const back = await loginSurely(hub(1), BOB)
    expect(await back.ask(17)).toEqual(before)
    const mail = back.pushes.splice(0).map((frame) => [frame[2], (frame[4] as Uint8Array).length])
    expect(mail).toEqual([2, 3, 4, 5].map((n) => [n, 40_000 * n]))
    alice = await loginSurely(hub(0), ALICE)
    expect(((await alice.ask(12, "bob", [1]))[0] as Frame)[1]).toEqual(taken) // reserved for her
    for (const n of [1, 2]) {
      expect(await alice.ask(13, "bob", mid(n), envelope(n))).toEqual([null]) // dedupe
    }
    expect(await back.settled()).toEqual([])
    expect(await alice.ask(13, "bob", mid(9), envelope(9))).toEqual([null])
    expect((await back.settled()).map((frame) => frame[2])).toEqual([6])
    const other = await RawLink.open(new NetworkHub(hub(1).url))
    await other.greet()
    other.auth({ ...ALICE, name: "alice2" })
    expect((await other.end()).map((frame) => frame[2])).toEqual([4])
  },
)

test("wrong options are refused before anything is started", async () => {
  const script = join(compiledSources(), "src", "node", "hub-cli.js")
  for (const [args, what] of [
    [["--store", "http://x"], /nats:\/\/host:port/],
    [["--store", "nats://x", "--replicas", "2"], /replicas expected 1, 3 or 5/],
    [["--store", "nats://x", "--data", "y"], /exclude each other/],
    [["--store", "nats://x", "--cluster", "a b"], /letters, digits/],
  ] as const) {
    const program = new Program(process.execPath, [script, "--port", "0", ...args])
    expect(await program.exited).toBe(2)
    expect(program.errors.join("\n")).toMatch(what)
  }
})
