// The command agentmesh-conformance in processes of its own: exit codes, drivers, reports.

import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Ajv, type AnySchema } from "ajv"
import { afterAll, describe, expect, test } from "vitest"
import { formatSummary } from "../conformance/report/console.ts"
import type { ReportDocument } from "../conformance/report/document.ts"
import { compiledConformance } from "./support/compiled.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = compiledConformance()
const folder = mkdtempSync(join(tmpdir(), "am-suite-"))
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const main = join(out, "conformance/cli/main.js")
const peer = (path: string): string => `node ${join(out, "conformance/peers", path)}`
const reference = peer("reference/stdio.js")
const schema = (name: string): AnySchema =>
  JSON.parse(readFileSync(join(root, "conformance/schema", name), "utf8"))

interface Ended {
  readonly exit: number | null
  readonly text: string
}

function suite(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: folder })
    let text = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => {
        text += part.toString()
      })
    }
    child.on("close", (exit) => resolve({ exit, text }))
  })
}

const document = (name: string): ReportDocument => JSON.parse(readFileSync(at(name), "utf8"))

/** A driver around the reference in which one thing is wrong. */
function faulty(name: string, body: string): string {
  const source = `
    import { createReference } from ${JSON.stringify(join(out, "conformance/peers/reference.js"))}
    import { serve } from ${JSON.stringify(join(out, "conformance/peers/serve.js"))}
    const reference = createReference()
    serve({ async call(op, args) { const reply = await reference.call(op, args); ${body}; return reply } })`
  writeFileSync(at(name), source)
  return `node ${at(name)}`
}

describe("exit codes", () => {
  test("0: the reference, in this process and behind a pipe", async () => {
    const inside = await suite("run", "--only", "identity")
    expect([inside.exit, inside.text]).toEqual([0, expect.stringContaining("exit 0")])
    const behind = await suite("run", "--only", "identity", "--driver", reference)
    expect([behind.exit, behind.text]).toEqual([0, expect.stringContaining("exit 0")])
  })

  test.each([
    ["reject-all", 1],
    ["accept-all", 1],
    ["echo", 1],
    ["silent", 1],
    ["crash", 3],
    ["liar", 1],
  ])("the null driver %s passes nothing, exit %i", async (name, exit) => {
    const options = ["--only", "encoding,identity,suite", "--json", "--no-properties"]
    const ended = await suite("run", ...options, "--driver", `${peer("null/stdio.js")} ${name}`)
    expect(ended.exit).toBe(exit)
    const { result } = JSON.parse(ended.text.slice(ended.text.indexOf("{"))) as ReportDocument
    expect([result.passed, result.conformant]).toEqual([0, false])
    if (name === "reject-all") expect(result.blocked).toBeGreaterThan(result.failed)
  })

  test.each([
    ["an unknown option", ["run", "--quickly"]],
    ["an unknown command", ["walk"]],
    ["no command", []],
    ["a tier that is none", ["run", "--tier", "high"]],
    ["a seed that is none", ["run", "--seed", "1.5"]],
    ["no processes", ["run", "--jobs", "0"]],
    ["an unknown format", ["run", "--report", "pdf=x.pdf"]],
    ["a file that does not exist", ["replay", "nowhere.json"]],
    ["a baseline that does not exist", ["run", "--baseline", "nowhere.json"]],
    ["an update of a filtered run", ["run", "--tier", "0", "--baseline", "b", "--update-baseline"]],
    ["an update without a baseline", ["run", "--update-baseline"]],
    ["a template in no language", ["init", "cobol"]],
    ["an address without a port", ["hub", "--connect", "127.0.0.1"]],
    ["two drivers of one name", ["interop", "--driver", "a=x", "--driver", "a=y"]],
  ])("2: %s", async (_title, args) => {
    expect((await suite(...args)).exit).toBe(2)
  })

  test("3: a driver that does not start, or does not greet", async () => {
    for (const driver of ["false", "echo hello"]) {
      const ended = await suite("run", "--only", "identity", "--driver", driver)
      expect([ended.exit, ended.text]).toEqual([3, expect.stringContaining("NOT TESTED")])
    }
  })

  test("0: a hub that was examined is stopped, and the process ends", async () => {
    const hub = join(out, "src/node/hub-cli.js")
    const spawned = `node ${hub} --port {port} --data {data}`
    const ended = await suite("hub", "--only", "hub-live-0101", "--spawn", spawned)
    expect([ended.exit, ended.text]).toEqual([0, expect.stringContaining("pass 1")])
  })

  test("3: nobody at the address of the hub", async () => {
    const ended = await suite("hub", "--connect", "127.0.0.1:1")
    expect([ended.exit, ended.text]).toEqual([3, expect.stringContaining("no hub at")])
  })

  test("4: a filter that nothing passes", async () => {
    for (const args of [["run"], ["list"], ["hub"], ["agent"]]) {
      expect((await suite(...args, "--only", "nothing")).exit).toBe(4)
    }
  })
})

