// What happens to a cluster of hubs in operation: a store that stands still, is full, wants TLS and a
// password, or is not the one that agents know. Real servers and real hub processes.

import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { Agent } from "../src/agent/agent.ts"
import { NetworkHub } from "../src/node/network-hub.ts"
import { type HubProcess, hubProcess, loginSurely, startHubs } from "./support/cluster.ts"
import { ALICE, BOB, ClusterBed, envelope, joined, mid } from "./support/cluster-bed.ts"
import { compiledSources } from "./support/compiled.ts"
import { rawKey } from "./support/hub-link.ts"
import { natsAbsent, natsVersion } from "./support/nats.ts"
import { Program } from "./support/process.ts"

const INTERNAL = 14
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const opensslAbsent: string = ((): string => {
  try {
    execFileSync("openssl", ["version"])
    return ""
  } catch {
    return " (absent: openssl is not installed)"
  }
})()

const bed = new ClusterBed()
const hub = (i: number): HubProcess => bed.hub(i)

/** Asks until there is an OK: again after an error or a lost link, as an agent does. */
async function sendSurely(at: HubProcess, n: number, size?: number): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    try {
      const link = await loginSurely(at, ALICE)
      const given = link.ask(13, "bob", mid(n), envelope(n, size)).catch(() => null)
      const answer = await Promise.race([given, pause(4_000).then(() => null)])
      link.close()
      if (answer?.[0] === null) return
    } catch {
      // the hub does not take anybody yet
    }
    await pause(300)
  }
  throw new Error(`message ${n} was not accepted`)
}

async function mailOfBob(at: HubProcess): Promise<number[]> {
  const link = await loginSurely(at, BOB)
  const frames = await link.settled()
  link.close()
  return frames.map((frame) => (frame[4] as Uint8Array)[0] as number)
}

describe.skipIf(natsVersion === null)(
  `a store in trouble${natsAbsent}`,
  { timeout: 180_000 },
  () => {
    test("a store that stands still for 20 s loses nothing, and doubles nothing", async () => {
      const store = await bed.store()
      await bed.start(2, undefined, store)
      const bob = await joined(hub(0), BOB)
      bob.close()
      const alice = await joined(hub(1), ALICE)
      await sendSurely(hub(0), 1)
      store.servers[0]?.signal("SIGSTOP")
      const during = alice.ask(13, "bob", mid(2), envelope(2)).catch(() => null)
      await pause(20_000)
      store.servers[0]?.signal("SIGCONT")
      await Promise.race([during, pause(3_000)])
      for (const n of [2, 3]) await sendSurely(hub(n), n)
      expect(await mailOfBob(hub(0))).toEqual([1, 2, 3])
    })

    test("one of three store servers stands still: the others go on, and it catches up", async () => {
      const store = await bed.store(3)
      await bed.start(2, ["--replicas", "3"], store)
      const bob = await joined(hub(0), BOB)
      bob.close()
      await sendSurely(hub(0), 1)
      for (const [i, server] of store.servers.entries()) {
        server.signal("SIGSTOP")
        await sendSurely(hub(i), 2 + i)
        server.signal("SIGCONT")
        await pause(1_000)
      }
      await sendSurely(hub(0), 5)
      expect((await mailOfBob(hub(1))).sort()).toEqual([1, 2, 3, 4, 5])
    })

    test("a full store refuses with an error, answers what needs no room, and loses nothing", async () => {
      const store = await bed.store()
      await bed.start(1, undefined, store)
      const bob = await joined(hub(0), BOB)
      bob.close()
      const alice = await joined(hub(0), ALICE)
      const { connect } = await import("@nats-io/transport-node")
      const { jetstreamManager } = await import("@nats-io/jetstream")
      const connection = await connect({ servers: store.url.slice("nats://".length) })
      const { streams } = await jetstreamManager(connection, { checkAPI: false })
      const { bytes } = (await streams.info("AGENTMESH_default")).state
      await streams.update("AGENTMESH_default", { max_bytes: bytes + 100_000 })
      const accepted: number[] = []
      let refused: unknown = null
      for (let n = 1; n <= 20 && refused === null; n++) {
        const answer = await alice.ask(13, "bob", mid(n), envelope(n, 20_000))
        if (answer[0] === null) accepted.push(n)
        else refused = answer[2]
      }
      expect(refused).toBe(INTERNAL)
      expect(accepted.length).toBeGreaterThan(2)
      expect((await alice.ask(12, "bob", [])).length).toBe(1)
      expect((await alice.ask(13, "bob", mid(90), envelope(90, 20_000)))[2]).toBe(INTERNAL)
      expect(hub(0).output).toMatch(/the store is full .*raise the limits of the stream/)

      await streams.update("AGENTMESH_default", { max_bytes: -1 })
      expect(await alice.ask(13, "bob", mid(90), envelope(90, 20_000))).toEqual([null])
      alice.close()
      await hub(0).kill()
      await hub(0).start()
      expect(await mailOfBob(hub(0))).toEqual([...accepted, 90])
      await connection.close()
    })

    test("a hub on a store of another key is no hub for agents that know the first", async () => {
      const [first, second] = [await bed.store(), await bed.store()]
      const right = hubProcess(["--store", first.url, "--replicas", "1"])
      bed.hubs = [right]
      await right.start()
      const alice = new Agent("alice", { hub: new NetworkHub(right.url) })
      const bob = new Agent("bob", { hub: new NetworkHub(right.url) })
      const got: unknown[] = []
      bob.onMessage(({ payload }) => got.push(payload["n"]))
      await Promise.all([alice.ready, bob.ready])
      await alice.send("bob", { n: 1 })
      while (got.length < 1) await pause(50)
      await right.kill()
      const port = ["--port", String(right.port)]
      const wrong = hubProcess(["--store", second.url, "--replicas", "1", ...port])
      bed.hubs.push(wrong)
      await wrong.start()
      expect(wrong.url.split("#")[1]).not.toBe(right.url.split("#")[1])
      const ended = new Promise((resolve) => alice.on("disconnected", resolve))
      await alice.send("bob", { n: 2 })
      expect(await ended).toMatchObject({ willReconnect: false }) // until it is started again
      expect(got).toEqual([1])
      const carol = await loginSurely(wrong, rawKey("carol"))
      expect(await carol.ask(15, "")).toEqual([[]]) // neither has put anything there
      await Promise.all([alice.close(), bob.close()])
    })
  },
)

