// A coordinator hands tasks to four workers and collects the results. One worker fails at a task:
// the coordinator hears of it, and gives the task to another one.

import { Agent, LocalHub, type Message } from "agentmesh"

const hub = new LocalHub()
const names = ["worker-1", "worker-2", "worker-3", "worker-4"]

function work(name: string, message: Message): Promise<unknown> {
  const n = Number(message.payload["n"])
  if (name === "worker-3" && n === 7) return message.reply({ type: "failed", text: "out of luck" })
  return message.reply({ type: "result", n, square: n * n, by: name })
}

const workers = names.map((name) => {
  const worker = new Agent(name, { hub })
  return worker.onMessage((message) => work(name, message))
})
const coordinator = new Agent("coordinator", { hub })
await Promise.all([coordinator, ...workers].map((agent) => agent.ready))

async function assign(n: number, first: number): Promise<Message> {
  for (let tries = 0; tries < names.length; tries++) {
    const name = names[(first + tries) % names.length] as string
    const answer = await coordinator.request(name, { type: "task", n }, { timeout: 20_000 })
    if (answer.type === "result") return answer
    console.log(`[coordinator] ${name} failed at ${n} (${answer.text}), asking another one`)
  }
  throw new Error(`nobody could do ${n}`)
}

const tasks = Array.from({ length: 12 }, (_, i) => i + 1)
const results = await Promise.all(tasks.map((n, i) => assign(n, i)))
for (const { payload } of results) {
  console.log(
    `[coordinator] ${payload["n"]} squared is ${payload["square"]}, says ${payload["by"]}`,
  )
}

await Promise.all([coordinator, ...workers].map((agent) => agent.close()))
