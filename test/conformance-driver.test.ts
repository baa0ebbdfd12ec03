// Drivers: the templates, their schema on real traffic, doctor, interoperability with the peer.

import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Ajv } from "ajv"
import { afterAll, describe, expect, test } from "vitest"
import type { Case, Hello, Json } from "../conformance/driver.ts"
import { GROUPS } from "../conformance/index.ts"
import { planInterop } from "../conformance/interop.ts"
import { createReference } from "../conformance/peers/reference.ts"
import { greet, runCases } from "../conformance/runner.ts"
import { StdioDriver } from "../conformance/stdio.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "am-driver-"))
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const templates = join(root, "conformance/templates")
const cases: readonly Case[] = GROUPS.flatMap((group) => group.vectors().cases)

const PACKAGES = "import cbor2, cryptography"
const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", PACKAGES]).status === 0,
)
const withPython = test.skipIf(python === undefined)
const why = python === undefined ? " (skipped: no python3 with cbor2 and cryptography)" : ""

const ajv = new Ajv({ strict: false })
const schema = JSON.parse(readFileSync(join(root, "conformance/schema/driver.schema.json"), "utf8"))
ajv.addSchema(schema)
const part = (name: string) => ajv.compile({ $ref: `${schema.$id}#/definitions/${name}` })
const [isRequest, isReply, isHello] = [part("request"), part("reply"), part("hello")]

/** Runs all vectors; every line in both directions is held against the schema. */
async function examine(command: string, only?: readonly string[]) {
  const faults: string[] = []
  let lines = 0
  const tap = (direction: ">" | "<", object: Json): void => {
    lines++
    const valid = direction === ">" ? isRequest : isReply
    if (!valid(object)) faults.push(JSON.stringify([valid.errors, object]).slice(0, 300))
  }
  const driver = new StdioDriver({ command, tap, timeout: 20_000 })
  try {
    const report = await runCases(driver, { cases, ...(only && { only }) })
    isHello(report.hello)
    return { report, faults: [...faults, ...(isHello.errors ?? [])], lines }
  } finally {
    await driver.close()
  }
}

describe("templates", () => {
  const lengths = ["driver.mjs", "driver.py"].map((name) => {
    return readFileSync(join(templates, name), "utf8").trimEnd().split("\n").length
  })

  test("have at most 60 lines", () => {
    expect(Math.max(...lengths)).toBeLessThanOrEqual(60)
  })

  const passes = async (command: string, least: number): Promise<void> => {
    const { report, faults } = await examine(command)
    const { failed, blocked, broken, exitCode, passed, unsupported, planned, hello } = report
    expect([failed, blocked, broken, exitCode, faults]).toEqual([0, 0, [], 0, []])
    expect(passed).toBeGreaterThanOrEqual(least)
    expect(passed + unsupported).toBe(planned)
    const { ops = [] } = hello as Hello
    const claimed = cases.filter(({ op, needs = [] }) => {
      return op !== undefined && ops.includes(op) && !needs.includes("suite-2")
    })
    expect(passed).toBe(claimed.length)
  }

  test("Node: what it claims passes, the rest is UNSUPPORTED", () =>
    passes(`node ${join(templates, "driver.mjs")}`, 100))

  withPython(`Python: likewise${why}`, () =>
    passes(`${python} ${join(templates, "driver.py")}`, 40),
  )

  test("a template that claims an operation that it lacks fails", async () => {
    const { report } = await examine(
      `sed 's/ops: Object.keys(operations)/ops: ["suite.*"]/' ${join(templates, "driver.mjs")} > ${join(folder, "d.mjs")} && node ${join(folder, "d.mjs")}`,
      ["suite"],
    )
    expect([report.exitCode, report.failed > 0]).toEqual([1, true])
    expect(report.verdicts.some(({ message }) => message.includes("though hello claims it"))).toBe(
      true,
    )
  })

  test("with --strict a part of a tier is not conformant", async () => {
    const driver = createReference()
    const call: typeof driver.call = async (op, args) => {
      const reply = await driver.call(op, args)
      return op === "hello" ? { ok: { ...reply.ok, ops: ["identity.*"] } } : reply
    }
    const only = ["identity"]
    expect((await runCases({ call }, { cases, only })).exitCode).toBe(0)
    expect((await runCases({ call }, { cases, only, strict: true })).exitCode).toBe(1)
  })
})