/** An authority, and a certificate of it for 127.0.0.1. */
function certificates(): { folder: string; ca: string; lines: string } {
  const folder = bed.folder("agentmesh-tls-")
  const run = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" })
  }
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1\n")
  run("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
  run("req", ...key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=nats")
  run(
    ...["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key"],
    ...["-CAcreateserial", "-out", "cert.pem", "-extfile", "names"],
  )
  const lines = `tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }`
  return { folder, ca: join(folder, "ca.pem"), lines }
}

test.skipIf(natsVersion === null || opensslAbsent !== "")(
  `a store with TLS and a password; what is wrong is said, and no password${natsAbsent}${opensslAbsent}`,
  async () => {
    const { ca, lines } = certificates()
    const other = certificates()
    const more = `${lines}\nauthorization { user: hub, password: "right/one" }`
    const store = await bed.store(1, { more })
    const host = store.url.slice("nats://".length)
    const script = join(compiledSources(), "src", "node", "hub-cli.js")
    const failed = async (url: string, ...args: string[]): Promise<string> => {
      const all = [script, "--port", "0", "--replicas", "1", "--store", url, ...args]
      const program = new Program(process.execPath, all)
      const code = await program.exited
      const said = [...program.lines, ...program.errors].join("\n")
      expect([code, said]).toEqual([1, said])
      expect(said).not.toMatch(/wrong-one|right%2Fone/)
      return said
    }
    const withCa = ["--nats-ca", ca]
    const right = `nats://hub:right%2Fone@${host}`
    const said = await Promise.all([
      failed(`nats://hub:wrong-one@${host}`, ...withCa),
      failed(`nats://${host}`, ...withCa),
      failed(right, "--nats-ca", other.ca),
      failed(right),
      failed(right, "--nats-ca", join(other.folder, "absent.pem")),
    ])
    expect(said[0]).toMatch(/refuses this login: check --nats-credentials, or user and password/)
    expect(said[1]).toMatch(/refuses this login/)
    expect(said[2]).toMatch(/certificate of the NATS server .* is not accepted .*check --nats-ca/)
    expect(said[3]).toMatch(/check --nats-ca/)
    expect(said[4]).toMatch(/--nats-ca cannot be read/)
    const plain = await bed.store()
    expect(await failed(plain.url, ...withCa)).toMatch(/speaks no TLS: leave out --nats-ca/)

    bed.hubs = [...(await startHubs(2, right, ["--replicas", "1", ...withCa]))]
    const bob = await joined(hub(0), BOB)
    const alice = await joined(hub(1), ALICE)
    expect(await alice.ask(13, "bob", mid(1), envelope(1))).toEqual([null])
    expect(await bob.next()).toEqual([30, 0, 1, "alice", envelope(1)])
    expect(bed.hubs.map(({ output }) => output).join("\n")).not.toContain("right")
  },
)
