// What the subcommands share: exit codes, the package, drivers, the requirements of SPEC.md.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Case, type Driver, packageFolder } from "../driver.ts"
import { GROUPS } from "../index.ts"
import { createReference } from "../peers/reference.ts"
import { type Requirement, readRequirements } from "../requirements.ts"
import type { Level } from "../runner.ts"
import { StdioDriver, type StdioTap } from "../stdio.ts"

/** Wrong options or unreadable files: exit 2. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

/** Where the subcommands write to. */
export const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** A file of the package. */
export function packageFile(path: string): string {
  return readFileSync(join(packageFolder(), path), "utf8")
}

/** A file that the caller named. */
export function readNamed(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`)
  }
}

/** Version of this package. */
export function packageVersion(): string {
  return (JSON.parse(packageFile("package.json")) as { version: string }).version
}

/** Requirements by id, in the order of SPEC.md. */
export function loadRequirements(): ReadonlyMap<string, Requirement> {
  return new Map(readRequirements(packageFile("SPEC.md")).map((item) => [item.id, item]))
}

/** Level of a requirement; MUST for an id that SPEC.md does not have. */
export function levels(requirements: ReadonlyMap<string, Requirement>): (id: string) => Level {
  return (id) => requirements.get(id)?.level ?? "MUST"
}

/** All vectors, in section order. */
export function allCases(): readonly Case[] {
  return GROUPS.flatMap((group) => group.vectors().cases)
}

/** How a driver is opened. */
export interface DriverFlags {
  readonly driver?: string
  readonly timeoutScale?: number
}

/** Longest time for one operation, milliseconds, before `--timeout-scale`. */
const OPERATION = 5_000

/** The driver behind `--driver`; without one, the reference in this process. */
export function openDriver({ driver, timeoutScale = 1 }: DriverFlags, tap?: StdioTap): Driver {
  if (driver === undefined) return createReference()
  const timeout = OPERATION * timeoutScale
  const opened = new StdioDriver({ command: driver, timeout, ...(tap && { tap }) })
  if (OPENED.push(opened) === 1) process.on("exit", killOpened)
  return opened
}

const OPENED: StdioDriver[] = []

/** Nothing outlives this process, however it ends. */
function killOpened(): void {
  for (const driver of OPENED) driver.kill()
}

/** Checks that a filter can be meant: it names ids of checks, section words or requirements. */
export function matcher(
  only: readonly string[],
): (check: { readonly id: string; readonly req: readonly string[] }) => boolean {
  if (only.length === 0) return () => true
  return ({ id, req }) => only.some((word) => id.startsWith(word) || req.includes(word))
}
