// From the mailbox to handlers, and receipts back (SPEC §12.4).

import { describe, expect, it } from "vitest"
import { toHex } from "../src/bytes.ts"
import { encodePayload } from "../src/encoding.ts"
import { CONTENT_KINDS, decodeReceipts, encodeContent } from "../src/envelope.ts"
import { FRAME } from "../src/hub/wire.ts"
import { MAX_AHEAD, MAX_CONTENT, MAX_CONTENTS, osDraw } from "../src/suite.ts"
import { RawPeer } from "./support-agent/raw-peer.ts"
import { World } from "./support-agent/world.ts"

async function raw(options: { silent?: boolean } = {}) {
  const world = new World()
  const b = await world.ready("b", { suites: [1], ...options })
  const m = new RawPeer(world, b, "m")
  m.listen()
  return { world, b, m }
}

describe("handlers", () => {
  it("run in the order they were added, and a failing one stops nobody (AGENT-11)", async () => {
    const world = new World()
    const a = await world.ready("a", { suites: [1] })
    const b = await world.ready("b", { suites: [1], silent: true })
    const calls: string[] = []
    b.agent
      .onMessage(async (message) => {
        await Promise.resolve()
        calls.push(`1 ${message.text}`)
      })
      .onMessage(() => {
        calls.push("2")
        throw new Error("no good")
      })
      .onMessage((message) => void calls.push(`3 ${message.text}`))
    const delivery = await world.until(a.agent.send("b", "x", { receipt: "processed" }))
    await world.clock.advance(3)
    expect(calls).toEqual(["1 x", "2", "3 x"])
    expect(delivery.state).toBe("failed")
    expect(b.of("handler-error")).toHaveLength(1)
    expect(b.of("handler-error")[0]?.message.id).toBe(delivery.id)
    const fine = await world.until(a.agent.send("b", "y"))
    await world.clock.advance(3)
    expect(fine.state).toBe("delivered") // nobody asked for more
    expect(calls.slice(3)).toEqual(["1 y", "2", "3 y"])
  })

  it("status 1, then 3: told once each, also when receipts come again (AGENT-11, AGENT-58)", async () => {
    const world = new World()
    const a = await world.ready("a", { suites: [1] })
    const b = await world.ready("b", { suites: [1], silent: true })
    let finish = (): void => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    b.agent.onMessage(() => slow)
    const delivery = await world.until(a.agent.send("b", "x", { receipt: "processed" }))
    await world.clock.advance(3)
    expect(delivery.state).toBe("delivered")
    finish()
    await world.quiet()
    await world.clock.advance(3)
    expect(delivery.state).toBe("processed")
    expect(a.of("receipt").map(({ state }) => state)).toEqual(["delivered", "processed"])
  })

  it("hold contents until there is the first one", async () => {
    const { world, b, m } = await raw({ silent: true })
    expect(await m.found(m.text("1"), m.text("2"))).toBe("accepted")
    expect(b.agent.status()).toMatchObject({ handlers: 0, inbox: 2 })
    const seen: string[] = []
    b.agent.onMessage((message) => void seen.push(message.text))
    await world.quiet()
    expect(seen).toEqual(["1", "2"])
    expect(b.agent.status()).toMatchObject({ handlers: 1, inbox: 0 })
  })

  it("hold them over a restart, with the same ids (AGENT-46)", async () => {
    const { world, b, m } = await raw({ silent: true })
    await m.found(m.text("1"), m.text("2"))
    b.kill()
    const again = await world.ready("b", { disk: b.disk, suites: [1] })
    expect(again.texts).toEqual(["1", "2"])
    expect(again.agent.status().inbox).toBe(0)
  })
})

