// What a check says about an implementation, and what a run says in sum. All parts of the suite
// (vectors, properties, live cases) report in these words.

import type { Case, Hello, Json, JsonObject, Reply } from "./driver.ts"

/**
 * What came of a check. Only `PASS` counts for the implementation. `WARN`: a SHOULD that is not
 * kept; a strict run counts it as a failure.
 */
export type Outcome = "PASS" | "FAIL" | "BLOCKED" | "UNSUPPORTED" | "WARN"

/** Where a check comes from. */
export type Kind = "vector" | "property" | "hub" | "agent" | "interop"

/** One request to the implementation and what came back. */
export interface WireEntry {
  readonly op: string
  readonly args: JsonObject
  /** Absent: nothing came. */
  readonly reply?: Reply
  /** Index of the step, if the case has steps. */
  readonly step?: number
  /** What the request was for, if it is not a step of the case: `state`, `twin`. */
  readonly why?: string
}

/** The first intermediate value that differs. */
export interface Divergence {
  /** Name of the value in SPEC.md. */
  readonly name: string
  readonly expected: Json
  /** Absent: the implementation does not report it. */
  readonly actual?: Json
}

/** The verdict on one check. */
export interface Verdict {
  readonly id: string
  /** Requirement ids of SPEC.md. */
  readonly req: readonly string[]
  readonly outcome: Outcome
  /** What was expected and what came; empty for `PASS`. */
  readonly message: string
  /** Operations that the implementation performed for this check. */
  readonly calls: number
  /** `vector` if absent. */
  readonly kind?: Kind
  readonly title?: string
  /** Index of the step that failed. */
  readonly step?: number
  /** What was done, in a line. */
  readonly did?: string
  readonly expected?: Json
  readonly actual?: Json
  readonly divergence?: Divergence
  /** The implementation broke down: it ended, gave no reply, or broke the protocol of DRIVER.md. */
  readonly breakdown?: "crash" | "timeout" | "harness" | "fault"
  /** Requests and replies of a check that did not pass, bounded. */
  readonly log?: readonly WireEntry[]
  /** End of what the implementation wrote to its standard error meanwhile, at most 4 KiB. */
  readonly stderr?: string
  /** Replayable: the vector itself, or the counterexample as concrete steps. */
  readonly case?: Case
}

/** Sums over a run; `planned` equals the sum of all outcomes, or the run is worth nothing. */
export interface Report {
  readonly hello: Hello | null
  readonly verdicts: readonly Verdict[]
  readonly planned: number
  readonly passed: number
  readonly failed: number
  readonly blocked: number
  readonly unsupported: number
  /** Checks of a SHOULD that failed. */
  readonly warned: number
  /** Promises of `hello` that the driver does not keep. */
  readonly broken: readonly string[]
  /** Why the run ended early; absent if it did not. */
  readonly aborted?: string
  /**
   * 0 conformant; 1 not, or a stale baseline; 2 usage; 3 the driver did not start or broke the
   * protocol; 4 nothing was executed, or not everything planned is accounted for; 5 a check of the
   * suite on itself failed.
   */
  readonly exitCode: 0 | 1 | 2 | 3 | 4 | 5
}
