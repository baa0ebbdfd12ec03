// An independent vote on the vectors of suite, keyschedule, handshake, envelope and the traced
// steps of session: node:crypto, another ML-KEM library and a CBOR writer of its own. No line of
// src is used.

import { describe, expect, test } from "vitest"
import {
  type Case,
  type JsonObject,
  loadVectors,
  type Section,
  type Trace,
} from "../conformance/driver.ts"
import { expandBulk } from "../conformance/values.ts"
import { n, untag, x } from "./oracle/cbor.ts"
import { Ex, H, Sign, Verify } from "./oracle/crypto.ts"
import { openInner } from "./oracle/envelope.ts"
import { recompute } from "./oracle/operations.ts"

type Results = Readonly<Record<string, unknown>>

/** Compares what the oracle knows with what the vector says; returns how many values agreed. */
function compare(item: Case, results: Results): number {
  const trace = new Map(item.trace ?? [])
  let compared = 0
  for (const [name, value] of Object.entries(results)) {
    const actual = Buffer.isBuffer(value) ? value.toString("hex") : value
    const expected = name.startsWith("~") ? trace.get(name.slice(1)) : item.output?.[name]
    if (expected === undefined) continue
    const bulk = expected as { sha256?: string }
    if (typeof bulk === "object" && bulk.sha256) {
      expect([item.id, name, H(x(actual)).toString("hex")]).toEqual([item.id, name, bulk.sha256])
    } else expect([item.id, name, actual]).toEqual([item.id, name, expected])
    compared++
  }
  return compared
}

const SECTIONS: readonly (readonly [Section, number])[] = [
  ["suite", 85],
  ["keyschedule", 150],
  ["handshake", 200],
  ["envelope", 100],
]

describe("accepted", () => {
  test.each(SECTIONS)(
    "%s",
    async (section, least) => {
      let compared = 0
      for (const item of loadVectors(section).cases) {
        if (item.expect !== "ok" || item.op === undefined) continue
        const results = await recompute(item.op, expandBulk(item.input as never) as JsonObject)
        if (results === "unknown") continue
        if (results === null) throw new Error(`${item.id}: the oracle refuses what is accepted`)
        const agreed = compare(item, results)
        expect([item.id, agreed > 0]).toEqual([item.id, true])
        compared += agreed
      }
      expect(compared).toBeGreaterThanOrEqual(least)
    },
    60_000,
  )
})

test("what does not open or verify is refused by the oracle too", async () => {
  let refused = 0
  for (const [section] of SECTIONS) {
    for (const item of loadVectors(section).cases) {
      const judged = ["bundle/signature", "envelope/open"].includes(item.expect)
      const known = [
        "suite.verify",
        "suite.open",
        "envelope.open",
        "envelope.unpad",
        "envelope.proof",
      ]
      if (!judged || !known.includes(item.op as string)) continue
      const results = await recompute(
        item.op as string,
        expandBulk(item.input as never) as JsonObject,
      )
      expect([item.id, results]).toEqual([item.id, null])
      refused++
    }
  }
  expect(refused).toBeGreaterThanOrEqual(140)
}, 60_000)

test("the traced steps of sessions follow from their chain keys", () => {
  let checked = 0
  const cases = loadVectors("session").cases.filter((item) =>
    item.steps?.some((step) => step.trace),
  )
  for (const { id, steps = [] } of cases) {
    const envelopes = new Map<string, string>()
    const session = new Map<string, JsonObject>()
    for (const step of steps) {
      if (step.op === "session.new") session.set(`$${step.as}`, step.args)
      const envelope = step.output?.["envelope"]
      if (step.as && typeof envelope === "string") envelopes.set(`$${step.as}.envelope`, envelope)
      if (!step.trace) continue
      const own = session.get(String(step.args["session"])) as JsonObject
      const bytes = envelope ?? envelopes.get(String(step.args["envelope"]))
      const sender = (step.op === "session.seal" ? own["identity"] : own["peer"]) as JsonObject
      const recipient = (step.op === "session.seal" ? own["peer"] : own["identity"]) as JsonObject
      const suite = own["suite"] as number
      const trace = new Map(step.trace as Trace)
      const mk = x(trace.get("mk"))
      expect([id, mk.toString("hex")]).toEqual([
        id,
        Ex(x(trace.get("ck")), "message-key", suite, 32).toString("hex"),
      ])
      const ik = typeof sender["ik"] === "string" ? x(sender["ik"]) : null
      const opened = openInner({
        ...{ suite, th: x(own["th"]), mk, envelope: x(bytes) },
        sender: { name: String(sender["name"]), ik },
        recipient: String(recipient["name"]),
      })
      if (opened === null) throw new Error(`${id}: does not open`)
      expect(opened.inner.toString("hex")).toBe(trace.get("inner"))
      if (step.op === "session.open") {
        expect(opened.contents.map((item) => item.toString("hex"))).toEqual(
          step.output?.["contents"],
        )
      }
      checked++
    }
  }
  expect(checked).toBeGreaterThanOrEqual(20)
})

test("the oracle can fail", async () => {
  const seed = Buffer.alloc(32, 1)
  const signature = Sign(seed, Buffer.from("a"))
  expect(Verify(Buffer.alloc(32, 9), Buffer.from("a"), signature)).toBe(false)
  const item = loadVectors("suite").cases.find((one) => one.op === "suite.hkdf") as Case
  const results = await recompute("suite.hkdf", { ...item.input, info: "00" } as JsonObject)
  expect(() => compare(item, results as Results)).toThrow()
  expect(untag(["uint", "7"])).toBe(7)
  expect(n(null)).toBeNull()
})
