// What the published suite does not check yet. COVERAGE.md shows it; once there is a check, lint
// asks for the entry here to go.

/** Reason by requirement id: testable, and no case yet. */
export const OPEN: Readonly<Record<string, string>> = {}

/** Requirements without a mutant, and why. */
export const NO_MUTANT: Readonly<Record<string, string>> = {
  "SUITE-3": "one table names the algorithms of a suite",
  "HUB-18": "a frame of no bytes is no frame of §3 either",
  "HUB-17": "only a hub in a process of its own shows its log",
}
