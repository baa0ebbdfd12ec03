// What applications send, and what they hear of it (SPEC §12.3).

import { describe, expect, it } from "vitest"
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

  it("rejects and never throws what is no message", async () => {
    const world = new World()
    const [a] = await world.pair()
    for (const input of [undefined, null, 1, true]) {
      const sent = () => a.agent.send("b", input as never)
      expect(sent).not.toThrow()
    }
  })
})

function nest(levels: number): unknown {
  return levels === 1 ? 1 : [nest(levels - 1)]
}
