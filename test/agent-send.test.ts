// What applications send, and what they hear of it (SPEC §12.3).

import { describe, expect, it } from "vitest"
import { FRAME } from "../src/hub/wire.ts"
import { fingerprint } from "../src/identity.ts"
import { World } from "./support-agent/world.ts"

const code = (value: string) => expect.objectContaining({ code: value })

describe("send", () => {
  it("is delivered and receipted, both ways", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const delivery = await world.until(a.agent.send("b", { text: "x", n: 1 }))
    expect(delivery.state).toBe("stored")
    await world.clock.advance(2)
    expect(delivery.state).toBe("delivered")
    expect(b.texts).toEqual(["hello", "x"])
    expect(b.messages[1]).toMatchObject({
      sender: "a",
      recipient: "b",
      fingerprint: a.agent.fingerprint,
      id: delivery.id,
      re: null,
    })
  })

  it("never reaches another key than the address says, whoever asked first", async () => {
    const world = new World()
    const a = await world.ready("a")
    const b = await world.ready("b")
    const wrong = fingerprint(new Uint8Array(32))
    const plain = a.agent.send("b", "for anyone")
    const fixed = a.agent.send(`b#${wrong}`, "for one")
    fixed.catch(() => {})
    await world.until(plain)
    await world.clock.advance(700)
    expect(b.texts).toEqual(["for anyone"])
    const outcome = await world.until(
      fixed.then(
        (d) => d.state,
        (error) => error.code,
      ),
    )
    expect(["identity/fingerprint", "undelivered"]).toContain(outcome)
  })

  it("never reaches another key than the address says, from the queue", async () => {
    const world = new World()
    const b = await world.ready("b")
    const a = world.start("a")
    a.tap.up = false
    const wrong = fingerprint(new Uint8Array(32))
    const right = await world.until(a.agent.send(b.agent.address, "right"))
    const other = await world.until(a.agent.send(`b#${wrong}`, "wrong"))
    a.tap.up = true
    await world.clock.advance(700)
    expect(b.texts).toEqual(["right"])
    expect(right.state).toBe("delivered")
    expect(other.state).toBe("undelivered")
  })

  it("never reaches another key than the address says, after a restart (IDENTITY-13)", async () => {
    const world = new World()
    const a = world.start("a")
    a.tap.up = false
    const wrong = fingerprint(new Uint8Array(32))
    await world.until(a.agent.send(`b#${wrong}`, "for one"))
    await world.until(a.agent.send("b", "for anyone"))
    a.kill()
    const b = await world.ready("b")
    const again = world.start("a", { disk: a.disk })
    await world.until(again.agent.ready)
    await world.clock.advance(700)
    expect(b.texts).toEqual(["for anyone"])
    expect(again.of("undelivered").map(({ to }) => to)).toEqual(["b"])
  })

  it("never reaches another key than the address says, though it comes first", async () => {
    const world = new World()
    const a = world.start("a")
    a.tap.up = false
    const wrong = fingerprint(new Uint8Array(32))
    await world.until(a.agent.send(`b#${wrong}`, "for one"))
    a.kill()
    const again = await world.ready("a", { disk: a.disk })
    again.tap.attack = { up: (frame) => (frame[0] === FRAME.getBundle ? null : frame) }
    const b = await world.ready("b")
    await world.until(b.agent.send("a", "hello")) // this pins b's key
    await world.clock.advance(700)
    expect(again.texts).toEqual(["hello"])
    expect(b.texts).toEqual([])
    expect(again.of("undelivered").map(({ to }) => to)).toEqual(["b"])
  })

  it("calls at first contact are judged by their own address (AGENT-18)", async () => {
    const world = new World()
    const a = await world.ready("a")
    const b = await world.ready("b")
    const fixed = a.agent.send(`b#${fingerprint(new Uint8Array(32))}`, "for one")
    const plain = a.agent.send("b", "for anyone")
    await expect(world.until(fixed)).rejects.toEqual(code("identity/fingerprint"))
    await world.until(plain)
    await world.clock.advance(2)
    expect(b.texts).toEqual(["for anyone"])
  })

  it("a content for anyone is not given up because another asks for a fingerprint", async () => {
    const world = new World()
    const b = await world.ready("b")
    const a = world.start("a")
    a.tap.up = false
    const wrong = fingerprint(new Uint8Array(32))
    const plain = await world.until(a.agent.send("b", "plain"))
    const other = await world.until(a.agent.send(`b#${wrong}`, "wrong"))
    a.tap.up = true
    await world.clock.advance(700)
    expect(b.texts).toEqual(["plain"])
    expect(plain.state).toBe("delivered")
    expect(other.state).toBe("undelivered")
  })
})

