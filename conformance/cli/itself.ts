// lint, coverage, selftest: what the suite says about itself. A problem is exit 5.

import { checkCoverage, lintCoverage, writeCoverage } from "../coverage.ts"
import { GROUPS } from "../index.ts"
import { lintVectors } from "../schema/lint.ts"
import { loadRequirements, out, packageFile } from "./context.ts"

// What only the outside brings about (a network, timers, two processes), and what is told on another
// link or by an event instead of an answer.
const UNREACHABLE = [
  ...["hub/unreachable", "hub/replaced", "agent/timeout", "agent/closed", "agent/undelivered"],
  "agent/store-locked",
]

/** Checks vectors and coverage; acknowledges changed sentences first. */
export function lint(accept: readonly string[]): number {
  if (accept.length > 0) writeCoverage({ accept: accept.includes("all") ? "all" : accept })
  const requirements = new Set(loadRequirements().keys())
  const codes = readCodes(packageFile("SPEC.md"))
  const files = GROUPS.map((group) => group.vectors())
  const context = { codes, requirements, unreachable: UNREACHABLE }
  return tell([...lintVectors(files, context), ...lintCoverage()], "vectors and coverage")
}

/** The closed list of codes of SPEC §13. */
function readCodes(spec: string): readonly string[] {
  const start = spec.indexOf("\n## 13. ")
  const section = spec.slice(start, spec.indexOf("\n## 14. "))
  return [...section.matchAll(/^\| `([a-z]+\/[a-z-]+)`/gm)].map(([, code]) => code as string)
}

/** Writes COVERAGE.md and requirements.json, or compares them. */
export function coverage(check: boolean): number {
  if (!check) writeCoverage()
  return tell(checkCoverage(), "COVERAGE.md and requirements.json")
}

function tell(problems: readonly string[], what: string): number {
  for (const problem of problems) out(problem)
  out(problems.length === 0 ? `${what}: no problem` : `${problems.length} problems`)
  return problems.length === 0 ? 0 : 5
}

/** Runs the checks of the suite on itself; `mutants` null: without them, empty: all of them. */
export async function selftest(
  mutants: readonly string[] | null,
  flags: { readonly quick?: boolean; readonly update?: boolean },
): Promise<number> {
  const { runSelftest } = await import("../selftest.ts") // the mutants are read only here
  return tell(await runSelftest({ ...flags, mutants, onLine: out }), "selftest")
}
