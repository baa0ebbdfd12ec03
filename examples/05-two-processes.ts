// Two processes and a hub between them, over TCP. This program is all three: without an argument
// it starts the hub and, as a second process, bob; then it is alice.
//
// By hand, in two terminals, with a hub of the command agentmesh-hub:
//   node dist/examples/05-two-processes.js bob agentmesh://127.0.0.1:7700
//   node dist/examples/05-two-processes.js alice agentmesh://127.0.0.1:7700

import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { Agent, NetworkHub, NetworkHubServer } from "agentmesh/node"

async function runBob(url: string): Promise<void> {
  const bob = new Agent("bob", { hub: new NetworkHub(url) })
  bob.onMessage(async (message) => {
    console.log(`[bob, process ${process.pid}] <- ${message.sender}: ${message.text}`)
    await message.reply(`heard in process ${process.pid}`)
    if (message.type === "bye") setTimeout(() => void bob.close(), 500)
  })
  await bob.ready
  console.log(`[bob, process ${process.pid}] ready`)
}

async function runAlice(url: string): Promise<void> {
  const alice = new Agent("alice", { hub: new NetworkHub(url) })
  const hello = await alice.request("bob", "Cross-process, end-to-end encrypted.")
  console.log(`[alice, process ${process.pid}] bob says: ${hello.text}`)
  await alice.request("bob", { type: "bye", text: "That is all." })
  await alice.close()
}

async function runAll(): Promise<void> {
  const server = new NetworkHubServer({ port: 0 })
  const { url } = await server.start()
  console.log(`[hub] ${url}`)
  const self = fileURLToPath(import.meta.url)
  const bob = spawn(process.execPath, [self, "bob", url], { stdio: ["ignore", "pipe", "inherit"] })
  const ended = once(bob, "exit")
  bob.stdout.pipe(process.stdout)
  await once(bob.stdout, "data") // a name that nobody has registered yet cannot be written to
  await runAlice(url)
  await ended
  await server.stop()
}

const [role, url = "agentmesh://127.0.0.1:7700"] = process.argv.slice(2)
if (role === "bob") await runBob(url)
else if (role === "alice") await runAlice(url)
else await runAll()
