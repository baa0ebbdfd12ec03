// What a hub of a simulation does wrong.

/** What a hub does wrong. Probabilities are per frame; all are 0 or empty at an honest hub. */
export interface Faults {
  /** Milliseconds that a frame travels at least and at most; frames of a link keep their order. */
  latency: readonly [number, number]
  /** SENDs that get an OK and are thrown away. */
  discard: number
  /** DELIVERs that are thrown away, as if they had been acknowledged. */
  lose: number
  /** DELIVERs that come twice, and how much later the second comes at most, milliseconds. */
  duplicate: number
  duplicateWithin: number
  /** DELIVERs that overtake each other, and by how much at most, milliseconds. */
  delay: number
  delayWithin: number
  /** OKs of SENDs that do not arrive. */
  loseOk: number
  /** Whether one-time keys are withheld. */
  withhold: boolean
  /** Whether the first bundle that a name published is served for ever. */
  oldBundles: boolean
  /** bundle-seq in READY and COUNTS, if it is not the true one. */
  bundleSeq: number | null
  /** Names that cannot reach the hub. */
  offline: Set<string>
  /** Names whose frames vanish in both directions while the link stays. */
  silent: Set<string>
  /** Requests to store something that are answered with `internal`. */
  fail: number
  /** Mail that READY announces beyond what there is. */
  moreMail: number
  /** Whether READY and COUNTS say that no one-time keys are left. */
  noKeysLeft: boolean
  /** SENDs that get an OK and are thrown away, whatever chance says. */
  throwAway: (mail: Held) => boolean
}

/** An honest hub with some latency. */
export function noFaults(): Faults {
  return {
    ...{ latency: [1, 20], discard: 0, lose: 0, duplicate: 0, duplicateWithin: 60_000 },
    ...{ delay: 0, delayWithin: 60_000, loseOk: 0, withhold: false, oldBundles: false },
    ...{ bundleSeq: null, offline: new Set(), silent: new Set(), fail: 0, moreMail: 0 },
    noKeysLeft: false,
    throwAway: () => false,
  }
}

/** An envelope that the hub has seen. */
export interface Held {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly envelope: Uint8Array
}
