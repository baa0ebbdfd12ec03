// Messages that an application fetches instead of handling them (SPEC §12.4).

import { describe, expect, it } from "vitest"
import { World } from "./support-agent/world.ts"

async function three() {
  const world = new World()
  const a = await world.ready("a", { suites: [1] })
  const b = await world.ready("b", { suites: [1], silent: true })
  const heard: string[] = []
  b.agent.on("waiting", ({ from, id }) => heard.push(`${from} ${id}`))
  const deliveries = []
  for (const text of ["1", "2", "3"]) {
    const sent = a.agent.send("b", text, { receipt: "processed" })
    deliveries.push(await world.until(sent))
  }
  await world.clock.advance(3)
  const texts = async (after?: string) => {
    const waiting = await b.agent.waiting(after === undefined ? {} : { after })
    return waiting.map(({ message }) => message.text)
  }
  return { world, a, b, deliveries, texts, heard }
}

describe("waiting messages", () => {
  it("stay, in order of arrival, and are told of", async () => {
    const { b, texts, deliveries, heard } = await three()
    expect(await texts()).toEqual(["1", "2", "3"])
    expect(await texts()).toEqual(["1", "2", "3"])
    expect(heard).toEqual(deliveries.map(({ id }) => `a ${id}`))
    expect(deliveries.map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"])
    expect(await b.agent.waiting({ limit: 1 })).toHaveLength(1)
  })

  it("are read on from a place, also when what stood there is settled", async () => {
    const { b, texts } = await three()
    const [first] = await b.agent.waiting()
    expect(await texts(first?.place)).toEqual(["2", "3"])
    await b.agent.settle([first?.message.id ?? ""])
    expect(await texts(first?.place)).toEqual(["2", "3"])
    expect(await texts()).toEqual(["2", "3"])
  })

  it("are settled once, and the sender hears how (AGENT-58)", async () => {
    const { world, b, deliveries, texts } = await three()
    const [one, two] = deliveries.map(({ id }) => id) as [string, string]
    expect(await b.agent.settle([one, "unknown"])).toEqual([one])
    expect(await b.agent.settle([one])).toEqual([])
    expect(await b.agent.settle([two], "failed")).toEqual([two])
    await world.clock.advance(3)
    expect(deliveries.map(({ state }) => state)).toEqual(["processed", "failed", "delivered"])
    expect(await texts()).toEqual(["3"])
  })

  it("go to a handler once there is one, and wait no longer", async () => {
    const { world, b, texts } = await three()
    const seen: string[] = []
    b.agent.onMessage((message) => void seen.push(message.text))
    await world.quiet()
    expect(seen).toEqual(["1", "2", "3"])
    expect(await texts()).toEqual([])
  })
})
