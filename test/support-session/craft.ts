// First envelopes that a stranger writes: any field of init and header, with the sid that fits.

import { ONE_TIME_REQUIRED } from "../../src/bundle.ts"
import { decodeEnvelope } from "../../src/envelope.ts"
import type { ErrorCode } from "../../src/errors.ts"
import type { ResponderView } from "../../src/handshake.ts"
import type { Block, Init } from "../../src/keyschedule.ts"
import type { Suite } from "../../src/suite.ts"
import { rawBytes } from "../support/raw-cbor.ts"
import { OPEN_VIEW, type Party } from "./kit.ts"
import { rawHash } from "./raw.ts"

/** An init of any suite number. */
export type AnyInit = Omit<Init, "suite"> & { readonly suite: number }

/** All that a responder judges about a first envelope. */
export interface Attempt {
  readonly init: AnyInit
  readonly block: Block
  readonly pn: number
  readonly n: number
  readonly guard: Uint8Array
  readonly ct: Uint8Array
  /** Overrides sid = TH[0..16]. */
  readonly sid?: Uint8Array
  readonly view: Partial<ResponderView>
}

/** TH of an init at a responder, by the text of SPEC §7. */
export function rawTranscript(init: AnyInit, to: { name: string; ik: Uint8Array }): Uint8Array {
  return rawHash(
    "handshake",
    ...[init.suite, to.name, to.ik, init.bundleRef, init.otkRef],
    ...[init.name, init.ik, init.dk, init.e, init.kemCt],
  )
}

/** The envelope of an attempt. */
export function written(attempt: Attempt, to: Party): Uint8Array {
  const { init, block, pn, n, guard, ct } = attempt
  const sid = attempt.sid ?? rawTranscript(init, to.own).slice(0, 16)
  const items = [
    ...[init.suite, init.bundleRef, init.otkRef, init.name],
    ...[init.ik, init.dk, init.e, init.kemCt],
  ]
  const keys = [block.x, block.ek, block.kemCt]
  return rawBytes([rawBytes([1, sid, keys, pn, n, guard, items]), ct])
}

/** What the responder would look up for an attempt. */
export function lookedUp(attempt: Attempt, to: Party): ResponderView {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
  const { bundleRef, otkRef } = attempt.init
  return {
    ...OPEN_VIEW,
    bundle: to.bundles.get(hex(bundleRef)),
    oneTime: otkRef ? to.oneTimes.get(hex(otkRef)) : undefined,
    ...attempt.view,
  }
}

/** One thing wrong with an attempt, and the step of SPEC §8.4 that finds it. */
export interface Fault {
  readonly step: string
  readonly code: ErrorCode
  readonly apply: (attempt: Attempt, bob: Party) => Attempt
  readonly suites?: readonly Suite[]
}

/** Changes fields of the init. */
export const put = (init: Partial<Attempt["init"]>) => (attempt: Attempt) => ({
  ...attempt,
  init: { ...attempt.init, ...init },
})
/** Changes what the responder has looked up. */
export const see = (view: Attempt["view"]) => (attempt: Attempt) => ({
  ...attempt,
  view: { ...attempt.view, ...view },
})
const bundleOf = (attempt: Attempt, bob: Party) => lookedUp(attempt, bob).bundle

/** In the order of the steps. */
export const FAULTS: readonly Fault[] = [
  { step: "1a", code: "suite/unsupported", apply: put({ suite: 3 }) }, // HANDSHAKE-12
  { step: "1b", code: "encoding/shape", apply: (one) => ({ ...one, pn: 1 }) }, // HANDSHAKE-13
  { step: "1c", code: "session/chain-limit", apply: (one) => ({ ...one, n: 1000 }) },
  { step: "1d", code: "identity/name", apply: put({ name: "Alice" }) }, // HANDSHAKE-15
  { step: "2", code: "handshake/self", apply: (one, bob) => put({ ik: bob.own.ik })(one) },
  { step: "3", code: "envelope/open", apply: (one) => ({ ...one, sid: new Uint8Array(16) }) },
  { step: "4b", code: "handshake/replay", apply: see({ replayed: true }) }, // HANDSHAKE-19
  { step: "4c", code: "envelope/open", apply: see({ sidTaken: true }) }, // HANDSHAKE-20
  { step: "5a", code: "handshake/unknown-prekey", apply: see({ bundle: undefined }) },
  {
    step: "5b",
    code: "suite/unsupported", // HANDSHAKE-22
    apply: (one, bob) => {
      const bundle = bundleOf(one, bob)
      return bundle ? see({ bundle: { ...bundle, secrets: new Map() } })(one) : one
    },
  },
  { step: "5c", code: "suite/downgrade", apply: see({ remembered: 2 }), suites: [1] },
  {
    step: "5d",
    code: "handshake/one-time-required", // HANDSHAKE-24
    apply: (one, bob) => {
      const bundle = bundleOf(one, bob)
      const strict = bundle && { ...bundle, flags: ONE_TIME_REQUIRED }
      return put({ otkRef: null })(strict ? see({ bundle: strict })(one) : one)
    },
  },
  { step: "5e", code: "handshake/unknown-prekey", apply: see({ oneTime: undefined }) },
  { step: "6a", code: "identity/untrusted", apply: see({ from: "carol" }) }, // HANDSHAKE-26
  { step: "6b", code: "identity/changed", apply: see({ pinned: new Uint8Array(32) }) },
  { step: "6c", code: "identity/untrusted", apply: see({ trusted: false }) }, // HANDSHAKE-29
  { step: "6d", code: "handshake/limit", apply: see({ room: false }) }, // HANDSHAKE-30
  { step: "7", code: "suite/bad-key", apply: put({ e: new Uint8Array(32).fill(255) }) },
  {
    step: "8",
    code: "envelope/open", // HANDSHAKE-32
    apply: (one) => ({ ...one, ct: one.ct.map((byte) => byte ^ 1) }),
  },
]

/** A genuine first envelope, taken apart. */
export function attemptOf(envelope: Uint8Array): Attempt {
  const { init, block, pn, n, guard, ct } = decodeEnvelope(envelope)
  if (init === null) throw new Error("an envelope without init")
  return { init, block, pn, n, guard, ct, view: {} }
}
