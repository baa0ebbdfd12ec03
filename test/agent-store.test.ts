// Store faults that an agent survives, and stores that it refuses (SPEC §12.3).

import { describe, expect, it } from "vitest"
import { Agent } from "../src/agent/agent.ts"
import { FRAME } from "../src/hub/wire.ts"
import { Disk, Handle } from "./support-agent/disk.ts"
import { World } from "./support-agent/world.ts"

const code = (value: string) => expect.objectContaining({ code: value })

describe("a write that fails once", () => {
  it("loses nothing and acknowledges nothing at the receiver (AGENT-42)", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const acked = () => b.tap.frames.filter(([type]) => type === FRAME.ack).length
    const before = acked()
    b.handle.failing = 1
    const delivery = await world.until(a.agent.send("b", "while the disk was full"))
    expect(b.handle.failing).toBe(0)
    expect(acked()).toBe(before)
    expect(b.texts).toEqual(["hello"])
    await world.clock.advance(30)
    expect(b.texts).toEqual(["hello", "while the disk was full"])
    expect(acked()).toBe(before + 1)
    expect(delivery.state).toBe("delivered")
    expect(b.refusals).toEqual([])
  })

  it("fails `send`, and what was queued before still leaves (AGENT-8)", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    a.tap.up = false
    a.tap.cut()
    await world.until(a.agent.send("b", "queued"))
    a.handle.failing = 1
    await expect(world.until(a.agent.send("b", "refused"))).rejects.toThrow()
    a.tap.up = true
    await world.clock.advance(120)
    expect(b.texts.slice(1)).toEqual(["queued"])
    expect(a.of("problem")[0]?.error).toEqual(code("agent/store-corrupt"))
  })

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))("at write %i", async (at) => {
    const world = new World()
    const [a, b] = await world.pair()
    for (const process of [a, b]) {
      const batch = process.handle.batch.bind(process.handle)
      let left = at
      process.handle.batch = (changes) => {
        if (--left === 0) process.handle.failing = 1
        return batch(changes)
      }
    }
    const taken: string[] = []
    const say = async (from: typeof a, to: string, text: string) => {
      const ok = await world.until(
        from.agent.send(to, text).then(
          () => true,
          () => false,
        ),
      )
      if (ok) taken.push(text)
      await world.clock.advance(3)
    }
    for (let i = 0; i < 4; i++) {
      await say(a, "b", `a${i}`)
      await say(b, "a", `b${i}`)
    }
    await world.clock.advance(2000)
    const got = [...a.texts, ...b.texts].filter((text) => text !== "hello")
    expect(got.sort()).toEqual(taken.sort())
    expect(a.agent.status()).toMatchObject({ pending: 0, inbox: 0 })
    expect(b.agent.status()).toMatchObject({ pending: 0, inbox: 0 })
  })
})

describe("opening a store", () => {
  it("of another name is refused (identity/name)", async () => {
    const world = new World()
    const a = await world.ready("a")
    await world.until(a.agent.close())
    const other = world.start("other", { disk: a.disk })
    await expect(world.until(other.agent.ready)).rejects.toEqual(code("identity/name"))
  })

  it("that is open is refused (AGENT-3)", async () => {
    const handle = new Handle(new Disk())
    const one = new Agent("y", { store: handle })
    const two = new Agent("y", { store: handle })
    await expect(two.ready).rejects.toEqual(code("agent/store-locked"))
    await one.close()
  })

  it("gives the same identity and sessions again", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const { fingerprint } = a.agent
    await world.until(a.agent.close())
    const again = await world.ready("a", { disk: a.disk, suites: [1] })
    expect(again.agent.fingerprint).toBe(fingerprint)
    expect(again.agent.status().activeSessions).toEqual(["b"])
    await world.until(again.agent.send("b", "back"))
    await world.clock.advance(2)
    expect(b.texts).toContain("back")
  })
})
