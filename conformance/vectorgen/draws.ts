// Deterministic test mode of SPEC §4: every random value from a seed and its name.

import { type Draw, expand, labelled } from "../../src/suite.ts"

/** The i-th value called `name` under `seed`: HKDF-Expand(seed, C([label, name, i]), length). */
export function namedDraw(seed: Uint8Array, name: string, i: number, length: number): Uint8Array {
  return expand(seed, labelled("test", name, i), length)
}

/**
 * The source of all random values of one agent in deterministic test mode (SPEC §4).
 *
 * @param seed - 32 bytes.
 * @param counts - Draws made so far, by name; counted on here.
 */
export function deterministicDraw(
  seed: Uint8Array,
  counts: Map<string, number> = new Map<string, number>(),
): Draw {
  if (seed.length !== 32) throw new RangeError(`"seed" expected 32 bytes, got ${seed.length}`)
  return (name, length) => {
    const i = counts.get(name) ?? 0
    counts.set(name, i + 1)
    return namedDraw(seed, name, i, length)
  }
}