describe("judging contents", () => {
  it("one bad among 64: the other 63 are delivered, each is receipted by its own verdict", async () => {
    const { world, b, m } = await raw()
    const contents = Array.from({ length: MAX_CONTENTS - 1 }, (_, i) => m.text(`${i}`))
    const body = new Uint8Array([0xa1, 0x01, 0x01]) // a map with a number as key
    const id = osDraw("content-id", 16)
    const bad = encodeContent({ kind: 0, id, sentMs: world.clock.now(), re: null, ask: 0, body })
    contents.splice(20, 0, bad)
    expect(await m.found(...contents)).toBe("agent/payload")
    await world.clock.advance(2)
    expect(b.texts).toHaveLength(63)
    const receipts = RawPeer.receipts(m.read())
    expect(receipts.size).toBe(64)
    expect(receipts.get(toHex(id))).toBe(3)
    expect([...receipts.values()].filter((status) => status === 1)).toHaveLength(63)
  })

  it("sent-ms a day ahead passes, a millisecond more does not (AGENT-50)", async () => {
    const { world, b, m } = await raw()
    const now = world.clock.now()
    expect(await m.found(m.text("edge", now + MAX_AHEAD * 1000))).toBe("accepted")
    const [line] = m.lines
    if (!line) throw new Error("no session")
    expect(await m.send(line, m.text("over", now + MAX_AHEAD * 1000 + 1))).toBe("envelope/content")
    expect(b.texts).toEqual(["edge"])
  })

  it("a content of 1,000,000 bytes passes, one byte more does not (ENVELOPE-15)", async () => {
    const { world, b, m } = await raw()
    const sized = (size: number) => {
      const make = (fill: number) =>
        encodeContent({
          ...{ kind: 0, id: osDraw("content-id", 16), sentMs: world.clock.now(), re: null, ask: 0 },
          body: encodePayload({ fill: new Uint8Array(fill) }),
        })
      const content = make(size - (make(size - 200).length - (size - 200)))
      expect(content.length).toBe(size)
      return content
    }
    const line = m.line()
    expect(await m.send(line, sized(MAX_CONTENT - 1))).toBe("accepted")
    expect(await m.send(line, sized(MAX_CONTENT))).toBe("accepted")
    const over = sized(MAX_CONTENT + 1)
    expect(await m.send(line, over)).toBe("envelope/content")
    expect(b.messages).toHaveLength(2)
    await world.clock.advance(2)
    expect([...RawPeer.receipts(m.read()).values()].sort()).toEqual([1, 1, 3])
  })

  it("unknown kinds, loud heals, odd receipts: refused, no receipt but for kind 0", async () => {
    const { world, b, m } = await raw()
    const id = () => osDraw("content-id", 16)
    const base = { sentMs: world.clock.now(), re: null, ask: 0, body: new Uint8Array(0) }
    const odd = [
      { ...base, kind: 3, id: id() },
      { ...base, kind: 1, id: id(), ask: 1 },
      { ...base, kind: 1, id: id(), body: new Uint8Array(1) },
      { ...base, kind: 2, id: id() },
      { ...base, kind: 2, id: id(), body: new Uint8Array([0x80]) },
    ].map(encodeContent)
    const asked = id()
    odd.push(encodeContent({ ...base, kind: 0, id: asked, ask: 2 }))
    odd.push(new Uint8Array([0x80]), new Uint8Array([0xff]), new Uint8Array(0))
    const line = m.line()
    for (const content of odd) expect(await m.send(line, content)).toBe("envelope/content")
    await world.clock.advance(2)
    expect([...RawPeer.receipts(m.read())]).toEqual([[toHex(asked), 3]])
    expect(await m.send(line, m.text("fine"))).toBe("accepted")
    expect(b.texts).toEqual(["fine"])
  })

  it("a known id is receipted again and not dispatched, on any session (AGENT-49)", async () => {
    const { world, b, m } = await raw()
    const content = m.text("once")
    await m.found(content)
    await world.clock.advance(2)
    m.read()
    await m.found(content)
    await m.send(m.lines[0] as never, content)
    await world.clock.advance(2)
    const receipts = m.read().filter(({ kind }) => kind === CONTENT_KINDS.receipt)
    expect(receipts.length).toBeGreaterThanOrEqual(1)
    expect([...RawPeer.receipts(receipts).values()]).toEqual([1]) // nobody asked for more
    expect(b.texts).toEqual(["once"])
  })

  it("copies in one envelope get one receipt, of a new id and of a known one (AGENT-29)", async () => {
    const { world, b, m } = await raw({ silent: true })
    const line = m.line()
    await m.send(line, m.text("hello"))
    await world.clock.advance(2)
    m.read()
    const content = m.text("twice")
    const bad = encodeContent({
      ...{ kind: 0, id: osDraw("content-id", 16), sentMs: world.clock.now(), re: null, ask: 0 },
      body: new Uint8Array([0x80]),
    })
    await m.send(line, content, content, bad, bad)
    await m.send(line, content, content)
    await world.clock.advance(2)
    const receipts = m.read().filter(({ kind }) => kind === CONTENT_KINDS.receipt)
    const statuses = receipts
      .flatMap(({ body }) => decodeReceipts(body))
      .map(({ status }) => status)
    expect(statuses).toEqual([1, 3, 1])
    expect(b.agent.status().inbox).toBe(2)
  })

  it("an id past 22 days counts as dropped before anybody drops it (AGENT-55)", async () => {
    const { world, b, m } = await raw()
    const start = world.clock.seconds
    const content = m.text("once")
    world.clock.set(start + 3600)
    await m.found(content)
    for (const days of [6, 12, 18, 21.9]) {
      world.clock.set(start + days * 86_400)
      await world.clock.advance(601) // maintenance: the next daily one is at 22.9 days
    }
    world.clock.set(start + 22 * 86_400 + 3599)
    expect(await m.found(content)).toBe("accepted")
    world.clock.set(start + 22 * 86_400 + 3602)
    await world.clock.advance(601)
    expect(await m.found(content)).toBe("envelope/content")
    await world.clock.advance(2)
    expect(b.texts).toEqual(["once"])
  })

  it("receipts count for contents that were sent to this very peer (AGENT-49)", async () => {
    const { world, b, m } = await raw()
    const c = await world.ready("c", { suites: [1] })
    c.tap.attack = { down: (frame) => (frame[0] === FRAME.deliver ? null : frame) }
    const delivery = await world.until(b.agent.send("c", "for c"))
    const id = new Uint8Array(Buffer.from(delivery.id, "hex"))
    await m.found(m.receipts([{ id, status: 2 }]))
    await world.clock.advance(2)
    expect(delivery.state).toBe("stored")
    expect(b.of("receipt")).toEqual([])
    expect(b.agent.status().pending).toBe(1)
  })

  it("each state is told once, however often receipts come (AGENT-58)", async () => {
    const { world, b, m } = await raw()
    await m.found(m.text("hello"))
    await world.clock.advance(2)
    const delivery = await world.until(b.agent.send("m", "x", { receipt: "processed" }))
    const id = new Uint8Array(Buffer.from(delivery.id, "hex"))
    const [line] = m.lines
    if (!line) throw new Error("no session")
    for (const status of [1, 1, 2, 1, 3, 2]) {
      expect(await m.send(line, m.receipts([{ id, status }]))).toBe("accepted")
    }
    expect(b.of("receipt").map(({ state }) => state)).toEqual(["delivered", "processed"])
    expect(delivery.state).toBe("processed")
  })
})

