// README's code runs as it stands, against the built package, as a newcomer would run it.

import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const run = promisify(execFile)

/** The blocks of TypeScript, by the heading above them. */
async function blocks(): Promise<Map<string, string>> {
  const readme = await readFile(join(root, "README.md"), "utf8")
  const found = new Map<string, string>()
  let heading = ""
  let block: string[] | null = null
  for (const line of readme.split("\n")) {
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "")
    if (line === "```ts") block = []
    else if (line === "```" && block) {
      found.set(heading, block.join("\n"))
      block = null
    } else block?.push(line)
  }
  return found
}

/** Runs a program in the package, as if it had been written beside README. */
async function output(program: string): Promise<string> {
  const args = ["--input-type=module", "--eval", program]
  const { stdout } = await run(process.execPath, args, { cwd: root, timeout: 50_000 })
  return stdout
}

const AGENTS = `
import { Agent, LocalHub } from "agentmesh"
const hub = new LocalHub()
const alice = new Agent("alice", { hub })
const bob = new Agent("bob", { hub })
const carol = new Agent("carol", { hub })
await Promise.all([alice.ready, bob.ready, carol.ready])
`

describe("README", () => {
  let code: Map<string, string>
  const block = (heading: string) => {
    const found = code.get(heading)
    if (found === undefined) throw new Error(`README has no code under "${heading}"`)
    return found
  }
  beforeAll(async () => {
    code = await blocks()
  })

  it("has code under these headings and no other", () => {
    const expected = [
      "AgentMesh",
      "Sending",
      "Receiving",
      "Keeping",
      "Over a network",
      "Trusting",
      "Without a hub",
    ]
    expect([...code.keys()]).toEqual(expected)
  })

  it("six lines: two agents talk", async () => {
    expect(
      block("AgentMesh")
        .split("\n")
        .filter((line) => line !== ""),
    ).toHaveLength(6)
    expect(await output(block("AgentMesh"))).toBe("alice: Hello, Bob!\n")
  })

  it("sending", async () => {
    const handler = `bob.onMessage((m) => m.type === "question" ? m.reply("42") : undefined)\n`
    const end = `\nconsole.log(delivery.state, answer.text)`
    expect(await output(AGENTS + handler + block("Sending") + end)).toBe("delivered 42\n")
  })

  it("receiving", async () => {
    const end = `\nconsole.log((await alice.request("bob", { type: "question" })).text)`
    expect(await output(AGENTS + block("Receiving") + end)).toBe("42\n")
  })

  it("keeping, and restoring", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agentmesh-readme-"))
    const program = block("Keeping")
      .replace(
        '"agentmesh/node"',
        '"agentmesh/node"\nimport { LocalHub } from "agentmesh"\nconst hub = new LocalHub()',
      )
      .replace(".agents/alice", folder)
    const end = `
await alice.ready
const before = alice.fingerprint
await alice.close()
const again = new Agent("alice", { hub, path: ${JSON.stringify(folder)} })
await again.ready
const restored = new Agent("alice", { restore: { backup, secret: "a passphrase" } })
await restored.ready
console.log(again.fingerprint === before, restored.fingerprint === before)`
    expect(await output(program + end)).toBe("true true\n")
    await rm(folder, { recursive: true })
  })

  it("over a network", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agentmesh-readme-"))
    const start = `
import { NetworkHubServer } from "agentmesh/node"
const server = new NetworkHubServer({ port: 0 })
const { url } = await server.start()
`
    const code = block("Over a network")
    const program = code
      .replace('"agentmesh://127.0.0.1:7700"', "url")
      .replace(".agents/alice", join(folder, "alice"))
      .replace(".agents/bob", join(folder, "bob"))
    expect(program).not.toContain("7700")
    const end = `
await new Promise((resolve) => setTimeout(resolve, 500))
await Promise.all([alice.close(), bob.close()])
await server.stop()`
    expect(await output(start + program + end)).toBe("alice: over TCP\n")
    await rm(folder, { recursive: true })
  })

  it("trusting", async () => {
    const code = block("Trusting")
    const program = code.replace(/"bob#[0-9a-f:]+"/g, "bob.address")
    expect(program).not.toBe(code)
    const end = `\nconsole.log((await alice.peer("bob")).trust)`
    expect(await output(AGENTS + program + end)).toBe("verified\n")
  })

  it("without a hub", async () => {
    const agents = `
import { Agent } from "agentmesh"
const alice = new Agent("alice")
const bob = new Agent("bob")
await Promise.all([alice.ready, bob.ready])
`
    const program = agents + block("Without a hub")
    expect(await output(`${program}\nconsole.log(message.text)`)).toBe("by pigeon\n")
  })
})
