// The requirements of SPEC.md with the checks that cite them: the rows of requirements.json.

import { createHash } from "node:crypto"
import type { Case } from "../driver.ts"
import { GROUPS } from "../index.ts"
import { loadKills, loadMutants, type Mutant } from "../mutants/index.ts"
import { PROPERTIES } from "../property.ts"
import { type Requirement, readRequirements } from "../requirements.ts"
import { LIVE_CHECKS } from "./live.ts"
import { NOT_TESTABLE } from "./not-testable.ts"

/** One row of requirements.json. */
export interface Row {
  readonly id: string
  readonly level: Requirement["level"]
  /** Whom the sentence concerns: `agent`, `hub` or both. */
  readonly roles: readonly string[]
  readonly section: string
  readonly text: string
  /** Of the text, when it was last acknowledged. */
  readonly sha256: string
  readonly checks: {
    readonly vectors: readonly string[]
    readonly properties: readonly string[]
    readonly live: readonly string[]
    readonly mutants: readonly string[]
  }
  readonly notTestable?: string
}

/** Everything that cites requirements. */
export interface Suite {
  readonly spec: string
  readonly cases: readonly Case[]
  readonly properties: readonly { readonly id: string; readonly req: readonly string[] }[]
  readonly live: readonly { readonly id: string; readonly req: readonly string[] }[]
  readonly mutants: readonly Mutant[]
  /** Check that killed a mutant. */
  readonly kills: Readonly<Record<string, string>>
  readonly notTestable: Readonly<Record<string, string>>
}

/** The suite of this package. */
export function loadSuite(spec: string): Suite {
  return {
    spec,
    cases: GROUPS.flatMap((group) => group.vectors().cases),
    properties: PROPERTIES,
    live: LIVE_CHECKS,
    mutants: loadMutants(),
    kills: loadKills(),
    notTestable: NOT_TESTABLE,
  }
}

/** SHA-256 of a sentence, hex. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

/** The rows, in the order of SPEC.md. */
export function buildRows(suite: Suite): readonly Row[] {
  const vectors = index(suite.cases)
  const properties = index(suite.properties)
  const live = index(suite.live)
  const mutants = index(suite.mutants.map(({ id, req }) => ({ id, req: [req] })))
  return readRequirements(suite.spec).map(({ id, level, section, text }) => {
    const reason = suite.notTestable[id]
    const of = (by: ReadonlyMap<string, readonly string[]>) => by.get(id) ?? []
    const checks = {
      ...{ vectors: of(vectors), properties: of(properties) },
      ...{ live: of(live), mutants: of(mutants) },
    }
    const about = { id, level, roles: rolesOf(section, text), section, text, sha256: hashOf(text) }
    return { ...about, checks, ...(reason !== undefined && { notTestable: reason }) }
  })
}

function index(
  checks: readonly { readonly id: string; readonly req: readonly string[] }[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { id, req } of checks) {
    for (const one of new Set(req)) found.set(one, [...(found.get(one) ?? []), id])
  }
  return found
}

/** SPEC §14: a hub reads §3 to §6 as far as it verifies bundles, and its side of §11. */
function rolesOf(section: string, text: string): readonly string[] {
  if (["encoding", "suite", "identity", "bundle"].includes(section)) {
    return /\bagents?\b/i.test(text) ? ["agent"] : ["agent", "hub"]
  }
  if (section !== "hub") return ["agent"]
  if (/\bA party\b/.test(text)) return ["agent", "hub"]
  return /\bagent (?:MUST|SHOULD)|^An agent that/.test(text) ? ["agent"] : ["hub"]
}

/** Whether a sentence forbids: its check has to see something refused. */
export function forbids(text: string): boolean {
  return /\bMUST (?:NOT|reject|refuse|abort)\b|\bMUST answer\b.*\berror \d/.test(text)
}
