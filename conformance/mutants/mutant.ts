// A mutant: one fault put into a copy of the reference, to see whether the suite notices it.

/** One fault. */
export interface Mutant {
  /** Section word and number: `session-m07`. */
  readonly id: string
  /** The requirement that it breaks; only a failing check that cites it is a kill. */
  readonly req: string
  /** What the faulty implementation does. */
  readonly title: string
  /** The source, below the folder of the package: `src/session.ts`. */
  readonly file: string
  /** Text that stands there exactly once. */
  readonly find: string
  /** What takes its place. */
  readonly replace: string
}

/** What became of a mutant. */
export interface Fate {
  readonly id: string
  readonly req: string
  /**
   * `killed`: a check that cites the requirement failed. `uncited`: only others failed. `survived`:
   * nothing failed. `broken`: it could not be examined, because it does not load, or because its
   * text is not in the source exactly once.
   */
  readonly outcome: "killed" | "uncited" | "survived" | "broken"
  /** The check that failed first, or why it is broken. */
  readonly by: string
}
