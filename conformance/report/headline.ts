// What a run says in sum, in a few words: nothing more than it has checked.

import type { ReportDocument, Status } from "./document.ts"

/** Highest tier of vectors and properties; what is live has commands of its own. */
const WITHOUT_A_NET = 2

/** The verdict on an implementation, and how it is painted. */
export function headline({ result, run, hello }: ReportDocument): readonly [Status, string] {
  const { exitCode, partial, failed, blocked } = result
  if (exitCode === 3) return ["fail", "Not tested"]
  if (exitCode === 4) return ["fail", "Nothing executed"]
  if (exitCode !== 0) return ["fail", "Not conformant"]
  if (failed + blocked > 0) return ["warn", "Not conformant, as the baseline says"]
  if (partial) return ["warn", "Passes what it claims, a part of the tier"]
  if (run.mode === "interop") return ["pass", "Interoperable"]
  if (run.only.length > 0 || run.tier !== null) return ["pass", "Passes what was asked"]
  if (run.mode === "hub" || run.mode === "agent")
    return ["pass", `Conformant as a live ${run.mode}`]
  const more = (hello?.tier ?? 0) > WITHOUT_A_NET
  return ["pass", more ? `Conformant up to T${WITHOUT_A_NET}` : "Conformant"]
}

/** What a run that looks green has left out. */
export function leftOut({ result, run, hello }: ReportDocument): string | null {
  const whole = run.mode === "run" && run.only.length === 0 && run.tier === null
  if (!whole || result.exitCode !== 0 || hello === null || hello.tier <= WITHOUT_A_NET) return null
  const commands = hello.roles.filter((role) => role === "agent" || role === "hub")
  const list = commands.map((role) => `agentmesh-conformance ${role}`).join(" and ")
  return `T3, which it claims too, is live and examined by ${list}`
}
