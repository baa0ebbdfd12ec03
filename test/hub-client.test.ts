// SPEC §11: the agent's side, against honest hubs and against one that a test plays.

import { afterEach, describe, expect, test } from "vitest"
import { createBundle, createOneTimeKey } from "../src/bundle.ts"
import { AgentMeshError } from "../src/errors.ts"
import { type Counts, HubClient, retryAfterOf } from "../src/hub/client.ts"
import type { Hub } from "../src/hub/hub.ts"
import { createIdentity, fingerprint, type OwnIdentity } from "../src/identity.ts"
import { osDraw } from "../src/suite.ts"
import { settle, TestClock } from "./support/clock.ts"
import { bundleOf, rawKey, sha256, signed } from "./support/hub-link.ts"
import { HUBS, type TestHub } from "./support/hubs.ts"
import { rawBytes } from "./support/raw-cbor.ts"
import { HUB_KEY, LIMITS, ScriptedHub, type WelcomeScript } from "./support/scripted-hub.ts"

interface Recorder {
  readonly client: HubClient
  readonly identity: OwnIdentity
  /** What the client reported, in short. */
  readonly events: string[]
  readonly mail: [mseq: number, from: string, size: number][]
  counts: Counts | null
}

interface ClientOptions {
  readonly clock?: TestClock
  readonly identity?: OwnIdentity
  readonly pinned?: Uint8Array | null
}

const clients: HubClient[] = []

function client(hub: Hub, name: string, options: ClientOptions = {}): Recorder {
  const environment = options.clock ?? new TestClock()
  const identity = options.identity ?? createIdentity(name, osDraw)
  const recorder = { identity, events: [], mail: [], counts: null } as unknown as Recorder
  const made = new HubClient({
    ...{ hub, identity, environment, pinnedHub: options.pinned ?? null },
    events: {
      ready(counts) {
        recorder.counts = counts
        recorder.events.push("ready")
      },
      deliver: (mseq, from, envelope) => recorder.mail.push([mseq, from, envelope.length]),
      low: (suite, left) => recorder.events.push(`low ${suite} ${left}`),
      closed: (error, again) => recorder.events.push(`closed ${error.code} ${again}`),
    },
  })
  clients.push(made)
  return Object.assign(recorder, { client: made })
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return "ok"
  } catch (error) {
    return error instanceof AgentMeshError ? error.code : String(error)
  }
}

afterEach(async () => {
  for (const made of clients.splice(0)) await made.close()
})