describe("what cannot be sent", () => {
  const bad: [string, unknown][] = [
    ["NaN", { n: Number.NaN }],
    ["infinity", { n: Number.POSITIVE_INFINITY }],
    ["a function", { f: () => 1 }],
    ["undefined in an array", { list: [undefined] }],
    ["a date", { at: new Date(0) }],
    ["a map", { map: new Map([["a", 1]]) }],
    ["a big integer", { big: 1n }],
    ["a symbol", { s: Symbol("s") }],
    ["a lone surrogate", { text: "\ud800" }],
    ["33 levels", { deep: nest(32) }],
  ]
  it.each(bad)("%s is agent/payload", async (_name, payload) => {
    const world = new World()
    const [a] = await world.pair()
    const before = await a.disk.dump()
    await expect(world.until(a.agent.send("b", payload as never))).rejects.toEqual(
      code("agent/payload"),
    )
    await expect(world.until(a.agent.sendPayload("b", payload as never))).rejects.toEqual(
      code("agent/payload"),
    )
    await expect(world.until(a.agent.seal("b", payload as never))).rejects.toEqual(
      code("agent/payload"),
    )
    expect(await a.disk.dump()).toEqual(before)
  })

  it.each([[undefined], [null], [1], [true], [["a"]], [new Uint8Array(3)], [new Date(0)]])(
    "rejects %o, and throws nothing at once",
    async (input) => {
      const world = new World()
      const [a] = await world.pair()
      const work = [
        a.agent.send("b", input as never),
        a.agent.sendMany(["b"], input as never),
        a.agent.request("b", input as never),
        a.agent.seal("b", input as never),
      ]
      for (const one of work) await expect(one).rejects.toEqual(code("agent/payload"))
    },
  )

  it.each(["zz", "00", "0".repeat(33), "0".repeat(30), "0".repeat(34)])(
    "a re of %s is misuse",
    async (re) => {
      const world = new World()
      const [a, b] = await world.pair()
      await expect(world.until(a.agent.send("b", "x", { re }))).rejects.toThrow(/"re"|hex/)
      await world.clock.advance(2)
      expect(b.texts).toEqual(["hello"])
    },
  )

  it("keys like __proto__ arrive as they are", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const odd = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "toString": "x"}')
    await world.until(a.agent.send("b", odd))
    await world.until(a.agent.sendPayload("b", odd))
    await world.clock.advance(2)
    for (const { payload } of b.messages.slice(1)) {
      expect(Object.getPrototypeOf(payload)).toBe(null)
      expect(
        Object.keys(payload)
          .filter((key) => key !== "type")
          .sort(),
      ).toEqual(["__proto__", "constructor", "toString"])
      expect((payload as { admin?: unknown }).admin).toBeUndefined()
    }
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
    expect(b.messages.at(-1)).toMatchObject({ type: "message", text: "" })
  })
})

describe("to many", () => {
  it("one content has one id and the same bytes at each (AGENT-10)", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const c = await world.ready("c", { suites: [1] })
    const deliveries = await world.until(a.agent.sendMany(["b", c.agent.address], "to all"))
    await world.clock.advance(2)
    expect(deliveries.map(({ to, state }) => `${to} ${state}`)).toEqual([
      "b delivered",
      "c delivered",
    ])
    expect(deliveries[0]?.id).toBe(deliveries[1]?.id)
    expect(b.messages.at(-1)?.id).toBe(deliveries[0]?.id)
    expect(c.messages.at(-1)?.id).toBe(deliveries[0]?.id)
    expect(b.messages.at(-1)?.timestamp).toBe(c.messages.at(-1)?.timestamp)
  })

  it("a name that is given twice gets it once, and both deliveries hear of it", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const deliveries = await world.until(a.agent.sendMany(["b", b.agent.address, "b"], "once"))
    await world.clock.advance(2)
    expect(deliveries.map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"])
    expect(b.texts).toEqual(["hello", "once"])
  })

  it("a fingerprint holds for a name that stands there without one too", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const wrong = `b#${fingerprint(new Uint8Array(32))}`
    for (const to of [
      [wrong, "b"],
      ["b", wrong],
      [b.agent.address, wrong],
    ]) {
      await expect(world.until(a.agent.sendMany(to, "x"))).rejects.toEqual(
        code("identity/fingerprint"),
      )
    }
    await world.clock.advance(2)
    expect(b.texts).toEqual(["hello"])
  })

  it("who cannot be sent to is named, and all others get it", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const sent = world.until(a.agent.sendMany(["nobody", "b", "noone"], "to some"))
    const error = await sent.catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      ...{ code: "hub/no-such-agent" },
      message: expect.stringMatching(
        /not sent to nobody \(hub\/no-such-agent\), noone \(hub\/no-such-agent\); all others have it/,
      ),
    })
    const { errors } = (error as Error).cause as AggregateError
    expect(errors).toEqual([code("hub/no-such-agent"), code("hub/no-such-agent")])
    await world.clock.advance(2)
    expect(b.texts).toEqual(["hello", "to some"])
  })

  it("nobody is written to if one of the addresses is wrong", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    await expect(world.until(a.agent.sendMany(["b", "B"], "x"))).rejects.toEqual(
      code("identity/name"),
    )
    await world.clock.advance(2)
    expect(b.texts).toEqual(["hello"])
  })
})

