// The reference implementation passes every vector, and the vectors keep their own rules.

import { readFileSync } from "node:fs"
import { Ajv } from "ajv"
import { describe, expect, test } from "vitest"
import {
  type Case,
  type Driver,
  type JsonObject,
  OPERATIONS,
  SECTIONS,
  type VectorFile,
} from "../conformance/driver.ts"
import { GROUPS, runConformance } from "../conformance/index.ts"
import { NULL_DRIVERS } from "../conformance/peers/null/drivers.ts"
import { createReference } from "../conformance/peers/reference.ts"
import { runCases } from "../conformance/runner.ts"
import { checkMutation, lintVectors } from "../conformance/schema/lint.ts"
import { StdioDriver } from "../conformance/stdio.ts"
import { ERROR_CODES } from "../src/errors.ts"

const files = GROUPS.map((group) => group.vectors())
const all = files.flatMap((file) => file.cases)

// What only the outside brings about (a network, timers, two processes), and what is told on another
// link or by an event instead of an answer (`hub/replaced` is a frame in hub-0202).
const UNREACHABLE = [
  "hub/unreachable",
  "hub/replaced",
  "agent/timeout",
  "agent/closed",
  "agent/undelivered",
  "agent/store-locked",
]

const spec = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8")
const requirements = new Set(spec.match(/\[[A-Z]+-\d+\]/g)?.map((id) => id.slice(1, -1)))
const context = { codes: ERROR_CODES, requirements, unreachable: UNREACHABLE }

test.each(SECTIONS)(
  "the reference passes every vector of %s",
  async (section) => {
    const report = await runConformance(createReference(), { only: [section] })
    expect(report.verdicts.filter((item) => item.outcome !== "PASS")).toEqual([])
    expect(report.planned).toBe(files.find((file) => file.section === section)?.cases.length)
    expect([report.passed, report.broken, report.exitCode]).toEqual([report.planned, [], 0])
  },
  180_000,
)

test("there is a file for each section, at least 400 cases, at least 55 % of them rejections", () => {
  expect(files.map((file) => file.section)).toEqual([...SECTIONS])
  const rejected = all.filter((item) => item.expect !== "ok").length
  expect(all.length).toBeGreaterThanOrEqual(400)
  expect(rejected / all.length).toBeGreaterThanOrEqual(0.55)
})

describe("schema", () => {
  const url = new URL("../conformance/schema/vectors.schema.json", import.meta.url)
  const validate = new Ajv({ allErrors: false, strict: false }).compile(
    JSON.parse(readFileSync(url, "utf8")),
  )

  test.each(files.map((file) => [file.section, file] as const))("%s", (_section, file) => {
    validate(file)
    expect(validate.errors ?? []).toEqual([])
  })

  test("it refuses a rejection without a reason, and an unknown field", () => {
    const file = files[0] as VectorFile
    const rejected = file.cases.find((item) => item.expect !== "ok") as Case
    const { why: _why, ...rest } = rejected
    expect(validate({ ...file, cases: [rest] })).toBe(false)
    expect(validate({ ...file, cases: [{ ...rejected, extra: 1 }] })).toBe(false)
    expect(validate({ ...file, cases: [rejected] })).toBe(true)
  })
})

describe("lint", () => {
  test("the vectors keep every rule", () => {
    expect(lintVectors(files, context)).toEqual([])
  })

  const file = files[0] as VectorFile
  const rejected = file.cases.find((item) => item.expect !== "ok") as Case
  const accepted = file.cases.find((item) => item.id === rejected.twin) as Case
  const others = file.cases.filter((item) => item !== rejected && item !== accepted)
  const faults: readonly (readonly [string, readonly Case[]])[] = [
    ["another op as twin", [{ ...accepted, op: "suite.dh" }, rejected]],
    ["a rejected twin", [accepted, { ...rejected, twin: rejected.id }]],
    ["a twin of nowhere", [accepted, { ...rejected, twin: "encoding-9999" }]],
    [
      "a mutation that does something else",
      [accepted, { ...rejected, input: { ...rejected.input, bytes: "00" } }],
    ],
    ["a requirement that does not exist", [{ ...accepted, req: ["ENCODING-9999"] }, rejected]],
    ["a code outside the list", [accepted, { ...rejected, expect: "encoding/odd" }]],
    ["bad hex", [{ ...accepted, input: { ...accepted.input, bytes: "8$" } }, rejected]],
    ["an id used twice", [accepted, rejected, rejected]],
    ["an echo", [{ ...accepted, output: accepted.input as NonNullable<Case["input"]> }, rejected]],
  ]
  test.each(faults)("it finds %s", (_title, cases) => {
    const changed = { ...file, cases: [...cases, ...others] }
    const before = lintVectors([file], context).length
    expect(lintVectors([changed], context).length).toBeGreaterThan(before)
  })

  test("a mutation of level field may change its path and what follows, nothing else", () => {
    const put = "02"
    const field = { level: "field", field: "b", path: [0], put } as const
    expect(checkMutation({ b: "820103" }, { b: "820203" }, field)).toBeNull()
    expect(checkMutation({ b: "820103" }, { b: "820204" }, field)).not.toBeNull()
    expect(checkMutation({ b: "820103" }, { b: "820204" }, { ...field, follows: [[1]] })).toBeNull()
    expect(checkMutation({ a: 1, b: "820103" }, { a: 2, b: "820203" }, field)).not.toBeNull()
  })
})