describe.each(HUBS)("%s", (_kind, factory) => {
  let running: TestHub[] = []
  const start = async (): Promise<TestHub> => {
    const hub = await factory()
    running.push(hub)
    return hub
  }
  afterEach(async () => {
    for (const made of clients.splice(0)) await made.close()
    for (const hub of running) await hub.close()
    running = []
  })

  /** A started client with a bundle. */
  async function join(hub: TestHub, name: string): Promise<Recorder> {
    const agent = client(hub.hub, name, { clock: hub.clock })
    await agent.client.start()
    const now = hub.clock.seconds
    const bundle = createBundle(agent.identity, { seq: now, now, suites: [1, 2] }, osDraw)
    await agent.client.putBundle(bundle.bytes)
    return agent
  }

  test("every request has its result", async () => {
    const hub = await start()
    const alice = await join(hub, "alice")
    const bob = await join(hub, "bob")
    const now = hub.clock.seconds
    const keys = [1, 2, 2].map((suite) =>
      createOneTimeKey(bob.identity, suite as 1 | 2, now, osDraw),
    )
    expect(
      await bob.client.putOneTime(
        true,
        keys.map((key) => key.bytes),
      ),
    ).toBe(3)
    const counts = await bob.client.counts()
    expect([counts.mail, [...counts.oneTime], counts.bundleSeq]).toEqual([
      0,
      [
        [1, 1],
        [2, 2],
      ],
      now,
    ])
    const found = await alice.client.getBundle("bob", [2, 1])
    expect(found.oneTime).toEqual(keys[1]?.bytes)
    expect([found.receipt.name, found.receipt.seq, found.receipt.time]).toEqual(["bob", now, now])
    expect(found.receipt.ik).toEqual(bob.identity.ik)
    expect(await alice.client.list()).toEqual(["alice", "bob"])
    await alice.client.send("bob", new Uint8Array(16), new Uint8Array(300))
    await bob.client.ping()
    expect(bob.mail).toEqual([[1, "alice", 300]])
    await bob.client.ack([1])
    await bob.client.ack([])
    expect((await bob.client.counts()).mail).toBe(0)
    expect(bob.events).toEqual(["ready", "low 2 1"])
    expect(alice.client.limits?.unacked).toBe(64)
  })

  test("an error of the hub rejects with its code and its waiting time", async () => {
    const hub = await start()
    const alice = await join(hub, "alice")
    const send = alice.client.send("nobody", new Uint8Array(16), new Uint8Array(9))
    expect(await codeOf(send)).toBe("hub/no-such-agent")
    for (let i = 0; i < 200; i++) {
      await alice.client.send("alice", new Uint8Array(16).fill(i), new Uint8Array(9))
    }
    const error = await alice.client
      .send("alice", new Uint8Array(16).fill(255), new Uint8Array(9))
      .catch((thrown: unknown) => thrown)
    expect((error as AgentMeshError).code).toBe("hub/mailbox-full")
    expect(retryAfterOf(error)).toBe(60)
    expect(retryAfterOf(new Error("another"))).toBe(0)
  })

  test("long lists of ACKs and names are cut into requests", async () => {
    const hub = await start()
    const alice = await join(hub, "alice")
    await alice.client.ack(Array.from({ length: 1000 }, (_, i) => i + 1))
    for (let i = 0; i < 260; i++) {
      const agent = await join(hub, `agent-${i}`)
      await agent.client.close()
    }
    expect(await alice.client.list()).toHaveLength(261)
  })

  test("a client keeps to the announced pace: thousands at once are never refused", async () => {
    const hub = await start()
    const alice = await join(hub, "alice")
    let done = 0
    const pings = Array.from({ length: 3500 }, () => alice.client.ping().then(() => done++))
    await settle(50)
    expect(done).toBeLessThan(1001)
    for (let i = 0; i < 60 && done < 3500; i++) await hub.clock.advance(0.1)
    await Promise.all(pings)
    expect(done).toBe(3500)
  })

  test("a taken name, and a name taken over meanwhile, are final", async () => {
    const hub = await start()
    const alice = await join(hub, "alice")
    const thief = client(hub.hub, "alice", { clock: hub.clock })
    expect(await codeOf(thief.client.start())).toBe("hub/name-taken")
    const twin = client(hub.hub, "alice", { clock: hub.clock, identity: alice.identity })
    await twin.client.start()
    await settle()
    expect(alice.events).toEqual(["ready", "closed hub/replaced false"])
    await hub.clock.advance(600)
    expect(alice.client.connected).toBe(false)
    expect(twin.client.connected).toBe(true)
    expect(await codeOf(alice.client.ping())).toBe("agent/closed")
  })

  test("after a restart of the hub the client comes back, with its mail", async () => {
    const hub = await start()
    const relay = {
      address: "moving",
      open: (...args: Parameters<Hub["open"]>) => hub.hub.open(...args),
    }
    const bob = client(relay, "bob", { clock: hub.clock })
    await bob.client.start()
    const now = hub.clock.seconds
    const bundle = createBundle(bob.identity, { seq: now, now, suites: [1] }, osDraw)
    await bob.client.putBundle(bundle.bytes)
    await hub.restart()
    for (let i = 0; i < 20 && bob.client.connected; i++) await settle()
    expect(bob.events).toEqual(["ready", "closed hub/unreachable true"])
    const alice = await join(hub, "alice")
    await alice.client.send("bob", new Uint8Array(16), new Uint8Array(77))
    for (let i = 0; i < 30 && !bob.client.connected; i++) await hub.clock.advance(1)
    await bob.client.ping()
    expect(bob.events.at(-1)).toBe("ready")
    expect(bob.mail).toEqual([[1, "alice", 77]])
  })

  test("after close nothing comes and nothing goes", async () => {
    const hub = await start()
    const alice = await join(hub, "alice")
    const open = alice.client.ping()
    await alice.client.close()
    expect(await codeOf(open)).toBe("agent/closed")
    expect(await codeOf(alice.client.ping())).toBe("agent/closed")
    await hub.clock.advance(300)
    expect(alice.events).toEqual(["ready"])
  })
})