describe("the life of an agent", () => {
  it("what is sent before it is ready arrives", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const a = world.start("a", { suites: [1] })
    const early = a.agent.send("b", "early")
    expect(() => a.agent.address).toThrow(/^agent\/closed/)
    expect(() => a.agent.publicBundle).toThrow(/^agent\/closed/)
    expect(a.agent.status()).toMatchObject({ agentId: "a", fingerprint: "", connected: false })
    await world.until(early)
    await world.clock.advance(3)
    expect(b.texts).toEqual(["early"])
    expect(a.agent.status()).toMatchObject({
      agentId: "a",
      fingerprint: a.agent.fingerprint,
      activeSessions: ["b"],
      knownPeers: ["b"],
      handlers: 1,
      connected: true,
      pending: 0,
      inbox: 0,
    })
    expect(await world.until(a.agent.listPeers())).toEqual(["b"])
  })

  it("after close everything is agent/closed, and close can be called again", async () => {
    const world = new World()
    const [a] = await world.pair()
    await world.until(a.agent.close())
    await a.agent.close()
    const { agent } = a
    for (const work of [
      agent.send("b", "x"),
      agent.sendMany(["b"], "x"),
      agent.request("b", "x"),
      agent.connect("b"),
      agent.connectWithBundle(new Uint8Array(1)),
      agent.verify("b"),
      agent.forget("b"),
      agent.listPeers(),
      agent.peer("b"),
      agent.safetyNumber("b"),
      agent.export("x"),
      agent.seal("b", "x"),
      agent.open(new Uint8Array(1)),
    ]) {
      await expect(work).rejects.toEqual(code("agent/closed"))
    }
    expect(world.clock.pending).toBeLessThan(20)
  })

  it("an unknown recipient is hub/no-such-agent, and nothing is queued", async () => {
    const world = new World()
    const a = await world.ready("a")
    const before = await a.disk.dump()
    const works: (() => Promise<unknown>)[] = [
      () => a.agent.send("nobody", "x"),
      () => a.agent.request("nobody", "x"),
      () => a.agent.connect("nobody"),
    ]
    for (const work of works) {
      await expect(world.until(work())).rejects.toEqual(code("hub/no-such-agent"))
    }
    await world.clock.advance(100)
    expect(a.agent.status().pending).toBe(0)
    expect([...(await a.disk.dump()).keys()].sort()).toEqual([...before.keys()].sort())
  })

  it("a name that is taken is final: ready rejects, no link is tried again", async () => {
    const world = new World()
    await world.ready("a")
    const other = world.start("a")
    await expect(world.until(other.agent.ready)).rejects.toEqual(code("hub/name-taken"))
    await world.clock.advance(600)
    expect(other.agent.status().connected).toBe(false)
  })

  it("a hub that cannot be reached: ready rejects, what is sent waits", async () => {
    const world = new World()
    const b = await world.ready("b", { suites: [1] })
    const a = world.start("a", { suites: [1] })
    a.tap.up = false
    await expect(world.until(a.agent.ready)).rejects.toEqual(code("hub/unreachable"))
    const delivery = await world.until(a.agent.send("b", "later"))
    expect(delivery.state).toBe("queued")
    a.tap.up = true
    await world.clock.advance(70)
    expect(delivery.state).toBe("delivered")
    expect(b.texts).toEqual(["later"])
  })

  it("a second process of one agent takes the link, and the first does not fight", async () => {
    const world = new World()
    const [a] = await world.pair()
    const clone = await a.disk.clone()
    await world.ready("a", { disk: clone, suites: [1] })
    await world.clock.advance(300)
    expect(
      a.of("disconnected").map(({ error, willReconnect }) => [error.code, willReconnect]),
    ).toEqual([["hub/replaced", false]])
    expect(a.agent.status().connected).toBe(false)
  })

  it("a listener that throws, and a handler that throws at once, disturb nobody", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    b.agent.on("rejected", () => {
      throw new Error("listener")
    })
    b.agent.onMessage(() => {
      throw new Error("handler")
    })
    b.tap.inject([30, 0, 5, "a", new Uint8Array(5)])
    await world.until(a.agent.send("b", "x"))
    await world.clock.advance(2)
    expect(b.texts).toEqual(["hello", "x"])
    expect(b.of("handler-error")).toHaveLength(1)
  })

  it("delivery.wait: times out, resolves, rejects when it is given up", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    b.kill()
    const delivery = await world.until(a.agent.send("b", "x"))
    await delivery.wait("stored")
    await expect(world.until(delivery.wait("delivered", 1000))).rejects.toEqual(
      code("agent/timeout"),
    )
    const waiting = delivery.wait("delivered")
    waiting.catch(() => {})
    await world.clock.advance(14 * 86_400 + 700)
    await expect(waiting).rejects.toEqual(code("agent/undelivered"))
    expect(delivery.state).toBe("undelivered")
    expect(a.of("undelivered").map(({ id }) => id)).toEqual([delivery.id])
    expect(a.agent.status().pending).toBe(0)
    expect((await a.disk.dump("data/")).size).toBe(0)
  })
})

function nest(levels: number): unknown {
  return levels === 1 ? 1 : [nest(levels - 1)]
}
