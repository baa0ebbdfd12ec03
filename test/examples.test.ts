// Every example runs as it stands, against the built package, and says what it is there to say.

import { execFile } from "node:child_process"
import { readdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const run = promisify(execFile)

const SAID: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  "01-simple-chat": ["[bob] <- alice: Hello, Bob!", "[alice] bob answered: Hello, Alice!"],
  "02-coordinator-workers": ["worker-3 failed at 7", "12 squared is 144"],
  "03-persistent-keys": ["same session:  true", "restored:      true", "from the new machine"],
  "04-llm-pipeline": ["[researcher] bread", "[editor] bread"],
  "05-two-processes": [/\[bob, process (\d+)\][\s\S]*bob says: heard in process \1/],
  "06-peer-to-peer": ["knows bob: verified", "[alice] <- bob: the same way back"],
  demo: ["All as promised."],
}

describe("examples", () => {
  it("are all listed here", async () => {
    const files = await readdir(`${root}/examples`)
    const names = files.filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3))
    expect(names.sort()).toEqual(Object.keys(SAID).sort())
  })

  for (const [name, said] of Object.entries(SAID)) {
    it(name, async () => {
      const env = { ...process.env, OPENAI_API_KEY: "" }
      const options = { cwd: root, env, timeout: 110_000 }
      const { stdout } = await run(process.execPath, [`dist/examples/${name}.js`], options)
      for (const text of said) expect(stdout).toMatch(text)
    }, 120_000)
  }
})
