// The agents that appear in vectors: their seeds, identities, bundles and one-time keys.

import {
  type BundleOptions,
  createBundle,
  createOneTimeKey,
  type OwnBundle,
  type OwnOneTimeKey,
} from "../../src/bundle.ts"
import { toHex } from "../../src/bytes.ts"
import { createIdentity, type OwnIdentity } from "../../src/identity.ts"
import type { Draw, Suite } from "../../src/suite.ts"
import type { JsonObject } from "../driver.ts"
import { deterministicDraw } from "./draws.ts"

/** 1 January 2026, 00:00:00 UTC: the clock of all vectors, in Unix seconds. */
export const NOW = 1_767_225_600

/** Test seeds, 32 bytes each. */
export const SEEDS: Readonly<Record<"alice" | "bob" | "mallory" | "carol", Uint8Array>> = {
  alice: new Uint8Array(32).fill(0xa1),
  bob: new Uint8Array(32).fill(0xb0),
  mallory: new Uint8Array(32).fill(0x3a),
  carol: new Uint8Array(32).fill(0xca),
}

/** A name of a test agent. */
export type Who = keyof typeof SEEDS

/** A test agent with its own source of draws. */
export class Person {
  readonly seed: Uint8Array
  readonly draw: Draw
  readonly own: OwnIdentity

  constructor(who: Who, name: string = who) {
    this.seed = SEEDS[who]
    this.draw = deterministicDraw(this.seed)
    this.own = createIdentity(name, this.draw)
  }

  bundle(options: Partial<BundleOptions> = {}): OwnBundle {
    return createBundle(this.own, { seq: NOW, now: NOW, suites: [1, 2], ...options }, this.draw)
  }

  oneTime(suite: Suite, now: number = NOW): OwnOneTimeKey {
    return createOneTimeKey(this.own, suite, now, this.draw)
  }

  /** The argument `identity` of operations. */
  get identity(): JsonObject {
    const { name, ikSecret, dkSecret } = this.own
    return { name, ikSecret: toHex(ikSecret), dkSecret: toHex(dkSecret) }
  }

  /** The argument `{name, ik}` of operations. */
  get peer(): JsonObject {
    return { name: this.own.name, ik: toHex(this.own.ik) }
  }
}

/** `{bundle, prekeys}` as operations take it. */
export function bundleJson(bundle: OwnBundle): JsonObject {
  const prekeys = [...bundle.secrets].map(([suite, { x, kem }]) => ({
    suite,
    x: toHex(x),
    kem: kem && toHex(kem),
  }))
  return { bundle: toHex(bundle.bytes), prekeys }
}

/** `{key, x, kem}` as operations take it. */
export function oneTimeJson(key: OwnOneTimeKey): JsonObject {
  const { x, kem } = key.secret
  return { key: toHex(key.bytes), x: toHex(x), kem: kem && toHex(kem) }
}
