// A driver in this process, served over standard input and output (DRIVER.md).

import type { Driver, JsonObject } from "../driver.ts"

interface Request {
  readonly id: number
  readonly op: string
  readonly args?: JsonObject
}

/** Answers one request a line until the input ends. A driver that throws ends the process. */
export function serve(driver: Driver): void {
  let rest = ""
  let queue = Promise.resolve()
  const answer = async (line: string): Promise<void> => {
    const { id, op, args = {} } = JSON.parse(line) as Request
    const reply = await driver.call(op, args)
    process.stdout.write(`${JSON.stringify({ id, ...reply })}\n`)
  }
  process.stdin.setEncoding("utf8")
  process.stdin.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) queue = queue.then(() => answer(line))
  })
  process.stdin.on("end", () => {
    queue.then(() => driver.close?.())
  })
}