describe("receipts", () => {
  it("go 256 to a content, at once when 32 envelopes wait (AGENT-28, ENVELOPE-5)", async () => {
    const { world, m } = await raw()
    const line = m.line()
    await m.send(line, m.text("hello"))
    await world.clock.advance(2)
    m.read()
    for (let i = 0; i < 5; i++) {
      await m.send(line, ...Array.from({ length: 64 }, (_, k) => m.text(`${i} ${k}`)))
    }
    await world.clock.advance(1)
    const receipts = m.read().filter(({ kind }) => kind === CONTENT_KINDS.receipt)
    expect(receipts).toHaveLength(2)
    expect(RawPeer.receipts(receipts).size).toBe(320)
    for (let i = 0; i < 31; i++) await m.send(line, m.text("early"))
    expect(m.read()).toEqual([])
    await m.send(line, m.text("the 32nd"))
    expect(RawPeer.receipts(m.read()).size).toBe(32)
  })
})

describe("a slow disk", () => {
  it("does not put off receipts: they fall due while the commit is written (AGENT-28)", async () => {
    const world = new World()
    const a = await world.ready("a", { suites: [1] })
    const b = await world.ready("b", { suites: [1], silent: true })
    await world.until(a.agent.send("b", "hello"))
    await world.clock.advance(2)
    // The receipt is due after 250 ms: not yet when the agent looks, but after its next commit.
    const { seconds } = world.clock
    world.clock.set(seconds + 0.9)
    const batch = b.handle.batch.bind(b.handle)
    b.handle.batch = async (changes) => {
      await batch(changes)
      const received = changes.some(({ key }) => key.startsWith("inbox/"))
      world.clock.set(received ? seconds + 1 : world.clock.seconds + 1)
    }
    const sending = a.agent.send("b", "x")
    await world.quiet()
    b.handle.batch = batch
    await world.clock.advance(3)
    expect((await sending).state).toBe("delivered")
  })
})

