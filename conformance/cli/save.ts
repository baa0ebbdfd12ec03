// Failures as vector files, to repeat them.

import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { type Case, SECTIONS, type VectorFile } from "../driver.ts"
import type { Verdict } from "../verdict.ts"
import { allCases, UsageError } from "./context.ts"

/** Writes each failing case of a run that can be repeated into a folder. */
export function saveFailures(folder: string, verdicts: readonly Verdict[]): void {
  for (const { id, case: item } of verdicts) {
    if (item !== undefined) writeNamed(join(folder, `${id}.json`), failureFile(item))
  }
}

/** Writes a file that the caller named. */
export function writeNamed(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as Error).message}`)
  }
}

/** A vector file that holds one case, and the twin without which it does not count. */
function failureFile(item: Case): string {
  const twin = item.twin && allCases().find(({ id }) => id === item.twin)
  const cases = twin ? [twin, item] : [item]
  const ok = cases.filter(({ expect }) => expect === "ok").length
  const section = SECTIONS.find((word) => item.id.startsWith(word)) ?? "agent"
  const file: VectorFile = {
    ...{ format: 1, spec: "AgentMesh/1", section },
    ...{ counts: { ok, reject: cases.length - ok }, cases, tombstones: [] },
  }
  return `${JSON.stringify(file, null, 1)}\n`
}
