// An identity in a file, and stores that are not what an agent wrote (SPEC §12.3 Export, §12.4).

import { describe, expect, it } from "vitest"
import { exportState, importState } from "../src/agent/backup.ts"
import { decodeRow, encodeRow } from "../src/agent/rows.ts"
import type { Value } from "../src/encoding.ts"
import { decode, decodePayload, encode, encodePayload } from "../src/encoding.ts"
import { createIdentity } from "../src/identity.ts"
import { aeadSeal, hkdf, label, labelled, osDraw } from "../src/suite.ts"
import { Disk } from "./support-agent/disk.ts"
import { World } from "./support-agent/world.ts"

const code = (value: string) => expect.objectContaining({ code: value })
const corrupt = code("agent/store-corrupt")
const key = new Uint8Array(32).fill(9)
/** scrypt takes seconds there; one passphrase in a file is enough. */
const portable = process.env["AGENTMESH_BACKEND"] === "noble"

describe("export and restore", () => {
  it("carry the identity and the pins over, with a key and with a passphrase", async () => {
    const world = new World()
    const [a, b] = await world.pair()
    await world.until(a.agent.verify(b.agent.address))
    const c = await world.ready("c", { suites: [1] })
    await world.until(a.agent.send("c", "x"))
    for (const secret of portable ? [key] : [key, "correct horse", "p", "\u00e9\u{1f40e}"]) {
      const backup = await world.until(a.agent.export(secret))
      const disk = new Disk()
      const again = world.start("a", { disk, suites: [1], restore: { backup, secret } })
      again.tap.up = false
      await again.agent.ready.catch(() => {})
      expect(again.agent.address).toBe(a.agent.address)
      expect(again.agent.status().knownPeers).toEqual(["b", "c"])
      expect(await again.agent.peer("b")).toMatchObject({ trust: "verified" })
      expect(await again.agent.peer("c")).toMatchObject({ trust: "pinned" })
      expect((await disk.dump("key/session/")).size).toBe(0)
      await again.agent.close()
    }
    expect(c.texts).toEqual(["x"])
  })

  it("refuse wrong secrets and damage alike, and leave the store empty", async () => {
    const world = new World()
    const a = await world.ready("a")
    const backup = await world.until(a.agent.export(key))
    const worded = await world.until(a.agent.export("right"))
    const cases: [Uint8Array, string | Uint8Array][] = [
      [backup, new Uint8Array(32)],
      [backup, "right"],
      [worded, "Right"],
      [worded, key],
      [backup.slice(0, -1), key],
      [new Uint8Array(0), key],
      [new Uint8Array([...backup, 0]), key],
    ]
    for (let at = 0; at < backup.length; at += 7) {
      const flipped = backup.slice()
      flipped[at] = (flipped[at] as number) ^ 0x10
      cases.push([flipped, key])
    }
    for (const [file, secret] of cases) {
      const disk = new Disk()
      const other = world.start("a", { disk, restore: { backup: file, secret } })
      await expect(other.agent.ready).rejects.toEqual(corrupt)
      expect((await disk.dump()).size).toBe(0)
      await other.agent.close()
    }
  })

  it("refuse another name, and a store that is not empty", async () => {
    const world = new World()
    const a = await world.ready("a")
    const backup = await world.until(a.agent.export(key))
    const other = world.start("b", { restore: { backup, secret: key } })
    await expect(other.agent.ready).rejects.toEqual(code("identity/name"))
    await world.until(a.agent.close())
    const again = world.start("a", { disk: a.disk, restore: { backup, secret: key } })
    await expect(again.agent.ready).rejects.toEqual(corrupt)
  })

  it("an empty passphrase and a short key are misuse", async () => {
    const world = new World()
    const a = await world.ready("a")
    await expect(a.agent.export("")).rejects.toThrow(RangeError)
    await expect(a.agent.export(new Uint8Array(31))).rejects.toThrow(RangeError)
    // An export that fails disturbs nothing else.
    expect((await world.until(a.agent.export(key))).length).toBeGreaterThan(100)
  })

  it("the file has the documented form, and a salt exactly with a passphrase", () => {
    const { name, ikSecret, dkSecret } = createIdentity("a", osDraw)
    const state = { name, ikSecret, dkSecret, seq: 1, hubIk: null, peers: [] }
    for (const [secret, kdf, length] of [
      [key, 0, 0],
      ["x", 1, 16],
    ] as const) {
      const file = exportState(state, secret, osDraw)
      const items = [...(decode(file) as readonly Value[])]
      expect(items[0]).toBe("AgentMesh/1 state")
      expect(items[1]).toBe(kdf)
      expect((items[2] as Uint8Array).length).toBe(length)
      expect(importState(file, secret)).toEqual(state)
      const salted = encode(items.map((item, i) => (i === 2 ? new Uint8Array(16 - length) : item)))
      expect(() => importState(salted, secret)).toThrow(/^agent\/store-corrupt/)
      const kind = encode(items.map((item, i) => (i === 1 ? 1 - kdf : item)))
      expect(() => importState(kind, secret)).toThrow(/^agent\/store-corrupt/)
      const later = encode(items.map((item, i) => (i === 1 ? 2 : item)))
      expect(() => importState(later, secret)).toThrow(/^agent\/store-corrupt/)
    }
  })

  it("a salt that does not go with the kdf is refused, though it is sealed with it", () => {
    const { name, ikSecret, dkSecret } = createIdentity("a", osDraw)
    const guard = osDraw("export-guard", 16)
    const plaintext = encode([label("state"), name, ikSecret, dkSecret, 1, null, []])
    const sealed = hkdf(guard, key, labelled("state"), 44)
    const file = (salt: Uint8Array) => {
      const ct = aeadSeal(sealed, labelled("state", 0, salt, guard), plaintext)
      return encode([label("state"), 0, salt, guard, ct])
    }
    expect(importState(file(new Uint8Array(0)), key).name).toBe("a")
    expect(() => importState(file(new Uint8Array(16)), key)).toThrow(/^agent\/store-corrupt/)
  })

  it("a plaintext that breaks the rules is refused under the right key (AGENT-63)", () => {
    const { name, ik, ikSecret, dkSecret } = createIdentity("a", osDraw)
    const peer = (name: string) => ({ name, ik, trust: "pinned" as const, suite: 1, seq: 1 })
    const good = { name, ikSecret, dkSecret, seq: 1, hubIk: null, peers: [peer("b"), peer("c")] }
    const roundTrip = (state: typeof good) => importState(exportState(state, key, osDraw), key)
    expect(roundTrip(good)).toEqual(good)
    const bad = [
      { ...good, name: "A" },
      { ...good, peers: [peer("c"), peer("b")] },
      { ...good, peers: [peer("b"), peer("b")] },
      { ...good, peers: [peer("B")] },
      { ...good, peers: [{ ...peer("b"), ik: new Uint8Array(32) }] },
      { ...good, peers: [{ ...peer("b"), suite: 3 }] },
      { ...good, ikSecret: new Uint8Array(31) },
    ]
    for (const state of bad) expect(() => roundTrip(state)).toThrow(/^agent\/store-corrupt/)
  })
})

