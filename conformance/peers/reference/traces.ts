// Reference driver: the intermediate values of sealing and opening, by SPEC name.

import { concat, equalBytes } from "../../../src/bytes.ts"
import { encode } from "../../../src/encoding.ts"
import { type EnvelopeContext, openEnvelope, pad, type RawEnvelope } from "../../../src/envelope.ts"
import type { OwnIdentity } from "../../../src/identity.ts"
import { blockHash, messageKey, nextChainKey, ratchet, sealKey } from "../../../src/keyschedule.ts"
import type { OwnBlock, Session } from "../../../src/session.ts"
import {
  createExchangeKey,
  decapsulate,
  dh,
  encapsulate,
  labelled,
  type Suite,
} from "../../../src/suite.ts"
import type { deterministicDraw } from "../../vectorgen/draws.ts"
import { Trace } from "./args.ts"

/** Everything from a message key to a ciphertext. */
export function traceEnvelope(
  trace: Trace,
  context: EnvelopeContext,
  mk: Uint8Array,
  envelope: RawEnvelope,
): Trace {
  const { suite, th } = context
  const key = sealKey(suite, th, mk, envelope.guard)
  trace.add("mk", mk)
  trace.add("key", key.slice(0, 32))
  trace.add("nonce", key.slice(32))
  trace.add("aad", labelled("envelope", th, envelope.header))
  const { contents, sig } = openEnvelope(context, mk, envelope)
  const inner = trace.add("inner", encode([contents, sig]))
  if (inner.length <= 512) trace.add("padded", pad(inner))
  return trace
}

function addStep(
  trace: Trace,
  suite: Suite,
  session: Session,
  secret: Uint8Array,
  block: Uint8Array,
  answered: OwnBlock["block"] | Session["remote"],
): Uint8Array {
  trace.add("block-hash", block)
  trace.add("secret", secret.slice())
  const step = ratchet(suite, session.th, session.rk, secret, block, answered)
  trace.add("rk", step.rk)
  return step.ck
}

/** How `session` opens `envelope`, which it does. */
export function traceOpen(session: Session, own: OwnIdentity, envelope: RawEnvelope): Trace {
  const { suite, th, peer } = session
  const trace = new Trace()
  const name = blockHash(envelope.block)
  const context = { suite, th, sender: peer, recipient: own.name }
  const kept = session.skipped.find((key) => key.n === envelope.n && equalBytes(key.block, name))
  if (kept) return traceEnvelope(trace, context, kept.mk, envelope)
  let ck: Uint8Array
  let n = session.nr
  if (session.block !== null && equalBytes(session.block, name)) ck = session.ckr as Uint8Array
  else {
    const before = session.own as OwnBlock
    const shared = dh(before.secret.x, envelope.block.x)
    const { kemCt } = envelope.block
    const { kem } = before.secret
    const secret = kem && kemCt ? concat(shared, decapsulate(kem, kemCt)) : shared
    ck = addStep(trace, suite, session, secret, name, before.block)
    n = 0
  }
  for (; n < envelope.n; n++) ck = nextChainKey(suite, ck)
  trace.add("ck", ck)
  return traceEnvelope(trace, context, messageKey(suite, ck), envelope)
}

/** How `session` sealed `envelope`; `draw` repeats the draws of the seal. */
export function traceSeal(
  session: Session,
  own: OwnIdentity,
  envelope: RawEnvelope,
  draw: ReturnType<typeof deterministicDraw>,
): Trace {
  const { suite, th, remote } = session
  const trace = new Trace()
  let ck = session.cks
  if (ck === null) {
    const key = createExchangeKey(suite, draw, "ratchet")
    const kem = remote.ek && encapsulate(remote.ek, draw("ratchet-encaps", 32))
    const shared = dh(key.secret.x, remote.x)
    const secret = kem ? concat(shared, kem.ss) : shared
    ck = addStep(trace, suite, session, secret, blockHash(envelope.block), remote)
  }
  trace.add("ck", ck)
  const context = { suite, th, sender: own, recipient: session.peer.name }
  return traceEnvelope(trace, context, messageKey(suite, ck), envelope)
}
