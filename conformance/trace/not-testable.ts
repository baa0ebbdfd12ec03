// Requirements that no test from outside can observe, and why. A driver shows what an
// implementation answers; it does not show memory, randomness of production, or its own absence.

/** Reason by requirement id. */
export const NOT_TESTABLE: Readonly<Record<string, string>> = {}
