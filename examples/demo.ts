// Everything AgentMesh promises, shown in one process: no server, no account.
// It checks what it shows, and exits with 1 if anything is not as it says.

import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, LocalHub, type Message } from "agentmesh/node"

let failures = 0

function show(ok: boolean, what: string): void {
  if (!ok) failures++
  console.log(`  ${ok ? "ok  " : "FAIL"} ${what}`)
}

/** Waits until `condition` holds; gives up after thirty seconds. */
async function until(condition: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 3000 && !condition(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return condition()
}

async function demo(suites: readonly (1 | 2)[], title: string): Promise<void> {
  console.log(`\n${title}`)
  const folder = await mkdtemp(join(tmpdir(), "agentmesh-demo-"))
  const hub = new LocalHub()
  let alice = new Agent("alice", { hub, suites, path: join(folder, "alice") })
  const bob = new Agent("bob", { hub, suites })
  const inbox: Message[] = []
  const rejected: string[] = []
  bob.onMessage((message) => {
    inbox.push(message)
    if (message.type === "question") return message.reply("42")
    return undefined
  })
  bob.on("rejected", ({ error }) => rejected.push(error.code))
  await Promise.all([alice.ready, bob.ready])
  console.log(`  alice is ${alice.address}`)
  console.log(`  bob   is ${bob.address}`)

  // A conversation both ways.
  const hello = await alice.send("bob", { text: "Hello, Bob!", task: 7 })
  await hello.wait("delivered", 30_000)
  const first = inbox[0]
  show(
    first?.text === "Hello, Bob!" && first.payload["task"] === 7,
    "alice -> bob, encrypted and signed",
  )
  show(first?.fingerprint === alice.fingerprint, "bob knows whose key signed it")
  const answer = await alice.request("bob", { type: "question", text: "6 x 7?" })
  show(answer.text === "42", "alice asks, bob answers")
  const [session] = alice.status().sessions
  show(session?.suite === Math.max(...suites), `the session uses suite ${session?.suite}`)
  const [one, other] = await Promise.all([alice.safetyNumber("bob"), bob.safetyNumber("alice")])
  show(one === other, "both see the same safety number")

  // An agent that is not there.
  const carolPath = join(folder, "carol")
  const early = new Agent("carol", { hub, suites, path: carolPath })
  await early.ready
  await early.close()
  const letter = await alice.send("carol", "for when you are back")
  show(letter.state === "stored", "a message to an agent that is offline is stored, not lost")
  const late: Message[] = []
  const carol = new Agent("carol", { hub, suites, path: carolPath })
  carol.onMessage((message) => late.push(message))
  await letter.wait("delivered", 30_000)
  show(
    late[0]?.text === "for when you are back",
    "it arrives when she is back, and alice hears of it",
  )

  // A restart.
  const before = alice.status().sessions.find(({ peer }) => peer === "bob")?.sid
  const print = alice.fingerprint
  await alice.close()
  alice = new Agent("alice", { hub, suites, path: join(folder, "alice") })
  await alice.ready
  await (await alice.send("bob", "back again")).wait("delivered", 30_000)
  const after = alice.status().sessions.find(({ peer }) => peer === "bob")?.sid
  show(alice.fingerprint === print, "after a restart alice has the same identity")
  show(before !== undefined && before === after, "and continues the same session")
  show(bob.status().sessions.length === 1, "bob saw no new handshake")

  // Load.
  inbox.length = 0
  const routed = hub.messageCount()
  const load = Array.from({ length: 500 }, (_, i) => alice.send("bob", { text: `${i}` }))
  await Promise.all((await Promise.all(load)).map((delivery) => delivery.wait("delivered", 60_000)))
  const complete = await until(() => inbox.length === 500)
  const ordered = inbox.every(({ text }, i) => text === `${i}`)
  const envelopes = hub.messageCount() - routed
  show(complete && ordered, `500 messages at once: all there, in order, in ${envelopes} envelopes`)
  show(envelopes < 100, "what waits for one peer travels together")

  // Forgery and replay.
  inbox.length = 0
  const genuine = await alice.seal("bob", "only once")
  const tampered = genuine.slice()
  tampered[tampered.length - 1] = (tampered[tampered.length - 1] as number) ^ 1
  await hub.deliver({ from: "alice", to: "bob", envelope: tampered })
  show(await until(() => rejected.includes("envelope/open")), "a tampered envelope is refused")
  const [only] = await bob.open(genuine)
  show(only?.text === "only once", "the genuine envelope still opens: nothing had changed")
  await bob.open(genuine).then(
    () => show(false, "a replay is refused"),
    (error) => show(error.code === "session/replay", "a replay is refused"),
  )
  await (await alice.send("bob", "still alive")).wait("delivered", 30_000)
  show(inbox.at(-1)?.text === "still alive", "and the session is alive")

  await Promise.all([alice.close(), bob.close(), carol.close()])
  await hub.close()
  await rm(folder, { recursive: true, force: true })
}

await demo([1], "Suite 1: X25519, Ed25519, AES-256-GCM")
await demo([1, 2], "Suite 2: the same and ML-KEM-768, against later quantum computers")
console.log(failures === 0 ? "\nAll as promised." : `\n${failures} checks failed.`)
process.exitCode = failures === 0 ? 0 : 1