describe("verdicts", () => {
  const reference = createReference()
  const some = all.filter((item) => /^(encoding|identity)-/.test(item.id))

  test.each(Object.keys(NULL_DRIVERS))("the null driver %s passes nothing", async (name) => {
    const driver = (NULL_DRIVERS[name] as () => Driver)()
    const report = await runCases(driver, { cases: all })
    expect(report.verdicts.filter((item) => item.outcome === "PASS")).toEqual([])
    expect([report.passed, report.exitCode]).toEqual([0, 1])
    expect(report.failed + report.blocked).toBe(all.length)
    if (name !== "silent") expect(report.broken.length).toBeGreaterThan(0)
  })

  test("a driver of a lower tier or of suite 1 is not asked for more", async () => {
    const hello = (await reference.call("hello", {})).ok as JsonObject
    const call: typeof reference.call = (op, args) =>
      op === "hello"
        ? { ok: { ...hello, tier: 0, suites: [1], caps: [] } }
        : reference.call(op, args)
    const report = await runCases({ call }, { cases: all })
    expect([report.failed, report.blocked, report.exitCode]).toEqual([0, 0, 0])
    expect(report.unsupported).toBeGreaterThan(300)
    expect(report.passed).toBeGreaterThan(700)
    const asked = report.verdicts.filter((item) => item.outcome === "PASS").map((item) => item.id)
    expect(asked.filter((id) => /^(session|handshake)/.test(id))).toEqual([])
  }, 120_000)

  test("a claimed operation that is unsupported is a failure", async () => {
    const call: typeof reference.call = (op) =>
      op === "hello" ? reference.call(op, {}) : { unsupported: { reason: "later" } }
    const report = await runCases({ call }, { cases: some })
    expect(report.failed + report.blocked).toBe(some.length)
  })

  test("an empty run and a driver that does not greet have their own exit codes", async () => {
    expect((await runCases(reference, { cases: some, only: ["none"] })).exitCode).toBe(4)
    expect((await runCases({ call: () => ({}) }, { cases: some })).exitCode).toBe(3)
  })

  test("every operation of a vector is one of the driver protocol", () => {
    const ops = all.flatMap((item) => item.steps?.map((step) => step.op) ?? [item.op as string])
    expect([...new Set(ops)].filter((op) => !OPERATIONS.has(op))).toEqual([])
    const text = readFileSync(new URL("../conformance/DRIVER.md", import.meta.url), "utf8")
    expect([...OPERATIONS.keys()].filter((op) => !text.includes(`\`${op}\``))).toEqual([])
  })

  test("content released by a refusal is a failure", async () => {
    const call: typeof reference.call = async (op, args) => {
      const reply = await reference.call(op, args)
      return reply.reject ? { reject: { ...reply.reject, released: "00" } } : reply
    }
    const report = await runCases({ call }, { cases: some })
    expect(report.failed).toBe(some.filter((item) => item.expect !== "ok").length)
  })
})

describe("a driver behind a pipe", () => {
  const script = (body: string): string => `node -e ${JSON.stringify(body)}`
  const hello = JSON.stringify({
    ...{ driver: 1, spec: "AgentMesh/1", impl: { name: "x" }, roles: [], tier: 0, suites: [1] },
    caps: [],
  }).replaceAll('"', "'")
  const loop = (answer: string): string =>
    script(
      `require('readline').createInterface({input:process.stdin}).on('line',l=>{const r=JSON.parse(l);` +
        `const say=o=>console.log(JSON.stringify({id:r.id,...o}));` +
        `if(r.op==='hello')say({ok:${hello}});else{${answer}}})`,
    )
  const few = all.filter((item) => /^identity-00[2-3]/.test(item.id) || item.id === "identity-0050")

  test("replies are read, a crash is the verdict of one case", async () => {
    const answer = `if(r.op==='identity.fingerprint')process.exit(7);say({unsupported:{reason:'no'}})`
    const driver = new StdioDriver({ command: loop(answer) })
    const report = await runCases(driver, { cases: few })
    await driver.close()
    const crashed = report.verdicts.find((item) => item.id === "identity-0050")
    expect(crashed?.message).toContain("ended with code 7")
    expect(report.exitCode).toBe(1)
  })

  test("an honest driver is believed", async () => {
    const driver = new StdioDriver({ command: loop(`say({unsupported:{reason:'no'}})`) })
    const report = await runCases(driver, { cases: few })
    await driver.close()
    expect(report.broken).toEqual([])
  })

  test("a driver that writes no JSON, or that hangs, fails", async () => {
    for (const answer of ["console.log('hello there')", ""]) {
      const driver = new StdioDriver({ command: loop(answer), timeout: 300 })
      const report = await runCases(driver, { cases: few.slice(-1) })
      await driver.close()
      expect(report.verdicts[0]?.outcome).toBe("FAIL")
    }
  })
})
