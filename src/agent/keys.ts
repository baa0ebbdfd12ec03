// SPEC §6, §12: own bundles and one-time keys: made, rotated, published, erased.

import { createBundle, createOneTimeKey, type OneTimeKey } from "../bundle.ts"
import { toHex } from "../bytes.ts"
import {
  BUNDLE_ROTATION,
  CLOCK_SKEW,
  MAX_HELD_ONE_TIME,
  MAX_LIVE_BUNDLES,
  MAX_MADE_ONE_TIME,
  NOT_BEFORE_MARGIN,
  ONE_TIME_LIFETIME,
  PREKEY_GRACE,
  REFILL_ONE_TIME,
  REPLAY_ROTATION,
} from "../limits.ts"
import type { Suite } from "../suite.ts"
import type { Core } from "./core.ts"
import type { BundleRow } from "./rows.ts"

const HOUR = 3600
/** How long a clock has to stay at a time that is far off before keys are made for it, seconds. */
const PATIENCE = 600

/** Makes and erases the published keys of one agent. */
export class KeyKeeper {
  readonly #core: Core
  readonly #flags: number
  readonly #wanted: number
  /** When one-time keys were made, and how many. */
  #made: readonly { readonly at: number; readonly count: number }[] = []
  /** Suites that are being filled up to the wanted number. */
  readonly #filling = new Set<Suite>()
  #rotatedForReplays = 0

  /** @param wanted - One-time keys to have at the hub for a suite. */
  constructor(core: Core, flags: number, wanted: number) {
    this.#core = core
    this.#flags = flags
    this.#wanted = wanted
  }

  /** Whether the current bundle is missing, too old, or its replay cache is half full. */
  get rotationDue(): boolean {
    const { currentBundle, kept, now } = this.#core
    if (currentBundle === undefined) return true
    const { notBefore, notAfter } = currentBundle.bundle
    const aged = (time: number) => time - notBefore - NOT_BEFORE_MARGIN >= BUNDLE_ROTATION
    if (aged(kept)) return true // BUNDLE-2
    // After weeks offline, or made while the clock was wrong: nobody can use it. One absurd
    // reading alone is no reason, its seq and lifetime would be absurd too.
    const useless = aged(now) || now > notAfter || now < notBefore - CLOCK_SKEW
    const { jumpedAt } = this.#core.store.meta
    if (useless && (jumpedAt === null || now - jumpedAt >= PATIENCE)) return true
    const half = currentBundle.replays >= REPLAY_ROTATION
    const live = this.#core.store.table("key/bundle").size
    return half && Math.abs(now - this.#rotatedForReplays) >= HOUR && live < MAX_LIVE_BUNDLES
  }

  /** Stages a new bundle. Its seq is durable before anyone sees it. */
  rotate(): BundleRow {
    const core = this.#core
    const { store, own, now, suites } = core
    if ((core.currentBundle?.replays ?? 0) >= REPLAY_ROTATION) this.#rotatedForReplays = core.now
    const seq = Math.max(store.meta.seq + 1, now)
    const made = createBundle(own, { seq, now, suites, flags: this.#flags }, core.environment.draw)
    const { secrets, ...bundle } = made
    const row: BundleRow = {
      bundle,
      secrets: [...secrets].map(([suite, secret]) => ({ suite, secret })),
      replays: 0,
    }
    store.updateMeta({ seq })
    store.put("key/bundle", toHex(bundle.ref), row)
    return row
  }

  /**
   * Stages one-time keys for the suites of which the hub has few.
   *
   * @param left - Keys of each suite at the hub.
   * @param most - Keys to make of each suite now.
   */
  refill(left: ReadonlyMap<number, number>, most: number): readonly OneTimeKey[] {
    const { store, own, now, suites, environment } = this.#core
    const keys: OneTimeKey[] = []
    for (const suite of suites) {
      const have = left.get(suite) ?? 0
      if (have <= Math.min(REFILL_ONE_TIME, this.#wanted / 2)) this.#filling.add(suite)
      if (have >= this.#wanted) this.#filling.delete(suite)
      if (!this.#filling.has(suite)) continue
      const count = Math.min(this.#wanted - have, most, this.#allowance(suite))
      for (let i = 0; i < count; i++) {
        const key = createOneTimeKey(own, suite, now, environment.draw)
        store.put("key/one-time", toHex(key.ref), key)
        keys.push(key)
      }
      if (count > 0) this.#made = [...this.#made, { at: now, count }]
    }
    return keys
  }

  /** How many one-time keys may be made now, whatever the hub says. */
  #allowance(suite: Suite): number {
    const { store, now } = this.#core
    this.#made = this.#made.filter(({ at }) => Math.abs(now - at) < HOUR)
    let recent = 0
    let held = 0
    for (const key of store.table("key/one-time").values()) {
      if (key.suite === suite) held++
      if (Math.abs(now - (key.notAfter - ONE_TIME_LIFETIME)) < HOUR) recent++
    }
    // A restart forgets what was made, the rows do not (BUNDLE-6).
    const made = this.#made.reduce((sum, { count }) => sum + count, 0)
    const left = MAX_MADE_ONE_TIME - Math.max(made, recent)
    return Math.max(0, Math.min(left, MAX_HELD_ONE_TIME - held))
  }

  /** Erases secrets that are past their time; only after the mailbox was drained. */
  async erase(): Promise<void> {
    const { store, kept } = this.#core
    for (const [ref, { bundle }] of [...store.table("key/bundle")]) {
      if (kept <= bundle.notAfter + PREKEY_GRACE) continue
      store.delete("key/bundle", ref)
      const replays = store.shelf("replay")
      for await (const [key] of replays.scan(`${ref}/`)) replays.write(key, null)
    }
    for (const [ref, key] of [...store.table("key/one-time")]) {
      if (kept > key.notAfter + PREKEY_GRACE) store.delete("key/one-time", ref)
    }
    const used = store.shelf("used")
    for await (const [key, value] of used.scan("")) {
      const until = new DataView(value.buffer, value.byteOffset).getFloat64(0)
      if (kept > until) used.write(key, null)
    }
  }
}

/** The shelf for a one-time key of a peer that was used, with the time until which it is kept. */
export function rememberUsed(core: Core, ref: Uint8Array, notAfter: number): void {
  const value = new Uint8Array(8)
  new DataView(value.buffer).setFloat64(0, notAfter + PREKEY_GRACE)
  core.store.shelf("used").write(toHex(ref), value)
}

/** Whether a one-time key of a peer was used before. */
export async function wasUsed(core: Core, ref: Uint8Array): Promise<boolean> {
  return (await core.store.read("used", toHex(ref))) !== undefined
}
