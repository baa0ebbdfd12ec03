// What the published suite does not check yet. COVERAGE.md shows it; once there is a check, lint
// asks for the entry here to go.

/** Requirements of an agent at a hub over time: the tests of the reference check them, no case. */
const AGENTS = [
  "HANDSHAKE-36",
  "HANDSHAKE-40",
  "AGENT-8",
  "AGENT-10",
  "AGENT-13",
  "AGENT-40",
  "AGENT-43",
  "AGENT-44",
  "AGENT-45",
  "AGENT-46",
] as const

/** Reason by requirement id. */
export const OPEN: Readonly<Record<string, string>> = Object.fromEntries(
  AGENTS.map((id) => [id, "no case of an agent at a hub checks it yet"]),
)

const NONE = "no fault in one place of the reference breaks it"

/** Requirements without a mutant, and why. */
export const NO_MUTANT: Readonly<Record<string, string>> = {
  "SUITE-3": "one table names the algorithms of a suite",
  "BUNDLE-6": NONE,
  "BUNDLE-27": NONE,
  "KEYSCHEDULE-8": "it is the fault of suite-m09, which breaks SUITE-12",
  "HUB-18": "a frame of no bytes is no frame of §3 either",
  "ENVELOPE-19": NONE,
  "SESSION-20": NONE,
  "AGENT-14": NONE,
  "HUB-17": "only a hub in a process of its own shows its log",
}