describe("a hub that a test plays", () => {
  /** A client whose first connection is open. */
  async function joined(script: WelcomeScript = {}) {
    const hub = new ScriptedHub()
    const clock = new TestClock()
    const agent = client(hub, "alice", { clock })
    const started = agent.client.start()
    const link = await hub.next()
    await link.accept([0, [], null], script)
    await started
    return { hub, clock, agent, link }
  }

  describe("welcome (HUB-53)", () => {
    async function verdict(
      script: WelcomeScript,
      options: { pinned?: Uint8Array; fingerprint?: string } = {},
    ): Promise<string> {
      const hub = new ScriptedHub(options.fingerprint ? { fingerprint: options.fingerprint } : {})
      const agent = client(hub, "alice", { pinned: options.pinned ?? null })
      const started = codeOf(agent.client.start())
      const link = await hub.next()
      await link.welcome(script)
      await settle(2)
      if (!link.closedByAgent) {
        expect((await link.next())[0]).toBe(3)
        link.push([4, 0, [0, [], null]])
      }
      return started
    }

    test("the honest one is accepted, also pinned and by fingerprint", async () => {
      expect(await verdict({})).toBe("ok")
      expect(await verdict({}, { pinned: HUB_KEY.ik })).toBe("ok")
      expect(await verdict({}, { fingerprint: fingerprint(HUB_KEY.ik) })).toBe("ok")
    })

    test("another key than the pinned one is hub/auth-failed", async () => {
      const other = rawKey("hub", "another hub")
      expect(await verdict({ key: other })).toBe("ok")
      expect(await verdict({ key: other }, { pinned: HUB_KEY.ik })).toBe("hub/auth-failed")
      const print = fingerprint(HUB_KEY.ik)
      expect(await verdict({ key: other }, { fingerprint: print })).toBe("hub/auth-failed")
    })

    test("version and limits are under the signature", async () => {
      const raised = [...LIMITS.slice(0, 7), 65]
      expect(await verdict({ limits: raised })).toBe("ok")
      expect(await verdict({ limits: raised, signedLimits: LIMITS })).toBe("hub/auth-failed")
      expect(await verdict({ signedVersion: 2 })).toBe("hub/auth-failed")
      expect(await verdict({ version: 2 })).toBe("hub/version")
      expect(await verdict({ version: 2, signedVersion: 1 })).toBe("hub/version")
    })

    test("a welcome for another hello is refused", async () => {
      const hello = rawBytes([1, 0, [1], new Uint8Array(32)])
      expect(await verdict({ hello })).toBe("hub/auth-failed")
    })

    test("another shape is hub/malformed", async () => {
      expect(await verdict({ limits: LIMITS.slice(1) })).toBe("hub/malformed")
      expect(await verdict({ limits: [...LIMITS.slice(0, 7), "64"] })).toBe("hub/malformed")
    })

    test("hello is not repeated: each link has its own nonce (HUB-2)", async () => {
      const { hub, clock, link } = await joined()
      link.events.closed()
      await clock.advance(2)
      const again = await hub.next()
      const hello = await again.next()
      expect(hello.slice(0, 3)).toEqual([1, 0, [1]])
      expect(hello[3]).toHaveLength(32)
      const other = new ScriptedHub()
      client(other, "alice")
        .client.start()
        .catch(() => undefined)
      expect((await (await other.next()).next())[3]).not.toEqual(hello[3])
    })
  })

  test("the smaller of own and announced limit holds; 0 reads as 1 (HUB-56)", async () => {
    const { agent } = await joined({ limits: [0, 1, 2, 3, 4, 2 ** 53 - 1, 5000, 1000] })
    expect(agent.client.limits).toEqual({
      mailboxMessages: 1,
      mailboxBytes: 1,
      perSender: 2,
      perSenderBytes: 3,
      ttl: 4,
      envelope: 1_114_112,
      requestsPerSecond: 5000,
      unacked: 64,
    })
  })

  test("what a hub does not send ends the link with hub/malformed (HUB-54)", async () => {
    const frames: unknown[] = [
      [99, 0],
      [1, 0, [1], new Uint8Array(32)],
      [16, 1],
      [4, 0, [0, [], null]],
      [30, 1, 1, "bob", new Uint8Array(9)],
      [30, 0, 1, "bob"],
      [31, 0, 1],
      [20, 1],
      [21, 1, 1],
      "text",
    ]
    for (const frame of frames) {
      const { agent, link } = await joined()
      link.push(frame)
      await settle(2)
      expect([frame, agent.events.at(-1)]).toEqual([frame, "closed hub/malformed true"])
      expect(link.closedByAgent).toBe(true)
    }
    const { agent, link } = await joined()
    link.events.frame(new Uint8Array([0x1f]))
    expect(agent.events.at(-1)).toBe("closed hub/malformed true")
  })

  test("a reply to no open request is ignored; one of another type ends the link (HUB-54)", async () => {
    const { agent, link } = await joined()
    link.push([20, 77, null])
    link.push([21, 77, 6, 0])
    expect(agent.events).toEqual(["ready"])
    const wrong: [() => Promise<unknown>, unknown][] = [[() => agent.client.ping(), 1]]
    for (const [ask, result] of wrong) {
      const answer = codeOf(ask())
      const [, rid] = await link.next()
      link.push([20, rid, result])
      expect(await answer).toBe("hub/unreachable")
    }
    expect(agent.events.at(-1)).toBe("closed hub/malformed true")
  })

  test("unknown codes are hub/internal; waiting times are capped (HUB-55)", async () => {
    const { agent, link } = await joined()
    for (const [code, retry, expected, capped] of [
      [6, 0, "hub/no-such-agent", 0],
      [99, 5, "hub/internal", 5],
      [11, 3600, "hub/rate-limited", 3600],
      [9, 2 ** 40, "hub/mailbox-full", 3600],
    ]) {
      const answer = agent.client.ping().catch((error: unknown) => error)
      link.push([21, (await link.next())[1], code, retry])
      const error = (await answer) as AgentMeshError
      expect([error.code, retryAfterOf(error)]).toEqual([expected, capped])
    }
    expect(agent.client.connected).toBe(true)
  })

  test("a receipt must fit the bundle, the hub and the time (HUB-59)", async () => {
    const { agent, clock, link } = await joined()
    const bob = rawKey("bob")
    const now = clock.seconds
    const bundle = bundleOf(bob, { seq: 5, now })
    const ref = sha256(bundle[0])
    const receipt = (...change: [at: number, value: unknown][]): unknown => {
      const body: unknown[] = ["AgentMesh/1 directory", HUB_KEY.ik, "bob", bob.ik, ref, 5, now]
      for (const [at, value] of change) body[at] = value
      return signed(HUB_KEY, rawBytes(body))
    }
    const other = rawKey("other")
    const verdicts: [unknown, string][] = [
      [receipt(), "ok"],
      [receipt([6, now - 300]), "ok"],
      [receipt([6, now + 300]), "ok"],
      [receipt([6, now - 301]), "hub/malformed"],
      [receipt([6, now + 301]), "hub/malformed"],
      [receipt([1, other.ik]), "hub/malformed"],
      [receipt([2, "carol"]), "hub/malformed"],
      [receipt([3, other.ik]), "hub/malformed"],
      [receipt([4, sha256(ref)]), "hub/malformed"],
      [receipt([5, 6]), "hub/malformed"],
      [receipt([0, "AgentMesh/1 bundle"]), "hub/malformed"],
      [[(receipt() as [Uint8Array])[0], new Uint8Array(64)], "hub/malformed"],
      [
        signed(other, rawBytes(["AgentMesh/1 directory", other.ik, "bob", bob.ik, ref, 5, now])),
        "hub/malformed",
      ],
    ]
    for (const [given, expected] of verdicts) {
      const found = agent.client.getBundle("bob", [1])
      link.push([20, (await link.next())[1], [bundle, null, given]])
      const { receipt: read } = Object.getOwnPropertyDescriptors(await found)
      const check = async (): Promise<unknown> => read.get?.call(await found)
      expect(await codeOf(check())).toBe(expected)
    }
  })

  test("without a hub start rejects, and the client goes on trying (HUB-9)", async () => {
    const hub = new ScriptedHub()
    hub.reachable = false
    const clock = new TestClock()
    const agent = client(hub, "alice", { clock })
    expect(await codeOf(agent.client.start())).toBe("hub/unreachable")
    expect(await codeOf(agent.client.ping())).toBe("hub/unreachable")
    const waits: number[] = []
    for (let i = 0; i < 9; i++) {
      const { attempts } = hub
      const step = i < 4 ? 0.25 : 1
      let waited = 0
      while (hub.attempts === attempts) {
        await clock.advance(step)
        waited += step
      }
      waits.push(waited)
    }
    waits.forEach((wait, i) => {
      const pause = Math.min(60, 2 ** i)
      expect(wait).toBeGreaterThanOrEqual(pause / 2)
      expect(wait).toBeLessThanOrEqual(pause + (i < 4 ? 0.25 : 1))
    })
    expect(new Set(waits.slice(6)).size).toBeGreaterThan(1) // jitter
    hub.reachable = true
    await clock.advance(61)
    await (await hub.next()).accept()
    await settle()
    expect(agent.events).toEqual(["ready"])
    expect(agent.client.connected).toBe(true)
  })

  test("after READY the pauses begin again at 1 s", async () => {
    const { hub, clock, link, agent } = await joined()
    link.events.closed(new Error("reset"))
    expect(agent.events.at(-1)).toBe("closed hub/unreachable true")
    await clock.advance(1)
    expect(hub.attempts).toBe(2)
    await (await hub.next()).accept()
    await settle()
    expect(agent.events.at(-1)).toBe("ready")
  })

  test("no connection is made again after what is final (HUB-10, HUB-11)", async () => {
    for (const [code, name] of [
      [12, "hub/replaced"],
      [4, "hub/auth-failed"],
      [5, "hub/name-taken"],
      [2, "hub/version"],
    ]) {
      const { hub, clock, link, agent } = await joined()
      link.push([21, 0, code, 0])
      expect(agent.events.at(-1)).toBe(`closed ${name} false`)
      await clock.advance(3600)
      expect(hub.attempts).toBe(1)
    }
    const { hub, clock, link, agent } = await joined()
    link.push([21, 0, 14, 0])
    expect(agent.events.at(-1)).toBe("closed hub/internal true")
    await clock.advance(2)
    expect(hub.attempts).toBe(2)
  })

  test("a final error on a later connection is reported", async () => {
    const { hub, clock, link, agent } = await joined()
    link.events.closed()
    await clock.advance(2)
    await (await hub.next()).welcome({ key: rawKey("hub", "impostor") })
    await settle()
    expect(agent.events.slice(-2)).toEqual([
      "closed hub/unreachable true",
      "closed hub/auth-failed false",
    ])
  })

  test("a hub that does not answer hello or auth is given up after 30 s", async () => {
    const hub = new ScriptedHub()
    const clock = new TestClock()
    const started = codeOf(client(hub, "alice", { clock }).client.start())
    const link = await hub.next()
    await clock.advance(29)
    expect(link.closedByAgent).toBe(false)
    await clock.advance(1)
    expect(link.closedByAgent).toBe(true)
    expect(await started).toBe("hub/unreachable")
  })

  test("60 s without a frame: PING; without an answer the link is lost (HUB-12)", async () => {
    const { clock, link, agent } = await joined()
    await clock.advance(59)
    expect(link.received).toHaveLength(0)
    await clock.advance(1)
    const ping = await link.next()
    expect(ping[0]).toBe(16)
    link.push([20, ping[1], null])
    await clock.advance(60)
    expect((await link.next())[0]).toBe(16)
    await clock.advance(29)
    expect(agent.client.connected).toBe(true)
    await clock.advance(1)
    expect(agent.events.at(-1)).toBe("closed hub/unreachable true")
  })

  test("SEND alone may wait; a PING tells whether the hub is there (HUB-12)", async () => {
    const { clock, link, agent } = await joined()
    const sent = codeOf(agent.client.send("bob", new Uint8Array(16), new Uint8Array(9)))
    expect((await link.next())[0]).toBe(13)
    await clock.advance(30)
    expect(await sent).toBe("hub/unreachable")
    expect(agent.client.connected).toBe(true)
    const ping = await link.next()
    expect(ping[0]).toBe(16)
    link.push([20, ping[1], null])
    await clock.advance(30)
    expect(agent.client.connected).toBe(true)
    expect(agent.events).toEqual(["ready"])
  })

  test("requests that are open when the link breaks reject with hub/unreachable", async () => {
    const { link, agent } = await joined()
    const open = [agent.client.ping(), agent.client.counts(), agent.client.list()].map(codeOf)
    link.events.closed(new Error("reset"))
    expect(await Promise.all(open)).toEqual(Array(3).fill("hub/unreachable"))
    link.push([30, 0, 1, "bob", new Uint8Array(9)])
    expect(agent.mail).toEqual([])
  })

  test("a list of names that does not end is given up after a million", async () => {
    const limits = LIMITS.map((limit, i) => (i === 6 ? 1_000_000 : limit))
    const { link, agent } = await joined({ limits })
    let names = 0
    link.onFrame = ([, rid]) => {
      const page = Array.from({ length: 256 }, () => `n${String(++names).padStart(9, "0")}`)
      setImmediate(() => link.push([20, rid, page]))
      return true
    }
    expect(await codeOf(agent.client.list())).toBe("hub/malformed")
    expect(names).toBe(1_000_192)
    expect(agent.client.connected).toBe(true)
  }, 60_000)

  test("an idle client sets one timer, none in process", async () => {
    const { clock } = await joined()
    expect(clock.pending).toBe(1)
    const hub = new ScriptedHub({ inProcess: true })
    const quiet = new TestClock()
    const agent = client(hub, "alice", { clock: quiet })
    const started = agent.client.start()
    await (await hub.next()).accept()
    await started
    await quiet.advance(120)
    expect(quiet.pending).toBe(0)
    expect(agent.client.connected).toBe(true)
  })
})
