// Envelopes that a hub or a thief makes up: refused, nothing changed, nothing sent (§8 to §10).

import { beforeAll, describe, expect, it } from "vitest"
import type { Value } from "../src/encoding.ts"
import { FRAME } from "../src/hub/wire.ts"
import { type Suite, x25519Public } from "../src/suite.ts"
import { differences } from "./support-agent/disk.ts"
import { deliver, type Parts, putTogether, takeApart } from "./support-agent/insider.ts"
import { type Process, World } from "./support-agent/world.ts"

interface Scene {
  readonly world: World
  readonly a: Process
  readonly b: Process
  /** An envelope of `a` that `b` has not seen yet. */
  readonly fresh: Uint8Array
  /** One that it has seen. */
  readonly seen: Uint8Array
  /** One of another session between others. */
  readonly foreign: Uint8Array
}

/** A conversation whose next envelope is in the attacker's hands. */
async function scene(suite: Suite, first: boolean): Promise<Scene> {
  const world = new World()
  const a = await world.ready("a", { suites: [suite] })
  const b = await world.ready("b", { suites: [suite] })
  const m = await world.ready("m", { suites: [suite] })
  await world.until(m.agent.send("b", "from m"))
  if (!first) {
    await world.until(a.agent.send("b", "one"))
    await world.clock.advance(2)
    await world.until(b.agent.send("a", "two"))
    await world.clock.advance(2)
  }
  const seen = world.sent.findLast(({ from, to }) => from === (first ? "m" : "a") && to === "b")
  a.tap.attack = { up: (frame) => (frame[0] === FRAME.send ? null : frame) }
  a.agent.send("b", "held").catch(() => {})
  await world.clock.advance(0.1)
  const held = a.tap.sent.at(-1)
  const foreign = m.tap.sent.at(-1)
  if (!held || !seen || !foreign) throw new Error("no envelope was caught")
  return { world, a, b, fresh: held.envelope, seen: seen.envelope, foreign: foreign.envelope }
}

const key = x25519Public(new Uint8Array(32).fill(7))
const ek = new Uint8Array(1184)
const kemCt = new Uint8Array(1088)

/** A header with a field replaced. */
function field(index: number, value: (old: Value) => Value) {
  return (parts: Parts) => {
    parts.header[index] = value(parts.header[index] as Value)
  }
}

function block(suite: Suite): Value {
  return suite === 1 ? [key, null, null] : [key, ek, kemCt]
}

type Change = (parts: Parts) => void

function changes(suite: Suite, first: boolean): [string, string, Change][] {
  const init = (index: number, value: Value): Change =>
    field(6, (old) => (old as Value[]).map((item, i) => (i === index ? value : item)))
  const list: [string, string, Change][] = [
    ["version 0", "envelope/version", field(0, () => 0)],
    ["version 2", "envelope/version", field(0, () => 2)],
    ["a longer header", "encoding/shape", ({ header }) => header.push(0)],
    ["a header of another version and shape", "envelope/version", (p) => (p.header = [2])],
    ["an empty header", "encoding/shape", (p) => (p.header = [])],
    ["a header that begins with text", "encoding/shape", field(0, () => "1")],
    ["a sid of 15 bytes", "encoding/shape", field(1, () => new Uint8Array(15))],
    ["another guard", "envelope/open", field(5, () => new Uint8Array(16))],
    ["n = 1000", "session/chain-limit", field(3 + 1, () => 1000)],
    ["the largest n", "session/chain-limit", field(4, () => Number.MAX_SAFE_INTEGER)],
    ["n = 999", "envelope/open", field(4, () => 999)],
    ["a ciphertext of 271 bytes", "encoding/limit", (p) => (p.ct = p.ct.slice(0, 271))],
    ["a longer ciphertext", "envelope/open", (p) => (p.ct = new Uint8Array([...p.ct, 0]))],
    [
      "a ciphertext of 1,081,361 bytes",
      "encoding/limit",
      (p) => (p.ct = new Uint8Array(1_081_361)),
    ],
    [
      "a header of 8,193 bytes",
      "encoding/limit",
      ({ header }) => header.push(new Uint8Array(8200)),
    ],
    ["KEM fields of the other suite", "encoding/shape", field(2, () => block(suite === 1 ? 2 : 1))],
  ]
  if (first) {
    list.push(
      ["suite 0", "suite/unsupported", init(0, 0)],
      ["suite 3", "suite/unsupported", init(0, 3)],
      ["suite 0xff00", "suite/unsupported", init(0, 0xff00)],
      ["pn 1 in the first chain", "encoding/shape", field(3, () => 1)],
      ["another bundle-ref", "envelope/open", init(1, new Uint8Array(32))],
      ["no otk-ref", "envelope/open", init(2, null)],
      ["another name", "envelope/open", init(3, "m")],
      ["no name", "identity/name", init(3, "A")],
      ["another identity key", "envelope/open", init(4, key)],
      ["another sid", "envelope/open", field(1, () => new Uint8Array(16))],
      ["no init", "session/unknown", field(6, () => null)],
      ["an init of another shape", "encoding/shape", field(6, () => [1])],
    )
  } else {
    list.push(
      ["pn = 1001", "session/chain-limit", field(3, () => 1001)],
      ["another pn", "envelope/open", field(3, (old) => (old as number) + 1)],
      ["an unknown sid", "session/unknown", field(1, () => new Uint8Array(16))],
    )
  }
  return list
}