describe("a SHOULD", () => {
  const item = cases.find(({ id }) => id === "identity-0050") as Case
  const level = () => "SHOULD" as const
  const driver = createReference()
  const call: typeof driver.call = (op, args) =>
    op === item.op ? { reject: { code: "suite/bad-key" } } : driver.call(op, args)

  test("that is not kept warns, and fails a strict run", async () => {
    const loose = await runCases({ call }, { cases: [item], level })
    expect([loose.warned, loose.failed, loose.exitCode]).toEqual([1, 0, 0])
    const strict = await runCases({ call }, { cases: [item], level, strict: true })
    expect([strict.warned, strict.failed, strict.exitCode]).toEqual([0, 1, 1])
    expect((await runCases({ call }, { cases: [item] })).exitCode).toBe(1)
  })
})

describe("state", () => {
  test("a twin that is refused after the refused step is blamed on it", async () => {
    const damaging = cases.find(({ steps = [] }) =>
      steps.some(({ state, twin }, i) => state === "unchanged" && twin !== undefined && twin > i),
    ) as Case
    const steps = damaging.steps ?? []
    const refused = steps.findIndex(
      ({ state, twin }, i) => state === "unchanged" && (twin ?? 0) > i,
    )
    const twin = steps[refused]?.twin as number
    const driver = createReference()
    let count = 0
    const call: typeof driver.call = async (op, args) => {
      if (op === "hello") {
        const { ok } = await driver.call(op, args)
        return { ok: { ...ok, caps: ["deterministic"] } }
      }
      const same =
        op === steps[twin]?.op && count++ === steps.slice(0, twin).filter((s) => s.op === op).length
      return same ? { reject: { code: "envelope/open" } } : driver.call(op, args)
    }
    const report = await runCases({ call }, { cases: [damaging] })
    expect(report.verdicts[0]?.message).toContain("the state was damaged")
  })
})

describe("the reference as a process", () => {
  const compiled = join(root, "dist/conformance/peers/reference/stdio.js")

  test("its traffic is as the schema says", async () => {
    const { compiledConformance } = await import("./support/compiled.ts")
    const command = `node ${join(compiledConformance(), "conformance/peers/reference/stdio.js")}`
    const { report, faults, lines } = await examine(command, ["bundle", "handshake", "hub-02"])
    expect([report.exitCode, faults]).toEqual([0, []])
    expect(lines).toBeGreaterThan(1_000)
    expect(compiled).toContain("reference")
  })

  test("the schema refuses two verdicts, none, and a code outside the list of sections", () => {
    expect(isReply({ id: 1, ok: {}, fault: { message: "" } })).toBe(false)
    expect(isReply({ id: 1 })).toBe(false)
    expect(isReply({ id: 1, reject: { code: "error" } })).toBe(false)
    expect(isReply({ id: 1, reject: { code: "suite/bad-key" } })).toBe(true)
    expect(isRequest({ id: 1, op: "encode", args: {} })).toBe(false)
  })
})

describe("interoperability", () => {
  withPython(
    `the Python peer and the reference talk${why}`,
    async () => {
      const command = `${python} ${join(root, "conformance/peers/python/driver.py")}`
      const peer = new StdioDriver({ command, timeout: 20_000 })
      const reference = createReference()
      try {
        const [one, two] = [await greet(peer), await greet(reference)]
        const parties = [
          { name: "python", driver: peer, hello: one.hello as Hello },
          { name: "node", driver: reference, hello: two.hello as Hello },
        ]
        const verdicts = []
        for (const { run } of planInterop(parties)) verdicts.push(await run())
        expect(verdicts.filter(({ outcome }) => outcome !== "PASS")).toEqual([])
        expect(verdicts.length).toBe(28)
      } finally {
        await peer.close()
      }
    },
    120_000,
  )

  test("a party that changes a body is found out", async () => {
    const reference = createReference()
    const call: typeof reference.call = async (op, args) => {
      const reply = await reference.call(op, args)
      const { contents } = reply.ok ?? {}
      if (op !== "agent.receive" || !Array.isArray(contents)) return reply
      return {
        ok: {
          ...reply.ok,
          contents: contents.map((item) => ({ ...(item as object), body: "a0" })),
        },
      }
    }
    const { hello } = await greet(reference)
    const parties = [
      { name: "liar", driver: { call }, hello: hello as Hello },
      { name: "node", driver: reference, hello: hello as Hello },
    ]
    const verdicts = []
    for (const { run, id } of planInterop(parties))
      if (id.endsWith("contact-1")) verdicts.push(await run())
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(["FAIL", "FAIL"])
  })
})