describe("a failure", () => {
  const driver = faulty(
    "shortest.mjs",
    `if (op === "encoding.decode" && reply.reject?.code === "encoding/profile") {
       console.error("decoded anyway"); return { ok: { value: ["uint", "1"] } } }`,
  )

  test("says what was asked, expected and got, and repeats by its command", async () => {
    const options = ["--only", "ENCODING-14", "--no-properties", "--save-failures", "saved"]
    const { exit, text } = await suite("run", ...options, "--driver", driver)
    expect(exit).toBe(1)
    for (const part of [
      /^FAIL encoding-\d+ \[ENCODING-14\] The receiver MUST reject with `encoding\/profile`/m,
      /^ {2}case .* because hashes need one encoding per value$/m,
      /^ {2}did +encoding\.decode .* \(one defect of encoding-\d+: bytes bytes at byte \d/m,
      /^ {2}expected reject encoding\/profile$/m,
      /^ {2}got +\{"ok":\{"value":\["uint","1"\]\}\}$/m,
      /^ {2}stderr +decoded anyway$/m,
      /^NOT CONFORMANT: agent\+hub T\d, suites 1, 2, by agentmesh; planned \d+ = pass \d+ \+ fail/m,
    ]) {
      expect(text).toMatch(part)
    }
    const [, file] = /replay (saved\/encoding-\d+\.json)/.exec(text) as unknown as [string, string]
    const again = await suite("replay", file, "--driver", driver)
    expect([again.exit, again.text]).toEqual([1, expect.stringContaining("fail 1")])
    expect((await suite("replay", file)).exit).toBe(0)
  })

  test("is expected by its baseline, and by no other", async () => {
    const options = ["--baseline", "known.json", "--no-properties", "--driver", driver]
    writeFileSync(at("known.json"), '{"format":1,"failures":[]}')
    const only = ["--only", "encoding"]
    expect((await suite("run", ...options, ...only)).exit).toBe(1)
    const report = await suite("run", ...only, "--no-properties", "--driver", driver, "--json")
    const { verdicts } = JSON.parse(report.text) as ReportDocument
    const failing = verdicts.filter(({ outcome }) => outcome === "FAIL")
    writeFileSync(at("known.json"), JSON.stringify({ format: 1, failures: failing }))
    const known = await suite("run", ...options, ...only)
    expect([known.exit, known.text]).toEqual([0, expect.stringContaining("AS THE BASELINE SAYS")])
    const repaired = await suite("run", ...options.slice(0, 3), ...only)
    expect([repaired.exit, repaired.text]).toEqual([1, expect.stringContaining("take it out")])
  })

  test("of a property tells its rules, the steps, and the item that differs", async () => {
    const driver = faulty(
      "view.mjs",
      `if (op === "session.open" && reply.ok) reply.ok.view = reply.ok.view.slice(0, -2) + "07"`,
    )
    const options = ["--only", "session-p10", "--driver", driver]
    const { exit, text } = await suite("run", ...options)
    expect(exit).toBe(1)
    expect(text).toMatch(/^FAIL session-p10 step \d+ whatever a peer sends/m)
    expect(text).toMatch(/rules {4}it fails if one of these is not kept:\n +\[SESSION-8\] The rec/)
    expect(text).toMatch(/^ +step 0 session\.new role=\w+ suite=\d/m)
    expect(text).toMatch(/did {6}session\.open session=\$s0/)
    expect(text).toMatch(/at {7}view item \[6\], skipped: expected 0, got 7$/m)
    expect(text).toMatch(/replay {3}agentmesh-conformance run --only session-p10 --seed /)
  })

  test("of a hub is repeated by the command that started it", async () => {
    // Its memory does not outlive it.
    const spawned = `node ${join(out, "src/node/hub-cli.js")} --port {port} --json`
    const { exit, text } = await suite("hub", "--only", "hub-live-1001", "--spawn", spawned)
    expect(exit).toBe(1)
    expect(text).toContain(`hub --only hub-live-1001 --spawn ${JSON.stringify(spawned)}`)
  })

  test("names the first intermediate value that differs", async () => {
    const wrong = faulty(
      "trace.mjs",
      `if (reply.ok?.trace) reply.ok.trace = reply.ok.trace.map(([name, hex]) =>
         [name, name === "okm" ? "00" + hex.slice(2) : hex])`,
    )
    const { text } = await suite("run", "--only", "keyschedule-004", "--driver", wrong)
    expect(text).toMatch(/diverges okm: expected [0-9a-f]{96}/)
    expect(text).toMatch(/got {6}00[0-9a-f]{94}/)
  })
})

describe("breakdowns", () => {
  const crash = (name: string, body: string): string =>
    faulty(name, `if (op === "identity.safety") { ${body} }`)

  test.each([
    ["ends", "crash", "process.exit(7)", /ended with code 7/],
    ["hangs", "timeout", "return new Promise(() => setInterval(() => 0, 1000))", /no reply to/],
    ["chats", "harness", 'console.log("working on it")', /wrote no JSON/],
  ])(
    "a driver that %s fails that case, and the next one runs",
    async (name, breakdown, body, message) => {
      const driver = crash(`${name}.mjs`, body)
      const options = ["--only", "identity", "--no-properties", "--json"]
      const { exit, text } = await suite("run", ...options, "--driver", driver)
      const { verdicts, result } = JSON.parse(text) as ReportDocument
      const failing = verdicts.filter((item) => item.outcome === "FAIL")
      expect(failing.length).toBeGreaterThan(0)
      for (const item of failing) {
        expect([item.breakdown, item.message]).toEqual([breakdown, expect.stringMatching(message)])
      }
      expect([exit, result.aborted]).toEqual([1, null])
      expect(result.passed).toBeGreaterThan(30)
    },
  )
})

describe("reports", () => {
  test("two runs give the same bytes apart from timings, and keep their schema", async () => {
    const options = ["--only", "encoding,identity", "--runs", "10"]
    await suite("run", ...options, "--report", "json=a.json")
    await suite("run", ...options, "--report", "json=b.json,junit=b.xml,md=b.md,html=b.html")
    const [a, b] = [document("a.json"), document("b.json")]
    const text = ({ timings: _timings, ...rest }: ReportDocument) => JSON.stringify(rest)
    expect(text(a)).toBe(text(b))
    const validate = new Ajv({ strict: false }).compile(schema("report.schema.json"))
    validate(a)
    expect(validate.errors ?? []).toEqual([])
    expect(validate({ ...a, extra: 1 })).toBe(false)
  })

  test("a run claims no more than it has checked", async () => {
    const args = ["--only", "identity-0001", "--json"]
    const { text } = await suite("run", ...args)
    const whole = JSON.parse(text) as ReportDocument
    const said = (change: Partial<ReportDocument["run"]>) =>
      formatSummary(
        { ...whole, run: { ...whole.run, only: [], ...change } },
        (_style, words) => words,
      )
    expect(whole.hello?.tier).toBe(3)
    expect(said({})).toMatch(/^CONFORMANT UP TO T2: .*\nT3, which it claims too, is live/)
    expect(said({})).toContain("agentmesh-conformance agent and agentmesh-conformance hub")
    expect(said({ mode: "agent" })).toMatch(/^CONFORMANT AS A LIVE AGENT: .*exit 0$/)
    expect(said({ only: ["x"] })).toMatch(/^PASSES WHAT WAS ASKED: .*exit 0$/)
  })

  test("two processes of a driver give the report of one", async () => {
    const pids = at("pids.txt")
    const driver = faulty(
      "lanes.mjs",
      `if (op === "hello") (await import("node:fs")).appendFileSync(${JSON.stringify(pids)}, process.pid + " ")
       if (op === "identity.safety") return { ok: { safety: "" } }`,
    )
    const options = ["--only", "identity,encoding", "--runs", "5", "--driver", driver]
    const reports: ReportDocument[] = []
    for (const jobs of ["1", "2", "3"]) {
      writeFileSync(pids, "")
      const { exit } = await suite("run", ...options, "--jobs", jobs, "--report", "json=lanes.json")
      const processes = new Set(readFileSync(pids, "utf8").trim().split(" "))
      expect([exit, processes.size]).toEqual([1, Number(jobs)])
      reports.push({ ...document("lanes.json"), timings: null as never })
    }
    expect(reports[0]?.verdicts.length).toBeGreaterThan(150)
    expect(reports[1]).toEqual(reports[0])
    expect(reports[2]).toEqual(reports[0])
    writeFileSync(pids, "")
    await suite("run", "--only", "identity-0001", "--driver", driver, "--jobs", "4")
    expect(readFileSync(pids, "utf8").trim()).toMatch(/^\d+$/)
  })

  test("merge puts implementations side by side", async () => {
    const driver = faulty(
      "merge.mjs",
      `if (op === "identity.safety") return { ok: { safety: "" } }`,
    )
    const options = ["--only", "identity", "--no-properties"]
    await suite("run", ...options, "--report", "json=good.json")
    await suite("run", ...options, "--report", "json=bad.json", "--driver", driver)
    const { exit, text } = await suite("merge", "good.json", "bad.json")
    expect(exit).toBe(1)
    expect(text).toMatch(/^\| IDENTITY-5 \| yes \| \*\*no\*\* \|$/m)
    expect(text).not.toMatch(/IDENTITY-1 /)
    expect((await suite("merge", "driver.txt")).exit).toBe(2)
  })
})

describe("list", () => {
  test("as JSON, with the sentences, filtered by requirement", async () => {
    const { exit, text } = await suite("list", "--only", "SUITE-12", "--json")
    const entries = JSON.parse(text) as { req: string[]; sentences: Record<string, string> }[]
    expect([exit, entries.length > 3]).toEqual([0, true])
    for (const { req, sentences } of entries) {
      expect(req).toContain("SUITE-12")
      expect(sentences["SUITE-12"]).toContain("all zero")
    }
  })
})