describe("a store that is not as the agent left it (AGENT-4)", () => {
  async function stopped() {
    const world = new World()
    const [a, b] = await world.pair()
    a.tap.cut()
    a.tap.up = false
    await world.until(a.agent.send("b", "in the queue"))
    await world.until(a.agent.close())
    const rows = await a.disk.dump()
    return { world, b, rows }
  }

  async function reopen(world: World, rows: Map<string, string>, label: string) {
    const disk = new Disk()
    await disk.restore(rows)
    const again = world.start("a", { disk, suites: [1] })
    const outcome = await world.until(
      again.agent.ready.then(
        () => "opened",
        (error) => error.code,
      ),
    )
    await world.clock.advance(5)
    expect(outcome, label).toBe("agent/store-corrupt")
    expect(again.tap.sent, label).toEqual([])
    await expect(again.agent.send("b", "x"), label).rejects.toEqual(corrupt)
    await again.agent.close()
  }

  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

  it("opens while nothing is wrong", async () => {
    const { world, b, rows } = await stopped()
    const disk = new Disk()
    await disk.restore(rows)
    await world.ready("a", { disk, suites: [1] })
    await world.clock.advance(5)
    expect(b.texts).toContain("in the queue")
  })

  it("any table's row that does not decode", async () => {
    const { world, rows } = await stopped()
    const tables = new Set<string>()
    for (const [path, value] of rows) {
      const table = path.replace(/[^/]*$/, "")
      if (/^(seen|aged|used|replay|receipt|data\/content)\//.test(path) || tables.has(table))
        continue
      tables.add(table)
      for (const broken of ["", value.slice(0, -2), `${value}00`, "ff", "a0", "80"]) {
        await reopen(world, new Map(rows).set(path, broken), `${path} = ${broken.slice(0, 8)}`)
      }
    }
    expect([...tables].sort()).toEqual(
      "content/b/ copy/ data/out/ hub/ key/bundle/ key/identity/ key/one-time/ key/session/ meta/ peer/ pin/".split(
        " ",
      ),
    )
  })

  it("a row whose fields have other types", async () => {
    const { world, rows } = await stopped()
    for (const [path, value] of rows) {
      if (/^(seen|aged|used|replay|receipt|data\/content)\//.test(path)) continue
      const row = decodePayload(new Uint8Array(Buffer.from(value, "hex"))) as Record<
        string,
        unknown
      >
      for (const field of Object.keys(row)) {
        if (row[field] === null) continue
        const changed = { ...row, [field]: [[]] }
        const bytes = encodePayload(changed as never)
        await reopen(world, new Map(rows).set(path, hex(bytes)), `${path} ${field}`)
      }
    }
  })

  it("a session row that is missing, older, or of another store", async () => {
    const { world, rows } = await stopped()
    const path = [...rows.keys()].find((one) => one.startsWith("key/session/")) as string
    const without = new Map(rows)
    without.delete(path)
    await reopen(world, without, "missing")
    const row = decodeRow<{ session: { ns: number } }>(
      new Uint8Array(Buffer.from(rows.get(path) as string, "hex")),
    )
    const older = { ...row, session: { ...row.session, ns: row.session.ns - 1 } }
    await reopen(world, new Map(rows).set(path, hex(encodeRow(older))), "older")
    const moved = new Map(without).set(path.replace(/.$/, "0"), rows.get(path) as string)
    if (!moved.has(path)) await reopen(world, moved, "moved")
    await reopen(
      world,
      new Map(rows).set(path.replace(/.{4}$/, "beef"), rows.get(path) as string),
      "twice",
    )
    const noMeta = new Map(rows)
    noMeta.delete("meta/meta")
    await reopen(world, noMeta, "no meta")
  })
})
