// The skill for language models: its form, and every command in it, as they stand there.

import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { command, type Ended, Machine } from "./support/cli.ts"

const path = fileURLToPath(new URL("../skills/agentmesh/SKILL.md", import.meta.url))
const text = readFileSync(path, "utf8")
const [, front = "", body = ""] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? []

interface Block {
  readonly background: boolean
  readonly script: string
}
const blocks: readonly Block[] = [...body.matchAll(/^```sh( background)?\n([\s\S]*?)^```$/gm)].map(
  ([, background, script = ""]) => ({ background: background !== undefined, script }),
)

// Dozens of real processes, on machines that share two cores with everything else in CI.
vi.setConfig({ testTimeout: 180_000 })

let machine: Machine
beforeEach(() => {
  machine = new Machine()
})
afterEach(() => machine.close())

/** A user whose shell finds `agentmesh`. */
function environment(): Record<string, string> {
  const bin = join(machine.folder, "bin")
  mkdirSync(bin, { recursive: true })
  const shim = join(bin, "agentmesh")
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${command()}" "$@"\n`)
  chmodSync(shim, 0o755)
  const inherited = process.env as Record<string, string>
  return { ...inherited, ...machine.env, AGENTMESH_PORT: "0", PATH: `${bin}:${inherited["PATH"]}` }
}

/** Runs a script in one shell; every command in it has to succeed. */
function shell(script: string, stopAfter?: RegExp): Promise<Ended> {
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  })
  let [out, err] = ["", ""]
  const look = (): void => {
    if (stopAfter?.test(out + err)) process.kill(-(child.pid as number), "SIGTERM")
  }
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk
    look()
  })
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    err += chunk
    look()
  })
  return new Promise((resolve) => child.once("close", (exit) => resolve({ exit, out, err })))
}

describe("the skill", () => {
  test("has the form of Agent Skills", () => {
    const fields = new Map(
      front.split("\n").map((line) => line.split(/:\s(.*)/s) as [string, string]),
    )
    expect([...fields.keys()]).toEqual(["name", "description", "license"])
    expect(fields.get("name")).toBe(basename(dirname(path)))
    expect(fields.get("name")).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    const description = fields.get("description") ?? ""
    expect(description.length).toBeGreaterThan(50)
    expect(description.length).toBeLessThanOrEqual(1_024)
    expect(description).toMatch(/Use when/)
    expect(body.split("\n").length).toBeLessThan(500)
  })

  test("every block of commands runs, in this order", async () => {
    await machine.startHub()
    // The peer of the examples: it answers what it is asked.
    await machine.listen("bob", "--exec", 'case "$AGENTMESH_FROM" in alice) echo 42;; esac')
    const sequence = blocks.filter(({ background }) => !background).map(({ script }) => script)
    expect(sequence.length).toBeGreaterThan(9)
    // One shell, since later blocks use variables of earlier ones.
    const { exit, out, err } = await shell(sequence.join("\n"))
    expect([exit, err]).toEqual([0, err])
    expect(out).toMatch(/^alice#/)
    expect(out).toContain("processed by bob")
    expect(out).toMatch(/"from":"bob".*"text":"42"/)
    expect(out).toContain("1 of 1 taken")
    expect(out).toMatch(/bob#[0-9a-f:]{39} {2}verified/)
  })

  test("what runs until it is stopped starts, and says so", async () => {
    const [hub, listen] = blocks.filter(({ background }) => background)
    expect((await shell(hub?.script ?? "false", /listening on/)).out).toContain("listening on")
    await machine.startHub()
    machine.run(["init", "alice"])
    const { out } = machine.run(["id", "alice"])
    const waiting = shell(listen?.script ?? "false")
    for (let tries = 0; tries < 20; tries++) {
      const { exit } = await machine.go("send", out.trim(), "for you", "--as", "carol")
      if (exit === 0) break
    }
    const ended = await waiting
    expect([ended.exit, ended.out]).toEqual([0, expect.stringContaining('"text":"for you"')])
  })

  test("every command and option that it mentions exists", () => {
    const mentioned = [...text.matchAll(/agentmesh ([a-z]+)/g)].map((match) => match[1] as string)
    const help = machine.run(["--help"]).out
    for (const name of new Set(mentioned)) {
      if (["command", "gives"].includes(name)) continue
      expect([name, new RegExp(`^ {2}${name}\\b`, "m").test(help)]).toEqual([name, true])
    }
    const commands = [...new Set(mentioned)].filter((name) =>
      new RegExp(`^ {2}${name}\\b`, "m").test(help),
    )
    const options = commands.map((name) => machine.run([name, "--help"]).out).join("") + help
    for (const [, option] of text.matchAll(/(--[a-z][a-z-]+)/g)) expect(options).toContain(option)
  })
})
