// What a hostile hub serves in place of what the honest one has: bundles, one-time keys, receipts.

import { decode, encode, type Value } from "../../../src/encoding.ts"
import { FRAME, signReceipt } from "../../../src/hub/frames.ts"
import type { OwnIdentity } from "../../../src/identity.ts"
import { ed25519Public, sha256, sign } from "../../../src/suite.ts"
import type { Frame } from "./hub.ts"
import type { World } from "./world.ts"

/** A signed object. */
export type Signed = readonly [body: Uint8Array, sig: Uint8Array]

/** What the honest hub serves. */
export interface Found {
  readonly bundle: Signed
  readonly oneTime: Signed | null
  readonly receipt: Signed
}

/** A signed object, decoded. */
export const signedOf = (bytes: Uint8Array): Signed => decode(bytes) as unknown as Signed

/** Changes what is served for a name. */
export function serve(w: World, name: string, lie: (found: Found) => Partial<Found>): void {
  w.hub.attack = {
    down(frame, asked) {
      const fetched = asked?.[0] === FRAME.getBundle && asked[2] === name
      if (!fetched || frame[0] !== FRAME.reply) return frame
      const [bundle, oneTime, receipt] = frame[2] as unknown as [Signed, Signed | null, Signed]
      const served = { bundle, oneTime, receipt, ...lie({ bundle, oneTime, receipt }) }
      return [
        frame[0],
        frame[1] as Value,
        [served.bundle, served.oneTime, served.receipt],
      ] as unknown as Frame
    },
  }
}

/** A body with one item replaced, under the old signature or a new one. */
export function rewrite(signed: Signed, index: number, value: Value, by?: OwnIdentity): Signed {
  const items = decode(signed[0]) as readonly Value[]
  const body = encode(items.map((item, i) => (i === index ? value : item)))
  return [body, by ? sign(by.ikSecret, body) : signed[1]]
}

/** A receipt of the hub for any bundle. */
export function receiptFor(
  w: World,
  bundle: Signed,
  change: { seq?: number; time?: number; name?: string; ref?: Uint8Array } = {},
): Signed {
  const items = decode(bundle[0]) as readonly Value[]
  const about = {
    name: change.name ?? (items[1] as string),
    ik: items[2] as Uint8Array,
    bundleRef: change.ref ?? sha256(bundle[0]),
    seq: change.seq ?? (items[4] as number),
    time: change.time ?? w.seconds,
  }
  return signReceipt({ ik: ed25519Public(w.hub.secret), secret: w.hub.secret }, about)
}

/** A bundle, and a receipt that fits it. */
export const whole = (w: World, bundle: Signed): Partial<Found> => ({
  bundle,
  oneTime: null,
  receipt: receiptFor(w, bundle),
})

/** COUNTS say from now on that no one-time keys of these suites are left. */
export function emptyPools(w: World, ...suites: readonly number[]): void {
  const counts: Value = [0, suites.map((suite) => [suite, 0]), null]
  w.hub.attack = {
    down: (frame, asked) =>
      asked?.[0] === FRAME.counts ? [FRAME.reply, frame[1] as Value, counts] : frame,
  }
}
