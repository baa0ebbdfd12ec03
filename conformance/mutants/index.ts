// All mutants, and which check has killed each.

import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { packageFolder, SECTIONS } from "../driver.ts"
import type { Fate, Mutant } from "./mutant.ts"

export type { Fate, Mutant } from "./mutant.ts"
export { type MutantOptions, runMutants } from "./run.ts"

const FOLDER = "conformance/mutants"

function read(path: string): string {
  return readFileSync(join(packageFolder(), FOLDER, path), "utf8")
}

/** Reads the mutants, one JSON object a line, in section order. */
export function loadMutants(): readonly Mutant[] {
  return SECTIONS.flatMap((section) => {
    const lines = read(`data/${section}.jsonl`).trim().split("\n")
    return lines.map((line) => JSON.parse(line) as Mutant)
  })
}

/** By mutant, the check that killed it when the record was made. */
export function loadKills(): Readonly<Record<string, string>> {
  return JSON.parse(read("kills.json")) as Record<string, string>
}

/** Writes the record of {@link loadKills}. */
export function saveKills(fates: readonly Fate[]): void {
  const killed = fates.filter(({ outcome }) => outcome === "killed")
  const kills = Object.fromEntries(killed.map(({ id, by }) => [id, by]))
  const path = join(packageFolder(), FOLDER, "kills.json")
  writeFileSync(path, `${JSON.stringify(kills, null, 2)}\n`)
}
