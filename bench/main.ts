// npm run bench [-- GROUP…] [--quick] [--check] [--json FILE] [--report]

import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { GROUPS } from "./groups.ts"
import { type Figure, FULL, QUICK } from "./measure.ts"

const self = fileURLToPath(import.meta.url)

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    json: { type: "string" },
    child: { type: "boolean", default: false },
  },
})

async function child(name: string): Promise<void> {
  const group = GROUPS.find((one) => one.name === name)
  if (group === undefined) throw new Error(`no group ${name}`)
  const figures = await group.run(options.quick ? QUICK : FULL)
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
}

function runGroup(name: string, portable: boolean): Promise<Figure[]> {
  const env = portable
    ? { ...process.env, NODE_OPTIONS: "--conditions=agentmesh-portable" }
    : process.env
  const args = [self, name, "--child", ...(options.quick ? ["--quick"] : [])]
  const process_ = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] })
  let text = ""
  process_.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    process_.on("exit", (code) => {
      if (code !== 0) reject(new Error(`group ${name} ended with ${code}`))
      else resolve(JSON.parse(text) as Figure[])
    })
  })
}

if (options.child) await child(positionals[0] ?? "")
else console.log(await runGroup(positionals[0] ?? "envelope", false))
void writeFileSync