describe("requests", () => {
  it("are answered by the peer that was asked, by no other (AGENT-12)", async () => {
    const { world, b, m } = await raw()
    const c = await world.ready("c", { suites: [1], silent: true })
    const asking = b.agent.request("c", "how are you", { timeout: 60_000 })
    await world.clock.advance(2)
    c.agent.onMessage(async (message) => {
      // Somebody else knows the id and is faster.
      const re = new Uint8Array(Buffer.from(message.id, "hex"))
      const body = encodePayload({ text: "false" })
      const id = osDraw("content-id", 16)
      const sentMs = world.clock.now()
      await m.found(encodeContent({ kind: 0, id, sentMs, re, ask: 0, body }))
      await message.reply("true")
    })
    const answer = await world.until(asking)
    expect(answer).toMatchObject({ text: "true", sender: "c" })
    await world.clock.advance(2)
    expect(b.texts).toEqual(["false"]) // an ordinary message; the answer went to no handler
  })

  it("end with agent/timeout, and a late answer is an ordinary message", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    const late: (() => Promise<unknown>)[] = []
    b.agent.onMessage((message) => void late.push(() => message.reply("late")))
    const asking = a.agent.request("b", "x", { timeout: 5000 })
    await expect(world.until(asking)).rejects.toMatchObject({ code: "agent/timeout" })
    await world.until(late[0]?.() as Promise<unknown>)
    await world.clock.advance(2)
    expect(a.texts).toEqual(["hello", "late"])
  })
})

describe("the inbox", () => {
  it("of strangers is a quarter of 10,000; refused beyond it (AGENT-45)", async () => {
    const { world, b, m } = await raw({ silent: true })
    const line = m.line()
    for (let i = 0; i < 39; i++) {
      await m.send(line, ...Array.from({ length: 64 }, () => m.text("x")))
    }
    expect(b.agent.status().inbox).toBe(2496)
    expect(await m.send(line, ...Array.from({ length: 6 }, () => m.text("x")))).toBe(
      "envelope/content",
    )
    expect(b.agent.status().inbox).toBe(2500)
    await world.clock.advance(2)
    const statuses = [...RawPeer.receipts(m.read()).values()]
    expect(statuses.filter((status) => status === 3)).toHaveLength(2)
  })

  // 11,000 contents: the count does not depend on the backend, the time does.
  const portable = process.env["AGENTMESH_BACKEND"] === "noble"
  it.skipIf(portable)(
    "is full at 10,000: nothing more is acknowledged until there is room (AGENT-44)",
    async () => {
      const { world, b, m } = await raw({ silent: true })
      const line = m.line()
      await m.send(line, m.text("hello"))
      await world.clock.advance(2)
      await world.until(b.agent.send("m", "a friend now"))
      m.read()
      // All at once, as a hub delivers them.
      const envelopes = Array.from({ length: 170 }, () =>
        m.seal(
          line,
          Array.from({ length: 64 }, () => m.text("x")),
        ),
      )
      const acked = () =>
        b.tap.frames
          .filter(([type]) => type === FRAME.ack)
          .flatMap((frame) => frame[2] as unknown as number[])
          .filter((mseq) => mseq >= 5_000_000 && mseq < 6_000_000)
      for (const [i, envelope] of envelopes.entries()) {
        b.tap.inject([30, 0, 5_000_000 + i, "m", envelope])
      }
      for (let i = 0; i < 40; i++) await world.quiet()
      // 157 envelopes reach the limit; none is taken at or above it.
      expect(b.agent.status().inbox).toBe(1 + 157 * 64)
      expect(acked()).toHaveLength(157)
      let handled = 0
      b.agent.onMessage(() => void handled++)
      for (let i = 0; i < 400 && acked().length < 170; i++) await world.clock.advance(0.1)
      expect(acked()).toHaveLength(170)
      for (let i = 0; i < 100 && handled < 1 + 170 * 64; i++) await world.quiet()
      expect(handled).toBe(1 + 170 * 64)
      expect(b.agent.status().inbox).toBe(0)
    },
  )
})
