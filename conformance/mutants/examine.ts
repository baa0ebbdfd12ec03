// Examines one copy of the reference: which check notices that it is faulty. The checks themselves
// are those of this package, without the fault.

import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Case, Driver, Hello } from "../driver.ts"
import { GROUPS } from "../index.ts"
import { PROPERTIES, runProperties } from "../property.ts"
import { greet, runCases } from "../runner.ts"
import type { Verdict } from "../verdict.ts"
import { examineAgents, examineHub } from "./live.ts"
import type { Fate } from "./mutant.ts"

/** What is to be examined. */
export interface Task {
  readonly id: string
  readonly req: string
  /** A copy of the reference, compiled. */
  readonly folder: string
  /** The check that is tried first. */
  readonly hint?: string | undefined
  /** Whether checks that cite something else are tried too, if none of the others fails. */
  readonly search?: boolean | undefined
}

const CASES: readonly Case[] = GROUPS.flatMap((group) => group.vectors().cases)

class Found extends Error {
  readonly verdict: Verdict

  constructor(verdict: Verdict) {
    super(verdict.id)
    this.verdict = verdict
  }
}

/** Looks for the first check that fails; those that cite the requirement come first. */
export async function examine({ id, req, folder, hint, search = true }: Task): Promise<Fate> {
  const fate = (outcome: Fate["outcome"], by: string): Fate => ({ id, req, outcome, by })
  let driver: Driver
  let hello: Hello
  try {
    const path = join(folder, "dist/conformance/peers/reference.js")
    driver = (await import(pathToFileURL(path).href)).createReference() as Driver
    const greeting = await greet(driver)
    if (greeting.hello === null) return fate("broken", greeting.problem)
    hello = greeting.hello
  } catch (error) {
    return fate("broken", `does not load: ${(error as Error).message}`)
  }
  const cites = (check: { readonly req: readonly string[] }) => check.req.includes(req)
  const failing = [
    () => firstCase(driver, (item) => item.id === hint && cites(item)),
    () => firstProperty(driver, hello, (item) => item.id === hint && cites(item)),
    () => firstCase(driver, cites),
    () => firstProperty(driver, hello, cites),
    () => examineHub(folder, cites),
    () => examineAgents(driver, hello, cites),
  ]
  for (const look of failing) {
    const found = await look()
    if (found !== null) return fate("killed", found)
  }
  if (!search) return fate("survived", "")
  const section = id.split("-")[0] as string
  const other =
    (await firstCase(driver, (item) => item.id.startsWith(section))) ??
    (await firstProperty(driver, hello, (item) => item.id.startsWith(section))) ??
    (await firstCase(driver, () => true)) ??
    (await firstProperty(driver, hello, () => true))
  return other === null ? fate("survived", "") : fate("uncited", other)
}

async function firstCase(driver: Driver, wanted: (item: Case) => boolean): Promise<string | null> {
  const chosen = CASES.filter(wanted)
  if (chosen.length === 0) return null
  let found: string | null = null
  await runCases(driver, {
    cases: CASES,
    select: (item) => chosen.includes(item),
    onVerdict: (verdict) => {
      if (verdict.outcome !== "FAIL") return
      found = verdict.id
      throw new Found(verdict)
    },
  })
  return found
}

async function firstProperty(
  driver: Driver,
  hello: Hello,
  wanted: (item: (typeof PROPERTIES)[number]) => boolean,
): Promise<string | null> {
  for (const { id } of PROPERTIES.filter(wanted)) {
    const [verdict] = await runProperties(driver, hello, { only: [id] })
    if (verdict?.outcome === "FAIL") return id
  }
  return null
}
