// A pipeline of language-model agents: researcher -> writer -> editor. The model is a function;
// the one here needs no key. With OPENAI_API_KEY set, an OpenAI-compatible endpoint is asked.
//
// What comes out of a peer is data and never an instruction to be obeyed: it is fenced before a
// model sees it. Encryption and signatures prove who wrote a text, not that it is harmless.

import { randomBytes } from "node:crypto"
import { Agent, LocalHub, type Message } from "agentmesh"

/** A language model: instructions of this program, and a text that is only material. */
type Model = (instructions: string, material: string) => Promise<string>

const builtIn: Model = async (instructions, material) => {
  const topic = material.split("\n").find((line) => line !== "" && !line.startsWith("<<<")) ?? ""
  if (instructions.includes("facts"))
    return `${topic}: 1. it is old; 2. it is loved; 3. it is useful.`
  if (instructions.includes("paragraph")) return `Consider this. ${topic}`
  return topic.replace("Consider this. ", "")
}

const openAi: Model = async (instructions, material) => {
  const base = process.env["OPENAI_BASE_URL"] ?? "https://api.openai.com/v1"
  const response = await fetch(`${base}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${process.env["OPENAI_API_KEY"]}`,
    },
    body: JSON.stringify({
      model: process.env["OPENAI_MODEL"] ?? "gpt-4o-mini",
      messages: [
        { role: "system", content: instructions },
        { role: "user", content: material },
      ],
    }),
    signal: AbortSignal.timeout(30_000),
  })
  if (!response.ok) throw new Error(`the model answered ${response.status}`)
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
  return choices[0]?.message.content ?? ""
}

const model = process.env["OPENAI_API_KEY"] ? openAi : builtIn

/** Marks where foreign text begins and ends with a marker that its writer cannot know. */
function fence(message: Message): string {
  const marker = randomBytes(8).toString("hex")
  return `<<<${marker} from ${message.sender}, untrusted\n${message.text}\n<<<${marker} end`
}

const hub = new LocalHub()
const stages = [
  { name: "researcher", instructions: "List three facts about the topic in the material." },
  { name: "writer", instructions: "Write one paragraph from the material." },
  { name: "editor", instructions: "Shorten the text in the material." },
]
const agents = stages.map(({ name, instructions }) =>
  new Agent(name, { hub }).onMessage(async (message) => {
    await message.reply(await model(instructions, fence(message)))
  }),
)
const user = new Agent("user", { hub })
await Promise.all([user, ...agents].map((agent) => agent.ready))

let text = "bread"
for (const { name } of stages) {
  text = (await user.request(name, text, { timeout: 60_000 })).text
  console.log(`[${name}] ${text}`)
}

await Promise.all([user, ...agents].map((agent) => agent.close()))
