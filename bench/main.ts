// npm run bench [-- GROUP…] [--from FILE]… [--quick] [--check] [--json FILE] [--report]
//
//   GROUP     one or more of the groups; all by default, none beside --from
//   --from    takes figures from the result of an earlier run, as of the groups that take hours
//   --quick   a few seconds a group: shows that everything works, not how fast it is
//   --check   exit code 1 if a target is missed that was measured
//   --json    writes the result to a file, "-" for standard output instead of the tables
//   --report  writes bench/README.md and its plots

import { spawn } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { GROUPS } from "./groups.ts"
import { type Figure, FULL, QUICK } from "./measure.ts"
import { consoleTable, consoleVerdicts, machine, type Result, writeReport } from "./report.ts"
import { judge } from "./targets.ts"

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    json: { type: "string" },
    from: { type: "string", multiple: true, default: [] },
    child: { type: "boolean", default: false },
  },
})

/** Runs one group in this process and prints its figures. */
async function child(name: string): Promise<void> {
  const group = GROUPS.find((one) => one.name === name)
  const figures = await group?.run(options.quick ? QUICK : FULL)
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
}

/** Runs one group in a process of its own. */
function runGroup(name: string, portable: boolean): Promise<Figure[]> {
  const condition = portable ? { NODE_OPTIONS: "--conditions=agentmesh-portable" } : {}
  const args = ["--expose-gc", fileURLToPath(import.meta.url), name, "--child"]
  const program = spawn(process.execPath, [...args, ...(options.quick ? ["--quick"] : [])], {
    env: { ...process.env, ...condition },
    stdio: ["ignore", "pipe", "inherit"],
  })
  let text = ""
  program.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    program.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text) as Figure[])
      else reject(new Error(`group ${name} ended with code ${code}`))
    })
  })
}

async function runAll(names: readonly string[], say: (text: string) => void): Promise<Figure[]> {
  const all: Figure[] = []
  const wanted = names.length === 0 && options.from.length === 0
  for (const group of GROUPS.filter(({ name }) => wanted || names.includes(name))) {
    for (const portable of group.portable ? [false, true] : [false]) {
      const prefix = portable ? "portable/" : ""
      say(`\n${prefix}${group.name}: ${group.what}`)
      const found = await runGroup(group.name, portable)
      const figures = found.map((figure) => ({ ...figure, id: `${prefix}${figure.id}` }))
      if (figures.length > 0) say(consoleTable(figures))
      all.push(...figures)
    }
  }
  return all
}

async function main(): Promise<number> {
  const unknown = positionals.find((name) => !GROUPS.some((group) => group.name === name))
  if (unknown !== undefined) {
    console.error(`no group ${unknown}; there are ${GROUPS.map(({ name }) => name).join(", ")}`)
    return 2
  }
  const say = (text: string): void => {
    if (options.json !== "-") console.log(text)
  }
  const earlier = options.from.map((file) => JSON.parse(readFileSync(file, "utf8")) as Result)
  const load = [...earlier.flatMap((one) => one.load), loadavg()[0] ?? 0]
  const fresh = await runAll(positionals, say)
  load.push(loadavg()[0] ?? 0)
  const again = new Set(fresh.map(({ id }) => id))
  const figures = [...earlier.flatMap((one) => one.figures), ...fresh].filter(
    (figure) => !again.has(figure.id) || fresh.includes(figure),
  )
  const result: Result = {
    ...{ date: new Date().toISOString().slice(0, 10), machine: machine(), quick: options.quick },
    ...{ node: process.versions.node, openssl: process.versions.openssl ?? "" },
    ...{ load, figures },
  }
  const verdicts = judge(figures)
  say(`\n${consoleVerdicts(verdicts)}`)
  if (options.json === "-") console.log(JSON.stringify(result))
  else if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`)
  if (options.report) writeReport(result)
  return options.check && verdicts.some(({ met }) => !met) ? 1 : 0
}

if (options.child) await child(positionals[0] ?? "")
else process.exitCode = await main()
