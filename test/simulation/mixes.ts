// The families of trouble that are simulated.

import type { Mix } from "./chaos.ts"

const TRAFFIC: Mix = { send: 30, burst: 3, "fan-out": 3, pause: 5 }
const COMINGS: Mix = { stop: 3, crash: 3, "crash-at-commit": 4, offline: 4, silent: 2 }
const LIES: Mix = { lossy: 4, reorder: 4, calm: 3, replay: 6 }

/** Families by name; each is a mix of what happens. */
export const FAMILIES: Readonly<Record<string, Mix>> = {
  "peers come and go, processes die at any commit": { ...TRAFFIC, ...COMINGS, slow: 2 },
  "the hub loses, delays, repeats and plays back": { ...TRAFFIC, ...LIES },
  "stores are rolled back, identities restored": {
    ...{ ...TRAFFIC, ...COMINGS, replay: 3 },
    ...{ "roll-back": 4, import: 3 },
  },
  "the hub loses its state, or goes back to an older one": {
    ...{ ...TRAFFIC, ...COMINGS },
    ...{ "hub-loss": 2, "hub-roll-back": 3 },
  },
  "the hub withholds one-time keys and serves old bundles": {
    ...{ ...TRAFFIC, ...COMINGS, ...LIES },
    ...{ withhold: 4, "old-bundles": 4 },
  },
  "clocks are skewed, and once absurd": { ...TRAFFIC, ...COMINGS, skew: 4, "absurd-clock": 3 },
  "handlers are slow and fail, disks are full": { ...TRAFFIC, ...COMINGS, slow: 6, "disk-full": 6 },
  everything: {
    ...{ ...TRAFFIC, ...COMINGS, ...LIES, slow: 3, "disk-full": 3, skew: 2, "absurd-clock": 1 },
    ...{ "roll-back": 2, import: 2, "hub-loss": 1, "hub-roll-back": 1, withhold: 2 },
    ...{ "old-bundles": 2 },
  },
}
