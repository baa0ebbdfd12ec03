// A process that examines copies, one after the other: a fault in one must not end the others.

import { examine, type Task } from "./examine.ts"

process.on("message", (task: Task) => {
  void examine(task).then(
    (fate) => process.send?.(fate),
    (error: unknown) => {
      const { id, req } = task
      process.send?.({ id, req, outcome: "broken", by: String((error as Error)?.stack ?? error) })
    },
  )
})
process.on("disconnect", () => process.exit())
// A copy that leaves a rejection behind is judged by its checks.
process.on("unhandledRejection", () => undefined)
process.on("uncaughtException", () => undefined)
