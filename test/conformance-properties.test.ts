// Properties hold for the reference, fail for drivers with a fault, and leave cases that repeat it.

import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { type Driver, type Hello, SECTIONS } from "../conformance/driver.ts"
import { NULL_DRIVERS } from "../conformance/peers/null/drivers.ts"
import { createReference } from "../conformance/peers/reference.ts"
import { PROPERTIES, runProperties } from "../conformance/property.ts"
import { runCases } from "../conformance/runner.ts"
import { BROKEN, broken } from "./support/broken-drivers.ts"

const portable = process.env["AGENTMESH_BACKEND"] === "noble"
const LONG = 240_000

async function greet(driver: Driver): Promise<Hello> {
  return (await driver.call("hello", { driver: 1, spec: ["AgentMesh/1"] })).ok as Hello
}

describe("the list", () => {
  test("at least 89 properties, 23 of them command sequences, in section order", () => {
    const numbers = { encoding: 8, suite: 8, identity: 4, bundle: 8, keyschedule: 5, handshake: 10 }
    const least = { ...numbers, envelope: 10, session: 13, hub: 13, agent: 10 }
    for (const word of SECTIONS) {
      const own = PROPERTIES.filter(({ id }) => id.startsWith(`${word}-`))
      expect(own.length, word).toBeGreaterThanOrEqual(least[word])
      const ids = own.map((_, i) => `${word}-p${String(i + 1).padStart(2, "0")}`)
      expect(own.map(({ id }) => id)).toEqual(ids)
    }
    const order = PROPERTIES.map(({ id }) =>
      SECTIONS.findIndex((word) => id.startsWith(`${word}-`)),
    )
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    const models = PROPERTIES.filter((item) => item.model).map(({ id }) => id.replace(/-.*/, ""))
    const count = (word: string) => models.filter((id) => id === word).length
    expect(["handshake", "session", "hub", "agent"].map(count)).toEqual([2, 7, 6, 8])
  })

  test("each cites requirements of SPEC.md, and says what it is in a line", () => {
    const spec = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8")
    for (const { id, req, title } of PROPERTIES) {
      expect(req.length, id).toBeGreaterThan(0)
      expect(
        req.filter((one) => !spec.includes(`[${one}]`)),
        id,
      ).toEqual([])
      expect(title.length, id).toBeLessThanOrEqual(80)
    }
  })
})

describe("verdicts", () => {
  test(
    "the reference has every property",
    async () => {
      const reference = createReference()
      const hello = await greet(reference)
      const verdicts = await runProperties(reference, hello, { runs: portable ? 10 : 100 })
      const failed = verdicts.filter(({ outcome }) => outcome !== "PASS")
      expect(failed.map(({ id, message }) => `${id} ${message}`)).toEqual([])
      expect(verdicts.length).toBe(PROPERTIES.length)
      expect(verdicts.every(({ calls }) => calls > 0)).toBe(true)
    },
    LONG,
  )

  test.skipIf(portable)(
    "other seeds find nothing either",
    async () => {
      const reference = createReference()
      const hello = await greet(reference)
      for (const seed of [1, 2]) {
        const verdicts = await runProperties(reference, hello, { seed, runs: 15 })
        const failed = verdicts.filter(({ outcome }) => outcome !== "PASS")
        expect(failed.map(({ id, message }) => `${id} ${message}`)).toEqual([])
      }
    },
    LONG,
  )

  test(
    "a driver of suite 1 without named draws passes what applies to it",
    async () => {
      const reference = createReference()
      const hello = { ...(await greet(reference)), suites: [1], caps: ["digest"] }
      const verdicts = await runProperties(reference, hello, { runs: portable ? 5 : 20 })
      expect(verdicts.filter(({ outcome }) => outcome === "FAIL")).toEqual([])
      const other = verdicts.filter(({ outcome }) => outcome !== "PASS")
      expect(other.every(({ message }) => /^needs (deterministic|suite-2)$/.test(message))).toBe(
        true,
      )
      expect(other.length).toBeLessThan(12)
    },
    LONG,
  )

  test("what a driver does not claim is unsupported and asks nothing of it", async () => {
    const reference = createReference()
    const hello = { ...(await greet(reference)), tier: 0, roles: ["agent"] }
    const verdicts = await runProperties(reference, hello, { only: ["hub", "session"], runs: 1 })
    const skipped = verdicts.filter(({ outcome }) => outcome === "UNSUPPORTED")
    expect(skipped.map(({ id }) => id)).toEqual(
      PROPERTIES.filter(({ id, tier }) => /^(hub|session)/.test(id) && tier > 0).map(
        ({ id }) => id,
      ),
    )
    expect(skipped.every(({ calls, message }) => calls === 0 && message.startsWith("needs "))).toBe(
      true,
    )
  })

  test.each(Object.entries(NULL_DRIVERS))(
    "null driver %s passes none",
    async (_name, create) => {
      const driver = create()
      const hello = await greet(driver)
      const verdicts = await runProperties(driver, hello, { runs: 20 })
      expect(verdicts.filter(({ outcome }) => outcome !== "FAIL").map(({ id }) => id)).toEqual([])
    },
    LONG,
  )

  test("the same seed gives the same verdicts and counterexamples", async () => {
    const run = async () => {
      const driver = broken("no replay protection in a session")
      return runProperties(driver, await greet(driver), { only: ["session-p07", "session-p01"] })
    }
    expect(await run()).toEqual(await run())
  })
})

describe("faults", () => {
  test("at least 25 properties have a driver that breaks them", () => {
    const ids = new Set(BROKEN.map(({ property }) => property))
    expect(ids.size).toBeGreaterThanOrEqual(25)
    for (const id of ids) expect(PROPERTIES.map((item) => item.id)).toContain(id)
  })

  test.each(BROKEN)(
    "$property fails where: $name",
    async ({ name, property, steps = 4, replays = true }) => {
      const driver = broken(name)
      const hello = await greet(driver)
      const [verdict] = await runProperties(driver, hello, { only: [property] })
      expect(verdict?.outcome).toBe("FAIL")
      const saved = verdict?.case
      expect(saved?.steps?.length, verdict?.message).toBeLessThanOrEqual(steps)
      expect(verdict?.log?.length).toBeLessThanOrEqual(20)
      // Shrinking is bounded: all calls of all attempts stay in the thousands.
      expect(verdict?.calls).toBeLessThan(20_000)
      if (!replays || saved === undefined) return
      const again = JSON.parse(JSON.stringify(saved))
      const onBroken = await runCases(broken(name), { cases: [again] })
      expect(onBroken.verdicts[0]?.outcome, verdict?.message).toBe("FAIL")
      const onReference = await runCases(createReference(), { cases: [again] })
      expect(onReference.verdicts[0]?.message).toBe("")
      expect(onReference.verdicts[0]?.outcome).toBe("PASS")
    },
    LONG,
  )
})
