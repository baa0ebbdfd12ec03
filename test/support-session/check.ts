// Properties whose shrinking is bounded: a schedule costs milliseconds, not microseconds.

import type fc from "fast-check"
import { holds } from "../support/property.ts"

/** Checks a property; after the first failure at most `shrinks` more values are tried. */
export function always<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void,
  runs: number,
  shrinks: number = 60,
): void {
  let left = Number.POSITIVE_INFINITY
  holds(
    arbitrary,
    (value) => {
      if (left-- <= 0) return
      try {
        check(value)
      } catch (error) {
        left = Math.min(left, shrinks)
        throw error
      }
    },
    runs,
  )
}
