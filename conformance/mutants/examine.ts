// Examines one copy of the reference: which check notices that it is faulty. The checks themselves
// are those of this package, without the fault.

import type { Fate } from "./mutant.ts"
import { type Check, Subject, type Wanted } from "./subject.ts"

/** What is to be examined. */
export interface Task {
  readonly id: string
  readonly req: string
  /** A copy of the reference with the fault, compiled. */
  readonly folder: string
  /** A copy without it. */
  readonly clean: string
  /** The check that is tried first. */
  readonly hint?: string | undefined
  /** Whether checks that cite something else are tried too, if none of the others fails. */
  readonly search?: boolean | undefined
}

/** How many times as long is waited, one after the other, until the reference passes. */
const PATIENCE: readonly number[] = [1, 4]

/** Looks for the first check that fails; those that cite the requirement come first. */
export async function examine(task: Task): Promise<Fate> {
  const { id, req, folder, hint, search = true } = task
  const fate = (outcome: Fate["outcome"], by: string): Fate => ({ id, req, outcome, by })
  const subject = await Subject.load(folder)
  if (typeof subject === "string") return fate("broken", subject)
  const unsound: string[] = []
  const cites: Wanted = (check) => check.req.includes(req) && !unsound.includes(check.id)
  const hinted: Wanted = (check) => check.id === hint && cites(check)
  const find = async (): Promise<Check | null> =>
    (await subject.fails("vector", hinted)) ??
    (await subject.fails("property", hinted)) ??
    (await first(subject, ["vector", "property", "hub", "agent"], cites))
  for (let found = await find(); found !== null; found = await find()) {
    // A check that is wrong itself, or that a busy machine fails, kills nothing: another may.
    for (const slow of PATIENCE) {
      const still = slow === 1 || (await subject.fails(found.kind, only(found), slow)) !== null
      if (still && (await sound(task.clean, found, slow))) return fate("killed", found.id)
    }
    unsound.push(found.id)
  }
  if (unsound.length > 0) return fate("broken", `the reference itself fails ${unsound.join(", ")}`)
  if (!search) return fate("survived", "")
  const section = id.split("-")[0] as string
  const kinds = ["vector", "property"] as const
  const other =
    (await first(subject, kinds, (item) => item.id.startsWith(section))) ??
    (await first(subject, kinds, () => true))
  return other === null ? fate("survived", "") : fate("uncited", other.id)
}

const only =
  ({ id }: Check): Wanted =>
  (check) =>
    check.id === id

async function first(
  subject: Subject,
  kinds: readonly Check["kind"][],
  wanted: Wanted,
): Promise<Check | null> {
  for (const kind of kinds) {
    const found = await subject.fails(kind, wanted)
    if (found !== null) return found
  }
  return null
}

const passing = new Set<string>()

/** Whether the reference passes the check; asked once in a process. */
async function sound(clean: string, check: Check, slow: number): Promise<boolean> {
  const { kind, id } = check
  const key = `${clean} ${id}`
  if (passing.has(key)) return true
  const reference = await Subject.load(clean)
  if (typeof reference === "string") return false
  if ((await reference.fails(kind, only(check), slow)) !== null) return false
  passing.add(key)
  return true
}
