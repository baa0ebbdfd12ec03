// An agent with a directory has the same identity, the same sessions and its mail after a restart.
// Its identity can also be kept in a file of its own, under a passphrase.

import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, LocalHub } from "agentmesh/node"

const folder = await mkdtemp(join(tmpdir(), "agentmesh-keys-"))
const hub = new LocalHub()
const path = join(folder, "alice")
const bob = new Agent("bob", { hub })
bob.onMessage(({ sender, text, fingerprint }) =>
  console.log(`[bob] <- ${sender} (${fingerprint}): ${text}`),
)

let alice = new Agent("alice", { hub, path })
await (await alice.send("bob", "before the restart")).wait("delivered")
const before = alice.fingerprint
const [session] = alice.status().sessions
await alice.close()

alice = new Agent("alice", { hub, path })
await alice.ready
console.log(`[alice] same identity: ${alice.fingerprint === before}`)
console.log(`[alice] same session:  ${alice.status().sessions[0]?.sid === session?.sid}`)
await (await alice.send("bob", "after the restart")).wait("delivered")

// The machine is lost, the file is not. It brings the identity back, and no old traffic.
const backup = await alice.export("correct horse battery staple")
await alice.close()
const secret = "correct horse battery staple"
const restored = new Agent("alice", { hub, path: join(folder, "new"), restore: { backup, secret } })
await restored.ready
console.log(`[alice] restored:      ${restored.fingerprint === before}`)
await (await restored.send("bob", "from the new machine")).wait("delivered")

await Promise.all([restored.close(), bob.close()])
await rm(folder, { recursive: true })