describe.each([
  [1, true],
  [1, false],
  [2, true],
  [2, false],
] as [Suite, boolean][])("suite %i, first flight: %s", (suite, first) => {
  let s: Scene
  let before: Map<string, string>
  let frames: number
  const give = (envelope: Uint8Array, from = "a") => deliver(s.b, from, envelope, s.world.quiet)

  beforeAll(async () => {
    s = await scene(suite, first)
    // The stored clock follows at the next envelope; after that it stands still.
    await give(new Uint8Array(0))
    before = await s.b.disk.dump()
    frames = busy(s.b)
  })

  /** Frames other than ACK. */
  const busy = (process: Process) =>
    process.tap.frames.filter(([type]) => type !== FRAME.ack).length

  async function untouched() {
    expect(differences(before, await s.b.disk.dump())).toEqual([])
    expect(busy(s.b)).toBe(frames)
    expect(s.b.texts).not.toContain("held")
  }

  it.each(changes(suite, first))("%s: %s", async (_name, expected, change) => {
    const parts = takeApart(s.fresh)
    change(parts)
    expect(await give(putTogether(parts))).toBe(expected)
    await untouched()
  })

  it("junk on a new block, n = 999, pn = 1,000", async () => {
    const parts = takeApart(s.fresh)
    parts.header[2] = block(suite)
    parts.header[4] = 999
    if (!first) parts.header[3] = 1000
    expect(await give(putTogether(parts))).toBe("envelope/open")
    await untouched()
  })

  it("every byte with a flipped bit", async () => {
    const earlier = s.b.refusals.length
    let given = 0
    const step = suite === 1 ? 3 : 41
    for (let at = 0; at < s.fresh.length; at += step) {
      const envelope = s.fresh.slice()
      envelope[at] = (envelope[at] as number) ^ (1 << (at % 8))
      s.b.tap.inject([30, 0, 7, "a", envelope])
      given++
      if (given % 16 === 0) await s.world.quiet()
    }
    await s.world.quiet()
    const codes = s.b.refusals.slice(earlier)
    expect(codes.length).toBe(given)
    expect(codes.filter((code) => code.startsWith("agent/"))).toEqual([])
    await untouched()
  })

  it("every truncation", async () => {
    for (let length = 0; length < s.fresh.length; length += suite === 1 ? 11 : 97) {
      expect(await give(s.fresh.slice(0, length))).toBe("encoding/malformed")
    }
    expect(await give(new Uint8Array([...s.fresh, 0]))).toBe("encoding/malformed")
    await untouched()
  })

  it("what was seen before", async () => {
    expect(await give(s.seen, first ? "m" : "a")).toBe("session/replay")
    await untouched()
  })

  it("header of one, ciphertext of another", async () => {
    const mixed = { ...takeApart(s.fresh), ct: takeApart(s.seen).ct }
    expect(await give(putTogether(mixed))).toBe("envelope/open")
    await untouched()
  })

  it("moved to another session of the receiver", async () => {
    const parts = takeApart(s.fresh)
    const other = takeApart(s.foreign)
    parts.header[1] = other.header[1] as Value
    parts.header[6] = null
    expect(["envelope/open", "session/replay"]).toContain(await give(putTogether(parts), "m"))
    await untouched()
  })

  it("reflected to its sender", async () => {
    const mine = await s.a.disk.dump()
    const code = await deliver(s.a, "b", s.fresh, s.world.quiet)
    expect(code).toBe(first ? "handshake/self" : "envelope/open")
    expect(differences(mine, await s.a.disk.dump())).toEqual([])
  })

  it("under another from-name: an init is refused, an envelope is its sender's", async () => {
    if (!first) return
    expect(await give(s.fresh, "m")).toBe("identity/untrusted")
    expect(s.b.of("identity-changed")).toEqual([])
    await untouched()
  })

  it("and then the genuine one opens", async () => {
    expect(await give(s.fresh, first ? "a" : "m")).toBe("accepted")
    expect(s.b.messages.at(-1)).toMatchObject({
      text: "held",
      sender: "a",
      fingerprint: s.a.agent.fingerprint,
    })
  })
})
