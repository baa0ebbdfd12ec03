// A copy of the reference, and the checks of this package against it.

import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Case, Driver, Hello } from "../driver.ts"
import { GROUPS } from "../index.ts"
import { PROPERTIES, runProperties } from "../property.ts"
import { greet, runCases } from "../runner.ts"
import { examineAgents, examineHub } from "./live.ts"

/** A check of the suite. */
export interface Check {
  readonly kind: "vector" | "property" | "hub" | "agent"
  readonly id: string
}

/** Chooses checks. */
export type Wanted = (check: { readonly id: string; readonly req: readonly string[] }) => boolean

const CASES: readonly Case[] = GROUPS.flatMap((group) => group.vectors().cases)

class Found extends Error {}

/** A copy that is examined. */
export class Subject {
  readonly #folder: string
  readonly #driver: Driver
  readonly #hello: Hello

  private constructor(folder: string, driver: Driver, hello: Hello) {
    this.#folder = folder
    this.#driver = driver
    this.#hello = hello
  }

  /** Loads the driver of a copy; or says why it cannot be examined. */
  static async load(folder: string): Promise<Subject | string> {
    try {
      const path = join(folder, "dist/conformance/peers/reference.js")
      const driver = (await import(pathToFileURL(path).href)).createReference() as Driver
      const { hello, problem } = await greet(driver)
      return hello === null ? problem : new Subject(folder, driver, hello)
    } catch (error) {
      return `does not load: ${(error as Error).message}`
    }
  }

  /**
   * The first check of a kind that fails, of those that are wanted.
   *
   * @param slow - How many times as long live checks wait.
   */
  async fails(kind: Check["kind"], wanted: Wanted, slow: number = 1): Promise<Check | null> {
    const id = await this.#look(kind, wanted, slow)
    return id === null ? null : { kind, id }
  }

  #look(kind: Check["kind"], wanted: Wanted, slow: number): Promise<string | null> {
    if (kind === "vector") return this.#vector(wanted)
    if (kind === "property") return this.#property(wanted)
    if (kind === "hub") return examineHub(this.#folder, wanted, slow)
    return examineAgents(this.#driver, this.#hello, wanted, slow)
  }

  async #vector(wanted: Wanted): Promise<string | null> {
    const chosen = new Set(CASES.filter(wanted))
    if (chosen.size === 0) return null
    let found: string | null = null
    await runCases(this.#driver, {
      cases: CASES,
      select: (item) => chosen.has(item),
      onVerdict: ({ id, outcome }) => {
        if (outcome !== "FAIL") return
        found = id
        throw new Found(id) // the first is enough
      },
    })
    return found
  }

  async #property(wanted: Wanted): Promise<string | null> {
    for (const { id } of PROPERTIES.filter(wanted)) {
      const [verdict] = await runProperties(this.#driver, this.#hello, { only: [id] })
      if (verdict?.outcome === "FAIL") return id
    }
    return null
  }
}
