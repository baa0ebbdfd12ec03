// What one who copied all of an agent's session state can compute from it.

import { equalBytes } from "../../src/bytes.ts"
import type { OwnIdentity } from "../../src/identity.ts"
import type { Block } from "../../src/keyschedule.ts"
import type { Session } from "../../src/session.ts"
import { decapsulate, dh, type Suite } from "../../src/suite.ts"
import { Party } from "./kit.ts"
import { chainKey, rawHash, rawMessageKey, rawStep, split } from "./raw.ts"

/** The name and DH key of an agent with an identity key of somebody else. */
export function createIdentityOf(party: Party, seed: string): OwnIdentity {
  const other = new Party(party.own.name, seed).own
  return { ...party.own, ik: other.ik, ikSecret: other.ikSecret }
}

/** Alice and Bob with two sessions; in both Alice's chain is open and Bob's answer is not sent. */
export function twoSessions(suite: Suite): {
  alice: Party
  bob: Party
  first: string
  second: string
} {
  const [alice, bob] = [new Party("alice"), new Party("bob")]
  const bundle = bob.bundle()
  const [first, second] = [0, 1].map(() => {
    const sid = alice.connect(bundle, bob.oneTime(suite), suite)
    bob.receive(alice.seal(sid))
    return sid
  }) as [string, string]
  return { alice, bob, first, second }
}

/** The shared secret of an exchange from the secret half that answers `block`. */
export function exchange(
  own: { readonly x: Uint8Array; readonly kem: Uint8Array | null },
  block: Block,
): Uint8Array {
  const parts = [dh(own.x, block.x)]
  if (own.kem && block.kemCt) parts.push(decapsulate(own.kem, block.kemCt))
  return new Uint8Array(Buffer.concat(parts))
}

/** rk' and ck_0 of a block that answers the session's own keys. */
export function replyKeys(session: Session, block: Block): { rk: Uint8Array; ck: Uint8Array } {
  const { suite, th, rk, own } = session
  if (own === null) throw new Error("the session waits for its own step")
  return rawStep(suite, th, rk, exchange(own.secret, block), block, own.block)
}

/** The message key that a session has for an envelope: stored, on its chain, or of a new block. */
export function receivingKey(session: Session, envelope: Uint8Array): { mk: Uint8Array } {
  const { suite } = session
  const { block, n } = split(envelope)
  const name = rawHash("block", block.x, block.ek, block.kemCt)
  const stored = session.skipped.find((key) => key.n === n && equalBytes(key.block, name))
  if (stored) return { mk: stored.mk }
  if (session.block && equalBytes(session.block, name)) {
    const ck = chainKey(suite, session.ckr as Uint8Array, n, session.nr)
    return { mk: rawMessageKey(suite, ck) }
  }
  return { mk: rawMessageKey(suite, chainKey(suite, replyKeys(session, block).ck, n)) }
}
