// An agent as a process of its own: node agent.js NAME STORE HUB [alone]. It sends what it is told on
// standard input ("TO TEXT" a line) and appends each message it handles to STORE.log, synchronously,
// so that a test can kill it at any moment and see what its handler saw.

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs"
import { createInterface } from "node:readline"
import { Agent } from "../../src/node/agent.ts"
import { NetworkHub } from "../../src/node/network-hub.ts"

const [name, store, url] = process.argv.slice(2) as [string, string, string]
const log = openSync(`${store}.log`, "a")
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const agent = new Agent(name, { path: store, hub: new NetworkHub(url), suites: [1] })
agent.onMessage((message) => {
  writeSync(log, `${message.id} ${message.sender} ${message.text}\n`)
  fsyncSync(log)
  say(`handled ${message.text}`)
})
agent.on("receipt", ({ id, state }) => say(`receipt ${state} ${id}`))
agent.on("undelivered", ({ id }) => say(`undelivered ${id}`))
agent.on("connected", () => say("connected"))
agent.on("disconnected", ({ error }) => say(`disconnected ${error.code}`))
agent.ready.then(
  () => say("ready"),
  (error: Error) => say(`not ready ${error.message}`),
)

if (process.argv[5] === "alone") {
  // Nothing but the agent keeps this process alive.
  process.once("SIGTERM", () => void agent.close())
} else {
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const [to, ...words] = line.split(" ") as [string, ...string[]]
      const text = words.join(" ")
      agent.send(to, text).then(
        ({ id }) => say(`sent ${id} ${text}`),
        (error: Error) => say(`failed ${text} ${error.message}`),
      )
    })
    .on("close", () => {
      void agent.close().then(() => {
        closeSync(log)
        process.exit(0)
      })
    })
}
