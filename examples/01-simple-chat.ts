// Two agents talk, in one process. The hub between them cannot read a word.

import { Agent, LocalHub } from "agentmesh"

const hub = new LocalHub()
const alice = new Agent("alice", { hub })
const bob = new Agent("bob", { hub })

alice.onMessage((message) => console.log(`[alice] <- ${message.sender}: ${message.text}`))
bob.onMessage(async (message) => {
  console.log(`[bob] <- ${message.sender}: ${message.text}`)
  await message.reply("Hello, Alice! I can prove that this is from me.")
})

await alice.send("bob", "Hello, Bob! This is end-to-end encrypted.")
const answer = await alice.request("bob", { text: "Are you there?" })
console.log(`[alice] bob answered: ${answer.text}`)
console.log(
  `\nIf two people compare these lines, nobody is in between:\n${await alice.safetyNumber("bob")}`,
)

await Promise.all([alice.close(), bob.close()])
